# The Python object: shape and kind, place in the graph, operators.
# No trashcan: long chains of tensors lead through nodes, which have one, or through .grad.
@cython.freelist(1024)
cdef class Tensor:
    """Numbers of one dtype in a grid of any number of dimensions, and how they came about, where that is recorded.

    Functions such as `tensor`, `zeros` and `randn` make them.

    >>> import rushlight as torch
    >>> x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    >>> x.shape, x.dtype
    (torch.Size([2, 2]), torch.float32)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([[2., 4.],
            [6., 8.]])
    """

    def __cinit__(self):
        forget(attribute_slot(self))
        self.depth = <uint8_t>modes.transforms

    cdef Tensor alias(self):
        cdef Tensor out
        if is_dispatched(self):
            return detached_by_class(self)
        out = bare_tensor()
        become_alias(out, self)
        return out

    cdef Tensor readable(self, object what):
        return read_by_class(self, what) if is_dispatched(self) else self

    cdef int refuse_escaped(self, bint reduction) except -1:
        return 0

    cdef bint resize_within(self, object size) except -1:
        return False

    # ------------------------------------------------------------------------------------------------------ shape and kind
    @property
    def shape(self) -> "Size":
        """The sizes of the dimensions, as a Size."""
        return make_size(self.geometry.shape, self.geometry.ndim)

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.geometry.ndim

    @property
    def dtype(self) -> "dtype":
        """The kind of number: `rushlight.float32`, …"""
        return dtypes[self.code]

    @property
    def device(self) -> "device":
        return meta if is_on_meta(self) else cpu

    @property
    def layout(self) -> "layout":
        return strided

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return item_bytes[self.code]

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.count * item_bytes[self.code]

    def size(self, dim=None):
        """All sizes, or that of dimension `dim`."""
        return make_size(self.geometry.shape, self.geometry.ndim) if dim is None else self.geometry.shape[existing_dim(self, dim)]

    def stride(self, dim=None):
        """All strides (in elements), or that of dimension `dim`."""
        return make_tuple(self.geometry.strides, self.geometry.ndim) if dim is None else self.geometry.strides[existing_dim(self, dim)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.geometry.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self.count

    nelement = numel

    def element_size(self) -> int:
        """Bytes of one element."""
        return item_bytes[self.code]

    def storage_offset(self) -> int:
        """Elements between the start of the storage and the first element."""
        if modes.recording != NULL and modes.recording.slot_of(data_of(self)) < modes.recording.given:
            not_again("the place of an argument in memory was asked for")      # (it may be another one the next time)
        return self.offset // item_bytes[self.code]

    def data_ptr(self) -> int:
        """The address of the first element."""
        if self.depth:
            refuse_memory(self)
        not_again("the address of memory was asked for")
        return 0 if is_meta(self) or self.count == 0 else <size_t>data_of(self)

    def is_contiguous(self, memory_format=contiguous_format):
        """Whether the elements lie in memory in row-major order."""
        if memory_format is not contiguous_format and has_hidden_dim(self):
            raise RuntimeError("NYI: querying is_contiguous inside of vmap for memory_format other than torch.contiguous_format")
        if memory_format is channels_last or memory_format is channels_last_3d:
            return self.geometry.ndim == (4 if memory_format is channels_last else 5) and self.geometry.channels_last()
        return self.flags & CONTIGUOUS != 0 or self.count == 0

    def is_floating_point(self) -> bool:
        return category[self.code] == IS_FLOATING

    def is_complex(self) -> bool:
        return category[self.code] == IS_COMPLEX

    def is_signed(self) -> bool:
        return signed_numbers(self.code)

    def is_inference(self) -> bool:
        """Whether the tensor was made in inference mode."""
        return self.flags & INFERENCE != 0

    def is_conj(self) -> bool:
        """Whether the elements are the conjugates of what lies in memory: conj() is carried out only when they are needed."""
        return self.flags & CONJUGATE != 0

    def is_neg(self) -> bool:
        """Whether the elements are the negatives of what lies in memory, as in the imaginary part of a lazy conjugate."""
        return self.flags & NEGATIVE != 0

    def is_pinned(self, device=None):
        return False

    def get_device(self) -> int:
        return -1

    def __len__(self) -> int:
        if (answered := ask_self("__len__", self)) is not NotImplemented:
            return answered
        if self.geometry.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.geometry.shape[0]

    def __bool__(self) -> bool:
        if (answered := ask_self("__bool__", self)) is not NotImplemented:
            return answered
        if self.count != 1:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous" if self.count == 0 else
                               "Boolean value of Tensor with more than one value is ambiguous")
        return bool(first_number(self.readable("item")))

    def item(self) -> "Any":
        """The one element as a Python number."""
        cdef Tensor t = self.readable("item")
        if t.count != 1:
            raise RuntimeError(f"a Tensor with {t.count} elements cannot be converted to Scalar")
        return first_number(t)

    def __float__(self) -> float:
        if (answered := ask_self("__float__", self)) is not NotImplemented:
            return answered
        if modes.grad and needs_grad(self):
            warn_of_number()
        return float(real_item(self, "double"))

    def __int__(self) -> int:
        if (answered := ask_self("__int__", self)) is not NotImplemented:
            return answered
        return int(real_item(self, "int64_t"))

    def __complex__(self) -> complex:
        if (answered := ask_self("__complex__", self)) is not NotImplemented:
            return answered
        if modes.grad and needs_grad(self):
            warn_of_number()
        return complex(only_item(self))

    def __index__(self) -> int:
        if (answered := ask_self("__index__", self)) is not NotImplemented:
            return answered
        if self.count != 1 or category[self.code] > IS_INTEGER:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self.item())

    # ------------------------------------------------------------------------------------------------------ place in the graph
    @property
    def requires_grad(self) -> bool:
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
            raise documented(RuntimeError("only Tensors of floating point dtype can require gradients"), "integers")
        set_requires_grad(self, requires_grad)
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor starts a graph: made by the user, or needing no gradient."""
        return not needs_grad(self) or self.flags & DERIVATIVE_INPUT != 0 or grad_fn_of(self) is None

    @property
    def grad_fn(self) -> "Node | None":
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
    def output_nr(self) -> int:
        """Which output of `grad_fn` this tensor is."""
        return self.output_number

    @property
    def _version(self) -> int:
        if self.flags & INFERENCE:
            raise RuntimeError("Inference tensors do not track version counter.")
        not_again("a version was asked for")
        return self.storage.version

    @property
    def _base(self) -> "Tensor | None":
        return self.base

    def _is_view(self) -> bool:
        return self.base is not None

    @property
    def grad(self) -> "Tensor | None":
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
    def grad_dtype(self) -> "dtype | None":
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
    def retains_grad(self) -> bool:
        """Whether this non-leaf keeps its gradient."""
        return self.flags & RETAINS_GRAD != 0

    @property
    def data(self) -> "Tensor":
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

    def detach(self) -> "Tensor":
        """The same memory and version, cut off from the graph."""
        return alias_as_captured(self) if modes.transforms else alias_of(self)

    def detach_(self) -> "Self":
        """Cuts the tensor from its graph, in place: it becomes a leaf that needs no gradient."""
        if modes.inference:
            return self
        if self.base is not None or modes.interpreters and is_example(self):
            raise RuntimeError("Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, "
                               "and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be "
                               "called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
                               "torch/optim/optimizer.py as the solution.")
        if self.grad_fn_ is not None:
            self.creation = DETACHED
        self.grad_fn_ = None
        self.output_number = 0
        self.flags &= ~(REQUIRES_GRAD | RETAINS_GRAD)
        if modes.interpreters:
            lose_tangent(self)
        return self

    def retain_grad(self) -> None:
        """Makes backward fill `.grad` of this non-leaf too."""
        if not needs_grad(self):
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if modes.transforms:
            refuse_in_transform("retain_grad")
        not_again("a gradient is retained")
        cdef Node node = grad_fn_of(self)
        if node is None or self.flags & RETAINS_GRAD:
            return None
        retain_on(node, self)
        self.flags |= RETAINS_GRAD

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
    def _make_subclass(cls, data, require_grad=False, *, dispatch_sizes_strides_policy=None, dispatch_device=False,
                       dispatch_layout=False, device_for_backend_keys=None):
        """A tensor of the subclass `cls` over the memory of `data`, a leaf."""
        cdef Tensor out
        if not isinstance(data, Tensor):
            raise TypeError(f"_make_subclass(): argument 'data' (position 2) must be Tensor, not {type(data).__name__}")
        out = new_of_type(cls)
        become_alias(out, data)
        if require_grad:
            require_grad_of_new(out)
            set_requires_grad(out, True)
        return out

    @staticmethod
    def _make_wrapper_subclass(cls, *args, **kwargs):
        """A tensor of the subclass `cls` that says to have elements, and has none."""
        return without_elements(new_of_type(cls), *args, **kwargs)

    def as_subclass(self, cls):
        """The same data as an object of the subclass `cls`, still in the graph."""
        return view_as_type(self, cls)

    # ------------------------------------------------------------------------------------------------------ operators
    def __add__(self, other): return operate(ops.add, self, other)
    def __radd__(self, other): return operate(ops.add, self, other)
    def __iadd__(self, other): return assign_operator(ops.add, self, other)
    def __sub__(self, other): return operate(ops.sub, self, other)
    def __rsub__(self, other): return operate(ops.rsub, self, other)
    def __isub__(self, other): return assign_operator(ops.sub, self, other)
    def __mul__(self, other): return operate(ops.mul, self, other)
    def __rmul__(self, other): return operate(ops.mul, self, other)
    def __imul__(self, other): return assign_operator(ops.mul, self, other)
    def __truediv__(self, other): return operate(ops.div, self, other)
    def __rtruediv__(self, other): return divide_reflected(self, other)
    def __itruediv__(self, other): return assign_operator(ops.div, self, other)
    def __pow__(self, other, modulo): return operate(ops.pow, self, other)
    def __rpow__(self, other, modulo): return operate_reflected(ops.pow, self, other)
    def __ipow__(self, other): return assign_operator(ops.pow, self, other)
    def __floordiv__(self, other): return operate(ops.floor_divide, self, other)
    def __rfloordiv__(self, other): return operate_reflected(ops.floor_divide, self, other)
    def __ifloordiv__(self, other): return assign_operator(ops.floor_divide, self, other)
    def __mod__(self, other): return operate(ops.remainder, self, other)
    def __rmod__(self, other): return operate_reflected(ops.remainder, self, other)
    def __imod__(self, other): return assign_operator(ops.remainder, self, other)
    def __lshift__(self, other): return operate(ops.bitwise_left_shift, self, other)
    def __rlshift__(self, other): return operate_reflected(ops.bitwise_left_shift, self, other)
    def __ilshift__(self, other): return assign_operator(ops.bitwise_left_shift, self, other)
    def __rshift__(self, other): return operate(ops.bitwise_right_shift, self, other)
    def __rrshift__(self, other): return operate_reflected(ops.bitwise_right_shift, self, other)
    def __irshift__(self, other): return assign_operator(ops.bitwise_right_shift, self, other)
    def __and__(self, other): return operate(ops.bitwise_and, self, other)
    def __rand__(self, other): return operate_commuted(ops.bitwise_and, self, other)
    def __iand__(self, other): return assign_operator(ops.bitwise_and, self, other)
    def __or__(self, other): return operate(ops.bitwise_or, self, other)
    def __ror__(self, other): return operate_commuted(ops.bitwise_or, self, other)
    def __ior__(self, other): return assign_operator(ops.bitwise_or, self, other)
    def __xor__(self, other): return operate(ops.bitwise_xor, self, other)
    def __rxor__(self, other): return operate_commuted(ops.bitwise_xor, self, other)
    def __ixor__(self, other): return assign_operator(ops.bitwise_xor, self, other)
    def __matmul__(self, other): return operate(ops.matmul, self, other) if isinstance(other, Tensor) else operate_foreign(ops.matmul, self, other)
    def __rmatmul__(self, other): return operate_reflected(ops.matmul, self, other) if isinstance(other, Tensor) or is_asked(self, other) else NotImplemented
    def __lt__(self, other): return operate(ops.lt, self, other)
    def __le__(self, other): return operate(ops.le, self, other)
    def __gt__(self, other): return operate(ops.gt, self, other)
    def __ge__(self, other): return operate(ops.ge, self, other)
    def __eq__(self, other): return operate(ops.eq, self, other)
    def __ne__(self, other): return operate(ops.ne, self, other)

    def __neg__(self) -> "Tensor":
        answered = ask_self((<Op>ops.neg).name, self)
        return (<Op>ops.neg)(self) if answered is NotImplemented else answered

    def __abs__(self) -> "Tensor":
        answered = ask_self((<Op>ops.abs).name, self)
        return (<Op>ops.abs)(self) if answered is NotImplemented else answered

    def __pos__(self) -> "Tensor":
        if (answered := ask_self("positive", self)) is not NotImplemented:
            return answered
        if self.code == BOOL:
            raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
        return self

    def __invert__(self) -> "Tensor":
        if (answered := ask_self("__invert__", self)) is not NotImplemented:
            return answered
        if category[self.code] > IS_INTEGER:
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return (<Op>ops.bitwise_not)(self)

    def __repr__(self):
        return asked.show(self)

    def __hash__(self) -> int:
        return <Py_ssize_t><size_t><PyObject*>self

    def __getitem__(self, index) -> "Tensor": return get_item(self, index)

    def __setitem__(self, index, value: "Tensor | Number") -> None:
        set_item(self, index, value)

    def __delitem__(self, index):
        raise TypeError("Tensor does not support deleting items")

    def __iter__(self) -> "Iterator[Tensor]":
        if self.geometry.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        answered = ask_self((<Op>ops.unbind).name, self, (0,))
        return iter(ops.unbind(self, 0) if answered is NotImplemented else answered)

    def __contains__(self, element) -> bool:
        if (answered := ask_self("__contains__", self, (element,))) is not NotImplemented:
            return answered
        if isinstance(element, Tensor) or number_code(element) != NO_DTYPE:
            return bool((self == element).any())
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")

def hooks_of(Tensor t not None, bint after_accumulation=False):
    """What keeps the hooks on a tensor's gradient, or those of a leaf whose .grad was added to."""
    cdef Node node = grad_fn_of(t)
    if not needs_grad(t):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    if after_accumulation:
        if node is not None:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if t.post_hooks is None:
            t.post_hooks = new_hooks()
        return t.post_hooks
    if node is None:
        if t.hooks is None:
            t.hooks = new_hooks()
        return t.hooks
    cdef NodeExtras extras = need_extras(node)
    if extras.tensor_hooks is None:
        extras.tensor_hooks = {}
    if t.output_number not in extras.tensor_hooks:
        extras.tensor_hooks[t.output_number] = new_hooks()
    return extras.tensor_hooks[t.output_number]

cdef int existing_dim(Tensor x, object dim) except -1:
    if x.geometry.ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    return wrap_dim(dim, x.geometry.ndim)

cdef object view_as_type(Tensor x, cls):
    """A view of the whole of `x` that is an object of `cls`."""
    cdef Tensor out, whole
    if type(cls) is not type and not isinstance(cls, type):
        raise TypeError(f"cls must be a type (got {type(cls).__name__})")
    out = new_of_type(cls)
    with DisableAllTorchFunction():
        whole = ops.alias(x)
    if cls is Tensor or type(whole) is Wrapped:
        return whole
    become_same(out, whole)
    return out

cdef Tensor new_of_type(object cls):
    """An object of a subclass, not yet filled."""
    if not issubclass(cls, Tensor):
        raise TypeError("Creating a Tensor subclass from a class that does not inherit from Tensor is not possible. Make sure your class "
                        "inherits from Tensor.")
    return <Tensor>tensor_allocate(<PyTypeObject*>cls, (), NULL)

cdef object only_item(Tensor t):
    """The one element as a number, for float() and the like."""
    if t.count != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return t.item()

cdef object real_item(Tensor t, str kind):
    return real_number(only_item(t), kind)

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
    become_same(out, <Tensor?>asked.construct(<object>kind, <tuple>args, dict(<dict>kwargs) if kwargs != NULL else None))
    return handed(out)

give_attributes(Tensor)

keep_bare_new(<PyTypeObject*>Tensor)

set_new(<PyTypeObject*>Tensor, <void*>python_new)

open_class(Tensor)

def install_method(str name, value, kind=Tensor):
    """Puts a method or property on a class of the core itself, so that it is found as fast as one that is compiled in."""
    put_in_type(<PyTypeObject*>kind, name, value)

def compiled_methods():
    """(name, method) of what is compiled into Tensor."""
    return [(name, value) for name, value in vars(Tensor).items() if type(value) is _compiled]

_compiled = type(Node.register_hook)
