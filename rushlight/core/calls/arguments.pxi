# The parser: arguments are checked, by the signatures of the public name that was called, before anything sees them.
#
# The way of most calls is here, and compares types: every argument is plainly of its parameter's kind. All else (NumPy's numbers, tensors that
# stand for numbers, other names of parameters, mistakes) is for ops/_arguments.py, which converts or refuses.
cdef enum:
    KIND_TENSOR, KIND_TENSOR_OR_NUMBER, KIND_NUMBER, KIND_INT, KIND_INTS, KIND_TENSORS, KIND_FLOAT, KIND_BOOL, KIND_STR, KIND_DTYPE
    KIND_LAYOUT, KIND_DEVICE, KIND_MEMORY_FORMAT, KIND_GENERATOR, KIND_OBJECT, KIND_OTHER
    KIND_MASK = 31
    TAKES_NONE = 32
    TAKES_ONE = 64      # of a kind of list: an int too

_kinds = "Tensor Tensor/Number Number int ints tensors float bool str dtype layout device memory_format generator object".split()
_kinds = {name: kind for kind, name in enumerate(_kinds)} | {"index": KIND_INT, "sizes": KIND_INTS}

cdef PyTypeObject* _types_of_kinds[5]
_types_of_kinds[:] = [<PyTypeObject*>dtype, <PyTypeObject*>layout, <PyTypeObject*>device, <PyTypeObject*>memory_format, <PyTypeObject*>Generator]

@cython.final
cdef class Parser:
    """The signatures of one public function or method. They are read when it is first called."""

    def __init__(self, str name, str text=None, *, bint is_method=False, bint never_asked=False, bint takes_data=False):
        self.name, self.text, self.is_method, self.names = name, text, is_method, []
        self.is_never_asked, self.takes_data = never_asked, takes_data

    def add(self, list parameters, int positional, bint takes_loose):
        """Adds a signature: (name, kind, whether None and whether a single int will do, whether it must be given) for each parameter."""
        cdef Pattern pattern
        cdef int i
        if len(parameters) > MAX_PARAMETERS:
            raise ValueError(f"{self.name} has more than {MAX_PARAMETERS} parameters")
        pattern.count, pattern.positional, pattern.takes_loose, pattern.required = len(parameters), positional, takes_loose, 0
        for i, (name, kind, takes_none, takes_one, is_required) in enumerate(parameters):
            name = __import__("sys").intern(name)
            self.names.append(name)
            pattern.names[i] = <PyObject*>name
            pattern.kinds[i] = _kinds.get(kind, KIND_OTHER) | (TAKES_NONE if takes_none else 0) | (TAKES_ONE if takes_one else 0)
            if is_required:
                pattern.required |= <uint32_t>1 << i
        if pattern.required == 0:
            self.takes_nothing = True
        self.patterns.push_back(pattern)

    def __call__(self, *args, **keywords):
        """Checks arguments, for functions of Python that are checked further inside; raises TypeError."""
        if keywords or not self.passes(PySequence_ITEMS(args), PyTuple_GET_SIZE(args), NULL):
            asked.convert_arguments(self, args, keywords)

    # Whether the arguments are plainly what one of the signatures asks for. `args` holds the positional ones, then those of `names`.
    cdef bint passes(self, PyObject* const* args, Py_ssize_t n, PyObject* names) except -1:
        cdef size_t i
        if self.signatures is None:
            asked.load_signatures(self)
        for i in range(self.patterns.size()):
            if fits_pattern(&self.patterns[i], args, n, names):
                return True
        return False


cdef bint hold_tensors(PyObject* value) noexcept:
    """A tuple, or exactly a list, of tensors; to read it runs no code of Python's."""
    cdef PyObject** items
    cdef Py_ssize_t i, n
    if not PyTuple_Check(<object>value) and not PyList_CheckExact(<object>value):
        return False
    items, n = PySequence_Fast_ITEMS(<object>value), PySequence_Fast_GET_SIZE(<object>value)
    for i in range(n):
        if not is_tensor_object(items[i]):
            return False
    return True

cdef inline bint is_plainly(PyObject* value, uint8_t kind) noexcept:
    """Whether a value is of a parameter's kind, and needs no conversion."""
    cdef uint8_t of = kind & KIND_MASK
    cdef bint fits = of == KIND_OBJECT
    if of == KIND_TENSOR:
        fits = is_tensor_object(value)
    elif of == KIND_INT:
        fits = is_short_integer(value)
    elif of == KIND_BOOL:
        fits = PyBool_Check(<object>value)
    elif of == KIND_FLOAT:
        fits = PyFloat_CheckExact(<object>value) or is_short_integer(value)
    elif of == KIND_INTS:
        fits = hold_short_integers(value) or kind & TAKES_ONE and is_short_integer(value)
    elif of == KIND_TENSOR_OR_NUMBER or of == KIND_NUMBER:
        fits = of == KIND_TENSOR_OR_NUMBER and is_tensor_object(value) or PyFloat_CheckExact(<object>value) or is_short_integer(value) or \
            PyBool_Check(<object>value) or PyComplex_CheckExact(<object>value)
    elif of == KIND_TENSORS:
        fits = hold_tensors(value)
    elif of == KIND_STR:
        fits = PyUnicode_CheckExact(<object>value)
    elif KIND_DTYPE <= of <= KIND_GENERATOR:
        fits = type_of(value) == _types_of_kinds[of - KIND_DTYPE]
    return fits or kind & TAKES_NONE and <object>value is None

cdef bint fits_pattern(const Pattern* pattern, PyObject* const* args, Py_ssize_t n, PyObject* names) noexcept:
    cdef Py_ssize_t i, k
    cdef uint32_t given
    if n > pattern.positional or (pattern.takes_loose and n == 1 and not is_plainly(args[0], pattern.kinds[0])):
        if not pattern.takes_loose:
            return False
        if not are_short_integers(args, n):
            return False
        given = 1
    else:
        for i in range(n):
            if not is_plainly(args[i], pattern.kinds[i]):
                return False
        given = (<uint32_t>1 << n) - 1
    if names != NULL:
        for k in range(PyTuple_GET_SIZE(<object>names)):
            i = pattern.count - 1
            while i >= 0 and pattern.names[i] != PyTuple_GET_ITEM_POINTER(<object>names, k):
                i -= 1
            if i < 0 or given >> i & 1 or not is_plainly(args[n + k], pattern.kinds[i]):
                return False
            given |= <uint32_t>1 << i
    return given & pattern.required == pattern.required


# ---------------------------------------------------------------------------------------------------------- what stands behind a parser
cdef class Function(Callable):
    """A public function: its parser, and what is called behind it (an op, or a Python function that is made of ops)."""
    cdef vectorcall_function call
    cdef readonly Parser parser
    cdef readonly object target

    def __init__(self, str name, target, Parser parser):
        self.vectorcall, self.parser, self.target = call_function, parser, target
        self.call = call_parsed if isinstance(target, Op) else call_in_place if isinstance(target, InPlace) else \
            call_overloaded if isinstance(target, Overloaded) else call_anything
        describe(self, name)

    def __getattr__(self, name):
        return getattr(self.target, name)

    @property
    def __wrapped__(self):
        """The declaration."""
        return getattr(self.target, "__wrapped__", self.target)


@cython.final
cdef class Method(Function):
    """A method of tensors, whose first argument must be one."""
    cdef PyTypeObject* owner

    def __init__(self, str name, target, Parser parser, owner=Tensor):
        Function.__init__(self, name, target, parser)
        self.vectorcall = call_method
        self.owner = <PyTypeObject*>owner
        self.__qualname__ = f"{owner.__name__}.{name}"
        self.__objclass__ = owner

    def __get__(self, instance, owner):
        return self if instance is None else bound_method(self, instance)

    def __repr__(self):
        return f"<method '{self.__name__}' of '{owner_title(self)}' objects>"

    def __reduce__(self):
        return getattr, (<object>self.owner, self.__name__)


@cython.final
cdef class BoundMethod(Called):
    """x.sum: a method with its tensor. (The call x.sum() makes none.)"""
    cdef Method method
    cdef readonly object __self__
    cdef object __weakref__

    @property
    def __doc__(self):
        return self.method.__doc__

    def __getattr__(self, name):
        return getattr(self.method, name)

    def __get__(self, instance, owner):
        return self

    def __repr__(self):
        return f"<built-in method {self.method.__name__} of {type(self.__self__).__name__} object at {id(self.__self__):#x}>"

    def __eq__(self, other):
        return isinstance(other, BoundMethod) and self.method is (<BoundMethod>other).method and self.__self__ is (<BoundMethod>other).__self__

    def __hash__(self):
        return hash((id(self.__self__), id(self.method)))

    def __reduce__(self):
        return getattr, (self.__self__, self.method.__name__)

cdef BoundMethod bound_method(Method method, object instance):
    cdef BoundMethod out = BoundMethod.__new__(BoundMethod)
    out.vectorcall, out.method, out.__self__ = call_bound, method, instance
    return out

cdef PyObject* call_bound(PyObject* self, PyObject* const* args, size_t flagged, PyObject* names) except NULL:
    cdef BoundMethod bound = <BoundMethod>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged), i
    cdef vector[PyObject*] given
    given.push_back(<PyObject*>bound.__self__)
    for i in range(n if names == NULL else n + PyTuple_GET_SIZE(<object>names)):
        given.push_back(args[i])
    return call_method(<PyObject*>bound.method, given.data(), n + 1, names)


cdef str owner_title(Method method):
    kind = <object>method.owner
    return "torch._C.TensorBase" if kind is Tensor else f"{kind.__module__}.{kind.__name__}"

cdef refuse_owner(Method method, PyObject* const* args, Py_ssize_t n):
    if n == 0:
        raise TypeError(f"unbound method {owner_title(method).rpartition('.')[2]}.{method.__name__}() needs an argument")
    raise TypeError(f"descriptor '{method.__name__}' for '{owner_title(method)}' objects doesn't apply to a "
                    f"'{type(<object>args[0]).__name__}' object")

cdef PyObject* call_anything(PyObject* target, PyObject* const* args, size_t n, PyObject* names) except NULL:
    cdef Py_ssize_t count = PyVectorcall_NARGS(n)
    cdef MetaCall within
    if modes.interpreters and is_wanted(getattr(<object>target, "__name__", None)):
        return handed(interpret(<object>target, packed(args, count), by_name(names, args + count)))
    if dispatching_exist and getattr(<object>target, "__name__", None) in dispatched_functions:
        answered = dispatched_function((<object>target).__name__, packed(args, count), by_name(names, args + count))
        if answered is not NotImplemented:
            return handed(answered)
    if meta_exist and not modes.meta and any_meta_of(args, count if names == NULL else count + PyTuple_GET_SIZE(<object>names)):
        if names != NULL:
            require_output_place(args, count, names)
        within.begin()      # (what the function makes has no memory either)
    return handed(PyObject_Vectorcall(<object>target, <PyObject**>args, n, names))

cdef inline PyObject* plain_op(Function function, PyObject* const* args, Py_ssize_t n, PyObject* names, bint takes_loose) noexcept:
    """The op of several that the arguments are plainly for; what fits its pattern, its parser need not see. (Only a method's sizes may be loose.)"""
    if function.call != call_overloaded or names != NULL or subclasses_exist or not takes_loose and (<Overloaded>function.target).takes_sizes:
        return NULL
    return plain_way(<Overloaded>function.target, args, n)

cdef PyObject* call_function(PyObject* self, PyObject* const* args, size_t flagged, PyObject* names) except NULL:
    cdef Function function = <Function>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef PyObject* op = plain_op(function, args, n, names, False)
    if op != NULL:
        return call_parsed(op, args, n, NULL)
    if subclasses_exist or not function.parser.passes(args, n, names):
        return call_converted(self, <PyObject*>function.target, function.call, function.parser, NULL, args, n, names)
    return function.call(<PyObject*>function.target, args, n, names)

cdef PyObject* call_method(PyObject* self, PyObject* const* args, size_t flagged, PyObject* names) except NULL:
    cdef Method method = <Method>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    cdef PyObject* op
    if n == 0 or not PyObject_TypeCheck(<object>args[0], method.owner):
        refuse_owner(method, args, n)
    if n == 1 and names == NULL and method.parser is not None and method.parser.takes_nothing and not subclasses_exist:
        return method.call(<PyObject*>method.target, args, 1, NULL)
    op = plain_op(method, args, n, names, True)
    if op != NULL:
        return call_parsed(op, args, n, NULL)
    if method.parser is not None and (subclasses_exist or not method.parser.passes(args + 1, n - 1, names)):
        return call_converted(self, <PyObject*>method.target, method.call, method.parser, args[0], args + 1, n - 1, names)
    return method.call(<PyObject*>method.target, args, n, names)

cdef PyObject* call_converted(PyObject* called, PyObject* target, vectorcall_function call, Parser parser, PyObject* instance,
                              PyObject* const* args, Py_ssize_t n, PyObject* names) except NULL:
    """A call whose arguments are converted first, or that types with __torch_function__ may answer. `instance` is that of a method."""
    cdef tuple positional = packed(args, n), first = () if instance == NULL else (<object>instance,), values, given_names
    cdef dict keywords = by_name(names, args + n)
    cdef object answered = NotImplemented
    cdef object converted = (positional, keywords) if parser.passes(args, n, names) else asked.convert_arguments(parser, positional, keywords)
    if (converted is None or subclasses_exist) and not parser.is_never_asked:
        values = () if parser.takes_data else (*first, *positional, *keywords.values())
        answered = dispatch_torch_function(<object>called, values, first + positional, keywords,
                                           converted is None)
    if answered is NotImplemented:
        positional, keywords = converted
        values, given_names = (*first, *positional, *keywords.values()), tuple(keywords)
        return call(target, PySequence_ITEMS(values), len(first) + len(positional), <PyObject*>given_names if keywords else NULL)
    return handed(answered)
