# What derivatives of functions (func.grad, func.vjp) need of the graph: inputs to differentiate by, and what leads outside.
NO_HOOKS_TEXT = ("torch.func.{grad, vjp, jacrev, hessian} don't yet support saved tensor hooks. Please open an issue with your use case.")

@cython.final
cdef class differentiated:
    """`with differentiated() as (outer, level):` runs a function that is differentiated, with grad mode on and without inference mode.

    Grad mode outside (`outer`) does not stop the derivative; tensors within wrappers stay unrecorded where it is off.
    """
    cdef Level level
    cdef bint grad_within
    cdef object no_hooks, modes

    def __enter__(self):
        cdef bint outer
        self.level, self.modes = current_level(), leave_inference_mode()
        self.no_hooks, outer = disable_saved_tensor_hooks(NO_HOOKS_TEXT), modes.grad
        if self.level is not None:
            self.grad_within = self.level.grad_within
            self.level.grad_within = self.grad_within and outer
        modes.grad = True
        enter_depth(True)
        return outer, self.level

    def __exit__(self, *exc):
        restore_modes(*self.modes)
        modes.transforms -= 1
        disable_saved_tensor_hooks(self.no_hooks)
        if self.level is not None:
            self.level.grad_within = self.grad_within

cdef Tensor alias_as_captured(Tensor x):
    """detach() inside of transforms: what was captured stays so."""
    cdef Tensor out = alias_of(x)
    if type(x) is not Wrapped and is_captured(x, modes.transforms):
        out.depth = x.depth
    return out

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
    cdef Tensor out
    if category[x.code] < IS_FLOATING:
        raise RuntimeError("only Tensors of floating point dtype can require gradients")
    out = alias_at_level(x, outer)
    out.flags = (out.flags | REQUIRES_GRAD | DERIVATIVE_INPUT) & ~INFERENCE
    return out

cdef Tensor alias_at_level(Tensor x, bint linked):
    """An alias of `x` at the innermost level; where `linked`, backward leads on to what is tracked."""
    cdef Level level = current_level()
    cdef Tensor source = x if level is None or is_at(x, level) else wrap_value(level, x, None), out = alias_of(source)
    if linked and needs_grad(source):
        record_alias(source, out)
    return out

def held(value):
    """An argument (a tensor, or a container of such) that a function is not differentiated by, as the function sees it.

    Tensors become aliases of the transform, so that the function may write into them; backward leads on to what is tracked outside.
    """
    if type(value) is tuple:
        return tuple([held(item) for item in <tuple>value])
    if type(value) is list:
        return [held(item) for item in <list>value]
    if type(value) is dict:
        return {key: held(item) for key, item in (<dict>value).items()}
    return alias_at_level(<Tensor>value, modes.grad) if type(value) is Tensor or type(value) is Wrapped else value

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

def without_graph(Tensor t, Level level or None):
    """`t` without the graph that it has at `level` (None: on plain tensors) and at levels further in; graphs further out stay."""
    cdef Wrapped wrapped
    if type(t) is not Wrapped:
        return alias_of(t) if level is None and needs_grad(t) else t
    wrapped = <Wrapped>t
    if wrapped.level is level:
        return wrapped.alias() if needs_grad(wrapped) else wrapped
    value = without_graph(wrapped.value, level)
    aspect = without_graph(wrapped.aspect, level) if isinstance(wrapped.aspect, Tensor) else wrapped.aspect
    return wrap_value(wrapped.level, value, aspect)
