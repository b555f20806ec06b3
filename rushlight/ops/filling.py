"""Writing values into a tensor: all of it, or where a mask says."""

import math

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite, kernel, op, place, short_way
from rushlight.ops._names import by_operand
from rushlight.ops._outputs import SAME_TYPE
from rushlight.ops._rules import c_name, warn_of_real_part
from rushlight.ops.broadcasting import broadcast_two
from rushlight.ops.indexing import warn_of_expanded


def number_of(x, value):
    """A value to fill `x` with, as a 0-d tensor."""
    if isinstance(value, torch.Tensor):
        if value.ndim:
            raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions.")
        return value
    if x.numel() != 1:
        core.check_number_fits(value, x.dtype)
    return core.fill_tensor(core.empty_tensor((), x.dtype), value)


@op(
    vjp={"x": lambda g: g.new_zeros(g.shape), "value": lambda g: g.sum()},
    jvp=lambda x, value_t: torch.zeros_like(x) if value_t is None else value_t.expand(x.shape),
    writes=True,
    expanded=True,
    out=False,
    name=("FillBackward0", "FillBackward1", "FillBackward2", "FillBackward3"),
    variant=lambda x, value: int(isinstance(value, torch.Tensor)),
    batch="rearranging.fill",
    refusal="name",
    fills=True,
    inplace="function",
    method="in place",
    real_part=False,
    signature="Tensor input, Tensor|Number value",
    overload=by_operand(),
)
def fill(x, value):
    """`x` with every element replaced by one value."""
    if isinstance(value, torch.Tensor):
        core.check_no_overlap(x)
    kernel("fill")(x, number_of(x, value))
    return x


@op(
    vjp=lambda g: g.new_zeros(g.shape),
    jvp=lambda x_t: torch.zeros_like(x_t),
    writes=True,
    expanded=True,
    out=False,
    function=False,
    method=False,
    batch="rearranging.zero",
)
def zero(x):
    """`x` with every element replaced by 0."""
    core.fill_tensor(x, 0)
    return x


place(core.InPlace(zero), "zero", suffix="_")


@op(
    vjp={"x": lambda g: g.new_zeros(g.shape), "src": lambda g: g},
    jvp=lambda x, src_t: torch.zeros_like(x) if src_t is None else src_t.to(x.dtype).expand(x.shape),
    writes=True,
    out=False,
    name="CopyBackwards",
    function=False,
    method=False,
    batch="rearranging.copy",
    refusal="arithmetic",
    any_place=True,
    takes_lazy=True,
)
def copy(x, src, non_blocking=False):
    """`x` with the elements of `src`, converted and broadcast."""
    if src.shape != x.shape:
        shape = broadcast_two(tuple(x.shape), tuple(src.shape))
        if shape != x.shape:
            raise RuntimeError(f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(shape)}")
    core.check_partial_overlap(x, src)
    warn_of_real_part(src, x.dtype)
    core.copy_elements(x, src)
    return x


copy_in_place = core.InPlace(copy)


NUMBER_DTYPES = {float: torch.float64, complex: torch.complex128}
"""What numbers are until they are converted to a tensor's dtype."""


def number_dtype(value):
    """That dtype of a number; None for the one that it has as data."""
    return torch.uint64 if isinstance(value, int) and value >= 2**63 else NUMBER_DTYPES.get(type(value))


@composite(
    function=False, method="deprecated Tensor/Number other, bool async=False | Tensor/Number other, bool non_blocking=False"
)
def copy_(self, other, non_blocking=False):
    """The elements of `other`, converted and broadcast, written into `self`."""
    if not isinstance(other, torch.Tensor):
        if not isinstance(other, bool | int | float | complex):
            raise TypeError(f"copy_(): argument 'other' (position 1) must be Tensor, not {full_name(type(other))}")
        other = core.tensor(other, dtype=number_dtype(other))
    return copy_in_place(self, other, non_blocking)


def full_name(kind):
    """A type's name with its module, if that is not the built-in one."""
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


@composite(function=False, method="Number fill_value, bool wrap=False")
def fill_diagonal_(self, fill_value, wrap=False):
    """Writes one value along the main diagonal, with `wrap` of each square block of a tall matrix."""
    if self.ndim < 2:
        raise RuntimeError("dimensions must larger than 1")
    if self.ndim > 2 and len(set(self.shape)) != 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    size, step = min(self.shape), sum(self.stride())
    self.as_strided((size,), (step,), self.storage_offset()).fill_(fill_value)
    rows, columns = self.shape[0], self.shape[1]
    if wrap and self.ndim == 2 and rows > columns + 1:
        count = (self.numel() + columns) // (columns + 1) - size if columns else 0
        # Each block leaves one row free.
        start = self.storage_offset() + self.stride(0) * (size + 1)
        self.as_strided((count,), (step,), start).fill_(fill_value)
    return self


# ---------------------------------------------------------------------------------------------------------- masks
def require_bool(mask, text):
    if mask.dtype is not torch.bool:
        raise RuntimeError(text)


def check_fill(x, mask, value):
    if isinstance(value, torch.Tensor) and value.ndim:
        raise RuntimeError(
            f"masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    require_bool(mask, f"masked_fill_ only supports boolean masks, but got mask with dtype {c_name(mask.dtype)}")
    warn_of_expanded("masked_fill_", x, "tensor[mask] = scalar")
    core.check_partial_overlap(x, mask)
    shape = broadcast_two(tuple(x.shape), tuple(mask.shape))
    if shape != x.shape:
        raise RuntimeError(f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(shape)}")
    if isinstance(value, torch.Tensor):
        value = value.item() if value.is_complex() and not x.is_complex() else value
    if not isinstance(value, torch.Tensor):
        core.check_number_fits(value, x.dtype)


@op(
    vjp={"x": lambda g, mask: g.masked_fill(mask, 0), "value": lambda g, mask: torch.where(mask, g, 0).sum()},
    jvp=lambda x, x_t, mask, value_t: torch.where(
        mask, 0 if value_t is None else value_t, torch.zeros_like(x) if x_t is None else x_t
    ),
    writes=True,
    expanded=True,
    function=False,
    method=False,
    name=("MaskedFillBackward0", "MaskedFillBackward1"),
    variant=lambda x, mask, value: int(isinstance(value, torch.Tensor)),
    row_major=True,
    plain=short_way("tmn", "masked", "masked_fill"),
    batch="rearranging.fill_where",
    refusal="number",
    fills=True,
    flat="masked",
    real_part=False,
    overload=by_operand("masked_fill.Tensor", "masked_fill.Scalar"),
)
def fill_where(x, mask, value):
    """`x` with one value where `mask` is True."""
    check_fill(x, mask, value)
    kernel("masked_fill")(x, mask.expand(x.shape), core.empty_tensor((), x.dtype).fill_(value))
    return x


fill_where_in_place = core.InPlace(fill_where)


def spread_to_mask(input, mask):
    """`input` broadcast against a mask, where it is the smaller."""
    if input.shape == mask.shape:
        return input
    shape = broadcast_two(tuple(mask.shape), tuple(input.shape))
    return input if shape == input.shape else input.expand(shape)


@composite(signature="Tensor input, Tensor mask, Tensor|Number value")
def masked_fill(input, mask, value, *, out=None):
    """`input` with one value where `mask` is True.

    >>> import rushlight
    >>> x = rushlight.tensor([1., 2., 3.])
    >>> x.masked_fill(x > 1, 0.)
    tensor([1., 0., 0.])
    """
    input = spread_to_mask(input, mask)
    return fill_where(input, mask, value) if out is None else fill_where(input, mask, value, out=out)


@composite(function=False)
def masked_fill_(self, mask, value):
    """In-place version of `masked_fill`."""
    return fill_where_in_place(self, mask, value)


def selected_gradient(g, x_shape, mask):
    shape = broadcast_two(tuple(x_shape), tuple(mask.shape))
    return g.new_zeros(shape).masked_scatter(mask, g)


@op(
    vjp=selected_gradient,
    jvp=lambda x_t, mask: x_t.masked_select(mask),
    apart=True,
    batch="indexing.masked_select",
    flat="masked",
    out_text=SAME_TYPE,
)
def masked_select(x, mask):
    """The elements of `x` where `mask` is True, in one dimension."""
    require_bool(mask, "masked_select: expected BoolTensor for mask")
    shape = broadcast_two(tuple(mask.shape), tuple(x.shape))
    mask = mask.expand(shape)
    count = core.empty_tensor((), torch.int64)
    kernel("nonzero_count")(count, mask)
    out = core.empty_tensor((count.item(),), x.dtype)
    kernel("masked_select")(out, x.expand(shape), mask)
    return out


def source_gradient(g, mask, source_shape):
    """The cotangents of the elements that were taken, in order, and zeros for the rest."""
    count = math.prod(source_shape)
    if core.has_batch(mask):
        # How many are taken differs from example to example: those of each go to the front of a row.
        flat = mask.expand(g.shape).reshape(-1)
        row = g.reshape(-1).gather(0, (~flat).to(torch.uint8).argsort(stable=True))
        row = torch.cat([row, row.new_zeros(max(count - row.numel(), 0))])[:count]
        return torch.where(torch.arange(count) < flat.sum(), row, 0).reshape(source_shape)
    taken = g.masked_select(mask)
    return torch.cat([taken, taken.new_zeros(count - taken.numel())]).reshape(source_shape)


@op(
    vjp={"x": lambda g, mask: g.masked_fill(mask, 0), "source": source_gradient},
    linear=True,
    writes=True,
    row_major=True,
    out=False,
    function=False,
    method=False,
    name="MaskedScatterBackward0",
    batch="rearranging.scatter_where",
    fills=True,
    flat="masked",
)
def scatter_where(x, mask, source):
    """`x` with the elements of `source`, in order, where `mask` is True."""
    if source.dtype is not x.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got{x.dtype.legacy_name} and {source.dtype.legacy_name}"
        )
    if mask.dtype is torch.uint8:
        core.warn_user(
            "masked_scatter_ received a mask with dtype torch.uint8, this behavior is now deprecated,please use a mask with dtype "
            "torch.bool instead."
        )
    require_bool(mask, f"masked_scatter_ only supports boolean masks, but got mask with dtype {mask.dtype.legacy_name}")
    kernel("masked_scatter")(x, mask.expand(x.shape), source)
    return x


scatter_where_in_place = core.InPlace(scatter_where)


@composite
def masked_scatter(input, mask, source):
    """`input` with the elements of `source`, in order, where `mask` is True."""
    return scatter_where(spread_to_mask(input, mask), mask, source)


@composite(function=False)
def masked_scatter_(self, mask, source):
    """In-place version of `masked_scatter`."""
    return scatter_where_in_place(self, mask, source)
