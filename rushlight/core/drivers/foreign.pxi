# NumPy, DLPack and the buffer protocol: other libraries' views of the same memory.
_array_names = {code: dtype_facts[code].typestr.decode() for code in range(DTYPES) if dtype_facts[code].typestr[0]}

_array_kinds = {kind: code for code, kind in _array_names.items()}

def numpy_of(Tensor x):
    """x's memory as a NumPy array (no copy). The array keeps the memory, not `x`, which may go on to other memory; it must not move from now on."""
    import numpy
    cdef Tensor kept
    if is_on_meta(x):
        raise TypeError("can't convert meta device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.")
    x = resolved(x.readable("numpy"))
    if x.code not in _array_names:
        raise TypeError(f"Got unsupported ScalarType {c10_name(x.code)}")
    not_again("a tensor was given to NumPy")
    root_of(x.storage).memory.fixed = True
    if x.count == 0:
        return numpy.empty(tuple(x.shape), dtype=_array_names[x.code])
    kept = alias_of(x)
    (<object>kept).__array_interface__ = {
        "version": 3, "typestr": _array_names[x.code], "shape": tuple(x.shape), "data": (<size_t>data_of(x), False),
        "strides": tuple([x.geometry.strides[d] * item_bytes[x.code] for d in range(x.geometry.ndim)])}
    return numpy.asarray(kept)

cdef object _numpy_array = None, _numpy_scalar = None     # numpy.ndarray and numpy.generic, once a program has imported NumPy

cdef bint find_numpy() except -1:
    global _numpy_array, _numpy_scalar
    numpy = sys_modules.get("numpy")
    if numpy is None or not hasattr(numpy, "generic") or not hasattr(numpy, "ndarray"):
        return False
    _numpy_array, _numpy_scalar = numpy.ndarray, numpy.generic
    return True

cpdef bint is_array(object value) except -1:
    """Whether `value` is a NumPy array."""
    return (_numpy_array is not None or find_numpy()) and isinstance(value, _numpy_array)

cpdef bint is_numpy_scalar(object value) except -1:
    """Whether `value` is a number of NumPy's."""
    return (_numpy_array is not None or find_numpy()) and isinstance(value, _numpy_scalar)

cdef int code_of_array(object array, bint in_place=True) except -2:
    """The dtype of a NumPy array; its memory is usable `in_place` where the bytes have the machine's order."""
    kind = array.dtype.str
    found = _array_kinds.get(kind)
    if found is not None:
        return found
    if kind[0] == ">" and "<" + kind[1:] in _array_kinds:
        if not in_place:
            return _array_kinds["<" + kind[1:]]
        raise ValueError("given numpy array has byte order different from the native byte order. Conversion between byte orders is currently not "
                         "supported.")
    raise TypeError(f"can't convert np.ndarray of type numpy.{array.dtype.type.__name__}. The only supported types are: float64, float32, "
                    "float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool.")

cdef Tensor from_array(object array, bint copied=False):
    """A tensor over the memory of a NumPy array (`copied`: it is only read, to be copied)."""
    cdef Tensor out = bare_tensor()
    cdef int code = code_of_array(array)
    cdef int64_t item = item_bytes[code]
    cdef size_t address
    cdef int d, n = array.ndim
    shape, strides = array.shape, array.strides
    if n > MAX_DIMS:
        raise ValueError(f"too many dimensions '{type(array).__name__}'")
    out.geometry.resize(n)
    for d in range(n):
        out.geometry.shape[d] = shape[d]
        if strides[d] < 0:
            raise ValueError("At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
                             "supported. (You can probably work around this by making a copy of your array  with array.copy().) ")
        if strides[d] % item:
            raise ValueError("given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the memory.")
        out.geometry.strides[d] = strides[d] // item
    out.count = count_of(out.geometry)
    address = array.ctypes.data
    out.storage = foreign_storage(<char*>address, bytes_reached(out.geometry, code), array)
    out.code = code
    if not copied and not array.flags.writeable:
        warn_once("The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing to this "
                  "tensor will result in undefined behavior. You may want to copy the array to protect its data or make it writable before "
                  "converting it to a tensor. This type of warning will be suppressed for the rest of this program.")
    return finished(out)

def from_numpy(array) -> "Tensor":
    """A tensor over the memory of a NumPy array: writes to one show in the other.

    Args:
        array: of a dtype that tensors have; TypeError for others.

    >>> import rushlight as torch
    >>> import numpy
    >>> array = numpy.zeros(2)
    >>> torch.from_numpy(array)[0] = 7
    >>> array.tolist()
    [7.0, 0.0]
    """
    if not is_array(array):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    return from_array(array)

def over_buffer(flat, dtype not None, int64_t start, int64_t size):
    """A vector of `size` elements over the bytes of a memoryview, from byte `start` on."""
    cdef const unsigned char[::1] view = flat
    cdef Tensor out = bare_tensor()
    out.code, out.count = code_of(dtype), size
    out.storage = foreign_storage(<char*>&view[start], size * item_bytes[out.code], flat)
    out.geometry.set_shape(&size, 1)
    out.geometry.make_contiguous()
    return finished(out)

cdef object list_from(Tensor x, char* at, int dim):
    cdef int64_t i, step
    cdef list items
    if dim == x.geometry.ndim:
        return read_number(x.code, at)
    step = x.geometry.strides[dim] * item_bytes[x.code] if x.count else 0
    items = [None] * x.geometry.shape[dim]      # (all at once: there may not be room for the many lines of an empty tensor)
    for i in range(x.geometry.shape[dim]):
        items[i] = list_from(x, at + i * step, dim + 1)
    return items

def list_of(Tensor x):
    """The elements as (nested lists of) Python numbers."""
    x = resolved(x.readable("tolist"))
    if is_meta(x):
        raise no_data()
    not_again("the values of a tensor were asked for")
    return list_from(x, data_of(x), 0)


# ---------------------------------------------------------------------------------------------------------- DLPack
cdef extern from *:
    """
    #include <cstdint>
    // The structures of DLPack (dlpack.h, versions 0.8 and 1.0), which libraries agree on.
    struct DLDevice { int32_t device_type, device_id; };
    struct DLDataType { uint8_t code, bits; uint16_t lanes; };
    struct DLTensor { void* data; DLDevice device; int32_t ndim; DLDataType dtype; int64_t* shape; int64_t* strides; uint64_t byte_offset; };
    struct DLManagedTensor { DLTensor dl_tensor; void* manager_ctx; void (*deleter)(DLManagedTensor*); };
    struct DLManagedTensorVersioned {
      uint32_t major, minor;
      void* manager_ctx;
      void (*deleter)(DLManagedTensorVersioned*);
      uint64_t flags;
      DLTensor dl_tensor;
    };

    template <class Managed> static constexpr bool rl_versioned = std::is_same_v<Managed, DLManagedTensorVersioned>;
    template <class Managed> static constexpr const char* rl_fresh = rl_versioned<Managed> ? "dltensor_versioned" : "dltensor";
    template <class Managed> static constexpr const char* rl_used = rl_versioned<Managed> ? "used_dltensor_versioned" : "used_dltensor";
    template <class Managed> static void rl_dlpack_delete(Managed* self) {
      PyGILState_STATE state = PyGILState_Ensure();
      rl_let_go((PyObject*)self->manager_ctx);
      PyGILState_Release(state);
      delete[] self->dl_tensor.shape;
      delete self;
    }
    template <class Managed> static void rl_dlpack_unused(PyObject* capsule) {    // the destructor of a capsule that we made
      if (!PyCapsule_IsValid(capsule, rl_fresh<Managed>)) return;
      Managed* managed = (Managed*)PyCapsule_GetPointer(capsule, rl_fresh<Managed>);
      managed->deleter(managed);
    }
    template <class Managed> static PyObject* rl_dlpack_make(PyObject* owner, char* data, const rl::Geometry& g, int code, int bits,
                                                             bool copied) {
      Managed* managed = new Managed();
      DLTensor& t = managed->dl_tensor;
      t.data = data;
      t.device = DLDevice{1, 0};
      t.ndim = g.ndim;
      t.dtype = DLDataType{(uint8_t)code, (uint8_t)bits, 1};
      t.shape = new int64_t[2 * g.ndim + 1];
      t.strides = t.shape + g.ndim;
      std::copy(g.shape, g.shape + g.ndim, t.shape);
      std::copy(g.strides, g.strides + g.ndim, t.strides);
      if constexpr (rl_versioned<Managed>) {
        managed->major = 1;
        managed->flags = copied ? 2 : 0;
      }
      Py_INCREF(owner);
      managed->manager_ctx = owner;
      managed->deleter = rl_dlpack_delete<Managed>;
      return PyCapsule_New(managed, rl_fresh<Managed>, rl_dlpack_unused<Managed>);
    }
    static PyObject* rl_dlpack_capsule(PyObject* owner, char* data, const rl::Geometry& g, int code, int bits, bool versioned, bool copied) {
      return versioned ? rl_dlpack_make<DLManagedTensorVersioned>(owner, data, g, code, bits, copied)
                       : rl_dlpack_make<DLManagedTensor>(owner, data, g, code, bits, copied);
    }
    template <class Managed> static void rl_dlpack_owner_delete(PyObject* capsule) {
      Managed* managed = (Managed*)PyCapsule_GetPointer(capsule, rl_used<Managed>);
      if (managed && managed->deleter) managed->deleter(managed);
    }
    // Takes what the capsule holds: from now on it is the capsule's to delete, when it goes.
    template <class Managed> static DLTensor* rl_dlpack_take(PyObject* capsule) {
      Managed* managed = (Managed*)PyCapsule_GetPointer(capsule, rl_fresh<Managed>);
      if (!managed) return nullptr;
      PyCapsule_SetName(capsule, rl_used<Managed>);
      PyCapsule_SetDestructor(capsule, rl_dlpack_owner_delete<Managed>);
      return &managed->dl_tensor;
    }
    // What `use` makes of what a capsule holds, of either version.
    template <class Use> static auto rl_held(PyObject* capsule, Use use) {
      if (PyCapsule_IsValid(capsule, "dltensor")) return use((DLManagedTensor*)PyCapsule_GetPointer(capsule, "dltensor"));
      return use((DLManagedTensorVersioned*)PyCapsule_GetPointer(capsule, "dltensor_versioned"));
    }
    // What a tensor over the memory of a capsule needs, once that has been looked at: -1, and an error, where there can be none. `own` is the
    // storage behind a capsule that we made ourselves and that nobody has used yet, or NULL.
    struct rl_dlpack_content { char* data; int code, bits; PyObject* own; };
    template <class Managed> static int rl_dlpack_look(const Managed* managed, rl::Geometry& g, rl_dlpack_content* content) {
      const DLTensor& t = managed->dl_tensor;
      if constexpr (rl_versioned<Managed>)
        if (managed->major > 1) return PyErr_Format(PyExc_RuntimeError, "Unsupported DLPack major version %u", managed->major), -1;
      const char* negative = "from_dlpack: tensors with negative strides are not supported. Copy the array first.";
      if (t.device.device_type != 1) return PyErr_SetString(PyExc_BufferError, "Rushlight has tensors on the CPU only"), -1;
      if (t.dtype.lanes != 1) return PyErr_Format(PyExc_BufferError, "unsupported DLPack type of %d lanes", t.dtype.lanes), -1;
      if (t.ndim < 0 || t.ndim > 64) return PyErr_Format(PyExc_BufferError, "a tensor has at most 64 dimensions, not %d", t.ndim), -1;
      for (int d = 0; d < t.ndim; ++d) {
        if (t.shape[d] < 0) return PyErr_Format(PyExc_BufferError, "a DLPack tensor of negative size %lld", (long long)t.shape[d]), -1;
        if (t.strides && t.strides[d] < 0) return PyErr_SetString(PyExc_RuntimeError, negative), -1;
      }
      g.set_shape(t.shape, t.ndim);
      g.make_contiguous();
      if (t.strides) std::copy(t.strides, t.strides + t.ndim, g.strides);
      PyObject* own = managed->deleter == rl_dlpack_delete<Managed> ? (PyObject*)managed->manager_ctx : nullptr;
      *content = {static_cast<char*>(t.data) + t.byte_offset, t.dtype.code, t.dtype.bits, own};
      return 0;
    }
    static int rl_dlpack_read(PyObject* capsule, rl::Geometry& g, rl_dlpack_content* content) {
      return rl_held(capsule, [&](auto* managed) { return rl_dlpack_look(managed, g, content); });
    }
    static void rl_dlpack_use(PyObject* capsule) {
      rl_held(capsule, [capsule]<class Managed>(Managed*) { rl_dlpack_take<Managed>(capsule); });
    }
    """
    cdef struct DLPackContent "rl_dlpack_content":
        char* data
        int code, bits
        PyObject* own
    object dlpack_capsule "rl_dlpack_capsule"(object, char*, const Geometry&, int, int, cbool, cbool)
    int dlpack_read "rl_dlpack_read"(object, Geometry&, DLPackContent*) except -1
    void dlpack_use "rl_dlpack_use"(object)

from cpython.pycapsule cimport PyCapsule_IsValid

# By DLPack's type code and the bits of an element.
_dlpack_types = {(dtype_facts[code].dlpack_code, 8 * item_bytes[code]): code for code in range(DTYPES)}

def to_dlpack(Tensor tensor, versioned=False, copied=False):
    """A DLPack capsule over the tensor's memory; it keeps that memory, whatever becomes of the tensor."""
    cdef Storage root
    if needs_grad(tensor):
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if tensor.flags & LAZY:
        raise BufferError(f"Can't export tensors with the {'conjugate' if tensor.flags & CONJUGATE else 'negative'} bit set")
    tensor = tensor.readable("__dlpack__")
    if is_meta(tensor):
        raise BufferError("Cannot pack tensors on meta")
    root = root_of(tensor.storage)
    root.memory.lent = True
    return dlpack_capsule(root, data_of(tensor), tensor.geometry, dtype_facts[tensor.code].dlpack_code, 8 * item_bytes[tensor.code], versioned,
                          copied)

def from_dlpack_capsule(capsule):
    """A tensor over the memory behind a DLPack capsule, which can be had once."""
    cdef DLPackContent given
    cdef Tensor out = bare_tensor()
    cdef Storage root
    if not PyCapsule_IsValid(capsule, "dltensor") and not PyCapsule_IsValid(capsule, "dltensor_versioned"):
        raise RuntimeError("from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might have "
                           "already constructed a tensor from it once.")
    dlpack_read(capsule, out.geometry, &given)
    found = _dlpack_types.get((given.code, given.bits))
    if found is None:
        raise BufferError(f"unsupported DLPack type (code {given.code}, {given.bits} bits)")
    out.code = found
    out.count = count_of(out.geometry)
    root = None if given.own == NULL else <Storage>given.own
    if root is not None and 0 <= given.data - root.memory.data < root.memory.size:     # memory of our own: no chain of capsules
        out.storage = second_storage(root)
        out.storage.memory.fixed = True
        out.offset = given.data - root.memory.data
    else:
        out.storage = foreign_storage(given.data, bytes_reached(out.geometry, out.code), capsule)
    dlpack_use(capsule)
    return finished(out)
