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

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, other, out
        cdef Array arrays[3]
        cdef Number number
        cdef bint plain = call.mode == MODE_NEW and short_ways and PyObject_TypeCheck(<object>args[0], <PyTypeObject*>Tensor) and \
            PyLong_CheckExact(<object>args[self.inputs]) and \
            (self.parameter_count == self.inputs + 1 or <object>args[self.inputs + 1] is None)
        if plain:
            x = <Tensor>args[0]
            plain = category[x.code] == IS_FLOATING
            if plain and self.inputs == 2:
                plain = PyObject_TypeCheck(<object>args[1], <PyTypeObject*>Tensor)
                if plain:
                    other = <Tensor>args[1]
                    plain = other.code == x.code and other.geometry.same_shape(x.geometry)
        if not plain:
            return GeneralOp.compute(self, args, call)
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
        return out


cdef inline bint plain_row(object value, int code, int64_t count) noexcept:
    """Is it None, or a contiguous tensor of that dtype and number of elements?"""
    if value is None:
        return True
    return PyObject_TypeCheck(value, <PyTypeObject*>Tensor) and (<Tensor>value).code == code and (<Tensor>value).count == count and \
        (<Tensor>value).flags & CONTIGUOUS


@cython.final
cdef class LayerNormOp(GeneralOp):
    """op(x, normalized_shape, weight, bias, eps): normalized rows, their means and reciprocal standard deviations."""
    cdef KernelFunction kernel

    def configure(self, str kernel_name):
        """Called once by the table, after construction."""
        self.kernel = (<Kernel>kernel(kernel_name)).function

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, out, mean, deviation
        cdef Array arrays[6]
        cdef Number number
        cdef int64_t sizes[MAX_DIMS]
        cdef int64_t matrix[2]
        cdef int64_t steps[2]
        cdef int64_t one = 1, columns = 1
        cdef int d, n = 0, kept = -1
        cdef object given = <object>args[1]
        if call.mode == MODE_NEW and short_ways and PyObject_TypeCheck(<object>args[0], <PyTypeObject*>Tensor) and isinstance(given, (tuple, list)):
            x = <Tensor>args[0]
            n = read_sizes(given, sizes)
            if n and n <= x.geometry.ndim and category[x.code] == IS_FLOATING and x.flags & CONTIGUOUS and x.count:
                kept = x.geometry.ndim - n
                for d in range(n):
                    columns *= sizes[d]
                    if sizes[d] != x.geometry.shape[kept + d]:
                        kept = -1
                        break
        # Weight and bias have the normalized sizes; those of several dimensions are looked at by the other way.
        if kept < 0 or n > 1 or not plain_row(<object>args[2], x.code, columns) or not plain_row(<object>args[3], x.code, columns) or \
                not is_vector(<object>args[2]) or not is_vector(<object>args[3]):
            return GeneralOp.compute(self, args, call)
        out = new_like_shape(x.code, x.geometry)
        for d in range(kept):
            sizes[d] = x.geometry.shape[d]
        sizes[kept] = 1
        mean, deviation = new_contiguous(x.code, sizes, kept + 1), new_contiguous(x.code, sizes, kept + 1)
        matrix[0], matrix[1] = x.count // columns, columns
        steps[0], steps[1] = columns, 1
        arrays[0], arrays[3] = scalar_array(data_of(out), x.code), scalar_array(data_of(x), x.code)
        arrays[1], arrays[2] = scalar_array(data_of(mean), x.code), scalar_array(data_of(deviation), x.code)
        for d in range(4):
            arrays[d].ndim, arrays[d].shape, arrays[d].strides = 2, matrix, steps
        for d in range(1, 3):
            arrays[d].ndim, arrays[d].strides = 1, &one
        for d in range(2):
            arrays[4 + d] = scalar_array(NULL, x.code) if <object>args[2 + d] is None else array_of(<Tensor>args[2 + d])
        number.f = <object>args[4]
        if out.count > 65536:
            with nogil:
                self.kernel(arrays, 6, &number)
        else:
            self.kernel(arrays, 6, &number)
        return (out, mean, deviation)

cdef inline bint is_vector(object value) noexcept:
    return value is None or (<Tensor>value).geometry.ndim == 1


@cython.final
cdef class LabelLossOp(GeneralOp):
    """op(x, target, weight, reduction, ignore_index): a loss of the row of each label, and the sum of the labels' weights."""
    cdef KernelFunction kernel

    def configure(self, str kernel_name):
        """Called once by the table, after construction."""
        self.kernel = (<Kernel>kernel(kernel_name)).function

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, target, loss, total
        cdef Array arrays[5]
        cdef Number numbers[2]
        cdef bint plain = call.mode == MODE_NEW and short_ways and <object>args[2] is None and PyLong_CheckExact(<object>args[4]) and \
            PyObject_TypeCheck(<object>args[0], <PyTypeObject*>Tensor) and PyObject_TypeCheck(<object>args[1], <PyTypeObject*>Tensor)
        if plain:
            x, target = <Tensor>args[0], <Tensor>args[1]
            plain = category[x.code] == IS_FLOATING and target.code == INT64 and x.geometry.ndim == 2 and target.geometry.ndim == 1 and \
                x.geometry.shape[0] == target.geometry.shape[0]
        if not plain:
            return GeneralOp.compute(self, args, call)
        numbers[0].i = <object>args[4]
        numbers[1].i = _reductions[<object>args[3]]
        loss = new_like_shape(x.code, target.geometry) if numbers[1].i == 0 else new_contiguous(x.code, NULL, 0)
        total = new_contiguous(x.code, NULL, 0)
        arrays[0], arrays[1], arrays[2], arrays[3] = array_of(loss), array_of(total), array_of(x), array_of(target)
        arrays[4] = scalar_array(NULL, x.code)
        if x.count > 65536:
            with nogil:
                self.kernel(arrays, 5, numbers)
        else:
            self.kernel(arrays, 5, numbers)
        return (loss, total)

cdef dict _reductions = {"none": 0, "mean": 1, "sum": 2}
