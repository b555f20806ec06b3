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

    cdef object forward(self, PyObject** args, int mode, object out_object):
        cdef object tensors = <object>args[0], dim = <object>args[1]
        cdef PyObject** items
        cdef Py_ssize_t n, i
        cdef Tensor x, first, out
        cdef int64_t sizes[MAX_DIMS]
        cdef int64_t total = 0
        cdef int d, at, ndim, count
        cdef uint8_t all_flags = CONTIGUOUS, any_flags = 0
        if mode != MODE_NEW or not (type(tensors) is tuple or type(tensors) is list) or not PyLong_CheckExact(dim):
            return GeneralOp.forward(self, args, mode, out_object)
        items = PySequence_Fast_ITEMS(tensors)
        n = PySequence_Fast_GET_SIZE(tensors)
        if n == 0 or n > MANY_PIECES or not PyObject_TypeCheck(<object>items[0], <PyTypeObject*>Tensor):
            return GeneralOp.forward(self, args, mode, out_object)
        first = <Tensor>items[0]
        ndim = first.geometry.ndim
        if ndim + self.stacks == 0 or ndim + 1 >= MAX_DIMS:
            return GeneralOp.forward(self, args, mode, out_object)
        count = ndim + self.stacks
        if not -count <= dim < count:
            return GeneralOp.forward(self, args, mode, out_object)
        at = dim
        at += count if at < 0 else 0
        for i in range(n):
            if not PyObject_TypeCheck(<object>items[i], <PyTypeObject*>Tensor):
                return GeneralOp.forward(self, args, mode, out_object)
            x = <Tensor>items[i]
            if x.code != first.code or x.geometry.ndim != ndim:
                return GeneralOp.forward(self, args, mode, out_object)
            for d in range(ndim):
                if x.geometry.shape[d] != first.geometry.shape[d] and (self.stacks or d != at):
                    return GeneralOp.forward(self, args, mode, out_object)
            all_flags &= x.flags
            any_flags |= x.flags
            if not self.stacks:
                total += x.geometry.shape[at]
        if not all_flags & CONTIGUOUS and 4 <= ndim <= 5:
            return GeneralOp.forward(self, args, mode, out_object)    # the result may have the order of channels_last
        for d in range(ndim):
            sizes[d + (self.stacks and d >= at)] = first.geometry.shape[d]
        sizes[at] = n if self.stacks else total
        out = new_contiguous(first.code, sizes, count)
        if out.count:
            put_pieces(out, items, n, at, all_flags & CONTIGUOUS)
        if any_flags & REQUIRES_GRAD and modes.grad and category[out.code] >= IS_FLOATING:
            record_joined(self, args, items, n, out)
        return out

cdef int put_pieces(Tensor out, PyObject** items, Py_ssize_t n, int at, bint contiguous) except -1:
    """Writes the pieces behind each other into `out`."""
    cdef int64_t outer = 1, size = item_bytes[out.code], chunk, row
    cdef Py_ssize_t i
    cdef int d
    cdef char* to = out.data_pointer
    cdef Tensor x
    for d in range(at):
        outer *= out.geometry.shape[d]
    if contiguous and out.count * size <= SMALL_BYTES:
        for row in range(outer):
            for i in range(n):
                x = <Tensor>items[i]
                chunk = x.count // outer * size
                memcpy(to, x.data_pointer + row * chunk, chunk)
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

cdef int record_joined(Op op, PyObject** args, PyObject** items, Py_ssize_t n, Tensor out) except -1:
    """Records a call whose one list of tensors has an edge for each."""
    cdef OpNode node = OpNode.__new__(OpNode)
    cdef Plan plan = plan_for(op, 1)
    cdef tuple saved = tuple_of_none(plan.saved_count), next_nodes = PyTuple_New(n)
    cdef Py_ssize_t i
    cdef int place
    cdef object value, edge
    cdef Tensor x
    cdef bint known = True      # do the nodes behind all edges know the shapes?
    node.plan = plan
    node.sequence = next_sequence()
    node.remember_line()
    for i in range(n):
        x = <Tensor>items[i]
        edge = None
        if x.flags & REQUIRES_GRAD:
            if i < MAX_LEAF_EDGES and has_leaf_edge(x):
                edge = x
                node.leaf_edges |= <uint64_t>1 << i
            else:
                edge = edge_of(x)
            if x.output_number:
                node.next_outputs.resize(n)
                node.next_outputs[i] = x.output_number
        known = known and edge is not None and not x.output_number
        Py_INCREF(edge)
        PyTuple_SET_ITEM(next_nodes, i, edge)
    node.next_nodes = next_nodes
    for place in range(plan.saved_count):
        if plan.saved_kind[place] == FROM_SHAPE:
            value = None if known else tuple([shape_of(<Tensor>items[i]) for i in range(n)])
        else:
            value = <object>args[plan.saved_index[place]]
        Py_INCREF(value)
        Py_DECREF(None)
        PyTuple_SET_ITEM(saved, place, value)
    node.saved = saved
    describe_output(node, out)
    set_history(out, node, 0)
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
            pieces.append(op_slice(x, at, begin, end, step))
        else:
            args[0], args[1], args[2], args[3], args[4] = <PyObject*>x, <PyObject*>at, <PyObject*>begin, <PyObject*>end, <PyObject*>step
            pieces.append(op_slice.forward(args, MODE_NEW, None))
        start += size
    return pieces
