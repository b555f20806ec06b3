"""Storages: the memory behind tensors, as bytes (`UntypedStorage`, see `_untyped_storage.py`) or, as older programs have it, as numbers."""

import functools
import io
import operator

from rushlight import core
from rushlight._untyped_storage import (
    NOT_THERE,
    described,
    elements_of,
    from_buffer,
    is_size,
    new_shared,
    new_storage,
    require_memory,
)
from rushlight.core import Storage as UntypedStorage
from rushlight.core import warn_user

__all__ = ["TypedStorage", "UntypedStorage"]


def converted(dtype):
    def convert(self):
        """A typed storage with every element converted."""
        return TypedStorage(wrap_storage=core.storage_of(self.values.to(dtype)), dtype=dtype)

    return convert


CONVERSIONS = {
    "complex_" + dtype.short_name[1:] if dtype.is_complex else dtype.short_name or dtype.name: converted(dtype)
    for dtype in core.dtype_by_name.values()
    if dtype.has_classes or (dtype.is_floating_point and dtype.is_signed)
}

for _name, _method in CONVERSIONS.items():
    core.install_storage_method(_name, _method)


@functools.cache
def warn_of_removal():
    warn_user(
        "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage class. This should only "
        "matter to you if you are using storages directly.  To access UntypedStorage directly, use tensor.untyped_storage() instead of "
        "tensor.storage()"
    )


def deprecated(function):
    """A method of TypedStorage, which warns once that the class will go."""

    @functools.wraps(function)
    def method(*args, **keywords):
        warn_of_removal()
        return function(*args, **keywords)

    return method


NO_SUCH_CALL = """\
TypedStorage.__init__ received an invalid combination of arguments. Expected one of:
 * (*, torch.device device, torch.dtype dtype)
 * (int size, *, torch.device device, torch.dtype dtype)
 * (Sequence data, *, torch.device device, torch.dtype dtype)
 * (*, UntypedStorage wrap_storage, torch.dtype dtype)
"""


class TypedStorage:
    """A storage seen as numbers of one dtype: `TypedStorage(3)`, `TypedStorage([1., 2.])`, `TypedStorage(wrap_storage=…, dtype=…)`.

    >>> import warnings, rushlight
    >>> with warnings.catch_warnings(action="ignore"):
    ...     rushlight.FloatStorage([1., 2.]).tolist()
    [1.0, 2.0]
    """

    dtype = None

    def __new__(cls, *args, wrap_storage=None, dtype=None, device=None, _internal=False):
        if not _internal and wrap_storage is None:
            warn_of_removal()
        made = object.__new__(TypedStorage)
        made.dtype = cls.dtype or dtype or core.get_default_dtype()
        if wrap_storage is not None:
            if cls.dtype is None and args:
                raise RuntimeError(NO_SUCH_CALL + "No positional arguments should be given when using 'wrap_storage'")
            if cls.dtype is None and dtype is None:
                raise RuntimeError(NO_SUCH_CALL + "Argument 'dtype' must be specified")
            if cls.dtype is None and not isinstance(made.dtype, core.dtype):
                raise TypeError(NO_SUCH_CALL + f"Argument 'dtype' must be torch.dtype, not {type(dtype)}")
            if cls.dtype is None and device is not None:
                raise RuntimeError(NO_SUCH_CALL + "Argument 'device' should not be specified when 'wrap_storage' is given")
            if not isinstance(wrap_storage, UntypedStorage):
                text = "" if cls.dtype else NO_SUCH_CALL
                raise TypeError(f"{text}Argument 'wrap_storage' must be UntypedStorage, but got {type(wrap_storage)}")
            made._untyped_storage = wrap_storage
        elif len(args) > 1:
            raise RuntimeError(NO_SUCH_CALL + "Too many positional arguments")
        elif not isinstance(made.dtype, core.dtype):
            raise RuntimeError(f"expected torch.dtype, but got {type(dtype)}")
        elif args and not is_size(args[0]):
            if not hasattr(args[0], "__len__") or isinstance(args[0], core.Tensor):
                text = "" if cls.dtype else NO_SUCH_CALL
                raise TypeError(f"{text}Argument type not recognized: {type(args[0])}")
            made._untyped_storage = core.storage_of(core.tensor(args[0], dtype=made.dtype, device=device))
        else:
            made._untyped_storage = new_storage((int(args[0]) if args else 0) * made.dtype.itemsize, device=device)
        return made

    @property
    def values(self):
        return elements_of(self._untyped_storage, self.dtype)

    @property
    def device(self):
        return self._untyped_storage.device

    is_cuda = is_hpu = is_sparse = is_sparse_csr = False

    @property
    def _dtype(self):
        return self.dtype

    def _weak_ref(self):
        return self._untyped_storage._weak_ref()

    @deprecated
    def type(self, dtype=None, non_blocking=False):
        """The name of the class of its dtype's storages, or the numbers in the storage of another."""
        if dtype is None:
            is_meta = self.device.type == "meta"
            return "torch.storage.TypedStorage" if is_meta else f"torch.{storage_name(self.dtype)}"
        dtype = STORAGES[dtype.rsplit(".", 1)[-1]].dtype if isinstance(dtype, str) else getattr(dtype, "dtype", dtype)
        return typed_storage(self.values.to(dtype))

    @classmethod
    def from_file(cls, filename, shared=False, size=0):
        """A storage of as many numbers over a file."""
        dtype = cls.dtype or core.get_default_dtype()
        memory = UntypedStorage.from_file(filename, shared, size * dtype.itemsize)
        return TypedStorage(wrap_storage=memory, dtype=dtype, _internal=True)

    @property
    def _cdata(self):
        return self._untyped_storage._cdata

    def _size(self):
        return len(self._untyped_storage) // self.dtype.itemsize

    def _data_ptr(self):
        return self._untyped_storage.data_ptr()

    def _pickle_storage_type(self):
        return storage_name(self.dtype)

    def __repr__(self):
        return described(self, f"TypedStorage(dtype={self.dtype}, device={self.device})")

    def __reduce__(self):
        return rebuild_typed_storage, (self._untyped_storage, self.dtype)

    def __len__(self):
        return self._size()

    def __sizeof__(self):
        return object.__sizeof__(self) + len(self._untyped_storage)

    def __copy__(self):
        return TypedStorage(wrap_storage=self._untyped_storage.clone(), dtype=self.dtype, _internal=True)

    def tolist(self):
        require_memory(self, NOT_THERE)
        return self.values.tolist()

    @deprecated
    def __getitem__(self, index):
        require_memory(self, NOT_THERE)
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not hasattr(type(index), "__index__"):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        index = operator.index(index)
        if not -self._size() <= index < self._size():
            raise IndexError(f"index {index} out of range for storage of size {self._size()}")
        return self.values[index].item()

    @deprecated
    def __setitem__(self, index, value):
        if not isinstance(index, slice) and not hasattr(type(index), "__index__"):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        self.values[index] = value

    def __iter__(self):
        return iter(self.tolist())

    @deprecated
    def fill_(self, value):
        self.values.fill_(value)
        return self

    @deprecated
    def copy_(self, source, non_blocking=None):
        if not isinstance(source, TypedStorage):
            self._untyped_storage.copy_(source)
            return self
        require_memory(source)
        self.values.copy_(source.values)
        return self

    @deprecated
    def clone(self):
        return TypedStorage(wrap_storage=self._untyped_storage.clone(), dtype=self.dtype)

    @deprecated
    def untyped(self):
        return self._untyped_storage

    @deprecated
    def cpu(self):
        require_memory(self)
        return self

    @classmethod
    def from_buffer(cls, *args, **keywords):
        """A storage with a copy of a buffer's numbers: `torch.IntStorage.from_buffer(buffer, byte_order, count, offset)`."""
        dtype = cls.dtype or keywords.pop("dtype", None) or core.get_default_dtype()
        memory = from_buffer(*args, dtype=dtype, **keywords)
        return TypedStorage(wrap_storage=memory, dtype=dtype, _internal=True)

    def _share_fd_cpu_(self, *args, **keywords):
        descriptor, size = self._untyped_storage._share_fd_cpu_(*args, **keywords)
        return descriptor, size // self.dtype.itemsize

    def _share_filename_cpu_(self, *args, **keywords):
        manager, handle, size = self._untyped_storage._share_filename_cpu_(*args, **keywords)
        return manager, handle, size // self.dtype.itemsize

    def _write_file(self, *args, **keywords):
        require_memory(self)
        return self._untyped_storage._write_file(*args, **keywords)

    @deprecated
    def nbytes(self):
        return len(self._untyped_storage)

    @deprecated
    def size(self):
        return self._size()

    @deprecated
    def element_size(self):
        return self.dtype.itemsize

    @deprecated
    def data_ptr(self):
        return self._data_ptr()

    def resizable(self):
        return self._untyped_storage.resizable()

    @deprecated
    def resize_(self, size):
        self._untyped_storage.resize_(size * self.dtype.itemsize)

    @deprecated
    def is_shared(self):
        return self._untyped_storage.is_shared()

    @deprecated
    def share_memory_(self):
        self._untyped_storage.share_memory_()
        return self

    @classmethod
    def _new_shared(cls, size, *, device=None):
        dtype = cls.dtype or core.get_default_dtype()
        return TypedStorage(wrap_storage=new_shared(size * dtype.itemsize), dtype=dtype, _internal=True)

    @property
    def filename(self):
        return self._untyped_storage.filename

    @deprecated
    def pickle_storage_type(self):
        return self._pickle_storage_type()


for _name, _method in CONVERSIONS.items():
    setattr(TypedStorage, _name, _method)


def rebuild_typed_storage(storage, dtype):
    """A typed storage from its pickle."""
    return TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)


def storage_name(dtype):
    """What files call the storages of a dtype: FloatStorage and its kin."""
    if not dtype.has_classes:
        raise KeyError(f"dtype {dtype} is not recognized")
    return f"{dtype.legacy_name}Storage"


class LegacyStorageMeta(type):
    def __instancecheck__(cls, instance):
        return type(instance) is TypedStorage and instance.dtype is cls.dtype


def _storage_class(dtype):
    name = storage_name(dtype)
    doc = f"""A `TypedStorage` of {dtype.name}, as older programs make one: of a sequence, of a size, or with no elements.

>>> import warnings; warnings.simplefilter("ignore")
>>> torch.{name}([1, 0]).size()
2
>>> torch.{name}([1, 0]).dtype
torch.{dtype.name}
"""
    return LegacyStorageMeta(name, (TypedStorage,), {"dtype": dtype, "__module__": __package__, "__doc__": doc})


STORAGES = {storage_name(dtype): _storage_class(dtype) for dtype in core.dtype_by_name.values() if dtype.has_classes}
"""FloatStorage and its kin, whose calls make typed storages of their dtype."""


def is_storage(obj):
    """Whether an object `obj` is a storage.

    >>> import rushlight as torch
    >>> torch.is_storage(torch.ones(2).untyped_storage())
    True
    """
    return isinstance(obj, (UntypedStorage, TypedStorage))


def _load_from_bytes(content):
    """What plain pickles of PyTorch's tensors call."""
    from rushlight.serialization import load

    return load(io.BytesIO(content), weights_only=False)


def typed_storage(self):
    """The memory behind this tensor, as numbers of its dtype."""
    return TypedStorage(wrap_storage=self.untyped_storage(), dtype=self.dtype, _internal=True)


def storage_of_tensor(self):
    """The memory behind this tensor, as numbers of its dtype. Use `untyped_storage()`: typed storages are deprecated.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.tensor([1., 2.]).storage().tolist()
    [1.0, 2.0]
    """
    warn_of_removal()
    return typed_storage(self)


def storage_type(self):
    """The class that stands for the typed storages of this tensor's dtype; None where there is none.

    >>> import rushlight as torch
    >>> torch.ones(1).storage_type().__name__
    'FloatStorage'
    """
    return STORAGES[storage_name(self.dtype)] if self.dtype.has_classes else None


for _name, _method in (
    ("storage", storage_of_tensor),
    ("_typed_storage", typed_storage),
    ("storage_type", storage_type),
):
    _method.__name__ = _name
    core.install_method(_name, _method)
