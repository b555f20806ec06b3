# Making tensors: memory, sizes and strides, without a place in the graph.
cdef inline Tensor new_tensor(int code, int64_t count, int64_t nbytes):
    """A tensor of `count` elements of dtype `code` with `nbytes` of memory; the caller sets its geometry."""
    cdef Tensor out = bare_tensor()
    cdef Storage storage = new_storage(nbytes)
    out.storage = storage
    out.count = count
    out.code = code
    if modes.inference:
        out.flags = INFERENCE
    return out

cdef inline Tensor new_like_shape(int code, const Geometry& geometry):
    """A new contiguous tensor of the given sizes."""
    cdef Tensor out
    cdef int64_t count
    cdef PyObject* ready
    if not modes.meta and modes.recording == NULL:
        ready = take_ready(_like_tensor, _like_storage, code, geometry, item_bytes[code],
                           CONTIGUOUS | INFERENCE if modes.inference else CONTIGUOUS, <uint8_t>modes.transforms)
        if ready != NULL:
            return own_tensor(ready)
    out = bare_tensor()
    count = out.geometry.lay_out(geometry)
    cdef Storage storage = new_storage(bytes_of(count, code, geometry))
    out.storage = storage
    out.count = count
    out.code = code
    out.flags = CONTIGUOUS | INFERENCE if modes.inference else CONTIGUOUS
    return out

cdef inline int refuse_negative(const int64_t* sizes, int ndim) except -1:
    cdef int d
    for d in range(ndim):
        if sizes[d] < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {sizes[d]}: {list(make_tuple(sizes, ndim))}")
    return 0

cdef Tensor new_contiguous(int code, const int64_t* sizes, int ndim):
    cdef int64_t count = 1, nbytes
    cdef int d
    cdef Tensor out
    cdef Geometry shape
    refuse_negative(sizes, ndim)
    for d in range(ndim):
        count = checked_product(count, sizes[d])
    nbytes = checked_product(count, item_bytes[code])
    if 0 < nbytes < BEYOND:
        shape.set_shape(sizes, ndim)
        return new_like_shape(code, shape)
    # (Of a tensor without elements, sizes and strides may be too large.)
    if nbytes == BEYOND:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={list(make_tuple(sizes, ndim))}")
    out = new_tensor(code, count, nbytes)
    out.geometry.set_shape(sizes, ndim)
    if not out.geometry.make_contiguous():
        raise RuntimeError("Stride calculation overflowed")
    out.flags |= CONTIGUOUS
    if CHECKED:
        check_tensor(out)
    return out

cdef inline void become_alias(Tensor out, Tensor source):
    out.storage = source.storage
    out.offset = source.offset
    out.count = source.count
    out.code = source.code
    out.geometry.copy(source.geometry)
    out.flags = source.flags & (CONTIGUOUS | INFERENCE | LAZY)

cdef inline Tensor alias_of(Tensor source):
    """The same memory and version without history."""
    cdef Tensor out
    if type(source) is not Tensor:
        return source.alias()
    out = bare_tensor()
    become_alias(out, source)
    return out

cdef bint has_meta(PyObject* value) noexcept:
    """Whether `value` is a tensor of device "meta", or a list or tuple with one."""
    cdef object item
    if is_tensor_object(value):
        return is_on_meta(<Tensor>value)
    if isinstance(<object>value, (list, tuple)):
        for item in <object>value:
            if is_tensor_object(<PyObject*>item) and is_on_meta(<Tensor>item):
                return True
    return False

cdef bint any_meta_of(PyObject* const* values, Py_ssize_t count) noexcept:
    cdef Py_ssize_t i
    for i in range(count):
        if has_meta(values[i]):
            return True
    return False

cdef int require_same_place(Tensor out, bint of_meta) except -1:
    """Refuses to put what has no memory into `out`, which has, and the other way round."""
    if is_meta(out) != of_meta:
        places = ("cpu", "meta") if is_meta(out) else ("meta", "cpu")
        raise RuntimeError(f"Attempting to copy from device {places[0]} to device {places[1]}, but cross-device copies are not allowed!")
    return 0

cdef inline int refuse_escaped(Tensor t, bint reduction) except -1:
    """Raises for an example of a vmap that has ended: its batch is nobody's any more."""
    return t.refuse_escaped(reduction) if type(t) is Wrapped else 0

cdef int check_tensor(Tensor t) except -1:
    """Raises where a tensor is not what every tensor is."""
    cdef int64_t reached, d
    cdef Tensor base = t.base
    if t.storage is None:
        raise AssertionError("a tensor without a storage")
    for d in range(t.geometry.ndim):
        if t.geometry.shape[d] < 0 or (t.count and t.geometry.strides[d] < 0):
            raise AssertionError(f"a tensor of sizes {t.shape} and strides {t.stride()}")
    if t.count != t.geometry.numel():
        raise AssertionError(f"a tensor of sizes {t.shape} that counts {t.count} elements")
    if (t.flags & CONTIGUOUS != 0) != t.geometry.contiguous():
        raise AssertionError(f"a tensor of sizes {t.shape} and strides {t.stride()} that is{'' if t.flags & CONTIGUOUS else ' not'} contiguous")
    reached = checked_product(t.geometry.reach(0), item_bytes[t.code])
    if t.count and not has_hidden_dim(t) and (t.offset < 0 or checked_sum(t.offset, reached) > t.storage.memory.size):
        raise AssertionError(f"a tensor of sizes {t.shape} and strides {t.stride()} at {t.offset} in a storage of {t.storage.memory.size} bytes")
    if base is not None and base.base is not None:
        raise AssertionError("a view of a view")
    return 0

cdef int check_tensors(object made) except -1:
    """check_tensor of a result, or of each of several."""
    if isinstance(made, Tensor):
        check_tensor(<Tensor>made)
    elif isinstance(made, (tuple, list)):
        for item in made:
            check_tensors(item)
    return 0

cdef Tensor finished(Tensor out):
    """A new tensor, which has its memory, sizes and strides now."""
    update_contiguous(out)
    if CHECKED:
        check_tensor(out)
    return out

cdef Tensor laid_out(int code, const Geometry& geometry):
    """An unfilled tensor with the given sizes and strides."""
    cdef Geometry wanted
    wanted.copy(geometry)
    cdef Tensor out = new_tensor(code, wanted.numel(), bytes_reached(wanted, code))
    out.geometry.copy(wanted)
    out.count = wanted.numel()
    return finished(out)

cdef int place_in(Tensor x, const Geometry& geometry, int64_t place) except -1:
    """Gives `x` another geometry and another first element in its memory."""
    x.geometry.copy(geometry)
    x.count, x.offset = x.geometry.numel(), place
    update_contiguous(x)
    return 0

cdef int parts_geometry(Geometry& out, const Geometry& g) except -1:
    """The geometry of view_as_real of a complex tensor."""
    cdef int d
    out.resize(g.ndim + 1)
    for d in range(g.ndim):
        out.shape[d], out.strides[d] = g.shape[d], 2 * g.strides[d]
    out.shape[g.ndim], out.strides[g.ndim] = 2, 1
    return 0

cpdef Tensor require_grad_of_new(Tensor out, bint required=True):
    """What requires_grad= of a factory says of its new tensor."""
    if required:
        if category[out.code] < IS_FLOATING:
            raise documented(RuntimeError("Only Tensors of floating point and complex dtype can require gradients"), "integers")
        out.flags |= REQUIRES_GRAD
    return out

cdef Tensor tensor_of_number(object value):
    """A number beside a tensor, as PyTorch keeps it: a 0-d tensor of the number's own kind."""
    cdef Tensor out = new_contiguous(number_code(value), NULL, 0)
    if not is_meta(out):
        write_number(value, out.code, data_of(out))
        wrote(data_of(out), item_bytes[out.code])
    return out

def beside(x, Tensor made):
    """A new, unset tensor for a program that also has `x`: where that belongs to a transform, the transform may want another."""
    return (<Wrapped>x).level.beside(x, made) if type(x) is Wrapped else made

cdef int resize_in_place(Tensor out, const Geometry& shape) except -1:
    """Gives `out` another shape; its storage grows where that needs more, and kept elements stay."""
    cdef int64_t count = count_of(shape)
    cdef Geometry geometry
    geometry.set_shape(shape.shape, shape.ndim)
    if not geometry.make_contiguous():
        raise RuntimeError("Stride calculation overflowed")
    if count:
        grow_storage(out.storage, bytes_reached(geometry, out.code, out.offset // item_bytes[out.code], False))
    out.geometry.copy(geometry)
    out.count = count
    out.flags |= CONTIGUOUS
    return 0


cdef extern from *:
    """
    // A new object's attribute slot: from Cython's None to NULL, which CPython takes for "no dict yet".
    #define rl_attribute_slot(tensor) (&(tensor)->attributes)
    static inline void rl_forget(PyObject** slot) { PyObject* value = *slot; *slot = NULL; Py_XDECREF(value); }
    static PyObject* rl_get_dict(PyObject* self, void*) { return PyObject_GenericGetDict(self, NULL); }
    static int rl_set_dict(PyObject* self, PyObject* value, void*) { return PyObject_GenericSetDict(self, value, NULL); }
    static PyGetSetDef rl_dict_attribute = {"__dict__", rl_get_dict, rl_set_dict, NULL, NULL};
    static void rl_enable_dict(PyTypeObject* type, size_t offset) {
      type->tp_dictoffset = (Py_ssize_t)offset;
      PyObject* descriptor = PyDescr_NewGetSet(type, &rl_dict_attribute);
      PyDict_SetItemString(type->tp_dict, "__dict__", descriptor);
      Py_DECREF(descriptor);
      PyType_Modified(type);
    }
    """
    void forget "rl_forget"(PyObject**) noexcept
    PyObject** attribute_slot "rl_attribute_slot"(Tensor) noexcept
    void enable_dict "rl_enable_dict"(PyTypeObject*, size_t) noexcept

cdef give_attributes(type kind):
    """Makes room for a __dict__ in objects of a type of tensors."""
    cdef Tensor tensor = Tensor.__new__(Tensor)
    enable_dict(<PyTypeObject*>kind, <size_t>(<char*>attribute_slot(tensor) - <char*><PyObject*>tensor))

cpdef object attributes_of(Tensor tensor):
    """The __dict__ of a tensor, or None where nothing has been put there."""
    cdef PyObject** slot = attribute_slot(tensor)
    return None if slot[0] == NULL else <object>slot[0]
