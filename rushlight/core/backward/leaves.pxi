# What backward does at a leaf: it adds to `.grad`.
cdef bint layout_fits(Tensor gradient, Tensor variable) noexcept:
    """Has the gradient the strides that .grad shall have: the variable's where those are dense, else row-major?"""
    cdef int d
    for d in range(gradient.geometry.ndim):
        if gradient.geometry.strides[d] == 0 and gradient.geometry.shape[d] == 1:
            return False      # (it was expanded)
    if variable.flags & CONTIGUOUS and variable.count:      # (strides of nothing are kept to the letter)
        return gradient.flags & CONTIGUOUS != 0
    if not variable.geometry.dense():
        return gradient.flags & CONTIGUOUS != 0
    for d in range(variable.geometry.ndim):
        if variable.geometry.shape[d] != 1 and variable.geometry.strides[d] != gradient.geometry.strides[d]:
            return False
    return True

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject*) noexcept     # (an object would be counted once more for the call itself)

cdef bint may_take_over(Tensor gradient, Tensor variable) noexcept:
    """Can this gradient itself become .grad? It must have the strides that .grad shall have (where that is asked for), and nobody but the
    engine, which has one reference, may see it or its memory."""
    cdef Py_ssize_t shared = 1
    if not asked.grad_layout:
        return Py_REFCNT(<PyObject*>gradient) <= 1
    if not layout_fits(gradient, variable):
        return False
    if Py_REFCNT(<PyObject*>gradient) > 1:
        return False
    if gradient.base is not None:
        if Py_REFCNT(<PyObject*>gradient.base) > 1:
            return False
        shared = 2
    if not gradient.storage.memory.own or gradient.storage.memory.fixed or gradient.storage.memory.lent:
        return False
    # (What is being written down keeps the storages that it makes.)
    return Py_REFCNT(<PyObject*>gradient.storage) <= shared + (modes.recording != NULL)

cdef bint is_unseen(Tensor gradient, Tensor variable) noexcept:
    """Does only the engine see this gradient, which has the strides that .grad shall have?"""
    return not modes.grad and type(gradient) is Tensor and Py_REFCNT(<PyObject*>gradient) <= 1 and layout_fits(gradient, variable)

_leaves = __import__("threading").RLock()

cdef int accumulate_into_leaf(Tensor variable, Tensor gradient) except -1:
    # Kernels let other threads run where the work is large: two backwards must not add to one .grad at a time, nor one that starts meanwhile.
    if active_runs.size() > 1 or is_large(variable.count):
        with _leaves:
            add_to_grad(variable, gradient)
    else:
        add_to_grad(variable, gradient)
    return 0

cdef inline bint is_sparse(Tensor x):
    """Does it keep its elements elsewhere than dense tensors do?"""
    return x is not None and type(x) is not Tensor and (<object>x).is_sparse

cdef sparse_sum(have, Tensor gradient):
    """.grad with a gradient added where either is sparse: one that was there is written into, as dense ones are, unless it becomes dense or
    the sum is recorded."""
    if have is None:
        # (Places and values with gaps may be those of the program's own tensors.)
        apart = modes.grad or Py_REFCNT(<PyObject*>gradient) > 1
        parts = (<object>gradient)._indices(), (<object>gradient)._values()
        return (<object>gradient).clone() if apart or not all([each.is_contiguous() for each in parts]) else gradient
    if is_sparse(have) and not is_sparse(gradient):
        return gradient + have
    return have + gradient if modes.grad else have.add_(gradient)

cdef object sum_of_class(have, Tensor gradient):
    """The same where the class of either computes ops itself."""
    if have is None:
        return (<object>gradient).clone() if modes.grad else (<object>gradient).detach()
    return have + gradient if modes.grad else have.add_(gradient)

cdef int add_to_grad(Tensor variable, Tensor gradient) except -1:
    cdef Tensor have, kept
    if dispatching_exist and (is_dispatched(gradient) or is_dispatched(variable.grad_)):
        variable.grad_ = sum_of_class(variable.grad_, gradient)
        return 0
    if is_sparse(gradient) or is_sparse(variable.grad_):
        variable.grad_ = sparse_sum(variable.grad_, gradient)
        return 0
    if variable.grad_ is None:
        if not modes.grad and type(gradient) is Tensor and may_take_over(gradient, variable):
            gradient.base = None
            variable.grad_ = gradient
        elif not variable.flags & CONTIGUOUS and not variable.geometry.dense():
            variable.grad_ = (<object>gradient).clone(memory_format=contiguous_format)
        else:
            # The copy is a write: it counts as one, and a recorded one has its name (CopyBackwards).
            # (One that nobody else sees, but which shares memory, keeps the strides that it would have if it were taken over.)
            kept = new_in_layout_of(gradient if is_unseen(gradient, variable) else variable, gradient.code)
            if gradient.flags & LAZY and not modes.grad and layout_fits(gradient, variable) and Py_REFCNT(<PyObject*>gradient) <= 1:
                kept.flags |= gradient.flags & LAZY      # as if it had been taken over
            if modes.grad:
                kept.copy_(gradient)
            else:
                copy_elements(kept, gradient)
                kept.storage.version += 1
            variable.grad_ = kept
        return 0
    if modes.grad:
        variable.grad_ = operate(ops.add, variable.grad_, gradient)
    else:
        operate_in_place(ops.add, variable.grad_, gradient)
    have = <Tensor>variable.grad_
    if not layout_fits(have, variable):
        warn_of_layout(have, variable)
    return 0
