# One call: parse the arguments, ask whether an interpreter is active, run the driver.
cdef extern from *:
    """
    static void rl_enable_vectorcall(PyTypeObject* type, size_t offset) {
      type->tp_vectorcall_offset = (Py_ssize_t)offset;
      type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
      type->tp_call = PyVectorcall_Call;
      PyType_Modified(type);
    }
    static void rl_enable_binding(PyTypeObject* type) { type->tp_flags |= Py_TPFLAGS_METHOD_DESCRIPTOR; }
    """
    void enable_vectorcall "rl_enable_vectorcall"(PyTypeObject*, size_t) noexcept
    void enable_binding "rl_enable_binding"(PyTypeObject*) noexcept

cdef extern from "Python.h":
    Py_ssize_t PyVectorcall_NARGS(size_t) noexcept
    object PyObject_Vectorcall(object, PyObject**, size_t, PyObject*)
    object PyMethod_New(object, object)
    int PyErr_CheckSignals() except -1

MISSING = object()   # a parameter without a default

# Whether ops may take their short ways for plain calls. Off (RUSHLIGHT_SHORT_WAYS=0), every call takes the general way: laws compare the two.
cdef bint short_ways = __import__("os").environ.get("RUSHLIGHT_SHORT_WAYS") != "0"

def use_short_ways(bint allowed):
    """Lets ops take their short ways for plain calls, or sends every call the general way; returns what was set before."""
    global short_ways
    before, short_ways = short_ways, allowed
    return before


_identity = eval("lambda value: value")    # through eval: a function of Python's own, whose bytecode can be compared

cdef enum:
    # What stands between a kernel and a tensor.
    BATCHED = 1
    PUSHED = 2
    NOT_REAL = 4

@cython.final
cdef class Rule:
    """The derivative of an op with respect to one input, and where its parameters come from."""

    def __init__(self, function, int parameter, bint is_slope, bint is_list, list sources):
        code = getattr(function, "__code__", None)
        self.is_identity = code is not None and code.co_argcount == 1 and code.co_code == _identity.__code__.co_code
        self.function, self.parameter, self.is_slope, self.is_list, self.sources = function, parameter, is_slope, is_list, sources

    def fuse(self, fused, bint is_real=False, int within=0):
        """Names what computes the same in one kernel (None: nothing does), of real numbers alone, `within` transforms too."""
        self.fused, self.fused_is_real, self.fused_within = fused, is_real, within
        self.fused_is_recorded = isinstance(fused, Op) and (<Op>fused).rule_total > 0

IN_BATCHES = BATCHED      # where a fused rule serves, besides plain tensors
EVERYWHERE = BATCHED | PUSHED


@cython.final
cdef class Plan:
    """For one op and one choice of inputs that need gradients: what to save, and how to call the rules."""


cdef class Op:
    """An operation of the table: callable as function and as method."""

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
        self.rule_total = len(rules)
        self.has_plain_rules = all([(<Rule>rule).parameter >= 0 and not (<Rule>rule).is_list for rule in rules])
        for i in range(self.rule_total):
            self.rule_parameters[i] = (<Rule>rules[i]).parameter
        self.has_variants = len(backward_names) > 1
        self.takes_real_part = True
        self.fails_first = backward_names == ("NotImplemented",)
        self.takes_dtype = "dtype" in parameters
        self.in_place_shift = 2 if len(backward_names) == 4 else 0
        self.has_tensor_list = any([(<Rule>rule).is_list for rule in rules])
        describe(self, name, getattr(function, "__doc__", None))
        for i in range(self.parameter_count):
            self.default_pointers[i] = <PyObject*>NULL
            if defaults[i] is not MISSING:
                self.default_pointers[i] = PyTuple_GET_ITEM_POINTER(defaults, i)

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    def __repr__(self):
        return shown_callable(self)

    @property
    def __module__(self):
        return module_of(self)

    def __reduce__(self):
        return reduced_callable(self)

    @property
    def __wrapped__(self):
        """The declaration in the table."""
        return self.function

    # The driver: computes, and neither asks what is tracked nor records (see gate.pxi). `args` holds every parameter, defaults filled in.
    # What it writes in place, it announces by begin_write.
    cdef object compute(self, PyObject** args, Call* call):
        raise NotImplementedError(self.name)

    # Which of `backward_names` a call gets, where there are several.
    cdef int variant(self, PyObject** args) noexcept:
        return 0

    def apply(self, *args):
        """Calls with every parameter given in order, whatever interpreter is active; the ops that it is made of are interpreted."""
        cdef PyObject* bound[MAX_PARAMETERS]
        cdef int i
        if len(args) != self.parameter_count:
            raise TypeError(f"{self.name} has {self.parameter_count} parameters, not {len(args)}")
        for i in range(self.parameter_count):
            bound[i] = PyTuple_GET_ITEM_POINTER(args, i)
        return execute_resolved(self, bound, MODE_IN_PLACE if isinstance(self, WritingOp) else MODE_NEW, None)

cdef describe(object callable_object, str name, doc):
    """The attributes that functions have."""
    for attribute, value in (("__name__", name), ("__qualname__", name), ("__doc__", doc)):
        setattr(callable_object, attribute, value)

cdef object find_public = None

def set_find_public(function):
    """Tells callables where programs find them: `function(callable)` returns the name of a module, or None for methods alone, and a name there."""
    global find_public
    find_public = function

cdef object module_of(object function):
    return (find_public(function)[0] if find_public is not None else None) or get_package()

cdef object reduced_callable(object function):
    # By name: pickle looks for it in __module__.
    module, name = find_public(function)
    return (getattr, (Tensor, name)) if module is None else name

cdef object shown_callable(object function):
    module, name = (None, function.__name__) if find_public is None else find_public(function)
    if module is None:
        return f"<method '{name}' of 'torch._C.TensorBase' objects>"
    if module == get_package():
        return f"<built-in method {name} of type object at {<size_t><PyObject*>Tensor:#x}>"
    return f"<built-in function {function.__name__}>"


cdef inline PyObject* PyTuple_GET_ITEM_POINTER(object items, Py_ssize_t i) noexcept:
    return <PyObject*>PyTuple_GET_ITEM(items, i)


cdef PyObject* call_op(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Parser parser = (<Op>self).parser
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    if parser is not None and not parser.passes(args, n, kwnames):
        return call_converted(self, self, call_parsed, parser, NULL, args, n, kwnames)
    return call_parsed(self, args, n, kwnames)

cdef PyObject* call_parsed(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Op op = <Op>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef PyObject* bound[MAX_PARAMETERS]
    cdef Py_ssize_t i, k = op.sizes
    cdef object result
    cdef tuple packed
    cdef bint loose = False
    if 0 <= k:
        loose = kwnames == NULL and n > k + 1 and all_exact_integers(args, k, n)
        if n == k + 1 and type(<object>args[k]) is dtype and op.of_dtype is not None:
            op = op.of_dtype
    if kwnames == NULL and (loose or n <= op.positional) and (not uncommon_exist or are_common(args, n)):
        if loose:
            # x.view(2, 3): the loose ints are one argument.
            packed = PyTuple_New(n - k)
            for i in range(k, n):
                Py_INCREF(<object>args[i])
                PyTuple_SET_ITEM(packed, i - k, <object>args[i])
            n = k + 1
        for i in range(n):
            bound[i] = args[i]
        if loose:
            bound[k] = <PyObject*>packed
        for i in range(n, op.parameter_count):
            bound[i] = op.default_pointers[i]
            if bound[i] == NULL:
                raise_missing(op, n)
        result = call_new(op, bound)
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
        return shown_callable(self)

    @property
    def __module__(self):
        return module_of(self)

    def __reduce__(self):
        return reduced_callable(self)


cdef PyObject* call_in_place(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Op op = (<InPlace>self).op
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef PyObject* bound[MAX_PARAMETERS]
    cdef Py_ssize_t i
    cdef object result
    if n == 0 or not isinstance(<object>args[0], Tensor):
        raise TypeError(f"{op.name}_() needs a tensor to write into")
    if modes.transforms:
        refuse_captured(op, <Tensor>args[0], n > 1 and isinstance(<object>args[n - 1], Tensor))
    if kwnames == NULL and n <= op.positional and (not uncommon_exist or are_common(args, n)) and not modes.interpreters:
        for i in range(n):
            bound[i] = args[i]
        for i in range(n, op.parameter_count):
            bound[i] = op.default_pointers[i]
            if bound[i] == NULL:
                raise_missing(op, n)
        result = execute(op, bound, MODE_IN_PLACE, None)
    else:
        result = call_with_keywords(op, args, n, kwnames, MODE_IN_PLACE)
    Py_INCREF(result)
    return <PyObject*>result


cdef inline object call_new(Op op, PyObject** args):
    """Runs an op on arguments of the common kinds, as what is active sees it."""
    if modes.interpreters and not op.is_composition:
        return interpret(op, pack_arguments(op, args), None)
    return execute_new(op, args)

cdef raise_missing(Op op, Py_ssize_t given):
    missing = [name for name, default in zip(op.parameters[given:], op.defaults[given:]) if default is MISSING]
    names = {"x": "input", "a": "input", "b": "other"}
    listed = ", ".join([f'"{names.get(name, name)}"' for name in missing])
    raise TypeError(f"{op.name}() missing {len(missing)} required positional arguments: {listed}")

cdef tuple pack_arguments(Op op, PyObject** bound):
    cdef tuple packed = PyTuple_New(op.parameter_count)
    cdef int i
    for i in range(op.parameter_count):
        Py_INCREF(<object>bound[i])
        PyTuple_SET_ITEM(packed, i, <object>bound[i])
    return packed

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
    if op.of_dtype is not None and type(<object>bound[op.sizes]) is dtype:
        op = op.of_dtype
    if subclasses_exist:
        arguments = pack_arguments(op, bound)
        handled = overridden(op, mode, arguments, out)
        if handled is not NotImplemented:
            return handled
    if modes.interpreters and not op.is_composition:
        return interpret(op, pack_arguments(op, bound), None if out is None and mode == MODE_NEW else
                         {"mode": mode} if out is None else {"out": out, "mode": MODE_OUT})
    return execute_resolved(op, bound, mode if out is None else MODE_OUT, out)

cdef inline bint all_exact_integers(PyObject* const* args, Py_ssize_t start, Py_ssize_t stop) noexcept:
    cdef Py_ssize_t i
    for i in range(start, stop):
        if not PyLong_CheckExact(<object>args[i]):
            return False
    return True

cdef bint all_integers(PyObject* const* args, Py_ssize_t start, Py_ssize_t stop):
    cdef Py_ssize_t i
    for i in range(start, stop):
        if not hasattr(type(<object>args[i]), "__index__"):
            return False
    return True


cdef enable_calls(type kind, size_t offset, bint as_methods=True):
    """Makes objects of an extension type callable through their vectorcall slot, as functions and as methods."""
    enable_vectorcall(<PyTypeObject*>kind, offset)
    if as_methods:
        enable_binding(<PyTypeObject*>kind)


# ---------------------------------------------------------------------------------------------------------- interpreters
# A transform (forward-mode duals, vmap, capture, profiling) is an object with `process(op, arguments, keywords)` on this stack.
_interpreters = __import__("threading").local()

cdef extern from *:
    """
    // This thread's stack, known again without a look into a dict. Python's thread holds the list: its number tells whether that one still runs.
    static thread_local PyObject* rl_stack RL_TLS_MODEL = nullptr;
    static thread_local uint64_t rl_stack_thread RL_TLS_MODEL = 0;
    static inline uint64_t rl_thread_number() { return PyThreadState_GetID(PyThreadState_Get()) + 1; }
    static inline PyObject* rl_known_stack() { return rl_stack_thread == rl_thread_number() ? rl_stack : nullptr; }
    static inline void rl_know_stack(PyObject* stack) { rl_stack = stack; rl_stack_thread = rl_thread_number(); }
    """
    PyObject* known_stack "rl_known_stack"()
    void know_stack "rl_know_stack"(PyObject*)

cdef list interpreter_stack():
    """The interpreters of this thread that are not at work now, the innermost last."""
    cdef PyObject* known = known_stack()
    if known != NULL:
        return <list>known
    stack = getattr(_interpreters, "stack", None)
    if stack is None:
        stack = []
    use_stack(stack)
    return stack

cdef int use_stack(list stack) except -1:
    """Makes `stack` that of this thread."""
    _interpreters.stack = stack
    know_stack(<PyObject*>stack)
    return 0

def push_interpreter(interpreter):
    """Sends every op of this thread to `interpreter.process(op, args, kwargs)` until it is popped."""
    interpreter_stack().append(interpreter)
    modes.interpreters += 1

def pop_interpreter():
    """Takes the innermost interpreter off the stack and returns it."""
    modes.interpreters -= 1
    return interpreter_stack().pop()

cdef object interpret(object op, tuple arguments, object keywords):
    # While an interpreter runs, it is off the stack: what it calls goes to the one below.
    cdef list stack = interpreter_stack()
    interpreter = stack.pop()
    modes.interpreters -= 1
    modes.at_work += 1
    try:
        if isinstance(interpreter, Level):
            return call_level(<Level>interpreter, <Op>op, arguments, keywords)
        return interpreter.process(op, arguments, keywords or {})
    finally:
        stack.append(interpreter)
        modes.interpreters += 1
        modes.at_work -= 1


# ------------------------------------------------------------------------------------------------- ops that the core itself calls
@cython.final
cdef class Ops:
    """The ops of the table, and the methods, that the core itself calls: each has its name here, once."""

cdef Ops ops = Ops()
cdef object write_at       # what is called for x[index] = value

def connect_ops(dict table, dict methods):
    """Puts the table's ops, or else methods of tensors, where the core looks for them."""
    global write_at
    for name in vars(Ops):
        if not name.startswith("__"):
            setattr(ops, name, table[name] if name in table else methods[name])
    write_at = InPlace(ops._index_put)
