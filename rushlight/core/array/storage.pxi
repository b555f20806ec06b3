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

cdef int refuse_small(const Geometry& g, int64_t start, int code, int64_t needed, Storage storage) except -1:
    """Raises for a tensor that reaches beyond a storage."""
    raise RuntimeError(f"setStorage: sizes {list(make_tuple(g.shape, g.ndim))}, strides {list(make_tuple(g.strides, g.ndim))}, storage offset {start}, "
                       f"and itemsize {item_bytes[code]} requiring a storage size of {needed} are out of bounds for storage of size "
                       f"{storage.memory.size}")

cdef inline int64_t bytes_of(int64_t count, int code, const Geometry& g, bint strided=False) except -1:
    """The bytes of `count` elements, as many as `g` has."""
    if count > MANY and checked_product(count, item_bytes[code]) == BEYOND:
        raise storage_overflow(g, strided)
    return count * item_bytes[code]

cdef char* new_memory(int64_t nbytes) except NULL:
    cdef char* data = <char*>allocate(nbytes)
    if data == NULL:
        raise RuntimeError(f"[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
                           f"{nbytes} bytes. Error code 12 (Cannot allocate memory)")
    return data

cdef Storage fresh_storage(int64_t nbytes):
    cdef Storage storage = Storage.__new__(Storage)
    storage.memory.data, storage.memory.size, storage.memory.own = new_memory(nbytes), nbytes, True
    return storage

cdef Storage meta_storage(int64_t nbytes):
    """A storage of which nothing but the size is there."""
    cdef Storage storage = Storage.__new__(Storage)
    storage.memory.data, storage.memory.size = meta_address(nbytes), nbytes
    return storage

cdef Storage foreign_storage(char* data, int64_t nbytes, object owner):
    """Memory of somebody else, kept alive by `owner`."""
    cdef Storage storage = Storage.__new__(Storage)
    not_again("memory of another library is used")
    storage.memory.data, storage.memory.size, storage.memory.fixed = data, nbytes, True
    Py_INCREF(owner)
    storage.memory.owner = <PyObject*>owner
    return storage

cdef inline Storage root_of(Storage storage):
    """The storage that holds the memory: itself, or that which it was made over."""
    if not storage.memory.own and storage.memory.owner != NULL and type(<object>storage.memory.owner) is Storage:
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

cdef int note_grown(char* grown, int64_t nbytes, Storage storage) except -1:
    """Tells what is being written down that memory moves; only what it made itself may."""
    if storage.memory.size and modes.recording.slot_of(storage.memory.data) < modes.recording.outside:
        not_again("memory from outside was resized")
    modes.recording.know(grown, nbytes)
    return 0

cdef int grow_storage(Storage storage, int64_t nbytes) except -1:
    """Gives the memory more bytes, for every tensor over it."""
    cdef Storage root = root_of(storage), old
    cdef char* grown
    cdef int64_t size = root.memory.size
    if nbytes <= size:
        return 0
    if storage.memory.fixed or root.memory.fixed:
        raise RuntimeError("Trying to resize storage that is not resizable")
    if has_meta_address(root.memory.data):
        root.memory.move(meta_address(nbytes), nbytes)
        return 0
    grown = new_memory(nbytes)
    if modes.recording != NULL:
        note_grown(grown, nbytes, root)
    copy_bytes(grown, root.memory.data, size)
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
