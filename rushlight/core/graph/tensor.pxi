# The Python object. A tensor is a place in a storage (data, sizes, strides, dtype) and a place in the graph (grad_fn, output number).
cdef enum:
    REQUIRES_GRAD = 1    # a leaf that asks for it, or the output of a recorded op
    CONTIGUOUS = 2
    INFERENCE = 4        # made in inference mode
    RETAINS_GRAD = 8
    DERIVATIVE_INPUT = 16    # has a grad_fn, but is a leaf to its user: the input of a function that is being differentiated
    CONJUGATE = 32       # the elements are the conjugates of what lies in memory …
    NEGATIVE = 64        # … or its negatives: see lazy.pxi
    LAZY = 96            # either

# How a view was made, where that forbids writing into it with recording on. In the order of restriction.
cdef enum:
    VIEW_DEFAULT = 0
    VIEW_IN_CUSTOM_FUNCTION = 1
    VIEW_MULTI_OUTPUT = 2
    VIEW_NO_GRAD = 3
    VIEW_INFERENCE = 4


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


# No trashcan: long chains of tensors lead through nodes, which have one, or through .grad.
@cython.freelist(1024)
cdef class Tensor:
    cdef Storage storage
    cdef int64_t offset           # of the first element in the storage, in bytes
    cdef int64_t count            # number of elements
    cdef int8_t code              # dtype
    cdef uint8_t flags
    cdef uint8_t creation         # how a view was made
    cdef uint8_t depth            # how many transforms the tensor was made within; see `left`
    cdef uint32_t output_number
    cdef uint32_t seen_version    # of the storage, when grad_fn of a view was last right
    cdef Geometry geometry
    cdef Node grad_fn_
    cdef Tensor base              # of a view: the tensor that it (in the end) views
    cdef object grad_
    cdef int8_t grad_kind         # of a leaf, the dtype of .grad: 0 that of the tensor, 1 any, 2 + code
    cdef object hooks             # of a leaf: dict of hooks
    cdef object post_hooks        # of a leaf: dict of post-accumulate hooks
    cdef PyObject* accumulator    # of a leaf: its AccumulateGrad, borrowed, NULL where no graph has one
    cdef object attributes        # the instance's __dict__, NULL until something is put there (Cython's own would be made for every tensor)
    cdef object __weakref__

    def __cinit__(self):
        forget(attribute_slot(self))
        self.depth = <uint8_t>modes.transforms

    # ------------------------------------------------------------------------------------------------------ shape and kind
    @property
    def shape(self):
        """The sizes of the dimensions, as a Size."""
        return make_size(self.geometry.shape, self.geometry.ndim)

    @property
    def ndim(self):
        """The number of dimensions."""
        return self.geometry.ndim

    @property
    def dtype(self):
        """The kind of number: `rushlight.float32`, …"""
        return dtypes[self.code]

    @property
    def device(self):
        return cpu

    @property
    def layout(self):
        return strided

    @property
    def itemsize(self):
        """Bytes of one element."""
        return item_bytes[self.code]

    @property
    def nbytes(self):
        """Bytes of all elements."""
        return self.count * item_bytes[self.code]

    def size(self, dim=None):
        """All sizes, or that of dimension `dim`."""
        if dim is None:
            return make_size(self.geometry.shape, self.geometry.ndim)
        if self.geometry.ndim == 0:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        cdef int d = wrap_dim(dim, self.geometry.ndim)
        return self.geometry.shape[d]

    def stride(self, dim=None):
        """All strides (in elements), or that of dimension `dim`."""
        if dim is None:
            return make_tuple(self.geometry.strides, self.geometry.ndim)
        if self.geometry.ndim == 0:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        cdef int d = wrap_dim(dim, self.geometry.ndim)
        return self.geometry.strides[d]

    def dim(self):
        """The number of dimensions."""
        return self.geometry.ndim

    ndimension = dim

    def numel(self):
        """The number of elements."""
        return self.count

    nelement = numel

    def element_size(self):
        """Bytes of one element."""
        return item_bytes[self.code]

    def storage_offset(self):
        """Elements between the start of the storage and the first element."""
        return self.offset // item_bytes[self.code]

    def data_ptr(self):
        """The address of the first element."""
        if self.depth:
            refuse_memory(self)
        return <size_t>data_of(self)

    def is_contiguous(self, memory_format=contiguous_format):
        """Whether the elements lie in memory in row-major order."""
        if memory_format is not contiguous_format and has_hidden_dim(self):
            raise RuntimeError("NYI: querying is_contiguous inside of vmap for memory_format other than torch.contiguous_format")
        if memory_format is channels_last or memory_format is channels_last_3d:
            return channels_last_contiguous(self, 4 if memory_format is channels_last else 5)
        return self.flags & CONTIGUOUS != 0 or self.count == 0

    def is_floating_point(self):
        return category[self.code] == IS_FLOATING

    def is_complex(self):
        return category[self.code] == IS_COMPLEX

    def is_signed(self):
        return self.code > UINT8

    def is_inference(self):
        """Whether the tensor was made in inference mode."""
        return self.flags & INFERENCE != 0

    def is_conj(self):
        """Whether the elements are the conjugates of what lies in memory: conj() is carried out only when they are needed."""
        return self.flags & CONJUGATE != 0

    def is_neg(self):
        """Whether the elements are the negatives of what lies in memory, as in the imaginary part of a lazy conjugate."""
        return self.flags & NEGATIVE != 0

    def is_pinned(self, device=None):
        return False

    def is_shared(self):
        return False

    def get_device(self):
        return -1

    def __len__(self):
        if self.geometry.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.geometry.shape[0]

    def __bool__(self):
        if self.count != 1:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous" if self.count == 0 else
                               "Boolean value of Tensor with more than one value is ambiguous")
        return bool(first_number(self))

    def item(self):
        """The one element as a Python number."""
        if type(self) is Wrapped:
            return (<Wrapped>self).level.read(self, "item").item()
        if self.count != 1:
            raise RuntimeError(f"a Tensor with {self.count} elements cannot be converted to Scalar")
        return first_number(self)

    def __float__(self):
        if needs_grad(self):
            warn_of_number()
        return float(real_item(self, "double"))

    def __int__(self):
        return int(real_item(self, "int64_t"))

    def __complex__(self):
        if needs_grad(self):
            warn_of_number()
        return complex(only_item(self))

    def __index__(self):
        if self.count != 1 or category[self.code] > IS_INTEGER:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    # ------------------------------------------------------------------------------------------------------ place in the graph
    @property
    def requires_grad(self):
        """Whether operations on this tensor are recorded."""
        return needs_grad(self)

    @requires_grad.setter
    def requires_grad(self, value):
        if value is True and grad_fn_of(self) is not None:
            raise RuntimeError("you can only change requires_grad flags of leaf variables.")
        set_requires_grad(self, value)

    @requires_grad.deleter
    def requires_grad(self):
        raise RuntimeError("requires_grad must be a bool")

    def requires_grad_(self, requires_grad=True):
        """Sets `requires_grad` in place and returns the tensor."""
        if type(requires_grad) is not bool:
            raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {type(requires_grad).__name__}")
        if modes.transforms:
            refuse_in_transform("requires_grad_")
        if requires_grad is True and category[self.code] < IS_FLOATING:
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        set_requires_grad(self, requires_grad)
        return self

    @property
    def is_leaf(self):
        """Whether the tensor starts a graph: made by the user, or needing no gradient."""
        return not needs_grad(self) or self.flags & DERIVATIVE_INPUT != 0 or grad_fn_of(self) is None

    @property
    def grad_fn(self):
        """The node that made this tensor, or None for a leaf."""
        cdef Node node = grad_fn_of(self)
        return None if node is None or self.flags & DERIVATIVE_INPUT else expose(node)

    @property
    def _grad_fn(self):
        return self.grad_fn

    @_grad_fn.setter
    def _grad_fn(self, value):
        if value is not None:
            raise RuntimeError("_grad_fn can be only set to None")
        self.detach_()

    @_grad_fn.deleter
    def _grad_fn(self):
        raise RuntimeError("Deletion of _grad_fn not allowed. Detach tensor instead!")

    @property
    def output_nr(self):
        """Which output of `grad_fn` this tensor is."""
        return self.output_number

    @property
    def _version(self):
        if self.flags & INFERENCE:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self.storage.version

    @property
    def _base(self):
        return self.base

    def _is_view(self):
        return self.base is not None

    @property
    def grad(self):
        """The gradient accumulated by backward, or None."""
        if self.grad_ is None and self.grad_fn_ is not None and not self.flags & RETAINS_GRAD:
            warn_non_leaf_grad()
        return self.grad_

    @grad.setter
    def grad(self, value):
        assign_grad(self, value)

    @grad.deleter
    def grad(self):
        self.grad_ = None

    @property
    def grad_dtype(self):
        """The dtype that `.grad` of this leaf has (that of the tensor at first), or None where it may be any."""
        if grad_fn_of(self) is not None:
            raise RuntimeError("grad_dtype can only be accessed on leaf tensors.")
        cdef int code = gradient_code(self)
        return None if code == NO_DTYPE else dtypes[code]

    @grad_dtype.setter
    def grad_dtype(self, value):
        if grad_fn_of(self) is not None:
            raise RuntimeError("grad_dtype can only be set on leaf tensors.")
        if value is not None and not isinstance(value, dtype):
            raise RuntimeError(f"grad_dtype must be a torch.dtype or None, but got {type(value).__name__}")
        if self.grad_ is not None and value is not None and (<Tensor>self.grad_).code != code_of(value):
            raise RuntimeError(f"Cannot set grad_dtype to '{c10_name(code_of(value))}' because there is already a gradient with dtype "
                               f"'{scalar_name((<Tensor>self.grad_).code)}'. Please clear the gradient (.grad = None) before changing grad_dtype, "
                               "or ensure the new grad_dtype matches the existing gradient's dtype.")
        self.grad_kind = 1 if value is None else 2 + code_of(value)
        if self.accumulator != NULL:
            (<AccumulateGrad><object>self.accumulator).dtype_code = gradient_code(self)

    @property
    def retains_grad(self):
        """Whether this non-leaf keeps its gradient."""
        return self.flags & RETAINS_GRAD != 0

    @property
    def data(self):
        """The same memory, without history and with a version of its own: writes to it go unnoticed by backward."""
        cdef Tensor out = alias_as_captured(self) if modes.transforms else alias_of(self)
        out.storage = second_storage(self.storage)
        return out

    @data.setter
    def data(self, value):
        if self.depth and wrapper_kind(self) is not None:
            raise RuntimeError("mutating directly with `.data` inside functorch transform is not allowed.")
        set_data(self, value)

    @data.deleter
    def data(self):
        raise RuntimeError("Deleting tensor data is not allowed. Delete tensor instead!")

    def detach(self):
        """The same memory and version, cut off from the graph."""
        return alias_as_captured(self) if modes.transforms else alias_of(self)

    def detach_(self):
        """Cuts the tensor from its graph, in place: it becomes a leaf that needs no gradient."""
        if modes.inference:
            return self
        if self.base is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, "
                               "and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be "
                               "called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
                               "torch/optim/optimizer.py as the solution.")
        self.grad_fn_ = None
        self.output_number = 0
        self.flags &= ~(REQUIRES_GRAD | RETAINS_GRAD)
        if modes.interpreters:
            lose_tangent(self)
        return self

    def retain_grad(self):
        """Makes backward fill `.grad` of this non-leaf too."""
        if not needs_grad(self):
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if modes.transforms:
            refuse_in_transform("retain_grad")
        cdef Node node = grad_fn_of(self)
        if node is None or self.flags & RETAINS_GRAD:
            return None
        retain_on(node, self)
        self.flags |= RETAINS_GRAD

    def register_hook(self, hook):
        """Calls `hook(gradient)` whenever the gradient of this tensor is computed; what it returns (if not None) replaces it."""
        if not needs_grad(self):
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        cdef Node node = grad_fn_of(self)
        if node is None:
            if self.hooks is None:
                self.hooks = new_hooks()
            return add_hook(self.hooks, hook)
        cdef NodeExtras extras = node.need_extras()
        if extras.tensor_hooks is None:
            extras.tensor_hooks = {}
        hooks = extras.tensor_hooks.get(self.output_number)
        if hooks is None:
            hooks = extras.tensor_hooks[self.output_number] = new_hooks()
        return add_hook(hooks, hook)

    def register_post_accumulate_grad_hook(self, hook):
        """Calls `hook(tensor)` after backward has added to `.grad` of this leaf."""
        if not needs_grad(self):
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if grad_fn_of(self) is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self.post_hooks is None:
            self.post_hooks = new_hooks()
        return add_hook(self.post_hooks, hook)

    @property
    def _backward_hooks(self):
        return self.hooks

    @_backward_hooks.setter
    def _backward_hooks(self, value):
        self.hooks = value

    @_backward_hooks.deleter
    def _backward_hooks(self):
        raise RuntimeError("Deletion of _backwards_hooks not allowed!")

    @property
    def _post_accumulate_grad_hooks(self):
        return self.post_hooks

    @_post_accumulate_grad_hooks.setter
    def _post_accumulate_grad_hooks(self, value):
        self.post_hooks = value

    @_post_accumulate_grad_hooks.deleter
    def _post_accumulate_grad_hooks(self):
        raise RuntimeError("Deletion of _post_accumulate_grad_hooks not allowed!")

    @staticmethod
    def _make_subclass(cls, Tensor data, require_grad=False, *, dispatch_sizes_strides_policy=None, dispatch_device=False,
                       dispatch_layout=False, device_for_backend_keys=None):
        """A tensor of the subclass `cls` over the memory of `data`, a leaf."""
        cdef Tensor out = new_of_type(cls)
        become_alias(out, data)
        if require_grad:
            set_requires_grad(out, True)
        return out

    def as_subclass(self, cls):
        """The same data as an object of the subclass `cls`, still in the graph."""
        return view_as_type(self, cls)

    # ------------------------------------------------------------------------------------------------------ operators
    def __add__(self, other): return operate(op_add, self, other)
    def __radd__(self, other): return operate(op_add, self, other)
    def __iadd__(self, other): return assign_operator(op_add, self, other)
    def __sub__(self, other): return operate(op_sub, self, other)
    def __rsub__(self, other): return operate(op_rsub, self, other)
    def __isub__(self, other): return assign_operator(op_sub, self, other)
    def __mul__(self, other): return operate(op_mul, self, other)
    def __rmul__(self, other): return operate(op_mul, self, other)
    def __imul__(self, other): return assign_operator(op_mul, self, other)
    def __truediv__(self, other): return operate(op_div, self, other)
    def __rtruediv__(self, other): return divide_reflected(self, other)
    def __itruediv__(self, other): return assign_operator(op_div, self, other)
    def __pow__(self, other, modulo): return operate(op_pow, self, other)
    def __rpow__(self, other, modulo): return operate_reflected(op_pow, self, other)
    def __ipow__(self, other): return assign_operator(op_pow, self, other)
    def __floordiv__(self, other): return operate(op_floor_divide, self, other)
    def __rfloordiv__(self, other): return operate_reflected(op_floor_divide, self, other)
    def __ifloordiv__(self, other): return assign_operator(op_floor_divide, self, other)
    def __mod__(self, other): return operate(op_remainder, self, other)
    def __rmod__(self, other): return operate_reflected(op_remainder, self, other)
    def __imod__(self, other): return assign_operator(op_remainder, self, other)
    def __lshift__(self, other): return operate(op_bitwise_left_shift, self, other)
    def __rlshift__(self, other): return operate_reflected(op_bitwise_left_shift, self, other)
    def __ilshift__(self, other): return assign_operator(op_bitwise_left_shift, self, other)
    def __rshift__(self, other): return operate(op_bitwise_right_shift, self, other)
    def __rrshift__(self, other): return operate_reflected(op_bitwise_right_shift, self, other)
    def __irshift__(self, other): return assign_operator(op_bitwise_right_shift, self, other)
    def __and__(self, other): return operate(op_bitwise_and, self, other)
    def __rand__(self, other): return operate_reflected(op_bitwise_and, self, other)
    def __iand__(self, other): return assign_operator(op_bitwise_and, self, other)
    def __or__(self, other): return operate(op_bitwise_or, self, other)
    def __ror__(self, other): return operate_reflected(op_bitwise_or, self, other)
    def __ior__(self, other): return assign_operator(op_bitwise_or, self, other)
    def __xor__(self, other): return operate(op_bitwise_xor, self, other)
    def __rxor__(self, other): return operate_reflected(op_bitwise_xor, self, other)
    def __ixor__(self, other): return assign_operator(op_bitwise_xor, self, other)
    def __matmul__(self, other): return operate(op_matmul, self, other) if isinstance(other, Tensor) else refuse_operands("@", self, other, other)
    def __rmatmul__(self, other): return operate_reflected(op_matmul, self, other) if isinstance(other, Tensor) else refuse_operands("@", other, self, other)
    def __divmod__(self, other): return refuse_operands("divmod()", self, other, other)
    def __rdivmod__(self, other): return refuse_operands("divmod()", other, self, other)
    def __lt__(self, other): return operate(op_lt, self, other)
    def __le__(self, other): return operate(op_le, self, other)
    def __gt__(self, other): return operate(op_gt, self, other)
    def __ge__(self, other): return operate(op_ge, self, other)
    def __eq__(self, other): return operate(op_eq, self, other)
    def __ne__(self, other): return operate(op_ne, self, other)
    def __neg__(self): return (<Op>op_neg)(self)
    def __abs__(self): return (<Op>op_abs)(self)

    def __pos__(self):
        if self.code == BOOL:
            raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
        return self

    def __invert__(self):
        if category[self.code] > IS_INTEGER:
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return (<Op>op_bitwise_not)(self)

    def __repr__(self):
        return py_repr(self)

    def __hash__(self):
        return <Py_ssize_t><size_t><PyObject*>self

    def __getitem__(self, index): return get_item(self, index)

    def __setitem__(self, index, value):
        set_item(self, index, value)

    def __delitem__(self, index):
        raise TypeError("Tensor does not support deleting items")

    def __iter__(self):
        if self.geometry.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(py_unbind(self, 0))

    def __contains__(self, element):
        if isinstance(element, Tensor) or number_code(element) != NO_DTYPE:
            return bool((self == element).any())
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


cdef object py_repr = object.__repr__

def set_repr(function):
    """Tells tensors how to print themselves."""
    global py_repr
    py_repr = function


cdef class Level
cdef class Wrapped(Tensor)


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

cdef inline char* data_of(Tensor t) noexcept:
    """The address of the first element."""
    return t.storage.memory.data + t.offset

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

cdef inline void update_contiguous(Tensor t) noexcept:
    if t.geometry.contiguous():
        t.flags |= CONTIGUOUS
    else:
        t.flags &= ~CONTIGUOUS

cdef inline Array array_of(Tensor t) noexcept:
    return make_array(data_of(t), t.code, t.geometry)

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
        return operate(op_matmul, left, right) if type(other).__name__ == "ndarray" and operator == "@" and other is right else NotImplemented
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

cdef inline bint tracked_itself(Tensor t) noexcept:
    """Has the tensor a history of its own, or does it ask for gradients itself? Only for what is about that very object: needs_grad says
    whether it is tracked."""
    return t.flags & REQUIRES_GRAD != 0

cdef inline bint needs_grad(Tensor t) noexcept:
    """Is the tensor tracked? A view is wherever its base is (it may have become so through a write into the base)."""
    return tracked_itself(t) or (t.base is not None and tracked_itself(t.base))

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
    return ("bool", "unsigned char", "signed char", "short int", "int", "long int", "c10::Half", "c10::BFloat16", "float", "double",
            "c10::complex<float>", "c10::complex<double>")[code]

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
