"""PyTorch's database of ops, called in both libraries: conversion of samples, and the comparisons that test_op_db makes."""

import dataclasses
import itertools
import warnings

import torch

import rushlight

DTYPES = {getattr(torch, d.__str__().split(".")[1]): d for d in rushlight.core.dtype_by_name.values()}
TENSOR = rushlight.Tensor
NOT_IN_THIS_LIBRARY = object()


def convert(value, grads=None):
    """A sample's argument as Rushlight's; tensors that need gradients are appended to `grads` in the order they are met."""
    if isinstance(value, torch.Tensor):
        return convert_tensor(value, grads)
    if isinstance(value, torch.dtype):
        return DTYPES[value]
    if isinstance(value, torch.Size):
        return rushlight.Size(value)
    if isinstance(value, torch.device):
        return rushlight.device(str(value))
    if isinstance(value, torch.memory_format):
        return getattr(rushlight, str(value).split(".")[1])
    if isinstance(value, torch.layout):
        return rushlight.strided
    if isinstance(value, torch.Generator):
        return rushlight.Generator().manual_seed(value.initial_seed())
    if isinstance(value, (list, tuple)):
        return type(value)([convert(item, grads) for item in value])
    if isinstance(value, dict):
        return {key: convert(item, grads) for key, item in value.items()}
    if isinstance(value, torch.nn.LinearCrossEntropyOptions):
        return rushlight.nn.LinearCrossEntropyOptions(**convert(dataclasses.asdict(value)))
    if isinstance(value, slice):
        return slice(*(convert(part) for part in (value.start, value.stop, value.step)))
    return value


def convert_tensor(value, grads):
    """The same elements, strides and requires_grad; no view, and never written to."""
    plain = value.detach().resolve_conj().resolve_neg()
    elements = rushlight.tensor(plain.tolist() if plain.numel() else [], dtype=DTYPES[value.dtype]).reshape(tuple(value.shape))
    expanded = [stride == 0 and size > 1 for stride, size in zip(value.stride(), value.shape, strict=True)]
    if any(expanded):
        cut = tuple(slice(0, 1) if repeated else slice(None) for repeated in expanded)
        made = elements[cut].expand(tuple(value.shape))
    else:
        made = rushlight.empty_strided(tuple(value.shape), value.stride(), dtype=elements.dtype).copy_(elements).data
    if value.requires_grad:
        made.requires_grad_()
        if grads is not None:
            grads.append(made)
    return made


def leaves(value):
    """The tensors in a sample's arguments, in the order in which `convert` meets them."""
    if isinstance(value, torch.Tensor):
        return [value] if value.requires_grad else []
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [leaf for item in value for leaf in leaves(item)]


def flatten(value):
    """The tensors and numbers in a result, in order."""
    if isinstance(value, (list, tuple)):
        return [leaf for item in value for leaf in flatten(item)]
    return [value]


def find(library, name):
    """`nn.functional.relu` of a library, a function or (where there is none) a method or property of Tensor."""
    found = library
    for part in name.split("."):
        found = getattr(found, part, None)
        if found is None:
            break
    if (found is None or isinstance(found, library.dtype)) and "." not in name:
        found = getattr(library.Tensor, name, None)
    return found if found is None or callable(found) else found.__get__


def tolerance(dtype, scale=1.0):
    """Relative and absolute error allowed."""
    relative = {torch.float16: 2e-3, torch.bfloat16: 1.6e-2, torch.float32: 2e-5, torch.complex64: 2e-5}.get(dtype, 1e-9)
    return relative * scale, relative * scale * (1e-2 if dtype == torch.bfloat16 else 1e-1 if dtype in (torch.float16,) else 0.5)


def compare(ours, theirs, what, scale=1.0, check_layout=False):
    """Raises AssertionError where two results differ."""
    ours, theirs = flatten(ours), flatten(theirs)
    assert len(ours) == len(theirs), f"{what}: {len(ours)} results, not {len(theirs)}"
    for index, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        where = f"{what}[{index}]" if len(ours) > 1 else what
        if not isinstance(b, torch.Tensor):
            if isinstance(b, torch.dtype):
                assert a is DTYPES[b], f"{where}: {a} is not {b}"
            elif isinstance(b, float):
                assert a == b or abs(a - b) <= 1e-5 * abs(b) or (a != a and b != b), f"{where}: {a} is not {b}"
            else:
                assert a == b, f"{where}: {a!r} is not {b!r}"
            continue
        assert isinstance(a, TENSOR), f"{where}: {type(a).__name__} instead of a tensor"
        if b.layout is not torch.strided:
            assert str(a.layout) == str(b.layout), f"{where}: layout {a.layout}, not {b.layout}"
            a, b = a.to_dense(), b.to_dense()
        assert str(a.dtype) == str(b.dtype), f"{where}: dtype {a.dtype}, not {b.dtype}"
        assert tuple(a.shape) == tuple(b.shape), f"{where}: shape {tuple(a.shape)}, not {tuple(b.shape)}"
        if check_layout:
            ours_strides, their_strides = significant(a), significant(b)
            assert ours_strides == their_strides, (
                f"{where}: strides {ours_strides}, not {their_strides}, of shape {tuple(a.shape)}"
            )
        values = torch.tensor(a.detach().tolist(), dtype=b.dtype).reshape(b.shape)
        relative, absolute = tolerance(b.dtype, scale)
        b = b.detach()
        if b.dtype.is_floating_point or b.dtype.is_complex:
            if b.numel():
                finite = b.abs()[torch.isfinite(b.abs())]
                absolute *= max(1.0, finite.max().item()) if finite.numel() else 1.0
            if not torch.allclose(values, b, rtol=relative, atol=absolute, equal_nan=True):
                raise AssertionError(f"{where}: {short(values)} is not {short(b)}")
        elif not torch.equal(values, b):
            raise AssertionError(f"{where}: {short(values)} is not {short(b)}")


def significant(tensor):
    """The strides that decide where elements are."""
    return [stride for stride, size in zip(tensor.stride(), tensor.shape, strict=True) if size > 1 and tensor.numel()]


def short(tensor):
    text = " ".join(repr(tensor).split())
    return text if len(text) < 160 else text[:157] + "..."


def call(function, sample, cast):
    """A sample's call: result, or the exception."""
    grads = []
    arguments = [cast(sample.input, grads), *[cast(a, grads) for a in sample.args]]
    keywords = {key: cast(value, grads) for key, value in sample.kwargs.items()}
    return function(*arguments, **keywords), grads, arguments, keywords


def samples_of(info, dtype, requires_grad, limit):
    """At most `limit` samples, spread over all that PyTorch makes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = list(itertools.islice(info.sample_inputs("cpu", dtype, requires_grad=requires_grad), 60))
    made = [sample for sample in made if small(sample)]
    if len(made) <= limit:
        return made
    return [made[i * (len(made) - 1) // (limit - 1)] for i in range(limit)] if limit > 1 else made[:1]


def small(sample):
    """Whether a sample is cheap to turn into lists and back."""
    tensors = [t for t in flatten([sample.input, list(sample.args), list(sample.kwargs.values())]) if isinstance(t, torch.Tensor)]
    return all(t.numel() <= 20_000 and t.layout is torch.strided for t in tensors)
