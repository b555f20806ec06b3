# Memory with a version. Views share a Storage; `.data` gets a second Storage over the same memory, with a version of its own.
# Outside the garbage collector: what owns foreign memory (a NumPy array, another storage) does not refer back.
@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class Storage:
    def __reduce__(self):
        return (storage_from_bytes, ((<char*>self.memory.data)[:self.memory.size],))

    def __len__(self):
        return self.memory.size

    def __getbuffer__(self, Py_buffer* buffer, int flags):
        root_of(self).memory.lent = True
        PyBuffer_FillInfo(buffer, self, self.memory.data, self.memory.size, 0, flags)

    # What follows in Python stands in rushlight/storage.py.
    def __getitem__(self, index):
        return storage_methods["__getitem__"](self, index)

    def __setitem__(self, index, value):
        storage_methods["__setitem__"](self, index, value)

    def __repr__(self):
        return storage_methods["__repr__"](self)

    def data_ptr(self):
        """The address of the memory."""
        return <size_t>self.memory.data

def empty_storage(int64_t nbytes):
    """A storage of unset memory."""
    return new_storage(nbytes)

def storage_from_bytes(bytes content):
    """A storage with a copy of `content` (unpickling uses this)."""
    cdef Storage storage = new_storage(len(content))
    memcpy(storage.memory.data, <char*>content, len(content))
    return storage

cdef dict storage_methods = {}

def install_storage_method(str name, value):
    """Puts a method or property on the class of storages; `__new__` gets the arguments of a call of the class."""
    storage_methods[name] = value
    if name not in ("__new__", "__getitem__", "__setitem__", "__repr__"):
        put_in_type(<PyTypeObject*>Storage, name, value)

cdef PyObject* python_storage(PyTypeObject* kind, PyObject* args, PyObject* kwargs) except NULL:
    cdef object made = storage_methods["__new__"](*<tuple>args, **(<dict>kwargs if kwargs != NULL else {}))
    Py_INCREF(made)
    return <PyObject*>made

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

def release_cached_memory():
    """Gives the blocks kept for reuse back to the system."""
    drain_storages(_like_storage)
    empty_cache()


def memory_stats():
    """Bytes in use and kept for reuse, the peak, and the number of allocations, as a dict."""
    cdef MemoryStatistics s = memory_statistics()
    return {"allocated": s.allocated, "cached": s.cached, "peak": s.peak, "allocations": s.allocations}

def reset_peak_memory_stats():
    """Makes the peak start again from what is in use now."""
    reset_peak_memory()

def get_cache_limit():
    """The bytes kept at most for reuse."""
    return cache_limit()

def set_cache_limit_bytes(limit):
    """Keep at most `limit` bytes for reuse; what is over goes back to the system."""
    set_cache_limit(limit)

def get_num_threads():
    """The number of threads that large operations are split over."""
    return thread_count()

def set_num_threads(int count):
    """Sets the number of threads that large operations are split over. Results do not depend on it."""
    if count <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    set_thread_count(count)

set_new(<PyTypeObject*>Storage, <void*>python_storage)
