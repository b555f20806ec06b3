# Plain calls of ops that read elements where integer tensors point, or that write into a part of their result.
cdef enum:
    MOST_INDICES = 4

cdef object gathered(PlainOp op, PyObject** args, Frame* frame):
    """gather(x, dim, index)"""
    cdef Tensor x = <Tensor>args[0], index = <Tensor>args[2]
    cdef int d
    if index.count == 0 or index.geometry.ndim != x.geometry.ndim:
        return None
    for d in range(x.geometry.ndim):
        if d != frame.numbers[0].i and index.geometry.shape[d] > x.geometry.shape[d]:
            return None
    return only_output(frame, new_like_shape(x.code, index.geometry))

cdef object put_in_place_of(Frame* frame, Tensor x, int at, Tensor index):
    """An output of x's sizes, with those of `index` instead of the dimension `at`; None where there is nothing to point at, or with."""
    cdef int64_t* sizes = frame.room[0]
    cdef int d, n = index.geometry.ndim, ndim = x.geometry.ndim
    if n == 0 or ndim + n >= MAX_DIMS or index.count == 0 or x.geometry.shape[at] == 0:
        return None
    for d in range(at):
        sizes[d] = x.geometry.shape[d]
    for d in range(n):
        sizes[at + d] = index.geometry.shape[d]
    for d in range(at + 1, ndim):
        sizes[d + n - 1] = x.geometry.shape[d]
    return only_output(frame, new_contiguous(x.code, sizes, ndim + n - 1))

cdef object sliced(PlainOp op, PyObject** args, Frame* frame):
    """index_select(x, dim, index)"""
    cdef Tensor index = <Tensor>args[2]
    return put_in_place_of(frame, <Tensor>args[0], <int>frame.numbers[0].i, index) if index.geometry.ndim == 1 else None

cdef object looked_up(PlainOp op, PyObject** args, Frame* frame):
    """embedding(x, index): index_select of x's rows, whatever the shape of the index."""
    cdef Tensor x = <Tensor>args[0], index = <Tensor>args[1]
    cdef int64_t* rows = frame.room[1]
    cdef int64_t* one = frame.room[2]
    if x.geometry.ndim != 2 or not index.flags & CONTIGUOUS:
        return None
    out = put_in_place_of(frame, x, 0, index)
    rows[0], rows[1], one[0] = index.count, x.geometry.shape[1], 1
    frame.numbers[0].i = 0
    frame.arrays[0].ndim, frame.arrays[0].shape, frame.arrays[0].strides = 2, rows, x.geometry.strides
    frame.arrays[2].ndim, frame.arrays[2].shape, frame.arrays[2].strides = 1, rows, one
    return out

cdef object indexed(PlainOp op, PyObject** args, Frame* frame):
    """x[:, i, j]: indices that broadcast, for neighbouring dimensions. (As in PyTorch, a result without elements checks nothing.)"""
    cdef Tensor x = <Tensor>args[0], out
    cdef list given
    cdef int lead = 0, count
    if type(<object>args[1]) is not list:
        return None
    given = <list><object>args[1]
    count = PyList_GET_SIZE(given)
    if count == 1 and x.geometry.ndim and x.geometry.row_major() and is_of_kind(PyList_GET_ITEM(given, 0), INTEGERS) and \
            (<Tensor>PyList_GET_ITEM(given, 0)).flags & CONTIGUOUS:
        out = put_in_place_of(frame, x, 0, <Tensor>PyList_GET_ITEM(given, 0))
        frame.arrays[2] = array_of(<Tensor>PyList_GET_ITEM(given, 0))
    else:
        while lead < count and <object>PyList_GET_ITEM(given, lead) is None:
            lead += 1
        out = side_by_side(frame, x, given, lead, count - lead)
    frame.count = 0 if out is None or out.count == 0 else 2 + count - lead
    return out

cdef int common_sizes(Frame* frame, Tensor x, list given, int lead, int count) except -2:
    """What the indices broadcast to, in room[1], and their strides as such from room[5] on; how many dimensions that is, -1: no plain call."""
    cdef int64_t* sizes = frame.room[1]
    cdef int64_t size
    cdef Tensor index
    cdef int k, d, n = 0
    for k in range(count):
        if not is_of_kind(PyList_GET_ITEM(given, lead + k), INTEGERS):
            return -1
        index = <Tensor>PyList_GET_ITEM(given, lead + k)
        if index.count == 0 or x.geometry.shape[lead + k] == 0:
            return -1
        n = max(n, index.geometry.ndim)
    if n == 0 or x.geometry.ndim + n >= MAX_DIMS:
        return -1
    for d in range(n):
        sizes[d] = 1
    for k in range(count):
        index = <Tensor>PyList_GET_ITEM(given, lead + k)
        for d in range(n):
            size = 1 if d < n - index.geometry.ndim else index.geometry.shape[d - n + index.geometry.ndim]
            frame.room[5 + k][d] = 0 if size == 1 else index.geometry.strides[d - n + index.geometry.ndim]
            if size != 1:
                if sizes[d] != 1 and sizes[d] != size:
                    return -1
                sizes[d] = size
    return n

cdef Tensor side_by_side(Frame* frame, Tensor x, list given, int lead, int count):
    """The elements of `x` where `count` indices point, along the dimensions from `lead` on; None where that is not plain."""
    cdef int64_t* wide = frame.room[0]       # sizes of the result
    cdef int64_t* front = frame.room[1]      # the same with the dimensions of the indices first, as the kernel takes them …
    cdef int64_t* steps = frame.room[2]      # … and its strides
    cdef int64_t* source = frame.room[3]     # those of x, the indexed dimensions first
    cdef int64_t* source_steps = frame.room[4]
    cdef bint plain = x.geometry.row_major()
    cdef Tensor out
    cdef int n, d, k, rest, ndim = x.geometry.ndim
    if count < 1 or count > MOST_INDICES or lead + count > ndim:
        return None
    n = common_sizes(frame, x, given, lead, count)
    if n < 0:
        return None
    for k in range(count):
        source[k], source_steps[k] = x.geometry.shape[lead + k], x.geometry.strides[lead + k]
        plain = plain and (<Tensor>PyList_GET_ITEM(given, lead + k)).flags & CONTIGUOUS
    for d in range(n):
        wide[lead + d] = front[d]
    rest = 0
    for d in range(ndim):
        if d < lead or d >= lead + count:
            wide[d if d < lead else d - count + n] = front[n + rest] = source[count + rest] = x.geometry.shape[d]
            source_steps[count + rest] = x.geometry.strides[d]
            rest += 1
    out = new_contiguous(x.code, wide, n + rest)
    if not (plain and out.count) and n + rest > 1:
        follow_indexed(frame, out, x, lead, count, n)
    only_output(frame, out)
    for d in range(n):
        steps[d] = out.geometry.strides[lead + d]
    for d in range(rest):
        steps[n + d] = out.geometry.strides[d if d < lead else d + n]
    frame.arrays[0].shape, frame.arrays[0].strides = front, steps
    frame.arrays[1].shape, frame.arrays[1].strides = source, source_steps
    for k in range(count):
        frame.arrays[2 + k] = array_of(<Tensor>PyList_GET_ITEM(given, lead + k))
        frame.arrays[2 + k].ndim, frame.arrays[2 + k].shape, frame.arrays[2 + k].strides = n, front, frame.room[5 + k]
    return out

cdef int follow_indexed(Frame* frame, Tensor out, Tensor x, int lead, int count, int n) except -1:
    """Gives the result the order of dimensions that x and the indices have, broadcast to it."""
    cdef Geometry laid[1 + MOST_INDICES]
    cdef const Geometry* seen[1 + MOST_INDICES]
    cdef int k, d
    for k in range(1 + count):
        laid[k].set_shape(out.geometry.shape, out.geometry.ndim)
        for d in range(out.geometry.ndim):
            laid[k].strides[d] = 0
        seen[k] = &laid[k]
    for d in range(x.geometry.ndim):
        if d < lead or d >= lead + count:
            laid[0].strides[d if d < lead else d - count + n] = x.geometry.strides[d]
    for k in range(count):
        for d in range(n):
            laid[1 + k].strides[lead + d] = frame.room[5 + k][d]
    follow_strides(out.geometry, seen, 1 + count)
    update_contiguous(out)
    return 0


cdef object placed(PlainOp op, PyObject** args, Frame* frame):
    """op(x, sizes, …): zeros of the given sizes but for the part that `view(zeros, …)` shows, which is x."""
    cdef Tensor x = <Tensor>args[0], out, part
    cdef int64_t* sizes = frame.room[0]
    cdef PyObject* passed[MAX_PARAMETERS]
    cdef int i
    out = new_contiguous(x.code, sizes, read_sizes(<object>args[1], sizes))
    passed[0] = <PyObject*>out
    for i in range(1, op.view.parameter_count):
        passed[i] = args[i + 1]
    part = <Tensor>execute_new(op.view, passed)
    if not part.geometry.same_shape(x.geometry):
        return None
    zero_bytes(data_of(out), out.count * item_bytes[out.code])
    only_output(frame, part)
    frame.count = 2 if part.count else 0
    Py_INCREF(part)
    frame.held = <PyObject*>part
    return out

cdef object masked(PlainOp op, PyObject** args, Frame* frame):
    """op(x, mask, number): x with the number where the mask of its shape is True."""
    cdef Tensor x = <Tensor>args[0], out
    if not (<Tensor>args[1]).geometry.same_shape(x.geometry):
        return None
    out = new_like_shape(x.code, x.geometry)
    if out.count == 0:
        frame.count = 0
        return out
    check_fits(<object>args[2], x.code)
    copy_elements(out, x)
    write_number(<object>args[2], x.code, <double*>frame.room[0])
    only_output(frame, out)
    frame.arrays[1], frame.arrays[2] = frame.arrays[2], scalar_array(frame.room[0], x.code)
    return out
