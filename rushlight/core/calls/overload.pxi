# Functions with several signatures. A Python function chooses among ops; calls of the usual kinds do not wait for it.
cdef enum:
    MAX_PATTERNS = 4
    MAX_PATTERN = 8

# Kinds of arguments, and the letters that name them in patterns.
KINDS = "tcflmFindsqr-*"
cdef enum:
    TENSOR = 1
    CONTIGUOUS_TENSOR
    FLOATING           # a tensor of a floating dtype
    INTEGERS           # one of int64
    MASK               # one of booleans
    FLOATING_OR_NONE
    LAST_TENSOR = FLOATING_OR_NONE
    PLAIN_INT
    PLAIN_NUMBER       # a plain int or float
    DIMENSION          # a plain int that names a dimension
    SIZES              # an int, tuple or list
    SEQUENCE           # a plain tuple or list
    REDUCTION          # "none", "mean" or "sum"
    NOTHING            # None
    REPEATED           # the one before, any number of times

@cython.final
cdef class Overloaded:
    """A function of several signatures, with short ways: positional arguments of the kinds that a pattern lists go straight to its op.

    A pattern has a letter for each argument (see KINDS); a star at the end repeats the last.
    """
    cdef vectorcall_function vectorcall
    cdef readonly object function
    cdef list ops
    cdef uint8_t patterns[MAX_PATTERNS][MAX_PATTERN]
    cdef int count
    cdef dict __dict__

    def __init__(self, function, ways):
        self.vectorcall = call_overloaded
        self.function, self.ops, self.count = function, [], 0
        for pattern, op in ways.items():
            if self.count == MAX_PATTERNS:
                raise ValueError(f"{function.__name__} has too many ways")
            read_kinds(pattern, self.patterns[self.count], MAX_PATTERN - 1)
            self.ops.append(<Op?>op)
            self.count += 1
        describe(self, function.__name__, function.__doc__)

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
        """The function that chooses."""
        return self.function


cdef inline bint is_tensor_of_kind(Tensor x, uint8_t kind) noexcept:
    if kind == FLOATING or kind == FLOATING_OR_NONE:
        return category[x.code] == IS_FLOATING
    elif kind == INTEGERS:
        return x.code == INT64
    elif kind == MASK:
        return x.code == BOOL
    return kind == TENSOR or x.flags & CONTIGUOUS != 0

cdef inline bint is_of_kind(PyObject* value, uint8_t kind) noexcept:
    if kind <= LAST_TENSOR:
        return is_tensor_object(value) and is_tensor_of_kind(<Tensor>value, kind) or kind == FLOATING_OR_NONE and <object>value is None
    elif kind == PLAIN_INT or kind == DIMENSION:
        return PyLong_CheckExact(<object>value)
    elif kind == PLAIN_NUMBER:
        return PyFloat_CheckExact(<object>value) or PyLong_CheckExact(<object>value)
    elif kind == SIZES:
        return PyLong_CheckExact(<object>value) or isinstance(<object>value, (tuple, list))
    elif kind == SEQUENCE:
        return type(<object>value) is tuple or type(<object>value) is list
    return <object>value is None if kind == NOTHING else PyUnicode_CheckExact(<object>value)

cdef int read_kinds(str letters, uint8_t* kinds, int most) except -1:
    """Letters as kinds, with a 0 behind the last."""
    cdef int i
    if len(letters) > most:
        raise ValueError(f"'{letters}' has too many kinds of arguments")
    for i in range(len(letters)):
        kinds[i] = KINDS.index(letters[i]) + 1
    kinds[len(letters)] = 0
    return 0

cdef bint fits(const uint8_t* pattern, PyObject* const* args, Py_ssize_t n) noexcept:
    cdef Py_ssize_t i
    cdef uint8_t kind = 0
    for i in range(n):
        if pattern[0] != REPEATED:
            kind = pattern[0]
            pattern += 1
        if kind == 0 or not is_of_kind(args[i], kind):
            return False
    return pattern[0] == 0 or pattern[0] == REPEATED

cdef PyObject* call_overloaded(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Overloaded function = <Overloaded>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef int k
    cdef object result
    if kwnames == NULL and not subclasses_exist:
        for k in range(function.count):
            if fits(function.patterns[k], args, n):
                return call_parsed(<PyObject*>PyList_GET_ITEM(function.ops, k), args, n, NULL)
    result = PyObject_Vectorcall(function.function, <PyObject**>args, n, kwnames)
    Py_INCREF(result)
    return <PyObject*>result


def overloaded(dict ways):
    """A decorator: the function chooses among ops, and calls that fit a pattern of `ways` go straight to its op. See Overloaded."""
    def decorate(function):
        return Overloaded(function, ways)
    return decorate
