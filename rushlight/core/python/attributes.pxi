# The names by which Python reads what a node keeps, those of PyTorch: node._saved_self, node._raw_saved_result, ...
cdef str name_of_saved(Op op, int kind, int index):
    """The name of what a rule takes from `index` of the op's parameters or outputs, or None where it has none."""
    cdef str parameter
    if kind == FROM_OUTPUT:
        return <str>op.outputs[index] if op.outputs else "result"
    if kind != FROM_ARGUMENT and kind != FROM_SHAPE:
        return None
    parameter = <str>op.parameters[index]
    parameter = {"x": "self", "a": "self", "b": "other"}.get(parameter, parameter)
    return parameter if kind == FROM_ARGUMENT else parameter + "_sym_sizes"

cdef bint is_differentiable(Op op, int kind, int index) except -1:
    return kind == FROM_OUTPUT or kind == FROM_ARGUMENT and index in op.tensor_parameters

cdef bint keeps_tensor(OpNode node, int place) except -1:
    """Is there a tensor at this place (or was there, before it was freed)? Then the node has a `_raw_saved_` besides."""
    cdef object value = <object>saved_items(node)[place]
    if place < PLAINLY_SAVED and node.saved_plainly >> place & 1 or type(value) is SavedTensor or type(value) is list:
        return True
    if number_code(value) != NO_DTYPE and (node.plan.op.has_variants or node.plan.op.parameters[node.plan.saved_index[place]] not in ("a", "b")):
        return False
    return value is None and node.freed or is_differentiable(node.plan.op, node.plan.saved_kind[place], node.plan.saved_index[place])

cdef dict saved_names(OpNode node):
    """name -> (place in what the node saves, whether that is a tensor); place -1 for what only nodes with other inputs tracked save."""
    cdef Plan plan = node.plan
    cdef Rule rule
    cdef dict names = {}
    cdef int i
    cdef bint whole = isinstance(plan.op, ReductionOp) and plan.op.has_variants and node.variant == 0
    for i in range(plan.saved_count):
        name = name_of_saved(plan.op, plan.saved_kind[i], plan.saved_index[i])
        if name is not None and not (whole and name in ("dim", "keepdim")):     # (x.sum() has no such arguments in PyTorch)
            names[name] = (i, keeps_tensor(node, i))
    for rule in () if plan.op.has_variants else plan.op.rules:
        for kind, index in rule.sources:
            name = name_of_saved(plan.op, kind, index)
            if name is not None and name not in names and is_differentiable(plan.op, kind, index):
                names[name] = (-1, True)
    return names

cdef list saved_attributes(OpNode node):
    """What dir(node) adds."""
    cdef list found = []
    for name, (place, has_raw) in saved_names(node).items():
        found.append("_saved_" + name)
        if has_raw:
            found.append("_raw_saved_" + name)
    return found

cdef object saved_attribute(OpNode node, str name):
    cdef bint raw = name.startswith("_raw_saved_")
    cdef int i
    cdef bint is_tensor
    cdef GradMode grad
    found = saved_names(node).get(name[len("_raw_saved_"):] if raw else name[len("_saved_"):])
    if found is None or raw and not found[1]:
        raise AttributeError(f"'{node.backward_name()}' object has no attribute '{name}'")
    i, is_tensor = found
    if raw:
        return raw_saved(node, i)
    if i < 0:
        return None
    if is_tensor and node.freed:
        raise RuntimeError(FREED_TEXT)
    grad.set(True)
    return as_pytorch_keeps_it(node.plan, i, name[len("_saved_"):], unpack_item(node, i, <object>saved_items(node)[i]))

cdef object as_pytorch_keeps_it(Plan plan, int i, str name, object value):
    cdef Op op = plan.op
    if isinstance(value, (list, Size)):
        return tuple([item for item in value if item is not MASK_CONTINUES])
    if name == "reduction":
        return ("none", "mean", "sum").index(value)
    if type(value) is int and plan.saved_kind[i] == FROM_ARGUMENT and (
            plan.saved_index[i] == op.sizes or name == "dim" and isinstance(op, ReductionOp) and not (<ReductionOp>op).single):
        return (value,)
    if name in ("self", "other") and not op.has_variants and number_code(value) != NO_DTYPE:
        return tensor_of_number(value)
    return value

cdef object raw_saved(OpNode node, int i):
    """The SavedTensor at a place (or a tuple of them); from now on it is kept, for the hooks that may come on it."""
    if i < 0 or node.freed:
        return saved_nothing(node.freed)
    value = <object>saved_items(node)[i]
    if i < PLAINLY_SAVED and node.saved_plainly >> i & 1:
        value = saved_tensor_of(node, i, value)
        put_item(&saved_items(node)[i], <PyObject*>value)
        node.saved_plainly &= ~(1 << i)
    if type(value) is list:
        return tuple([saved_nothing(False) if item is None else item for item in value])
    return value if type(value) is SavedTensor else saved_nothing(False)

cdef SavedTensor saved_nothing(bint freed):
    """Stands where there is no tensor, or none any more."""
    cdef SavedTensor saved = SavedTensor.__new__(SavedTensor)
    saved.freed = freed
    return saved
