"""Where elements are, how often they occur, and in which interval they lie: nonzero, unique, bincount, searchsorted, …"""

from collections.abc import Sequence

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import composite, kernel, op, underived
from rushlight.ops._names import by_operand
from rushlight.ops._outputs import SEARCHED
from rushlight.ops._rules import not_implemented
from rushlight.ops._views import zeros
from rushlight.ops.filling import number_dtype
from rushlight.ops.indexing import INDICES, nonzero_places


# ---------------------------------------------------------------------------------------------------------- places
@op(
    method=False,
    name="NonzeroBackward0",
    function=False,
    apart=True,
    batch="indexing.refuse",
    out_text="nonzero: Expected out tensor to have scalar type Long but got scalar type{out}",
    overload="nonzero.default",
)
def coordinates(x):
    """The coordinates of the nonzero elements."""
    return nonzero_places(x)


@composite(gives="indices", method=" | *, bool as_tuple")
def nonzero(input, *, out=None, as_tuple=False):
    """The coordinates of the nonzero elements: one a row, or as a tuple of one tensor for each dimension.

    >>> import rushlight
    >>> rushlight.tensor([0., 2., 3.]).nonzero()
    tensor([[1],
            [2]])
    """
    if as_tuple:
        if out is not None:
            raise RuntimeError("nonzero does not support the out kwarg when as_tuple is True")
        if core.has_batch(input):
            raise RuntimeError("Batching rule not implemented for aten::nonzero_numpy. We could not generate a fallback.")
        return coordinates(torch.atleast_1d(input)).unbind(1)
    if out is not None and out.dtype is not torch.int64:
        raise RuntimeError(f"nonzero: Expected out tensor to have scalar type Long but got scalar type{out.dtype.legacy_name}")
    return coordinates(input) if out is None else coordinates(input, out=out)


@op(name="NonzeroBackward0", out=False)
def argwhere(input):
    """The coordinates of the nonzero elements, one a row."""
    return nonzero_places(input)


@composite(method=False, signature=None)
def unravel_index(indices, shape) -> "tuple[torch.Tensor, ...]":
    """The coordinates in a tensor of the given shape of linear (row-major) indices.

    Args:
        indices: the indices.
        shape: the shape of the tensor.

    >>> import rushlight as torch
    >>> torch.unravel_index(torch.tensor([1, 5]), (2, 3))
    (tensor([0, 1]), tensor([1, 2]))
    """
    if indices.is_complex() or indices.is_floating_point() or indices.dtype is torch.bool:
        raise TypeError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if not isinstance(shape, int | Sequence):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    for size in shape:
        if not isinstance(size, int):
            raise TypeError(f"expected 'shape' sequence to only contain ints, but got {type(size)}")
    if any(size < 0 for size in shape):
        raise ValueError(f"'shape' cannot have negative values, but got {shape}")
    coordinates, step, indices = [], 1, indices.long()
    for size in reversed(shape):
        coordinates.append((indices // step) % size)
        step *= size
    return torch.stack(coordinates[::-1], -1).unbind(-1) if coordinates else ()


# ---------------------------------------------------------------------------------------------------------- repeats and counts
def check_repeats(repeats):
    if repeats.dtype not in INDICES:
        raise NotImplementedError(f"\"repeat_interleave_cpu\" not implemented for '{repeats.dtype.legacy_name}'")


@op(name="NotImplemented", function=False, method=False, out=False, overload="repeat_interleave.Tensor")
def repeated_places(repeats, output_size):
    """The index of each repeat: 0 as often as repeats[0] says, and so on."""
    check_repeats(repeats)
    if repeats.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if repeats.is_meta:
        if output_size is None:
            raise RuntimeError("cannot repeat_interleave a meta tensor without output_size")
        return core.empty_tensor((output_size,), repeats.dtype)
    total = core.empty_tensor((), torch.int64)
    kernel("repeat_interleave_size")(total, repeats)
    if output_size is not None and output_size != total.item():
        raise RuntimeError("allocated size does not match required size")
    out = core.empty_tensor((total.item(),), repeats.dtype)
    kernel("repeat_interleave")(out, repeats)
    return out


@composite(
    signature=(
        "Tensor input, Tensor repeats, int? dim=None, *, index? output_size=None | "
        "Tensor repeats, *, index? output_size=None | "
        "Tensor input, index repeats, int? dim=None, *, index? output_size=None"
    )
)
def repeat_interleave(input=None, repeats=None, dim=None, *, output_size=None):
    """Each element (or slice along `dim`) repeated in place: all as often, or each as `repeats` says."""
    if repeats is None:
        return repeated_places(input, output_size)
    if dim is None:
        input, dim = input.reshape(-1), 0
    d = wrap_dim(dim, input.ndim)
    if not isinstance(repeats, torch.Tensor):
        wrap_dim(d + 1, input.ndim + 1 if input.ndim else 0)
    length = input.size(dim)
    if isinstance(repeats, torch.Tensor):
        if repeats.numel() == 1:
            repeats = repeats.reshape(-1).expand(length)
        elif repeats.ndim > 1:
            raise RuntimeError("repeats must be 0-dim or 1-dim tensor")
        elif repeats.numel() != length:
            raise RuntimeError(
                "repeats must have the same size as input along dim, but got "
                f"repeats.size(0) = {repeats.numel()} and input.size({d}) = {length}"
            )
        for is_lazy, turned in ((input.is_conj(), torch._conj), (input.is_neg(), torch._neg_view)):
            if is_lazy:  # … it stays so
                return turned(repeat_interleave(turned(input), repeats, d, output_size=output_size))
        return input.index_select(d, repeated_places(repeats, output_size))
    if repeats < 0:
        raise RuntimeError("Repeats must be non-negative")
    if output_size is not None and output_size != length * repeats:
        raise RuntimeError(f"repeat_interleave: Invalid output_size, expected {length * repeats} but got {output_size}")
    shape = input.shape
    wide = input.unsqueeze(d + 1).expand(shape[: d + 1] + (repeats,) + shape[d + 1 :])
    return wide.clone(memory_format=torch.contiguous_format).view(shape[:d] + (length * repeats,) + shape[d + 1 :])


@op(
    vjp={"weights": underived("derivative for aten::bincount is not implemented", RuntimeError)},
    name="NotImplemented",
    gives="indices",
    out=False,
)
def bincount(x, weights=None, minlength=0):
    """How often each value from 0 on occurs, or the sum of its weights."""
    if x.is_floating_point() or x.is_complex() or x.dtype is torch.bool:
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{x.dtype.legacy_name}'")
    if minlength < 0:
        raise RuntimeError("minlength should be >= 0")
    if x.ndim != 1:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    if weights is not None and weights.shape != x.shape:
        raise RuntimeError("weights should be 1-d and have the same length as input")
    size = core.empty_tensor((), torch.int64)
    kernel("bincount_size")(size, x)
    dtype = torch.int64
    if weights is not None:
        dtype = torch.float32 if weights.dtype is torch.float32 else torch.float64
    out = zeros((max(size.item(), minlength),), dtype)
    if weights is None:
        kernel("bincount")(out, x)
    else:
        kernel("bincount")(out, x, weights if weights.dtype is dtype else zeros(weights.shape, dtype).copy_(weights))
    return out


@op(
    out_text="torch.histogram: input tensor and hist tensor should have the same dtype, but got input {c_result} and hist {c_out}"
)
def histc(x, bins=100, min=0, max=0):
    """How many elements lie in each of `bins` equal intervals of [min, max] (that of the data where both are equal)."""
    if bins <= 0:
        raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {bins} for dimension 0")
    for bound in (min, max):
        core.check_number_fits(bound, torch.float64)
    if not x.is_floating_point():
        if min > max and not x.is_complex() and x.dtype is not torch.bool:
            raise RuntimeError("torch.histc: max must be larger than min")
        if min != max and not x.is_complex() and x.dtype is not torch.bool:
            limits = torch.iinfo(x.dtype)
            if min < limits.min or max > limits.max:
                raise RuntimeError(
                    f"value cannot be converted to type {'int' if x.dtype is torch.int32 else x.dtype.name + '_t'} without overflow"
                )
        kernel_name = (
            "linspace_cpu" if x.dtype is torch.bool else "aminmax_cpu" if x.is_complex() and min == max else "histogram_cpu"
        )
        raise NotImplementedError(f"\"{kernel_name}\" not implemented for '{x.dtype.legacy_name}'")
    out = zeros((bins,), x.dtype)
    kernel("histc")(out, x, float(min), float(max))
    return out


# ---------------------------------------------------------------------------------------------------------- intervals
@op(
    inputs=("sorted_sequence",),
    method=False,
    batch="indexing.searchsorted",
    gives="indices",
    out_text=SEARCHED,
    signature=(
        "Tensor sorted_sequence, Tensor input, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None, out | "
        "Tensor sorted_sequence, Number self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None, out"
    ),
    overload=by_operand(),
)
def searchsorted(sorted_sequence, input, *, out_int32=False, right=False, side=None, sorter=None):
    """Where each value would go into a sorted sequence: before equal elements, or (`right`) behind them."""
    if side is not None:
        if side not in ("left", "right"):
            raise RuntimeError(f"torch.searchsorted(): side can only be 'left' or 'right' but got {side}")
        if right and side == "left":
            raise RuntimeError(
                "torch.searchsorted(): side and right can't be set to opposites, got side of left while right was True"
            )
        right = side == "right"
    values = input if isinstance(input, torch.Tensor) else core.tensor(input)
    if values.ndim == 0 and sorted_sequence.ndim != 1:
        raise RuntimeError(
            "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor "
            f"dim({sorted_sequence.ndim}) and input value's dim(0) numel(1)"
        )
    if sorted_sequence.ndim == 0:
        raise RuntimeError("torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension")
    if sorted_sequence.ndim > 1 and sorted_sequence.shape[:-1] != values.shape[:-1]:
        raise RuntimeError(
            "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value "
            f"tensor must match, but we got boundaries tensor {list(sorted_sequence.shape)} and input value tensor {list(values.shape)}"
        )
    if sorter is not None and sorter.shape != sorted_sequence.shape:
        raise RuntimeError(
            "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor "
            f"{list(sorted_sequence.shape)}and got sorter tensor {list(sorter.shape)}"
        )
    if sorter is not None and sorter.dtype is not torch.int64:
        raise RuntimeError(
            f"torch.searchsorted(): sorter must be a tensor of long dtype but got dtype {sorter.dtype.legacy_name}"
        )
    for kind, given in (("input value", values), ("boundary", sorted_sequence)):
        if not given.is_contiguous():
            core.warn_once(
                f"torch.searchsorted(): {kind} tensor is non-contiguous, this will lower the performance due to extra data copy when converting "
                f"non-contiguous tensor to contiguous, please use contiguous {kind} tensor if possible. This message will only appear once per "
                "program."
            )
    if values.dtype is not sorted_sequence.dtype:
        dtype = torch.result_type(sorted_sequence, values)
        sorted_sequence, values = sorted_sequence.to(dtype), values.to(dtype)
    out = core.empty_tensor(values.shape, torch.int32 if out_int32 else torch.int64)
    given = (sorted_sequence, values) if sorter is None else (sorted_sequence, values, sorter)
    kernel("searchsorted")(out, *given, int(right))
    return out


@composite(
    method=False,
    gives="indices",
    signature=(
        "Tensor input, Tensor boundaries, *, bool out_int32=False, bool right=False, out | "
        "Number self, Tensor boundaries, *, bool out_int32=False, bool right=False"
    ),
)
def bucketize(input, boundaries, *, out_int32=False, right=False, out=None):
    """The interval between the boundaries that each element falls into."""
    if boundaries.ndim != 1:
        raise RuntimeError(f"boundaries tensor must be 1 dimension, but got dim({boundaries.ndim})")
    return torch.searchsorted(boundaries, input, out_int32=out_int32, right=right, out=out)


@op(name="NotImplemented", function=False, method=False, out=False, batch="indexing.is_among", public="isin")
def is_among(x, tests):
    """Which elements of `x` are among `tests`."""
    found = core.empty_tensor(x.shape, torch.bool)
    kernel("isin")(found, x, tests)
    return found


@composite(
    method=False,
    signature=(
        "Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False, out | "
        "Number element, Tensor test_elements, *, bool assume_unique=False, bool invert=False, out | "
        "Tensor elements, Number test_element, *, bool assume_unique=False, bool invert=False, out"
    ),
)
def isin(elements=None, test_elements=None, *, assume_unique=False, invert=False, element=None, test_element=None, out=None):
    """Which elements are among the test elements."""
    elements = element if elements is None else elements
    tests = test_element if test_elements is None else test_elements
    if not isinstance(elements, torch.Tensor):
        elements = core.tensor(elements, dtype=number_dtype(elements))
    if not isinstance(tests, torch.Tensor):
        tests = core.tensor(tests, dtype=number_dtype(tests))
    for given in (elements, tests):
        if given.dtype is torch.bool or given.is_complex():
            raise RuntimeError(f"Unsupported input type encountered for isin(): {given.dtype.legacy_name}")
    dtype = torch.result_type(elements, tests)
    elements, tests = elements.detach().to(dtype), tests.detach().to(dtype)
    found = ~is_among(elements, tests) if invert else is_among(elements, tests)
    return found if out is None else core.written_out("isin", out, found)


# ---------------------------------------------------------------------------------------------------------- unique elements
def shortened(tensor, count):
    return core.tensor_on_storage(core.storage_of(tensor), tensor.dtype, 0, (count,), (1,))


def unique_elements(x, consecutive, return_inverse, return_counts):
    flat = x.reshape(-1)
    length = flat.numel()
    values = core.empty_tensor((length,), x.dtype)
    inverse = core.empty_tensor((length if return_inverse else 0,), torch.int64)
    counts = core.empty_tensor((length if return_counts else 0,), torch.int64)
    count = core.empty_tensor((), torch.int64)
    kernel("unique")(values, inverse, counts, count, flat, int(return_inverse), int(return_counts), int(consecutive))
    return (
        shortened(values, count.item()),
        inverse.view(x.shape) if return_inverse else inverse,
        shortened(counts, count.item()) if return_counts else counts,
    )


def comparable(x):
    """Numbers in the order of those in `x`, of a dtype that kernels compare."""
    if x.dtype is torch.uint64:
        return x.view(torch.int64) ^ -(1 << 63)
    return x.to(torch.int64) if x.dtype in (torch.uint16, torch.uint32) else x


def unique_slices(x, dim, consecutive, return_inverse, return_counts):
    if x.is_complex():
        raise not_implemented("unique" if consecutive else "unique_dim", x.dtype)
    length, d = x.size(dim), wrap_dim(dim, x.ndim)
    if 0 in x.shape:
        if x.shape.count(0) > 1 or length:
            raise RuntimeError("There are 0 sized dimensions, and they aren't selected, so unique cannot be applied")
        return core.empty_tensor(x.shape, x.dtype), core.empty_tensor((0,), torch.int64), core.empty_tensor((0,), torch.int64)
    order = core.empty_tensor((length,), torch.int64)
    inverse = core.empty_tensor((length if return_inverse else 0,), torch.int64)
    counts = core.empty_tensor((length if return_counts else 0,), torch.int64)
    count = core.empty_tensor((), torch.int64)
    rows = x.movedim(d, 0).contiguous()
    kernel("unique_dim")(
        order, inverse, counts, count, comparable(rows), int(return_inverse), int(return_counts), int(consecutive)
    )
    return (
        rows.index_select(0, shortened(order, count.item())).movedim(0, d),
        inverse,
        shortened(counts, count.item()) if return_counts else counts,
    )


UNIQUE = dict(outputs=("values", "inverse", "counts"), function=False, method=False, out=False)


@op(no_derivative="_unique2", name="Unique2Backward0", **UNIQUE, batch="indexing.refuse", overload="_unique2.default")
def unique2(x, return_inverse, return_counts):
    """The unique elements, sorted."""
    return unique_elements(x, False, return_inverse, return_counts)


@op(no_derivative="unique_dim", name="UniqueDimBackward0", **UNIQUE, batch="indexing.refuse")
def unique_dim(x, dim, return_inverse, return_counts):
    """The unique slices along `dim`, sorted."""
    return unique_slices(x, dim, False, return_inverse, return_counts)


@op(no_derivative="unique_consecutive", name="UniqueConsecutiveBackward0", **UNIQUE, batch="indexing.refuse")
def unique_runs(x, return_inverse, return_counts, dim):
    """One element (or slice) of each run of equal ones."""
    if dim is None:
        return unique_elements(x, True, return_inverse, return_counts)
    return unique_slices(x, dim, True, return_inverse, return_counts)


def asked_for(results, return_inverse, return_counts):
    values, inverse, counts = results
    if not return_inverse and not return_counts:
        return values
    return (values,) + ((inverse,) if return_inverse else ()) + ((counts,) if return_counts else ())


check_unique = core.Parser("_unique2", "Tensor input, bool sorted=True, bool return_inverse=False, bool return_counts=False")
check_unique_dim = core.Parser(
    "unique_dim", "Tensor input, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False"
)
check_runs = core.Parser("unique_consecutive", "Tensor input, bool return_inverse=False, bool return_counts=False, int? dim=None")


@composite(signature=None)
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The unique elements (or slices along `dim`), sorted; on demand where each went, and how often each occurs.

    Args:
        input: the tensor.
        sorted: without effect: they are.
        return_inverse: whether the place of each element among the unique ones is wanted.
        return_counts: whether it is wanted how often each occurs.
        dim: the dimension whose slices are compared; single elements where it is None.

    >>> import rushlight as torch
    >>> torch.unique(torch.tensor([3, 1, 2, 1]), return_counts=True)
    (tensor([1, 2, 3]), tensor([2, 1, 1]))
    """
    bool(return_inverse) or bool(return_counts)  # PyTorch's dispatch asks these first, whatever they are
    if dim is None:
        check_unique(input, sorted=sorted, return_inverse=return_inverse, return_counts=return_counts)
        return asked_for(unique2(input, return_inverse, return_counts), return_inverse, return_counts)
    check_unique_dim(input, dim, sorted=sorted, return_inverse=return_inverse, return_counts=return_counts)
    return asked_for(unique_dim(input, dim, return_inverse, return_counts), return_inverse, return_counts)


@composite(signature=None)
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """One element (or slice along `dim`) of each run of equal ones; on demand where each went, and how long the runs are.

    Args:
        input: the tensor.
        return_inverse: whether the run of each element is wanted.
        return_counts: whether the lengths of runs are wanted.
        dim: the dimension whose slices are compared; single elements where it is None.

    >>> import rushlight as torch
    >>> torch.unique_consecutive(torch.tensor([1, 1, 2, 2, 1]))
    tensor([1, 2, 1])
    """
    bool(return_inverse) or bool(return_counts)  # PyTorch's dispatch asks these first, whatever they are
    check_runs(input, return_inverse=return_inverse, return_counts=return_counts, dim=dim)
    return asked_for(unique_runs(input, return_inverse, return_counts, dim), return_inverse, return_counts)
