# Hooks: how they are kept and removed, and how backward calls them and checks what they return.
from rushlight._handles import RemovableHandle, added_hook, new_hooks

cdef object call_tensor_hooks(object hooks, object gradient):
    for hook in list(hooks.values()):
        result = hook(gradient)
        if result is not None:
            check_hook_result(gradient, result, hook)
            gradient = result
    return gradient

cdef int check_hook_result(object given, object result, hook) except -1:
    cdef Tensor a, b
    name = getattr(hook, "__name__", "<unknown hook>")
    if given is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    if not isinstance(result, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")
    a, b = <Tensor>given, <Tensor>result
    if a.code != b.code:
        raise RuntimeError(f"hook '{name}' has changed the type of value (was {type_in_errors(a.code)} got {type_in_errors(b.code)})")
    if not a.geometry.same_shape(b.geometry):
        raise RuntimeError(f"hook '{name}' has changed the size of value")
    return 0

cdef object before_node(Node node, object gradient):
    """Hooks of the tensors whose gradient this is (None where none has arrived), and the tensors that keep it as their .grad. Both come
    even where the node itself is not asked to run."""
    cdef list many
    cdef NodeExtras extras = node.extras
    if type(node) is AccumulateGrad:
        return call_tensor_hooks(node.leaf.hooks, gradient) if node.leaf.hooks else gradient
    if extras is None or extras.tensor_hooks is None and extras.retained is None:
        return gradient
    many = [gradient] if node.more_outputs is None else list(gradient)
    if extras.tensor_hooks is not None:
        for number, hooks in extras.tensor_hooks.items():      # (in the order of the first hook on each output)
            many[number] = call_tensor_hooks(hooks, many[number])
    if extras.retained is not None:
        for number, reference in extras.retained.items():
            kept = reference()
            if kept is not None and many[number] is not None:
                retain(<Tensor>kept, many[number])
    return many[0] if node.more_outputs is None else tuple(many)

cdef int retain(Tensor tensor, object gradient) except -1:
    # (What a batch left behind that is over counts no more.)
    if tensor.grad_ is None or type(tensor.grad_) is Wrapped and not (<Wrapped>tensor.grad_).level.active:
        tensor.grad_ = ops.clone(gradient)
    else:
        tensor.grad_ = operate(ops.add, tensor.grad_, gradient)
    return 0

cdef object pre_hooks(Node node, object gradient):
    """Hooks of a node that is about to run."""
    cdef tuple many = (gradient,) if node.more_outputs is None else gradient
    for hook in list(node.extras.pre_hooks.values()):
        result = hook(many)
        if result is not None:
            many = check_many(many, result, hook)
    return many[0] if node.more_outputs is None else many

cdef tuple post_hooks(Node node, tuple results, object gradient):
    cdef tuple many = (gradient,) if node.more_outputs is None else gradient
    for hook in list(node.extras.post_hooks.values()):
        replaced = hook(results, many)
        if replaced is not None:
            results = check_many(results, replaced, hook)
    return results

cdef int after_accumulation(Tensor leaf) except -1:
    """Hooks of a leaf that backward has come to, whether or not it brought a gradient."""
    for hook in list(leaf.post_hooks.values()):
        result = hook(leaf)
        if result is not None and result is not leaf:
            check_hook_result(leaf, result, hook)
            raise RuntimeError("Tensor post accumulate grad hooks should return None.")
    return 0

cdef tuple check_many(tuple given, object results, object hook):
    """What a hook of a node returned, if it can stand for what the hook was given."""
    if not isinstance(results, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(results).__name__}'")
    if len(results) != len(given):
        raise RuntimeError(f"hook '{getattr(hook, '__name__', '<unknown hook>')}' has returned an incorrect number of values (got {len(results)}, but "
                           f"expected {len(given)})")
    for before, after in zip(given, results):
        if after is not None:
            check_hook_result(before, after, hook)
    return results
