# The short way of ops that turn each row along a dimension into another of the same length and dtype: softmax, running sums. What is
# not plain (other dtypes, errors) takes the Python function's way.
@cython.final
cdef class RowOp(GeneralOp):
    """An op of one floating tensor (or two of one shape) and a dimension."""
    cdef KernelFunction kernel
    cdef int inputs

    def configure(self, str kernel_name, int inputs):
        """Called once by the table, after construction."""
        self.kernel, self.inputs = (<Kernel>kernel(kernel_name)).function, inputs

    cdef object forward(self, PyObject** args, int mode, object out_object):
        cdef Tensor x, other, out
        cdef Array arrays[3]
        cdef Number number
        cdef uint8_t flags
        cdef uint64_t mask
        cdef bint plain = mode == MODE_NEW and PyObject_TypeCheck(<object>args[0], <PyTypeObject*>Tensor) and \
            PyLong_CheckExact(<object>args[self.inputs]) and \
            (self.parameter_count == self.inputs + 1 or <object>args[self.inputs + 1] is None)
        if plain:
            x = <Tensor>args[0]
            flags = x.flags
            plain = category[x.code] == IS_FLOATING
            if plain and self.inputs == 2:
                plain = PyObject_TypeCheck(<object>args[1], <PyTypeObject*>Tensor)
                if plain:
                    other = <Tensor>args[1]
                    flags |= other.flags
                    plain = other.code == x.code and other.geometry.same_shape(x.geometry)
        if not plain:
            return GeneralOp.forward(self, args, mode, out_object)
        number.i = wrap_dim(<object>args[self.inputs], x.geometry.ndim)
        out = new_like_shape(x.code, x.geometry)
        arrays[0], arrays[1] = array_of(out), array_of(x)
        if self.inputs == 2:
            arrays[2] = array_of(other)
        if out.count > 65536:
            with nogil:
                self.kernel(arrays, self.inputs + 1, &number)
        else:
            self.kernel(arrays, self.inputs + 1, &number)
        if modes.grad and flags & REQUIRES_GRAD:
            mask = inputs_needing_grad(self, args)
            if mask:
                record(self, args, mask, out)
        return out
