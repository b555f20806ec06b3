"""How tensors and storages are sent to other processes: their memory is shared, not copied."""

import multiprocessing
import os
import weakref
from multiprocessing.reduction import ForkingPickler

import rushlight
from rushlight import _utils, core
from rushlight.core import Tensor
from rushlight.multiprocessing import _memory
from rushlight.nn.parameter import Parameter
from rushlight.storage import STORAGES, TypedStorage, UntypedStorage, typed_storage
from rushlight.utils.hooks import warn_if_has_hooks


class StorageWeakRef:
    """A weak reference to a storage; storages of views are one. Equal are those that refer, or referred, to the same.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing.reductions import StorageWeakRef
    >>> x = torch.ones(2)
    >>> reference = StorageWeakRef(x.untyped_storage())
    >>> reference == StorageWeakRef(x.view(2, 1).untyped_storage()), reference.expired()
    (True, False)
    >>> del x
    >>> reference.expired()
    True
    """

    __slots__ = ("cdata", "reference")

    def __init__(self, storage):
        storage = storage._untyped_storage if isinstance(storage, TypedStorage) else storage
        self.reference, self.cdata = storage._weak_ref(), storage._cdata

    @classmethod
    def from_weakref(cls, cdata):
        """One of what `storage._weak_ref()` gives."""
        made = cls.__new__(cls)
        made.reference, made.cdata = cdata, id(cdata())
        return made

    def expired(self):
        """Whether the storage is gone."""
        return self.reference() is None

    def __hash__(self):
        return self.cdata

    def __eq__(self, other):
        return self is other or self.cdata == other.cdata


class SharedCache(weakref.WeakValueDictionary):
    """Shared memory that this process has, by what identifies its file: what comes back from other processes is not mapped again.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing.reductions import SharedCache
    >>> len(SharedCache())
    0
    """


shared_cache = SharedCache()
_storages: weakref.WeakValueDictionary = weakref.WeakValueDictionary()  # the storage over each of these files


def _storage_over(key, memory):
    """The storage over a file that this process has already, or a new one."""
    storage = _storages.get(key)
    if storage is None or core.mapped_file(storage) is not memory:
        storage = _storages[key] = core.storage_over_file(memory)
    return storage


def fd_id(fd: int) -> tuple[int, int]:
    """What identifies an open file, whatever its descriptor is called.

    Args:
        fd: The descriptor.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing.reductions import fd_id
    >>> fd_id(0) == fd_id(0)
    True
    """
    found = os.fstat(fd)
    return found.st_ino, found.st_dev


# ---------------------------------------------------------------------------------------------------------------- storages
def rebuild_storage_fd(cls, df, size):
    """A storage over a file that came as a descriptor.

    Args:
        cls: The class.
        df: What gives the descriptor.
        size: Its bytes.

    >>> from rushlight.multiprocessing.reductions import reduce_storage
    >>> function, arguments = reduce_storage(rushlight.UntypedStorage([1, 2]))
    >>> function.__name__
    'rebuild_storage_fd'
    """
    return storage_over_descriptor(df.detach(), size)


def storage_over_descriptor(fd: int, size: int):
    """A storage over an open file, which it takes over."""
    key = fd_id(fd)
    memory = shared_cache.get(key)
    if memory is None:
        memory = shared_cache[key] = core.MappedFile(fd, size)
    else:
        os.close(fd)
    return _storage_over(key, memory)


def rebuild_storage_filename(cls, manager, handle, size, dtype=None):
    """A storage over a file that came as a name.

    Args:
        cls: The class.
        manager, handle: The name of what keeps the file, and of the file.
        size: Its bytes.
        dtype: Which is not looked at.

    >>> from rushlight.multiprocessing import get_sharing_strategy, set_sharing_strategy
    >>> from rushlight.multiprocessing.reductions import reduce_storage
    >>> before = get_sharing_strategy(); set_sharing_strategy("file_system")
    >>> function, arguments = reduce_storage(rushlight.UntypedStorage([1, 2]))
    >>> function.__name__, function(*arguments).tolist()
    ('rebuild_storage_filename', [1, 2])
    >>> set_sharing_strategy(before)
    """
    name = handle.decode()
    memory = shared_cache.get(name)
    if memory is None:
        memory = shared_cache[name] = _memory.open_named(name, size)
    else:
        _memory.count_user(name, size, -1)
    return _storage_over(name, memory)


def rebuild_storage_empty(cls):
    """A storage of the class `cls` without bytes.

    >>> from rushlight.multiprocessing.reductions import rebuild_storage_empty
    >>> len(rebuild_storage_empty(rushlight.UntypedStorage))
    0
    """
    return UntypedStorage()


def shared(storage):
    """The shared memory of a storage, which moves there where it is elsewhere."""
    memory = _memory.share(storage, rushlight.multiprocessing.get_sharing_strategy() == "file_system")
    key = memory.name if memory.file < 0 else fd_id(memory.file)
    shared_cache[key] = memory
    _storages.setdefault(key, storage)
    return memory


def reduce_storage(storage):
    """What another process rebuilds a `storage` from: a function and its arguments; the storage moves into shared memory.

    >>> from rushlight.multiprocessing.reductions import reduce_storage
    >>> function, arguments = reduce_storage(rushlight.UntypedStorage(0))
    >>> len(function(*arguments))
    0
    """
    if len(storage) == 0:
        return rebuild_storage_empty, (type(storage),)
    memory = shared(storage)
    if memory.file < 0:
        _memory.count_user(memory.name, memory.size, +1)
        return rebuild_storage_filename, (type(storage), b"", memory.name.encode(), memory.size)
    return rebuild_storage_fd, (type(storage), multiprocessing.reduction.DupFd(memory.file), memory.size)


def rebuild_typed_storage(storage, dtype):
    """A `TypedStorage` of `dtype` over a `storage` of bytes.

    >>> from rushlight.multiprocessing.reductions import rebuild_typed_storage
    >>> rebuild_typed_storage(rushlight.UntypedStorage(8), rushlight.float32).size()
    2
    """
    return TypedStorage(wrap_storage=storage, dtype=dtype, _internal=True)


def reduce_typed_storage(storage):
    """What another process rebuilds a `TypedStorage` from: a function and its arguments.

    >>> import warnings; warnings.simplefilter("ignore")
    >>> from rushlight.multiprocessing.reductions import reduce_typed_storage
    >>> function, arguments = reduce_typed_storage(rushlight.FloatStorage([1.0, 2.0]))
    >>> function(*arguments).size()
    2
    """
    return rebuild_typed_storage, (storage._untyped_storage, storage.dtype)


# ---------------------------------------------------------------------------------------------------------------- tensors
def rebuild_tensor(cls, storage, metadata):
    """A tensor, or a parameter, over a storage.

    Args:
        cls: Tensor or Parameter.
        storage: A `TypedStorage`.
        metadata: Its offset, shape and strides, and whether it requires grad.

    >>> import warnings; warnings.simplefilter("ignore")
    >>> from rushlight.multiprocessing.reductions import rebuild_tensor
    >>> rebuild_tensor(rushlight.Tensor, rushlight.FloatStorage([1.0, 2.0]), (0, (2,), (1,), False))
    tensor([1., 2.])
    """
    offset, size, stride, requires_grad = metadata
    made = _utils.tensor_over(storage._untyped_storage, storage.dtype, offset, size, stride)
    return _rebuilt(cls, made, requires_grad)


def rebuild_meta_tensor(tensor_cls, tensor_size, tensor_stride, tensor_offset, dtype, storage_size_bytes, requires_grad):
    """A tensor, or a parameter, without memory.

    Args:
        tensor_cls: Tensor or Parameter.
        tensor_size, tensor_stride, tensor_offset: Its geometry.
        dtype: Its dtype.
        storage_size_bytes: How many bytes its storage would have.
        requires_grad: Whether it requires grad.

    >>> from rushlight.multiprocessing.reductions import rebuild_meta_tensor
    >>> rebuild_meta_tensor(rushlight.Tensor, (2,), (1,), 0, rushlight.float32, 8, False)
    tensor(..., device='meta', size=(2,))
    """
    storage = UntypedStorage(storage_size_bytes, device="meta")
    return _rebuilt(tensor_cls, _utils.tensor_over(storage, dtype, tensor_offset, tensor_size, tensor_stride), requires_grad)


def _rebuilt(cls, made, requires_grad):
    """The tensor as it was sent: a parameter, or one that requires grad."""
    return Parameter(made, requires_grad) if cls is Parameter else made.requires_grad_(requires_grad)


def reduce_tensor(tensor):
    """What another process rebuilds a `tensor` from: a function and its arguments; its memory becomes shared.

    >>> from rushlight.multiprocessing.reductions import reduce_tensor
    >>> function, arguments = reduce_tensor(rushlight.ones(2))
    >>> function(*arguments)
    tensor([1., 1.])
    """
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support crossing process "
            "boundaries.  If you just want to transfer the data, call detach() on the tensor before serializing (e.g., putting it on the "
            "queue)."
        )
    warn_if_has_hooks(tensor)
    if tensor.is_meta:
        size = tensor.untyped_storage().nbytes()
        geometry = tensor.size(), tensor.stride(), tensor.storage_offset()
        return rebuild_meta_tensor, (type(tensor), *geometry, tensor.dtype, size, tensor.requires_grad)
    plain = tensor.detach().resolve_conj().resolve_neg()
    metadata = plain.storage_offset(), plain.size(), plain.stride(), tensor.requires_grad
    return rebuild_tensor, (type(tensor), typed_storage(plain), metadata)


def init_reductions():
    """Makes `multiprocessing` send tensors and storages in this way.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing.reductions import init_reductions
    >>> init_reductions()
    """
    for kind in (Tensor, Parameter):
        ForkingPickler.register(kind, reduce_tensor)
    for kind in (TypedStorage, *STORAGES.values()):
        ForkingPickler.register(kind, reduce_typed_storage)
    ForkingPickler.register(UntypedStorage, reduce_storage)
