# Plain calls of cat and stack, which put tensors behind each other; and the other way round.
cdef enum:
    SMALL_BYTES = 1 << 14    # what is copied at once, rather than by a kernel

cdef object joined(PlainOp op, PyObject** args, Frame* frame):
    """cat(tensors, dim)"""
    return behind_each_other(<object>args[0], frame, False)

cdef object stacked(PlainOp op, PyObject** args, Frame* frame):
    """stack(tensors, dim)"""
    return behind_each_other(<object>args[0], frame, True)

cdef object behind_each_other(object tensors, Frame* frame, bint stacks):
    """Tensors of one dtype along a dimension, in which alone their sizes differ, or (`stacks`) along a new one."""
    cdef PyObject** items = PySequence_Fast_ITEMS(tensors)
    cdef int64_t* sizes = frame.room[0]
    cdef int64_t total = 0, at = frame.numbers[0].i
    cdef uint8_t all_flags = CONTIGUOUS
    cdef Py_ssize_t n = PySequence_Fast_GET_SIZE(tensors), i
    cdef Tensor x, first, out
    cdef int d, ndim, count
    if n == 0 or n > MANY_PIECES or not is_of_kind(items[0], TENSOR):
        return None
    first = <Tensor>items[0]
    ndim = first.geometry.ndim
    count = ndim + stacks
    at += count if at < 0 else 0
    if not 0 <= at < count or ndim + 1 >= MAX_DIMS:
        return None
    for i in range(n):
        if not is_of_kind(items[i], TENSOR):
            return None
        x = <Tensor>items[i]
        if x.code != first.code or x.geometry.ndim != ndim:
            return None
        for d in range(ndim):
            if x.geometry.shape[d] != first.geometry.shape[d] and (stacks or d != at):
                return None
        all_flags &= x.flags
        if not stacks:
            total = checked_sum(total, x.geometry.shape[at])
    if not all_flags & CONTIGUOUS and 4 <= ndim <= 5:
        return None      # the result may have the order of channels_last
    for d in range(ndim):
        sizes[d + (stacks and d >= at)] = first.geometry.shape[d]
    sizes[at] = n if stacks else total
    out = new_contiguous(first.code, sizes, count)
    if all_flags & CONTIGUOUS and out.count * item_bytes[out.code] <= SMALL_BYTES:
        put_small_pieces(out, items, n, at)
        frame.count = 0
        return out
    if type(tensors) is list:
        tensors = PyList_AsTuple(tensors)      # (other threads run while the kernel does)
        Py_INCREF(tensors)
        frame.held = <PyObject*>tensors
    only_output(frame, out)
    for i in range(n):
        frame.arrays[i + 1] = array_of(<Tensor>items[i])
    frame.numbers[0].i = at
    frame.count = 1 + n if out.count else 0
    return out

cdef int put_small_pieces(Tensor out, PyObject** items, Py_ssize_t n, int at) except -1:
    """Writes contiguous pieces behind each other into `out`."""
    cdef int64_t outer = 1, chunk, row
    cdef Py_ssize_t i
    cdef int d
    cdef char* to = data_of(out)
    cdef Tensor x
    if out.count == 0:
        return 0
    for d in range(at):
        outer *= out.geometry.shape[d]
    for row in range(outer):
        for i in range(n):
            x = <Tensor>items[i]
            chunk = x.count // outer * item_bytes[out.code]
            copy_bytes(to, data_of(x) + row * chunk, chunk)
            to += chunk
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
        args[0], args[1], args[2], args[3], args[4] = <PyObject*>x, <PyObject*>at, <PyObject*>begin, <PyObject*>end, <PyObject*>step
        pieces.append(call_new(ops.slice, args))
        start += size
    return pieces
