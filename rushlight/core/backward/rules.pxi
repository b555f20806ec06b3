# What backward does at a node of the table: it calls the rules of the inputs that need a gradient.
cdef int run_rules(OpNode node, object gradient, BackwardRun run, tuple result) except -1:
    """A node's backward: calls the rules of the inputs that need it. What they give goes into `result`, or, where that is None, on its way."""
    cdef Plan plan = node.plan
    cdef PyObject** edges = edge_items(node)
    cdef Py_ssize_t i, k, n, edge
    cdef Rule rule
    cdef Arguments held
    cdef PyObject* given[MAX_PARAMETERS + 2]      # borrowed from `held`, and `gradient` and `wanted` themselves
    cdef tuple wanted = None
    cdef uint64_t sequence = sequence_counter
    cdef object value
    cdef int place
    cdef bint with_gradient        # does what is `given` start with the gradient, though the rule does not name it?
    cdef uint32_t unpacked = 0     # a bit for each saved value that `held` has as rules get it: hooks unpack a value once
    if node.freed:
        raise RuntimeError(FREED_TEXT)
    # What was saved is held: a backward in another thread (or in a hook) may free the node meanwhile.
    held.add_all(saved_items(node), plan.saved_count)
    # A rule of one differentiable output among several gets just that one's gradient.
    if node.more_outputs is not None and PyTuple_GET_SIZE(plan.op.outputs) and PyTuple_GET_SIZE(plan.op.differentiable_outputs) == 1:
        gradient = gradient[plan.op.differentiable_outputs[0]]
    if (gradient is None or type(gradient) is tuple and all_undefined(<tuple>gradient)) and not plan.op.fails_first:
        return 0
    for k in range(PyList_GET_SIZE(plan.rules)):
        rule = <Rule>PyList_GET_ITEM(plan.rules, k)
        edge = plan.edges[k]
        if rule.parameter >= 0 and not rule.is_list:
            if edges[edge] == <PyObject*>None:
                continue
            if run is not None and run.restricted and not wants(run, edge_at(node, edge)):
                continue
        n = <Py_ssize_t>plan.slots[k].size()
        with_gradient = rule.is_slope and rule.fused is not None
        if with_gradient:
            given[0] = <PyObject*>gradient
        for i in range(n):
            place = plan.slots[k][i]
            if place == -1:
                given[i + with_gradient] = <PyObject*>gradient
            elif place == -2:
                wanted = wanted_of(node, run)
                given[i + with_gradient] = <PyObject*>wanted
            else:
                if not unpacked >> place & 1:
                    unpacked |= <uint32_t>1 << place
                    value = <object>held.items[place]
                    if place < PLAINLY_SAVED and node.saved_plainly >> place & 1 and type(value) is not Storage:
                        if (<Tensor>value).storage.version != node.saved_versions[place]:
                            raise_overwritten(saved_tensor_of(node, place, value), node)
                        if (<Tensor>value).creation == DETACHED:
                            refuse_detached(node, plan.saved_index[place])
                    elif type(value) is not float and type(value) is not int:
                        value = unpack_item(node, place, value)
                        held.put(place, <PyObject*>value)
                if rule.promotes:
                    value = promoted_operand(<object>held.items[place], (<Tensor>gradient).code)
                    held.put(place, <PyObject*>value)
                given[i + with_gradient] = held.items[place]
        modes.unwrapped = modes.grad and (node.variant == OF_NUMBER or not rule.meets_numbers)
        try:
            if rule.fused is not None and takes_fused(rule, given, n + with_gradient):
                value = PyObject_Vectorcall(rule.fused, given, n + with_gradient, NULL)
            else:
                if rule.is_identity:
                    value = <object>given[with_gradient]
                elif rule.is_slope and n == 0 and not callable(rule.function):
                    value = rule.function
                else:
                    value = PyObject_Vectorcall(rule.function, given + with_gradient, n, NULL)
                if rule.is_slope:
                    value = scale_by_slope(gradient, value)
        finally:
            modes.unwrapped = 0
        if modes.grad and rule.gradient_name is not None:
            name_gradients(node, rule.gradient_name, value, sequence)
        if rule.parameter < 0 or rule.is_list:
            for item in value:
                hand_over(node, edge, item, run, result)
                edge += 1
        else:
            hand_over(node, edge, value, run, result)
    return 0

cdef int refuse_detached(OpNode node, int parameter) except -1:
    """Raises where the argument that detach_() has cut from what made it was still linked with that when it was saved."""
    cdef Py_ssize_t i
    cdef PyObject** edges = edge_items(node)
    for i in range(edge_total(node)):
        if node.plan.edge_parameter[i] == parameter and edges[i] != <PyObject*>None and not node.leaf_edges >> i & 1 and \
                type(<object>edges[i]) is not AccumulateGrad:
            raise RuntimeError(DETACHED_TEXT)
    return 0

cdef bint takes_fused(Rule rule, PyObject** values, Py_ssize_t n) noexcept:
    """Does the fused form of a rule serve? Of plain tensors it does, where it may stand in a graph or none is wanted."""
    cdef int between
    if not short_ways or modes.grad and not rule.fused_is_recorded:
        return False
    between = between_kernel_and(values, n, rule.fused_is_real)
    return between == 0 or between & ~rule.fused_within == 0 and (not modes.grad or rule.fused_within & PUSHED)

cdef int between_kernel_and(PyObject** values, Py_ssize_t n, bint real) noexcept:
    """What keeps a kernel (one of `real` numbers) from reading any of the tensors among `values`."""
    cdef Py_ssize_t i
    cdef int found = 0
    cdef Tensor tensor
    for i in range(n):
        if type(<object>values[i]) is tuple:
            found |= between_kernel_and(PySequence_Fast_ITEMS(<object>values[i]), PyTuple_GET_SIZE(<object>values[i]), real)
        elif is_tensor_object(values[i]):
            tensor = <Tensor><object>values[i]
            if real and category[tensor.code] == IS_COMPLEX:
                found |= NOT_REAL
            if dispatching_exist and dispatches(type(tensor)):
                found |= OF_CLASS
            while type(tensor) is Wrapped:
                found |= BATCHED if isinstance((<Wrapped>tensor).level, BatchLevel) else PUSHED
                tensor = (<Wrapped>tensor).value
    return found

cdef int name_gradients(OpNode of, str title, object value, uint64_t sequence) except -1:
    """Gives the nodes that a rule has just recorded on top of what it gives (later than `sequence`) the name that PyTorch's one op has."""
    cdef Node node
    if not title:
        title = of.backward_name().partition("Backward")[0] + "BackwardBackward0"
    for item in (value,) if isinstance(value, Tensor) else value or ():
        if isinstance(item, Tensor) and (<Tensor>item).grad_fn_ is not None:
            node = (<Tensor>item).grad_fn_
            if node.sequence > sequence and isinstance(node, OpNode):
                need_extras(node).title = title
    return 0

cdef bint all_undefined(tuple gradients):
    cdef object gradient
    for gradient in gradients:
        if gradient is not None:
            return False
    return True

def all_defined(gradients):
    """Has each of several outputs a cotangent?"""
    cdef object gradient
    for gradient in gradients:
        if gradient is None:
            return False
    return True

cdef inline int hand_over(OpNode node, Py_ssize_t edge, object value, BackwardRun run, tuple result) except -1:
    if result is None:
        deliver(run, node, edge, value)
        return 0
    Py_INCREF(value)
    Py_DECREF(None)
    PyTuple_SET_ITEM(result, edge, value)
    return 0

cdef tuple wanted_of(Node node, BackwardRun run):
    cdef Py_ssize_t i
    cdef list wanted = []
    for i in range(edge_total(node)):
        target = edge_at(node, i)
        wanted.append(target is not None and (run is None or not run.restricted or wants(run, <Node>target)))
    return tuple(wanted)

cdef object scale_by_slope(object gradient, object slope):
    """g · conj(∂), the vjp of an element-wise op."""
    if not PyFloat_CheckExact(slope) and isinstance(slope, Tensor):
        if category[(<Tensor>slope).code] == IS_COMPLEX:
            slope = ops.conj(slope)
    elif type(slope) is complex:
        slope = slope.conjugate()
    return times_slope(gradient, slope)

cdef inline object times_slope(object x, object slope):
    cdef double number
    if PyFloat_CheckExact(slope) or PyLong_CheckExact(slope):
        number = slope
        if number == 1:
            return x
        if number == -1:
            return (<Op>ops.neg)(x)
    return operate(ops.mul, x, slope)

cdef object unpack_item(OpNode node, int place, object value):
    """What a rule gets of the saved `value` at `place`."""
    if value is None and node.plan.from_edge[place] >= 0:
        return metadata_from_edge(node, place)
    if place < PLAINLY_SAVED and node.saved_plainly >> place & 1:
        return unpack_saved(saved_tensor_of(node, place, value), node)
    return unpack_value(value, node)

cdef object unpack_value(object value, Node node):
    if type(value) is SavedTensor:
        return unpack_saved(<SavedTensor>value, node)
    if type(value) is list:
        return [unpack_value(item, node) for item in <list>value]
    return value

cdef object metadata_from_edge(OpNode node, int place):
    """The shape or dtype of an input (of each, where the op has a list), from the node (or leaf) behind it."""
    cdef Py_ssize_t i
    cdef Plan plan = node.plan
    if plan.collects:
        return tuple([metadata_behind(node, i, plan.saved_kind[place]) for i in range(edge_total(node))])
    return metadata_behind(node, plan.from_edge[place], plan.saved_kind[place])

cdef object metadata_behind(OpNode node, Py_ssize_t i, int kind):
    cdef Node target
    cdef Tensor leaf = None
    if node.leaf_edges >> i & 1:
        leaf = <Tensor>edge_items(node)[i]
    else:
        target = <Node>edge_items(node)[i]
        if type(target) is AccumulateGrad:
            leaf = target.leaf
    if kind == FROM_SHAPE:
        return make_size(target.shape.shape, target.shape.ndim) if leaf is None else shape_of(leaf)
    return dtypes[target.dtype_code if leaf is None else leaf.code]

cdef bint wants(BackwardRun run, Node target) except -1:
    """Does a restricted run need the gradient that goes to `target`?"""
    cdef int64_t slot = slot_of(run, target)
    return slot >= 0 and run.states[slot].needed
