# The short way of cat and stack. What is not plain (dtypes that differ, empty vectors, errors) takes the Python function's way.
cdef extern from "Python.h":
    PyObject** PySequence_Fast_ITEMS(object) noexcept
    Py_ssize_t PySequence_Fast_GET_SIZE(object) noexcept

cdef enum:
    SMALL_BYTES = 1 << 14    # what is copied at once, rather than by a kernel
    MANY_PIECES = 64

cdef KernelFunction cat_kernel = (<Kernel>kernel("cat")).function

@cython.final
cdef class JoinOp(GeneralOp):
    """An op that puts tensors one behind the other: along a dimension that they have, or (`stacks`) along a new one."""
    cdef bint stacks

    def configure(self, bint stacks):
        """Called once by the table, after construction."""
        self.stacks = stacks

    cdef object compute(self, PyObject** args, Call* call):
        cdef object tensors = <object>args[0], dim = <object>args[1]
        cdef PyObject** items
        cdef Py_ssize_t n, i
        cdef Tensor x, first, out
        cdef int64_t sizes[MAX_DIMS]
        cdef int64_t total = 0
        cdef int d, ndim, count
        cdef int64_t at
        cdef uint8_t all_flags = CONTIGUOUS
        if call.mode != MODE_NEW or not short_ways or not (type(tensors) is tuple or type(tensors) is list) or not PyLong_CheckExact(dim):
            return GeneralOp.compute(self, args, call)
        items = PySequence_Fast_ITEMS(tensors)
        n = PySequence_Fast_GET_SIZE(tensors)
        if n == 0 or n > MANY_PIECES or not PyObject_TypeCheck(<object>items[0], <PyTypeObject*>Tensor):
            return GeneralOp.compute(self, args, call)
        first = <Tensor>items[0]
        ndim = first.geometry.ndim
        if ndim + self.stacks == 0 or ndim + 1 >= MAX_DIMS:
            return GeneralOp.compute(self, args, call)
        count = ndim + self.stacks
        at = int64_of(dim)
        if not -count <= at < count:
            return GeneralOp.compute(self, args, call)
        at += count if at < 0 else 0
        for i in range(n):
            if not PyObject_TypeCheck(<object>items[i], <PyTypeObject*>Tensor):
                return GeneralOp.compute(self, args, call)
            x = <Tensor>items[i]
            if x.code != first.code or x.geometry.ndim != ndim:
                return GeneralOp.compute(self, args, call)
            for d in range(ndim):
                if x.geometry.shape[d] != first.geometry.shape[d] and (self.stacks or d != at):
                    return GeneralOp.compute(self, args, call)
            all_flags &= x.flags
            if not self.stacks:
                total = checked_sum(total, x.geometry.shape[at])
        if not all_flags & CONTIGUOUS and 4 <= ndim <= 5:
            return GeneralOp.compute(self, args, call)    # the result may have the order of channels_last
        for d in range(ndim):
            sizes[d + (self.stacks and d >= at)] = first.geometry.shape[d]
        sizes[at] = n if self.stacks else total
        out = new_contiguous(first.code, sizes, count)
        if out.count > 65536 and type(tensors) is list:
            tensors = PyList_AsTuple(tensors)      # (other threads run while the kernel does)
            items = PySequence_Fast_ITEMS(tensors)
        if out.count:
            put_pieces(out, items, n, at, all_flags & CONTIGUOUS)
        return out

cdef int put_pieces(Tensor out, PyObject** items, Py_ssize_t n, int at, bint contiguous) except -1:
    """Writes the pieces behind each other into `out`."""
    cdef int64_t outer = 1, size = item_bytes[out.code], chunk, row
    cdef Py_ssize_t i
    cdef int d
    cdef char* to = data_of(out)
    cdef Tensor x
    for d in range(at):
        outer *= out.geometry.shape[d]
    if contiguous and out.count * size <= SMALL_BYTES:
        for row in range(outer):
            for i in range(n):
                x = <Tensor>items[i]
                chunk = x.count // outer * size
                memcpy(to, data_of(x) + row * chunk, chunk)
                to += chunk
        return 0
    return put_large_pieces(out, items, n, at)

cdef int put_large_pieces(Tensor out, PyObject** items, Py_ssize_t n, int at) except -1:
    cdef Array arrays[MANY_PIECES + 1]
    cdef Number number
    cdef Py_ssize_t i
    arrays[0] = array_of(out)
    for i in range(n):
        arrays[i + 1] = array_of(<Tensor>items[i])
    number.i = at
    if out.count > 65536:
        with nogil:
            cat_kernel(arrays, <int>n + 1, &number)
    else:
        cat_kernel(arrays, <int>n + 1, &number)
    return 0

def windows(Tensor x, int dim, sizes):
    """x cut along `dim` into pieces of the given sizes, each a slice."""
    cdef int64_t start = 0, size
    cdef object step = 1, begin, end
    cdef PyObject* args[5]
    cdef list pieces = []
    cdef object at = dim
    for length in sizes:
        size = length
        begin, end = start, start + size
        if modes.interpreters:
            pieces.append(ops.slice(x, at, begin, end, step))
        else:
            args[0], args[1], args[2], args[3], args[4] = <PyObject*>x, <PyObject*>at, <PyObject*>begin, <PyObject*>end, <PyObject*>step
            pieces.append(execute_new(ops.slice, args))
        start += size
    return pieces
