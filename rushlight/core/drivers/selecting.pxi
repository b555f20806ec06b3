# The short way of ops that read elements of their first input where an integer tensor points. What is not plain (other index dtypes,
# several indices, 0-d tensors, errors) takes the Python function's way.
cdef enum:
    SELECTS_ELEMENTS = 0     # gather(x, dim, index)
    SELECTS_SLICES = 1       # index_select(x, dim, index)
    SELECTS_ROWS = 2         # embedding(x, index)
    SELECTS_FIRST = 3        # x[index]
    MOST_INDICES = 4

@cython.final
cdef class SelectOp(GeneralOp):
    """An op that reads elements of its first input where an integer tensor points."""
    cdef int what
    cdef KernelFunction kernel

    def configure(self, str what):
        """Called once by the table, after construction."""
        self.what = ("gather", "index_select", "embedding", "index").index(what)
        self.kernel = (<Kernel>kernel("index_select" if what == "embedding" else what)).function

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, index, out = None
        cdef Array arrays[3]
        cdef Number number
        cdef int64_t sizes[MAX_DIMS]
        cdef int64_t flat[1]
        cdef int64_t steps[1]
        cdef PyObject* given
        cdef bint along = self.what <= SELECTS_SLICES
        if call.mode == MODE_NEW and short_ways and PyObject_TypeCheck(<object>args[0], <PyTypeObject*>Tensor) and (
                not along or PyLong_CheckExact(<object>args[1])):
            given = args[2] if along else args[1]
            x = <Tensor>args[0]
            if self.what == SELECTS_FIRST and type(<object>given) is list and len(<list><object>given) == 1 and \
                    x.flags & CONTIGUOUS and is_of_kind(PyList_GET_ITEM(<object>given, 0), c"c"):
                given = <PyObject*>PyList_GET_ITEM(<object>given, 0)
            if self.what == SELECTS_FIRST and type(<object>given) is list:
                out = self.side_by_side(x, <list><object>given)
                if out is not None:
                    return out
            elif PyObject_TypeCheck(<object>given, <PyTypeObject*>Tensor):
                index = <Tensor>given
                if index.code == INT64 and index.count and x.geometry.ndim and index.geometry.ndim and \
                        x.geometry.ndim + index.geometry.ndim < MAX_DIMS:
                    out = self.result(x, index, args, &number)
        if out is None:
            return GeneralOp.compute(self, args, call)
        arrays[0], arrays[1], arrays[2] = array_of(out), array_of(x), array_of(index)
        if self.what == SELECTS_ROWS and index.geometry.ndim > 1:
            # The kernel sees one row for each index.
            flat[0], steps[0] = index.count, 1
            sizes[0], sizes[1] = index.count, x.geometry.shape[1]
            arrays[0].ndim, arrays[0].shape, arrays[0].strides = 2, sizes, x.geometry.strides
            arrays[2].ndim, arrays[2].shape, arrays[2].strides = 1, flat, steps
        if out.count > 65536:
            with nogil:
                self.kernel(arrays, 3, &number)
        elif out.count or self.what != SELECTS_FIRST:    # as in PyTorch, x[index] without elements checks nothing
            self.kernel(arrays, 3, &number)
        return out

    cdef Tensor side_by_side(self, Tensor x, list given):
        """x[:, i, j]: indices that broadcast, for neighbouring dimensions; None for anything else."""
        cdef Array arrays[2 + MOST_INDICES]
        cdef int64_t wide[MAX_DIMS]          # sizes of the result
        cdef int64_t front[2][MAX_DIMS]      # sizes and strides of the result, the dimensions of the indices first
        cdef int64_t source[2][MAX_DIMS]     # those of x, the indexed dimensions first
        cdef int64_t steps[MOST_INDICES][MAX_DIMS]
        cdef Geometry laid[1 + MOST_INDICES]  # x and the indices as the result sees them
        cdef const Geometry* seen[1 + MOST_INDICES]
        cdef bint plain = x.flags & CONTIGUOUS != 0
        cdef Tensor index, out
        cdef int64_t size
        cdef int lead = -1, count = 0, n = 0, d, k, ndim = x.geometry.ndim, rest
        for item in given:
            if item is None:
                if count:
                    return None
                continue
            if count == MOST_INDICES or not PyObject_TypeCheck(item, <PyTypeObject*>Tensor) or (<Tensor>item).code != INT64 or \
                    not (<Tensor>item).count:
                return None
            n = max(n, (<Tensor>item).geometry.ndim)
            count += 1
        lead = len(given) - count
        if not count or not n or len(given) > ndim or ndim + n >= MAX_DIMS:
            return None
        for d in range(n):
            front[0][d] = 1
        for k in range(count):
            index = <Tensor>given[lead + k]
            plain = plain and index.flags & CONTIGUOUS
            if x.geometry.shape[lead + k] == 0:
                return None
            for d in range(n):
                size = 1 if d < n - index.geometry.ndim else index.geometry.shape[d - n + index.geometry.ndim]
                steps[k][d] = 0 if size == 1 else index.geometry.strides[d - n + index.geometry.ndim]
                if size != 1:
                    if front[0][d] != 1 and front[0][d] != size:
                        return None
                    front[0][d] = size
            source[0][k], source[1][k] = x.geometry.shape[lead + k], x.geometry.strides[lead + k]
        for d in range(lead):
            wide[d] = x.geometry.shape[d]
        for d in range(n):
            wide[lead + d] = front[0][d]
        for d in range(lead + count, ndim):
            wide[d - count + n] = x.geometry.shape[d]
        out = new_contiguous(x.code, wide, ndim - count + n)
        if not plain and out.geometry.ndim > 1:
            for k in range(1 + count):
                laid[k].set_shape(wide, out.geometry.ndim)
                for d in range(out.geometry.ndim):
                    laid[k].strides[d] = 0 if k == 0 or d < lead or d >= lead + n else steps[k - 1][d - lead]
                seen[k] = &laid[k]
            for d in range(ndim):
                if d < lead or d >= lead + count:
                    laid[0].strides[d if d < lead else d - count + n] = x.geometry.strides[d]
            follow_strides(out.geometry, seen, 1 + count)
            update_contiguous(out)
        for d in range(n):
            front[1][d] = out.geometry.strides[lead + d]
        rest = 0
        for d in range(ndim):
            if d < lead or d >= lead + count:
                source[0][count + rest], source[1][count + rest] = x.geometry.shape[d], x.geometry.strides[d]
                front[0][n + rest] = x.geometry.shape[d]
                front[1][n + rest] = out.geometry.strides[d if d < lead else d - count + n]
                rest += 1
        arrays[0], arrays[1] = array_of(out), array_of(x)
        arrays[0].shape, arrays[0].strides = front[0], front[1]
        arrays[1].shape, arrays[1].strides = source[0], source[1]
        for k in range(count):
            arrays[2 + k] = array_of(<Tensor>given[lead + k])
            arrays[2 + k].ndim, arrays[2 + k].shape, arrays[2 + k].strides = n, front[0], steps[k]
        if out.count > 65536:
            with nogil:
                self.kernel(arrays, 2 + count, NULL)
        elif out.count:
            self.kernel(arrays, 2 + count, NULL)
        return out

    cdef Tensor result(self, Tensor x, Tensor index, PyObject** args, Number* number):
        """An unfilled result, and the dimension as the kernel's number; None where the call is not plain."""
        cdef int64_t sizes[MAX_DIMS]
        cdef int d, n = index.geometry.ndim, ndim = x.geometry.ndim, at = 0
        if self.what == SELECTS_ELEMENTS:
            at = wrap_dim(<object>args[1], ndim)
            if n != ndim:
                return None
            for d in range(n):
                if d != at and index.geometry.shape[d] > x.geometry.shape[d]:
                    return None
            number.i = at
            return new_like_shape(x.code, index.geometry)
        if self.what == SELECTS_SLICES:
            at = wrap_dim(<object>args[1], ndim)
            if n != 1:
                return None
        elif self.what == SELECTS_ROWS and (ndim != 2 or not index.flags & CONTIGUOUS or not x.flags & CONTIGUOUS):
            return None
        if x.geometry.shape[at] == 0:
            return None
        for d in range(at):
            sizes[d] = x.geometry.shape[d]
        for d in range(n):
            sizes[at + d] = index.geometry.shape[d]
        for d in range(at + 1, ndim):
            sizes[d + n - 1] = x.geometry.shape[d]
        number.i = at
        return new_contiguous(x.code, sizes, ndim + n - 1)


@cython.final
cdef class PlaceOp(GeneralOp):
    """op(x, sizes, …): zeros of the given sizes but for the part that the view `reading(zeros, …)` shows, which is x."""
    cdef Op reading

    def configure(self, Op reading):
        """Called once by the table, after construction."""
        self.reading = reading

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, out
        cdef int64_t sizes[MAX_DIMS]
        cdef PyObject* passed[MAX_PARAMETERS]
        cdef int i, n
        if call.mode != MODE_NEW or not short_ways or not PyObject_TypeCheck(<object>args[0], <PyTypeObject*>Tensor):
            return GeneralOp.compute(self, args, call)
        x = <Tensor>args[0]
        n = read_sizes(<object>args[1], sizes)
        out = new_contiguous(x.code, sizes, n)
        memset(data_of(out), 0, out.count * item_bytes[out.code])
        passed[0] = <PyObject*>out
        for i in range(2, self.parameter_count):
            passed[i - 1] = args[i]
        copy_elements(<Tensor>execute_new(self.reading, passed), x)
        return out


cdef KernelFunction masked_fill_kernel = (<Kernel>kernel("masked_fill")).function

@cython.final
cdef class MaskedFillOp(GeneralOp):
    """op(x, mask, number): x with the number where the mask of its shape is True."""

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, mask, out
        cdef Array arrays[3]
        cdef double number[2]
        if call.mode != MODE_NEW or not short_ways or not PyObject_TypeCheck(<object>args[0], <PyTypeObject*>Tensor) or \
                not PyObject_TypeCheck(<object>args[1], <PyTypeObject*>Tensor) or \
                not (PyFloat_CheckExact(<object>args[2]) or PyLong_CheckExact(<object>args[2])):
            return GeneralOp.compute(self, args, call)
        x, mask = <Tensor>args[0], <Tensor>args[1]
        if mask.code != BOOL or not mask.geometry.same_shape(x.geometry):
            return GeneralOp.compute(self, args, call)
        out = new_like_shape(x.code, x.geometry)
        copy_elements(out, x)
        if out.count:
            check_fits(<object>args[2], x.code)
            write_number(<object>args[2], x.code, number)
            arrays[0], arrays[1], arrays[2] = array_of(out), array_of(mask), scalar_array(number, x.code)
            if out.count > 65536:
                with nogil:
                    masked_fill_kernel(arrays, 3, NULL)
            else:
                masked_fill_kernel(arrays, 3, NULL)
        return out
