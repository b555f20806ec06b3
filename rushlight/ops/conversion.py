"""Other dtypes, other homes: Tensor.to and its kin, NumPy arrays, Python lists."""

import itertools

from rushlight import core
from rushlight.core import Tensor
from rushlight.ops._declare import composite, op, underived
from rushlight.ops._rules import warn_of_real_part

DTYPES = core.dtype_by_name


def strides_for(x, memory_format):
    """Strides of a copy of `x` in a memory format; None for row-major."""
    if memory_format is core.contiguous_format:
        return None
    rank = 4 if memory_format is core.channels_last else 5
    if x.dim() != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {memory_format.name} format")
    return channels_last_strides(x.shape)


def channels_last_strides(shape):
    """Strides of which the channels', dimension 1, is the least."""
    strides, step = [0] * len(shape), 1
    for d in (1, *reversed(range(2, len(shape))), 0):
        strides[d] = step
        step *= max(shape[d], 1)
    return strides


def unmade(shape, dtype, format):
    """What core.Preparation gets of a tensor that is to be made in a memory format."""
    return (shape, dtype) if format is core.contiguous_format else (shape, dtype, channels_last_strides(shape))


# The engine casts the cotangent to the input's dtype.
@op(vjp=lambda g: g, linear=True, function=False, method=False, batch="elementwise.converted", public="to", takes_lazy=True)
def _to_copy(x, dtype, memory_format=None):
    """A copy of `x` in another dtype or memory format."""
    warn_of_real_part(x, dtype)
    if memory_format is None or memory_format is core.preserve_format:
        return core.converted(x, dtype)
    out = core.empty_tensor(x.shape, dtype, strides_for(x, memory_format))
    core.copy_elements(out, x)
    return out


_to_copy.takes_dtype = False


@composite(function=False, method="dtype dtype")
def _to_dtype(self, dtype):
    """`self` in another dtype."""
    return self if self.dtype is dtype else _to_copy(self, dtype)


def in_format(x, memory_format):
    """Whether a tensor need not be copied to have the memory format: to have its order of dimensions, gaps or not."""
    if memory_format is None or memory_format is core.preserve_format:
        return True
    return memory_format is suggested_format(x)


def suggested_format(x):
    """The memory format that the strides of `x` speak for: channels_last, channels_last_3d, else row-major."""
    if x.dim() not in (4, 5):
        return core.contiguous_format
    strides, sizes = x.stride(), x.shape
    least = 0
    if strides[1] == 0:
        return core.contiguous_format
    for d in (1, *range(x.dim() - 1, 1, -1), 0):
        if sizes[d] == 0 or strides[d] < least or (d == 0 and least == strides[1]):
            return core.contiguous_format
        least = strides[d] * max(sizes[d], 1)
    return core.channels_last if x.dim() == 4 else core.channels_last_3d


def move(x, dtype, device, copy, memory_format):
    """What every form of to() comes down to."""
    if device is not None and core.is_meta_place(device) != x.is_meta:
        return moved(x, x.dtype if dtype is None else dtype, device, memory_format)
    if not copy and (dtype is None or dtype is x.dtype) and in_format(x, memory_format):
        return x
    return _to_copy(x, x.dtype if dtype is None else dtype, memory_format)


def moved(x, dtype, device, memory_format):
    """`x` without its memory, on device "meta"; the other way there is none."""
    if x.is_meta:
        raise NotImplementedError("Cannot copy out of meta tensor; no data!")
    with core.made_on(device):
        return _to_copy(x, dtype, memory_format)


DTYPES_OF_NUMBERS = {bool: DTYPES["bool"], float: DTYPES["float64"], complex: DTYPES["complex128"]}
"""What to(other) takes from a number. (An int is a device.)"""


TO_KEYWORDS = {"dtype", "device", "other", "non_blocking", "copy", "memory_format"}


@composite(
    function=False,
    method=(
        "device device=None, dtype dtype=None, bool non_blocking=False, bool copy=False, *, memory_format? memory_format=None | "
        "dtype dtype, bool non_blocking=False, bool copy=False, *, memory_format? memory_format=None | "
        "Tensor/Number tensor, bool non_blocking=False, bool copy=False, *, memory_format? memory_format=None"
    ),
)
def to(self, *args, **keywords):
    """This tensor with another dtype, device or memory format; itself where nothing changes and `copy` is false.

    The forms are to(dtype), to(device, dtype) and to(other), each followed by non_blocking and copy; memory_format is a keyword.

    >>> import rushlight
    >>> rushlight.tensor([1.9, -1.9]).to(rushlight.int64)
    tensor([ 1, -1])
    """
    if not keywords and len(args) == 1 and type(args[0]) is core.dtype:
        return self if args[0] is self.dtype else _to_copy(self, args[0])
    for name in keywords:
        if name not in TO_KEYWORDS:
            raise TypeError(f"to() got an unexpected keyword argument '{name}'")
    dtype, device, memory_format = (keywords.get(name) for name in ("dtype", "device", "memory_format"))
    other, rest = keywords.get("other"), list(args)
    if rest and isinstance(rest[0], Tensor):
        other = rest.pop(0)
    elif rest and type(rest[0]) in DTYPES_OF_NUMBERS:
        dtype = DTYPES_OF_NUMBERS[type(rest.pop(0))]
    elif rest and is_dtype(rest[0]):
        dtype = rest.pop(0)
    elif rest and (rest[0] is None or isinstance(rest[0], (str, int, core.device))):
        device = rest.pop(0)
        if rest and (rest[0] is None or is_dtype(rest[0])):
            dtype = rest.pop(0)
    flags = [value for value in rest if isinstance(value, bool)]
    if len(flags) != len(rest) or len(rest) > 2:
        kinds = ", ".join(type(value).__name__ for value in args)
        raise TypeError(
            f"to() received an invalid combination of arguments - got ({kinds}); use to(dtype), to(device, dtype) or to(other)"
        )
    copy = keywords.get("copy", flags[1] if len(flags) > 1 else False)
    if isinstance(other, Tensor):
        dtype, device = other.dtype, other.device
    return move(self, as_dtype(dtype), device, copy, memory_format)


def is_dtype(value):
    """Whether `value` stands for a dtype: Python's number types do, too."""
    return core.dtype_of(value) is not None


def as_dtype(value):
    """A dtype from one, or from a number type of Python."""
    return core.dtype_of(value) or value


def conversion(dtype):
    """A method that converts to one dtype."""

    def convert(self, memory_format=core.preserve_format):
        if memory_format is core.preserve_format:
            return self if self.dtype is dtype else _to_copy(self, dtype)
        return move(self, dtype, None, False, memory_format)

    convert.__name__ = convert.__qualname__ = dtype.short_name
    convert.__doc__ = f"This tensor as {dtype.name}."
    composite(convert, function=False, method="*, memory_format? memory_format=None")


for _dtype in DTYPES.values():
    if _dtype.short_name:
        conversion(_dtype)


@composite(
    function=False,
    name="type",
    method=(
        "deprecated object dtype=None, bool async=False, *, memory_format? memory_format=None | "
        "object dtype=None, bool non_blocking=False, *, memory_format? memory_format=None"
    ),
)
def tensor_type(self, dtype=None, non_blocking=False, **keywords):
    """The old-style name of this tensor's type, or this tensor as that type (a dtype, its name, or FloatTensor and its kin)."""
    if dtype is None:
        return f"torch.{'meta.' if self.is_meta else ''}{self.dtype.legacy_name}Tensor"
    if isinstance(dtype, str):
        for known in DTYPES.values():
            if dtype == f"torch.{known.legacy_name}Tensor" or (dtype == "torch.Tensor" and known is core.get_default_dtype()):
                return _to_dtype(self, known)
        if dtype.startswith("torch.cuda."):
            raise TypeError(f"type {dtype} not available. Torch not compiled with CUDA enabled.")
        raise ValueError(f"invalid type: '{dtype}'")
    if dtype is Tensor:
        return _to_dtype(self, core.get_default_dtype())
    if isinstance(dtype, type) and is_dtype(dtype):
        raise ValueError(f"invalid type: '{dtype.__name__}'")
    if not isinstance(dtype, core.dtype):
        dtype = getattr(dtype, "dtype", None) if isinstance(dtype, type) else None
        if not isinstance(dtype, core.dtype):
            raise TypeError("dtype must be a type, str, or dtype object")
    return _to_dtype(self, dtype)


@composite(function=False, method="Tensor other")
def type_as(self, other):
    """This tensor in the dtype of `other`."""
    return _to_dtype(self, other.dtype)


@composite(function=False, method="*, memory_format? memory_format=None")
def cpu(self, memory_format=core.preserve_format):
    """This tensor in memory that the CPU sees: itself."""
    return move(self, None, "cpu" if self.is_meta else None, False, memory_format)


@composite(
    function=False,
    method="deprecated device? device=None, bool async=False, *, memory_format? memory_format=None | device? device=None, bool non_blocking=False, *, memory_format? memory_format=None",
)
def cuda(self, device=None, non_blocking=False, memory_format=core.preserve_format):
    """There is no GPU here: an error, as of PyTorch built without CUDA."""
    raise AssertionError("Torch not compiled with CUDA enabled")


@composite(function=False, method="device? device=None")
def pin_memory(self, device=None):
    """Page-locked memory serves transfers to other devices, of which there are none."""
    raise RuntimeError("Cannot access accelerator device when none is available.")


@composite(function=False)
def is_shared(self) -> bool:
    """Whether the memory is where other processes can have it.

    >>> import rushlight as torch
    >>> torch.ones(2).is_shared(), torch.ones(2).share_memory_().is_shared()
    (False, True)
    """
    return core.mapped_file(core.storage_of(self)) is not None


@composite(function=False)
def share_memory_(self):
    """Moves the memory, for every tensor over it, to where other processes can have it: see `rushlight.multiprocessing`.

    >>> import rushlight as torch
    >>> torch.ones(2).share_memory_().is_shared()
    True
    """
    core.storage_of(self).share_memory_()
    return self


# ---------------------------------------------------------------------------------------------------------------- NumPy and lists
@composite(function=False, method="*, bool force=False")
def numpy(self, *, force=False):
    """This tensor's memory as a NumPy array; with `force`, of a tensor in a graph or a lazy conjugate what it stands for.

    >>> import rushlight
    >>> rushlight.ones(2).numpy()
    array([1., 1.], dtype=float32)
    """
    if self.requires_grad and not force and core.is_grad_enabled():
        raise core.documented(
            RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."), "numpy"
        )
    core.refuse_memory(self)
    for bit, lazy in (("conj", self.is_conj()), ("neg", self.is_neg())):
        if lazy and not force:
            kind = {"conj": "conjugate", "neg": "negative"}[bit]
            raise RuntimeError(
                f"Can't call numpy() on Tensor that has {kind} bit set. Use tensor.resolve_{bit}().numpy() instead."
            )
    return core.numpy_of(self)


@composite(function=False)
def __array__(self, dtype=None, copy=None):
    """What numpy.asarray calls."""
    array = numpy(self)
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        return array.astype(dtype)
    return array.copy() if copy else array


@composite(function=False)
def __array_wrap__(self, array, context=None, return_scalar=False):
    """A tensor again of what NumPy computed from this one; of booleans as uint8."""
    return core.from_numpy(array.astype("uint8") if array.dtype == bool else array)


@composite(function=False, method="")
def tolist(self):
    """The elements as nested lists of Python numbers; a 0-d tensor as one number."""
    return core.list_of(self)


# ---------------------------------------------------------------------------------------------------------------- questions
@composite
def is_nonzero(input) -> bool:
    """Whether the one element of `input` is other than zero."""
    if input.numel() != 1:
        kind = "no values" if input.numel() == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {kind} is ambiguous")
    return bool(core.read_within(input, "bool").item() != 0)


@composite(method=False, signature=None)
def is_tensor(obj) -> bool:
    """Whether `obj` is a tensor.

    >>> import rushlight as torch
    >>> torch.is_tensor(torch.ones(2)), torch.is_tensor([1.0])
    (True, False)
    """
    return isinstance(obj, Tensor)


@composite(method=False, signature=None)
def typename(obj) -> str:
    """What errors call the type of `obj`: of a tensor, the type of its dtype; of a class or function, its own name.

    >>> import rushlight
    >>> rushlight.typename(rushlight.ones(2)), rushlight.typename(3), rushlight.typename(len)
    ('torch.FloatTensor', 'int', 'len')
    """
    if isinstance(obj, Tensor):
        return obj.type()
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", None)
    return named.__qualname__ if module in (None, "builtins") else f"{module}.{named.__qualname__}"


def question(name, about):
    """A function that asks the tensor itself."""

    def ask(input):
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
        return getattr(input, name)()

    ask.__name__ = ask.__qualname__ = name
    ask.__doc__ = about
    composite(ask, method=False)


question("is_floating_point", "Whether the dtype is float16, bfloat16, float32 or float64.")
question("is_complex", "Whether the dtype is complex64 or complex128.")
question("is_signed", "Whether the dtype has negative numbers.")
question("is_inference", "Whether the tensor was made in inference mode.")
question("is_conj", "Whether the elements are the conjugates of what lies in memory: conj() is a view.")
question("is_neg", "Whether the elements are the negatives of what lies in memory, as in the imaginary part of conj().")
question("numel", "The number of elements.")

composite(core.result_type, method=False)


def refuse_tracked(name, *tensors):
    """Python functions have no derivative."""
    if any(tensor.requires_grad for tensor in tensors):
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")


def write_values(target, values):
    """Python numbers in row-major order, written into a tensor."""
    for value in values:
        if isinstance(value, str | bytes | list | tuple | dict) or value is None:
            kind, is_real = type(value).__name__, target.is_floating_point() or target.is_complex()
            raise TypeError(
                f"must be real number, not {kind}" if is_real else f"'{kind}' object cannot be interpreted as an integer"
            )
    return target.copy_(core.tensor(values, dtype=target.dtype).view(target.shape)) if values else target


@composite(function=False)
def apply_(self, callable):
    """Each element replaced by what a Python function makes of it: slow, and without gradients.

    Args:
        callable: a function of a Python number.

    >>> import rushlight
    >>> rushlight.tensor([1., 2.]).apply_(lambda value: value * 10)
    tensor([10., 20.])
    """
    refuse_tracked("apply_", self)
    if core.is_expanded(self):
        # What several elements share in memory is replaced as many times.
        for place in itertools.product(*map(range, self.shape)):
            write_values(self[place], [callable(self[place].item())])
        return self
    return write_values(self, [callable(value) for value in self.flatten().tolist()])


@composite(function=False, method="Tensor other, object callable")
def map_(self, tensor, callable):
    """Each element replaced by what a Python function makes of it and of the element of `tensor`, which is broadcast, at its place.

    >>> import rushlight
    >>> rushlight.tensor([1., 2.]).map_(rushlight.tensor([3., 5.]), lambda a, b: a * b)
    tensor([ 3., 10.])
    """
    refuse_tracked("map_", self, tensor)
    if tensor.dtype is not self.dtype:
        raise TypeError(f"map_: expected {self.type()} for 'other' (got {tensor.type()})")
    others = tensor.expand(self.shape).flatten().tolist()
    return write_values(self, [callable(a, b) for a, b in zip(self.flatten().tolist(), others, strict=True)])


@composite(function=False, method="Tensor x, Tensor y, object callable")
def map2_(self, x, y, callable):
    """As `map_`, of the elements of two other tensors besides.

    >>> import rushlight
    >>> rushlight.tensor([1., 2.]).map2_(rushlight.tensor([3., 5.]), rushlight.tensor(1.), lambda a, b, c: a * b + c)
    tensor([ 4., 11.])
    """
    refuse_tracked("map2_", self, x, y)
    for name, tensor in (("x", x), ("y", y)):
        if tensor.dtype is not self.dtype:
            raise TypeError(f"map2_: expected {self.type()} for argument '{name}' (got {tensor.type()})")
    rows = (self, x.expand(self.shape), y.expand(self.shape))
    return write_values(self, [callable(*each) for each in zip(*(row.flatten().tolist() for row in rows), strict=True)])


@composite(function=False, method="Tensor tensor")
def is_set_to(self, tensor):
    """Whether two tensors are the same numbers in the same memory: they share its storage, offset, sizes and strides.

    >>> import rushlight
    >>> x = rushlight.ones(2, 2)
    >>> x.is_set_to(x.view(2, 2)), x.is_set_to(x.t())
    (True, False)
    """
    return (
        core.storage_of(self) is core.storage_of(tensor)
        and self.storage_offset() == tensor.storage_offset()
        and self.shape == tensor.shape
        and self.stride() == tensor.stride()
    )


@composite(function=False, method="")
def const_data_ptr(self):
    """`data_ptr()`, of somebody who reads alone."""
    return self.data_ptr()


@op(
    vjp=underived("derivative for aten::dequantize is not implemented", RuntimeError),
    name="NotImplemented",
    batch="elementwise.composed",
    public="dequantize",
    function=False,
    method=False,
    out=False,
)
def _dequantize(x):
    """A copy as float32."""
    return x.clone() if x.dtype is DTYPES["float32"] else x.float()


@composite(signature="Tensor input")
def dequantize(input):
    """The numbers as float32, itself where it has that: no tensor is quantized here.

    >>> import rushlight
    >>> rushlight.tensor([1, 2]).dequantize()
    tensor([1., 2.])
    """
    is_recorded = input.requires_grad and core.is_grad_enabled()
    return input if input.dtype is DTYPES["float32"] and not is_recorded else _dequantize(input)


def refusing(name, kind, method):
    """A method of tensors that are not here."""

    def refuse(self, *arguments):
        raise NotImplementedError(
            f"Could not run 'aten::{name}' with arguments from the 'CPU' backend: the tensor is not {kind}."
        )

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Raises: no tensor is {kind} here."
    composite(refuse, function=False, method=method)


for name in (
    "int_repr",
    "q_per_channel_axis",
    "q_per_channel_scales",
    "q_per_channel_zero_points",
    "q_scale",
    "q_zero_point",
    "qscheme",
):
    refusing(name, "quantized", "")
refusing("to_padded_tensor", "nested", "float padding, sizes? output_size=None")


@composite
def is_same_size(input, other):
    """Whether two tensors have the same shape.

    >>> import rushlight
    >>> rushlight.is_same_size(rushlight.ones(2), rushlight.zeros(2))
    True
    """
    return input.shape == other.shape
