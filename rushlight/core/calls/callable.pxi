# What all callables of the core have in common: how they are called from C, their names and where programs find them.
cdef extern from *:
    """
    static void rl_enable_calls(PyTypeObject* type, size_t offset, bool binds) {
      type->tp_vectorcall_offset = (Py_ssize_t)offset;
      type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | (binds ? Py_TPFLAGS_METHOD_DESCRIPTOR : 0);
      type->tp_call = PyVectorcall_Call;
      PyType_Modified(type);
    }
    """
    void enable_calls "rl_enable_calls"(PyTypeObject*, size_t, cbool) noexcept

cdef extern from *:
    """
    // The arguments of a call, held until it is over.
    struct rl_arguments {
      PyObject* items[26];
      int count = 0;
      void add(PyObject* value) { Py_INCREF(value); items[count++] = value; }
      void add_all(PyObject** values, int n) { for (int i = 0; i < n; ++i) add(values[i]); }
      void put(int i, PyObject* value) { Py_INCREF(value); PyObject* before = items[i]; items[i] = value; Py_DECREF(before); }
      void clear() { while (count) Py_DECREF(items[--count]); }
      ~rl_arguments() { clear(); }
    };
    """
    cdef cppclass Arguments "rl_arguments":
        PyObject** items
        void add(PyObject*)
        void add_all(PyObject**, int)
        void put(int, PyObject*)
        void clear()

cdef inline PyObject* handed(object result) noexcept:
    """A result, as C functions return objects."""
    Py_INCREF(result)
    return <PyObject*>result

cdef inline tuple packed(PyObject* const* values, Py_ssize_t n):
    cdef tuple out = PyTuple_New(n)
    cdef Py_ssize_t i
    for i in range(n):
        Py_INCREF(<object>values[i])
        PyTuple_SET_ITEM(out, i, <object>values[i])
    return out

cdef dict by_name(PyObject* names, PyObject* const* values):
    """Arguments given by name: the values in the order of the names."""
    cdef Py_ssize_t i
    return {} if names == NULL else {name: <object>values[i] for i, name in enumerate(<tuple>names)}

MISSING = object()   # a parameter without a default

cdef describe(object callable_object, str name):
    """The names that functions have."""
    callable_object.__name__ = callable_object.__qualname__ = name


cdef class Called:
    """What is called through its vectorcall slot."""

cdef class Callable(Called):
    """A callable that shows itself, and pickles, as what programs find it as. Its documentation is composed when somebody asks."""

    @property
    def __doc__(self):
        return None if asked.document is None else asked.document(self)

    @property
    def __signature__(self):
        return asked.signature_of(self)

    def __get__(self, instance, owner):
        return self     # (functions of C are no methods; but only what has __get__ is a routine for inspect)

    def __repr__(self):
        module, name = (None, self.__name__) if asked.find_public is None else asked.find_public(self)
        if module is None:
            return f"<method '{name}' of 'torch._C.TensorBase' objects>"
        if module == get_package():
            return f"<built-in method {name} of type object at {<size_t><PyObject*>Tensor:#x}>"
        return f"<built-in function {self.__name__}>"

    @property
    def __module__(self):
        return (asked.find_public(self)[0] if asked.find_public is not None else None) or get_package()

    def __reduce__(self):
        # By name: pickle looks for it in __module__.
        module, name = asked.find_public(self)
        return (getattr, (Tensor, name)) if module is None else name

    @property
    def __wrapped__(self):
        """The declaration."""
        return self.function

cdef class BoundWhereFound(Callable):
    """One that is a method where it is an attribute of tensors. (In other classes it stays what it is, as functions of C do.)"""

    def __get__(self, instance, owner):
        return PyMethod_New(self, instance) if isinstance(instance, Tensor) else self
