# The gate of recording: the one place that asks what is tracked, and that records. Drivers only compute (Op.compute) and say where they are
# about to write in place (begin_write), so a driver is right whatever the graph state of its inputs.
cdef Call plain_call     # of every call that makes new tensors: nothing is put into it
plain_call.out = <PyObject*>None

cdef inline object execute_new(Op op, PyObject** args):
    """Runs an op's driver with every parameter given, below all interpreters, and records the call where an input is tracked."""
    cdef object result = op.compute(args, &plain_call)
    cdef uint64_t mask
    if CHECKED:
        check_tensors(result)
    if modes.grad and op.rule_total:
        mask = inputs_needing_grad(op, args)
        if mask and (modes.derivatives == 0 or is_alive(op, args)):
            if type(result) is Tensor and category[(<Tensor>result).code] == IS_FLOATING:
                record(op, args, mask, <Tensor>result)
            else:
                record_result(op, args, mask, result)
    return result

cdef object execute(Op op, PyObject** args, int mode, object out):
    """The same for any mode: a call that makes new tensors, or one that writes into its first argument, or into `out`."""
    cdef Call call
    cdef object result
    if mode == MODE_NEW:
        return execute_new(op, args)
    call.mode = mode
    call.out = <PyObject*>out
    if op.is_composition:
        return op.compute(args, &call)
    if mode == MODE_OUT:
        check_untracked_out(op, args, out)
        result = op.compute(args, &call)
        if CHECKED:
            check_tensors(result)
        count_writes(out)
        if op.fails_late and modes.grad and inputs_needing_grad(op, args):
            change_history(<Tensor>out, failing_node(f"derivative for aten::{op.name} is not implemented", <Tensor>out))
        return result
    if op.rule_total or not op.gives_booleans:
        check_tracked_write(<Tensor>args[0])
    call.given = args
    result = op.compute(args, &call)
    if CHECKED:
        check_tensors(result)
    mark_write((<Tensor>args[0]).storage)
    if call.node != NULL:
        finish_write(op, <OpNode>call.node, <Tensor>args[0])
    return result

cdef bint is_alive(Op op, PyObject** args) except -1:
    """Is any tracked input still to be differentiated by? What has escaped from a derivative that is over counts by what it reaches outside."""
    cdef object value
    cdef int index, i
    cdef PyObject* given
    if op.has_plain_rules:
        for i in range(op.rule_total):
            given = args[op.rule_parameters[i]]
            if is_tensor_object(given) and (<Tensor>given).depth <= modes.transforms and needs_grad(<Tensor>given):
                return True
    if modes.at_work or active_runs.size():
        return True
    for index in op.tensor_parameters:
        value = <object>args[index]
        for value in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(value, Tensor) and needs_grad(<Tensor>value) and (
                    (<Tensor>value).depth <= modes.transforms or reaches_depth((value,), [], modes.transforms + 1, False, None)):
                return True
    return False

cdef inline uint64_t inputs_needing_grad(Op op, PyObject** args) noexcept:
    """One bit for each rule whose input is tracked."""
    cdef uint64_t mask = 0
    cdef int i
    cdef PyObject* value
    if not op.has_plain_rules:
        return inputs_of_lists_needing_grad(op, args)
    for i in range(op.rule_total):
        value = args[op.rule_parameters[i]]
        if is_tensor_object(value) and needs_grad(<Tensor>value):
            mask |= <uint64_t>1 << i
    return mask

cdef uint64_t inputs_of_lists_needing_grad(Op op, PyObject** args) noexcept:
    cdef uint64_t mask = 0
    cdef int i, index
    for i in range(op.rule_total):
        if op.rule_parameters[i] >= 0:
            if any_tracked(<object>args[op.rule_parameters[i]]):
                mask |= <uint64_t>1 << i
            continue
        for index in op.tensor_parameters:
            if any_tracked(<object>args[index]):
                return 1
    return mask

cdef bint any_tracked(object value) noexcept:
    """Is it a tracked tensor, or a list or tuple with one?"""
    cdef Py_ssize_t i
    cdef PyObject** items
    if is_tensor_object(<PyObject*>value):
        return needs_grad(<Tensor>value)
    if type(value) is list or type(value) is tuple:
        items = PySequence_Fast_ITEMS(value)
        for i in range(PySequence_Fast_GET_SIZE(value)):
            if is_tensor_object(items[i]) and needs_grad(<Tensor>items[i]):
                return True
    return False

cdef inline bint is_recorded_now(Tensor a, Tensor b):
    """Would an op on these be recorded? (For what is computed another way where nobody looks at the graph.)"""
    return modes.grad and (needs_grad(a) or needs_grad(b))

cdef int record_result(Op op, PyObject** args, uint64_t mask, object result) except -1:
    """Records a call with new outputs."""
    if is_tensor_object(<PyObject*>result):
        if op.refuses_complex and category[(<Tensor>result).code] == IS_COMPLEX:
            raise complex_refused(op)
        if category[(<Tensor>result).code] >= IS_FLOATING:
            record(op, args, mask, <Tensor>result)
        elif op.takes_dtype or op.fills_copy:
            raise RuntimeError(f"Autograd not support dtype: {c10_name((<Tensor>result).code)}")
        return 0
    if op.refuses_complex and len(result) and category[(<Tensor>result[0]).code] == IS_COMPLEX:
        raise complex_refused(op)
    return record_many(op, args, mask, result)

cdef object complex_refused(Op op):
    return RuntimeError(f"{getattr(op, 'title', op.name)} does not support automatic differentiation for outputs with complex dtype.")

cdef int record_as(Op op, PyObject** args, Tensor out) except -1:
    """Links `out` with the first argument as if `op` had made it."""
    return record(op, args, 1, out)

cdef int record_alias(Tensor source, Tensor out) except -1:
    """Links `out`, another tensor over the memory of `source`, with it."""
    cdef PyObject* args[1]
    args[0] = <PyObject*>source
    return record(ops.alias, args, 1, out)

def record_call(Op op, tuple args, outputs):
    """Records `outputs` (a tensor or a tuple of them, new and without history) as if op(*args) had just computed them."""
    cdef PyObject** given = <PyObject**>PySequence_Fast_ITEMS(args)
    cdef uint64_t mask = inputs_needing_grad(op, given) if modes.grad else 0
    if mask:
        record_result(op, given, mask, outputs)
    return outputs


# ------------------------------------------------------------------------------------------------------------------ writes in place
cdef int begin_write(Op op, Call* call) except -1:
    """The driver of an in-place call is about to write into the first argument. What rules want to know of it is kept before."""
    cdef PyObject** args = call.given
    cdef Tensor target = <Tensor>args[0]
    cdef OpNode node
    cdef uint64_t mask
    if not op.rule_total:
        return check_untracked_write(target)
    check_write(target)
    # (What puts a tracked number into whole numbers makes them tracked, in PyTorch too, though no derivative leads through them.)
    if modes.grad and (category[target.code] >= IS_FLOATING or op.gives_booleans or op.fills_copy and op is not ops.copy):
        mask = inputs_needing_grad(op, args)
        if mask:
            node = start_write(op, args, mask)
            Py_INCREF(node)
            call.node = <PyObject*>node
    return 0

cdef OpNode start_write(Op op, PyObject** args, uint64_t mask):
    """The node of a write that is to be recorded."""
    cdef OpNode node = start_node(op, args, mask, True)
    node.variant += op.in_place_shift
    return node

cdef int finish_write(Op op, OpNode node, Tensor out) except -1:
    """After the write: `out` is an output of the node."""
    if op.backward_names == ("NotImplemented",):
        rebase_history(out, failing_in_place(op, node, out))
        return 0
    describe_output(node, out)
    if op.is_view:
        # Only its geometry changed: a base, where it has one, has nothing to see.
        set_history(out, node, 0)
        out.seen_version = out.storage.version
    else:
        rebase_history(out, node)
    return save_outputs(node, out)

cdef int count_writes(object out) except -1:
    if isinstance(out, Tensor):
        mark_write((<Tensor>out).storage)
        return 0
    for item in out:
        mark_write((<Tensor>item).storage)
    return 0


# ------------------------------------------------------------------------------------------------------------------ out=
cdef object tracked_out(Op op, bint underived):
    """The error of a call with `out=` that would have to be recorded."""
    cdef str title = ("aten::" if underived else "") + getattr(op, "title", op.name)
    return RuntimeError(f"{title}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.")

cdef int check_untracked_out(Op op, PyObject** args, object out) except -1:
    """Is what `out=` was given a tensor (or are they tensors), and is nothing to be recorded? (Ops without derivative do not ask.)"""
    cdef Tensor given
    cdef object item
    cdef bint underived = not op.rule_total or op.fails_late
    for item in out if PyTuple_GET_SIZE(op.outputs) > 1 and isinstance(out, (tuple, list)) else (out,):
        if not isinstance(item, Tensor):
            raise TypeError(f"{op.name}(): argument 'out' must be Tensor, not {type(item).__name__}")
        given = <Tensor>item
        if modes.grad and not op.gives_booleans and (needs_grad(given) or not underived and inputs_needing_grad(op, args)):
            raise tracked_out(op, underived)
        if op.wants_booleans and given.code != BOOL and category[(<Tensor?><object>args[0]).code] != IS_COMPLEX:
            raise RuntimeError(f"{op.name} does not support non-boolean outputs.")
    return 0
