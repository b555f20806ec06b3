# Recording: what a call leaves behind for backward, and how backward uses it. The gate (gate.pxi) decides what is recorded.
cdef inline Plan plan_for(Op op, uint64_t mask):
    if op.plans is not None:
        found = <object>PyList_GET_ITEM(op.plans, mask)
        if found is not None:
            return <Plan>found
    return first_plan(op, mask)

cdef Plan first_plan(Op op, uint64_t mask):
    cdef Plan plan
    if mask in op.more_plans:
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
                if kind == FROM_OUTPUT:
                    plan.saves_outputs = True
                if kind == FROM_OUTPUT or (kind == FROM_ARGUMENT and index in op.tensor_parameters):
                    plan.saves_tensors = True
                elif kind == FROM_ARGUMENT and op.parameters[index] in ("index", "indices", "mask"):
                    plan.saves_indices = True
            slots.push_back(place)
        plan.rules.append(rule)
        plan.edges.push_back(i)
        plan.slots.push_back(slots)
    plan.edge_total = len(op.rules)
    for i, rule in enumerate(op.rules):
        plan.edge_parameter[i] = rule.parameter
    for k in range(plan.saved_count):
        plan.from_edge[k] = -1
        if plan.saved_kind[k] == FROM_SHAPE or plan.saved_kind[k] == FROM_DTYPE:
            for i, rule in enumerate(op.rules):
                if rule.parameter == plan.saved_index[k] and mask >> i & 1:
                    plan.from_edge[k] = i      # (of a list, as the op's own way of recording has it)
    plan.collects = op.has_tensor_list or plan.edge_total == 1 and plan.edge_parameter[0] < 0
    plan.is_short = not plan.collects and plan.edge_total + plan.saved_count <= KEPT
    return plan

cdef object save_value(object value, bint in_place_target):
    cdef Depth depth
    if isinstance(value, Tensor):
        if in_place_target:
            # The rule wants the value from before the write.
            value = ops.clone(value)
        return save_tensor(<Tensor>value, False, 0)
    if isinstance(value, (list, tuple)) and any([isinstance(item, Tensor) for item in value]):
        depth.enter()
        return [save_value(item, False) for item in value]
    return value

cdef inline bint can_save_plainly(Tensor tensor, int place) noexcept:
    """Will the node's own note of the version do, with no SavedTensor for hooks or errors?"""
    return place < PLAINLY_SAVED and not saved_tensor_hooks_active and (not tensor.flags & INFERENCE or modes.inference or modes.transforms > 0)

cdef SavedTensor saved_tensor_of(OpNode node, int place, object value):
    """A SavedTensor for what the node kept without one: an input, or the storage of its output."""
    cdef SavedTensor saved = SavedTensor.__new__(SavedTensor)
    cdef Storage storage
    saved.version = node.saved_versions[place]
    if type(value) is not Storage:
        saved.tensor = <Tensor>value
        return saved
    storage = <Storage>value
    saved.is_output = True
    saved.tensor = bare_tensor()
    saved.tensor.storage, saved.tensor.code = storage, node.dtype_code
    saved.tensor.geometry.set_shape(node.shape.shape, node.shape.ndim)
    saved.tensor.geometry.make_contiguous()
    saved.tensor.count, saved.tensor.flags = saved.tensor.geometry.numel(), CONTIGUOUS
    return saved

cdef object unpack_at(OpNode node, int place):
    """What a rule gets of the saved value at `place`."""
    return unpack_item(node, place, <object>saved_items(node)[place])

cdef object unpack_item(OpNode node, int place, object value):
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

cdef inline bint has_leaf_edge(Tensor tensor) noexcept:
    """May a node hold the tensor itself where the gradient goes, since its AccumulateGrad can be made when it is needed?"""
    return tensor.grad_fn_ is None and tensor.base is None and tensor.accumulator == NULL

cdef OpNode start_node(Op op, PyObject** args, uint64_t mask, bint in_place):
    """The node of a call with its edges and the inputs that its rules save; outputs are saved by finish_node."""
    cdef OpNode node = bare_node()
    cdef Plan plan = plan_for(op, mask)
    cdef PyObject** edges
    cdef PyObject** saved
    cdef PyObject* value
    cdef int i, kind, count = plan.saved_count, edge_count = plan.edge_total
    cdef Tensor tensor
    cdef object made
    cdef bint known = False       # do the nodes behind all edges of a list know the shapes?
    if in_place:
        check_view_write(<Tensor>args[0])
    node.plan = plan
    node.sequence = next_sequence()
    if op.fails_first:
        node.sequence = <uint64_t>LEAF_SEQUENCE
    node.made.mark()
    if modes.anomaly:
        remember_traceback(node)
    if op.has_variants:
        node.variant = op.variant(args)
        # (Where numbers have a signature of their own, they have no edge.)
        while edge_count > 1 and op.has_plain_rules and \
                not PyObject_TypeCheck(<object>args[plan.edge_parameter[edge_count - 1]], <PyTypeObject*>Tensor):
            edge_count -= 1
    elif modes.unwrapped and op.number_name is not None:
        if not PyObject_TypeCheck(<object>args[1], <PyTypeObject*>Tensor):
            node.variant = OF_NUMBER
            edge_count = 1
    if plan.is_short:
        node.kept_edges = edge_count
    else:
        node.saved = tuple_of_none(count)
        if plan.collects:
            known = collect_edges(node, op, args)
        else:
            node.next_nodes = tuple_of_none(edge_count)
    saved = saved_items(node)
    for i in range(count):
        kind = plan.saved_kind[i]
        if kind == FROM_OUTPUT:
            continue
        value = args[plan.saved_index[i]]
        if kind != FROM_ARGUMENT:
            if (plan.collects and not known) or (not plan.collects and (
                    in_place or plan.from_edge[i] < 0 or (<Tensor>value).output_number != 0)):
                made = metadata_of(<object>value, kind)
                put_item(&saved[i], <PyObject*>made)
        elif PyLong_CheckExact(<object>value) or PyFloat_CheckExact(<object>value) or value == <PyObject*>None:
            put_item(&saved[i], value)
        elif not in_place and PyObject_TypeCheck(<object>value, <PyTypeObject*>Tensor) and can_save_plainly(<Tensor>value, i):
            node.saved_versions[i] = (<Tensor>value).storage.version
            node.saved_plainly |= 1 << i
            put_item(&saved[i], value)
        else:
            made = save_value(<object>value, in_place and plan.saved_index[i] == 0)
            put_item(&saved[i], <PyObject*>made)
    if plan.collects:
        return node
    edges = edge_items(node)
    for i in range(edge_count):
        if mask >> i & 1:
            value = args[plan.edge_parameter[i]]
            tensor = <Tensor>value
            if has_leaf_edge(tensor):
                node.leaf_edges |= <uint64_t>1 << i
                put_item(&edges[i], value)
            else:
                made = edge_of(tensor)
                put_item(&edges[i], <PyObject*>made)
                if tensor.output_number:
                    node.next_outputs.resize(edge_count)
                    node.next_outputs[i] = tensor.output_number
    return node

cdef tuple tuple_of_none(Py_ssize_t count):
    cdef tuple result = PyTuple_New(count)
    cdef Py_ssize_t i
    for i in range(count):
        Py_INCREF(None)
        PyTuple_SET_ITEM(result, i, None)
    return result

cdef bint collect_edges(OpNode node, Op op, PyObject** args) except -1:
    """Edges of an op with a list of tensors among its inputs, or one rule for all of them: one for each tensor. Returns whether the op has
    one list alone, and what is behind each edge knows its shape and dtype, so that those need not be saved."""
    cdef object values = None
    cdef Rule rule = <Rule>PyList_GET_ITEM(op.rules, 0)
    cdef Tensor tensor
    cdef object edge
    cdef Py_ssize_t i, n
    cdef PyObject** items
    cdef tuple next_nodes
    cdef bint known = op.rule_total == 1 and rule.parameter >= 0
    if op.rule_total == 1 and rule.is_list and (type(<object>args[rule.parameter]) is list or type(<object>args[rule.parameter]) is tuple):
        values = <object>args[rule.parameter]
    else:
        values = []
        for rule in op.rules:
            if rule.parameter < 0:
                values += [<object>args[<int>index] for index in op.tensor_parameters]
            elif rule.is_list:
                values += <object>args[rule.parameter]
            else:
                values.append(<object>args[rule.parameter])
    items = PySequence_Fast_ITEMS(values)
    n = PySequence_Fast_GET_SIZE(values)
    next_nodes = PyTuple_New(n)
    for i in range(n):
        edge = None
        if PyObject_TypeCheck(<object>items[i], <PyTypeObject*>Tensor) and needs_grad(<Tensor>items[i]):
            tensor = <Tensor>items[i]
            if i < MAX_LEAF_EDGES and has_leaf_edge(tensor):
                edge = tensor
                node.leaf_edges |= <uint64_t>1 << i
            else:
                edge = edge_of(tensor)
            if tensor.output_number:
                node.next_outputs.resize(n)
                node.next_outputs[i] = tensor.output_number
                known = False
        known = known and edge is not None
        Py_INCREF(edge)
        PyTuple_SET_ITEM(next_nodes, i, edge)
    node.next_nodes = next_nodes
    return known

cdef bint is_column_major(Tensor t):
    """Is it a matrix whose columns lie in memory one after another?"""
    return t.geometry.ndim == 2 and t.geometry.strides[0] == 1 and t.geometry.strides[1] == t.geometry.shape[0]

cdef object metadata_of(object value, int kind):
    cdef Depth depth
    if isinstance(value, Tensor):
        if kind == FROM_COLUMN_MAJOR:
            return is_column_major(<Tensor>value)
        return shape_of(<Tensor>value) if kind == FROM_SHAPE else dtypes[(<Tensor>value).code]
    if isinstance(value, (list, tuple)):
        depth.enter()
        return [metadata_of(item, kind) for item in value]
    return None

cdef inline object shape_of(Tensor t):
    return make_size(t.geometry.shape, t.geometry.ndim)

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
    cdef Tensor out
    if not plan.saves_outputs:
        return 0
    for i in range(plan.saved_count):
        if plan.saved_kind[i] == FROM_OUTPUT:
            value = outputs if isinstance(outputs, Tensor) else outputs[plan.saved_index[i]]
            out = <Tensor?>value
            if type(value) is Tensor and outputs is value and out.flags & (CONTIGUOUS | LAZY) == CONTIGUOUS and out.offset == 0 and \
                    can_save_plainly(out, i):
                # The output must not be held by its own node. Its memory is enough: shape and dtype are the node's.
                node.saved_versions[i] = out.storage.version
                node.saved_plainly |= 1 << i
                value = out.storage
            else:
                value = save_tensor(out, tracked_itself(out), plan.saved_index[i])
            put_item(&saved_items(node)[i], <PyObject*>value)
    return 0

cdef int record(Op op, PyObject** args, uint64_t mask, Tensor out) except -1:
    """Records a call with one new output."""
    cdef OpNode node = start_node(op, args, mask, False)
    describe_output(node, out)
    set_history(out, node, 0)
    if node.plan.saves_outputs:
        save_outputs(node, out)
    return 0

cdef int record_many(Op op, PyObject** args, uint64_t mask, object outputs) except -1:
    """Records a call with several new outputs."""
    cdef OpNode node = start_node(op, args, mask, False)
    cdef Tensor out
    cdef list more = []
    cdef int number = 0
    # (To the graph, outputs without a derivative behind the only one that has one do not exist.)
    cdef bint only_first = PyTuple_GET_SIZE(op.outputs) and PyTuple_GET_SIZE(op.differentiable_outputs) == 1 and 0 in op.differentiable_outputs
    if op.backward_names[0] is None:
        return 0
    if len(outputs) == 0:
        return 0
    for number, value in enumerate(outputs):
        if value is None:
            if not only_first:
                more.append((Size(()), FLOAT32))
            continue
        out = <Tensor>value
        if number == 0:
            describe_output(node, out)
        elif not only_first:
            more.append((out.shape, out.code))
        if (op.outputs == () or number in op.differentiable_outputs) and category[out.code] >= IS_FLOATING:
            set_history(out, node, number)
    node.more_outputs = tuple(more) if more else None
    save_outputs(node, outputs)
    return 0


cdef extern from *:
    """
    // The arguments of a call, held until it is over.
    struct rl_arguments {
      PyObject* items[26];
      int count = 0;
      void add(PyObject* value) { Py_INCREF(value); items[count++] = value; }
      void add_all(PyObject** values, int n) { for (int i = 0; i < n; ++i) add(values[i]); }
      void put(int i, PyObject* value) { Py_INCREF(value); PyObject* before = items[i]; items[i] = value; Py_DECREF(before); }
      void clear() { while (count) Py_DECREF(items[--count]); }
      ~rl_arguments() { clear(); }
    };
    """
    cdef cppclass Arguments "rl_arguments":
        PyObject** items
        void add(PyObject*)
        void add_all(PyObject**, int)
        void put(int, PyObject*)
        void clear()

cdef int run_rules(OpNode node, object gradient, BackwardRun run, tuple result) except -1:
    """A node's backward: calls the rules of the inputs that need it. What they give goes into `result`, or, where that is None, on its way."""
    cdef Plan plan = node.plan
    cdef PyObject** edges = edge_items(node)
    cdef Py_ssize_t i, k, n, edge
    cdef Rule rule
    cdef Arguments given, held
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
            if run is not None and run.restricted and not wants(run, edge_at(node, edge), node.next_output(edge)):
                continue
        given.clear()
        n = <Py_ssize_t>plan.slots[k].size()
        with_gradient = rule.is_slope and rule.fused is not None
        if with_gradient:
            given.add(<PyObject*>gradient)
        for i in range(n):
            place = plan.slots[k][i]
            if place == -1:
                given.add(<PyObject*>gradient)
            elif place == -2:
                value = wanted_of(node, run)
                given.add(<PyObject*>value)
            else:
                if not unpacked >> place & 1:
                    unpacked |= <uint32_t>1 << place
                    value = <object>held.items[place]
                    if place < PLAINLY_SAVED and node.saved_plainly >> place & 1 and type(value) is not Storage:
                        if (<Tensor>value).storage.version != node.saved_versions[place]:
                            raise_overwritten(saved_tensor_of(node, place, value), node)
                    elif type(value) is not float and type(value) is not int:
                        value = unpack_item(node, place, value)
                        held.put(place, <PyObject*>value)
                if rule.promotes:
                    value = promoted_operand(<object>held.items[place], (<Tensor>gradient).code)
                    held.put(place, <PyObject*>value)
                given.add(held.items[place])
        modes.unwrapped = modes.grad and (node.variant == OF_NUMBER or not rule.meets_numbers)
        try:
            if rule.fused is not None and takes_fused(rule, given.items, n + with_gradient):
                value = PyObject_Vectorcall(rule.fused, given.items, n + with_gradient, NULL)
            else:
                if rule.is_identity:
                    value = <object>given.items[with_gradient]
                elif rule.is_slope and n == 0 and not callable(rule.function):
                    value = rule.function
                else:
                    value = PyObject_Vectorcall(rule.function, given.items + with_gradient, n, NULL)
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
        elif PyObject_TypeCheck(<object>values[i], <PyTypeObject*>Tensor):
            tensor = <Tensor><object>values[i]
            if real and category[tensor.code] == IS_COMPLEX:
                found |= NOT_REAL
            while type(tensor) is Wrapped:
                found |= BATCHED if isinstance((<Wrapped>tensor).level, BatchLevel) else PUSHED
                tensor = (<Wrapped>tensor).value
    return found

cdef inline object promoted_operand(object value, int code):
    """A tensor of a narrower dtype than `code` as one of that: what an element-wise op computed with, where its operands were mixed."""
    if isinstance(value, Tensor) and (<Tensor>value).code != code and promotion[(<Tensor>value).code][code] == code:
        return ops._to_dtype(value, dtypes[code])
    return value

cdef int name_gradients(OpNode of, str title, object value, uint64_t sequence) except -1:
    """Gives the nodes that a rule has just recorded on top of what it gives (later than `sequence`) the name that PyTorch's one op has."""
    cdef Node node
    if not title:
        title = of.backward_name().partition("Backward")[0] + "BackwardBackward0"
    for item in (value,) if isinstance(value, Tensor) else value or ():
        if isinstance(item, Tensor) and (<Tensor>item).grad_fn_ is not None:
            node = (<Tensor>item).grad_fn_
            if node.sequence > sequence and isinstance(node, OpNode):
                node.need_extras().title = title
    return 0

cdef bint all_undefined(tuple gradients):
    cdef object gradient
    for gradient in gradients:
        if gradient is not None:
            return False
    return True

cdef inline int hand_over(OpNode node, Py_ssize_t edge, object value, BackwardRun run, tuple result) except -1:
    if result is None:
        run.deliver(node, edge, value)
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
        wanted.append(target is not None and (run is None or not run.restricted or wants(run, <Node>target, node.next_output(i))))
    return tuple(wanted)

cdef object scale_by_slope(object gradient, object slope):
    """g · conj(∂), the vjp of an element-wise op."""
    cdef double number
    if PyFloat_CheckExact(slope) or PyLong_CheckExact(slope):
        number = slope
        if number == 1:
            return gradient
        if number == -1:
            return (<Op>ops.neg)(gradient)
        return operate(ops.mul, gradient, slope)
    if isinstance(slope, Tensor):
        if category[(<Tensor>slope).code] == IS_COMPLEX:
            slope = ops.conj(slope)
    elif isinstance(slope, complex):
        slope = slope.conjugate()
    return operate(ops.mul, gradient, slope)
