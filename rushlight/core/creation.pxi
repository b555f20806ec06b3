# Tensors from data.
cdef int infer_shape(object data, list shape) except -1:
    """Appends the sizes of nested sequences, following first elements."""
    while True:
        if isinstance(data, (list, tuple)) or is_sequence(data):
            shape.append(len(data))
            if len(shape) > MAX_DIMS:
                raise ValueError(f"too many dimensions '{type(data).__name__}'")
            if len(data) == 0:
                return 0
            data = data[0]
        elif isinstance(data, Tensor):
            shape.extend(data.shape)
            return 0
        elif hasattr(data, "__array_interface__") and getattr(data, "ndim", 0):
            shape.extend(data.shape)
            return 0
        else:
            return 0

cdef bint is_sequence(object data):
    if isinstance(data, (str, bytes)) or isinstance(data, Tensor) or number_code(data) != NO_DTYPE:
        return False
    return hasattr(type(data), "__len__") and hasattr(type(data), "__getitem__") and not hasattr(data, "__array_interface__") \
        and not isinstance(data, dict)

cdef int infer_code(object data, int have) except -2:
    cdef int code
    if isinstance(data, (list, tuple)):
        for item in data:
            if type(item) is float:
                have = widen(have, default_dtype)
            else:
                have = infer_code(item, have)
        return have
    if isinstance(data, Tensor):
        return widen(have, (<Tensor>data).code)
    code = number_code(data)
    if code != NO_DTYPE:
        kind = getattr(getattr(data, "dtype", None), "name", None)
        if kind in dtype_by_name:      # a NumPy scalar keeps its own kind
            code = (<dtype>dtype_by_name[kind]).code
        return widen(have, code)
    if hasattr(data, "__array_interface__"):
        return widen(have, from_array(data, copied=True).code)
    if is_sequence(data):
        for item in data:
            have = infer_code(item, have)
        return have
    if isinstance(data, str):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")

cdef char* store(object data, char* at, int code, list shape, int depth) except NULL:
    """Writes nested sequences in row-major order; returns the place behind."""
    cdef Tensor t
    cdef int size = item_bytes[code]
    if depth == len(shape):
        if isinstance(data, Tensor):
            if (<Tensor>data).count != 1 or (<Tensor>data).geometry.ndim:
                raise ValueError("only one element tensors can be converted to Python scalars")
            data = data.item()
        elif isinstance(data, (list, tuple)):
            raise TypeError(f"must be real number, not {type(data).__name__}") if category[code] != IS_INTEGER else TypeError(
                f"'{type(data).__name__}' object cannot be interpreted as an integer")
        elif number_code(data) == NO_DTYPE:
            raise TypeError(f"must be real number, not {type(data).__name__}") if not isinstance(data, str) else TypeError(
                f"new(): invalid data type '{type(data).__name__}'")
        write_number(data, code, at)
        return at + size
    if isinstance(data, Tensor) or hasattr(data, "__array_interface__"):
        t = <Tensor>readable(data, "item") if isinstance(data, Tensor) else from_array(data, copied=True)
        if list(t.shape) != shape[depth:]:
            raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {t.shape[0] if t.ndim else 0})")
        t = contiguous_as(t, code)
        memcpy(at, t.data_pointer, t.count * size)
        return at + t.count * size
    if not isinstance(data, (list, tuple)) and not is_sequence(data):
        raise TypeError("not a sequence")
    if len(data) != shape[depth]:
        raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    for item in data:
        at = store(item, at, code, shape, depth + 1)
    return at

cdef Tensor contiguous_as(Tensor t, int code):
    cdef Tensor out
    if t.flags & CONTIGUOUS and t.code == code:
        return t
    out = new_like_shape(code, t.geometry)
    copy_elements(out, t)
    return out

cdef Tensor tensor_of_dtype(object data, int code):
    """A new tensor with a copy of `data` (numbers, nested sequences, arrays, tensors)."""
    cdef list shape = []
    cdef int64_t sizes[MAX_DIMS]
    cdef int d
    cdef Tensor out
    if isinstance(data, Tensor) or hasattr(data, "__array_interface__"):
        source = <Tensor>data if isinstance(data, Tensor) else from_array(data, copied=True)
        return convert(source, source.code if code == NO_DTYPE else code)
    infer_shape(data, shape)
    if code == NO_DTYPE:
        code = infer_code(data, NO_DTYPE)
        if code == NO_DTYPE:
            code = default_dtype
    for d in range(len(shape)):
        sizes[d] = shape[d]
    out = new_contiguous(code, sizes, len(shape))
    if out.count:
        store(data, out.data_pointer, code, shape, 0)
    return out

cdef Tensor tensor_from(object data):
    return tensor_of_dtype(data, NO_DTYPE)

def tensor(data, *, dtype=None, device=None, bint requires_grad=False, pin_memory=False):
    """A new tensor with a copy of `data`: a number, nested sequences of numbers, a NumPy array or a tensor.

    >>> import rushlight
    >>> rushlight.tensor([[1., 2.], [3., 4.]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    require_cpu(device)
    if isinstance(data, Tensor):
        import warnings
        warnings.warn("To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                      "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).", UserWarning, stacklevel=2)
    cdef Tensor out
    if type(data) is Wrapped:
        out = data.detach().clone() if dtype is None else data.detach().to(dtype, copy=True)
    else:
        out = tensor_of_dtype(data, code_of(dtype))
    if requires_grad:
        require_grad_at_creation(out)
    return out

cdef int require_grad_at_creation(Tensor out) except -1:
    if category[out.code] < IS_FLOATING:
        raise RuntimeError("Only Tensors of floating point and complex dtype can require gradients")
    out.flags |= REQUIRES_GRAD
    return 0

def as_tensor(data, dtype=None, device=None):
    """`data` as a tensor, sharing memory with a tensor or NumPy array where that is possible."""
    require_cpu(device)
    cdef int code = code_of(dtype)
    if isinstance(data, Tensor):
        return data if code == NO_DTYPE or code == (<Tensor>data).code else data.to(dtypes[code])
    if hasattr(data, "__array_interface__") and getattr(data, "ndim", 0) and type(data).__name__ == "ndarray":
        made = from_array(data)
        return made if code == NO_DTYPE or code == made.code else made.to(dtypes[code])
    if hasattr(data, "__dlpack__"):
        made = from_dlpack(data)
        return made if code == NO_DTYPE or code == (<Tensor>made).code else made.to(dtypes[code])
    return tensor_of_dtype(data, code)

def empty_tensor(size, dtype=None, strides=None):
    """A tensor of the given sizes with unset elements; `strides` (in elements) make it other than row-major."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t steps[MAX_DIMS]
    cdef int code = code_of(dtype)
    cdef int n = read_sizes(size, sizes), d
    cdef Geometry geometry
    cdef Tensor out
    if code == NO_DTYPE:
        code = default_dtype
    if strides is None:
        return new_contiguous(code, sizes, n)
    if read_sizes(strides, steps) != n:
        raise RuntimeError(f"dimensionality of sizes ({n}) must match dimensionality of strides ({len(strides)})")
    geometry.set_shape(sizes, n)
    for d in range(n):
        if sizes[d] < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {sizes[d]}: {list(make_tuple(sizes, n))}")
        geometry.strides[d] = steps[d]
    out = new_tensor(code, geometry.extent())
    out.geometry.copy(geometry)
    out.count = geometry.numel()
    update_contiguous(out)
    return out

def empty_like_layout(Tensor x, dtype=None):
    """A tensor with x's shape and (where dense) strides, unset elements."""
    if type(x) is Wrapped:
        return (<Wrapped>x).level.empty_like(x, dtype)
    return new_in_layout_of(x, x.code if dtype is None else code_of(dtype))

def storage_of(Tensor x):
    """The storage, as an object that pickles and compares by identity: one for all tensors over the same memory."""
    cdef Storage storage = x.storage
    while type(storage.owner) is Storage:      # (.data has a version of its own)
        storage = <Storage>storage.owner
    return storage

def tensor_on_storage(Storage storage, dtype, int64_t offset, size, stride):
    """A tensor over existing memory: `offset` and `stride` in elements."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t steps[MAX_DIMS]
    cdef Tensor out = Tensor.__new__(Tensor)
    cdef int d, n = read_sizes(size, sizes)
    cdef int code = code_of(dtype)
    read_sizes(stride, steps)
    out.geometry.set_shape(sizes, n)
    for d in range(n):
        out.geometry.strides[d] = steps[d]
    if offset < 0 or out.geometry.numel() and (offset + out.geometry.extent()) * item_bytes[code] > storage.nbytes:
        raise RuntimeError(f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {item_bytes[code]} requiring a "
                           f"storage size of {(offset + out.geometry.extent()) * item_bytes[code]} are out of bounds for storage of size {storage.nbytes}")
    out.storage = storage
    out.data_pointer = storage.data + offset * item_bytes[code]
    out.code = code
    out.count = out.geometry.numel()
    update_contiguous(out)
    return out

def resize_tensor(Tensor x, size):
    """Changes the shape of `x` in place, with more memory where it needs it."""
    cdef int64_t sizes[MAX_DIMS]
    cdef Geometry shape
    shape.set_shape(sizes, read_sizes(size, sizes))
    if needs_grad(x):
        raise RuntimeError("cannot resize variables that require grad")
    if type(x) is Wrapped and isinstance((<Wrapped>x).level, DualLevel):
        raise RuntimeError("cannot resize variables that has a forward grad")
    if x.geometry.same_shape(shape):
        return x
    if has_hidden_dim(x):
        # The batch stays in front.
        resize_tensor((<Wrapped>x).value, ((<Wrapped>x).value.geometry.shape[0], *size))
        put_within(<Wrapped>x, (<Wrapped>x).value, (<Wrapped>x).aspect)
        return x
    check_write(x)
    resize_in_place(x, shape)
    mark_write(x.storage)
    return x

cdef int construct_legacy(Tensor out, tuple args, dict kwargs) except -1:
    """torch.Tensor(…): sizes, data, or another tensor."""
    cdef Tensor made
    cdef int code = default_dtype
    if kwargs:
        kwargs = dict(kwargs)
        require_cpu(kwargs.pop("device", None))
        data = kwargs.pop("data", None)
        if data is not None:
            args = (data,) + args
        if kwargs and type(out) is Tensor:
            raise TypeError(f"Tensor() got an unexpected keyword argument '{next(iter(kwargs))}'")
    made = legacy_tensor(args, code)
    become_alias(out, made)
    return 0

cdef Tensor legacy_tensor(tuple args, int code):
    cdef int64_t sizes[MAX_DIMS]
    cdef Tensor made
    if len(args) == 0:
        sizes[0] = 0
        return new_contiguous(code, sizes, 1)
    first = args[0]
    if len(args) == 1 and isinstance(first, Tensor):
        made = <Tensor>first
        if made.code != code and False:
            raise TypeError("expected Float")
        return detached(made)
    if len(args) == 1 and isinstance(first, Size):
        return new_contiguous(code, sizes, read_sizes(first, sizes))
    if all([type(a) is int or is_plain_int(a) for a in args]):
        return new_contiguous(code, sizes, read_sizes(args, sizes))
    if len(args) == 1 and (isinstance(first, (list, tuple)) or is_sequence(first) or hasattr(first, "__array_interface__")):
        return tensor_of_dtype(first, code)
    raise TypeError(f"new(): data must be a sequence (got {type(first).__name__})")

def legacy_constructor(str name, d):
    """FloatTensor and its kin: a class-like callable that makes tensors of one dtype."""
    return LegacyType(name, d)

class LegacyTypeMeta(type):
    pass

class LegacyType:
    """An old-style tensor type: `FloatTensor(2, 3)`, `FloatTensor([1., 2.])`, isinstance(x, FloatTensor)."""

    def __init__(self, name, d):
        self.__name__, self.__qualname__, self.dtype = name, name, d
        self.__module__ = "torch"

    def __call__(self, *args, device=None):
        require_cpu(device)
        if len(args) == 1 and isinstance(args[0], Tensor) and args[0].dtype is not self.dtype:
            raise TypeError(f"expected {self.dtype} (got {args[0].dtype})")
        return legacy_tensor(args, code_of(self.dtype))

    def __instancecheck__(self, instance):
        return isinstance(instance, Tensor) and instance.dtype is self.dtype

    def __repr__(self):
        return f"<class 'torch.{self.__name__}'>"
