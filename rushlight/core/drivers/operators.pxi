# Ops of two operands, as Python's operators and the core call them.
#
# Subclasses of Tensor, and modes, are asked about the operator's method: that of the op, where there is none of a name of its own.
cdef enum:
    PLAIN_OPERATOR, REFLECTED_OPERATOR, ASSIGNING_OPERATOR

cdef object ask_operator_of(Op op, int form, object a, object b):
    name = None if op.operator_methods is None else op.operator_methods[form]
    if op is ops.eq and type(a) is Tensor and not modes.function_modes:
        name = None      # (only the type of the tensor itself, or a mode, is asked about `__eq__`)
    return ask_operator(name or (op.name + "_" if form == ASSIGNING_OPERATOR else op.name), a, b)

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
        return operate_asking(op, a, b)
    args[2] = op.default_pointers[2]
    return execute_new(op, args)

cdef object operate_asking(Op op, object a, object b):
    return ask_operator_of(op, PLAIN_OPERATOR, a, b) if is_asked(a, b) else op(a, b)

cdef inline object called_with(Op op, PyObject** args, int count):
    """op(…) with the first `count` arguments, as programs call it; what is behind, which `args` has room for, has its default."""
    cdef int i
    if modes.interpreters or uncommon_exist and not are_common(args, count):
        return op(*packed(args, count))
    for i in range(count, op.parameter_count):
        args[i] = op.default_pointers[i]
    return execute_new(op, args)

cdef object operate_foreign(Op op, object a, object b):
    """a op b, where b is neither a tensor nor a number; PyTorch leaves arrays to NumPy, all but `==` of what a tensor can hold."""
    if op is ops.eq and is_array(b):
        try:
            return op(a, as_tensor(b))
        except TypeError:
            return NotImplemented
    return ask_operator_of(op, PLAIN_OPERATOR, a, b) if wants_a_say(b) else NotImplemented

cdef object operate_reflected(Op op, object a, object b):
    """b op a, where b is a number."""
    if is_asked(a, b):
        return ask_operator_of(op, REFLECTED_OPERATOR, a, b)
    return op(b, a) if is_operand(b) else NotImplemented

cdef object operate_commuted(Op op, object a, object b):
    """b op a, where the order decides on strides alone: PyTorch's is that of the tensors in `a.__rand__(b)`."""
    if is_asked(a, b):
        return ask_operator_of(op, REFLECTED_OPERATOR, a, b)
    return op(a, b) if is_operand(b) else NotImplemented

cdef object divide_reflected(object a, object b):
    # PyTorch records b / a as reciprocal and product.
    if is_asked(a, b):
        return ask_operator("__rtruediv__", a, b)
    if is_array(b):
        try:
            return ops.reciprocal(a) * b
        except TypeError:
            return NotImplemented
    return operate(ops.mul, ops.reciprocal(a), b) if is_operand(b) else NotImplemented

cdef object operate_in_place(Op op, object a, object b):
    cdef PyObject* args[3]
    args[0], args[1] = <PyObject*>a, <PyObject*>b
    if not is_operand(b) or modes.interpreters or uncommon_exist and not are_common(args, 2):
        if is_asked(a, b):
            return ask_operator_of(op, ASSIGNING_OPERATOR, a, b)
        return getattr(a, op.name + "_")(b) if is_operand(b) else NotImplemented
    args[2] = op.default_pointers[2]
    return execute(op, args, MODE_IN_PLACE, None)
