"""New tensors: filled with one value, unset, or of data."""

import functools

import rushlight as torch
from rushlight import core
from rushlight._tensor_types import legacy_new
from rushlight.core import Tensor, Wrapped, filled, unset, warn_user
from rushlight.ops._declare import composite

LONG = core.dtype_by_name["int64"]
SPARSE = (core.layout_named("torch.sparse_coo"), core.layout_named("torch.sparse_csr"), core.layout_named("torch.sparse_csc"))


# ---------------------------------------------------------------------------------------------------------------- arguments
def check_layout(layout, name="empty_strided"):
    """Refuses layouts other than strided, for what fills a tensor with numbers or lays it out by strides."""
    if layout is not None and layout is not core.strided:
        if name in ("ones", "full"):
            raise RuntimeError("full(...) is not implemented for sparse layout")
        kind = {"sparse_coo": "Sparse", "sparse_csr": "SparseCsr"}.get(repr(layout).removeprefix("torch."), "Sparse")
        raise NotImplementedError(
            f"Could not run 'aten::{name}' with arguments from the '{kind}CPU' backend: sparse tensors are made empty, or of places and values."
        )


def sparse_zeros(size, dtype, layout, requires_grad):
    """A sparse tensor without entries, of the sizes that a factory got."""
    made = torch.sparse_coo_tensor(size[0] if len(size) == 1 and not isinstance(size[0], int) else size, dtype=dtype)
    made = made if layout is torch.sparse_coo else made.to_sparse(layout=layout)
    return made.requires_grad_() if requires_grad else made


def require_same(dtype, out):
    """Raises where a factory is asked for another dtype than that of its `out=`."""
    if out is not None and dtype is not None and dtype is not out.dtype:
        raise RuntimeError(f"dtype {dtype.legacy_name} does not match dtype of out parameter ({out.dtype.legacy_name})")


def into(name, out, made, dtype=None):
    """`made` written into `out=` of the function `name` (which takes its shape)."""
    require_same(dtype, out)
    core.refuse_tracked_out(name, out)
    if out.shape != made.shape:
        core.resize_tensor(out, made.shape)
    return core.write_elements(out, made)


def filled_of(name, size, value, out, dtype, layout, device, requires_grad):
    """What zeros, ones and full share: the less usual arguments."""
    if layout in SPARSE and name == "zeros" and out is None:
        return sparse_zeros(size, dtype, layout, requires_grad)
    check_layout(layout, name)
    made = filled(name, size, value, dtype if out is None or dtype is not None else out.dtype, device, requires_grad)
    return made if out is None else requiring(into(f"aten::{name}", out, made, dtype), requires_grad)


def requiring(out, requires_grad):
    """`out=` of a function that makes tensors, which requires grad where the call says so."""
    return out.requires_grad_() if requires_grad else out


def settled(x):
    """New memory as it is; where deterministic algorithms are asked for it is filled with what shows: NaN, the greatest integer, True."""
    if not core.fills_unset() or x.is_meta:
        return x
    if x.is_floating_point() or x.is_complex():
        return core.fill_tensor(x, float("nan"))
    return core.fill_tensor(x, True if x.dtype is torch.bool else torch.iinfo(x.dtype).max)


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
    if layout in SPARSE:
        return sparse_zeros(size, dtype, layout, requires_grad)
    check_layout(layout)
    require_same(dtype, out)
    core.refuse_tracked_out("aten::empty", out)
    made = unset("empty", size, dtype, device)
    if memory_format is not None:
        made = formatted(made, memory_format)
    if out is not None:
        return requiring(settled(core.resize_tensor(out, made.shape)), requires_grad)
    made = settled(made)
    return core.require_grad_of_new(made) if requires_grad else made


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
        if dtype is torch.complex32 and out is None:
            dtype = torch.complex64  # (of half as the default dtype too)
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
    return core.beside(x, formatted(core.empty_tensor(x.shape, dtype or x.dtype), memory_format))


def like_factory(name, value, about):
    """zeros_like or ones_like."""

    def factory(input, *, memory_format=None, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
        if layout in SPARSE and value == 0:
            return sparse_zeros(input.shape, dtype or input.dtype, layout, requires_grad)
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
    made = settled(like("empty_like", input, dtype, layout, device, memory_format))
    return core.require_grad_of_new(made) if requires_grad else made


def new_factory(name, value):
    """Tensor.new_zeros or new_ones: the factory with this tensor's dtype."""

    def factory(self, *size, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False, **more):
        if not size or more:
            size = size_keyword(name, size, more)
        if layout in SPARSE and value == 0:
            return sparse_zeros(size, dtype or self.dtype, layout, requires_grad)
        check_layout(layout, name)
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
    if layout in SPARSE:
        return sparse_zeros(size, dtype or self.dtype, layout, requires_grad)
    check_layout(layout)
    made = settled(unset("new_empty", size, dtype or self.dtype, device or self.device))
    return core.beside(self, core.require_grad_of_new(made) if requires_grad else made)


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
        warn_user(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than tensor.new_tensor(sourceTensor)."
        )
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
    if device is not None and len(arguments) == 1 and isinstance(arguments[0], Tensor):
        raise RuntimeError(
            "Legacy tensor new of the form tensor.new(tensor, device=device) is not supported.  Use torch.as_tensor(...) instead."
        )
    return legacy_new(self.dtype, arguments, device)


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
        made = settled(core.empty_tensor(size, dtype, stride))
    return core.require_grad_of_new(made) if requires_grad else made


@composite(method=False, signature="sizes size, ints physical_layout, *, factory")
def empty_permuted(size, physical_layout, *, dtype=None, layout=None, device=None, pin_memory=False, requires_grad=False):
    """An unset dense tensor whose dimensions lie in memory in the order `physical_layout`, outermost first."""
    if len(size) != len(physical_layout):
        raise RuntimeError(
            "Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(size)} is not equal to len(physical_layout) = {len(physical_layout)}"
        )
    for place, d in enumerate(physical_layout):
        if not 0 <= d < len(size):
            raise RuntimeError(
                f"Dimension out of range (expected to be between 0 and {len(size) - 1}, but got {d} at index {place}).  NB: "
                "negative dims not currently supported; file an issue if you want it."
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


@composite(method=False)
def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-d tensor over the memory of an object with the buffer protocol."""
    if not isinstance(dtype, core.dtype):
        raise TypeError(f"frombuffer(): argument 'dtype' must be torch.dtype, not {type(dtype).__name__}")
    for number in (count, offset):
        if not -0x8000_0000_0000_0000 <= number < 0x8000_0000_0000_0000:
            raise ValueError("Overflow when unpacking long long")
    try:
        flat = memoryview(buffer)
    except TypeError:
        raise ValueError("object does not implement Python buffer protocol.") from None
    if flat.readonly:
        core.warn_once(
            "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can write to the underlying "
            "(supposedly non-writable) buffer using the tensor. You may want to copy the buffer to protect its data or make it writable before "
            "converting it to a tensor. This type of warning will be suppressed for the rest of this program."
        )
    if not flat.c_contiguous:
        raise RuntimeError("could not retrieve buffer from object")
    item, length = dtype.itemsize, flat.nbytes
    if length == 0 or count == 0:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if not 0 <= offset < length:
        raise ValueError(
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1"
        )
    left = length - offset
    if count < 0 and left % item:
        raise ValueError(
            f"buffer length ({left} bytes) after offset ({offset} bytes) must be a multiple of element size ({item})"
        )
    if count > left // item:
        raise ValueError(
            f"requested buffer length ({count} * {item} bytes) after offset ({offset} bytes) must not be greater than actual buffer length "
            f"({length} bytes)"
        )
    made = core.over_buffer(flat.cast("B"), dtype, offset, left // item if count < 0 else count)
    return core.require_grad_of_new(made, requires_grad)


@composite(
    method=False, signature="object obj, *, dtype? dtype=None, device? device=None, bool? copy=None, bool? requires_grad=None"
)
def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """`obj` as a tensor: shared memory where possible (`copy=False` insists, `copy=True` forbids).

    It requires grad where that is said, or where nothing is said and `obj` does.
    """
    if device is not None and core.is_meta_place(device):
        if copy is False and isinstance(obj, Tensor) and not obj.is_meta:
            raise ValueError(f"can't alias tensor from device '{obj.device}' to '{torch.device(device)}'.")
        return asarray(obj, dtype=dtype, copy=copy, requires_grad=requires_grad).to(device)
    if requires_grad is None:
        requires_grad = isinstance(obj, Tensor) and obj.requires_grad
        if requires_grad:
            warn_of_required_grad()
    if type(obj).__name__ == "PyCapsule":
        obj = torch.from_dlpack(obj)
    shared = isinstance(obj, Tensor) or core.is_array(obj) or hasattr(obj, "__dlpack__")
    is_scalar = core.is_numpy_scalar(obj)
    if is_scalar and copy is False:
        raise RuntimeError("can't alias NumPy scalars. Either remove copy=False or transform it in a ndarray. ")
    if not shared and not is_scalar and not isinstance(obj, (int, float, complex, list, tuple)) and has_buffer(obj):
        made = frombuffer(obj, dtype=dtype or core.get_default_dtype())
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
        check_differentiable(requires_grad, dtype)
        made = made.to(dtype)
    elif copy:
        made = made.clone()
    check_differentiable(requires_grad, made.dtype)
    if requires_grad:
        return made.requires_grad_() if made.is_leaf else made
    return made.detach() if made.requires_grad else made


def check_differentiable(requires_grad, dtype):
    if requires_grad and not (dtype.is_floating_point or dtype.is_complex):
        raise core.documented(RuntimeError("Only Tensors of floating point and complex dtype can require gradients"), "integers")


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


@composite(method=False, signature="str filename, bool? shared=None, int? size=0, *, factory")
def from_file(filename, shared=None, size=0, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False):
    """The first `size` elements of a file as a tensor of one dimension; writes go to the file where `shared`, which makes it if need be."""
    dtype = dtype or core.get_default_dtype()
    storage = torch.UntypedStorage.from_file(filename, bool(shared), (size or 0) * dtype.itemsize)
    made = torch.empty(0, dtype=dtype, device=device).set_(storage, 0, (size or 0,))
    return made.requires_grad_() if requires_grad else made
