# What derivatives of functions (func.grad, func.vjp) need of the graph: inputs to differentiate by, and what leads outside.
cdef Level innermost_level():
    interpreter = current_interpreter() if modes.interpreters else None
    return <Level>interpreter if isinstance(interpreter, Level) else None

NO_HOOKS_TEXT = ("torch.func.{grad, vjp, jacrev, hessian} don't yet support saved tensor hooks. Please open an issue with your use case.")

def begin_derivative():
    """Enters a function that is differentiated, with grad mode on; what it returns is for `end_derivative`.

    Grad mode outside does not stop the derivative; tensors within wrappers stay unrecorded where it is off.
    """
    cdef Level level = innermost_level()
    cdef tuple before = (modes.grad, level, level.grad_within if level is not None else True, disable_saved_tensor_hooks(NO_HOOKS_TEXT))
    if level is not None and not modes.grad:
        level.grad_within = False
    modes.grad = True
    modes.transforms += 1
    return before

def end_derivative(tuple before):
    """Leaves a function that is differentiated; returns grad mode outside."""
    modes.grad = before[0]
    modes.transforms -= 1
    disable_saved_tensor_hooks(before[3])
    if before[1] is not None:
        (<Level>before[1]).grad_within = before[2]
    return before[0]

def derivative_input(Tensor x not None, bint outer):
    """An alias of `x` at the innermost level that requires grad. With `outer`, backward leads on to `x`, if that is tracked."""
    cdef Level level = innermost_level()
    cdef Tensor source = x
    cdef Tensor out
    cdef PyObject* args[1]
    if category[x.code] < IS_FLOATING:
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    if level is not None and not (type(x) is Wrapped and (<Wrapped>x).level is level):
        source = wrap_value(level, x, None)
    out = alias_of(source)
    if outer and needs_grad(source):
        args[0] = <PyObject*>source
        record(op_alias, args, 1, out)
    else:
        out.flags |= REQUIRES_GRAD
    out.flags |= DERIVATIVE_INPUT
    return out

def reaches_outside(tensors, list inputs, bint keep=False):
    """Whether the graph of any of `tensors`, or of what is within them, has a leaf other than `inputs`.

    If so, and with `keep`, what the graph's nodes save stays when somebody outside runs backward through them.
    """
    cdef BackwardRun run
    cdef list roots = []
    cdef Node node
    cdef NodeState state
    global run_counter
    for t in tensors:
        collect_roots(t, roots)
    if not roots:
        return False
    run = BackwardRun.__new__(BackwardRun)
    run_counter += 1
    run.id = run_counter
    run.visit(roots)
    for state in run.states:
        node = <Node>state.node
        if type(node) is AccumulateGrad and not any([node.leaf is x for x in inputs]):
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

def without_graph(Tensor t not None, Level level):
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
