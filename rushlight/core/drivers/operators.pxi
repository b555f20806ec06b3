# Ops of two operands, as Python's operators and the core call them.
cdef inline bint is_operand(object value):
    return PyFloat_CheckExact(value) or PyLong_CheckExact(value) or is_tensor_object(<PyObject*>value) \
        or number_code(value) != NO_DTYPE

cdef inline object operate(Op op, object a, object b):
    """a op b, for Python's operators."""
    cdef PyObject* args[3]
    if not is_operand(b):
        return operate_foreign(op, a, b)
    args[0], args[1] = <PyObject*>a, <PyObject*>b
    if modes.interpreters or uncommon_exist and not are_common(args, 2):
        return op(a, b)
    args[2] = op.default_pointers[2]
    return execute_new(op, args)

cdef inline object called_with(Op op, PyObject** args, int count):
    """op(…) with the first `count` arguments, as programs call it; what is behind, which `args` has room for, has its default."""
    cdef int i
    if modes.interpreters or uncommon_exist and not are_common(args, count):
        return op(*packed(args, count))
    for i in range(count, op.parameter_count):
        args[i] = op.default_pointers[i]
    return execute_new(op, args)

cdef object operate_foreign(Op op, object a, object b):
    if type(b).__name__ == "ndarray":
        return op(a, as_tensor(b))
    return NotImplemented

cdef object operate_reflected(Op op, object a, object b):
    """b op a, where b is a number."""
    if not is_operand(b):
        return NotImplemented
    return op(b, a)

cdef object divide_reflected(object a, object b):
    # PyTorch records b / a as reciprocal and product.
    if not is_operand(b):
        return NotImplemented
    return operate(ops.mul, ops.reciprocal(a), b)

cdef object operate_in_place(Op op, object a, object b):
    cdef PyObject* args[3]
    if not is_operand(b):
        return NotImplemented
    args[0], args[1] = <PyObject*>a, <PyObject*>b
    if modes.interpreters or uncommon_exist and not are_common(args, 2):
        return getattr(a, op.name + "_")(b)
    args[2] = op.default_pointers[2]
    return execute(op, args, MODE_IN_PLACE, None)
