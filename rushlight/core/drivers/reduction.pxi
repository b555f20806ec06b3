# The driver of reductions: dims, result dtype, allocation, one kernel call.
cdef enum:
    # What dtype comes out.
    RESULT_SAME        # that of the input
    RESULT_SUM         # int64 for integers and bools, else that of the input
    RESULT_FLOATING    # that of the input, which must be floating or complex
    RESULT_REAL        # its real part
    RESULT_BOOL
    RESULT_INT64

_results = "same sum floating real bool int64".split()

@cython.final
cdef class ReductionOp(Op):
    """An op that folds some dimensions, or all."""
    cdef KernelFunction kernel
    cdef int result
    cdef int dim_at, keepdim_at, dtype_at    # indices of those parameters, -1 where there is none
    cdef list number_at                      # indices of the parameters that go to the kernel
    cdef readonly bint single                         # exactly one dimension, or (flattened) all
    cdef object empty_error                  # the text where there is no identity
    cdef int output_count
    cdef bint bool_keeps_uint8
    cdef object check                        # refuses bool or complex (of a sum float8 too): it is called with those alone

    @property
    def result_dtype(self):
        """A word for the dtype of what comes out."""
        return _results[self.result]

    def configure(self, str kernel_name, str result, list numbers, bint single=False, empty_error=None, int output_count=1,
                  bint bool_keeps_uint8=False, check=None):
        """Called once by the table, after construction."""
        self.kernel = (<Kernel>kernel(kernel_name)).function
        self.result, self.number_at, self.single, self.empty_error = _results.index(result), numbers, single, empty_error
        self.output_count, self.bool_keeps_uint8, self.check = output_count, bool_keeps_uint8, check
        find = self.keywords.get
        self.dim_at, self.keepdim_at, self.dtype_at = find("dim", -1), find("keepdim", -1), find("dtype", -1)

    cdef int variant(self, PyObject** args) noexcept:
        return self.dim_at >= 0 and <object>args[self.dim_at] is not None

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x
        cdef bint everything = self.dim_at < 0 or <object>args[self.dim_at] is None
        cdef bint keepdim = self.keepdim_at >= 0 and <object>args[self.keepdim_at]
        require_tensors(self, args, 0, 1)
        x = <Tensor>args[0]
        refuse_escaped(x, True)
        # The way of most calls: everything, to one number of the same dtype.
        if everything and not keepdim and call.mode == MODE_NEW and short_ways and self.output_count == 1 and computes_itself(x.code) and \
                (self.check is None or category[x.code] != IS_COMPLEX) and \
                (self.result == RESULT_SUM or self.result == RESULT_FLOATING or self.result == RESULT_SAME) and x.count and \
                x.geometry.ndim <= 4 and not self.number_at and (self.dtype_at < 0 or <object>args[self.dtype_at] is None):
            return self.fold_all(x)
        return self.fold(x, args, call, keepdim)

    cdef object fold(self, Tensor x, PyObject** args, Call* call, bint keepdim):
        """Any dimensions, to any result."""
        cdef Geometry kept      # with dimensions of size 1 where they are folded
        cdef bint folded[MAX_DIMS]
        cdef int code = x.code, result
        cdef object dim = <object>args[self.dim_at] if self.dim_at >= 0 else None
        cdef bint given = self.read_dtype(args, call, &code)
        cdef Tensor source = x, out, second = None
        result = self.result_code(code, given)
        if code != x.code:
            if self.result == RESULT_SUM and self.check is not None and category[x.code] == IS_FLOATING and category[code] < IS_FLOATING:
                source = x.nan_to_num(0., float("inf"), float("-inf"))      # (nansum: an integer has no NaN to leave out)
            source = convert(source, code)
        elif not early_dtype(code):
            # Kernels that ask whether numbers are 0, or sum integers, are those of other dtypes.
            if self.result == RESULT_BOOL or self.result == RESULT_INT64 and self.check is None and code == COMPLEX32:
                source = convert(x, BOOL)
            elif result == INT64 and self.result == RESULT_SUM:
                source = convert(x, INT64)
        if self.result == RESULT_INT64 and self.check is not None and (code == BOOL or category[code] == IS_COMPLEX):
            self.check(dtypes[code], x, dim, True)      # places of extrema are refused before dimensions are looked at
        self.read_dims(x, dim, folded, kept)
        if self.check is not None and (code == BOOL or category[code] == IS_COMPLEX or category[x.code] == IS_COMPLEX or
                                       self.result == RESULT_SUM and category[code] == IS_FLOATING and not early_dtype(code)):
            self.check(dtypes[code], x, dim, kept.numel() != 0)
        out = new_like_shape(result, kept)
        if self.output_count == 2:
            second = new_like_shape(INT64 if self.result == RESULT_SAME and self.single else result, kept)
        # (A product of truth values is one of the bytes 0 and 1.)
        self.run(args, source, out, second, given and code == BOOL and self.result == RESULT_SUM and self.single)
        if not keepdim:
            drop_dims(out.geometry, folded)
            if second is not None:
                drop_dims(second.geometry, folded)
        if call.mode == MODE_OUT:
            return into_out(self, out if second is None else [out, second], <object>call.out)
        if second is None:
            return out
        return (out, second) if self.result_type is None else self.result_type((out, second))

    cdef bint read_dtype(self, PyObject** args, Call* call, int* code) except -1:
        """Which dtype is folded: the input's, unless one is given (True), or that of `out`."""
        cdef bint follows = self.result == RESULT_SUM or self.result == RESULT_FLOATING
        if self.dtype_at < 0:
            return False
        if <object>args[self.dtype_at] is not None:
            code[0] = code_of(<object>args[self.dtype_at])
            if call.mode == MODE_OUT and follows and (<Tensor>call.out).code != code[0]:
                raise RuntimeError(f"Expected out tensor to have dtype {scalar_name(code[0])}, but got {scalar_name((<Tensor>call.out).code)} instead")
            return True
        if call.mode == MODE_OUT and (self.result == RESULT_SUM or self.result == RESULT_FLOATING and category[code[0]] >= IS_FLOATING):
            code[0] = (<Tensor>call.out).code
            return True
        return False

    cdef int read_dims(self, Tensor x, object dim, bint* folded, Geometry& kept) except -1:
        """Which dimensions are folded, and the sizes that this leaves."""
        cdef int64_t dims[MAX_DIMS]
        cdef int d, i, ndim = x.geometry.ndim
        cdef bint everything = dim is None or (type(dim) is tuple or type(dim) is list) and len(dim) == 0 and self.result != RESULT_BOOL
        for d in range(ndim):
            folded[d] = everything
        if not everything:
            folded[0] = folded[0] and ndim > 0      # (a number counts as having one)
            for i in range(read_sizes(dim, dims)):
                d = wrap_dim(dims[i], ndim)
                if folded[d]:
                    raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
                folded[d] = True
        kept.set_shape(x.geometry.shape, ndim)
        for d in range(ndim):
            if folded[d]:
                if self.empty_error is not None and dim is not None and x.geometry.shape[d] == 0:
                    raise self.empty_error(d, x, dim)
                kept.shape[d] = 1
        if self.empty_error is not None and dim is None and x.count == 0:
            raise self.empty_error(-1, x, dim)
        return 0

    cdef int run(self, PyObject** args, Tensor source, Tensor out, Tensor second, bint as_bytes) except -1:
        """The kernel, which sees folded dimensions as such of size 1."""
        cdef Array arrays[3]
        cdef Number numbers[MAX_PARAMETERS]
        cdef int i
        arrays[0] = array_of(out)
        if as_bytes:
            arrays[0].dtype = as_dtype(UINT8)
        if second is not None:
            arrays[1] = array_of(second)
        arrays[self.output_count] = array_of(source)
        for i in range(len(self.number_at)):
            put_number(numbers + i, <object>args[<int>self.number_at[i]])
        if out.count:
            launch(self.kernel, arrays, self.output_count + 1, numbers, <int>len(self.number_at), source.count)
        return 0

    cdef Tensor fold_all(self, Tensor x):
        cdef Tensor out = new_tensor(x.code, 1, item_bytes[x.code])
        cdef Array arrays[2]
        cdef int64_t ones[4]
        out.count = 1
        out.flags |= CONTIGUOUS
        ones[0] = ones[1] = ones[2] = ones[3] = 1
        arrays[0] = array_of(out)
        arrays[0].ndim, arrays[0].shape, arrays[0].strides = x.geometry.ndim, ones, ones
        arrays[1] = array_of(x)
        launch(self.kernel, arrays, 2, NULL, 0, x.count)
        return out

    cdef int result_code(self, int code, bint given) except -1:
        if self.result == RESULT_SUM:
            return INT64 if category[code] < IS_FLOATING and not given else code
        if self.result == RESULT_FLOATING or self.result == RESULT_REAL:
            if category[code] < IS_FLOATING:
                raise RuntimeError(f"{self.name}(): could not infer output dtype. {'Optional' if given else 'Input'} dtype must be either a "
                                   f"floating point or complex dtype. Got: {c10_name(code)}")
            return code if self.result == RESULT_FLOATING else real_of[code]
        if self.result == RESULT_BOOL:
            return UINT8 if code == UINT8 and self.bool_keeps_uint8 else BOOL
        if self.result == RESULT_INT64:
            return INT64
        return code


cdef inline int drop_dims(Geometry& g, const bint* folded) except -1:
    """Leaves the folded dimensions of a new tensor away."""
    cdef int d, n = 0
    if g.ndim == 0:
        return 0
    for d in range(g.ndim):
        if not folded[d]:
            g.shape[n] = g.shape[d]
            n += 1
    g.ndim = n
    g.make_contiguous()
    return 0
