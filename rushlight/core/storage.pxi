cdef extern from *:
    """
    // Members that free themselves: unlike __dealloc__, a destructor does not make CPython save and restore its error state.
    struct rl_block {
      char* data = nullptr;
      int64_t size = 0;
      ~rl_block() { if (data) rl::release(data, size); }
    };
    struct rl_place {           // a line of the user's program
      PyObject* code = nullptr; // strong
      int instruction = 0;
      ~rl_place() { Py_XDECREF(code); }
      void mark() {
        PyObject* now = (PyObject*)rl_user_code(&instruction);
        if (now == code) return;
        Py_XINCREF(now);
        Py_XSETREF(code, now);
      }
    };
    """
    cdef cppclass Block "rl_block":
        char* data
        int64_t size
    cdef cppclass Place "rl_place":
        PyObject* code
        int instruction
        void mark()

# Memory with a version. Views share a Storage; `.data` gets a second Storage over the same memory, with a version of its own.
# Outside the garbage collector: what owns foreign memory (a NumPy array, another storage) does not refer back.
@cython.final
@cython.no_gc
@cython.freelist(512)
cdef class Storage:
    cdef char* data
    cdef int64_t nbytes
    cdef object owner            # whoever keeps the memory alive: None where it is this object's own block
    cdef uint32_t version        # counts in-place writes
    cdef bint holds_tangents     # tangents of several duals lie here: none is written in place
    cdef Block block             # the memory, where it is this object's own
    cdef Place written           # the line that last wrote in place

    def __reduce__(self):
        return (storage_from_bytes, ((<char*>self.data)[:self.nbytes],))

    def __len__(self):
        return self.nbytes

    def data_ptr(self):
        """The address of the memory."""
        return <size_t>self.data

cdef object out_of_memory(int64_t nbytes):
    return RuntimeError(f"DefaultCPUAllocator: can't allocate memory: you tried to allocate {nbytes} bytes. Error code 12 (Cannot allocate memory)")

cdef Storage new_storage(int64_t nbytes):
    cdef Storage storage = Storage.__new__(Storage)
    storage.data = <char*>allocate(nbytes)
    if storage.data == NULL:
        raise out_of_memory(nbytes)
    storage.nbytes = nbytes
    storage.block.data, storage.block.size = storage.data, nbytes
    return storage

def storage_from_bytes(bytes content):
    """A storage with a copy of `content` (unpickling uses this)."""
    cdef Storage storage = new_storage(len(content))
    memcpy(storage.data, <char*>content, len(content))
    return storage

cdef Storage foreign_storage(char* data, int64_t nbytes, object owner):
    """Memory of somebody else, kept alive by `owner`."""
    cdef Storage storage = Storage.__new__(Storage)
    storage.data, storage.nbytes, storage.owner = data, nbytes, owner
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
