# Ops that are views: the geometry of each.
cdef enum:
    VIEW_ALIAS, VIEW_VIEW, VIEW_EXPAND, VIEW_PERMUTE, VIEW_TRANSPOSE, VIEW_T, VIEW_SQUEEZE, VIEW_SQUEEZE_DIM, VIEW_UNSQUEEZE, VIEW_SELECT
    VIEW_SLICE, VIEW_DIAGONAL, VIEW_UNFOLD, VIEW_AS_STRIDED, VIEW_AS_REAL, VIEW_AS_COMPLEX
    VIEW_UNSAFE, VIEW_CONJ, VIEW_NEG     # in this order: see compute

_view_codes = {
    "alias": VIEW_ALIAS, "view": VIEW_VIEW, "expand": VIEW_EXPAND, "permute": VIEW_PERMUTE, "transpose": VIEW_TRANSPOSE, "t": VIEW_T,
    "squeeze_all": VIEW_SQUEEZE, "squeeze_dims": VIEW_SQUEEZE_DIM, "unsqueeze": VIEW_UNSQUEEZE, "select": VIEW_SELECT, "slice": VIEW_SLICE,
    "diagonal": VIEW_DIAGONAL, "unfold": VIEW_UNFOLD, "as_strided": VIEW_AS_STRIDED, "view_as_real": VIEW_AS_REAL,
    "view_as_complex": VIEW_AS_COMPLEX, "_conj": VIEW_CONJ, "_neg_view": VIEW_NEG, "unsafe_view": VIEW_UNSAFE,
}


cdef inline int64_t bytes_to(int64_t steps, int64_t stride, int64_t item) noexcept:
    """How far behind the first element a part begins. Strides of what has no elements name no place: 0 where they leave int64."""
    cdef int64_t bytes = checked_product(checked_product(steps, stride), item)
    return 0 if bytes == BEYOND else bytes


@cython.final
cdef class ViewOp(Op):
    """An op whose result shares its input's memory."""
    cdef int which

    def configure(self, str geometry):
        """Called once by the table, after construction."""
        self.which = _view_codes[geometry]
        self.in_place_shift = self.has_variants
        self.takes_lazy = True

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, out
        cdef Geometry geometry
        cdef int64_t offset = 0, count
        cdef int code
        if not PyObject_TypeCheck(<object>args[0], <PyTypeObject*>Tensor):
            raise_argument(self, 0, <object>args[0])
        x = <Tensor>args[0]
        refuse_escaped(x, False)
        code = x.code
        view_geometry(self.which, x, args, geometry, &offset, &code, call.mode == MODE_IN_PLACE)
        count = count_of(geometry)
        if call.mode == MODE_IN_PLACE:
            begin_write(self, call)
            x.geometry.copy(geometry)
            x.count = count
            x.offset += offset
            update_contiguous(x)
            return x
        out = bare_tensor()
        out.storage = x.storage
        out.offset = x.offset + offset
        out.code = code
        out.geometry.copy(geometry)
        out.count = count
        out.flags = x.flags & (INFERENCE | LAZY)
        update_contiguous(out)
        if self.which == VIEW_VIEW and type(<object>args[1]) is dtype:
            return out      # as of detach(): the same memory and version, without history
        if self.which < VIEW_UNSAFE:
            link_view(out, x)
        elif self.which != VIEW_UNSAFE:
            link_view(out, x)
            out.flags ^= CONJUGATE if self.which == VIEW_CONJ else NEGATIVE
            notice_lazy()
        return out


cdef int infer_size(Geometry& out, const int64_t* sizes, int n, int64_t count) except -1:
    """Sizes of a view, one of which may be -1."""
    cdef int d, unknown = -1
    cdef int64_t known = 1
    out.set_shape(sizes, n)
    for d in range(n):
        if sizes[d] == -1:
            if unknown >= 0:
                raise RuntimeError("only one dimension can be inferred")
            unknown = d
        elif sizes[d] < 0:
            raise RuntimeError(f"invalid shape dimension {sizes[d]} at index {d} of shape {list(make_tuple(sizes, n))}")
        else:
            known = wrapped_product(known, sizes[d])
    if unknown >= 0 and known == 0:
        raise RuntimeError(f"cannot reshape tensor of 0 elements into shape {list(make_tuple(sizes, n))} because the unspecified dimension size "
                           "-1 can be any value and is ambiguous") if count == 0 else RuntimeError(
            f"shape '{list(make_tuple(sizes, n))}' is invalid for input of size {count}")
    if unknown >= 0:
        if count % known:
            raise RuntimeError(f"shape '{list(make_tuple(sizes, n))}' is invalid for input of size {count}")
        out.shape[unknown] = count // known
    elif known != count:
        raise RuntimeError(f"shape '{list(make_tuple(sizes, n))}' is invalid for input of size {count}")
    if count == 0:
        count_of(out)      # (sizes around a 0 may be too large; otherwise who makes the tensor finds out)
    return 0


cdef int view_geometry(int which, Tensor x, PyObject** args, Geometry& out, int64_t* offset, int* code, bint in_place) except -1:
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t start, stop, step, size
    cdef int n, d, e, i, ndim = x.geometry.ndim
    cdef const Geometry* g = &x.geometry
    cdef int64_t item = item_bytes[x.code]
    cdef bint seen[MAX_DIMS]
    if which == VIEW_ALIAS or which == VIEW_NEG:
        out.copy(g[0])
    elif which == VIEW_VIEW and type(<object>args[1]) is dtype:
        view_as_dtype(x, (<dtype><object>args[1]).code, out, code)
    elif which == VIEW_VIEW or which == VIEW_UNSAFE:
        n = read_sizes(<object>args[1], sizes)
        infer_size(out, sizes, n, x.count)
        if not view_strides(g[0], out):
            raise RuntimeError("view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
                               "contiguous subspaces). Use .reshape(...) instead.")
    elif which == VIEW_EXPAND:
        n = read_sizes(<object>args[1], sizes)
        if n < ndim:
            raise RuntimeError(f"expand({type_in_errors(x.code)}{{{list(x.shape)}}}, size={list(make_tuple(sizes, n))}): the number of sizes provided "
                               f"({n}) must be greater or equal to the number of dimensions in the tensor ({ndim})")
        out.set_shape(sizes, n)
        for d in range(n - 1, -1, -1):
            i = d - (n - ndim)
            size = g.shape[i] if i >= 0 else 1
            if sizes[d] == -1:
                if i < 0:
                    raise RuntimeError(f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {d}")
                out.shape[d] = size
            if out.shape[d] == size and i >= 0:
                out.strides[d] = g.strides[i]
            elif size == 1:
                out.strides[d] = 0 if i >= 0 or out.shape[d] != 1 or ndim == 0 else wrapped_product(g.shape[0], g.strides[0])
            else:
                raise RuntimeError(f"The expanded size of the tensor ({sizes[d]}) must match the existing size ({size}) at non-singleton dimension "
                                   f"{d}.  Target sizes: {list(make_tuple(sizes, n))}.  Tensor sizes: {list(x.shape)}")
    elif which == VIEW_PERMUTE:
        n = read_sizes(<object>args[1], sizes)
        if n != ndim:
            raise RuntimeError(f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of "
                               f"dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {n}")
        out.resize(n)
        for d in range(n):
            seen[d] = False
        for i in range(n):
            d = wrap_dim(sizes[i], ndim)
            if seen[d]:
                raise RuntimeError("permute(): duplicate dims are not allowed.")
            seen[d] = True
            out.shape[i], out.strides[i] = g.shape[d], g.strides[d]
    elif which == VIEW_TRANSPOSE:
        d, e = wrap_dim(<object>args[1], ndim), wrap_dim(<object>args[2], ndim)
        out.copy(g[0])
        if ndim:
            out.shape[d], out.shape[e] = g.shape[e], g.shape[d]
            out.strides[d], out.strides[e] = g.strides[e], g.strides[d]
    elif which == VIEW_T:
        if ndim > 2:
            raise RuntimeError(f"{'t_' if in_place else 't'}() expects a tensor with <= 2 dimensions, but self is {ndim}D")
        out.copy(g[0])
        if ndim == 2:
            out.shape[0], out.shape[1] = g.shape[1], g.shape[0]
            out.strides[0], out.strides[1] = g.strides[1], g.strides[0]
    elif which == VIEW_SQUEEZE or which == VIEW_SQUEEZE_DIM:
        for d in range(ndim):
            seen[d] = which == VIEW_SQUEEZE
        if which == VIEW_SQUEEZE_DIM:
            n = read_sizes(<object>args[1], sizes)
            for i in range(n):
                d = wrap_dim(sizes[i], ndim)
                if ndim:
                    if seen[d]:
                        raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
                    seen[d] = True
        out.resize(ndim)
        n = 0
        for d in range(ndim):
            if not (seen[d] and g.shape[d] == 1):
                out.shape[n], out.strides[n] = g.shape[d], g.strides[d]
                n += 1
        out.ndim = n
    elif which == VIEW_UNSQUEEZE:
        start = int64_of(<object>args[1])
        d = wrap_dim(start, ndim + 1)
        out.resize(ndim + 1)
        for i in range(d):
            out.shape[i], out.strides[i] = g.shape[i], g.strides[i]
        out.shape[d] = 1
        out.strides[d] = 1 if d >= ndim else wrapped_product(g.shape[d], g.strides[d])
        for i in range(d, ndim):
            out.shape[i + 1], out.strides[i + 1] = g.shape[i], g.strides[i]
    elif which == VIEW_SELECT:
        if ndim == 0:
            raise IndexError("select() cannot be applied to a 0-dim tensor.")
        d = wrap_dim(<object>args[1], ndim)
        start = int64_of(<object>args[2])
        if start < -g.shape[d] or start >= g.shape[d]:
            raise IndexError(f"select(): index {start} out of range for tensor of size {list(x.shape)} at dimension {d}")
        if start < 0:
            start += g.shape[d]
        out.resize(ndim - 1)
        for i in range(ndim - 1):
            e = i if i < d else i + 1
            out.shape[i], out.strides[i] = g.shape[e], g.strides[e]
        offset[0] = bytes_to(start, g.strides[d], item)
    elif which == VIEW_SLICE:
        if ndim == 0:
            raise RuntimeError("slice() cannot be applied to a 0-dim tensor.")
        d = wrap_dim(<object>args[1], ndim)
        size = g.shape[d]
        step = clamped(<object>args[4])
        if step <= 0:
            raise RuntimeError("slice step must be positive")
        start = 0 if <object>args[2] is None else clamp_index(<object>args[2], size)
        stop = size if <object>args[3] is None else clamp_index(<object>args[3], size)
        out.copy(g[0])
        if stop < start:
            stop = start
        out.shape[d] = (stop - start - 1) // step + 1 if stop > start else 0
        out.strides[d] = wrapped_product(g.strides[d], step)
        refuse_negative_strides(out)
        offset[0] = bytes_to(start, g.strides[d], item)
    elif which == VIEW_DIAGONAL:
        start = int64_of(<object>args[1])
        d, e = wrap_dim(<object>args[2], ndim), wrap_dim(<object>args[3], ndim)
        if d == e:
            raise RuntimeError(f"diagonal dimensions cannot be identical {<object>args[2]}, {<object>args[3]}")
        size = min(g.shape[d], g.shape[e] - start) if start >= 0 else min(g.shape[d] + start, g.shape[e])
        if size < 0:
            size = 0
        if size:
            offset[0] = bytes_to(start, g.strides[e], item) if start >= 0 else bytes_to(-start, g.strides[d], item)
        out.resize(ndim - 1)
        n = 0
        for i in range(ndim):
            if i != d and i != e:
                out.shape[n], out.strides[n] = g.shape[i], g.strides[i]
                n += 1
        out.shape[n], out.strides[n] = size, g.strides[d] + g.strides[e]
    elif which == VIEW_UNFOLD:
        d = wrap_dim(<object>args[1], ndim)
        size, step = int64_of(<object>args[2]), int64_of(<object>args[3])
        stop = g.shape[d] if ndim else 1
        if size > stop:
            raise RuntimeError(f"maximum size for tensor at dimension {d} is {stop} but size is {size}")
        if step <= 0:
            raise RuntimeError(f"step is {step} but must be > 0")
        if size < 0:
            raise RuntimeError(f"size is {size} but must be >= 0")
        out.resize(ndim + 1)
        for i in range(ndim):
            out.shape[i], out.strides[i] = g.shape[i], g.strides[i]
        if ndim:
            out.shape[d] = (stop - size) // step + 1
            out.strides[d] = wrapped_product(g.strides[d], step)
        out.shape[ndim] = size
        out.strides[ndim] = g.strides[d] if ndim else 1
        refuse_negative_strides(out)
    elif which == VIEW_AS_STRIDED:
        n = read_sizes(<object>args[1], sizes)
        out.set_shape(sizes, n)
        i = read_sizes(<object>args[2], sizes)
        if i != n:
            raise RuntimeError("mismatch in length of strides and shape")
        for d in range(n):
            out.strides[d] = sizes[d]
        refuse_negative_strides(out)
        stop = x.offset       # (in bytes: it need not be a multiple of them)
        if <object>args[3] is not None:
            start = int64_of(<object>args[3])
            if start < 0:
                raise RuntimeError(f"Tensor: invalid storage offset {start}")
            bytes_reached(out, x.code, start)
            stop = wrapped_product(start, item)
        size = bytes_reached(out, x.code)
        if size:
            size = checked_sum(size, stop)
        if size > x.storage.memory.size:
            raise RuntimeError(f"setStorage: sizes {list(make_tuple(out.shape, n))}, strides {list(make_tuple(sizes, n))}, storage offset {stop // item}, and "
                               f"itemsize {item} requiring a storage size of {size} are out of bounds for storage of size {x.storage.memory.size}")
        offset[0] = stop - x.offset if size else 0
    elif which == VIEW_CONJ:
        if category[x.code] != IS_COMPLEX:
            raise RuntimeError("only complex tensors have conjugates")
        out.copy(g[0])
    elif which == VIEW_AS_REAL:
        if category[x.code] != IS_COMPLEX:
            raise RuntimeError("view_as_real is only supported for complex tensors")
        if x.flags & CONJUGATE:
            raise RuntimeError("view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate tensor so you can view it as "
                               "real, use self.resolve_conj(); however, be warned that the resulting tensor will NOT alias the original.")
        parts_geometry(out, g[0])
        code[0] = real_of[x.code]
    elif which == VIEW_AS_COMPLEX:
        if x.code != FLOAT16 and x.code != FLOAT32 and x.code != FLOAT64:
            raise RuntimeError(f"view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: {c10_name(x.code)}")
        if ndim == 0:
            raise RuntimeError("Input tensor must have one or more dimensions")
        if g.shape[ndim - 1] != 2:
            raise RuntimeError("Tensor must have a last dimension of size 2")
        if g.strides[ndim - 1] != 1:
            raise RuntimeError("Tensor must have a last dimension with stride 1")
        out.resize(ndim - 1)
        for d in range(ndim - 1):
            if g.strides[d] % 2:
                raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
            out.shape[d], out.strides[d] = g.shape[d], g.strides[d] // 2
        if x.code == FLOAT16:
            raise RuntimeError("view_as_complex is only supported for float and double tensors here, but got a tensor of scalar type: Half")
        code[0] = complex_of[x.code]
    return 0

cdef int refuse_negative_strides(const Geometry& g) except -1:
    cdef int d
    for d in range(g.ndim):
        if g.strides[d] < 0:
            raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(make_tuple(g.strides, g.ndim))}")
    return 0

cdef int view_as_dtype(Tensor x, int target, Geometry& out, int* code) except -1:
    """x.view(dtype): the same bytes read as other numbers."""
    cdef int64_t have = item_bytes[x.code], want = item_bytes[target]
    cdef int d, last = x.geometry.ndim - 1
    if x.flags & LAZY:
        kind = "conjugate view tensors" if x.flags & CONJUGATE else "tensors with negative bit set"
        raise RuntimeError(f"torch.Tensor.view is not supported for {kind} when converting to a different dtype.")
    out.copy(x.geometry)
    code[0] = target
    if have == want:
        return 0
    if last < 0:
        raise RuntimeError(f"self.dim() cannot be 0 to view {c10_name(x.code)} as {c10_name(target)} (different element sizes)")
    if have < want and x.geometry.shape[last] % (want // have):
        raise RuntimeError(f"self.size(-1) must be divisible by {want // have} to view {c10_name(x.code)} as {c10_name(target)} (different element "
                           f"sizes), but got {x.geometry.shape[last]}")
    if x.geometry.strides[last] != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 to view {c10_name(x.code)} as {c10_name(target)} (different element sizes), but got "
                           f"{x.geometry.strides[last]}")
    if have > want:
        for d in range(last):
            out.strides[d] = wrapped_product(x.geometry.strides[d], have // want)
        out.shape[last] = checked_product(x.geometry.shape[last], have // want)
        return 0
    if x.storage_offset() % (want // have):
        raise RuntimeError(f"self.storage_offset() must be divisible by {want // have} to view {c10_name(x.code)} as {c10_name(target)} (different "
                           f"element sizes), but got {x.storage_offset()}")
    for d in range(last):
        if x.geometry.strides[d] % (want // have):
            raise RuntimeError(f"self.stride({d}) must be divisible by {want // have} to view {c10_name(x.code)} as {c10_name(target)} (different "
                               f"element sizes), but got {x.geometry.strides[d]}")
        out.strides[d] = x.geometry.strides[d] // (want // have)
    out.shape[last] = x.geometry.shape[last] // (want // have)
    return 0

def can_view(Tensor x, size):
    """Whether `x` can be viewed in another shape without a copy."""
    cdef Geometry out
    cdef int64_t sizes[MAX_DIMS]
    infer_size(out, sizes, read_sizes(size, sizes), x.count)
    return view_strides(x.geometry, out)

def reshaped(Tensor x, size):
    """`x` in another shape: what rules of views give back. A view where that is possible."""
    return op_view(x, size) if can_view(x, size) else x.reshape(size)

cdef extern from "Python.h":
    long long PyLong_AsLongLongAndOverflow(object, int*) except? -1

cdef int64_t clamped(object number) except? -1:
    """An int, as near as int64 comes to it."""
    cdef int overflow = 0
    cdef int64_t found = PyLong_AsLongLongAndOverflow(number, &overflow)
    return found if overflow == 0 else -9223372036854775807 if overflow < 0 else 9223372036854775807

cdef int64_t clamp_index(object index, int64_t size) except? -1:
    cdef int overflow = 0
    cdef int64_t i = PyLong_AsLongLongAndOverflow(index, &overflow)
    if overflow:
        return 0 if overflow < 0 else size
    if i < 0:
        i += size
    return 0 if i < 0 else size if i > size else i


def repeated(object sequence, object count):
    """`count` times what a list or tuple has, or the error of a vector that cannot be so long."""
    if count >= 1 << 60:
        raise RuntimeError("cannot create std::vector larger than max_size()")
    try:
        return sequence * count
    except MemoryError:
        raise RuntimeError("std::bad_alloc") from None


@cython.final
cdef class MultiViewOp(Op):
    """An op that gives several views of its input: unbind, split."""
    cdef bint is_unbind
    cdef bint is_unsafe     # the results are no views

    def configure(self, str geometry):
        """Called once by the table, after construction."""
        self.is_unbind, self.is_unsafe = geometry == "unbind", geometry == "unsafe_split"
        self.takes_lazy = not self.is_unsafe

    cdef object compute(self, PyObject** args, Call* call):
        cdef Tensor x, out
        cdef Geometry geometry
        cdef list outputs = []
        cdef vector[int64_t] pieces
        cdef int64_t start = 0, size, total = 0
        cdef bint negative = False
        cdef int d, i, k, ndim
        if not PyObject_TypeCheck(<object>args[0], <PyTypeObject*>Tensor):
            raise_argument(self, 0, <object>args[0])
        x = <Tensor>args[0]
        ndim = x.geometry.ndim
        if ndim == 0:
            if self.is_unbind:
                raise IndexError("Dimension specified as 0 but tensor has no dimensions")
            raise RuntimeError("split expects at least a 1-dimensional tensor")
        d = wrap_dim(<object>args[1 if self.is_unbind else 2], ndim)
        if self.is_unbind:
            geometry.resize(ndim - 1)
            for i in range(ndim - 1):
                k = i if i < d else i + 1
                geometry.shape[i], geometry.strides[i] = x.geometry.shape[k], x.geometry.strides[k]
            outputs = repeated([None], x.geometry.shape[d])
            for start in range(x.geometry.shape[d]):
                outputs[start] = make_view(x, geometry, bytes_to(start, x.geometry.strides[d], item_bytes[x.code]))
        else:
            for piece in items_once(<object>args[1]):
                size = int64_of(piece if PyLong_Check(piece) else PyNumber_Index(piece))
                pieces.push_back(size)
                total = checked_sum(total, size)
                negative |= size < 0
            if negative:
                raise RuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(pieces)}")
            if total != x.geometry.shape[d]:
                for size in pieces:
                    if size < 0:
                        raise RuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(pieces)}")
                raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {x.geometry.shape[d]} (input tensor's size at dimension "
                                   f"{<object>args[2]}), but got split_sizes={list(pieces)}")
            geometry.copy(x.geometry)
            for size in pieces:
                geometry.shape[d] = size
                outputs.append(make_view(x, geometry, bytes_to(start, x.geometry.strides[d], item_bytes[x.code])))
                start += size
        for out in outputs:
            if self.is_unsafe:
                unlink(out)
                out.storage = second_storage(x.storage)
            elif not out.flags & INFERENCE and modes.grad:      # (whatever the view was that it is a part of)
                out.creation = VIEW_MULTI_OUTPUT
        return tuple(outputs)
