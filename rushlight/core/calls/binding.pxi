# One call: arguments are bound to parameters; then an interpreter sees the op, or its driver runs.
cdef inline int bind(Op op, PyObject** bound, PyObject* const* args, Py_ssize_t n) except -1:
    """The first `n` parameters, and the defaults of the others."""
    cdef Py_ssize_t i
    for i in range(n):
        bound[i] = args[i]
    for i in range(n, op.parameter_count):
        bound[i] = op.default_pointers[i]
        if bound[i] == NULL:
            raise_missing(op, n)
    return 0

cdef PyObject* call_parsed(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Op op = <Op>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef PyObject* bound[MAX_PARAMETERS]
    cdef Py_ssize_t k = op.sizes
    cdef tuple one
    cdef bint loose = False
    if 0 <= k:
        loose = kwnames == NULL and n > k + 1 and are_short_integers(args + k, n - k)
        if n == k + 1 and type(<object>args[k]) is dtype and op.of_dtype is not None:
            op = op.of_dtype
    if kwnames == NULL and (loose or n <= op.positional) and (not uncommon_exist or are_common(args, n)):
        if loose:
            # x.view(2, 3): the loose ints are one argument.
            one = packed(args + k, n - k)
            n = k + 1
        bind(op, bound, args, n)
        if loose:
            bound[k] = <PyObject*>one
        return handed(call_new(op, bound))
    return handed(call_with_keywords(op, args, n, kwnames, MODE_NEW))


@cython.final
cdef class InPlace(BoundWhereFound):
    """x.name_(…): the op of the same name, writing into its first argument."""
    cdef readonly Op op

    def __init__(self, Op op):
        self.vectorcall = call_in_place
        self.op = op
        describe(self, op.name + "_")


cdef PyObject* call_in_place(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Op op = (<InPlace>self).op
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef PyObject* bound[MAX_PARAMETERS]
    if n == 0 or not isinstance(<object>args[0], Tensor):
        raise TypeError(f"{op.name}_() needs a tensor to write into")
    if modes.transforms:
        refuse_captured(op, <Tensor>args[0], n > 1 and isinstance(<object>args[n - 1], Tensor))
    if kwnames == NULL and n <= op.positional and (not uncommon_exist or are_common(args, n)) and not modes.interpreters:
        bind(op, bound, args, n)
        return handed(execute(op, bound, MODE_IN_PLACE, None))
    return handed(call_with_keywords(op, args, n, kwnames, MODE_IN_PLACE))


cdef inline object call_new(Op op, PyObject** args):
    """Runs an op on arguments of the common kinds, as what is active sees it."""
    if modes.interpreters and (not op.is_composition or is_wanted(op.name)):
        return interpret(op, pack_arguments(op, args), None)
    return execute_new(op, args)

cdef dict public_parameters = {"x": "input", "a": "input", "b": "other"}      # what errors call them

cdef raise_missing(Op op, Py_ssize_t given):
    missing = [name for name, default in zip(op.parameters[given:], op.defaults[given:]) if default is MISSING]
    listed = ", ".join([f'"{public_parameters.get(name, name)}"' for name in missing])
    raise TypeError(f"{op.name}() missing {len(missing)} required positional arguments: {listed}")

cdef object call_with_keywords(Op op, PyObject* const* args, Py_ssize_t n, PyObject* kwnames, int mode):
    cdef PyObject* bound[MAX_PARAMETERS]
    cdef Py_ssize_t i, count, index
    cdef object out = None, one = None
    cdef object names
    for i in range(op.parameter_count):
        bound[i] = NULL
    if n > op.positional or (op.sizes >= 0 and n > op.sizes + 1):
        # x.view(2, 3): ints from `sizes` on are one argument.
        if op.sizes < 0 or op.sizes > n or not all_integers(args, op.sizes, n):
            raise TypeError(f"{op.name}() takes {op.positional} positional arguments but {n} were given")
        one = packed(args + op.sizes, n - op.sizes)
        for i in range(op.sizes):
            bound[i] = args[i]
        bound[op.sizes] = <PyObject*>one
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
                    one = ()
                    bound[i] = <PyObject*>one
                    continue
                raise_missing(op, i)
    if op.of_dtype is not None and type(<object>bound[op.sizes]) is dtype:
        op = op.of_dtype
    if subclasses_exist:
        arguments = pack_arguments(op, bound)
        handled = overridden(op, mode, arguments, out)
        if handled is not NotImplemented:
            return handled
    if modes.interpreters and (not op.is_composition or is_wanted(op.name)):
        return interpret(op, pack_arguments(op, bound), None if out is None and mode == MODE_NEW else
                         {"mode": mode} if out is None else {"out": out, "mode": MODE_OUT})
    return execute_any(op, bound, mode if out is None else MODE_OUT, out)

cdef bint all_integers(PyObject* const* args, Py_ssize_t start, Py_ssize_t stop):
    cdef Py_ssize_t i
    for i in range(start, stop):
        if not hasattr(type(<object>args[i]), "__index__"):
            return False
    return True
