# The operators' methods by name.
cdef extern from *:
    """
    // An operator's method by name, x.__add__(y), is another object than Python's own, which would cost subclasses the way through C: they would
    // look the method up for x + y. So what a subclass does not define itself it gets from Tensor.
    #define RL_OPERATOR(name, slot) {"__" #name "__", "__r" #name "__", offsetof(PyNumberMethods, nb_##slot)}, \\
      {"__i" #name "__", "", offsetof(PyNumberMethods, nb_inplace_##slot)}
    static const struct { const char *name, *reflected; size_t slot; } rl_operators[] = {
      RL_OPERATOR(add, add), RL_OPERATOR(sub, subtract), RL_OPERATOR(mul, multiply), RL_OPERATOR(truediv, true_divide),
      RL_OPERATOR(pow, power), RL_OPERATOR(floordiv, floor_divide), RL_OPERATOR(mod, remainder), RL_OPERATOR(lshift, lshift),
      RL_OPERATOR(rshift, rshift), RL_OPERATOR(and, and), RL_OPERATOR(or, or), RL_OPERATOR(xor, xor), RL_OPERATOR(matmul, matrix_multiply)};
    static bool rl_same(PyTypeObject* type, PyTypeObject* base, const char* name) {
      if (!*name) return true;
      PyObject* key = PyUnicode_FromString(name);
      bool same = _PyType_Lookup(type, key) == _PyType_Lookup(base, key);
      Py_DECREF(key);
      return same;
    }
    static void rl_inherit_operators(PyTypeObject* type, PyTypeObject* base) {
      for (const auto& each : rl_operators)
        if (rl_same(type, base, each.name) && rl_same(type, base, each.reflected))
          *(void**)((char*)type->tp_as_number + each.slot) = *(void**)((char*)base->tp_as_number + each.slot);
      bool compares = true;
      for (const char* name : {"__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"}) compares = compares && rl_same(type, base, name);
      if (compares) type->tp_richcompare = base->tp_richcompare;
    }
    """
    void inherit_operators "rl_inherit_operators"(PyTypeObject*, PyTypeObject*) noexcept


@cython.final
cdef class Operator(Called):
    """The method of an operator: what does not fit it gets NotImplemented, so that Python asks the other operand."""
    cdef readonly object __wrapped__
    cdef readonly str __name__
    cdef dict __dict__

    def __init__(self, wrapped):
        self.vectorcall = call_operator
        self.__wrapped__, self.__name__ = wrapped, wrapped.__name__
        self.__objclass__, self.__doc__, self.__qualname__ = Tensor, wrapped.__doc__, f"Tensor.{wrapped.__name__}"

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    def __repr__(self):
        return f"<method '{self.__name__}' of 'torch._C.TensorBase' objects>"

    def __reduce__(self):
        return getattr, (Tensor, self.__name__)

cdef PyObject* call_operator(PyObject* self, PyObject* const* args, size_t flagged, PyObject* names) except NULL:
    cdef Operator method = <Operator>self
    cdef Py_ssize_t n = PyVectorcall_NARGS(flagged)
    if n == 0 or not is_tensor_object(args[0]):
        return call_anything(<PyObject*>method.__wrapped__, args, n, names)      # Python's error
    try:
        return handed(PyObject_Vectorcall(method.__wrapped__, <PyObject**>args, n, names))
    except TypeError:
        return handed(NotImplemented)

def operator_methods():
    """(name, method) for each operator with another operand."""
    names = "add radd sub rsub mul rmul truediv rtruediv pow rpow floordiv rfloordiv mod rmod lshift rlshift rshift rrshift and rand or ror " \
            "xor rxor matmul rmatmul iadd isub imul itruediv ipow ifloordiv imod ilshift irshift iand ior ixor lt le eq ne gt ge"
    return [(f"__{name}__", Operator(vars(Tensor)[f"__{name}__"])) for name in names.split()]


def notice_subclass(cls not None):
    """Called for each new subclass of Tensor; one that turns __torch_function__ off needs no attention, and one that says `asks_when_made` none
    until it calls `ask_subclasses`."""
    inherit_operators(<PyTypeObject*>cls, <PyTypeObject*>Tensor)
    notice_dispatching(cls)
    if cls.__torch_function__ is not disabled_torch_function and not getattr(cls, "asks_when_made", False):
        ask_subclasses()

cdef inline object assign_operator(Op op, object a, object b):
    """a += b and the like, as a program writes it."""
    if modes.transforms:
        refuse_captured(op, <Tensor>a, isinstance(b, Tensor))
    return operate_in_place(op, a, b)
