# Where each view op finds the elements that it shows: sizes, strides and the first element, from those of `x`. A function here and its name in
# `geometries` are for views that are hot; the others say theirs in Python, in their declarations.
cdef struct Placement:
    int64_t offset      # of the first element, in bytes from that of `x`; 0 until a function says otherwise
    int code            # the dtype; that of `x` until then
    uint8_t turned      # lazy flags that are others than those of `x`
    bint in_place
    PyObject* op

ctypedef int (*GeometryFunction)(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1


# ---------------------------------------------------------------------------------------------------------- the same elements
cdef int geometry_of_alias(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    out.copy(x.geometry)
    return 0

cdef int geometry_of_conjugate(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    if category[x.code] != IS_COMPLEX:
        raise RuntimeError("only complex tensors have conjugates")
    out.copy(x.geometry)
    at.turned = CONJUGATE
    return 0

cdef int geometry_of_negative(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    out.copy(x.geometry)
    at.turned = NEGATIVE
    return 0


# ---------------------------------------------------------------------------------------------------------- other sizes
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
    if unknown < 0:
        if known != count:
            raise RuntimeError(f"shape '{list(make_tuple(sizes, n))}' is invalid for input of size {count}")
    elif known == 0 and count == 0:
        raise RuntimeError(f"cannot reshape tensor of 0 elements into shape {list(make_tuple(sizes, n))} because the unspecified dimension size "
                           "-1 can be any value and is ambiguous")
    elif known == 0 or count % known:
        raise RuntimeError(f"shape '{list(make_tuple(sizes, n))}' is invalid for input of size {count}")
    else:
        out.shape[unknown] = count // known
    if count == 0:
        count_of(out)      # (sizes around a 0 may be too large; otherwise who makes the tensor finds out)
    return 0

cdef int geometry_of_view(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef int64_t sizes[MAX_DIMS]
    infer_size(out, sizes, read_sizes(<object>args[1], sizes), x.count)
    if not view_strides(x.geometry, out):
        raise RuntimeError("view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
                           "contiguous subspaces). Use .reshape(...) instead.")
    return 0

cdef int geometry_of_expand(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t size
    cdef int d, i, n = read_sizes(<object>args[1], sizes), ndim = x.geometry.ndim
    cdef const Geometry* g = &x.geometry
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
    return 0


# ---------------------------------------------------------------------------------------------------------- order of dimensions
cdef int geometry_of_permute(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef int64_t sizes[MAX_DIMS]
    cdef uint64_t seen = 0
    cdef int d, i, n = read_sizes(<object>args[1], sizes), ndim = x.geometry.ndim
    if n != ndim:
        raise RuntimeError(f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of "
                           f"dimensions i.e. input.dim() = {ndim} is not equal to len(dims) = {n}")
    out.resize(n)
    for i in range(n):
        d = wrap_dim(sizes[i], ndim)
        if seen >> d & 1:
            raise RuntimeError("permute(): duplicate dims are not allowed.")
        seen |= <uint64_t>1 << d
        out.shape[i], out.strides[i] = x.geometry.shape[d], x.geometry.strides[d]
    return 0

cdef inline int exchange(const Geometry& g, Geometry& out, int d, int e) except -1:
    out.copy(g)
    out.shape[d], out.shape[e] = g.shape[e], g.shape[d]
    out.strides[d], out.strides[e] = g.strides[e], g.strides[d]
    return 0

cdef int geometry_of_transpose(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef int ndim = x.geometry.ndim
    cdef int d = wrap_dim(<object>args[1], ndim), e = wrap_dim(<object>args[2], ndim)
    return exchange(x.geometry, out, d, e) if ndim else geometry_of_alias(x, args, out, at)

cdef int geometry_of_t(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    if x.geometry.ndim > 2:
        raise RuntimeError(f"{'t_' if at.in_place else 't'}() expects a tensor with <= 2 dimensions, but self is {x.geometry.ndim}D")
    return exchange(x.geometry, out, 0, 1) if x.geometry.ndim == 2 else geometry_of_alias(x, args, out, at)


# ---------------------------------------------------------------------------------------------------------- dimensions of size 1
cdef inline int without(const Geometry& g, Geometry& out, uint64_t dims) except -1:
    """Without those of the dimensions `dims`, a bit each, that have size 1."""
    cdef int d, n = 0
    out.resize(g.ndim)
    for d in range(g.ndim):
        if not (dims >> d & 1 and g.shape[d] == 1):
            out.shape[n], out.strides[n] = g.shape[d], g.strides[d]
            n += 1
    out.ndim = n
    return 0

cdef int geometry_of_squeeze(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    return without(x.geometry, out, ~<uint64_t>0)

cdef int geometry_of_squeeze_dims(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef int64_t sizes[MAX_DIMS]
    cdef uint64_t dims = 0
    cdef int d, i, n = read_sizes(<object>args[1], sizes), ndim = x.geometry.ndim
    for i in range(n):
        d = wrap_dim(sizes[i], ndim)
        if dims >> d & 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
        dims |= <uint64_t>1 << d
    return without(x.geometry, out, dims)

cdef int geometry_of_unsqueeze(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef const Geometry* g = &x.geometry
    cdef int i, d = wrap_dim(int64_of(<object>args[1]), g.ndim + 1)
    out.resize(g.ndim + 1)
    for i in range(d):
        out.shape[i], out.strides[i] = g.shape[i], g.strides[i]
    out.shape[d] = 1
    out.strides[d] = 1 if d >= g.ndim else wrapped_product(g.shape[d], g.strides[d])
    for i in range(d, g.ndim):
        out.shape[i + 1], out.strides[i + 1] = g.shape[i], g.strides[i]
    return 0


# ---------------------------------------------------------------------------------------------------------- parts
cdef inline int64_t bytes_to(int64_t steps, int64_t stride, int code) noexcept:
    """How far behind the first element a part begins. Strides of what has no elements name no place: 0 where they leave int64."""
    cdef int64_t bytes = checked_product(checked_product(steps, stride), item_bytes[code])
    return 0 if bytes == BEYOND else bytes

cdef inline int without_dim(const Geometry& g, Geometry& out, int d) except -1:
    cdef int i, n
    out.resize(g.ndim - 1)
    for i in range(g.ndim - 1):
        n = i if i < d else i + 1
        out.shape[i], out.strides[i] = g.shape[n], g.strides[n]
    return 0

cdef int geometry_of_select(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef int d
    cdef int64_t start
    if x.geometry.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(<object>args[1], x.geometry.ndim)
    start = int64_of(<object>args[2])
    if start < -x.geometry.shape[d] or start >= x.geometry.shape[d]:
        raise IndexError(f"select(): index {start} out of range for tensor of size {list(x.shape)} at dimension {d}")
    if start < 0:
        start += x.geometry.shape[d]
    without_dim(x.geometry, out, d)
    at.offset = bytes_to(start, x.geometry.strides[d], x.code)
    return 0

cdef int geometry_of_slice(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef int d
    cdef int64_t size, start, stop, step
    if x.geometry.ndim == 0:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(<object>args[1], x.geometry.ndim)
    size = x.geometry.shape[d]
    step = clamped(<object>args[4])
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    start = 0 if <object>args[2] is None else clamp_index(<object>args[2], size)
    stop = size if <object>args[3] is None else clamp_index(<object>args[3], size)
    out.copy(x.geometry)
    out.shape[d] = (stop - start - 1) // step + 1 if stop > start else 0
    out.strides[d] = wrapped_product(x.geometry.strides[d], step)
    refuse_negative_strides(out)
    at.offset = bytes_to(start, x.geometry.strides[d], x.code)
    return 0

cdef int geometry_of_diagonal(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef const Geometry* g = &x.geometry
    cdef int64_t size, start = int64_of(<object>args[1])
    cdef int d = wrap_dim(<object>args[2], g.ndim), e = wrap_dim(<object>args[3], g.ndim), i, n = 0
    if d == e:
        raise RuntimeError(f"diagonal dimensions cannot be identical {<object>args[2]}, {<object>args[3]}")
    size = max(0, min(g.shape[d], g.shape[e] - start) if start >= 0 else min(g.shape[d] + start, g.shape[e]))
    if size:
        at.offset = bytes_to(start, g.strides[e], x.code) if start >= 0 else bytes_to(-start, g.strides[d], x.code)
    out.resize(g.ndim - 1)
    for i in range(g.ndim):
        if i != d and i != e:
            out.shape[n], out.strides[n] = g.shape[i], g.strides[i]
            n += 1
    out.shape[n], out.strides[n] = size, g.strides[d] + g.strides[e]
    return 0

cdef int geometry_of_unfold(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef int ndim = x.geometry.ndim, d = wrap_dim(<object>args[1], ndim), i
    cdef int64_t size = int64_of(<object>args[2]), step = int64_of(<object>args[3]), length = x.geometry.shape[d] if ndim else 1
    if size > length:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {length} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    out.resize(ndim + 1)
    for i in range(ndim):
        out.shape[i], out.strides[i] = x.geometry.shape[i], x.geometry.strides[i]
    out.shape[ndim], out.strides[ndim] = size, 1
    if ndim:
        out.strides[ndim] = out.strides[d]
        out.shape[d], out.strides[d] = (length - size) // step + 1, wrapped_product(out.strides[d], step)
    return refuse_negative_strides(out)

cdef int geometry_of_window(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t start, needed, first = x.offset       # (in bytes: it need not be a multiple of elements)
    cdef int64_t item = item_bytes[x.code]
    cdef int n = read_sizes(<object>args[1], sizes)
    out.set_shape(sizes, n)
    if read_strides(<object>args[2], out) != n:
        raise RuntimeError("mismatch in length of strides and shape")
    refuse_negative_strides(out)
    if <object>args[3] is not None:
        start = int64_of(<object>args[3])
        if start < 0:
            raise RuntimeError(f"Tensor: invalid storage offset {start}")
        bytes_reached(out, x.code, start)
        first = wrapped_product(start, item)
    needed = bytes_reached(out, x.code)
    if needed:
        needed = checked_sum(needed, first)
    if needed > x.storage.memory.size:
        refuse_small(out, first // item, x.code, needed, x.storage)
    at.offset = first - x.offset if needed else 0
    return 0


# ---------------------------------------------------------------------------------------------------------- other numbers in the same bytes
cdef int geometry_as_real(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    if category[x.code] != IS_COMPLEX:
        raise RuntimeError("view_as_real is only supported for complex tensors")
    if x.flags & CONJUGATE:
        raise RuntimeError("view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate tensor so you can view it as "
                           "real, use self.resolve_conj(); however, be warned that the resulting tensor will NOT alias the original.")
    parts_geometry(out, x.geometry)
    at.code = real_of[x.code]
    return 0

cdef int geometry_as_complex(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef const Geometry* g = &x.geometry
    cdef int d, last = g.ndim - 1
    if x.code != FLOAT16 and x.code != FLOAT32 and x.code != FLOAT64:
        raise RuntimeError(f"view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: {c10_name(x.code)}")
    if last < 0:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if g.shape[last] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if g.strides[last] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    out.resize(last)
    for d in range(last):
        if g.strides[d] % 2:
            raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
        out.shape[d], out.strides[d] = g.shape[d], g.strides[d] // 2
    at.code = complex_of[x.code]
    return 0

cdef object dtype_refused(Tensor x, int target, str what, object found=None):
    cdef str text = f"{what} to view {c10_name(x.code)} as {c10_name(target)} (different element sizes)"
    return RuntimeError(text if found is None else f"{text}, but got {found}")

cdef int geometry_as_dtype(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    cdef const Geometry* g = &x.geometry
    cdef int target = (<dtype?><object>args[1]).code, d, last = g.ndim - 1
    cdef int64_t have = item_bytes[x.code], want = item_bytes[target], times = want // have
    if x.flags & LAZY:
        kind = "conjugate view tensors" if x.flags & CONJUGATE else "tensors with negative bit set"
        raise RuntimeError(f"torch.Tensor.view is not supported for {kind} when converting to a different dtype.")
    out.copy(g[0])
    at.code = target
    if have == want:
        return 0
    if last < 0:
        raise dtype_refused(x, target, "self.dim() cannot be 0")
    if have < want and g.shape[last] % times:
        raise dtype_refused(x, target, f"self.size(-1) must be divisible by {times}", g.shape[last])
    if g.strides[last] != 1:
        raise dtype_refused(x, target, "self.stride(-1) must be 1", g.strides[last])
    if have < want and x.storage_offset() % times:
        raise dtype_refused(x, target, f"self.storage_offset() must be divisible by {times}", x.storage_offset())
    for d in range(last):
        if have < want and g.strides[d] % times:
            raise dtype_refused(x, target, f"self.stride({d}) must be divisible by {times}", g.strides[d])
        out.strides[d] = g.strides[d] // times if have < want else wrapped_product(g.strides[d], have // want)
    out.shape[last] = g.shape[last] // times if have < want else checked_product(g.shape[last], have // want)
    return 0


# ---------------------------------------------------------------------------------------------------------- by name, or in Python
cdef dict geometries = {
    "alias": <size_t>&geometry_of_alias, "_conj": <size_t>&geometry_of_conjugate, "_neg_view": <size_t>&geometry_of_negative,
    "view": <size_t>&geometry_of_view, "expand": <size_t>&geometry_of_expand, "permute": <size_t>&geometry_of_permute,
    "transpose": <size_t>&geometry_of_transpose, "t": <size_t>&geometry_of_t, "squeeze": <size_t>&geometry_of_squeeze,
    "squeeze_dims": <size_t>&geometry_of_squeeze_dims, "unsqueeze": <size_t>&geometry_of_unsqueeze, "select": <size_t>&geometry_of_select,
    "slice": <size_t>&geometry_of_slice, "diagonal": <size_t>&geometry_of_diagonal, "unfold": <size_t>&geometry_of_unfold,
    "window": <size_t>&geometry_of_window, "view_as_real": <size_t>&geometry_as_real, "view_as_complex": <size_t>&geometry_as_complex,
    "view_as_dtype": <size_t>&geometry_as_dtype,
}

cdef int geometry_in_python(Tensor x, PyObject** args, Geometry& out, Placement* at) except -1:
    """What a declaration says: sizes, strides and, where it is not that of `x`, how many elements behind it the first one lies."""
    cdef Op op = <Op>at.op
    cdef int64_t numbers[MAX_DIMS]
    cdef int64_t start = 0, needed, size = x.storage.memory.size
    cdef int n
    cdef object given = (<object>op).geometry(x.shape, x.stride(), *[<object>args[i] for i in range(1, op.parameter_count)])
    cdef tuple found
    if not isinstance(given, tuple) or len(given) not in (2, 3) or PyLong_Check(given[0]):
        raise TypeError(f"{op.name}: its geometry has to return sizes, strides and perhaps an offset, got {given!r}")
    found = given
    n = read_sizes(found[0], numbers)
    out.set_shape(numbers, n)
    if read_strides(found[1], out) != n:
        raise RuntimeError(f"{op.name}: its geometry returned sizes {found[0]} and strides {found[1]}, of different lengths")
    if len(found) > 2:
        start = int64_of(found[2])
    needed = bytes_reached(out, x.code)
    if needed and (start < -size or start > size or x.offset + start * item_bytes[x.code] < 0 or
                   checked_sum(needed, x.offset + start * item_bytes[x.code]) > size):
        raise RuntimeError(f"{op.name}: sizes {list(make_tuple(out.shape, n))} and strides {list(make_tuple(out.strides, n))} reach beyond the memory "
                           "of the tensor")
    at.offset = start * item_bytes[x.code] if needed else 0
    return 0

cdef int refuse_negative_strides(const Geometry& g) except -1:
    cdef int d
    for d in range(g.ndim):
        if g.strides[d] < 0:
            raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(make_tuple(g.strides, g.ndim))}")
    return 0

cdef int64_t clamped(object number) except? -1:
    """An int, as near as int64 comes to it."""
    cdef int overflow = 0
    cdef int64_t found = PyLong_AsLongLongAndOverflow(number, &overflow)
    return found if overflow == 0 else -9223372036854775807 if overflow < 0 else 9223372036854775807

cdef int64_t clamp_index(object index, int64_t size) except? -1:
    cdef int64_t i = clamped(index)
    if i < 0:
        i += size
    return 0 if i < 0 else size if i > size else i
