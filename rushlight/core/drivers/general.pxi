# Ops whose forward is written in Python.
def set_kernel_label(str name, str label):
    """Says what PyTorch's errors call an element-wise kernel."""
    label_kernel(name.encode(), label.encode())

def has_tensor(*values):
    """Whether one of the values is a tensor."""
    for value in values:
        if isinstance(value, Tensor):
            return True
    return False


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
            PyErr_WriteUnraisable_(error)
            return 0

    cdef object compute(self, PyObject** args, Call* call):
        cdef bint grad = modes.grad
        cdef int mode = call.mode
        cdef object result
        cdef Tensor target
        cdef PyObject* passed[MAX_PARAMETERS]
        cdef Tensor copied
        cdef int i
        cdef PyObject* names = <PyObject*>self.keyword_only
        if self.keyword_only is None:
            names = NULL
        if isinstance(<object>args[0], Tensor):
            refuse_escaped(<Tensor>args[0], False)
        if mode == MODE_IN_PLACE:
            target = <Tensor>args[0]
            begin_write(self, call)
            if not self.takes_expanded:
                check_no_overlap(target)
        elif mode == MODE_OUT and self.apart is not None:
            for i in range(self.parameter_count):
                if isinstance(<object>args[i], (Tensor, list, tuple)):
                    check_apart(<object>call.out, <object>args[i], self.apart)
        modes.grad = False
        try:
            if self.writes and mode != MODE_IN_PLACE:
                if not isinstance(<object>args[0], Tensor):
                    raise_argument(self, 0, <object>args[0])
                if self.row_major:
                    copied = new_like_shape((<Tensor>args[0]).code, (<Tensor>args[0]).geometry)
                    copy_elements(copied, <Tensor>args[0])
                else:
                    copied = convert(<Tensor>args[0], (<Tensor>args[0]).code)
                for i in range(self.parameter_count):
                    passed[i] = args[i]
                passed[0] = <PyObject*>copied
                result = PyObject_Vectorcall(self.function, passed, self.positional, names)
            else:
                result = PyObject_Vectorcall(self.function, args, self.positional, names)
        except AttributeError:
            # The functions ask their arguments for what tensors have.
            for i in range(self.parameter_count):
                if self.parameters[i] in TENSOR_PARAMETERS and self.defaults[i] is MISSING and not isinstance(<object>args[i], Tensor):
                    raise_argument(self, i, <object>args[i])
            raise
        finally:
            modes.grad = grad
        if mode == MODE_IN_PLACE and self.writes:
            return target
        if mode == MODE_IN_PLACE:
            if not can_cast_codes((<Tensor>result).code, target.code):
                raise RuntimeError(f"result type {c10_name((<Tensor>result).code)} can't be cast to the desired output type "
                                   f"{c10_name(target.code)}")
            if not target.geometry.same_shape((<Tensor>result).geometry):
                raise RuntimeError(f"output with shape {list(target.shape)} doesn't match the broadcast shape {list(result.shape)}")
            copy_elements(target, <Tensor>result)
            return target
        if mode == MODE_OUT:
            given = <object>call.out
            check_out_dtypes(self, (given,) if isinstance(result, Tensor) else given, (result,) if isinstance(result, Tensor) else result)
            if isinstance(result, Tensor):
                write_out(<Tensor?>given, <Tensor>result)
                return given
            for value, item in zip(result, given):
                write_out(<Tensor?>item, <Tensor>value)
            return tuple(given) if self.result_type is None else self.result_type(given)
        if isinstance(result, Tensor):
            unlink(<Tensor>result)
            return result
        for value in result:
            if isinstance(value, Tensor):
                unlink(<Tensor>value)
        return result if self.result_type is None else self.result_type(result)

cdef extern from "Python.h":
    void PyErr_WriteUnraisable_ "PyErr_WriteUnraisable"(object) noexcept
