# Functions with several signatures. A Python function chooses among ops; calls of the usual kinds do not wait for it.
cdef enum:
    MAX_PATTERNS = 4
    MAX_PATTERN = 8

@cython.final
cdef class Overloaded:
    """A function of several signatures, with short ways: positional arguments of the kinds that a pattern lists go straight to its op.

    A pattern has a letter for each argument: t a tensor, c a contiguous one, n a plain int or float, i a plain int, s an int, tuple or
    list; a star at the end repeats the last.
    """
    cdef vectorcall_function vectorcall
    cdef readonly object function
    cdef list ops
    cdef char patterns[MAX_PATTERNS][MAX_PATTERN]
    cdef int count
    cdef dict __dict__

    def __init__(self, function, ways):
        cdef int k
        self.vectorcall = call_overloaded
        self.function, self.ops, self.count = function, [], 0
        for pattern, op in ways.items():
            if len(pattern) >= MAX_PATTERN or self.count == MAX_PATTERNS:
                raise ValueError(f"{function.__name__} has too many ways, or too long ones")
            for k, letter in enumerate(pattern):
                self.patterns[self.count][k] = ord(letter)
            self.patterns[self.count][len(pattern)] = 0
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


cdef inline bint is_of_kind(PyObject* value, char kind) noexcept:
    if kind == c"t":
        return PyObject_TypeCheck(<object>value, <PyTypeObject*>Tensor)
    if kind == c"c":
        return PyObject_TypeCheck(<object>value, <PyTypeObject*>Tensor) and (<Tensor>value).flags & CONTIGUOUS != 0
    if kind == c"n":
        return PyFloat_CheckExact(<object>value) or PyLong_CheckExact(<object>value)
    if kind == c"i":
        return PyLong_CheckExact(<object>value)
    return PyLong_CheckExact(<object>value) or isinstance(<object>value, (tuple, list))

cdef bint fits(const char* pattern, PyObject* const* args, Py_ssize_t n) noexcept:
    cdef Py_ssize_t i
    cdef char kind = 0
    for i in range(n):
        if pattern[0] != c"*":
            kind = pattern[0]
            pattern += 1
        if kind == 0 or not is_of_kind(args[i], kind):
            return False
    return pattern[0] == 0 or pattern[0] == c"*"

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
