# How a gradient gets to where it goes: fitted to its target, and added to what is there.
cdef int deliver(BackwardRun run, Node node, Py_ssize_t i, object value) except -1:
    """Brings the gradient of input `i` of `node` to where it goes."""
    cdef Node target = edge_at(node, i)
    cdef int64_t below
    cdef uint32_t output
    if target is None or value is None:
        return 0
    output = next_output(node, i)
    below = slot_of(run, target)
    if output or type(value) is not Tensor or (<Tensor>value).code != target.dtype_code or \
            not (<Tensor>value).geometry.same_shape(target.shape):
        value = validate(node, target, output, i, value)
    if modes.anomaly and modes.anomaly_check_nan:
        check_nan(node, i, value)
    if not run.restricted or run.states[below].needed:
        add_gradient(run, below, output, value)
    return 0

cdef int add_gradient(BackwardRun run, int64_t slot, uint32_t output, object gradient) except -1:
    """One more contribution to the gradient of an output of a node."""
    cdef NodeState* state = &run.states[slot]
    cdef Node node = <Node>state.node
    cdef object total
    cdef list many
    if node.more_outputs is None:
        if state.gradient == NULL:
            Py_INCREF(gradient)
            state.gradient = <PyObject*>gradient
            return 0
        total = total_of(<object>state.gradient, gradient, state.owned)
        state = &run.states[slot]
        state.owned = not modes.grad
        Py_INCREF(total)
        Py_XDECREF(state.gradient)
        state.gradient = <PyObject*>total
        return 0
    if state.gradient == NULL:
        many = [None] * output_count(node)
        Py_INCREF(many)
        state.gradient = <PyObject*>many
    many = <list>state.gradient
    many[output] = gradient if many[output] is None else operate(ops.add, many[output], gradient)
    return 0

cdef object total_of(object have, object more, bint owned):
    cdef Tensor a = <Tensor>have
    cdef Tensor b = <Tensor>more
    if owned and not modes.grad and a.code == b.code and a.geometry.same_shape(b.geometry) and not modes.interpreters:
        return operate_in_place(ops.add, a, b)
    return operate(ops.add, have, more)

cdef tuple first_dims = (0,)

cdef Tensor summed_to(Tensor gradient, const Geometry& shape):
    """The gradient of what was broadcast, summed over the dimensions that this made."""
    cdef int d, lead = gradient.geometry.ndim - shape.ndim
    cdef Tensor total
    cdef PyObject* args[MAX_PARAMETERS]
    for d in range(shape.ndim):
        if gradient.geometry.shape[d + lead] != shape.shape[d]:
            return <Tensor>ops.sum_to_size(gradient, make_size(shape.shape, shape.ndim))
    if shape.ndim == 0:
        return <Tensor>ops.sum(gradient)
    # (A view of the sum, as in PyTorch, which keeps the summed dimensions at first.)
    dims = first_dims if lead == 1 else tuple(range(lead))
    args[0], args[1] = <PyObject*>gradient, <PyObject*>dims
    total = <Tensor>called_with(ops.sum, args, 2)
    if modes.grad or type(total) is not Tensor:
        return <Tensor>ops.view(total, make_size(shape.shape, shape.ndim))
    return make_view(total, total.geometry, 0)

COMPLEX_GRADIENT_TEXT = ("Expected isFloatingType(grad.scalar_type()) || (input_is_complex == grad_is_complex) to be true, but got false.  (Could "
                         "this error message be improved?  If so, please report an enhancement request to PyTorch.)")

cdef object validate(Node node, Node target, uint32_t output, Py_ssize_t index, object value):
    """The gradient with its target's shape and dtype: summed where it was broadcast, cast where dtypes were mixed."""
    cdef Tensor gradient
    cdef Geometry shape
    cdef int code
    cdef int64_t sizes[MAX_DIMS]
    if type(value) is not Tensor and not isinstance(value, Tensor):
        raise TypeError(f"{node.name()}: expected a Tensor or None as gradient {index}, got {type(value).__name__}")
    gradient = <Tensor>value
    if output == 0:
        if gradient.code == target.dtype_code and gradient.geometry.same_shape(target.shape):
            return gradient
        shape.copy(target.shape)
        code = target.dtype_code
    else:
        expected, code = target.more_outputs[output - 1]
        shape.set_shape(sizes, read_sizes(expected, sizes))
    if code != NO_DTYPE and category[gradient.code] == IS_COMPLEX and category[code] != IS_COMPLEX:
        if isinstance(node, OpNode) and not node.plan.op.takes_real_part:
            raise RuntimeError(COMPLEX_GRADIENT_TEXT)
        value = ops._real(gradient)
        gradient = <Tensor>value
    if not gradient.geometry.same_shape(shape):
        if not expandable(shape, gradient.geometry):
            raise RuntimeError(f"Function {node.name()} returned an invalid gradient at index {index} - got {list(gradient.shape)} but expected "
                               f"shape compatible with {list(make_tuple(shape.shape, shape.ndim))}")
        gradient = summed_to(gradient, shape)
        value = gradient
    if gradient.code != code and code != NO_DTYPE:
        value = ops._to_dtype(gradient, dtypes[code])
    return value

cdef int check_nan(Node node, Py_ssize_t index, Tensor value) except -1:
    value = plain_of(value)      # of a batch, any example
    if category[value.code] >= IS_FLOATING and bool((value != value).any()):
        error = RuntimeError(f"Function '{node.name()}' returned nan values in its {index}th output.")
        from rushlight.explain import _notes
        _notes.add_place(error, "forward", source_line(node.made.code, node.made.instruction))
        raise error
    return 0

cdef tuple validated(Node node, tuple results):
    """What a node gives, as its inputs take it: that is what hooks see."""
    cdef list found = []
    cdef Py_ssize_t i
    for i, value in enumerate(results):
        target = edge_at(node, i)
        found.append(value if target is None or value is None else validate(node, target, next_output(node, i), i, value))
    return tuple(found)
