# Conjugates and negatives that are carried out only when their elements are needed: CONJUGATE and NEGATIVE among a tensor's flags.
#
# Views keep the flags, or turn them (`takes_lazy`); every other op gets tensors of which they are resolved, and what it writes into such a
# tensor goes through them. Recording is about the tensors that the program gave.
cdef bint lazy_exist = False          # from the first one on, calls look at their arguments
cdef bint subclasses_exist = False


cdef void notice_lazy() noexcept:
    global lazy_exist, uncommon_exist
    lazy_exist = uncommon_exist = True

cdef bint is_lazy(PyObject* value) noexcept:
    """Whether `value` is a tensor, or a list or tuple with a tensor, that does not stand for its memory as it is."""
    cdef object item
    if is_tensor_object(value):
        return (<Tensor>value).flags & LAZY != 0
    if isinstance(<object>value, (list, tuple)):
        for item in <object>value:
            if is_tensor_object(<PyObject*>item) and (<Tensor>item).flags & LAZY:
                return True
    return False

cdef bint are_common(PyObject* const* args, Py_ssize_t n) noexcept:
    """Whether the arguments of a call need no more than their op, although there are uncommon tensors."""
    cdef Py_ssize_t i
    if subclasses_exist:
        return False
    for i in range(n):
        if is_lazy(args[i]) or meta_exist and has_meta(args[i]):
            return False
    return True

cdef bint has_lazy(Op op, PyObject** args, object out) noexcept:
    """Whether a call must resolve arguments."""
    cdef int i
    if op.takes_lazy:
        return False
    for i in range(op.parameter_count):
        if is_lazy(args[i]):
            return True
    return out is not None and is_lazy(<PyObject*>out)


cdef object resolved_items(object value):
    """An argument with each tensor resolved."""
    cdef Depth depth
    if isinstance(value, Tensor):
        return resolved(<Tensor>value)
    if (type(value) is list or type(value) is tuple) and is_lazy(<PyObject*>value):
        depth.enter()
        return type(value)([resolved_items(item) for item in value])
    return value

cdef inline object execute_resolved(Op op, PyObject** args, int mode, object out):
    """`execute`, with lazy arguments resolved where the op does not take them."""
    return execute_lazily(op, args, mode, out) if lazy_exist and has_lazy(op, args, out) else execute(op, args, mode, out)

cdef object execute_lazily(Op op, PyObject** args, int mode, object out):
    """A call with lazy arguments: computed with resolved ones, and recorded as the program wrote it."""
    cdef Call call
    cdef PyObject* passed[MAX_PARAMETERS]
    cdef list held = []
    cdef uint64_t mask
    cdef object result, value, made
    cdef int i
    if op.is_composition:
        return op.function(*pack_arguments(op, args)) if out is None else op.function(*pack_arguments(op, args), out=out)
    if mode == MODE_OUT:
        check_untracked_out(op, args, out)
    elif mode == MODE_IN_PLACE:
        check_tracked_write(<Tensor>args[0])
        if is_lazy(args[0]):
            check_no_overlap(<Tensor>args[0])
    for i in range(op.parameter_count):
        value = resolved_items(<object>args[i])
        held.append(value)
        passed[i] = <PyObject*>value
    made = resolved_items(out)
    call.mode, call.given, call.out = mode, args, <PyObject*>made
    result = op.compute(passed, &call)
    if mode == MODE_NEW:
        mask = inputs_needing_grad(op, args) if modes.grad else 0
        if mask:
            record_result(op, args, mask, result)
        return result
    if mode == MODE_IN_PLACE:
        put_back(<Tensor>args[0], <Tensor>passed[0])
        if call.node != NULL:
            finish_write(op, <OpNode>call.node, <Tensor>args[0])
        return <object>args[0]
    if isinstance(out, Tensor):
        put_back(<Tensor>out, <Tensor>made)
        return out
    for value, result in zip(out, made):
        put_back(<Tensor>value, <Tensor>result)
    return tuple(out) if op.result_type is None else op.result_type.written(out)

cdef int put_back(Tensor target, Tensor made) except -1:
    """Counts what was written into `made`, and puts it into the lazy tensor that it stood for."""
    if made is not target:
        if not target.geometry.same_shape(made.geometry):
            resize_in_place(target, made.geometry)
        copy_elements(target, made)
    mark_write(target.storage)
    return 0

def set_lazy(Tensor x not None, bint conjugate, bint negative):
    """Says what the elements of `x` are to what lies in its memory."""
    if conjugate and category[x.code] != IS_COMPLEX:
        raise RuntimeError("only complex tensors have conjugates")
    x.flags = x.flags & ~LAZY | (CONJUGATE if conjugate else 0) | (NEGATIVE if negative else 0)
    if x.flags & LAZY:
        notice_lazy()
    return x
