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

# The memory that a geometry needs, checked: whatever makes one asks here.
cdef extern from *:
    const int64_t MANY "(int64_t(1) << 58)"      # elements: more than any memory holds, and their bytes still an int64

cdef int64_t count_of(const Geometry& g) except -1:
    """The number of elements."""
    cdef int64_t count = g.numel()
    if count == BEYOND:
        raise RuntimeError("numel: integer multiplication overflow")
    return count

cdef int64_t bytes_reached(const Geometry& g, int code, int64_t offset=0, bint strided=True) except -1:
    """The bytes that a storage must have for a tensor of this geometry, `offset` elements behind its start."""
    cdef int64_t needed = checked_product(g.reach(offset), item_bytes[code])
    if needed == BEYOND:
        raise storage_overflow(g, strided)
    return needed

cdef object storage_overflow(const Geometry& g, bint strided):
    strides = f" and strides={list(make_tuple(g.strides, g.ndim))}" if strided else ""
    return RuntimeError(f"Storage size calculation overflowed with sizes={list(make_tuple(g.shape, g.ndim))}{strides}")

cdef inline int64_t bytes_of(int64_t count, int code, const Geometry& g, bint strided=False) except -1:
    """The bytes of `count` elements, as many as `g` has."""
    if count > MANY and checked_product(count, item_bytes[code]) == BEYOND:
        raise storage_overflow(g, strided)
    return count * item_bytes[code]

cdef object out_of_memory(int64_t nbytes):
    return RuntimeError(f"[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
                        f"{nbytes} bytes. Error code 12 (Cannot allocate memory)")

cdef Storage fresh_storage(int64_t nbytes):
    cdef Storage storage = Storage.__new__(Storage)
    storage.memory.data = <char*>allocate(nbytes)
    if storage.memory.data == NULL:
        raise out_of_memory(nbytes)
    storage.memory.size = nbytes
    storage.memory.own = True
    return storage

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

cdef Storage foreign_storage(char* data, int64_t nbytes, object owner):
    """Memory of somebody else, kept alive by `owner`."""
    cdef Storage storage = Storage.__new__(Storage)
    storage.memory.data, storage.memory.size, storage.memory.fixed = data, nbytes, True
    Py_INCREF(owner)
    storage.memory.owner = <PyObject*>owner
    return storage

cdef inline Storage root_of(Storage storage):
    """The storage that holds the memory: itself, or that which it was made over."""
    if not storage.memory.own and type(<object>storage.memory.owner) is Storage:
        return <Storage>storage.memory.owner
    return storage

cdef Storage second_storage(Storage storage):
    """The same memory with a version of its own."""
    cdef Storage out = Storage.__new__(Storage), root = root_of(storage)
    Py_INCREF(root)
    out.memory.owner = <PyObject*>root
    out.memory.follow(root.memory)
    out.memory.fixed = storage.memory.fixed
    return out

cdef int grow_storage(Storage storage, int64_t nbytes) except -1:
    """Gives the memory more bytes, for every tensor over it."""
    cdef Storage root = root_of(storage), old
    cdef char* grown
    cdef int64_t size = root.memory.size
    if nbytes <= size:
        return 0
    if storage.memory.fixed or root.memory.fixed:
        raise RuntimeError("Trying to resize storage that is not resizable")
    grown = <char*>allocate(nbytes)
    if grown == NULL:
        raise out_of_memory(nbytes)
    memcpy(grown, root.memory.data, size)
    if root.memory.lent:
        old = Storage.__new__(Storage)
        old.memory.data, old.memory.size, old.memory.own = root.memory.data, size, True
        old.memory.owner = root.memory.owner
        Py_INCREF(old)
        root.memory.owner = <PyObject*>old
    else:
        release(root.memory.data, size)
    root.memory.move(grown, nbytes)
    return 0

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

cdef inline void mark_write(Storage storage) noexcept:
    """An in-place write happens here: count it, and remember the user's line."""
    storage.version += 1
    storage.written.mark()

cdef extern from *:
    """
    static int rl_line(PyObject* code, int instruction) { return PyCode_Addr2Line((PyCodeObject*)code, instruction); }
    """
    int PyCode_Addr2Line "rl_line"(PyObject*, int)

cdef object source_line(PyObject* code, int instruction):
    """(file, line number) of an instruction, or None."""
    if code == NULL:
        return None
    return ((<object>code).co_filename, PyCode_Addr2Line(code, instruction))


def memory_stats():
    """Bytes in use and kept for reuse, the peak, and the number of allocations, as a dict."""
    cdef MemoryStatistics s = memory_statistics()
    return {"allocated": s.allocated, "cached": s.cached, "peak": s.peak, "allocations": s.allocations}

def release_cached_memory():
    """Gives the blocks kept for reuse back to the system."""
    drain_storages(_like_storage)
    empty_cache()

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
