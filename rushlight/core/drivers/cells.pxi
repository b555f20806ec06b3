# One step of a recurrent net: its ops, recorded one by one as PyTorch's, without a look at Python between.
cdef inline object applied(Op op, object x):
    cdef PyObject* args[MAX_PARAMETERS]
    args[0] = <PyObject*>x
    return called_with(op, args, 1)

cdef tuple in_columns(Tensor x, int64_t count):
    """x.unsafe_chunk(count, 1) of a matrix whose columns are so many of each."""
    cdef PyObject* args[MAX_PARAMETERS]
    cdef object width = x.geometry.shape[1] // count, sizes = (width,) * count, dim = 1
    args[0], args[1], args[2] = <PyObject*>x, <PyObject*>sizes, <PyObject*>dim
    return called_with(ops.unsafe_split, args, 3)

def lstm_gates(Tensor from_state not None, Tensor from_input not None, Tensor c not None):
    """The state (h, c) of an LSTM after a step, by what its state and its input give to all gates [batch, 4 * units], and its c."""
    cdef Tensor given = operate(ops.add, from_state, from_input)
    if given.geometry.ndim != 2 or given.geometry.shape[1] % 4 or given.geometry.shape[1] == 0:
        i, f, g, o = given.unsafe_chunk(4, 1)
    else:
        i, f, g, o = in_columns(given, 4)
    c = operate(ops.add, operate(ops.mul, applied(ops.sigmoid, f), c), operate(ops.mul, applied(ops.sigmoid, i), applied(ops.tanh, g)))
    return operate(ops.mul, applied(ops.sigmoid, o), applied(ops.tanh, c)), c

def fits_cell(Tensor x not None, states, Tensor w_ih not None, Tensor w_hh not None, int64_t gates):
    """Do sizes fit: of the input [batch, in], states [batch, units], and the weights of that many gates?"""
    cdef int64_t units
    cdef object state
    if x.geometry.ndim != 2 or w_hh.geometry.ndim != 2 or w_ih.geometry.ndim != 2:
        return False
    units = w_hh.geometry.shape[1]
    if w_ih.geometry.shape[0] != gates * units or w_ih.geometry.shape[1] != x.geometry.shape[1]:
        return False
    for state in states:
        if not isinstance(state, Tensor) or (<Tensor>state).geometry.ndim != 2 or (<Tensor>state).geometry.shape[0] != x.geometry.shape[0] or \
                (<Tensor>state).geometry.shape[1] != units:
            return False
    return True
