# What derivatives of functions (func.grad, func.vjp) need of the graph: inputs to differentiate by, and what leads outside.
cdef Level innermost_level():
    interpreter = current_interpreter() if modes.interpreters else None
    return <Level>interpreter if isinstance(interpreter, Level) else None

NO_HOOKS_TEXT = ("torch.func.{grad, vjp, jacrev, hessian} don't yet support saved tensor hooks. Please open an issue with your use case.")

def current_level():
    """The innermost level of this thread that is not at work now, or None."""
    return innermost_level()

def begin_derivative():
    """Enters a function that is differentiated, with grad mode on and without inference mode; what it returns is for `end_derivative`.

    Grad mode outside does not stop the derivative; tensors within wrappers stay unrecorded where it is off.
    """
    cdef Level level = innermost_level()
    cdef tuple modes_before = leave_inference_mode()
    cdef tuple before = (modes.grad, level, level.grad_within if level is not None else True, disable_saved_tensor_hooks(NO_HOOKS_TEXT),
                         modes_before)
    if level is not None and not modes.grad:
        level.grad_within = False
    modes.grad = True
    enter_depth(True)
    return before

def end_derivative(tuple before):
    """Leaves a function that is differentiated; returns grad mode outside."""
    restore_modes(*before[4])
    modes.transforms -= 1
    disable_saved_tensor_hooks(before[3])
    if before[1] is not None:
        (<Level>before[1]).grad_within = before[2]
    return before[0]

cdef inline void enter_depth(bint derivative) noexcept:
    cdef uint64_t bit = <uint64_t>1 << (modes.transforms & 63)
    modes.derivatives = modes.derivatives | bit if derivative else modes.derivatives & ~bit
    modes.transforms += 1

def left(value, int step=0):
    """`value`, a tensor or a list of them, as a result of a transform that has ended, or (with a `step` of -1) is about to end."""
    cdef object item
    cdef int depth = modes.transforms + step
    cdef Depth nested
    if isinstance(value, Tensor):
        if (<Tensor>value).depth > depth:
            (<Tensor>value).depth = <uint8_t>depth
    elif type(value) is list or type(value) is tuple:
        nested.enter()
        for item in value:
            left(item, step)
    return value

def derivatives_around(Tensor x not None, int limit=-1):
    """The depths of the derivatives that `x` is an intermediate value of, the innermost first, and of the level that it is wrapped at (or 0).

    Only those no deeper than `limit` (default: now) count. A value of a derivative that has ended has the depth -2.
    """
    cdef int lowest = 0, d
    cdef list found = []
    if type(x) is Wrapped:
        lowest = (<Wrapped>x).level.depth
    if limit < 0:
        limit = modes.transforms
        # (What kind of transform has ended is known until another takes its place.)
        if x.depth > limit and lowest <= limit and modes.derivatives >> (x.depth - 1 & 63) & 1:
            found.append(-2)
    for d in range(min(x.depth, limit), lowest, -1):
        if modes.derivatives >> (d - 1 & 63) & 1:
            found.append(d)
    return found, lowest

def wrapper_kind(Tensor x not None):
    """What PyTorch calls the tensor that a transform makes of `x`: "TensorWrapper", "BatchedTensorImpl", or None for a plain one."""
    cdef int depth = min(x.depth, modes.transforms), lowest = 0
    if type(x) is Wrapped:
        lowest = (<Wrapped>x).level.depth
    while depth > lowest:
        if modes.derivatives >> (depth - 1 & 63) & 1:
            return "TensorWrapper"
        depth -= 1
    if type(x) is Wrapped and not (<Wrapped>x).level.tracks_all:
        if isinstance((<Wrapped>x).level, DualLevel):
            return "TensorWrapper"
        return wrapper_kind((<Wrapped>x).value) if (<Wrapped>x).aspect is None else "BatchedTensorImpl"
    return None

cpdef refuse_memory(Tensor x):
    """Raises where a transform stands between a program and the memory of `x`."""
    if (x.depth or type(x) is Wrapped) and wrapper_kind(x) is not None:
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

cdef bint is_captured(Tensor x, int limit) noexcept:
    """Does a program that stands in `limit` transforms know `x` from outside of a derivative?"""
    cdef int depth = x.depth if x.base is None else min(x.depth, x.base.depth), lowest = 0
    if type(x) is Wrapped:
        lowest = (<Wrapped>x).level.depth
    while limit > max(depth, lowest):
        limit -= 1
        if modes.derivatives >> (limit & 63) & 1:
            return True
    return type(x) is Wrapped and not (<Wrapped>x).level.tracks_all and is_captured((<Wrapped>x).value, lowest - 1)

cdef Tensor alias_as_captured(Tensor x):
    """detach() inside of transforms: what was captured stays so."""
    cdef Tensor out = alias_of(x)
    if type(x) is not Wrapped and is_captured(x, modes.transforms):
        out.depth = x.depth
    return out

cdef int refuse_captured(Op op, Tensor target, bint of_tensor) except -1:
    """Raises where a program in a derivative is about to write into a tensor from outside of it."""
    if modes.at_work or not is_captured(target, modes.transforms):
        return 0
    from rushlight.ops._declare import dispatched_name
    raise RuntimeError(f"During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place operation (aten::{dispatched_name(op, of_tensor)}) that "
                       "would mutate a captured Tensor. This is not supported; please rewrite the function being transformed to explicitly accept "
                       "the mutated Tensor(s) as inputs.")

def refuse_storage(Tensor x not None):
    """Raises where a transform stands between a program and the storage of `x`."""
    kind = wrapper_kind(x) if modes.transforms else None
    if kind is not None:
        raise NotImplementedError(f"Cannot access storage of {kind}")

def history_outside(Tensor x not None):
    """What leads from `x` out of all transforms: None, a node, or a leaf where `x` stands for it."""
    cdef Node node = edge_of(x)
    if node is None or not reaches_depth((x,), [], 1, False, None):
        return None
    if x.flags & DERIVATIVE_INPUT and type(node) is not AccumulateGrad:
        node = edge_at(node, 0)
    return node.leaf if type(node) is AccumulateGrad else expose(node)

def derivative_input(Tensor x not None, bint outer):
    """An alias of `x` at the innermost level that requires grad. With `outer`, backward leads on to `x`, if that is tracked.

    (That holds whatever grad mode is outside: a cotangent that is pulled back later may depend on `x` itself.)
    """
    cdef Level level = innermost_level()
    cdef Tensor source = x
    cdef Tensor out
    if category[x.code] < IS_FLOATING:
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    if level is not None and not (type(x) is Wrapped and (<Wrapped>x).level is level):
        source = wrap_value(level, x, None)
    out = alias_of(source)
    if outer and needs_grad(source):
        record_alias(source, out)
    else:
        out.flags |= REQUIRES_GRAD
    out.flags = (out.flags | DERIVATIVE_INPUT) & ~INFERENCE
    return out

def held(value):
    """An argument (a tensor, or a container of such) that a function is not differentiated by, as the function sees it.

    Tensors become aliases of the transform, so that the function may write into them; backward leads on to what is tracked outside.
    """
    cdef Level level
    cdef Tensor source, out
    if type(value) is tuple:
        return tuple([held(item) for item in <tuple>value])
    if type(value) is list:
        return [held(item) for item in <list>value]
    if type(value) is dict:
        return {key: held(item) for key, item in (<dict>value).items()}
    if type(value) is not Tensor and type(value) is not Wrapped:
        return value
    source = <Tensor>value
    level = innermost_level()
    if level is not None and not (type(value) is Wrapped and (<Wrapped>value).level is level):
        source = wrap_value(level, source, None)
    out = alias_of(source)
    if modes.grad and needs_grad(source):
        record_alias(source, out)
    return out

def reaches_outside(tensors, list inputs, bint keep=False, list leaves=None):
    """Whether the graph of any of `tensors`, or of what is within them, has a leaf other than `inputs`.

    A leaf that was made within the same transform, or one further in, is nobody's outside, unless it is one of `leaves`. If the graph has
    one outside, and with `keep`, what its nodes save stays when somebody outside runs backward through them.
    """
    return reaches_depth(tensors, inputs, (<Tensor>inputs[0]).depth if inputs else modes.transforms + 1, keep, leaves)

def leaves_of(tensors):
    """The leaves that the graph of any of `tensors`, or of what is within them, leads to."""
    cdef BackwardRun run = walk_from(tensors)
    cdef NodeState state
    if run is None:
        return []
    return [(<Node>state.node).leaf for state in run.states if type(<object>state.node) is AccumulateGrad]

cdef BackwardRun walk_from(tensors):
    """All nodes within reach of `tensors`; None where there are none."""
    cdef BackwardRun run
    cdef list roots = []
    global run_counter
    for t in tensors:
        collect_roots(t, roots)
    if not roots:
        return None
    run = BackwardRun.__new__(BackwardRun)
    run_counter += 1
    run.id = run_counter
    run.visit(roots)
    return run

cdef bint reaches_depth(tensors, list inputs, int depth, bint keep, list leaves) except -1:
    cdef BackwardRun run = walk_from(tensors)
    cdef Node node
    cdef NodeState state
    if run is None:
        return False
    for state in run.states:
        node = <Node>state.node
        if type(node) is AccumulateGrad and not any([node.leaf is x for x in inputs]) and (
                (<Tensor>node.leaf).depth < depth or leaves is not None and any([node.leaf is x for x in leaves])):
            break
    else:
        return False
    if keep:
        for state in run.states:
            (<Node>state.node).need_extras().kept = True
    return True

cdef collect_roots(object value, list roots):
    cdef Node node
    if not isinstance(value, Tensor):
        return
    node = edge_of(<Tensor>value)
    if node is not None:
        roots.append(node)
    if type(value) is Wrapped:
        collect_roots((<Wrapped>value).value, roots)
        collect_roots((<Wrapped>value).aspect, roots)

def without_graph(Tensor t, Level level or None):
    """`t` without the graph that it has at `level` (None: on plain tensors) and at levels further in; graphs further out stay."""
    cdef Wrapped wrapped
    if type(t) is not Wrapped:
        return alias_of(t) if level is None and needs_grad(t) else t
    wrapped = <Wrapped>t
    if wrapped.level is level:
        return wrapped_alias(wrapped) if needs_grad(wrapped) else wrapped
    value = without_graph(wrapped.value, level)
    aspect = without_graph(wrapped.aspect, level) if isinstance(wrapped.aspect, Tensor) else wrapped.aspect
    return wrap_value(wrapped.level, value, aspect)

def is_transforming():
    """Whether a function is being transformed in this thread."""
    return modes.transforms > 0

def in_transform():
    """Whether a level is entered in this thread, or a function is being transformed."""
    return modes.interpreters > 0 or modes.transforms > 0
