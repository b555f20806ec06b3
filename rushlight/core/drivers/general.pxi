# Ops whose forward is written in Python.
def set_kernel_label(str name, str label):
    """Says what PyTorch's errors call an element-wise kernel."""
    label_kernel(name.encode(), label.encode())

def set_kernel_late(str name, unsigned late):
    """Says which dtypes that came late an element-wise kernel has (bits of Late in kernels/array.h)."""
    serve_late(name.encode(), late)

def are_alike(Tensor first, *others):
    """Whether all (None aside) are contiguous tensors of one shape and of one dtype, float32 or float64: what fused kernels take."""
    cdef Tensor x
    if first.code != FLOAT32 and first.code != FLOAT64 or not first.flags & CONTIGUOUS:
        return False
    for value in others:
        if value is None:
            continue
        x = <Tensor?>value
        if x.code != first.code or not x.flags & CONTIGUOUS or not x.geometry.same_shape(first.geometry):
            return False
    return True


cdef class GeneralOp(Op):
    """An op whose forward is a Python function (it runs with recording off)."""

    cdef int variant(self, PyObject** args) noexcept:
        if self.choose_variant is None:
            return 0
        try:
            return self.choose_variant(*pack_arguments(self, args))
        except Exception as error:
            PyErr_WriteUnraisable(error)
            return 0

    cdef object compute(self, PyObject** args, Call* call):
        cdef object result
        cdef int i
        if isinstance(<object>args[0], Tensor):
            refuse_escaped(<Tensor>args[0], False)
        if call.mode == MODE_IN_PLACE:
            begin_write(self, call)
            if not self.takes_expanded:
                check_no_overlap(<Tensor>args[0])
        elif call.mode == MODE_OUT and self.apart is not None:
            for i in range(self.parameter_count):
                if isinstance(<object>args[i], (Tensor, list, tuple)):
                    check_apart(<object>call.out, <object>args[i], self.apart)
        result = call_on_copy(self, args) if self.writes and call.mode != MODE_IN_PLACE else call_python(self, args)
        if call.mode == MODE_OUT:
            return into_out(self, result, <object>call.out)
        if call.mode == MODE_IN_PLACE:
            if not self.writes:
                write_back(<Tensor>args[0], <Tensor>result)
            return <object>args[0]
        if isinstance(result, Tensor):
            unlink(<Tensor>result)
            return result
        for value in result:
            if isinstance(value, Tensor):
                unlink(<Tensor>value)
        return result if self.result_type is None else self.result_type(result)

cdef object call_python(GeneralOp op, PyObject** args):
    """Calls the function. It asks its arguments for what tensors have."""
    cdef GradMode grad
    cdef PyObject* names = NULL
    cdef int i
    if op.keyword_only is not None:
        names = <PyObject*>op.keyword_only
    grad.set(False)
    try:
        return PyObject_Vectorcall(op.function, args, op.positional, names)
    except AttributeError:
        for i in range(op.parameter_count):
            if op.parameters[i] in TENSOR_PARAMETERS and op.defaults[i] is MISSING and not isinstance(<object>args[i], Tensor):
                raise_argument(op, i, <object>args[i])
        raise

cdef object call_on_copy(GeneralOp op, PyObject** args):
    """Calls a function that writes into its first argument with a copy of that."""
    cdef PyObject* passed[MAX_PARAMETERS]
    cdef Tensor x, copied
    require_tensors(op, args, 0, 1)
    x = <Tensor>args[0]
    if op.row_major:
        copied = new_like_shape(x.code, x.geometry)
        copy_elements(copied, x)
    else:
        copied = convert(x, x.code)
    memcpy(passed, args, op.parameter_count * sizeof(PyObject*))
    passed[0] = <PyObject*>copied
    return call_python(op, passed)

cdef int write_back(Tensor target, Tensor result) except -1:
    """Puts the result of a call in place into its target."""
    check_cast(result.code, target)
    if not target.geometry.same_shape(result.geometry):
        raise_target(target, result.geometry)
    return copy_elements(target, result)
