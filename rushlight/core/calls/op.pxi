# The ops of the table: what they know, and the derivatives that belong to them.
_identity = eval("lambda value: value")    # through eval: a function of Python's own, whose bytecode can be compared

cdef enum:
    # What stands between a kernel and a tensor.
    BATCHED = 1
    PUSHED = 2
    NOT_REAL = 4
    OF_CLASS = 8

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
                 bint allows_out=True, jvp=None, bint linear=False, tuple tensor_parameters=()):
        cdef int i
        if len(parameters) > MAX_PARAMETERS:
            raise ValueError(f"{name} has more than {MAX_PARAMETERS} parameters")
        self.vectorcall = call_op
        self.name, self.function, self.parameters, self.defaults = name, function, parameters, defaults
        self.keywords, self.positional, self.sizes, self.backward_names = keywords, positional, sizes, backward_names
        self.rules, self.outputs, self.result_type = rules, outputs, result_type
        self.differentiable_outputs, self.no_derivative, self.allows_out = differentiable_outputs, no_derivative, allows_out
        self.jvp, self.linear = jvp, linear
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
        self.is_composition = backward_names == (None,)
        self.takes_dtype = "dtype" in parameters
        self.in_place_shift = 2 if len(backward_names) == 4 else 0
        self.has_tensor_list = any([(<Rule>rule).is_list for rule in rules])
        describe(self, name)
        for i in range(self.parameter_count):
            self.default_pointers[i] = <PyObject*>NULL
            if defaults[i] is not MISSING:
                self.default_pointers[i] = PyTuple_GET_ITEM_POINTER(defaults, i)

    # The driver: computes, and neither asks what is tracked nor records (see gate.pxi). `args` holds every parameter, defaults filled in.
    # What it writes in place, it announces by begin_write.
    cdef object compute(self, PyObject** args, Call* call):
        raise NotImplementedError(self.name)

    # A call with every parameter given, below all interpreters.
    cdef object execute(self, PyObject** args):
        return execute_new(self, args)

    # Which of `backward_names` a call gets, where there are several.
    cdef int variant(self, PyObject** args) noexcept:
        return 0

    def apply(self, *args):
        """Calls with every parameter given in order, whatever interpreter is active; the ops that it is made of are interpreted."""
        return execute_any(self, given_to(self, args), MODE_IN_PLACE if self.only_writes else MODE_NEW, None)

cdef inline PyObject** given_to(Op op, tuple arguments) except NULL:
    """The arguments of a call that gives every parameter; nobody may write into them."""
    if PyTuple_GET_SIZE(arguments) != op.parameter_count:
        raise TypeError(f"{op.name} has {op.parameter_count} parameters, not {len(arguments)}")
    return <PyObject**>PySequence_ITEMS(arguments)


cdef PyObject* call_op(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Parser parser = (<Op>self).parser
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    if parser is not None and not parser.passes(args, n, kwnames):
        return call_converted(self, self, call_parsed, parser, NULL, args, n, kwnames)
    return call_parsed(self, args, n, kwnames)

cdef object write_at       # what is called for x[index] = value

def connect_ops(dict table, dict methods):
    """Puts the table's ops, or else methods of tensors, where the core looks for them."""
    global write_at
    for name in vars(Ops):
        if not name.startswith("__"):
            setattr(ops, name, table[name] if name in table else methods[name])
    write_at = InPlace(ops._index_put)
