# Memory with a version. Views share a Storage; `.data` gets a second Storage over the same memory, with a version of its own.
# Outside the garbage collector: what owns foreign memory (a NumPy array, another storage) does not refer back.
@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class Storage:
    def __reduce__(self):
        if has_meta_address(self.memory.data):
            return (empty_storage, (self.memory.size, meta))
        return (storage_from_bytes, ((<char*>self.memory.data)[:self.memory.size],))

    def __len__(self) -> int:
        return self.memory.size

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        require_memory(self)
        not_again("memory was read or written byte by byte")
        root_of(self).memory.lent = True
        PyBuffer_FillInfo(buffer, self, self.memory.data, self.memory.size, 0, flags)

    # What follows in Python stands in rushlight/_untyped_storage.py.
    def __getitem__(self, index):
        not_again("memory was read or written byte by byte")
        return storage_methods["__getitem__"](self, index)

    def __setitem__(self, index, value):
        not_again("memory was read or written byte by byte")
        storage_methods["__setitem__"](self, index, value)

    def __repr__(self):
        return storage_methods["__repr__"](self)

    def data_ptr(self) -> int:
        """The address of the memory."""
        not_again("the address of memory was asked for")
        return 0 if has_meta_address(self.memory.data) else <size_t>self.memory.data

    @property
    def device(self) -> "device":
        """Where the memory is."""
        return meta if has_meta_address(self.memory.data) else cpu

cdef int require_memory(Storage storage) except -1:
    if has_meta_address(storage.memory.data):
        raise no_data()
    return 0

def empty_storage(int64_t nbytes, device=None):
    """A storage of unset memory, or on device "meta" of none."""
    return meta_storage(nbytes) if is_meta_place(device) else new_storage(nbytes)

def storage_from_bytes(bytes content):
    """A storage with a copy of `content` (unpickling uses this)."""
    cdef Storage storage = new_storage(len(content))
    not_again("memory was read or written byte by byte")
    memcpy(storage.memory.data, <char*>content, len(content))
    return storage

cdef dict storage_methods = {}

def install_storage_method(str name, value):
    """Puts a method or property on the class of storages; `__new__` gets the arguments of a call of the class."""
    storage_methods[name] = value
    if name not in ("__new__", "__getitem__", "__setitem__", "__repr__"):
        put_in_type(<PyTypeObject*>Storage, name, value)

cdef PyObject* python_storage(PyTypeObject* kind, PyObject* args, PyObject* kwargs) except NULL:
    not_again("a storage was made")
    return handed(storage_methods["__new__"](*<tuple>args, **(<dict>kwargs if kwargs != NULL else {})))

def is_resizable(Storage storage not None):
    """Whether the memory may move."""
    return not storage.memory.fixed and not root_of(storage).memory.fixed

def resize_storage(Storage storage not None, int64_t nbytes):
    """Gives the memory more bytes. It keeps those that it has: tensors may lie over them."""
    if nbytes < 0 or not is_resizable(storage):
        raise RuntimeError("Trying to resize storage that is not resizable" if nbytes >= 0 else f"invalid size {nbytes} of a storage")
    if nbytes < root_of(storage).memory.size:
        raise RuntimeError(f"a storage of {root_of(storage).memory.size} bytes cannot shrink to {nbytes}: tensors may lie over them")
    grow_storage(storage, nbytes)
    return storage

from posix.mman cimport MAP_FAILED, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE, mmap, munmap
from posix.unistd cimport close

@cython.final
cdef class MappedFile:
    """The first `size` bytes of a file, in memory. Where not `private`, all that map it see what any writes. It has the file (a descriptor, which
    it closes), and its name, where others find it by that."""
    cdef char* data
    cdef readonly int64_t size
    cdef readonly int file
    cdef readonly bint private
    cdef public object name
    cdef object before           # a storage with the block that was there before the memory moved here, while somebody may use that
    cdef object __weakref__

    def __cinit__(self, int file, int64_t size, bint private=False, name=None):
        self.file, self.size, self.private, self.name = file, size, private, name
        if size <= 0:
            raise ValueError(f"a file is mapped by one byte or more, not {size}")
        cdef void* data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE if private else MAP_SHARED, file, 0)
        if data == MAP_FAILED:
            raise RuntimeError(f"unable to mmap {size} bytes from file <{name or file}>: Cannot allocate memory (12)")
        self.data = <char*>data

    def __dealloc__(self):
        if self.data != NULL:
            munmap(self.data, self.size)
        self.close()

    def close(self):
        """Closes the file; the memory stays."""
        if self.file >= 0:
            close(self.file)
        self.file = -1

def storage_over_file(MappedFile memory not None):
    """A storage over a mapped file."""
    return foreign_storage(memory.data, memory.size, memory)

def mapped_file(Storage storage not None):
    """The mapped file that a storage is over, or None."""
    cdef Memory* memory = &root_of(storage).memory
    return <object>memory.owner if not memory.own and memory.owner != NULL and type(<object>memory.owner) is MappedFile else None

def move_to_file(Storage storage not None, MappedFile to not None, bint keep):
    """Moves the memory, for every tensor over it, to a mapped file. The old block is kept with it where somebody knows its address, or where `keep`
    says that another thread may be using it."""
    cdef Storage root = root_of(storage), old = Storage.__new__(Storage)
    not_again("memory was moved to a file")
    if has_meta_address(root.memory.data):
        raise RuntimeError("_share_fd_: only available on CPU")
    if to.size < root.memory.size:
        raise RuntimeError(f"{root.memory.size} bytes do not fit into a file of {to.size}")
    memcpy(to.data, root.memory.data, root.memory.size)
    old.memory.data, old.memory.size = root.memory.data, root.memory.size
    old.memory.own, old.memory.owner = root.memory.own, root.memory.owner
    if keep or root.memory.fixed or root.memory.lent:
        to.before = old
    Py_INCREF(to)
    root.memory.own, root.memory.owner, root.memory.fixed = False, <PyObject*>to, True
    root.memory.move(to.data, root.memory.size)

def memory_stats():
    """Bytes in use and kept for reuse, the peak, and the number of allocations, as a dict."""
    cdef MemoryStatistics s = memory_statistics()
    return {"allocated": s.allocated, "cached": s.cached, "peak": s.peak, "allocations": s.allocations}

def reset_peak_memory_stats():
    """Makes the peak start again from what is in use now."""
    reset_peak_memory()

def thread_total():
    """The number of threads that large operations are split over."""
    not_again("the number of threads was asked for")
    return thread_count()

def use_threads(int count):
    """Splits large operations over so many. Results do not depend on it."""
    not_again("the number of threads was set")
    set_thread_count(count)

set_new(<PyTypeObject*>Storage, <void*>python_storage)
