# __torch_dispatch__: subclasses of Tensor that compute ops themselves, below the graph: a call is recorded on their tensors, and what they do to
# compute it is not. An op made of others is not theirs, but those are. Until a class has one, no call looks for it.
cdef bint dispatching_exist = False

# Functions that make tensors like another: those are theirs too.
cdef frozenset dispatched_functions = frozenset(
    "empty_like full_like new_empty new_empty_strided new_full new_ones new_zeros ones_like rand_like randint_like randn_like zeros_like".split())

def disabled_torch_dispatch(func, types, args=(), kwargs=None):
    """What Tensor.__torch_dispatch__ does: runs the op as if no class had one."""
    with DisableTorchDispatch():
        return func(*args, **(kwargs or {}))

cdef bint dispatches(object kind) except -1:
    """Whether a class of tensors computes ops itself."""
    return kind is not Tensor and kind is not Wrapped and kind.__torch_dispatch__ is not disabled_torch_dispatch

cdef inline bint is_dispatched(object value) except -1:
    """Whether ops on a tensor are computed by its class."""
    return dispatching_exist and isinstance(value, Tensor) and dispatches(type(value)) and not getattr(_torch_function, "undispatched", 0)

cdef int notice_dispatching(cls) except -1:
    """From now on the general way of a call looks for classes that compute ops themselves, and every call takes it."""
    global dispatching_exist, meta_exist
    if dispatches(cls):
        dispatching_exist = meta_exist = True
        ask_subclasses()
    return 0

cdef int add_dispatching(object value, list kinds) except -1:
    cdef object item
    if isinstance(value, (list, tuple)):
        for item in value:
            add_dispatching(item, kinds)
    elif isinstance(value, Tensor) and type(value) not in kinds and dispatches(type(value)):
        for place, kind in enumerate(kinds):
            if issubclass(type(value), kind):
                kinds.insert(place, type(value))
                return 0
        kinds.append(type(value))
    return 0

cdef list dispatching_types(tuple arguments):
    """The classes among those of the arguments that compute ops themselves, subclasses first."""
    cdef list kinds = []
    if not getattr(_torch_function, "undispatched", 0):
        for value in arguments:
            add_dispatching(value, kinds)
    return kinds

def is_grad_enabled_outside():
    """Whether ops are recorded outside of the __torch_dispatch__ that runs."""
    return getattr(_torch_function, "grad_outside", modes.grad)

cdef object ask_dispatching(list kinds, function, args, kwargs):
    """What the first of the classes that does not refuse makes of an op of PyTorch's."""
    cdef GradMode grad
    cdef MetaMode place
    before = is_grad_enabled_outside()
    _torch_function.grad_outside = modes.grad
    grad.set(False)
    place.set(False)
    try:
        for kind in kinds:
            result = kind.__torch_dispatch__(function, tuple(kinds), args, kwargs)
            if result is not NotImplemented:
                return result
    finally:
        _torch_function.grad_outside = before
    raise TypeError(f"Multiple dispatch failed for 'torch._ops.{function}'; all __torch_dispatch__ handlers returned NotImplemented:\n\n"
                    + "\n".join([f"  - tensor subclass {kind}" for kind in kinds])
                    + "\n\nFor more information, try re-running with TORCH_LOGS=not_implemented")

cdef object execute_dispatched(Op op, PyObject** args, int mode, object out, list kinds):
    """A call that classes among those of the arguments compute, recorded on the tensors that it was given."""
    cdef OpNode node = None
    cdef uint64_t mask = 0
    cdef tuple arguments = pack_arguments(op, args)
    if op.is_composition:
        return op.function(*arguments) if out is None else op.function(*arguments, out=out)
    if mode == MODE_OUT:
        check_untracked_out(op, args, out)
    elif modes.grad and op.rule_total:
        mask = inputs_needing_grad(op, args)
        if mode == MODE_IN_PLACE:
            check_tracked_write(<Tensor>args[0])
            if mask:
                node = start_write(op, args, mask)
    from rushlight.utils._python_dispatch import as_called
    function, positional, keywords = as_called(op, arguments, {"mode": mode, **({} if out is None else {"out": out})})
    result = ask_dispatching(kinds, function, positional, keywords)
    if mode == MODE_OUT:
        count_writes(out)
        return out
    if mode == MODE_IN_PLACE:
        mark_write((<Tensor>args[0]).storage)
        if node is not None:
            finish_write(op, node, <Tensor>args[0])
        return arguments[0]
    if type(result) is list:
        result = tuple(result) if op.result_type is None else op.result_type(*result)
    if mask and not any_tracked(result):
        record_result(op, args, mask, result)
    return result

cdef bint is_elsewhere(Op op, PyObject** args) noexcept:
    """Whether there is a tensor among the arguments whose elements only its class knows."""
    cdef int i
    for i in range(op.parameter_count):
        if is_tensor_object(args[i]) and (<Tensor>args[i]).flags & ELSEWHERE:
            return True
    return False

def dispatch_call(function, tuple args, dict kwargs):
    """What the classes among those of the arguments make of an op of the program's, or of that of PyTorch's which has this name; NotImplemented
    where there is none."""
    cdef list kinds = dispatching_types(args + tuple(kwargs.values())) if dispatching_exist else None
    if not kinds:
        return NotImplemented
    if isinstance(function, str):
        from rushlight._ops import namespaces
        function = getattr(namespaces["aten"], function).default
    return ask_dispatching(kinds, function, args, kwargs)

cdef object dispatched_function(str name, tuple args, dict kwargs):
    """The same of a function that makes tensors like another: whether gradients are recorded is not its classes' to say."""
    requires_grad = kwargs.pop("requires_grad", False)
    result = dispatch_call(name, args, kwargs)
    return result.requires_grad_(True) if requires_grad and result is not NotImplemented else result
