# Recording: what a call leaves behind for backward, and how backward uses it.
cdef uint64_t inputs_needing_grad(Op op, PyObject** args) noexcept:
    """One bit for each rule whose input is tracked."""
    cdef uint64_t mask = 0
    cdef Py_ssize_t i, k
    cdef Rule rule
    cdef PyObject* value
    cdef object items
    cdef int index
    for i in range(PyList_GET_SIZE(op.rules)):
        rule = <Rule>PyList_GET_ITEM(op.rules, i)
        if rule.parameter < 0:
            return any_needs_grad(op, args)
        value = args[rule.parameter]
        if PyObject_TypeCheck(<object>value, <PyTypeObject*>Tensor):
            if needs_grad(<Tensor>value):
                mask |= <uint64_t>1 << i
        elif rule.is_list and isinstance(<object>value, (list, tuple)):
            items = <object>value
            for item in items:
                if isinstance(item, Tensor) and needs_grad(<Tensor>item):
                    mask |= <uint64_t>1 << i
                    break
    if op.no_derivative is not None:
        return any_needs_grad(op, args)
    return mask

cdef uint64_t any_needs_grad(Op op, PyObject** args) noexcept:
    for index in op.tensor_parameters:
        value = <object>args[<int>index]
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, Tensor) and needs_grad(<Tensor>item):
                return 1
    return 0

cdef Plan plan_for(Op op, uint64_t mask):
    cdef Plan plan
    if op.plans is not None:
        found = <object>PyList_GET_ITEM(op.plans, mask)
        if found is not None:
            return <Plan>found
    elif mask in op.more_plans:
        return <Plan>op.more_plans[mask]
    plan = make_plan(op, mask)
    if op.plans is not None:
        op.plans[mask] = plan
    else:
        op.more_plans[mask] = plan
    return plan

cdef Plan make_plan(Op op, uint64_t mask):
    cdef Plan plan = Plan.__new__(Plan)
    cdef Rule rule
    cdef int i, kind, index, place, k
    cdef vector[int] slots
    plan.op = op
    plan.rules = []
    for i, rule in enumerate(op.rules):
        if rule.parameter >= 0 and not mask >> i & 1:
            continue
        if rule.parameter < 0 and not mask:
            continue
        slots.clear()
        for kind, index in rule.sources:
            if kind == FROM_GRADIENT:
                slots.push_back(-1)
                continue
            if kind == FROM_WANTED:
                slots.push_back(-2)
                continue
            place = -1
            for k in range(plan.saved_count):
                if plan.saved_kind[k] == kind and plan.saved_index[k] == index:
                    place = k
            if place < 0:
                place = plan.saved_count
                plan.saved_kind[place], plan.saved_index[place] = kind, index
                plan.saved_count += 1
                if kind == FROM_OUTPUT or (kind == FROM_ARGUMENT and index in op.tensor_parameters):
                    plan.saves_tensors = True
            slots.push_back(place)
        plan.rules.append(rule)
        plan.edges.push_back(i)
        plan.slots.push_back(slots)
    return plan

cdef object save_value(object value, bint in_place_target):
    if isinstance(value, Tensor):
        if in_place_target:
            # The rule wants the value from before the write.
            value = py_clone(value)
        return save_tensor(<Tensor>value, False, 0)
    if isinstance(value, (list, tuple)) and any([isinstance(item, Tensor) for item in value]):
        return [save_value(item, False) for item in value]
    return value

cdef object unpack_value(object value, Node node):
    if type(value) is SavedTensor:
        return unpack_saved(<SavedTensor>value, node)
    if type(value) is list:
        return [unpack_value(item, node) for item in <list>value]
    return value

cdef OpNode start_node(Op op, PyObject** args, uint64_t mask, bint in_place):
    """The node of a call with its edges and the inputs that its rules save; outputs are saved by finish_node."""
    cdef OpNode node = OpNode.__new__(OpNode)
    cdef Plan plan = plan_for(op, mask)
    cdef Py_ssize_t i, edges = PyList_GET_SIZE(op.rules)
    cdef int kind, index
    cdef object value
    cdef Tensor tensor
    cdef Node edge
    cdef Rule rule
    if in_place:
        check_view_write(<Tensor>args[0])
    node.plan = plan
    node.sequence = next_sequence()
    node.remember_line()
    if PyTuple_GET_SIZE(op.backward_names) > 1:
        node.variant = op.variant(args)
    cdef tuple saved = PyTuple_New(plan.saved_count)
    for i in range(plan.saved_count):
        kind, index = plan.saved_kind[i], plan.saved_index[i]
        if kind == FROM_ARGUMENT:
            value = <object>args[index]
            if type(value) is Tensor and not in_place:
                value = save_tensor(<Tensor>value, False, 0)
            else:
                value = save_value(value, in_place and index == 0)
        elif kind == FROM_OUTPUT:
            value = None
        else:
            value = metadata_of(<object>args[index], kind)
        Py_INCREF(value)
        PyTuple_SET_ITEM(saved, i, value)
    node.saved = saved
    if op.has_tensor_list or edges == 1 and (<Rule>PyList_GET_ITEM(op.rules, 0)).parameter < 0:
        collect_edges(node, op, args)
        return node
    cdef tuple next_nodes = PyTuple_New(edges)
    for i in range(edges):
        rule = <Rule>PyList_GET_ITEM(op.rules, i)
        edge = None
        if mask >> i & 1:
            tensor = <Tensor>args[rule.parameter]
            edge = edge_of(tensor)
            if tensor.output_number:
                node.next_outputs.resize(edges)
                node.next_outputs[i] = tensor.output_number
        Py_INCREF(edge)
        PyTuple_SET_ITEM(next_nodes, i, edge)
    node.next_nodes = next_nodes
    return node

cdef collect_edges(OpNode node, Op op, PyObject** args):
    """Edges of an op with a list of tensors among its inputs, or one rule for all of them."""
    cdef list nodes = []
    cdef Rule rule
    cdef Tensor tensor
    for rule in op.rules:
        values = [<object>args[index] for index in op.tensor_parameters] if rule.parameter < 0 else (
            list(<object>args[rule.parameter]) if rule.is_list else [<object>args[rule.parameter]])
        for value in values:
            if isinstance(value, Tensor) and (<Tensor>value).flags & REQUIRES_GRAD:
                tensor = <Tensor>value
                nodes.append(edge_of(tensor))
                node.next_outputs.push_back(tensor.output_number)
            else:
                nodes.append(None)
                node.next_outputs.push_back(0)
    node.next_nodes = tuple(nodes)

cdef bint is_column_major(Tensor t):
    """Is it a matrix whose columns lie in memory one after another?"""
    return t.geometry.ndim == 2 and t.geometry.strides[0] == 1 and t.geometry.strides[1] == t.geometry.shape[0]

cdef object metadata_of(object value, int kind):
    if isinstance(value, Tensor):
        if kind == FROM_COLUMN_MAJOR:
            return is_column_major(<Tensor>value)
        return value.shape if kind == FROM_SHAPE else value.dtype
    if isinstance(value, (list, tuple)):
        return [metadata_of(item, kind) for item in value]
    return None

cdef inline void set_history(Tensor out, Node node, uint32_t number) noexcept:
    out.grad_fn_ = node
    out.output_number = number
    out.flags |= REQUIRES_GRAD

cdef inline void describe_output(Node node, Tensor out):
    node.shape.set_shape(out.geometry.shape, out.geometry.ndim)
    node.dtype_code = out.code

cdef int save_outputs(OpNode node, object outputs) except -1:
    """Fills what rules save of the outputs (a tensor, or a tuple of them)."""
    cdef Plan plan = node.plan
    cdef int i
    cdef object value
    for i in range(plan.saved_count):
        if plan.saved_kind[i] == FROM_OUTPUT:
            value = outputs if isinstance(outputs, Tensor) else outputs[plan.saved_index[i]]
            value = save_tensor(<Tensor?>value, True, plan.saved_index[i])
            Py_INCREF(value)
            Py_DECREF(None)
            PyTuple_SET_ITEM(node.saved, i, value)
    return 0

cdef int record(Op op, PyObject** args, uint64_t mask, Tensor out) except -1:
    """Records a call with one new output."""
    cdef OpNode node = start_node(op, args, mask, False)
    describe_output(node, out)
    set_history(out, node, 0)
    save_outputs(node, out)
    return 0

cdef int record_many(Op op, PyObject** args, uint64_t mask, object outputs, bint are_views) except -1:
    """Records a call with several new outputs."""
    cdef OpNode node = start_node(op, args, mask, False)
    cdef Tensor out
    cdef list more = []
    cdef int number = 0
    if op.backward_names[0] is None:
        return 0
    if len(outputs) == 0:
        return 0
    for number, value in enumerate(outputs):
        if value is None:
            more.append((Size(()), FLOAT32))
            continue
        out = <Tensor>value
        if number == 0:
            describe_output(node, out)
        else:
            more.append((out.shape, out.code))
        if (op.outputs == () or number in op.differentiable_outputs) and category[out.code] >= IS_FLOATING:
            set_history(out, node, number)
    node.more_outputs = tuple(more) if more else None
    save_outputs(node, outputs)
    return 0


cdef tuple run_rules(OpNode node, object gradient, BackwardRun run):
    """A node's backward: calls the rules of the inputs that need it."""
    cdef Plan plan = node.plan
    cdef Py_ssize_t edge_total = PyTuple_GET_SIZE(node.next_nodes)
    cdef tuple result = PyTuple_New(edge_total)
    cdef Py_ssize_t i, k, n, edge
    cdef Rule rule
    cdef PyObject* argv[MAX_PARAMETERS + 2]
    cdef list keep
    cdef object value
    cdef Node target
    cdef int place
    cdef tuple saved = node.saved      # held: a backward in another thread (or in a hook) may free the node meanwhile
    for i in range(edge_total):
        Py_INCREF(None)
        PyTuple_SET_ITEM(result, i, None)
    if saved is None:
        raise RuntimeError(FREED_TEXT)
    if plan.op.no_derivative is not None:
        raise NotImplementedError(f"the derivative for '{plan.op.no_derivative}' is not implemented.")
    # A rule of one differentiable output among several gets just that one's gradient.
    if node.more_outputs is not None and PyTuple_GET_SIZE(plan.op.outputs) and PyTuple_GET_SIZE(plan.op.differentiable_outputs) == 1:
        gradient = gradient[plan.op.differentiable_outputs[0]]
    if gradient is None:
        return result
    for k in range(PyList_GET_SIZE(plan.rules)):
        rule = <Rule>PyList_GET_ITEM(plan.rules, k)
        edge = plan.edges[k]
        if rule.parameter >= 0 and not rule.is_list:
            target = <Node>PyTuple_GET_ITEM(node.next_nodes, edge)
            if target is None or (run is not None and run.restricted and not wants(run, target, node.next_output(edge))):
                continue
        keep = None
        n = <Py_ssize_t>plan.slots[k].size()
        for i in range(n):
            place = plan.slots[k][i]
            if place == -1:
                argv[i] = <PyObject*>gradient
            elif place == -2:
                value = wanted_of(node, run)
                if keep is None:
                    keep = []
                keep.append(value)
                argv[i] = <PyObject*>value
            else:
                value = <object>PyTuple_GET_ITEM(saved, place)
                if type(value) is SavedTensor or type(value) is list:
                    value = unpack_value(value, node)
                    if keep is None:
                        keep = []
                    keep.append(value)
                argv[i] = <PyObject*>value
        if rule.is_identity:
            value = scale_by_slope(gradient, <object>argv[0]) if rule.is_slope else <object>argv[0]
        elif rule.is_slope:
            value = rule.function if n == 0 and not callable(rule.function) else PyObject_Vectorcall(rule.function, argv, n, NULL)
            value = scale_by_slope(gradient, value)
        else:
            value = PyObject_Vectorcall(rule.function, argv, n, NULL)
        if rule.parameter < 0 or rule.is_list:
            place_many(result, value, edge)
        else:
            Py_INCREF(value)
            Py_DECREF(None)
            PyTuple_SET_ITEM(result, edge, value)
    return result

cdef place_many(tuple result, object values, Py_ssize_t start):
    cdef Py_ssize_t i
    for i, value in enumerate(values):
        Py_INCREF(value)
        Py_DECREF(None)
        PyTuple_SET_ITEM(result, start + i, value)

cdef tuple wanted_of(Node node, BackwardRun run):
    return tuple([target is not None and (run is None or not run.restricted or wants(run, <Node>target, node.next_output(i)))
                  for i, target in enumerate(node.next_nodes)])

cdef object scale_by_slope(object gradient, object slope):
    """g · conj(∂), the vjp of an element-wise op."""
    if type(slope) is int or type(slope) is float:
        if slope == 1:
            return gradient
        if slope == -1:
            return (<Op>op_neg)(gradient)
        return operate(op_mul, gradient, slope)
    if isinstance(slope, Tensor):
        if category[(<Tensor>slope).code] == IS_COMPLEX:
            slope = py_conj(slope)
    elif isinstance(slope, complex):
        slope = slope.conjugate()
    return operate(op_mul, gradient, slope)

cdef object saved_attribute(OpNode node, str name):
    cdef bint raw = name.startswith("_raw_saved_")
    wanted = name[len("_raw_saved_"):] if raw else name[len("_saved_"):]
    cdef Plan plan = node.plan
    cdef Op op = plan.op
    cdef int i
    for i in range(plan.saved_count):
        kind, index = plan.saved_kind[i], plan.saved_index[i]
        if kind == FROM_OUTPUT:
            called = op.outputs[index] if op.outputs else "result"
        elif kind == FROM_ARGUMENT:
            called = {"x": "self", "a": "self", "b": "other"}.get(op.parameters[index], op.parameters[index])
        elif kind == FROM_SHAPE:
            called = {"x": "self", "a": "self", "b": "other"}.get(op.parameters[index], op.parameters[index]) + "_sizes"
        else:
            continue
        if called == wanted:
            if node.saved is None:
                raise RuntimeError(FREED_TEXT)
            value = node.saved[i]
            if raw:
                if type(value) is not SavedTensor:
                    break
                return value
            grad = modes.grad
            modes.grad = True
            try:
                return unpack_value(value, node)
            finally:
                modes.grad = grad
    raise AttributeError(f"'{node.backward_name()}' object has no attribute '{name}'")
