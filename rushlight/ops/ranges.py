"""New tensors of evenly spaced numbers, or with a pattern."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor, kernel, unset, warn_user
from rushlight.ops._declare import composite
from rushlight.ops._rules import not_implemented
from rushlight.ops.creation import LONG, check_layout, number, require_same


def new_vector(name, count, out, dtype, layout, device, requires_grad):
    """A new vector; `out=`, where that is one of this length (or is made so, if it has another number of elements)."""
    check_layout(layout)
    if out is None:
        return unset("empty", (count,), dtype, device, requires_grad)
    require_same(dtype, out)
    core.refuse_tracked_out(f"aten::{name}", out)
    if out.numel() != count:
        core.resize_tensor(out, (count,))
    core.check_no_overlap(out)
    return out if out.dim() == 1 else core.empty_tensor((count,), out.dtype)


def spaced_kind(values, dtype, out):
    """The dtype of a sequence between numbers: int64 where all are integers."""
    if dtype is not None:
        return dtype
    if out is not None:
        return out.dtype
    floating = any(isinstance(value, float) for value in values)
    return core.get_default_dtype() if floating else LONG


@composite(
    method=False,
    signature="Number end, *, out, factory | Number start, Number end, *, factory | Number start, Number end, Number step=1, *, out, factory",
)
def arange(*args, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, **more):
    """Numbers from `start` (0) to before `end` in steps of `step` (1): arange(end), arange(start, end), arange(start, end, step).

    >>> import rushlight
    >>> rushlight.arange(1, 2.5, 0.5)
    tensor([1.0000, 1.5000, 2.0000])
    """
    if len(args) == 1 and type(args[0]) is int and not more and out is None and layout is None and 0 <= args[0] < 1 << 63:
        made = unset("arange", args, dtype or LONG, device, requires_grad)
        integral = dtype is None or dtype is LONG
        if integral:
            kernel("arange")(made, 0, 1)
            return made
    start, end, step = range_bounds("arange", args, more)
    kind = spaced_kind((start, end, step), dtype, out)
    check_layout(layout)
    if kind.is_complex or kind.name == "bool":
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{kind.legacy_name}'")
    size = arange_size(start, end, step, kind)
    require_countable((start, step), kind)
    if out is not None:
        core.check_no_overlap(out)
        warn_of_resizing(out, size)
    made = new_vector("arange", size, out, kind, layout, device, requires_grad)
    if kind.is_floating_point:
        kernel("arange")(made, float(start), float(step))
    else:
        kernel("arange")(made, int(start), int(step))
    return counted(made, out)


def warn_of_resizing(out, size):
    """Tells of an `out=` that has elements, and not as many as are computed."""
    if out.numel() not in (0, size):
        warn_user(
            f"The number of elements in the out tensor of shape {list(out.shape)} is {out.numel()} which does not match the computed number of "
            f"elements {size}. Note that this may occur as a result of rounding error. The out tensor will be resized to a tensor of shape "
            f"({size},)."
        )


def counted(made, out):
    """`made`; written into `out=`, where it is not that already."""
    if out is None:
        return made
    if made is out:
        core.mark_written(out)
        return out
    return core.write_elements(out, made.view(out.shape))


def range_bounds(name, args, more):
    """start, end and step from arange's or range's arguments."""
    given = dict(more)
    places = ("start", "end", "step") if len(args) > 1 or "end" in given else ("end",)
    if len(args) == 1 and "end" in given:
        places = ("start",)
    for place, value in zip(places, args):
        given[place] = value
    extra = [key for key in given if key not in ("start", "end", "step")]
    if extra or "end" not in given or len(args) > 3 or any(value is None for value in given.values()):
        raise TypeError(
            f"{name}() received an invalid combination of arguments; use {name}(end), {name}(start, end) or "
            f"{name}(start, end, step)"
        )
    values = []
    for position, (key, default) in enumerate((("start", 0), ("end", None), ("step", 1))):
        value = number(given.get(key, default), name, key, 1 if places == ("end",) else position + 1)
        if isinstance(value, complex):
            if value.imag:
                raise RuntimeError("value cannot be converted to type double without overflow")
            value = value.real
        values.append(value)
    return values


def check_range(start, end, step):
    """The errors that arange and range share."""
    if not (step > 0 or step < 0):
        raise RuntimeError("step must be nonzero")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"unsupported range: {plain(start)} -> {plain(end)}")
    if (step > 0 and end < start) or (step < 0 and end > start):
        raise RuntimeError("upper bound and lower bound inconsistent with step sign")


def plain(value):
    """A number as C++ prints it."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def require_countable(numbers, kind):
    """Refuses bounds and steps beyond what PyTorch counts in: int64, float32 for halves, else double."""
    counter = LONG if not kind.is_floating_point else torch.float32 if kind.itemsize == 2 else torch.float64
    for value in numbers:
        core.check_number_fits(value, counter)


def arange_size(start, end, step, kind):
    """How many numbers there are; counted in int64 where the result is int64, else in double."""
    check_range(start, end, step)
    if kind is LONG:
        require_countable((start, end, step), kind)
        if all(isinstance(value, int) for value in (start, end, step)):
            return possible_size(max(0, -((start - end) // step)))
        start, end, step = int(start), int(end), int(step)
        if step == 0:
            raise ValueError("step must be nonzero")
        check_range(start, end, step)
        return possible_size(max(0, -((start - end) // step)))
    return possible_size(math.ceil(min((float(end) - float(start)) / step, 1e300)))


def possible_size(size):
    """A number of elements that int64 holds."""
    if size >= 1 << 63:
        raise RuntimeError("invalid size, possible overflow?")
    return size


@composite(
    method=False,
    name="range",
    signature="Number start, Number end, Number step=1, *, out, dtype dtype=None, layout layout=torch.strided, device device=None, bool requires_grad=False",
)
def inclusive_range(*args, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, **more):
    """As arange, but with `end` included and of the default dtype (kept for old programs)."""
    warn_user(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with Python's range builtin. "
        "Instead, use torch.arange, which produces values in [start, end)."
    )
    start, end, step = range_bounds("range", args, more)
    kind = dtype or (out.dtype if out is not None else core.get_default_dtype())
    if kind.is_complex or kind.name == "bool":
        raise not_implemented("range_cpu", kind)
    require_countable((start, end, step), kind)
    check_range(start, end, step)
    count = possible_size(int(min((float(end) - float(start)) / step + 1, 1e300)))
    made = new_vector("range", count, out, kind, layout, device, requires_grad)
    cast = float if kind.is_floating_point else int
    kernel("arange")(made, cast(start), cast(step))
    return counted(made, out)


def spaced_by_ops(name, start, end, steps, dtype, base=None):
    """linspace and logspace between ends of which each example has its own."""
    dtype = core.get_default_dtype() if dtype is None else dtype
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    kind = dtype if dtype.is_floating_point or dtype.is_complex else torch.float64
    start, end = (torch.as_tensor(value).to(kind) for value in (start, end))
    places = torch.arange(steps)
    step = (end - start) / max(steps - 1, 1)
    # From either end to the middle, so that both ends are exact.
    made = torch.where(places < steps // 2 + (steps == 1), start + step * places, end - step * (steps - 1 - places))
    return (made if base is None else base**made).to(dtype)


def spaced(steps):
    """The signatures of linspace and logspace."""
    return " | ".join(f"Tensor|Number start, {kind} end, {steps}, *, out, factory" for kind in ("Tensor", "Number"))


def interpolated(name, start, end, steps, dtype, out, layout, device, requires_grad, extra=()):
    """linspace and logspace."""
    tensors = [(label, value.dim()) for label, value in (("start", start), ("end", end)) if isinstance(value, Tensor)]
    if any(dims for _, dims in tensors):
        shown = " and ".join(f"{label} with {dims} dimension(s)" for label, dims in tensors)
        raise RuntimeError(f"{name} only supports 0-dimensional start and end tensors, but got {shown}.")
    if core.has_batch(start) or core.has_batch(end):
        return spaced_by_ops(name, start, end, steps, dtype, *extra)
    start, end = number(start, name, "start", 1), number(end, name, "end", 2)
    complex_ends = isinstance(start, complex) or isinstance(end, complex)
    if dtype is None:
        dtype = core.get_default_dtype() if out is None else out.dtype
        dtype = dtype.to_complex() if complex_ends and out is None else dtype
    elif complex_ends and not dtype.is_complex:
        inferred = "float" if core.get_default_dtype().itemsize == 4 else "double"
        raise RuntimeError(
            f"torch.{name}(): inferred dtype c10::complex<{inferred}> can't be safely cast to passed dtype {dtype.legacy_name}"
        )
    if steps < 0:
        raise RuntimeError("number of steps must be non-negative")
    made = new_vector(name, steps, out, dtype, layout, device, requires_grad)
    if steps == 0:
        return counted(made, out)
    if steps == 1 and name == "linspace":
        return counted(core.fill_tensor(made, start), out)
    for end_of in (start, end) if steps > 1 and dtype.name != "bool" else ():
        core.check_number_fits(end_of, dtype)
    if dtype.is_complex:
        start, end = complex(start), complex(end)
        numbers = (start.real, start.imag, end.real, end.imag)
    else:
        numbers = (float(start), float(end)) if dtype.is_floating_point or dtype.name == "bool" else (int(start), int(end))
    kernel(name)(made, *numbers, *extra)
    return counted(made, out)


@composite(method=False, signature=spaced("int steps"))
def linspace(start, end, steps, *, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """`steps` evenly spaced numbers from `start` to `end`, both included.

    >>> import rushlight
    >>> rushlight.linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    return interpolated("linspace", start, end, steps, dtype, out, layout, device, requires_grad)


@composite(method=False, signature=spaced("int steps, float base=10.0"))
def logspace(
    start,
    end,
    steps,
    base=10.0,
    *,
    out=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """`steps` numbers from base**start to base**end, evenly spaced in the exponent."""
    return interpolated("logspace", start, end, steps, dtype, out, layout, device, requires_grad, extra=(float(base),))


# ---------------------------------------------------------------------------------------------------------------- patterns
@composite(method=False, signature="index n, *, out, factory | index n, index m, *, out, factory")
def eye(n, m=None, *, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """An n x m matrix (n x n by default) with ones on the diagonal."""
    m = n if m is None else m
    for name, size in (("n", n), ("m", m)):
        if size < 0:
            raise RuntimeError(f"{name} must be greater or equal to 0, got {size}")
    check_layout(layout)
    require_same(dtype, out)
    core.refuse_tracked_out("aten::eye", out)
    made = core.resize_tensor(unset("eye", (0,), dtype, device) if out is None else out, (n, m))
    kernel("eye")(made)
    return core.require_grad_of_new(made) if requires_grad else counted(made, out)


def triangle_indices(name, row, col, offset, dtype, lower):
    """Rows and columns of the lower or upper triangle, in row-major order."""
    for label, size in (("row", row), ("col", col)):
        if size < 0:
            raise RuntimeError(f"{label} must be non-negative, got{size}")
    dtype = LONG if dtype is None else dtype
    if dtype not in (LONG, core.dtype_by_name["int32"]):
        raise NotImplementedError(f"\"{name}\" not implemented for '{dtype.legacy_name}'")
    # Row r has clamp(r + shift, 0, col) columns in the lower triangle; the upper one has the others. Only rows from `first` to `last` have any.
    shift = offset + 1 if lower else offset
    first, full = min(max(-shift, 0), row), min(max(col - shift, 0), row)
    below = (full - first) * (first + full - 1) // 2 + shift * (full - first) + (row - full) * col
    count = below if lower else row * col - below
    if count >= 1 << 62:
        raise RuntimeError(f"Storage size calculation overflowed with sizes=[2, {count}]")
    made = core.empty_tensor((2, count), dtype)
    if count:
        first, last = (first, row) if lower else (0, full)
        rows = torch.arange(first, last)
        bound = (rows + shift).clamp(0, col)
        lengths = bound if lower else col - bound
        core.write_elements(made[0], rows.repeat_interleave(lengths))
        starts = (bound - bound if lower else bound) - (lengths.cumsum(0) - lengths)
        core.write_elements(made[1], torch.arange(count) + starts.repeat_interleave(lengths))
    return made


def triangle_on(device, *arguments, lower):
    meta = core.is_meta_place(device)
    with core.made_on("cpu"):  # (how many there are is computed with tensors)
        made = triangle_indices(*arguments, lower=lower)
    return made.to("meta") if meta else made


@composite(method=False, signature="int row, int col, int offset=0, *, factory")
def tril_indices(row, col, offset=0, *, dtype=None, layout=None, device=None, pin_memory=False):
    """Indices of the lower triangle of a row x col matrix, as two rows: where rows are, and where columns are."""
    check_layout(layout)
    return triangle_on(device, "tril_indices", row, col, offset, dtype, lower=True)


@composite(method=False, signature="int row, int col, int offset=0, *, factory")
def triu_indices(row, col, offset=0, *, dtype=None, layout=None, device=None, pin_memory=False):
    """Indices of the upper triangle of a row x col matrix."""
    check_layout(layout)
    return triangle_on(device, "triu_indices", row, col, offset, dtype, lower=False)


@composite(method=False)
def vander(x, N=None, increasing=False):
    """The matrix whose columns are powers of the vector `x`."""
    if x.dim() != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x.size(0) if N is None else N
    if count < 0:
        raise RuntimeError("N must be non-negative.")
    x = x.to(torch.promote_types(x.dtype, LONG))
    core.empty_tensor((x.size(0), count), x.dtype)
    # (Products, not powers: 0 to the 0th is 1 for complex numbers too, and integers stay exact.)
    powers = x.new_ones((x.size(0), min(count, 1)))
    if count > 1:
        powers = torch.cat([powers, x.unsqueeze(1).expand(-1, count - 1).cumprod(1)], 1)
    return powers if increasing else powers.flip(1)
