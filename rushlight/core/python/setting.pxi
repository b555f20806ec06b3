# What programs set of a tensor: requires_grad, grad, data.
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
        raise documented(RuntimeError("only Tensors of floating point and complex dtype can require gradients"), "integers")
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

cdef int set_data(Tensor t, value) except -1:
    """x.data = value: other memory under the same variable, whose version goes on."""
    cdef Tensor source
    if not isinstance(value, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
    source = <Tensor>value
    if needs_grad(t) and category[source.code] < IS_FLOATING:
        raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
    if is_meta(t) != is_meta(source) or type(source).layout is not Tensor.layout and source.layout is not strided:
        raise RuntimeError("Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type.")
    show_memory(t, source)
    return 0

def show_memory(Tensor t not None, Tensor source not None):
    """Gives a variable the memory, dtype and geometry of another tensor, whatever its device."""
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

cdef extern from *:
    """
    /* Objects of one layout take each other's class; what they hold of the classes goes with them. */
    static int rl_exchange_classes(PyObject* a, PyObject* b) {
      PyTypeObject *of_a = Py_TYPE(a), *of_b = Py_TYPE(b);
      if (of_a->tp_basicsize != of_b->tp_basicsize || of_a->tp_dictoffset != of_b->tp_dictoffset) return 0;
      Py_SET_TYPE(a, of_b);
      Py_SET_TYPE(b, of_a);
      return 1;
    }
    """
    bint rl_exchange_classes(PyObject* a, PyObject* b)

def exchange_classes(Tensor a not None, Tensor b not None):
    """Whether two tensors have changed classes: objects of one layout can."""
    return rl_exchange_classes(<PyObject*>a, <PyObject*>b)

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

def read_grad_attribute(Tensor t):
    """`.grad` without the warning about tensors that are no leaves."""
    return t.grad_
