# Ops on tensors of device "meta", which have a shape and a dtype but no memory: they tell what their results would be. While one runs, what it
# makes has no memory either (`modes.meta`), no kernel runs on such tensors (`launch`), and the way is the general one, on which drivers do not
# touch elements themselves.
cdef object execute_meta(Op op, PyObject** args, int mode, object out):
    """A call of an op with a tensor without memory."""
    cdef MetaCall within
    require_one_place(op, args)
    if mode != MODE_NEW and not op.any_place:
        require_written_place(op, args, mode, out)
    within.begin()
    try:
        return execute_resolved(op, args, mode, out)
    except RuntimeError as error:
        if error.args != (NO_ITEM,):
            raise
        raise NotImplementedError(f"aten::{getattr(op, 'title', '') or op.name}: attempted to run this operator with Meta tensors, but there was no fake "
                                  "impl or Meta kernel registered.") from None

cdef int require_one_place(Op op, PyObject** args) except -1:
    """Refuses tensors with memory beside such without; those of no dimension are numbers, and indices may lie anywhere."""
    cdef Tensor first = None, t
    cdef int i
    cdef bint listed
    if op.any_place:
        return 0
    for i in range(op.parameter_count):
        listed = isinstance(<object>args[i], (list, tuple))
        for item in <object>args[i] if listed else (<object>args[i],):
            if not isinstance(item, Tensor) or (<Tensor>item).geometry.ndim == 0:
                continue
            t = <Tensor>item
            if first is None:
                first = t
            elif is_meta(t) != is_meta(first) and (is_meta(t) or op.promotes or listed):
                raise RuntimeError(f"Tensor on device {t.device} is not on the expected device {first.device}!")
    return 0

cdef int require_written_place(Op op, PyObject** args, int mode, object out) except -1:
    """Refuses to write what is computed of tensors without memory into one with memory, and the other way round."""
    cdef bint of_meta = any_meta_of(args, op.parameter_count)
    if mode == MODE_OUT and (of_meta or any_array_of(args, op.parameter_count)):
        for target in out if isinstance(out, (list, tuple)) else (out,):
            if isinstance(target, Tensor):
                require_same_place(<Tensor>target, of_meta)
    elif mode == MODE_IN_PLACE and of_meta and not is_meta(<Tensor>args[0]):
        raise RuntimeError(f"Expected all tensors to be on the same device, but {op.name} would write into a tensor on cpu what it computes of "
                           "tensors on meta")
    return 0

cdef bint any_array_of(PyObject* const* values, Py_ssize_t count) noexcept:
    """Whether one of the values is a tensor with dimensions."""
    cdef Py_ssize_t i
    for i in range(count):
        if is_tensor_object(values[i]) and (<Tensor>values[i]).geometry.ndim:
            return True
    return False

cdef int require_output_place(PyObject* const* args, Py_ssize_t count, PyObject* names) except -1:
    """Refuses `out=` without memory for what a function computes of tensors with memory."""
    cdef Py_ssize_t i, total = PyTuple_GET_SIZE(<object>names)
    if any_meta_of(args, count) or not any_array_of(args, count):
        return 0
    for i in range(total):
        if (<tuple>names)[i] == "out":
            for target in <object>args[count + i] if isinstance(<object>args[count + i], (list, tuple)) else (<object>args[count + i],):
                if isinstance(target, Tensor):
                    require_same_place(<Tensor>target, False)
    return 0

cdef inline object execute_any(Op op, PyObject** args, int mode, object out):
    """`execute`, whatever the tensors among the arguments are."""
    cdef list kinds
    if meta_exist:
        if dispatching_exist and not modes.meta:
            kinds = dispatching_types((out, *pack_arguments(op, args)))
            if kinds:
                return execute_dispatched(op, args, mode, out, kinds)
            if is_elsewhere(op, args):
                return execute_meta(op, args, mode, out)
        if not modes.meta and (any_meta_of(args, op.parameter_count) or has_meta(<PyObject*>out)):
            return execute_meta(op, args, mode, out)
        if modes.meta and mode != MODE_NEW and not op.any_place:
            require_written_place(op, args, mode, out)      # (a step of a function whose results have no memory)
    return execute_resolved(op, args, mode, out)
