# What all callables of the core have in common: how they are called from C, their names and where programs find them.
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

MISSING = object()   # a parameter without a default

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


cdef enable_calls(type kind, size_t offset, bint as_methods=True):
    """Makes objects of an extension type callable through their vectorcall slot, as functions and as methods."""
    enable_vectorcall(<PyTypeObject*>kind, offset)
    if as_methods:
        enable_binding(<PyTypeObject*>kind)


cdef extern from *:
    """
    static void rl_enable_plain_vectorcall(PyTypeObject* type, size_t offset) {
      type->tp_vectorcall_offset = (Py_ssize_t)offset;
      type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
      type->tp_call = PyVectorcall_Call;
      PyType_Modified(type);
    }
    """
    void enable_plain_vectorcall "rl_enable_plain_vectorcall"(PyTypeObject*, size_t) noexcept
