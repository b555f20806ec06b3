# The driver of products: of matrices, batches of them, matrix and vector, vectors; alone, or added to a multiple of another tensor.
cdef enum:
    PRODUCT_MATRICES = 0
    PRODUCT_BATCHES = 1
    PRODUCT_MATRIX_VECTOR = 2
    PRODUCT_DOT = 3

_product_kinds = {"matrices": PRODUCT_MATRICES, "batches": PRODUCT_BATCHES, "matrix_vector": PRODUCT_MATRIX_VECTOR, "dot": PRODUCT_DOT}

cdef kernel_lacks(str label, int code):
    """The error of a kernel that has no code for a dtype."""
    return NotImplementedError(f"\"{label}\" not implemented for '{dtypes[code].legacy_name}'")

cdef int require_dims(Tensor a, Tensor b, int kind, bint adds, Tensor x) except -1:
    cdef int m = a.geometry.ndim, n = b.geometry.ndim
    if kind == PRODUCT_MATRICES:
        if m == 2 and n == 2 and a.geometry.shape[1] == b.geometry.shape[0]:
            return 0
        if adds:
            require_one_dtype(a, b, kind, x)
        if m != 2:
            raise RuntimeError(f"mat1 must be a matrix, got {m}-D tensor" if adds else "self must be a matrix")
        if n != 2:
            raise RuntimeError(f"mat2 must be a matrix, got {n}-D tensor" if adds else "mat2 must be a matrix")
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({a.geometry.shape[0]}x{a.geometry.shape[1]} and "
                           f"{b.geometry.shape[0]}x{b.geometry.shape[1]})")
    elif kind == PRODUCT_BATCHES:
        if adds:
            # The result's size is read first (IndexError for missing dimensions), and `x` expanded to it.
            if m != 3 or n != 3 or x.geometry.ndim != 3 or x.geometry.shape[0] != a.geometry.shape[0] or \
                    x.geometry.shape[1] != a.geometry.shape[1] or x.geometry.shape[2] != b.geometry.shape[2]:
                (<object>x).expand((a.size(0), a.size(1), b.size(2)))
            require_one_dtype(a, b, kind, x)
        if m != 3:
            raise RuntimeError("batch1 must be a 3D tensor")
        if n != 3:
            raise RuntimeError("batch2 must be a 3D tensor")
        if a.geometry.shape[0] != b.geometry.shape[0] or a.geometry.shape[2] != b.geometry.shape[1]:
            raise RuntimeError(f"Expected size for first two dimensions of batch2 tensor to be: [{a.geometry.shape[0]}, {a.geometry.shape[2]}] but "
                               f"got: [{b.geometry.shape[0]}, {b.geometry.shape[1]}].")
    elif kind == PRODUCT_MATRIX_VECTOR:
        if m != 2 or n != 1 or x is not None and x.geometry.ndim > 1:
            if x is None:
                a.size(0)      # what the result's size is read from: IndexError for a missing dimension
            raise RuntimeError(f"vector + matrix @ vector expected, got {1 if x is None else x.geometry.ndim}, {m}, {n}")
        if a.geometry.shape[1] != b.geometry.shape[0] or x is not None and x.count != 1 and x.count != a.geometry.shape[0]:
            raise RuntimeError(f"size mismatch, got input ({a.geometry.shape[0] if x is None else x.count}), mat ({a.geometry.shape[0]}x"
                               f"{a.geometry.shape[1]}), vec ({b.geometry.shape[0]})")
    else:
        if m != 1 or n != 1:
            raise RuntimeError(f"1D tensors expected, but got {m}D and {n}D tensors")
        if a.count != b.count:
            require_one_dtype(a, b, kind, x)
            raise RuntimeError(f"inconsistent tensor size, expected tensor [{a.count}] and src [{b.count}] to have the same number of elements, but "
                               f"got {a.count} and {b.count} elements respectively")
    return 0

cdef int require_one_dtype(Tensor a, Tensor b, int kind, Tensor x) except -1:
    if a.code == b.code and (x is None or x.code == a.code):
        return 0
    if kind == PRODUCT_MATRIX_VECTOR:
        raise RuntimeError(f"addmv input tensors must have the same dtype, but got {c10_name(b.code if x is None else x.code)}, {c10_name(a.code)}, "
                           f"and {c10_name(b.code)}")
    if kind == PRODUCT_DOT:
        raise RuntimeError(f"dot : expected both vectors to have same dtype, but found {c10_name(a.code)} and {c10_name(b.code)}")
    if kind == PRODUCT_BATCHES:
        if x is None:
            raise RuntimeError(f"expected scalar type {c10_name(a.code)} but found {c10_name(b.code)}")
        raise RuntimeError(f"Input dtypes must be the same, got: input {scalar_name(x.code)}, batch1: {scalar_name(a.code)}, batch2: "
                           f"{scalar_name(b.code)}")
    if x is not None and x.code != b.code:
        raise RuntimeError(f"self and mat2 must have the same dtype, but got {c10_name(x.code)} and {c10_name(b.code)}")
    if x is not None:
        raise RuntimeError(f"mat1 and mat2 must have the same dtype, but got {c10_name(a.code)} and {c10_name(b.code)}")
    raise RuntimeError(f"expected m1 and m2 to have the same dtype, but got: {scalar_name(a.code)} != {scalar_name(b.code)}")

cdef double real_factor(object value, int code, bint wide, bint* is_apart) except? -1:
    """alpha or beta as a float; whether it is none: it has an imaginary part that counts, or more digits."""
    cdef double real
    if type(value) is int or type(value) is float:
        real = value
        if not computes_itself(code) or not -PLAIN_NUMBERS < real < PLAIN_NUMBERS:
            check_fits(value, FLOAT32 if wide and is_half(code) else code)
            if category[code] == IS_INTEGER:
                if abs(real) > 9007199254740992.:
                    is_apart[0] = True
                return <int64_t>real if abs(real) < PLAIN_NUMBERS else real
        return real
    if isinstance(value, Tensor):
        value = value.item()
    if PyComplex_Check(value):
        check_fits(value, FLOAT32 if wide and is_half(code) else code)
        if value.imag == 0:
            return value.real
        is_apart[0] = True
        return 0
    if number_code(value) == NO_DTYPE:
        raise TypeError(f"alpha and beta must be numbers, not {type(value).__name__}")
    return value


@cython.final
cdef class ProductOp(Op):
    """alpha * (a @ b) + beta * x, or a @ b alone."""
    cdef int kind
    cdef bint adds           # the parameters are x, a, b, beta, alpha; else a, b
    cdef KernelFunction run

    def configure(self, str kernel_name, str kind, bint adds):
        """Called once by the table, after construction."""
        self.kind, self.adds, self.run = _product_kinds[kind], adds, (<Kernel>kernel(kernel_name)).function

    cdef int multiply(self, Tensor out, Tensor a, Tensor b, double alpha, double beta, Tensor row) except -1:
        """`row`: what every row of out begins as, or None where beta is to be taken of out itself."""
        cdef Array arrays[4]
        cdef Number numbers[2]
        cdef int64_t shapes[2][2]
        cdef int64_t strides[2][2]
        cdef double work
        if out.count == 0:
            return 0
        numbers[0].f, numbers[1].f = alpha, beta
        arrays[0], arrays[1], arrays[2] = array_of(out), array_of(a), array_of(b)
        work = <double>out.count * (b.geometry.shape[0] if self.kind != PRODUCT_BATCHES else b.geometry.shape[1])
        if self.kind == PRODUCT_MATRIX_VECTOR:
            if a.code == BOOL:
                raise kernel_lacks("addmv_impl_cpu", BOOL)
            # Vectors as matrices of one column.
            shapes[0][0], shapes[0][1], strides[0][0], strides[0][1] = out.geometry.shape[0], 1, out.geometry.strides[0], 1
            shapes[1][0], shapes[1][1], strides[1][0], strides[1][1] = b.geometry.shape[0], 1, b.geometry.strides[0], 1
            arrays[0].ndim = arrays[2].ndim = 2
            arrays[0].shape, arrays[0].strides = shapes[0], strides[0]
            arrays[2].shape, arrays[2].strides = shapes[1], strides[1]
        if row is not None:
            arrays[3] = array_of(row)
        launch(self.run, arrays, 3 + (row is not None), numbers, 2, work / 4)      # (four multiplications go with one element)
        return 0

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor a, b, out, made, x = None, row = None
        cdef Geometry shape
        cdef int mode = call.mode
        cdef double alpha = 1, beta = 0
        cdef bint complex_factor = False, apart
        cdef int first = 1 if self.adds else 0
        require_tensors(self, args, 0, first + 2)
        a, b = <Tensor>args[first], <Tensor>args[first + 1]
        refuse_escaped(a, False)
        refuse_escaped(b, False)
        if self.adds:
            x = <Tensor>args[0]
        require_dims(a, b, self.kind, self.adds, x)
        require_one_dtype(a, b, self.kind, x)
        if self.adds:
            beta = real_factor(<object>args[3], a.code, self.kind != PRODUCT_MATRIX_VECTOR, &complex_factor)
            alpha = real_factor(<object>args[4], a.code, self.kind != PRODUCT_MATRIX_VECTOR, &complex_factor)
        shape.set_shape(a.geometry.shape, a.geometry.ndim - (b.geometry.ndim == 1))
        if b.geometry.ndim > 1:
            shape.shape[shape.ndim - 1] = b.geometry.shape[b.geometry.ndim - 1]
        if self.kind == PRODUCT_BATCHES and self.adds and a.code == BOOL and shape.numel():
            raise kernel_lacks("baddbmm", BOOL)
        if mode == MODE_IN_PLACE:
            out = x
            if not x.geometry.same_shape(shape):
                raise RuntimeError(f"Bad in-place call: input tensor size {list(x.shape)} and output tensor size "
                                   f"{list(make_tuple(shape.shape, shape.ndim))} should match")
            check_no_overlap(out)
            begin_write(self, call)
        elif mode == MODE_OUT:
            out = <Tensor>call.out
            check_out_dtype(self, 0, out, a.code)
        else:
            out = new_like_shape(a.code, shape)
        # What is read while it is written, and factors that the kernel does not know, take another tensor between.
        apart = complex_factor or mode != MODE_NEW and (out.storage.memory.data in (a.storage.memory.data, b.storage.memory.data))
        if mode == MODE_OUT and self.adds and out.storage.memory.data == x.storage.memory.data:
            apart = apart or not out.geometry.same_shape(shape) or overlap_of(out, x) != OVERLAP_FULL
        if mode == MODE_OUT and not apart:
            prepare_out(out, shape, a.code)
        made = new_like_shape(a.code, shape) if apart else out
        if complex_factor:
            self.multiply(made, a, b, 1, 0, None)
            self.combine(made, made, x, <object>args[3], <object>args[4])
        else:
            if self.adds and beta != 0 and made is not x:
                require_expandable(x, shape)
                if is_row_of(made, x):
                    row = x
                else:
                    copy_elements(made, x)
            elif self.adds and mode == MODE_NEW:
                require_expandable(x, shape)
            self.multiply(made, a, b, alpha, beta, row)
        if apart and mode == MODE_OUT:
            prepare_out(out, shape, a.code)
        if apart:
            copy_elements(out, made)
        return out

    cdef combine(self, Tensor out, Tensor product, Tensor x, object beta, object alpha):
        cdef GradMode grad
        grad.set(False)
        total = operate(ops.mul, product, alpha)
        if beta != 0:
            total = operate(ops.add, total, operate(ops.mul, x, beta))
        copy_elements(out, <Tensor>total)

cdef object turned_product(Tensor a, Tensor b, bint turn_a, bint turn_b, bint column_major, object alpha):
    """alpha * (a @ b) of two matrices, of which each may be transposed before; the result may be laid out column by column."""
    cdef Array arrays[3]
    cdef Number numbers[2]
    cdef int64_t turned[2][4]
    cdef int64_t sizes[2]
    cdef Tensor out
    cdef int64_t rows, columns, depth
    if a.geometry.ndim != 2 or b.geometry.ndim != 2 or a.geometry.shape[not turn_a] != b.geometry.shape[turn_b]:
        raise RuntimeError(f"no matrices that can be multiplied: {list(a.shape)} and {list(b.shape)}")
    require_one_dtype(a, b, PRODUCT_MATRICES, None)
    if modes.interpreters and not isinstance(current_interpreter(), Level):      # (who counts products sees this one)
        a, b = ops.t(a) if turn_a else a, ops.t(b) if turn_b else b
        product = ops.t(ops.mm(ops.t(b), ops.t(a))) if column_major else ops.mm(a, b)
        return product if alpha == 1 else operate(ops.mul, product, alpha)
    a, b = resolved(a), resolved(b)
    rows, depth, columns = a.geometry.shape[turn_a], b.geometry.shape[turn_b], b.geometry.shape[not turn_b]
    sizes[column_major], sizes[not column_major] = rows, columns
    out = new_contiguous(a.code, sizes, 2)
    if column_major:
        out.geometry.shape[0], out.geometry.shape[1] = rows, columns
        out.geometry.strides[0], out.geometry.strides[1] = out.geometry.strides[1], out.geometry.strides[0]
        update_contiguous(out)
    arrays[0], arrays[1], arrays[2] = array_of(out), array_of(a), array_of(b)
    if turn_a:
        turn_matrix(&arrays[1], turned[0])
    if turn_b:
        turn_matrix(&arrays[2], turned[1])
    numbers[0].f, numbers[1].f = 1, 0
    if out.count:
        launch((<Kernel>kernel("gemm")).function, arrays, 3, numbers, 2, <double>out.count * depth / 4)
    if type(alpha) is int and alpha == 1 or alpha == 1:
        return out
    return operate(ops.mul, out, alpha)

cdef inline void turn_matrix(Array* matrix, int64_t* room) noexcept:
    room[0], room[1], room[2], room[3] = matrix.shape[1], matrix.shape[0], matrix.strides[1], matrix.strides[0]
    matrix.shape, matrix.strides = room, room + 2

def mat1_gradient(Tensor g not None, bint column_major, Tensor mat2 not None, alpha=1):
    """The cotangent of mat1 in alpha * (mat1 @ mat2), column-major where mat1 is; of real numbers."""
    return turned_product(g, mat2, False, True, column_major, alpha)

def mat2_gradient(Tensor g not None, Tensor mat1 not None, bint column_major, alpha=1):
    """The cotangent of mat2, likewise."""
    return turned_product(mat1, g, True, False, column_major, alpha)


cdef bint is_row_of(Tensor out, Tensor row):
    """Is it the bias of a layer, a contiguous row for all rows of a contiguous matrix, which is small?"""
    return row.geometry.ndim == 1 and row.flags & CONTIGUOUS and out.flags & CONTIGUOUS and out.geometry.ndim == 2 and \
        out.count <= 16384 and out.geometry.shape[1] == row.count and not is_meta(out)

@cython.final
cdef class MatmulOp(Op):
    """The @ operator: chooses the product by the numbers of dimensions. It is a composition: interpreters see what it calls."""

    cdef object compute(self, PyObject** args, Call* call):
        cdef int m, n
        require_tensors(self, args, 0, 2)
        m, n = (<Tensor>args[0]).geometry.ndim, (<Tensor>args[1]).geometry.ndim
        if call.mode == MODE_NEW and m <= 2 and 0 < n <= 2 and m >= n:
            return call_new(ops.mm if n == 2 else ops.mv if m == 2 else ops.dot, args)
        if call.mode == MODE_NEW and m == 3 and n == 3 and (<Tensor>args[0]).geometry.shape[0] == (<Tensor>args[1]).geometry.shape[0] and not (
                is_recorded_now(<Tensor>args[0], <Tensor>args[1])):
            return call_new(ops.bmm, args)      # (what is recorded shows the views between)
        if modes.interpreters and call.mode == MODE_NEW and m == 1 and n == 2 and (type(<object>args[0]) is Wrapped or type(<object>args[1]) is Wrapped):
            return row_times_matrix(<Tensor>args[0], <Tensor>args[1])
        return self.function(<object>args[0], <object>args[1], out=<object>call.out)

cdef object row_times_matrix(Tensor a, Tensor b):
    """A vector, inside a transform: a matrix of one row; a batch of them, where the program records nothing, is one matrix."""
    cdef Level level = current_level()
    cdef object row
    if level is not None and not is_recorded_now(a, b):
        row = level.rows_times_matrix(a, b)
        if row is not None:
            return row
    row = interpret(ops.mm, (interpret(ops.unsqueeze, (a, 0), None), b), None)
    return interpret(ops.squeeze_one, (row, 0), None)


@cython.final
cdef class LinearOp(Op):
    """linear(input, weight, bias): a layer of a batch of rows is one product. A composition too: of t, and mm or addmm."""

    cdef object compute(self, PyObject** args, Call* call):
        cdef PyObject* passed[MAX_PARAMETERS]
        cdef object transposed
        cdef int i
        require_tensors(self, args, 0, 2)
        if modes.interpreters or call.mode != MODE_NEW or (<Tensor>args[0]).geometry.ndim != 2 or (<Tensor>args[1]).geometry.ndim != 2:
            return self.function(<object>args[0], <object>args[1], <object>args[2], out=<object>call.out)
        transposed = execute_new(ops.t, &args[1])
        if args[2] == <PyObject*>None:
            passed[0], passed[1] = args[0], <PyObject*>transposed
            return execute_new(ops.mm, passed)
        for i in range(3, ops.addmm.parameter_count):
            passed[i] = ops.addmm.default_pointers[i]
        passed[0], passed[1], passed[2] = args[2], args[0], <PyObject*>transposed
        return execute_new(ops.addmm, passed)
