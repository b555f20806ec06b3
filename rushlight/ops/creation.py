"""New tensors: filled with one value, evenly spaced, or patterned."""

import functools
import math

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor, Wrapped, filled, kernel, unset, warn_user
from rushlight.ops._declare import composite
from rushlight.ops._rules import not_implemented

LONG = core.dtype_by_name["int64"]


# ---------------------------------------------------------------------------------------------------------------- arguments
def check_layout(layout):
    """Refuses layouts other than strided."""
    if layout is not None and layout is not core.strided:
        raise RuntimeError(f"Rushlight has dense tensors only, not {layout}; leave layout out")


def require_same(dtype, out):
    """Raises where a factory is asked for another dtype than that of its `out=`."""
    if out is not None and dtype is not None and dtype is not out.dtype:
        raise RuntimeError(f"dtype {dtype.legacy_name} does not match dtype of out parameter ({out.dtype.legacy_name})")


def into(out, made, dtype=None):
    """`made` written into `out=` (which takes its shape)."""
    require_same(dtype, out)
    if out.shape != made.shape:
        core.resize_tensor(out, made.shape)
    return core.write_elements(out, made)


def filled_of(name, size, value, out, dtype, layout, device, requires_grad):
    """What zeros, ones and full share: the less usual arguments."""
    check_layout(layout)
    made = filled(name, size, value, dtype if out is None or dtype is not None else out.dtype, device, requires_grad)
    return made if out is None else into(out, made, dtype)


def formatted(x, memory_format):
    """An unset contiguous tensor in another memory format."""
    if memory_format is None or memory_format is core.contiguous_format:
        return x
    with core.made_on(x.device):
        return core.empty_tensor(x.shape, x.dtype, strides_of_format(x.shape, memory_format))


def strides_of_format(shape, memory_format):
    """Strides of a new tensor in channels-last order."""
    if memory_format is core.preserve_format:
        raise RuntimeError("unsupported memory format Preserve")
    rank = 4 if memory_format is core.channels_last else 5
    if len(shape) != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {memory_format.name} format")
    return permuted_strides(shape, (0, *range(2, rank), 1))


def permuted_strides(shape, order):
    """Strides of a dense tensor whose dimensions lie in memory in the given order, outermost first."""
    strides, step = [0] * len(shape), 1
    for d in reversed(order):
        strides[d] = step
        step *= max(shape[d], 1)
    return strides


# ---------------------------------------------------------------------------------------------------------------- one value
def one_value(name, value, about):
    """zeros or ones: a factory of tensors filled with `value`."""

    def general(*size, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, **more):
        size = size_keyword(name, size, more)
        return filled_of(name, size, value, out, dtype, layout, device, requires_grad)

    general.__name__ = general.__qualname__ = name
    general.__doc__ = about
    return composite(core.Factory(name, value, general), method=False, signature="sizes size, *, out, factory")


def size_keyword(name, size, more):
    """The size, which may be given by keyword."""
    if not size and "size" in more:
        size = (more.pop("size"),)
    if more:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(more))}'")
    if not size:
        raise TypeError(f'{name}() missing 1 required positional arguments: "size"')
    return size


zeros = one_value(
    "zeros",
    0,
    """A tensor of zeros of the given size.

    >>> import rushlight
    >>> rushlight.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """,
)
ones = one_value("ones", 1, "A tensor of ones of the given size.")


def general_empty(
    *size, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False, memory_format=None, **more
):
    """A tensor of the given size whose elements are whatever the memory held."""
    if not size or more:
        size = size_keyword("empty", size, more)
    check_layout(layout)
    require_same(dtype, out)
    made = unset("empty", size, dtype, device)
    if memory_format is not None:
        made = formatted(made, memory_format)
    if requires_grad:
        core.require_grad_of_new(made)
    return made if out is None else core.resize_tensor(out, made.shape)


empty = composite(
    core.Factory("empty", None, general_empty),
    method=False,
    signature="sizes size, *, memory_format? memory_format=None, out, factory",
)


@composite(method=False)
def full(size, fill_value, *, out=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A tensor of the given size filled with one value, whose kind decides the dtype.

    >>> import rushlight
    >>> rushlight.full((2, 2), 7)
    tensor([[7, 7],
            [7, 7]])
    """
    if type(size) is int:
        raise TypeError("full(): argument 'size' (position 1) must be tuple of ints, not int")
    fill_value = number(fill_value, "full", "fill_value", 2)
    if dtype is None:
        dtype = core.dtype_of_number(fill_value) if out is None else out.dtype
    return filled_of("full", (size,), fill_value, out, dtype, layout, device, requires_grad)


def number(value, name, parameter, position):
    """A Python number from a number or a 0-d tensor."""
    if isinstance(value, Tensor):
        if value.dim() == 0:
            return value.item()
    elif core.dtype_of_number(value) is not None:
        return value
    raise TypeError(f"{name}(): argument '{parameter}' (position {position}) must be Number, not {type(value).__name__}")


def like(name, x, dtype, layout, device, memory_format):
    """An unset tensor of the shape and (where dense) the strides of `x`."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")
    check_layout(layout)
    if device is not None or x.is_meta:
        with core.made_on(device or x.device):
            return unset_like(x, dtype, memory_format)
    return unset_like(x, dtype, memory_format)


def unset_like(x, dtype, memory_format):
    if memory_format is None or memory_format is core.preserve_format:
        return core.empty_like_layout(x, dtype)
    return formatted(core.empty_tensor(x.shape, dtype or x.dtype), memory_format)


def like_factory(name, value, about):
    """zeros_like or ones_like."""

    def factory(input, *, memory_format=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
        made = core.fill_tensor(like(name, input, dtype, layout, device, memory_format), value)
        return core.require_grad_of_new(made) if requires_grad else made

    factory.__name__ = factory.__qualname__ = name
    factory.__doc__ = about
    return composite(factory, method=False)


zeros_like = like_factory("zeros_like", 0, "Zeros in the shape, strides and dtype of `input`.")
ones_like = like_factory("ones_like", 1, "Ones in the shape, strides and dtype of `input`.")


@composite(method=False)
def full_like(
    input,
    fill_value,
    *,
    memory_format=None,
    dtype=None,
    layout=None,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """One value in the shape, strides and dtype of `input`."""
    value = number(fill_value, "full_like", "fill_value", 2)
    made = core.fill_tensor(like("full_like", input, dtype, layout, device, memory_format), value)
    return core.require_grad_of_new(made) if requires_grad else made


@composite(method=False)
def empty_like(input, *, memory_format=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """An unset tensor in the shape, strides and dtype of `input`."""
    made = like("empty_like", input, dtype, layout, device, memory_format)
    return core.require_grad_of_new(made) if requires_grad else made


def new_factory(name, value):
    """Tensor.new_zeros or new_ones: the factory with this tensor's dtype."""

    def factory(self, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **more):
        if not size or more:
            size = size_keyword(name, size, more)
        check_layout(layout)
        if type(self) is Wrapped:
            return core.fill_tensor(
                core.beside(self, unset(name, size, dtype or self.dtype, device or self.device, requires_grad)), value
            )
        return filled(name, size, value, dtype or self.dtype, device or self.device, requires_grad)

    factory.__name__ = factory.__qualname__ = name
    factory.__doc__ = f"A tensor of this one's dtype filled with {value}."
    return composite(factory, function=False, method="sizes size, *, factory")


new_zeros = new_factory("new_zeros", 0)
new_ones = new_factory("new_ones", 1)


@composite(function=False, method="sizes size, *, factory")
def new_empty(self, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **more):
    """An unset tensor of this one's dtype."""
    if not size or more:
        size = size_keyword("new_empty", size, more)
    check_layout(layout)
    return core.beside(self, unset("new_empty", size, dtype or self.dtype, device or self.device, requires_grad))


@composite(function=False, method="sizes size, Number fill_value, *, factory")
def new_full(self, size, fill_value, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A tensor of this one's dtype filled with one value."""
    check_layout(layout)
    value = number(fill_value, "new_full", "fill_value", 2)
    if type(self) is Wrapped:
        return core.fill_tensor(
            core.beside(self, unset("new_full", (size,), dtype or self.dtype, device or self.device, requires_grad)), value
        )
    return filled("new_full", (size,), value, dtype or self.dtype, device or self.device, requires_grad)


@composite(function=False, method="object data, *, dtype dtype=None, device? device=None, bool requires_grad=False")
def new_tensor(self, data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """A copy of `data` as a tensor of this one's dtype."""
    check_layout(layout)
    if isinstance(data, Tensor):
        made = data.detach().clone()
        made = made.to(dtype or self.dtype)
    else:
        made = core.tensor(data, dtype=dtype or self.dtype, device=device or self.device)
    return core.require_grad_of_new(made) if requires_grad else made


@composite(
    function=False,
    method=(
        "*, device? device=None | storage storage | Tensor other | sizes size, *, device? device=None | "
        "object data, *, device? device=None"
    ),
)
def new(self, *arguments, size=None, device=None):
    """An old-style constructor: sizes or data, in this tensor's dtype."""
    if size is not None:
        arguments = (torch.Size(size),)
    if len(arguments) == 1 and isinstance(arguments[0], str | bytes):
        raise TypeError(f"new(): invalid data type '{type(arguments[0]).__name__}'")
    return core.tensor_types[self.dtype](*arguments, device=device)


@composite(function=False, method="sizes size, sizes stride, *, factory")
def new_empty_strided(self, size, stride, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """An unset tensor of this one's dtype with given strides."""
    made = core.beside(self, empty_strided(size, stride, dtype=dtype or self.dtype, device=device or self.device))
    return core.require_grad_of_new(made) if requires_grad else made


@composite(method=False)
def empty_strided(size, stride, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """An unset tensor of the given sizes and strides.

    >>> import rushlight
    >>> rushlight.empty_strided((2, 3), (1, 2)).stride()
    (1, 2)
    """
    check_layout(layout)
    with core.made_on(device):
        made = core.empty_tensor(size, dtype, stride)
    return core.require_grad_of_new(made) if requires_grad else made


@composite(method=False, signature="sizes size, ints physical_layout, *, factory")
def empty_permuted(size, physical_layout, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """An unset dense tensor whose dimensions lie in memory in the order `physical_layout`, outermost first."""
    if len(size) != len(physical_layout):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(size)} is not equal to len(physical_layout) = {len(physical_layout)}"
        )
    for d in physical_layout:
        if not 0 <= d < len(size):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got {d}).  NB: negative dims not "
                "currently supported; file an issue if you want it."
            )
    if len(set(physical_layout)) != len(size):
        raise RuntimeError("Duplicate dim not allowed")
    strides = permuted_strides(size, physical_layout)
    return empty_strided(size, strides, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


@composite(method=False, signature="Number s, *, factory")
def scalar_tensor(s, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """A 0-d tensor of the default dtype."""
    check_layout(layout)
    return filled("scalar_tensor", ((),), number(s, "scalar_tensor", "s", 1), dtype, device, requires_grad)


@composite(
    method=False, signature="object obj, *, dtype? dtype=None, device? device=None, bool? copy=None, bool? requires_grad=None"
)
def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """`obj` as a tensor: shared memory where possible (`copy=False` insists, `copy=True` forbids).

    It requires grad where that is said, or where nothing is said and `obj` does.
    """
    if device is not None and core.is_meta_place(device):
        return asarray(obj, dtype=dtype, copy=copy, requires_grad=requires_grad).to(device)
    if requires_grad is None:
        requires_grad = isinstance(obj, Tensor) and obj.requires_grad
        if requires_grad:
            warn_of_required_grad()
    shared = isinstance(obj, Tensor) or core.is_array(obj) or hasattr(obj, "__dlpack__")
    is_scalar = core.is_numpy_scalar(obj)
    if is_scalar and copy is False:
        raise RuntimeError("can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray. ")
    if not shared and not is_scalar and not isinstance(obj, (int, float, complex, list, tuple)) and has_buffer(obj):
        made = core.frombuffer(obj, dtype=dtype or core.get_default_dtype())
    elif shared:
        made = core.as_tensor(obj)
    else:
        if copy is False:
            raise ValueError("can't alias arbitrary sequence into a tensor.")
        made = core.tensor(obj, dtype=dtype)
        return core.require_grad_of_new(made) if requires_grad else made
    if dtype is not None and made.dtype is not dtype:
        if copy is False:
            raise ValueError(f"can't alias tensor with dtype '{made.dtype.legacy_name}' into dtype '{dtype.legacy_name}'.")
        if requires_grad and not (dtype.is_floating_point or dtype.is_complex):
            raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
        made = made.to(dtype)
    elif copy:
        made = made.clone()
    if requires_grad:
        return made.requires_grad_() if made.is_leaf else made
    return made.detach() if made.requires_grad else made


@functools.cache
def warn_of_required_grad():
    warn_user(
        "torch.asarray: unspecified requires_grad now defaults to obj.requires_grad instead of False. Pass requires_grad=False "
        "explicitly to get the old behavior and silence this warning."
    )


def has_buffer(value):
    """Whether `value` has the buffer protocol."""
    try:
        memoryview(value)
    except TypeError:
        return False
    return True


# ---------------------------------------------------------------------------------------------------------------- sequences
def new_vector(count, out, dtype, layout, device, requires_grad):
    """A new vector; `out=`, where that is one of this length (or is made so, if it has another number of elements)."""
    check_layout(layout)
    if out is None:
        return unset("empty", (count,), dtype, device, requires_grad)
    require_same(dtype, out)
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
        if out.numel() not in (0, size):
            warn_user(
                f"The number of elements in the out tensor of shape {list(out.shape)} is {out.numel()} which does not match the "
                f"computed number of elements {size}. Note that this may occur as a result of rounding error. The out tensor will "
                f"be resized to a tensor of shape ({size},)."
            )
    made = new_vector(size, out, kind, layout, device, requires_grad)
    if kind.is_floating_point:
        kernel("arange")(made, float(start), float(step))
    else:
        kernel("arange")(made, int(start), int(step))
    return counted(made, out)


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
    made = new_vector(
        possible_size(int(min((float(end) - float(start)) / step + 1, 1e300))), out, kind, layout, device, requires_grad
    )
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
    made = new_vector(steps, out, dtype, layout, device, requires_grad)
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
    if x.dtype.name in ("bool", "uint8", "int8", "int16", "int32"):
        x = x.to(LONG)
    if count == 0:
        return x.new_empty((x.size(0), 0))
    if count == 1:
        return x.new_ones((x.size(0), 1))
    core.empty_tensor((x.size(0), count), x.dtype)
    column = x.unsqueeze(1)
    powers = column ** torch.arange(count) if x.numel() else column.expand(-1, count).clone()
    return powers if increasing else powers.flip(1)
