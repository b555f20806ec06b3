# Plain calls of ops that treat a tensor row by row: softmax, running sums, layer_norm, nll_loss.
cdef object along(PlainOp op, PyObject** args, Frame* frame):
    """Outputs of the first tensor's sizes, which all tensors have, as they have its dtype."""
    if (<Tensor>args[0]).count == 0 or op.tensor_count > 1 and not are_like_first(op, args):
        return None
    if op.output_count == 1:
        return only_output(frame, new_like_shape((<Tensor>args[0]).code, (<Tensor>args[0]).geometry))
    return two_outputs(op, <Tensor>args[0], frame)

cdef bint are_like_first(PlainOp op, PyObject** args) noexcept:
    cdef Tensor x = <Tensor>args[0], other
    cdef int i
    for i in range(1, op.tensor_count):
        other = <Tensor>args[op.tensor_at[i]]
        if other.code != x.code or not other.geometry.same_shape(x.geometry):
            return False
    return True

cdef tuple two_outputs(PlainOp op, Tensor x, Frame* frame):
    cdef Tensor second = new_like_shape(INT64 if op.results == "si" else x.code, x.geometry)
    frame.arrays[1] = array_of(second)
    return only_output(frame, new_like_shape(x.code, x.geometry)), second

cdef inline bint is_vector_of(object value, int code, int64_t count) noexcept:
    """Is it None, or a contiguous vector of that dtype and number of elements?"""
    return value is None or (<Tensor>value).code == code and (<Tensor>value).count == count and \
        (<Tensor>value).geometry.ndim == 1 and (<Tensor>value).flags & CONTIGUOUS

cdef object normalized(PlainOp op, PyObject** args, Frame* frame):
    """layer_norm(x, (columns,), weight, bias): normalized rows, their means and reciprocal standard deviations."""
    cdef Tensor x = <Tensor>args[0], mean, deviation
    cdef int64_t* sizes = frame.room[0]
    cdef int64_t* matrix = frame.room[1]
    cdef int64_t* steps = frame.room[2]
    cdef int kept = x.geometry.ndim - 1, d
    if kept < 0 or x.count == 0 or not x.flags & CONTIGUOUS or PyLong_CheckExact(<object>args[1]) or read_sizes(<object>args[1], matrix) != 1:
        return None
    cdef int64_t columns = matrix[0]
    if columns != x.geometry.shape[kept] or not is_vector_of(<object>args[2], x.code, columns) or \
            not is_vector_of(<object>args[3], x.code, columns):
        return None
    for d in range(kept):
        sizes[d] = x.geometry.shape[d]
    sizes[kept] = 1
    mean, deviation = new_contiguous(x.code, sizes, kept + 1), new_contiguous(x.code, sizes, kept + 1)
    frame.arrays[1], frame.arrays[2] = array_of(mean), array_of(deviation)
    matrix[0], matrix[1], steps[0], steps[1] = x.count // columns, columns, columns, 1
    frame.arrays[3].ndim, frame.arrays[3].shape, frame.arrays[3].strides = 2, matrix, steps
    return only_output(frame, new_like_shape(x.code, x.geometry)), mean, deviation

cdef object labelled(PlainOp op, PyObject** args, Frame* frame):
    """nll_loss(x, target, weight, …) of a matrix: the loss of each row, or one of all, and the sum of the labels' weights."""
    cdef Tensor x = <Tensor>args[0], target = <Tensor>args[1], loss, total
    if x.geometry.ndim != 2 or target.geometry.ndim != 1 or x.geometry.shape[0] != target.geometry.shape[0] or \
            not is_vector_of(<object>args[2], x.code, x.geometry.shape[1]):
        return None
    loss = new_like_shape(x.code, target.geometry) if frame.numbers[0].i == 0 else new_contiguous(x.code, NULL, 0)
    total = new_contiguous(x.code, NULL, 0)
    frame.arrays[0], frame.arrays[1] = array_of(loss), array_of(total)
    frame.work = x.count
    return loss, total
