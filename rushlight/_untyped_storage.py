"""Storages as bytes: what `UntypedStorage`, a class of the core, can do."""

import array
import io
import operator
import os
import sys
import weakref

from rushlight import core
from rushlight.core import Storage as UntypedStorage
from rushlight.ops.creation import frombuffer

uint8 = core.dtype_by_name["uint8"]


def elements_of(storage, dtype=uint8):
    """A tensor of all elements of a storage, in its memory."""
    return core.tensor_on_storage(storage, dtype, 0, (len(storage) // dtype.itemsize,), (1,))


def storage_over(buffer):
    """A storage over the memory of an object with the buffer protocol."""
    flat = memoryview(buffer).cast("B")
    return core.storage_of(frombuffer(flat, dtype=uint8)) if flat.nbytes else core.empty_storage(0)


def new_storage(*args, device=None):
    """torch.UntypedStorage(size), of a sequence of integers, or empty."""
    meta = device is not None and core.is_meta_place(device)
    if len(args) > 1:
        given = ", ".join(type(argument).__name__ for argument in args)
        raise TypeError(
            f"torch.UntypedStorage() received an invalid combination of arguments - got ({given}), but expected one of:\n"
            " * (*, int allocator = None, torch.device device = None)\n * (int size, *, int allocator = None, torch.device device = None)\n"
            " * (object sequence, *, int allocator = None, torch.device device = None)\n"
        )
    if not args or is_size(args[0]):
        size = int(args[0]) if args else 0
        if not 0 <= size < 2**63:
            raise RuntimeError(f"alloc_cpu() seems to have been called with negative number: {size}")
        return core.empty_storage(size, device)
    if not hasattr(args[0], "__len__"):
        raise RuntimeError(f"torch.UntypedStorage(): Expected a sequence type, but got {type(args[0]).__name__}")
    for item in args[0]:
        if not isinstance(item, int):
            raise RuntimeError(
                f"torch.UntypedStorage(): tried to construct a storage from a sequence ({type(args[0]).__name__}), but one of the items was "
                f"of type {type(item).__name__} instead of int"
            )
    if meta:
        return core.empty_storage(len(args[0]), device)
    return core.storage_from_bytes(bytes(item & 255 for item in args[0]))


def is_size(value):
    return isinstance(value, int) or (core.is_numpy_scalar(value) and hasattr(type(value), "__index__"))


def place_in(storage, index):
    index = operator.index(index)
    if not -len(storage) <= index < len(storage):
        raise IndexError(f"index {index} out of range for storage of size {len(storage)}")
    return index % len(storage)


def get_item(self, index):
    """One byte, or a storage over a range of them."""
    if isinstance(index, slice):
        require_memory(self, NOT_THERE)
        first, end, step = index.indices(len(self))
        if step != 1:
            raise RuntimeError(f"Trying to slice with a step of {step}, but only a step of 1 is supported")
        return storage_over(memoryview(self)[first : max(first, end)])
    refuse_index(index)
    require_memory(self, NOT_THERE)
    return memoryview(self)[place_in(self, index)]


def refuse_index(index):
    if not hasattr(type(index), "__index__"):
        raise TypeError(f"can't index a torch.UntypedStorage with {type(index).__name__}")


def set_item(self, index, value):
    if not isinstance(index, slice) and not hasattr(type(index), "__index__"):
        raise RuntimeError(f"can't index a torch.UntypedStorage with {type(index).__name__}")
    whole = slice(place_in(self, index), place_in(self, index) + 1) if hasattr(type(index), "__index__") else index
    elements_of(self)[whole] = value


def described(self, shown):
    numbers = "..." if self.device.type == "meta" else " " + "\n ".join(map(str, self.tolist()))
    return numbers + f"\n[torch.storage.{shown} of size {len(self)}]"


def fill(self, value):
    """Writes one value into every byte."""
    elements_of(self).fill_(value)
    return self


def copy_from(self, source, non_blocking=None):
    """Copies the bytes of another storage of the same size."""
    require_memory(source)
    if self.device.type == "meta":
        return self
    if len(self) != len(source):
        raise RuntimeError(f"size does not match, self was {len(self)} bytes but src was {len(source)} bytes")
    memoryview(self)[:] = memoryview(source)
    return self


NOT_THERE = "Not available for 'meta' device type"


def require_memory(storage, text="Cannot copy out of meta tensor; no data!"):
    """Refuses what has no memory, of which nothing can be read."""
    if storage.device.type == "meta":
        raise NotImplementedError(text)


def tolist(self):
    """The bytes as integers."""
    require_memory(self, NOT_THERE)
    return list(memoryview(self))


def clone(self):
    """A storage with a copy of the memory."""
    return core.storage_from_bytes(bytes(self))


def byteswap(self, dtype):
    """Reverses the order of the bytes of every number of `dtype`."""
    width = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
    if len(self) % dtype.itemsize:
        raise RuntimeError(f"the length of data is not a multiple of {dtype.itemsize}")
    if width > 1:
        numbers = array.array({2: "H", 4: "I", 8: "Q"}[width], bytes(self))
        numbers.byteswap()
        memoryview(self)[:] = numbers.tobytes()


def from_buffer(buffer, byte_order=None, count=-1, offset=0, dtype=uint8):
    """A storage with a copy of a buffer: of the `count` numbers of `dtype` behind `offset` bytes, whose bytes may stand in the other order."""
    if byte_order not in (None, "big", "little", "native"):
        raise ValueError(f"invalid byte_order '{byte_order}' (expected 'big', 'little', or 'native')")
    if byte_order is None and dtype.itemsize > 1:
        raise RuntimeError("function missing required argument 'byte_order' (pos 2)")
    memory = memoryview(buffer).cast("B")
    if not 0 <= offset <= len(memory):
        raise ValueError(f"offset must be non-negative and no greater than buffer length ({offset}) , but got {len(memory)}")
    left, width = len(memory) - offset, dtype.itemsize
    if count < 0:
        if left % width:
            raise ValueError(f"buffer size ({left}) must be a multiple of element size ({width})")
        count = left // width
    if count * width > left:
        raise ValueError(f"buffer has only {len(memory)} elements after offset {offset}, but specified a size of {count}")
    made = core.storage_from_bytes(bytes(memory[offset : offset + count * width]))
    if byte_order not in (None, "native", sys.byteorder):
        byteswap(made, dtype)
    if dtype.name == "bool":
        memoryview(made)[:] = bytes(value != 0 for value in memoryview(made))
    return made


def from_file(filename, shared=False, nbytes=0):
    """A storage over a file mapped into memory; writes go to the file where `shared`."""
    try:
        # A shared file is made where there is none.
        descriptor = os.open(filename, os.O_RDWR | os.O_CREAT if shared else os.O_RDONLY, 0o600)
    except OSError as error:
        mode = "read-write" if shared else "read-only"
        raise RuntimeError(f"unable to open file <{filename}> in {mode} mode: {error.strerror} ({error.errno})") from None
    with open(descriptor, "r+b" if shared else "rb") as file:
        size = file.seek(0, io.SEEK_END)
        if nbytes < 0:
            raise RuntimeError(f"unable to mmap {nbytes} bytes from file <{filename}>: Cannot allocate memory (12)")
        if nbytes > size:
            if not shared:
                raise RuntimeError(f"file <{filename}> size <{size}> is smaller than the required mapping size <{nbytes}>")
            file.truncate(nbytes)
        if nbytes == 0:
            return core.empty_storage(0)
        return core.storage_over_file(
            core.MappedFile(os.dup(file.fileno()), nbytes, not shared, os.fspath(filename) if shared else None)
        )


# ---------------------------------------------------------------------------------------------------------- shared memory
def share_memory(self):
    """Moves the memory to where other processes can have it; every tensor over it goes along."""
    from rushlight import multiprocessing

    if len(self):
        multiprocessing.reductions.shared(self)
    return self


def new_shared(size, *, device="cpu"):
    """A storage of `size` bytes in shared memory."""
    return share_memory(core.empty_storage(size))


def share_descriptor(self):
    """An open file with the memory, which the caller closes, and the number of bytes."""
    if self.device.type != "cpu":
        raise RuntimeError("_share_fd_: only available on CPU")
    from rushlight.multiprocessing import _memory

    memory = _memory.share(self, False)
    if memory.file < 0:
        raise RuntimeError(f"the memory is shared by its name, {memory.name}")
    return os.dup(memory.file), memory.size


def new_shared_descriptor(fd, size):
    """A storage over the memory of an open file."""
    from rushlight.multiprocessing.reductions import storage_over_descriptor

    return storage_over_descriptor(os.dup(fd), size)


def share_filename(self):
    """The name of shared memory, counted as one more use: (nothing, name, bytes), what `_new_shared_filename_cpu` takes."""
    if self.device.type != "cpu":
        raise RuntimeError("_share_filename_: only available on CPU")
    from rushlight.multiprocessing import _memory

    memory = _memory.share(self, True)
    _memory.count_user(memory.name, memory.size, +1)
    return b"", memory.name.encode(), memory.size


def new_shared_filename(manager, handle, size):
    """A storage over shared memory with a name."""
    from rushlight.multiprocessing.reductions import rebuild_storage_filename

    return rebuild_storage_filename(UntypedStorage, manager, handle, size)


def is_shared(self):
    """Whether other processes may share the memory."""
    return core.mapped_file(self) is not None


def filename(self):
    """The file that the memory is of, where it was made from one."""
    memory = core.mapped_file(self)
    return None if memory is None or memory.file < 0 else memory.name


def resizable(self):
    """Whether the memory may move."""
    return core.is_resizable(self)


def resize_(self, size):
    """Gives the memory more bytes. It keeps those that it has: tensors may lie over them."""
    return core.resize_storage(self, size)


UNTYPED = {
    "__doc__": """Memory as bytes: of a size, of a sequence of integers, or empty.

>>> import rushlight as torch
>>> torch.UntypedStorage([1, 2]).tolist()
[1, 2]
>>> torch.ones(3).untyped_storage().nbytes()
12
""",
    "__new__": new_storage,
    "__getitem__": get_item,
    "__setitem__": set_item,
    "__repr__": lambda self: described(self, f"UntypedStorage(device={self.device})"),
    "nbytes": lambda self: len(self),
    "size": lambda self: len(self),
    "__sizeof__": lambda self: object.__sizeof__(self) + len(self),
    "element_size": lambda self: 1,
    "tolist": tolist,
    "clone": clone,
    "__copy__": clone,
    "copy_": copy_from,
    "fill_": fill,
    "byteswap": byteswap,
    "resizable": resizable,
    "resize_": resize_,
    "cpu": lambda self: self,
    "new": lambda self: core.empty_storage(0, self.device),
    "to": lambda self, *, device, non_blocking=False: core.empty_storage(len(self), device).copy_(self),
    "untyped": lambda self: self,
    "values": property(elements_of),
    "is_cuda": property(lambda self: False),
    "is_shared": is_shared,
    "share_memory_": share_memory,
    "filename": property(filename),
    "_get_filename": filename,
    "_new_shared": staticmethod(new_shared),
    "_share_fd_cpu_": share_descriptor,
    "_new_shared_fd_cpu": staticmethod(new_shared_descriptor),
    "_share_filename_cpu_": share_filename,
    "_new_shared_filename_cpu": staticmethod(new_shared_filename),
    "is_pinned": lambda self, device=None: False,
    "get_device": lambda self: -1,
    "type": lambda self: "torch.storage.UntypedStorage",
    "from_buffer": staticmethod(from_buffer),
    "from_file": staticmethod(from_file),
    # What files and programs tell storages apart by.
    "_cdata": property(id),
    "_weak_ref": lambda self: weakref.ref(self),
    "is_sparse": property(lambda self: False),
    "is_sparse_csr": property(lambda self: False),
    "is_hpu": property(lambda self: False),
}

for _name, _method in UNTYPED.items():
    core.install_storage_method(_name, _method)
