# One call: parse the arguments, ask whether an interpreter is active, run the driver, record.
cdef extern from *:
    """
    typedef PyObject* (*rl_vectorcall)(PyObject*, PyObject* const*, size_t, PyObject*);
    static void rl_enable_vectorcall(PyTypeObject* type, size_t offset) {
      type->tp_vectorcall_offset = (Py_ssize_t)offset;
      type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR;
      type->tp_call = PyVectorcall_Call;
      PyType_Modified(type);
    }
    """
    ctypedef PyObject* (*vectorcall_function "rl_vectorcall")(PyObject*, PyObject* const*, size_t, PyObject*) except NULL
    void enable_vectorcall "rl_enable_vectorcall"(PyTypeObject*, size_t) noexcept

cdef extern from "Python.h":
    Py_ssize_t PyVectorcall_NARGS(size_t) noexcept
    object PyObject_Vectorcall(object, PyObject**, size_t, PyObject*)
    object PyMethod_New(object, object)
    int PyErr_CheckSignals() except -1

cdef enum:
    MAX_PARAMETERS = 24
    # What a call makes: a new tensor, or a write into its first argument, or into `out`.
    MODE_NEW = 0
    MODE_IN_PLACE = 1
    MODE_OUT = 2

cdef enum:
    # Where a rule's parameter comes from.
    FROM_GRADIENT = 0
    FROM_ARGUMENT = 1
    FROM_OUTPUT = 2
    FROM_SHAPE = 3
    FROM_DTYPE = 4
    FROM_WANTED = 5

MISSING = object()   # a parameter without a default


@cython.final
cdef class Rule:
    """The derivative of an op with respect to one input, and where its parameters come from."""
    cdef readonly object function
    cdef readonly int parameter      # which parameter of the op; -1: all inputs at once
    cdef readonly bint is_slope      # the function gives the partial derivative, not the vjp
    cdef readonly bint is_list       # the parameter is a list of tensors
    cdef readonly list sources       # (FROM_…, index)

    def __init__(self, function, int parameter, bint is_slope, bint is_list, list sources):
        self.function, self.parameter, self.is_slope, self.is_list, self.sources = function, parameter, is_slope, is_list, sources


@cython.final
cdef class Plan:
    """For one op and one choice of inputs that need gradients: what to save, and how to call the rules."""
    cdef Op op
    cdef bint saves_tensors
    cdef int saved_count
    cdef int saved_kind[MAX_PARAMETERS]
    cdef int saved_index[MAX_PARAMETERS]
    cdef list rules                    # the active ones …
    cdef vector[int] edges             # … the number of their input among the op's …
    cdef vector[vector[int]] slots     # … and their arguments: place in what is saved, -1 the gradient, -2 what is wanted


cdef class Op:
    """An operation of the table: callable as function and as method."""
    cdef vectorcall_function vectorcall
    cdef readonly str name
    cdef readonly object function
    cdef readonly tuple parameters     # names
    cdef readonly tuple defaults
    cdef readonly dict keywords        # name or alias -> index
    cdef readonly int positional       # how many parameters may be given by position
    cdef readonly int sizes            # the parameter that takes x.view(2, 3)'s ints, or -1
    cdef readonly tuple backward_names
    cdef readonly list rules
    cdef readonly tuple outputs        # names; () for one unnamed output
    cdef readonly object result_type
    cdef readonly tuple differentiable_outputs
    cdef readonly str no_derivative    # name in the error of an op that records but has no derivative
    cdef readonly bint allows_out
    cdef readonly object jvp
    cdef readonly object batch
    cdef readonly bint linear
    cdef readonly tuple tensor_parameters   # indices of the inputs that have derivatives
    cdef tuple keyword_only             # names, for calls of `function`; None where there are none
    cdef list plans
    cdef dict more_plans
    cdef PyObject* default_pointers[MAX_PARAMETERS]
    cdef int parameter_count
    cdef bint has_tensor_list
    cdef dict __dict__
    cdef object __weakref__

    def __init__(self, str name, function, tuple parameters, tuple defaults, dict keywords, int positional, int sizes, tuple backward_names,
                 list rules, tuple outputs=(), result_type=None, tuple differentiable_outputs=(0,), no_derivative=None,
                 bint allows_out=True, jvp=None, batch=None, bint linear=False, tuple tensor_parameters=()):
        cdef int i
        if len(parameters) > MAX_PARAMETERS:
            raise ValueError(f"{name} has more than {MAX_PARAMETERS} parameters")
        self.vectorcall = call_op
        self.name, self.function, self.parameters, self.defaults = name, function, parameters, defaults
        self.keywords, self.positional, self.sizes, self.backward_names = keywords, positional, sizes, backward_names
        self.rules, self.outputs, self.result_type = rules, outputs, result_type
        self.differentiable_outputs, self.no_derivative, self.allows_out = differentiable_outputs, no_derivative, allows_out
        self.jvp, self.batch, self.linear = jvp, batch, linear
        self.tensor_parameters = tensor_parameters
        self.parameter_count = len(parameters)
        self.keyword_only = parameters[positional:] or None
        self.plans = [None] * (1 << len(rules)) if 0 < len(rules) <= 6 else None
        self.more_plans = {}
        self.has_tensor_list = any([(<Rule>rule).is_list for rule in rules])
        describe(self, name, getattr(function, "__doc__", None))
        for i in range(self.parameter_count):
            self.default_pointers[i] = <PyObject*>NULL
            if defaults[i] is not MISSING:
                self.default_pointers[i] = PyTuple_GET_ITEM_POINTER(defaults, i)

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    def __repr__(self):
        return f"<built-in method {self.name}>"

    def __reduce__(self):
        return self.name

    @property
    def __wrapped__(self):
        """The declaration in the table."""
        return self.function

    # `args` holds every parameter, defaults filled in. `out` is given with MODE_OUT.
    cdef object forward(self, PyObject** args, int mode, object out):
        raise NotImplementedError(self.name)

    # Which of `backward_names` a call gets, where there are several.
    cdef int variant(self, PyObject** args) noexcept:
        return 0

    def apply(self, *args):
        """Calls with every parameter given in order (interpreters use this)."""
        cdef PyObject* bound[MAX_PARAMETERS]
        cdef int i
        if len(args) != self.parameter_count:
            raise TypeError(f"{self.name} has {self.parameter_count} parameters, not {len(args)}")
        for i in range(self.parameter_count):
            bound[i] = PyTuple_GET_ITEM_POINTER(args, i)
        return self.forward(bound, MODE_NEW, None)


cdef describe(object callable_object, str name, doc):
    """The attributes that functions have."""
    for attribute, value in (("__name__", name), ("__qualname__", name), ("__doc__", doc), ("__module__", "torch")):
        setattr(callable_object, attribute, value)


cdef inline PyObject* PyTuple_GET_ITEM_POINTER(object items, Py_ssize_t i) noexcept:
    return <PyObject*>PyTuple_GET_ITEM(items, i)


cdef PyObject* call_op(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Op op = <Op>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef PyObject* bound[MAX_PARAMETERS]
    cdef Py_ssize_t i
    cdef object result
    if kwnames == NULL and n <= op.positional and not subclasses_exist:
        for i in range(n):
            bound[i] = args[i]
        for i in range(n, op.parameter_count):
            bound[i] = op.default_pointers[i]
            if bound[i] == NULL:
                raise_missing(op, n)
        if modes.interpreters:
            result = interpret(op, pack_arguments(op, bound), None)
        else:
            result = op.forward(bound, MODE_NEW, None)
    else:
        result = call_with_keywords(op, args, n, kwnames, MODE_NEW)
    Py_INCREF(result)
    return <PyObject*>result


@cython.final
cdef class InPlace:
    """x.name_(…): the op of the same name, writing into its first argument."""
    cdef vectorcall_function vectorcall
    cdef readonly Op op
    cdef dict __dict__

    def __init__(self, Op op):
        self.vectorcall = call_in_place
        self.op = op
        describe(self, op.name + "_", f"In-place version of `{op.name}`.")

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    def __repr__(self):
        return f"<built-in method {self.op.name}_>"


cdef PyObject* call_in_place(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Op op = (<InPlace>self).op
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef PyObject* bound[MAX_PARAMETERS]
    cdef Py_ssize_t i
    cdef object result
    if n == 0 or not isinstance(<object>args[0], Tensor):
        raise TypeError(f"{op.name}_() needs a tensor to write into")
    if kwnames == NULL and n <= op.positional and not subclasses_exist and not modes.interpreters:
        for i in range(n):
            bound[i] = args[i]
        for i in range(n, op.parameter_count):
            bound[i] = op.default_pointers[i]
            if bound[i] == NULL:
                raise_missing(op, n)
        result = op.forward(bound, MODE_IN_PLACE, None)
    else:
        result = call_with_keywords(op, args, n, kwnames, MODE_IN_PLACE)
    Py_INCREF(result)
    return <PyObject*>result


cdef raise_missing(Op op, Py_ssize_t given):
    missing = [name for name, default in zip(op.parameters[given:], op.defaults[given:]) if default is MISSING]
    names = {"x": "input", "a": "input", "b": "other"}
    listed = ", ".join([f'"{names.get(name, name)}"' for name in missing])
    raise TypeError(f"{op.name}() missing {len(missing)} required positional arguments: {listed}")

cdef tuple pack_arguments(Op op, PyObject** bound):
    return tuple([<object>bound[i] for i in range(op.parameter_count)])

cdef object call_with_keywords(Op op, PyObject* const* args, Py_ssize_t n, PyObject* kwnames, int mode):
    cdef PyObject* bound[MAX_PARAMETERS]
    cdef Py_ssize_t i, count, index
    cdef object out = None
    cdef object packed = None
    cdef object names
    for i in range(op.parameter_count):
        bound[i] = NULL
    if n > op.positional or (op.sizes >= 0 and n > op.sizes + 1):
        # x.view(2, 3): ints from `sizes` on are one argument.
        if op.sizes < 0 or op.sizes > n or not all_integers(args, op.sizes, n):
            raise TypeError(f"{op.name}() takes {op.positional} positional arguments but {n} were given")
        packed = tuple([<object>args[i] for i in range(op.sizes, n)])
        for i in range(op.sizes):
            bound[i] = args[i]
        bound[op.sizes] = <PyObject*>packed
    else:
        for i in range(n):
            bound[i] = args[i]
    if kwnames != NULL:
        names = <object>kwnames
        count = PyTuple_GET_SIZE(names)
        for i in range(count):
            name = <object>PyTuple_GET_ITEM(names, i)
            found = op.keywords.get(name)
            if found is None:
                if name == "out" and op.allows_out and mode == MODE_NEW:
                    out = <object>args[n + i]
                    continue
                raise TypeError(f"{op.name}() got an unexpected keyword argument '{name}'")
            index = found
            if bound[index] != NULL:
                raise TypeError(f"{op.name}() got multiple values for argument '{name}'")
            bound[index] = args[n + i]
    for i in range(op.parameter_count):
        if bound[i] == NULL:
            bound[i] = op.default_pointers[i]
            if bound[i] == NULL:
                if op.sizes == i:
                    packed = ()
                    bound[i] = <PyObject*>packed
                    continue
                given = i
                raise_missing(op, given)
    if subclasses_exist:
        arguments = pack_arguments(op, bound)
        handled = overridden(op, mode, arguments, out)
        if handled is not NotImplemented:
            return handled
    if modes.interpreters:
        return interpret(op, pack_arguments(op, bound), None if out is None and mode == MODE_NEW else {"out": out, "mode": mode})
    if out is not None:
        return op.forward(bound, MODE_OUT, out)
    return op.forward(bound, mode, None)

cdef bint all_integers(PyObject* const* args, Py_ssize_t start, Py_ssize_t stop):
    cdef Py_ssize_t i
    for i in range(start, stop):
        if not hasattr(type(<object>args[i]), "__index__"):
            return False
    return True


cdef Op _measure = Op.__new__(Op)
enable_vectorcall(<PyTypeObject*>Op, <size_t>(<char*>&_measure.vectorcall - <char*><PyObject*>_measure))
cdef InPlace _measure_in_place = InPlace.__new__(InPlace)
enable_vectorcall(<PyTypeObject*>InPlace, <size_t>(<char*>&_measure_in_place.vectorcall - <char*><PyObject*>_measure_in_place))


# ---------------------------------------------------------------------------------------------------------- interpreters
# A transform (forward-mode duals, vmap, capture, profiling) is an object with `process(op, arguments, keywords)` on this stack.
_interpreters = __import__("threading").local()

def push_interpreter(interpreter):
    """Sends every op of this thread to `interpreter.process(op, args, kwargs)` until it is popped."""
    if not hasattr(_interpreters, "stack"):
        _interpreters.stack = []
    _interpreters.stack.append(interpreter)
    modes.interpreters += 1

def pop_interpreter():
    """Takes the innermost interpreter off the stack and returns it."""
    modes.interpreters -= 1
    return _interpreters.stack.pop()

cdef object interpret(object op, tuple arguments, object keywords):
    # While an interpreter runs, it is off the stack: what it calls goes to the one below.
    cdef list stack = _interpreters.stack
    interpreter = stack.pop()
    modes.interpreters -= 1
    try:
        return interpreter.process(op, arguments, keywords or {})
    finally:
        stack.append(interpreter)
        modes.interpreters += 1


# ---------------------------------------------------------------------------------------------------------- recording
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
            if (<Tensor>value).flags & REQUIRES_GRAD:
                mask |= <uint64_t>1 << i
        elif rule.is_list:
            items = <object>value
            for item in items:
                if isinstance(item, Tensor) and (<Tensor>item).flags & REQUIRES_GRAD:
                    mask |= <uint64_t>1 << i
                    break
    if op.no_derivative is not None:
        return any_needs_grad(op, args)
    return mask

cdef uint64_t any_needs_grad(Op op, PyObject** args) noexcept:
    for index in op.tensor_parameters:
        value = <object>args[<int>index]
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, Tensor) and (<Tensor>item).flags & REQUIRES_GRAD:
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

cdef object metadata_of(object value, int kind):
    if isinstance(value, Tensor):
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
    cdef bint unpacked
    for i in range(edge_total):
        Py_INCREF(None)
        PyTuple_SET_ITEM(result, i, None)
    if node.saved is None:
        raise RuntimeError(FREED_TEXT)
    if plan.op.no_derivative is not None:
        raise NotImplementedError(f"the derivative for '{plan.op.no_derivative}' is not implemented.")
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
                value = <object>PyTuple_GET_ITEM(node.saved, place)
                if type(value) is SavedTensor or type(value) is list:
                    value = unpack_value(value, node)
                    if keep is None:
                        keep = []
                    keep.append(value)
                argv[i] = <PyObject*>value
        if rule.is_slope:
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
