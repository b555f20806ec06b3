"""Old-style constructors: torch.Tensor(2, 3), torch.FloatTensor([1, 2]), x.new(3)."""

from rushlight import core
from rushlight.core import Size, Tensor, dtype_by_name, type_name


def legacy_tensor(args, dtype):
    """A tensor of a dtype from sizes, data, or another tensor."""
    given = args[0] if args else Size((0,))
    if len(args) == 1 and isinstance(given, Tensor):
        from rushlight.ops.shape import alias

        with core.DisableAllTorchFunction():
            return alias(given)
    if len(args) <= 1 and isinstance(given, Size):
        return new_of_sizes(given, dtype)
    if all(core.is_plain_int(a) or (len(args) > 1 and type(a) is not bool and core.is_index(a)) for a in args):
        return new_of_sizes(args, dtype)
    if len(args) == 1 and (isinstance(given, core.Storage) or hasattr(given, "_untyped_storage")):
        return of_storage(given, dtype, "type ", " for argument 1 'storage'")
    if len(args) == 1 and core.is_sequence(given):
        return core.tensor_of_data(given, dtype)
    if len(args) > 1:
        refuse(args)
    raise TypeError(f"new(): data must be a sequence (got {type_name(given)})")


def new_of_sizes(sizes, dtype):
    made = core.new_of_sizes(sizes, dtype)
    if core.fills_unset():
        from rushlight.ops.creation import settled

        return settled(made)
    return made


def of_storage(storage, dtype=None, before="", behind=""):
    """A vector over all of a storage, of the default dtype where none is named (int64 over bytes)."""
    is_typed = not isinstance(storage, core.Storage)
    dtype = dtype or (core.get_default_dtype() if is_typed else core.dtype_by_name["int64"])
    if is_typed and storage.dtype is not dtype:
        raise RuntimeError(
            f"Expected a Storage of type {dtype.legacy_name} or an UntypedStorage, but got {before}{storage.dtype.legacy_name}{behind}"
        )
    memory = storage._untyped_storage if is_typed else storage
    return core.tensor_on_storage(memory, dtype, 0, (len(memory) // dtype.itemsize,), None)


core.asked.of_storage = of_storage


def refuse(args, **named):
    """Raises for arguments that no form of an old-style constructor takes, in the words of the method."""
    core.empty_tensor((0,)).new(*args, **named)


def require_cpu(device):
    """Refuses every place but the CPU, as old-style constructors do it."""
    kind = "cpu" if device is None else (device if isinstance(device, core.device) else core.device(device)).type
    if kind != "cpu":
        raise RuntimeError(f"legacy constructor expects device type: cpu but device type: {kind} was passed")


def construct(kind, args, named):
    """What torch.Tensor(…), or the call of the subclass `kind`, is filled with."""
    if named:
        device = named.pop("device", None)
        if device is not None and len(args) == 1 and isinstance(args[0], Tensor):
            raise RuntimeError(
                "Legacy tensor constructor of the form torch.Tensor(tensor, device=device) is not supported.  Use torch.tensor(...) or "
                "torch.as_tensor(...) instead."
            )
        require_cpu(device)
        for name in ("data", "other", "size"):
            given = named.pop(name, None)
            if given is not None:
                args = (Size(given) if name == "size" else given, *args)
        if named and kind is Tensor:
            refuse(args, **named)
    return legacy_tensor(args, core.get_default_dtype())


core.asked.construct = construct


def legacy_new(dtype, args, device=None):
    """A tensor of a dtype, on the CPU alone."""
    require_cpu(device)
    if len(args) == 1 and isinstance(args[0], Tensor) and args[0].dtype is not dtype:
        raise TypeError(f"expected {options_of(dtype)} (got {options_of(args[0].dtype)})")
    return legacy_tensor(args, dtype)


def options_of(dtype):
    return (
        f"TensorOptions(dtype={core.scalar_type_name(dtype)}, device=cpu, layout=Strided, requires_grad=false (default), "
        "pinned_memory=false (default), memory_format=(nullopt))"
    )


class tensortype(core.tensor_meta):
    """The class of FloatTensor and its kin, which stand for the tensors of one dtype."""

    __module__ = vars(core.tensor_meta)["__module__"]
    layout = core.strided
    is_cuda = is_sparse = False

    def __new__(kind, name, bases, attributes):
        for base in bases:
            if isinstance(base, tensortype):
                raise TypeError(f"type 'torch.{base.__name__}' is not an acceptable base type")
        return super().__new__(kind, name, bases, attributes)

    def __call__(cls, *args, size=None, device=None, **more):
        if more:
            refuse(args, **more)
        return legacy_new(cls.dtype, args if size is None else (Size(size),), device)

    def __instancecheck__(cls, instance):
        return isinstance(instance, Tensor) and instance.dtype is cls.dtype

    def __subclasscheck__(cls, kind):
        return kind is cls

    def __getattr__(cls, name):
        # The methods are those of tensors.
        if not name.startswith("__") and hasattr(Tensor, name):
            return getattr(Tensor, name)
        raise AttributeError(f"type object 'torch.{cls.__name__}' has no attribute '{name}'")


core.show_class_as(tensortype, "torch.tensortype")


def about(dtype, name):
    """The docstring of FloatTensor and its kin."""
    return (
        f"Makes tensors of {dtype.name}, as older programs do: of data, of sizes, or with no elements.\n\nArgs:\n    size: The sizes, given by "
        f"name.\n\n>>> {name}([1, 2]).dtype\ntorch.{dtype.name}\n>>> {name}(2, 3).shape\ntorch.Size([2, 3])\n"
    )


def tensor_type(dtype):
    """The class whose calls make tensors of `dtype`."""
    name = f"{dtype.legacy_name}Tensor"
    attributes = {"__slots__": (), "__new__": tensortype.__call__, "dtype": dtype, "__doc__": about(dtype, f"torch.{name}")}
    made = tensortype(name, (), attributes)
    core.shown_classes[made] = f"torch.{name}"
    return made


tensor_types = {dtype: tensor_type(dtype) for dtype in dtype_by_name.values() if dtype.has_classes}
"""FloatTensor and its kin by their dtype."""
