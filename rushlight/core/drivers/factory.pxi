# Public functions that make new tensors of given sizes.
@cython.final
cdef class Factory(Callable):
    """zeros, ones, empty, rand, randn: makes tensors of the given size. Calls with sizes, dtype and requires_grad alone are served here, all
    others by the Python function `general`."""
    cdef str name
    cdef object value              # what the tensors are filled with; None: nothing
    cdef Kernel kernel             # or what they are drawn by, with `value` as the first of two parameters
    cdef readonly object function        # that one

    def __init__(self, str name, value, general, Kernel kernel=None):
        self.vectorcall = call_factory
        self.name, self.value, self.function, self.kernel = name, value, general, kernel
        describe(self, name)

cdef PyObject* call_factory(PyObject* self, PyObject* const* args, size_t flagged, PyObject* kwnames) except NULL:
    cdef Factory factory = <Factory>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged), i, keywords = 0 if kwnames == NULL else PyTuple_GET_SIZE(<object>kwnames)
    cdef int64_t sizes[MAX_DIMS]
    cdef object dtype = None
    cdef object name, value, out
    cdef bint requires_grad = False, plain = n > 0 and n < 16 and not (fill_unset and factory.value is None)
    cdef int code, count = 0, overflow = 0
    cdef Tensor made
    if modes.function_modes:
        out = dispatch_torch_function(factory, (), packed(args, n), by_name(kwnames, args + n))
        if out is not NotImplemented:
            return handed(out)
    for i in range(keywords):
        name, value = <object>PyTuple_GET_ITEM(<object>kwnames, i), <object>args[n + i]
        if name == "dtype":
            dtype = value
        elif name == "requires_grad":
            requires_grad = value
        elif value is not None and not (name == "device" and value is cpu):
            plain = False
    if plain:
        for i in range(n):
            if not PyLong_CheckExact(<object>args[i]):
                plain = False
                break
            sizes[i] = PyLong_AsLongLongAndOverflow(<object>args[i], &overflow)
            if overflow:
                plain = False
                break
        count = <int>n
        if not plain and n == 1 and isinstance(<object>args[0], (tuple, list)):
            count = read_new_size(factory.name, <object>args[0], sizes)
            plain = True
        for i in range(count):
            if sizes[i] < 0:
                plain = False
    if plain:
        code = NO_DTYPE if dtype is None else code_for(factory.name, dtype)
        made = new_contiguous(default_dtype if code == NO_DTYPE else code, sizes, count)
        if factory.kernel is not None:
            made = draw(made, factory.kernel, None, factory.value, 1.0)
        elif factory.value is not None:
            fill_elements(made, factory.value)
        return handed(require_grad_of_new(made, requires_grad))
    return handed(PyObject_Vectorcall(factory.function, <PyObject**>args, n, kwnames))
