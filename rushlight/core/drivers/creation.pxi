# Tensors from data. What a program gives may change while it is read (an item's __float__ may do anything), so every sequence is read once.
cpdef str type_name(object value):
    """The type of an object as C knows it: with the module, where it is not made in Python."""
    kind = type(value)
    return (<bytes>(<PyTypeObject*>kind).tp_name).decode()

cdef int infer_shape(object data, list shape) except -1:
    """Appends the sizes of nested sequences, following first elements."""
    while True:
        if isinstance(data, Tensor):
            return 0
        if is_array(data):
            if data.ndim == 0:
                raise TypeError("len() of unsized object")
            shape.extend(data.shape)
            return 0
        if not PySequence_Check(data):
            return 0
        size = len(data)
        shape.append(size)
        if len(shape) > MAX_DIMS:
            raise ValueError(f"too many dimensions '{type_name(data)}'")
        if size == 0:
            return 0
        data = item_at(data, 0)

cdef object item_at(object data, Py_ssize_t i):
    if i or type(data) is list or type(data) is tuple:
        return data[i]
    try:
        return data[i]
    except Exception:
        raise ValueError(f"could not determine the shape of object type '{type_name(data)}'") from None

cdef int infer_code(object data, int have) except -2:
    """The dtype that numbers, or nested sequences of them, have together."""
    cdef int code
    cdef Depth depth
    if PyLong_CheckExact(data):
        return widen(have, INT64)
    if type(data) is list or type(data) is tuple:
        depth.enter()
        if not data:
            return widen(have, default_dtype)
        for item in data:
            if item is data:
                raise TypeError("new(): self-referential lists are incompatible")
            have = widen(have, default_dtype) if type(item) is float else infer_code(item, have)
        return have
    if isinstance(data, Tensor):
        return widen(have, (<Tensor>data).code)
    if is_array(data):
        return widen(have, code_of_array(data, False))
    code = number_code(data)
    if code != NO_DTYPE and (PyLong_Check(data) or PyFloat_CheckExact(data) or getattr(data, "dtype", None) is not None or
                             PyFloat_Check(data) or PyComplex_Check(data)):
        kind = getattr(getattr(data, "dtype", None), "name", None)
        if kind in dtype_by_name:      # a NumPy scalar keeps its own kind
            code = (<dtype>dtype_by_name[kind]).code
        return widen(have, code)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type_name(data)}'")
    if is_numpy_scalar(data):
        return widen(have, code_of_array(data, False))
    if not PySequence_Check(data):
        raise RuntimeError(f"Could not infer dtype of {type_name(data)}")
    depth.enter()
    for i in range(len(data)):
        item = item_at(data, i)
        if item is data:
            raise TypeError("new(): self-referential lists are incompatible")
        have = infer_code(item, have)
    return have

cdef int store_number(object value, int code, void* at) except -1:
    """Writes one item."""
    cdef int kind = category[code], overflow = 0
    cdef double real
    cdef int64_t integer
    if code == UINT64 and not isinstance(value, Tensor):
        if not PyLong_Check(value):
            if not hasattr(type(value), "__index__"):
                raise TypeError("an integer is required")
            value = PyNumber_Index(value)
        if value < 0:
            raise OverflowError("can't convert negative int to unsigned")
        return write_number(value, code, at)
    if code == INT64 and PyLong_CheckExact(value):
        (<int64_t*>at)[0] = int64_of(value)
        return 0
    if isinstance(value, Tensor):
        if (<Tensor>value).count != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        value = value.item()
    if kind == IS_BOOL:
        (<uint8_t*>at)[0] = PyObject_IsTrue(value)
        return 0
    if kind == IS_COMPLEX:
        # (NumPy's narrower complex numbers are none of Python's, and would be floats without their imaginary part.)
        given = PyComplex_Check(value) or hasattr(type(value), "__complex__")
        return write_number(complex(value) if given else PyFloat_AsDouble(value), code, at)
    if kind == IS_FLOATING:
        if PyComplex_Check(value):
            raise TypeError(f"must be real number, not {type_name(value)}")
        real = PyFloat_AS_DOUBLE(value) if PyFloat_Check(value) else PyFloat_AsDouble(value)
        return write_number(real, code, at)
    if PyFloat_Check(value):
        real = PyFloat_AS_DOUBLE(value)
        if not SMALLEST[code] <= real <= <double>LARGEST[code] or real >= 9223372036854775808.:
            raise_overflow(dtypes[code].name)
        integer = <int64_t>real
    else:
        integer = PyLong_AsLongLongAndOverflow(value if PyLong_Check(value) else PyNumber_Index(value), &overflow)
        if overflow:
            raise ValueError("Overflow when unpacking long long")
    if not holds_integer(code, integer):
        raise_overflow(dtypes[code].name)
    return write_number(integer, code, at)

cdef tuple items_of(object data, int64_t size):
    """The items of a sequence that should have `size` of them, read once."""
    if type(data) is tuple or type(data) is list:
        return items_once(data)
    found = []
    cdef int64_t count = 0
    for item in data:
        if count < size:
            found.append(item)
        count += 1
        if count > size + (1 << 24):      # (it may never end)
            break
    return tuple(found) if count <= size else (None,) * count

cdef int check_length(int64_t got, const int64_t* sizes, int depth) except -1:
    if got != sizes[depth]:
        raise ValueError(f"expected sequence of length {sizes[depth]} at dim {depth} (got {got})")
    return 0

cdef char* store(object data, char* at, int code, const int64_t* sizes, int ndim, int depth) except NULL:
    """Writes nested sequences in row-major order, as many items as there is room for; returns the place behind."""
    cdef Tensor t
    cdef int d
    cdef int64_t size = item_bytes[code]
    if depth == ndim:
        if is_array(data):
            warn_of_arrays()
        store_number(data, code, at)
        return at + size
    if isinstance(data, Tensor):
        t = (<Tensor>data).readable("item")
        if t.geometry.ndim < ndim - depth:
            raise TypeError("not a sequence")
        for d in range(depth, ndim):
            check_length(t.geometry.shape[d - depth], sizes, d)
        if t.geometry.ndim > ndim - depth and t.count != product_of(sizes, depth, ndim):
            raise ValueError("only one element tensors can be converted to Python scalars")
        t = contiguous_as(t, code)
        not_again("the values of a tensor were copied one by one")
        memcpy(at, data_of(t), t.count * size)
        return at + t.count * size
    if is_array(data):
        warn_of_arrays()
        if data.ndim == ndim - depth and code_of_array(data, False) == code:
            for d in range(depth, ndim):
                check_length(data.shape[d - depth], sizes, d)
            t = from_array(data.astype(data.dtype.newbyteorder("="), order="C"), copied=True)
            memcpy(at, data_of(t), t.count * size)
            return at + t.count * size
        if data.ndim:
            data = data.tolist()
    if not PySequence_Check(data):
        raise TypeError("not a sequence")
    items = items_of(data, sizes[depth])
    check_length(len(items), sizes, depth)
    for item in items:
        if depth == ndim - 1 and (PyFloat_CheckExact(item) or PyLong_CheckExact(item)):
            if code == FLOAT32 and PyFloat_CheckExact(item):
                (<float*>at)[0] = <float>PyFloat_AS_DOUBLE(item)
            else:
                store_number(item, code, at)
            at += size
        else:
            at = store(item, at, code, sizes, ndim, depth + 1)
    return at

cdef warn_of_arrays():
    warn_once("Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a single numpy.ndarray "
              "with numpy.array() before converting to a tensor.")

cdef int64_t product_of(const int64_t* sizes, int start, int stop) noexcept:
    cdef int64_t count = 1
    cdef int d
    for d in range(start, stop):
        count *= sizes[d]
    return count

cdef Tensor tensor_of_dtype(object data, int code):
    """A new tensor with a copy of `data` (numbers, nested sequences, arrays, tensors)."""
    cdef list shape = []
    cdef int64_t sizes[MAX_DIMS]
    cdef int d
    cdef Tensor out, source
    if isinstance(data, Tensor):
        return convert(<Tensor>data, (<Tensor>data).code if code == NO_DTYPE else code)
    if type(data) is not list and type(data) is not tuple:
        if isinstance(data, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{type_name(data)}'")
        if is_storage(data):
            source = asked.of_storage(data, None if code == NO_DTYPE else dtypes[code])
            return new_in_layout_of(source, source.code) if modes.meta else source
        source = over_memory_of(data, True)
        if source is not None:
            return convert(source, source.code if code == NO_DTYPE else code)
    infer_shape(data, shape)
    if code == NO_DTYPE:
        code = infer_code(data, NO_DTYPE)
        if code == NO_DTYPE:
            code = default_dtype
    for d in range(len(shape)):
        sizes[d] = shape[d]
    out = new_contiguous(code, sizes, len(shape))
    if out.count and not is_meta(out):
        store(data, data_of(out), code, sizes, len(shape), 0)
        wrote(data_of(out), out.count * item_bytes[code])
    return out

def tensor_of_data(data, dtype not None):
    """A new tensor of a dtype with a copy of `data`."""
    return tensor_of_dtype(data, code_of(dtype))

def is_sequence(value):
    """Whether elements may be in it, one behind the other."""
    return bool(PySequence_Check(value)) or is_array(value)

def new_of_sizes(size, dtype not None):
    """A row-major tensor with unset elements."""
    cdef int64_t sizes[MAX_DIMS]
    return new_contiguous(code_of(dtype), sizes, read_sizes(size, sizes))

def tensor(data, *, dtype=None, device=None, bint requires_grad=False, pin_memory=False):
    """A new tensor with a copy of `data`: a number, nested sequences of numbers, a NumPy array or a tensor.

    >>> import rushlight
    >>> rushlight.tensor([[1., 2.], [3., 4.]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    cdef MetaMode mode
    if isinstance(data, Tensor):
        warn_user("To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                  "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).")
    cdef Tensor out
    if type(data) is Wrapped:
        out = data.detach().clone() if dtype is None else data.detach().to(dtype, copy=True)
    else:
        mode.set(is_meta_place(device) or device is None and isinstance(data, Tensor) and is_meta(<Tensor>data))
        out = tensor_of_dtype(data, code_of(dtype))
    return require_grad_of_new(out, requires_grad)

def as_tensor(data, dtype=None, device=None):
    """`data` as a tensor, sharing memory with a tensor or NumPy array where that is possible."""
    if device is not None and is_meta_place(device) != (isinstance(data, Tensor) and is_meta(<Tensor>data)) or modes.meta:
        return tensor(data, dtype=dtype, device=device) if not isinstance(data, Tensor) else data.to(device, dtype)
    cdef int code = code_of(dtype)
    cdef Tensor made = <Tensor>data if isinstance(data, Tensor) else over_memory_of(data, False)
    if made is None:
        return tensor_of_dtype(data, code)
    return made if code == NO_DTYPE or code == made.code else made.to(dtypes[code])

cdef inline bint is_storage(object data) except -1:
    return PySequence_Check(data) and (isinstance(data, Storage) or hasattr(data, "_untyped_storage"))

cdef Tensor over_memory_of(object data, bint copied):
    """A tensor over the memory that an object shows to others (`copied`: it is only read, to be copied); None where it shows none."""
    if is_array(data):
        return from_array(data, copied)
    return from_dlpack_capsule(data.__dlpack__()) if hasattr(data, "__dlpack__") else None

def empty_following(size, dtype, tensors):
    """An unset tensor of the given sizes, its dimensions in the order that they have in the memory of `tensors`, which broadcast to it."""
    cdef Tensor out = empty_tensor(size, dtype)
    cdef const Geometry* seen[MAX_DIMS]
    cdef bint alike = True      # row-major tensors of the same sizes: so is the result
    cdef int k, count = min(len(tensors), MAX_DIMS)
    for k in range(count):
        seen[k] = &(<Tensor?>tensors[k]).geometry
        alike = alike and (<Tensor>tensors[k]).flags & CONTIGUOUS and seen[k].same_shape(out.geometry)
    if not alike:
        follow_strides(out.geometry, seen, count)
    return finished(out)

def copy_of_memory(Tensor x not None):
    """A copy of `x` with its strides and offset, gaps included; a row-major one where elements of `x` share memory. Without history."""
    cdef Tensor out
    cdef int64_t nbytes
    if x.count == 0 or x.geometry.overlaps_itself():
        return convert(x, x.code)
    nbytes = x.offset + bytes_reached(x.geometry, x.code)
    out = new_tensor(x.code, x.count, nbytes)
    if not is_meta(out):
        copy_bytes(out.storage.memory.data, x.storage.memory.data, nbytes)
    place_in(out, x.geometry, x.offset)
    return out

def empty_tensor(size, dtype=None, strides=None):
    """A tensor of the given sizes with unset elements; `strides` (in elements) make it other than row-major."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int code = code_of(dtype)
    cdef int n, given
    cdef Geometry geometry
    cdef Tensor out
    try:
        n = read_sizes(size, sizes)
    except ValueError:     # (sizes that somebody computed)
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(size)}") from None
    if code == NO_DTYPE:
        code = default_dtype
    if strides is None:
        return new_contiguous(code, sizes, n)
    geometry.set_shape(sizes, n)
    given = read_strides(strides, geometry)
    if given != n:
        raise RuntimeError(f"dimensionality of sizes ({n}) must match dimensionality of strides ({given})")
    refuse_negative(sizes, n)
    out = new_tensor(code, 0, bytes_reached(geometry, code))
    out.count = count_of(geometry)
    out.geometry.copy(geometry)
    return finished(out)

cdef bint fill_unset = False      # whether new memory that nothing is written to is filled (`ops.creation.settled`)

def fills_unset(fills=None):
    """Whether new memory is filled, as programs that ask for deterministic algorithms have it; from now on, where it is said."""
    global fill_unset
    fill_unset = fill_unset if fills is None else fills
    return fill_unset

def empty_like_layout(Tensor x, dtype=None):
    """A tensor with x's shape and (where dense) strides, unset elements."""
    if type(x) is Wrapped:
        return (<Wrapped>x).level.empty_like(x, dtype)
    return new_in_layout_of(x, x.code if dtype is None else code_of(dtype))

def storage_of(Tensor x):
    """The storage, as an object that pickles and compares by identity: one for all tensors over the same memory."""
    not_again("the storage of a tensor was asked for")
    return root_of(x.storage)      # (.data has a version of its own)

def tensor_on_storage(Storage storage, dtype, offset, size, stride, bint grows=False):
    """A tensor over existing memory: `offset` and `stride` (row-major where it is None) in elements. Where the memory is too small for it, it
    is refused, or (`grows`) the memory grows."""
    cdef int64_t sizes[MAX_DIMS]
    cdef Tensor out = bare_tensor()
    cdef int d, n = read_sizes(size, sizes), m
    cdef int code = code_given("set_", dtype)
    cdef int64_t start = int64_of(offset), needed
    out.geometry.set_shape(sizes, n)
    if start < 0:
        raise RuntimeError(f"Tensor: invalid storage offset {start}")
    if stride is None:
        out.count = count_of(out.geometry)
        if not out.geometry.make_contiguous():
            raise RuntimeError("Stride calculation overflowed")
    else:
        m = read_strides(stride, out.geometry)
        if m != n:
            raise RuntimeError(f"unequal size length ({n}) and stride length ({m})")
        out.count = count_of(out.geometry)
    needed = bytes_reached(out.geometry, code, start, stride is not None)
    for d in range(n):
        if out.geometry.strides[d] < 0:
            raise storage_overflow(out.geometry, True)
    if needed > storage.memory.size:
        if not grows:
            refuse_small(out.geometry, start, code, needed, storage)
        grow_storage(storage, needed)
    out.storage = storage
    out.offset = start * item_bytes[code] if out.count else 0
    out.code = code
    return finished(out)

def resize_tensor(Tensor x, size, memory_format=None):
    """Changes the shape of `x` in place, with more memory where it needs it; row-major, or in another memory format."""
    cdef int d
    cdef int64_t sizes[MAX_DIMS]
    cdef Geometry shape
    shape.set_shape(sizes, read_sizes(size, sizes))
    if needs_grad(x) and not x.flags & INFERENCE:
        raise RuntimeError("cannot resize variables that require grad")
    if x.resize_within(size):
        return x
    if memory_format is None and x.geometry.same_shape(shape):
        return x
    check_write(x)
    if memory_format is preserve_format:
        raise RuntimeError("Unsupported memory formatPreserve")
    strides = None if memory_format is None or memory_format is contiguous_format else asked.format_strides(make_size(shape.shape, shape.ndim), memory_format)
    resize_in_place(x, shape)
    if strides is not None:
        for d in range(shape.ndim):
            x.geometry.strides[d] = strides[d]
        update_contiguous(x)
    mark_write(x.storage)
    return x
