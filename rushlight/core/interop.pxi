# NumPy, DLPack and the buffer protocol: other libraries' views of the same memory.
_array_kinds = {"|b1": BOOL, "|u1": UINT8, "|i1": INT8, "<i2": INT16, "<i4": INT32, "<i8": INT64, "<f2": FLOAT16, "<f4": FLOAT32,
                "<f8": FLOAT64, "<c8": COMPLEX64, "<c16": COMPLEX128}
_array_names = {code: kind for kind, code in _array_kinds.items()}

class ArrayView:
    """Holds a tensor while NumPy looks at its memory."""
    __slots__ = ("tensor", "__array_interface__")

    def __init__(self, tensor, interface):
        self.tensor, self.__array_interface__ = tensor, interface

cdef object to_numpy(Tensor x):
    """x's memory as a NumPy array."""
    import numpy
    cdef int64_t item = item_bytes[x.code]
    if x.code == BFLOAT16:
        raise TypeError("Got unsupported ScalarType BFloat16")
    strides = tuple([x.geometry.strides[d] * item for d in range(x.geometry.ndim)])
    view = ArrayView(x, {"version": 3, "typestr": _array_names[x.code], "shape": tuple(x.shape), "strides": strides,
                         "data": (<size_t>x.data_pointer, False)})
    if x.count == 0:
        return numpy.empty(tuple(x.shape), dtype=_array_names[x.code])
    return numpy.asarray(view)

def numpy_of(Tensor x):
    """The same memory as a NumPy array (no copy)."""
    return to_numpy(<Tensor>readable(x, "numpy"))

cdef Tensor from_array(object array, bint copied=False):
    """A tensor over an array's memory (`copied`: it is only read, to be copied)."""
    cdef Tensor out = Tensor.__new__(Tensor)
    cdef size_t address
    interface = array.__array_interface__
    kind = interface["typestr"]
    found = _array_kinds.get(kind)
    if found is None:
        raise TypeError(f"can't convert np.ndarray of type numpy.{getattr(array, 'dtype', kind)}. The only supported types are: float64, float32, "
                        "float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool.")
    cdef int code = found
    cdef int64_t item = item_bytes[code]
    shape, strides = interface["shape"], interface.get("strides")
    cdef int d, n = len(shape)
    out.geometry.resize(n)
    for d in range(n):
        out.geometry.shape[d] = shape[d]
    out.geometry.make_contiguous()
    if strides is not None:
        for d in range(n):
            if strides[d] < 0:
                raise ValueError("At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
                                 "supported. (You can probably work around this by making a copy of your array  with array.copy().) ")
            if strides[d] % item:
                raise ValueError("given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the memory.")
            out.geometry.strides[d] = strides[d] // item
    out.count = out.geometry.numel()
    address = interface["data"][0] or 0
    out.storage = foreign_storage(<char*>address, out.geometry.extent() * item, array)
    out.data_pointer = <char*>address
    out.code = code
    update_contiguous(out)
    if interface["data"][1] and not copied:
        warn_not_writable()
    return out

cdef warn_not_writable():
    warn_once("The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing to this "
              "tensor will result in undefined behavior. You may want to copy the array to protect its data or make it writable before "
              "converting it to a tensor. This type of warning will be suppressed for the rest of this program.")

def from_numpy(array):
    """A tensor over the memory of a NumPy array: writes to one show in the other."""
    if type(array).__name__ != "ndarray" or not hasattr(array, "__array_interface__"):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    return from_array(array)

def frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False):
    """A 1-d tensor over the memory of an object with the buffer protocol."""
    cdef const unsigned char[::1] view
    cdef int code = code_of(dtype)
    cdef int64_t item = item_bytes[code], size, length
    cdef Tensor out = Tensor.__new__(Tensor)
    flat = memoryview(buffer).cast("B")
    length = flat.nbytes
    if length == 0:
        raise ValueError(f"both buffer length ({length}) and count ({count}) must not be 0")
    if offset < 0 or offset >= length:
        raise ValueError(f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({length} bytes) minus 1")
    if count < 0 and (length - offset) % item:
        raise ValueError(f"buffer length ({length - offset} bytes) after offset ({offset} bytes) must be a multiple of element size ({item})")
    size = (length - offset) // item if count < 0 else count
    if offset + size * item > length:
        raise ValueError(f"requested buffer length ({size} * {item} bytes) after offset ({offset} bytes) must not be greater than actual buffer "
                         f"length ({length} bytes)")
    if flat.readonly:
        warn_not_writable()
    view = flat
    out.storage = foreign_storage(<char*>&view[0], length, flat)
    out.data_pointer = out.storage.data + <int64_t>offset
    out.code = code
    out.geometry.set_shape(&size, 1)
    out.geometry.make_contiguous()
    out.count = size
    update_contiguous(out)
    if requires_grad:
        require_grad_at_creation(out)
    return out

cdef object list_from(Tensor x, char* at, int dim):
    cdef int64_t i, step
    if dim == x.geometry.ndim:
        return read_number(x.code, at)
    step = x.geometry.strides[dim] * item_bytes[x.code]
    return [list_from(x, at + i * step, dim + 1) for i in range(x.geometry.shape[dim])]

def list_of(Tensor x):
    """The elements as (nested lists of) Python numbers."""
    x = <Tensor>readable(x, "tolist")
    return list_from(x, x.data_pointer, 0)


# ---------------------------------------------------------------------------------------------------------- DLPack
cdef extern from *:
    """
    #include <cstdint>
    // The structures of DLPack (dlpack.h, version 0.8), which libraries agree on.
    struct DLDevice { int32_t device_type, device_id; };
    struct DLDataType { uint8_t code, bits; uint16_t lanes; };
    struct DLTensor { void* data; DLDevice device; int32_t ndim; DLDataType dtype; int64_t* shape; int64_t* strides; uint64_t byte_offset; };
    struct DLManagedTensor { DLTensor dl_tensor; void* manager_ctx; void (*deleter)(DLManagedTensor*); };

    static void rl_dlpack_delete(DLManagedTensor* self) {
      PyGILState_STATE state = PyGILState_Ensure();
      Py_XDECREF((PyObject*)self->manager_ctx);
      PyGILState_Release(state);
      delete[] self->dl_tensor.shape;
      delete self;
    }
    static void rl_dlpack_capsule_delete(PyObject* capsule) {
      if (PyCapsule_IsValid(capsule, "dltensor")) {
        DLManagedTensor* managed = (DLManagedTensor*)PyCapsule_GetPointer(capsule, "dltensor");
        managed->deleter(managed);
      }
    }
    static PyObject* rl_dlpack_capsule(PyObject* owner, char* data, const rl::Geometry& g, int code, int bits) {
      DLManagedTensor* managed = new DLManagedTensor();
      managed->dl_tensor.data = data;
      managed->dl_tensor.device = DLDevice{1, 0};
      managed->dl_tensor.ndim = g.ndim;
      managed->dl_tensor.dtype = DLDataType{(uint8_t)code, (uint8_t)bits, 1};
      managed->dl_tensor.shape = new int64_t[2 * g.ndim + 1];
      managed->dl_tensor.strides = managed->dl_tensor.shape + g.ndim;
      for (int d = 0; d < g.ndim; ++d) {
        managed->dl_tensor.shape[d] = g.shape[d];
        managed->dl_tensor.strides[d] = g.shape[d] == 1 ? 1 : g.strides[d];
      }
      managed->dl_tensor.byte_offset = 0;
      Py_INCREF(owner);
      managed->manager_ctx = owner;
      managed->deleter = rl_dlpack_delete;
      return PyCapsule_New(managed, "dltensor", rl_dlpack_capsule_delete);
    }
    static void rl_dlpack_owner_delete(PyObject* capsule) {
      DLManagedTensor* managed = (DLManagedTensor*)PyCapsule_GetPointer(capsule, "used_dltensor");
      if (managed && managed->deleter) managed->deleter(managed);
    }
    """
    cdef struct DLDevice:
        int32_t device_type
        int32_t device_id
    cdef struct DLDataType:
        uint8_t code
        uint8_t bits
        int16_t lanes
    cdef struct DLTensor:
        void* data
        DLDevice device
        int32_t ndim
        DLDataType dtype
        int64_t* shape
        int64_t* strides
        uint64_t byte_offset
    cdef struct DLManagedTensor:
        DLTensor dl_tensor
    object dlpack_capsule "rl_dlpack_capsule"(object, char*, const Geometry&, int, int)
    void dlpack_owner_delete "rl_dlpack_owner_delete"(PyObject*)

cdef extern from "Python.h":
    void* PyCapsule_GetPointer(object, const char*) except NULL
    int PyCapsule_SetName(object, const char*) except -1
    int PyCapsule_SetDestructor(object, void (*)(PyObject*)) except -1
    bint PyCapsule_IsValid(object, const char*)

# DLPack's type codes: 0 int, 1 uint, 2 float, 4 bfloat, 5 complex, 6 bool.
_dlpack_types = {(6, 8): BOOL, (1, 8): UINT8, (0, 8): INT8, (0, 16): INT16, (0, 32): INT32, (0, 64): INT64, (2, 16): FLOAT16,
                 (4, 16): BFLOAT16, (2, 32): FLOAT32, (2, 64): FLOAT64, (5, 64): COMPLEX64, (5, 128): COMPLEX128}
_dlpack_codes = {code: kind for kind, code in _dlpack_types.items()}

def to_dlpack(Tensor x):
    """A DLPack capsule over x's memory."""
    if needs_grad(x):
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    x = <Tensor>readable(x, "__dlpack__")
    code, bits = _dlpack_codes[x.code]
    return dlpack_capsule(x, x.data_pointer, x.geometry, code, bits)

def from_dlpack(source, *, device=None, copy=None):
    """A tensor over the memory of any object that speaks DLPack (or of a capsule)."""
    cdef DLManagedTensor* managed
    cdef Tensor out
    cdef int d
    capsule = source.__dlpack__() if hasattr(source, "__dlpack__") else source
    if not PyCapsule_IsValid(capsule, "dltensor"):
        raise RuntimeError("from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might have "
                           "already constructed a tensor from it once.")
    managed = <DLManagedTensor*>PyCapsule_GetPointer(capsule, "dltensor")
    if managed.dl_tensor.device.device_type != 1:
        raise BufferError("Rushlight has tensors on the CPU only")
    found = _dlpack_types.get((managed.dl_tensor.dtype.code, managed.dl_tensor.dtype.bits))
    if found is None or managed.dl_tensor.dtype.lanes != 1:
        raise BufferError(f"unsupported DLPack type (code {managed.dl_tensor.dtype.code}, {managed.dl_tensor.dtype.bits} bits)")
    out = Tensor.__new__(Tensor)
    out.geometry.set_shape(managed.dl_tensor.shape, managed.dl_tensor.ndim)
    out.geometry.make_contiguous()
    if managed.dl_tensor.strides != NULL:
        for d in range(out.geometry.ndim):
            out.geometry.strides[d] = managed.dl_tensor.strides[d]
    PyCapsule_SetName(capsule, "used_dltensor")
    PyCapsule_SetDestructor(capsule, dlpack_owner_delete)
    out.code = found
    out.count = out.geometry.numel()
    out.data_pointer = <char*>managed.dl_tensor.data + managed.dl_tensor.byte_offset
    out.storage = foreign_storage(out.data_pointer, out.geometry.extent() * item_bytes[out.code], capsule)
    update_contiguous(out)
    return out if not copy else convert(out, out.code)


# ---------------------------------------------------------------------------------------------------------- subclasses
# __torch_function__: while no subclass other than Parameter exists, a call costs one test.
cdef bint subclasses_exist = False
_torch_function = __import__("threading").local()

def notice_subclass(cls):
    """Called for each new subclass of Tensor; one that turns __torch_function__ off needs no attention."""
    global subclasses_exist
    if cls.__torch_function__ is not disabled_torch_function:
        subclasses_exist = True

def disabled_torch_function(func, types, args=(), kwargs=None):
    """For subclasses that want results to be plain tensors: `__torch_function__ = torch._C._disabled_torch_function_impl`."""
    with DisableTorchFunction():
        return func(*args, **(kwargs or {}))

class DisableTorchFunction:
    """Inside, subclasses are not asked."""

    def __enter__(self):
        _torch_function.depth = getattr(_torch_function, "depth", 0) + 1

    def __exit__(self, *exc):
        _torch_function.depth -= 1

def default_torch_function(cls, func, types, args=(), kwargs=None):
    """What Tensor.__torch_function__ does: runs the op; results that are plain tensors become `cls`."""
    if not all([issubclass(cls, t) for t in types]):
        return NotImplemented
    with DisableTorchFunction():
        result = func(*args, **(kwargs or {}))
    return result if func in kept_plain else in_subclass(result, cls)

kept_plain = set()    # functions whose results stay as they are

cdef object in_subclass(object value, object cls):
    if type(value) is Tensor and cls is not Tensor:
        return value.as_subclass(cls)
    if isinstance(value, (tuple, list)):
        converted = [in_subclass(item, cls) for item in value]
        return type(value)(converted) if type(value) in (tuple, list) or not hasattr(value, "_fields") else type(value)(converted)
    return value

cdef object view_as_type(Tensor x, cls):
    cdef Tensor out = new_of_type(cls)
    become_alias(out, x)
    out.grad_fn_, out.output_number, out.base = grad_fn_of(x), x.output_number, x.base
    out.flags = x.flags & ~RETAINS_GRAD
    out.seen_version = x.seen_version
    out.creation = x.creation
    if x.grad_fn_ is None and needs_grad(x):
        aliased = op_alias(x)
        out.grad_fn_ = (<Tensor>aliased).grad_fn_
    return out

cdef list overriding_types(arguments):
    """The types among the arguments that want a say, subclasses first."""
    cdef list types = []
    for value in arguments:
        if isinstance(value, (list, tuple)):
            for kind in overriding_types(value):
                if kind not in types:
                    types.append(kind)
            continue
        kind = type(value)
        if kind is Tensor or kind is Wrapped or kind in types or isinstance(value, (int, float, str)) or value is None:
            continue
        handler = getattr(kind, "__torch_function__", None)
        if handler is None or handler is disabled_torch_function:
            continue
        for place in range(len(types) + 1):
            if place == len(types) or issubclass(kind, types[place]):
                types.insert(place, kind)
                break
    return types

def dispatch_torch_function(function, arguments, args, kwargs):
    """Asks the types of `arguments`; NotImplemented where none takes part."""
    if not subclasses_exist or getattr(_torch_function, "depth", 0):
        return NotImplemented
    types = overriding_types(arguments)
    if not types:
        return NotImplemented
    for kind in types:
        result = kind.__torch_function__(function, tuple(types), args, kwargs)
        if result is not NotImplemented:
            return result
    raise TypeError(f"Multiple dispatch failed for 'torch.{getattr(function, '__name__', function)}'; all __torch_function__ handlers returned "
                    "NotImplemented:\n\n" + "\n".join([f"  - tensor subclass {kind}" for kind in types]))

cdef object overridden(Op op, int mode, tuple arguments, out):
    if getattr(_torch_function, "depth", 0):
        return NotImplemented
    keywords = {}
    args = list(arguments)
    # Parameters at their defaults are left out, as the caller left them out.
    while len(args) > 1 and args[len(args) - 1] is op.defaults[len(args) - 1]:
        args.pop()
    while len(args) > op.positional:
        value = args.pop()
        keywords[op.parameters[len(args)]] = value
    if out is not None:
        keywords["out"] = out
    function = op if mode != MODE_IN_PLACE else getattr(Tensor, op.name + "_")
    return dispatch_torch_function(function, list(arguments) + [out], tuple(args), keywords)

cdef object overridden_method(str name, tuple args):
    return dispatch_torch_function(getattr(Tensor, name), args, args, {})
