# The drivers of views: results that share their input's memory. Where they lie is a row in `geometries`.
@cython.final
cdef class ViewOp(Op):
    """An op whose result shares its input's memory."""
    cdef GeometryFunction place
    cdef readonly object geometry     # the same in Python: (sizes, strides, *arguments) -> (sizes, strides[, offset]); or its name
    cdef readonly bint linked         # the result is a view: it shares histories of writes with the input

    def configure(self, geometry, bint linked=True):
        """Called once by the table, after construction."""
        self.geometry, self.linked = geometry, linked
        if not callable(geometry) and geometry not in geometries:
            raise TypeError(f"the view {self.name} has no geometry: neither a function, nor '{geometry}' in core/drivers/geometries.pxi")
        self.place = geometry_in_python if callable(geometry) else <GeometryFunction><size_t>geometries[geometry]
        self.in_place_shift = self.has_variants
        self.takes_lazy = self.is_view = True

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, out
        cdef Geometry geometry
        cdef Placement at
        require_tensors(self, args, 0, 1)
        x = <Tensor>args[0]
        refuse_escaped(x, False)
        at.offset, at.code, at.turned, at.op = 0, x.code, 0, <PyObject*>self
        at.in_place = call.mode == MODE_IN_PLACE
        if at.in_place:
            self.place(x, args, geometry, &at)
            count_of(geometry)
            begin_write(self, call)
            place_in(x, geometry, x.offset + at.offset)
            return x
        out = bare_tensor()
        self.place(x, args, out.geometry, &at)
        out.count = count_of(out.geometry)
        out.storage = x.storage
        out.offset = x.offset + at.offset
        out.code = at.code
        out.flags = x.flags & (INFERENCE | LAZY)
        update_contiguous(out)
        if self.linked:
            link_view(out, x)
            if at.turned:
                out.flags ^= at.turned
                notice_lazy()
        return out

    def shows(self, sizes, strides, *arguments):
        """Sizes, strides and offset (in elements) of what it shows of a tensor with these."""
        cdef PyObject* args[MAX_PARAMETERS]
        cdef Geometry out
        cdef Placement at
        cdef Tensor x
        cdef int i
        if callable(self.geometry):
            return self.geometry(sizes, strides, *arguments)
        x = laid_out_like(sizes, strides)
        args[0] = <PyObject*>x
        for i in range(1, self.parameter_count):
            args[i] = PyTuple_GET_ITEM_POINTER(arguments, i - 1)
        at.offset, at.code, at.turned, at.in_place, at.op = 0, x.code, 0, False, <PyObject*>self
        self.place(x, args, out, &at)
        return make_tuple(out.shape, out.ndim), make_tuple(out.strides, out.ndim), at.offset


cdef Tensor laid_out_like(sizes, strides):
    """A tensor of bytes without memory."""
    cdef Tensor x = Tensor.__new__(Tensor)
    cdef int64_t numbers[MAX_DIMS]
    x.code = UINT8
    x.geometry.set_shape(numbers, read_sizes(sizes, numbers))
    x.count = x.geometry.numel()
    read_strides(strides, x.geometry)
    return x


def can_view(Tensor x, size):
    """Whether `x` can be viewed in another shape without a copy."""
    cdef Geometry out
    cdef int64_t sizes[MAX_DIMS]
    infer_size(out, sizes, read_sizes(size, sizes), x.count)
    return view_strides(x.geometry, out)

def reshaped(Tensor x, size):
    """`x` in another shape: what rules of views give back. A view where that is possible."""
    return ops.view(x, size) if x.flags & CONTIGUOUS else x.reshape(size)

def repeated(object sequence, object count):
    """`count` times what a list or tuple has, or the error of a vector that cannot be so long."""
    if count >= 1 << 60:
        raise RuntimeError("cannot create std::vector larger than max_size()")
    try:
        return sequence * count
    except MemoryError:
        raise RuntimeError("std::bad_alloc") from None


ctypedef list (*PartsFunction)(Tensor x, PyObject** args)

cdef list parts_of_unbind(Tensor x, PyObject** args):
    cdef Geometry geometry
    cdef int64_t i
    cdef int d
    cdef list parts
    d = wrap_dim(<object>args[1], x.geometry.ndim)
    if x.geometry.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    without_dim(x.geometry, geometry, d)
    parts = repeated([None], x.geometry.shape[d])
    for i in range(x.geometry.shape[d]):
        parts[i] = make_view(x, geometry, bytes_to(i, x.geometry.strides[d], x.code))
    return parts

cdef list parts_of_split(Tensor x, PyObject** args):
    cdef Geometry geometry
    cdef vector[int64_t] sizes
    cdef int64_t size, start = 0, total = 0
    cdef bint negative = False
    cdef int d
    cdef list parts = []
    if x.geometry.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = wrap_dim(<object>args[2], x.geometry.ndim)
    for item in items_once(<object>args[1]):
        size = int64_of(item if PyLong_Check(item) else PyNumber_Index(item))
        sizes.push_back(size)
        total = checked_sum(total, size)
        negative |= size < 0
    if negative:
        raise RuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(sizes)}")
    if total != x.geometry.shape[d]:
        raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {x.geometry.shape[d]} (input tensor's size at dimension "
                           f"{<object>args[2]}), but got split_sizes={list(sizes)}")
    geometry.copy(x.geometry)
    for size in sizes:
        geometry.shape[d] = size
        parts.append(make_view(x, geometry, bytes_to(start, x.geometry.strides[d], x.code)))
        start += size
    return parts


@cython.final
cdef class MultiViewOp(Op):
    """An op that gives several views of its input: unbind, split."""
    cdef PartsFunction parts
    cdef readonly str geometry
    cdef readonly bint linked

    def configure(self, str geometry, bint linked=True):
        """Called once by the table, after construction."""
        self.parts = parts_of_unbind if geometry == "unbind" else parts_of_split
        self.geometry, self.linked, self.takes_lazy = geometry, linked, linked

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, out
        cdef list outputs
        require_tensors(self, args, 0, 1)
        x = <Tensor>args[0]
        outputs = self.parts(x, args)
        for out in outputs:
            if not self.linked:
                unlink(out)
                out.storage = second_storage(x.storage)
            elif not out.flags & INFERENCE and modes.grad:      # (whatever the view was that it is a part of)
                out.creation = VIEW_MULTI_OUTPUT
        return tuple(outputs)
