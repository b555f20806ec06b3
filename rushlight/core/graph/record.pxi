# Recording: what a call leaves behind for backward. The gate (gate.pxi) decides what is recorded.
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

cdef bint is_scalar(Op op, int index):
    """Is this operand a number in every call (the weight of lerp's overload for numbers)? Then nothing is freed of it."""
    overload = getattr(op.declaration, "overload", None)
    return isinstance(overload, str) and overload.endswith("Scalar") and index == len(op.tensor_parameters) - 1


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
                if kind == FROM_OUTPUT or (kind == FROM_ARGUMENT and index in op.tensor_parameters and not is_scalar(op, index)):
                    plan.saves_tensors = True
                elif kind == FROM_ARGUMENT and op.parameters[index] in ("index", "indices", "mask"):
                    plan.saves_indices = True
            slots.push_back(place)
        plan.rules.append(rule)
        plan.edges.push_back(i)
        plan.slots.push_back(slots)
    plan.output_place = -1
    for k in range(plan.saved_count):
        if plan.saved_kind[k] == FROM_OUTPUT:
            plan.output_place = k if plan.output_place == -1 else -2
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
    # (Of the ops that collect edges, those with one list alone, whose output is not saved.)
    plan.is_direct = plan.edge_total + plan.saved_count <= KEPT and not op.fails_first and -2 < plan.output_place < PLAINLY_SAVED and (
        not plan.collects or plan.edge_total == 1 and op.has_tensor_list and plan.output_place == -1)
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

cdef inline bint has_leaf_edge(Tensor tensor) noexcept:
    """May a node hold the tensor itself where the gradient goes, since its AccumulateGrad can be made when it is needed?"""
    return tensor.grad_fn_ is None and tensor.base is None and tensor.accumulator == NULL

cdef extern from *:
    """
    static inline void rl_fill(PyObject** slot, PyObject* value) {
      Py_INCREF(value);
      PyObject* before = *slot;
      *slot = value;
      Py_DECREF(before);
    }
    // Does a saved argument need no SavedTensor and no other copy of it: is it a number, a flag, nothing, or whole numbers in a tuple?
    static inline bool rl_is_kept_as_it_is(PyObject* value) {
      if (PyLong_CheckExact(value) || PyFloat_CheckExact(value) || value == Py_None || PyBool_Check(value)) return true;
      if (!PyTuple_CheckExact(value)) return false;
      for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(value); ++i)
        if (!PyLong_CheckExact(PyTuple_GET_ITEM(value, i))) return false;
      return true;
    }
    // FROM_…, the flags of tensors and KEPT, as the header numbers them
    enum { rl_from_argument = 1, rl_from_output = 2, rl_from_column_major = 6, rl_kept = 6 };
    enum { rl_requires_grad = 1, rl_contiguous = 2, rl_inference = 4, rl_lazy = 96 };
    // What a new node gets of its output, and the output of it. `kept`: the place of that output among what is saved, or -1.
    template <class T, class N>
    static inline void rl_finish(N* node, PyObject* plan, int variant, int kept, T* out, uint64_t* sequence) {
      rl_fill((PyObject**)&node->plan, plan);
      node->variant = variant;
      node->sequence = ++*sequence;
      node->made.mark();
      if (kept >= 0) {
        node->saved_versions[kept] = out->storage->version;
        node->saved_plainly |= 1 << kept;
        rl_fill(&node->kept0 + node->kept_edges + kept, (PyObject*)out->storage);
      }
      node->shape.set_shape(out->geometry.shape, out->geometry.ndim);
      node->dtype_code = out->code;
      PyObject_GC_Track((PyObject*)node);
      PyObject* before = (PyObject*)out->grad_fn_;
      out->grad_fn_ = (decltype(out->grad_fn_))node;
      Py_DECREF(before);
      out->output_number = 0;
      out->flags |= rl_requires_grad;
    }
    // The edges and saved inputs of a node that has room for them itself. The edges are those of `items` (`listed`), or of what the mask
    // names among the arguments. False where that takes more than to put them there.
    template <bool listed, class N, class P, class T>
    static inline bool rl_link(N* node, const P* plan, PyObject* const* args, PyObject* const* items, uint64_t mask, int edges, T*,
                               PyTypeObject* tensors, bool saves_inference) {
      PyObject** slot = &node->kept0;
      node->kept_edges = edges;
      for (int i = 0; i < edges; ++i, ++slot) {
        if (!listed && !(mask >> i & 1)) continue;
        T* x = (T*)(listed ? items[i] : args[plan->edge_parameter[i]]);
        if (listed && (!rl_is_tensor(items[i], tensors) || !(x->flags & rl_requires_grad) || x->output_number)) return false;
        PyObject* to = (PyObject*)x->grad_fn_;
        if ((PyObject*)x->base != Py_None && (x->seen_version != x->storage->version || to == Py_None)) return false;
        if (to == Py_None) {
          to = x->accumulator;
          if (!to) {
            to = (PyObject*)x;
            node->leaf_edges |= uint64_t(1) << i;
          }
        }
        rl_fill(slot, to);
        if (x->output_number) {
          node->next_outputs.resize(edges);
          node->next_outputs[i] = x->output_number;
        }
      }
      for (int i = 0; i < plan->saved_count; ++i, ++slot) {
        const int kind = plan->saved_kind[i];
        if (kind == rl_from_output) continue;
        PyObject* value = args[plan->saved_index[i]];
        T* x = (T*)value;
        if (kind == rl_from_column_major) {
          if (!rl_is_tensor(value, tensors)) return false;
          value = x->geometry.ndim == 2 && x->geometry.strides[0] == 1 && x->geometry.strides[1] == x->geometry.shape[0] ? Py_True : Py_False;
        } else if (kind != rl_from_argument) {
          if (plan->from_edge[i] < 0 || (!listed && x->output_number)) return false;     // (else what is behind the edge knows it)
          continue;
        } else if (!rl_is_kept_as_it_is(value)) {
          if (i >= int(std::size(node->saved_versions)) || !rl_is_tensor(value, tensors) || (x->flags & rl_inference && !saves_inference))
            return false;
          node->saved_versions[i] = x->storage->version;
          node->saved_plainly |= 1 << i;
        }
        rl_fill(slot, value);
      }
      return true;
    }
    // A call with one list of tensors: as rl_record, of which it is a part.
    template <class P, class T, class N>
    static __attribute__((noinline)) bool rl_record_list(P* plan, PyObject* const* args, int variant, T* out, N*, PyTypeObject* tensors,
                                                         bool saves_inference, uint64_t* sequence) {
      PyObject* list = args[plan->edge_parameter[0]];
      if (!PyTuple_CheckExact(list) && !PyList_CheckExact(list)) return false;
      const Py_ssize_t edges = PySequence_Fast_GET_SIZE(list);
      if (edges > rl_kept - plan->saved_count) return false;
      N* node = (N*)rl_take<N>();
      if (!rl_link<true>(node, plan, args, PySequence_Fast_ITEMS(list), 0, int(edges), out, tensors, saves_inference)) {
        Py_DECREF(node);
        return false;
      }
      rl_finish(node, (PyObject*)plan, variant, -1, out, sequence);
      return true;
    }
    // Records a call with one new output, as most calls are, in one pass: see record, start_node and save_outputs, which do the same for any.
    template <class O, class P, class T, class N>
    static bool rl_record(const O* op, P*, PyObject* const* args, uint64_t mask, int variant, T* out, N* like, PyTypeObject* tensors,
                          bool saves_inference, uint64_t* sequence) {
      PyObject* found = PyList_GET_ITEM((PyObject*)op->plans, mask);
      if (found == Py_None || !rl_pool<N>::count) return false;
      P* plan = (P*)found;
      if (!plan->is_direct) return false;
      if (plan->collects) return rl_record_list(plan, args, variant, out, like, tensors, saves_inference, sequence);
      const int kept = plan->output_place;
      if (kept >= 0 && (Py_TYPE(out) != tensors || (out->flags & (rl_contiguous | rl_lazy)) != rl_contiguous || out->offset ||
                        (out->flags & rl_inference && !saves_inference)))
        return false;
      int edges = plan->edge_total;
      if (op->has_variants && op->has_plain_rules)
        while (edges > 1 && !rl_is_tensor(args[plan->edge_parameter[edges - 1]], tensors)) --edges;
      N* node = (N*)rl_take<N>();
      if (!rl_link<false>(node, plan, args, nullptr, mask, edges, out, tensors, saves_inference)) {
        Py_DECREF(node);
        return false;
      }
      rl_finish(node, found, variant, kept, out, sequence);
      return true;
    }
    """
    bint record_directly "rl_record"(Op, Plan, PyObject**, uint64_t, int, Tensor, Node, PyTypeObject*, bint, uint64_t*) noexcept

cdef Plan _like_plan = None     # (it tells the function above the struct)

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
    remember_line(node)
    if op.has_variants:
        node.variant = op.variant(args)
        # (Where numbers have a signature of their own, they have no edge.)
        while edge_count > 1 and op.has_plain_rules and \
                not is_tensor_object(args[plan.edge_parameter[edge_count - 1]]):
            edge_count -= 1
    elif modes.unwrapped and op.number_name is not None:
        if not is_tensor_object(args[1]):
            node.variant = OF_NUMBER
            edge_count = 1
    if plan.collects:
        known = collect_edges(node, op, args)
    else:
        make_room(node, edge_count)
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
        elif not in_place and is_tensor_object(value) and can_save_plainly(<Tensor>value, i):
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

cdef inline int make_room(OpNode node, Py_ssize_t edges) except -1:
    """Room for so many edges and for what the plan saves: in the node itself if they fit, else in tuples."""
    if edges + node.plan.saved_count <= KEPT:
        node.kept_edges = <uint8_t>edges
    else:
        node.saved, node.next_nodes = tuple_of_none(node.plan.saved_count), tuple_of_none(edges)
    return 0

cdef bint collect_edges(OpNode node, Op op, PyObject** args) except -1:
    """Edges of an op with a list of tensors among its inputs, or one rule for all of them: one for each tensor. Returns whether the op has
    one list alone, and what is behind each edge knows its shape and dtype, so that those need not be saved."""
    cdef object values = None
    cdef Rule rule = <Rule>PyList_GET_ITEM(op.rules, 0)
    cdef Tensor tensor
    cdef object edge
    cdef Py_ssize_t i, n
    cdef PyObject** items
    cdef PyObject** edges
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
    make_room(node, n)
    edges = edge_items(node)
    for i in range(n):
        edge = None
        if is_tensor_object(items[i]) and needs_grad(<Tensor>items[i]):
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
        put_item(&edges[i], <PyObject*>edge)
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

cdef inline bint keep_memory_of(OpNode node, Tensor out, int place, bint only) noexcept:
    """Saves an output, the `only` one, by its storage where that will do: it must not be held by its own node, which knows shape and dtype."""
    if not only or type(out) is not Tensor or out.flags & (CONTIGUOUS | LAZY) != CONTIGUOUS or out.offset or not can_save_plainly(out, place):
        return False
    node.saved_versions[place] = out.storage.version
    node.saved_plainly |= 1 << place
    put_item(&saved_items(node)[place], <PyObject*>out.storage)
    return True

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
            if not keep_memory_of(node, out, i, outputs is value):
                value = save_tensor(out, tracked_itself(out), plan.saved_index[i])
                put_item(&saved_items(node)[i], <PyObject*>value)
    return 0

cdef int record(Op op, PyObject** args, uint64_t mask, Tensor out) except -1:
    """Records a call with one new output."""
    cdef OpNode node
    cdef int place
    if op.plans is not None and not (modes.unwrapped or modes.anomaly or saved_tensor_hooks_active) and record_directly(
            op, _like_plan, args, mask, op.variant(args) if op.has_variants else 0, out, _like_node, <PyTypeObject*>Tensor,
            modes.inference or modes.transforms > 0, &sequence_counter):
        return 0
    node = start_node(op, args, mask, False)
    describe_output(node, out)
    set_history(out, node, 0)
    if node.plan.saves_outputs:
        place = node.plan.output_place
        if place < 0 or not keep_memory_of(node, out, place, True):
            save_outputs(node, out)
    return 0

cdef int record_many(Op op, PyObject** args, uint64_t mask, object outputs) except -1:
    """Records a call with several new outputs."""
    cdef OpNode node = start_node(op, args, mask, False)
    cdef Tensor out
    cdef list more = []
    cdef Tensor before = None
    cdef int number = 0
    # (To the graph, outputs without a derivative behind the only one that has one do not exist.)
    cdef bint only_first = PyTuple_GET_SIZE(op.outputs) and PyTuple_GET_SIZE(op.differentiable_outputs) == 1 and 0 in op.differentiable_outputs
    if op.backward_names[0] is None:
        return 0
    if len(outputs) == 0:
        return 0
    for number, value in enumerate(outputs):
        if value is None:
            if number and not only_first:
                more.append((Size(()), FLOAT32))
                before = None
            continue
        out = <Tensor>value
        if number == 0:
            describe_output(node, out)
        elif not only_first:
            # (Most are alike.)
            more.append(more[len(more) - 1] if before is not None and before.code == out.code and before.geometry.same_shape(out.geometry) else
                        (shape_of(out), out.code))
            before = out
        if (op.outputs == () or number in op.differentiable_outputs) and category[out.code] >= IS_FLOATING:
            set_history(out, node, number)
    node.more_outputs = tuple(more) if more else None
    save_outputs(node, outputs)
    return 0


cdef inline object promoted_operand(object value, int code):
    """A tensor of a narrower dtype than `code` as one of that: what an element-wise op computed with, where its operands were mixed."""
    if isinstance(value, Tensor) and (<Tensor>value).code != code and promotion[(<Tensor>value).code][code] == code:
        return ops._to_dtype(value, dtypes[code])
    return value
