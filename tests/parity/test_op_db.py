"""Every op of PyTorch's own database that Rushlight has too: values, first and second derivatives, methods, in-place, out=."""

import warnings
from collections import Counter

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402
from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402

import rushlight  # noqa: E402

from .known_differences import GAPS, KNOWN_DIFFERENCES, UNFILLED  # noqa: E402
from .op_db import call, compare, convert, find, flatten, leaves, samples_of  # noqa: E402

SEED = 42  # the database's own wrappers seed with it
MAIN = (torch.float64, torch.float32, torch.complex128)
LIGHT = (torch.int64, torch.int32, torch.uint8, torch.bool, torch.float16, torch.bfloat16, torch.complex64)


def seeded(library, function, *arguments, **keywords):
    """A call that draws random numbers, which are the same each time."""
    with library.random.fork_rng():
        library.manual_seed(SEED)
        return function(*arguments, **keywords)


ADAPTED = {
    "where": lambda library: lambda x, condition, other: library.where(condition, x, other),
    "zero_": lambda library: lambda x: x.clone().zero_(),
    "resize_": lambda library: lambda x, size: x.clone().resize_(size),
    "resize_as_": lambda library: lambda x, other: x.clone().resize_as_(other),
    "normal.in_place": lambda library: lambda x, *moments: x.clone().normal_(*moments),
    "einsum": lambda library: lambda operands, equation: library.einsum(equation, *operands),
    "nn.functional.embedding": lambda library: lambda weight, index, **k: library.nn.functional.embedding(index, weight, **k),
    "normal.number_mean": lambda library: lambda std, mean, *a, **k: library.normal(mean, std, *a, **k),
    "linalg.pinv.singular": lambda library: lambda a, b: library.linalg.pinv(a @ b.mT),
    "linalg.lstsq.grad_oriented": lambda library: lambda a, b, driver: library.linalg.lstsq(a, b, driver=driver)[:2],
    **{
        name: lambda library, name=name: lambda a, b, **k: seeded(library, getattr(library, name), a @ b.mT, **k)
        for name in ("svd_lowrank", "pca_lowrank")
    },
    "rand_like": lambda library: lambda x, **k: library.rand_like(x, **k),
    **{f"polygamma.polygamma_n_{order}": lambda library: lambda x, n: library.polygamma(n, x) for order in range(5)},
    "special.polygamma.special_polygamma_n_0": lambda library: lambda x, n: library.special.polygamma(n, x),
}
"""Where the database calls an op in a way of its own."""


def label(info):
    return f"{info.name}.{info.variant_test_name}" if info.variant_test_name else info.name


INFOS = {label(info): info for info in op_db if not info.name.startswith("jiterator")}
PRESENT = {
    name: info for name, info in INFOS.items() if find(rushlight, info.name) is not None and find(torch, info.name) is not None
}
"""An op in the database that Rushlight does not have is not tested; the names that count as covered are these."""


def marks(name, check):
    if (name, check) in GAPS:
        return pytest.mark.xfail(reason=GAPS[name, check], strict=True)
    if (name, check) in KNOWN_DIFFERENCES:
        return pytest.mark.xfail(reason=KNOWN_DIFFERENCES[name, check], strict=False)
    return ()


def pytest_ops(check):
    """One test for each op; xfail where it is known to differ."""
    return [pytest.param(name, marks=marks(name, check)) for name in sorted(PRESENT)]


@pytest.fixture(autouse=True, scope="module")
def dtype_of_the_samples():
    """The database makes its samples with a fixed seed."""
    torch.manual_seed(0)


def both(info, sample):
    """A call in both libraries from the same seed: (ours, our leaves), (theirs, their leaves); or None where PyTorch refuses it."""
    adapted = ADAPTED.get(label(info))
    function, reference = (adapted(rushlight), adapted(torch)) if adapted else (find(rushlight, info.name), info.op)
    torch.manual_seed(SEED)
    rushlight.manual_seed(SEED)
    ours_arguments = None
    our_leaves = []
    ours_arguments = (
        [convert(sample.input, our_leaves), *[convert(a, our_leaves) for a in sample.args]],
        {key: convert(value, our_leaves) for key, value in sample.kwargs.items()},
    )
    their_leaves = leaves([sample.input, *sample.args, *sample.kwargs.values()])
    try:
        theirs = reference(sample.input, *sample.args, **sample.kwargs)
    except RuntimeError:
        return None
    if any(isinstance(t, torch.Tensor) and t.dtype is torch.complex32 for t in flatten(theirs)):
        return None
    ours = function(*ours_arguments[0], **ours_arguments[1])
    return (ours, our_leaves), (theirs, their_leaves)


def check_values(name, dtypes, limit, gradients, orders):
    info = PRESENT[name]
    tested = 0
    for dtype in dtypes:
        if dtype not in info.dtypes:
            continue
        recorded = gradients and dtype in info.supported_backward_dtypes(torch.device("cpu").type) and info.supports_autograd
        for sample in samples_of(info, dtype, recorded, limit):
            pair = both(info, sample)
            if pair is None:
                continue
            (ours, our_leaves), (theirs, their_leaves) = pair
            tested += 1
            what = f"{name} {dtype}"
            if info.name in UNFILLED:
                assert [tuple(t.shape) for t in flatten(ours)] == [tuple(t.shape) for t in flatten(theirs)], what
                continue
            compare(ours, theirs, what, check_layout=info.name not in UNFILLED)
            if recorded:
                check_gradients(
                    info, sample, ours, our_leaves, theirs, their_leaves, what, orders if dtype is not torch.float32 else 1
                )
    if not tested:
        pytest.skip("no sample for these dtypes")


def differentiable(values):
    return [t for t in flatten(values) if hasattr(t, "requires_grad") and t.requires_grad]


def check_gradients(info, sample, ours, our_leaves, theirs, their_leaves, what, orders):
    process = sample.output_process_fn_grad or (lambda out: out)
    their_outputs, our_outputs = differentiable(process(theirs)), differentiable(process(ours))
    assert len(our_outputs) == len(their_outputs), f"{what}: {len(our_outputs)} results require grad, not {len(their_outputs)}"
    if not their_outputs or not info.supports_autograd:
        return
    generator = torch.Generator().manual_seed(7)
    for order in range(1, orders + 1):
        if order == 2 and not info.supports_gradgrad:
            return
        seeds = [torch.randn(t.shape, dtype=t.dtype, generator=generator) for t in their_outputs]
        again = order < orders and info.supports_gradgrad
        try:
            theirs = torch.autograd.grad(their_outputs, their_leaves, seeds, create_graph=again, allow_unused=True)
        except (RuntimeError, NotImplementedError):
            return
        ours = rushlight.autograd.grad(
            our_outputs, our_leaves, [convert(s) for s in seeds], create_graph=again, allow_unused=True
        )
        found = [(a, b) for a, b in zip(ours, theirs, strict=True) if not (b is None and (a is None or not a.any()))]
        found = [(a, b) for a, b in found if not (a is None and b is not None and not b.any())]
        for place, (a, b) in enumerate(found):
            assert a is not None, f"{what}: no derivative {order} at input {place}"
            assert b is not None, f"{what}: a derivative {order} at input {place} where PyTorch has none"
            compare(a, b, f"{what}: derivative {order}", scale=20.0)
        if not again:
            return
        assert all(a.requires_grad for a, b in found if b.requires_grad), f"{what}: a derivative does not require grad"
        pairs = [(a, b) for a, b in found if b.requires_grad and a.requires_grad]
        if not pairs:
            return
        our_outputs, their_outputs = [a for a, _ in pairs], [b for _, b in pairs]


@pytest.mark.parametrize("name", pytest_ops("main"))
def test_values_and_derivatives(name):
    check_values(name, MAIN, 6, gradients=True, orders=2)


@pytest.mark.parametrize("name", pytest_ops("light"))
def test_other_dtypes(name):
    check_values(name, LIGHT, 2, gradients=False, orders=0)


@pytest.mark.parametrize("name", pytest_ops("variants"))
def test_method_in_place_and_out(name):
    info = PRESENT[name]
    if name in ADAPTED:
        pytest.skip("tested in another way of calling")
    dtype = next((d for d in (torch.float64, torch.int64, torch.bool) if d in info.dtypes), None)
    if dtype is None or info.name in UNFILLED:
        pytest.skip("nothing to compare")
    tested = Counter()
    for sample in samples_of(info, dtype, False, 4):
        torch.manual_seed(SEED)
        try:
            expected = info.op(sample.input, *sample.args, **sample.kwargs)
        except RuntimeError:
            continue
        method = info.name.split(".")[-1]
        if info.method_variant is not None and isinstance(sample.input, torch.Tensor):
            rushlight.manual_seed(SEED)
            found, _, _, _ = call(lambda x, *a, **k: getattr(x, method)(*a, **k), sample, convert)  # noqa: B023
            compare(found, expected, f"Tensor.{method}")
            tested["method"] += 1
        if info.inplace_variant is not None and not sample.broadcasts_input and isinstance(expected, torch.Tensor):
            check_in_place(info, sample, expected, tested)
        if info.supports_out:
            check_out(info, sample, expected, tested)
    if not tested:
        pytest.skip("neither method nor in-place nor out=")


def check_in_place(info, sample, expected, tested):
    name = info.name.split(".")[-1] + "_"
    if name.startswith("__") or not hasattr(torch.Tensor, name):
        return
    target = sample.input.clone().detach()
    torch.manual_seed(SEED)
    try:
        info.inplace_variant(target, *sample.args, **sample.kwargs)
    except RuntimeError:
        return
    rushlight.manual_seed(SEED)
    ours = convert(sample.input.clone())
    result = getattr(ours, name)(*[convert(a) for a in sample.args], **{k: convert(v) for k, v in sample.kwargs.items()})
    assert result is ours, f"{name} does not return its tensor"
    compare(ours, target, name)
    assert ours._version == target._version, f"{name} counts as {ours._version} writes"
    tested["in-place"] += 1


def check_out(info, sample, expected, tested):
    values = flatten(expected)
    if not all(isinstance(v, torch.Tensor) for v in values):
        return
    given = [torch.empty_like(v) for v in values]
    torch.manual_seed(SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            info.op(
                sample.input, *sample.args, **sample.kwargs, out=given[0] if isinstance(expected, torch.Tensor) else tuple(given)
            )
        except (RuntimeError, TypeError):
            return
    outs = [rushlight.zeros(tuple(v.shape), dtype=convert(v.dtype)) for v in values]
    kept = list(outs)
    rushlight.manual_seed(SEED)
    function = find(rushlight, info.name)
    function(
        convert(sample.input),
        *[convert(a) for a in sample.args],
        **{k: convert(v) for k, v in sample.kwargs.items()},
        out=outs[0] if isinstance(expected, torch.Tensor) else tuple(outs),
    )
    compare(kept, given, f"{info.name}(out=)")
    tested["out"] += 1
