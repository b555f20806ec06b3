# Tensors. One is a place in a storage (data, sizes, strides, dtype) and a place in the graph (grad_fn, output number).
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

    // .grad outlives its tensor by a moment, so that chains of tensors, each the .grad of the next, are freed without recursion.
    #define rl_grad_slot(tensor) (&(tensor)->grad_)
    static destructor rl_bare_dealloc;
    static size_t rl_grad_offset;
    static void rl_tensor_dealloc(PyObject* self) {
      PyObject** slot = (PyObject**)((char*)self + rl_grad_offset);
      PyObject* grad = *slot;
      if (grad == Py_None || !grad) return rl_bare_dealloc(self);
      *slot = NULL;
      rl_bare_dealloc(self);
      rl_let_go(grad);
    }
    static void rl_free_grads_in_turn(PyTypeObject* type, size_t offset) {
      rl_bare_dealloc = type->tp_dealloc;
      rl_grad_offset = offset;
      type->tp_dealloc = rl_tensor_dealloc;
    }
    """
    void free_grads_in_turn "rl_free_grads_in_turn"(PyTypeObject*, size_t) noexcept
    PyObject** grad_slot "rl_grad_slot"(Tensor) noexcept
    void forget "rl_forget"(PyObject**) noexcept
    PyObject** attribute_slot "rl_attribute_slot"(Tensor) noexcept
    void enable_dict "rl_enable_dict"(PyTypeObject*, size_t) noexcept


cdef object py_repr = object.__repr__

def set_repr(function):
    """Tells tensors how to print themselves."""
    global py_repr
    py_repr = function


cdef Tensor new_of_type(object cls):
    """An object of a subclass, not yet filled."""
    if not issubclass(cls, Tensor):
        raise TypeError(f"cls must be a type (got {cls!r}) derived from Tensor")
    return <Tensor>tensor_allocate(<PyTypeObject*>cls, (), NULL)


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
    cdef Tensor out = bare_tensor()
    cdef int64_t count = out.geometry.lay_out(geometry)
    cdef Storage storage = new_storage(bytes_of(count, code, geometry))
    out.storage = storage
    out.count = count
    out.code = code
    out.flags = CONTIGUOUS | INFERENCE if modes.inference else CONTIGUOUS
    return out

cdef Tensor new_contiguous(int code, const int64_t* sizes, int ndim):
    cdef int64_t count = 1, nbytes
    cdef int d
    cdef Tensor out
    for d in range(ndim):
        if sizes[d] < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {sizes[d]}: {list(make_tuple(sizes, ndim))}")
        count = checked_product(count, sizes[d])
    nbytes = checked_product(count, item_bytes[code])
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

cdef extern from *:
    """
    // The build under AddressSanitizer looks at every tensor that is made or comes out of an op.
    #if defined(__SANITIZE_ADDRESS__)
    #define RL_CHECKED 1
    #else
    #define RL_CHECKED 0
    #endif
    """
    const bint CHECKED "RL_CHECKED"

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
    if type(source) is Wrapped:
        return wrapped_alias(<Wrapped>source)
    out = bare_tensor()
    become_alias(out, source)
    return out

cdef Tensor detached(Tensor source):
    """detach(): an alias that is a view (sharing the version) but never leads back to the graph."""
    return alias_of(source)

cdef inline int refuse_escaped(Tensor t, bint reduction) except -1:
    """Raises for an example of a vmap that has ended: its batch is nobody's any more."""
    if type(t) is Wrapped:
        return refuse_ended(<Wrapped>t, reduction)
    return 0

cdef bint channels_last_contiguous(Tensor t, int ndim):
    cdef int64_t step = 1
    cdef int d
    if t.geometry.ndim != ndim:
        return False
    for d in [1] + list(range(ndim - 1, 1, -1)) + [0]:
        if t.geometry.shape[d] != 1:
            if t.geometry.strides[d] != step:
                return False
            step *= t.geometry.shape[d]
    return True

cdef object refuse_operands(str operator, left, right, other):
    """The error of an operator that tensors have not with such operands; NotImplemented where a foreign type may know what to do."""
    if not isinstance(other, (Tensor, int, float, complex, str, tuple, list)) and other is not None:
        return operate(ops.matmul, left, right) if type(other).__name__ == "ndarray" and operator == "@" and other is right else NotImplemented
    raise TypeError(f"unsupported operand type(s) for {operator}: '{type(left).__name__}' and '{type(right).__name__}'")

cdef object only_item(Tensor t):
    """The one element as a number, for float() and the like."""
    if t.count != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return t.item()

cdef object real_item(Tensor t, str kind):
    value = only_item(t)
    if isinstance(value, complex):
        if value.imag != 0:
            raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
        return value.real
    return value

def read_grad_attribute(Tensor t):
    """`.grad` without the warning about tensors that are no leaves."""
    return t.grad_

cdef inline int gradient_code(Tensor t) noexcept:
    """The dtype code of a leaf's .grad, or NO_DTYPE where any will do."""
    return t.code if t.grad_kind == 0 else NO_DTYPE if t.grad_kind == 1 else t.grad_kind - 2

cdef inline Node grad_fn_of(Tensor t):
    """grad_fn, brought up to date where the tensor is a view whose base was written to."""
    if t.base is not None:
        refresh_view(t)
    return t.grad_fn_

cdef warn_non_leaf_grad():
    warn_user("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated during "
              "autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the "
              "non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. See "
              "github.com/pytorch/pytorch/pull/30531 for more information.")

cdef int refuse_in_transform(str method) except -1:
    also = " (or perhaps using torch.autograd.functional.* APIs)" if method == "requires_grad_" else ""
    raise RuntimeError(f"You are attempting to call Tensor.{method}(){also} inside of a function being transformed by a functorch transform. This is "
                       "unsupported, please attempt to use the functorch transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call "
                       f"{method}() outside of a function being transformed instead.")

cdef int set_requires_grad(Tensor t, value) except -1:
    if type(value) is not bool:
        raise RuntimeError("requires_grad must be a bool")
    cdef bint wanted = value
    if grad_fn_of(t) is not None:
        if not wanted:
            raise RuntimeError("you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph "
                               "that doesn't require differentiation use var_no_grad = var.detach().")
        return 0
    if wanted and category[t.code] < IS_FLOATING:
        raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
    if wanted and t.flags & INFERENCE and not modes.inference:
        raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
    if wanted:
        t.flags |= REQUIRES_GRAD
    else:
        t.flags &= ~REQUIRES_GRAD
    return 0

cdef int assign_grad(Tensor t, value) except -1:
    cdef Tensor grad
    if value is None:
        t.grad_ = None
        return 0
    if not isinstance(value, Tensor):
        raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
    grad = <Tensor>value
    if grad is t:
        raise RuntimeError("can't assign Variable as its own grad")
    cdef int wanted = gradient_code(t)
    if grad.code != wanted and wanted != NO_DTYPE:
        raise RuntimeError(f"attempting to assign a gradient with dtype '{scalar_name(grad.code)}' to a tensor with grad_dtype "
                           f"'{c10_name(wanted)}'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set "
                           "the tensor's grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. "
                           "Diverging the dtypes of a tensor and its gradient may break downstream systems that assume they match.")
    if not grad.geometry.same_shape(t.geometry):
        raise RuntimeError(f"attempting to assign a gradient of size '{list(grad.shape)}' to a tensor of size '{list(t.shape)}'. Please ensure that "
                           "the gradient and the tensor are the same size")
    t.grad_ = grad
    return 0

cdef str scalar_name(int code):
    return dtype_facts[code].type_name.decode()

cdef int set_data(Tensor t, value) except -1:
    """x.data = value: other memory under the same variable, whose version goes on."""
    cdef Tensor source
    if not isinstance(value, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
    source = <Tensor>value
    if needs_grad(t) and category[source.code] < IS_FLOATING:
        raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
    cdef uint32_t version = t.storage.version
    cdef uint8_t kept = t.flags & (REQUIRES_GRAD | RETAINS_GRAD)
    cdef AccumulateGrad accumulator
    become_alias(t, source)
    t.flags |= kept
    t.storage = second_storage(source.storage)
    t.storage.version = version
    if CHECKED:
        check_tensor(t)
    if t.accumulator != NULL:
        accumulator = <AccumulateGrad><object>t.accumulator
        accumulator.shape.set_shape(t.geometry.shape, t.geometry.ndim)
        accumulator.dtype_code = gradient_code(t)
    return 0

def set_memory(Tensor t not None, Tensor source not None):
    """x.set_(source): another tensor's memory and geometry, a write that has no derivative."""
    cdef bint tracked = modes.grad and (needs_grad(t) or needs_grad(source))
    if type(t) is Wrapped or type(source) is Wrapped:
        refuse_batch_into("set_", t, source)
        raise no_forward_rule("set_") if isinstance((<Wrapped>(t if type(t) is Wrapped else source)).level, DualLevel) else RuntimeError(
            "set_ is not supported for tensors inside a transform")
    check_write(t)
    cdef uint8_t lazy = t.flags & LAZY
    cdef tuple targets = tuple([edge_of(<Tensor>x) for x in (t, source) if needs_grad(<Tensor>x)]) if tracked else ()
    if t.accumulator != NULL:
        # The leaf that the graph so far knows is another one.
        (<AccumulateGrad><object>t.accumulator).link.known_by = NULL
        t.accumulator = NULL
    set_data(t, source)
    t.flags = t.flags & ~LAZY | lazy      # memory changes hands, not what it stands for
    mark_write(t.storage)
    if tracked:
        change_history(t, failing_node("derivative for set_ is not implemented", t, targets))
    return t

cdef retain_on(Node node, Tensor tensor):
    import weakref
    cdef NodeExtras extras = node.need_extras()
    if extras.retained is None:
        extras.retained = {}
    extras.retained[tensor.output_number] = weakref.ref(tensor)


# Making a tensor from Python, torch.Tensor(2, 3), differs from making one inside: the type's slot gets the constructor, while
# Tensor.__new__ in this file stays the bare allocation.
ctypedef PyObject* (*NewFunction)(PyTypeObject*, PyObject*, PyObject*) except NULL
cdef extern from *:
    """
    static newfunc rl_bare_new;
    static void rl_keep_bare_new(PyTypeObject* type) { rl_bare_new = type->tp_new; }
    static void rl_set_new(PyTypeObject* type, void* function) {
      type->tp_new = (newfunc)function;
      type->tp_vectorcall = NULL;  // that of the compiler would make a bare tensor
    }
    static PyObject* rl_allocate(PyTypeObject* type, PyObject* args, PyObject* kwargs) { return rl_bare_new(type, args, kwargs); }
    static void rl_put(PyTypeObject* type, PyObject* name, PyObject* value) {
      PyDict_SetItem(type->tp_dict, name, value);
      PyType_Modified(type);
    }
    """
    void keep_bare_new "rl_keep_bare_new"(PyTypeObject*) noexcept
    void set_new "rl_set_new"(PyTypeObject*, void*) noexcept
    object tensor_allocate "rl_allocate"(PyTypeObject*, object, PyObject*)
    void put_in_type "rl_put"(PyTypeObject*, object, object) noexcept

cdef PyObject* python_new(PyTypeObject* kind, PyObject* args, PyObject* kwargs) except NULL:
    cdef Tensor out = <Tensor>tensor_allocate(kind, (), NULL)
    construct_legacy(out, <tuple>args, None if kwargs == NULL else <dict>kwargs)
    Py_INCREF(out)
    return <PyObject*>out

cdef Tensor _a_tensor = Tensor.__new__(Tensor)
free_grads_in_turn(<PyTypeObject*>Tensor, <size_t>(<char*>grad_slot(_a_tensor) - <char*><PyObject*>_a_tensor))
enable_dict(<PyTypeObject*>Tensor, <size_t>(<char*>attribute_slot(_a_tensor) - <char*><PyObject*>_a_tensor))
keep_bare_new(<PyTypeObject*>Tensor)
set_new(<PyTypeObject*>Tensor, <void*>python_new)
set_new(<PyTypeObject*>Storage, <void*>python_storage)

def install_method(str name, value):
    """Puts a method or property on Tensor itself, so that it is found as fast as one that is compiled in."""
    put_in_type(<PyTypeObject*>Tensor, name, value)

def compiled_methods():
    """(name, method) of what is compiled into Tensor."""
    return [(name, value) for name, value in vars(Tensor).items() if type(value) is _compiled]

_compiled = type(compiled_methods)

for _name in ("is_cuda", "is_sparse", "is_quantized", "is_mkldnn", "is_meta", "is_mps", "is_nested", "is_xpu", "is_sparse_csr", "is_ipu",
              "is_maia", "is_mtia", "is_vulkan", "is_xla"):
    install_method(_name, property(lambda self: False))
install_method("is_cpu", property(lambda self: True))
install_method("names", property(lambda self: (None,) * self.ndim))
install_method("name", property(lambda self: None))
install_method("_grad", property(read_grad_attribute, Tensor.grad.__set__, Tensor.grad.__delete__))
