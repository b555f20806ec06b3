# Functions with several signatures. A Python function chooses among ops; calls of the usual kinds do not wait for it.
cdef enum:
    MAX_PATTERNS = 4
    MAX_PATTERN = 8

@cython.final
cdef class Overloaded(BoundWhereFound):
    """A function of several signatures, with short ways: positional arguments of the kinds that a pattern lists go straight to its op.

    A pattern has a letter for each argument (see KINDS); a star at the end repeats the last.
    """
    cdef readonly object function
    cdef list ops
    cdef uint8_t patterns[MAX_PATTERNS][MAX_PATTERN]
    cdef int count
    cdef bint takes_sizes      # in a pattern: a method's may be loose, a function's not

    def __init__(self, function, ways):
        self.vectorcall = call_overloaded
        self.function, self.ops, self.count = function, [], 0
        for pattern, op in ways.items():
            if self.count == MAX_PATTERNS:
                raise ValueError(f"{function.__name__} has too many ways")
            read_kinds(pattern, self.patterns[self.count], MAX_PATTERN - 1)
            self.ops.append(<Op?>op)
            self.takes_sizes |= "s" in pattern or "*" in pattern
            self.count += 1
        describe(self, function.__name__)


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

cdef PyObject* plain_way(Overloaded function, PyObject* const* args, Py_ssize_t n) noexcept:
    """The op whose pattern these arguments fit, or NULL."""
    cdef int k
    for k in range(function.count):
        if fits(function.patterns[k], args, n):
            return <PyObject*>PyList_GET_ITEM(function.ops, k)
    return NULL

cdef PyObject* call_overloaded(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Overloaded function = <Overloaded>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef PyObject* op = plain_way(function, args, n) if kwnames == NULL and not subclasses_exist else NULL
    if op != NULL:
        return call_parsed(op, args, n, NULL)
    return handed(PyObject_Vectorcall(function.function, <PyObject**>args, n, kwnames))


def overloaded(dict ways):
    """A decorator: the function chooses among ops, and calls that fit a pattern of `ways` go straight to its op. See Overloaded."""
    def decorate(function):
        return Overloaded(function, ways)
    return decorate
