# Views and in-place writes: which tensors share a history, and how a write changes it.
cdef Tensor make_view(Tensor x, const Geometry& geometry, int64_t offset_bytes):
    """A tensor over x's memory with another geometry; the caller records it."""
    cdef Tensor out = bare_tensor()
    out.storage = x.storage
    out.offset = x.offset + offset_bytes
    out.code = x.code
    out.geometry.copy(geometry)
    out.count = geometry.numel()
    out.flags = x.flags & (INFERENCE | LAZY)
    update_contiguous(out)
    link_view(out, x)
    return out

cdef inline void link_view(Tensor out, Tensor x):
    """`out` is a view of `x`: the two share histories of in-place writes."""
    if x.flags & INFERENCE:
        return
    if x.base is not None:
        out.base = x.base
        out.creation = x.creation
    else:
        out.base = x
    out.seen_version = x.storage.version
    if modes.inference:
        out.creation = VIEW_INFERENCE
    elif not modes.grad and out.creation < VIEW_NO_GRAD:
        out.creation = VIEW_NO_GRAD


@cython.trashcan(True)
cdef class AsStridedNode(Node):
    """The history that a view has after its base was written to: a window on the base's."""

    cdef str forward_name(self):
        return "AsStrided"

    cdef tuple backward(self, object gradient, object run):
        if gradient is None:
            return (None,)
        return (window_gradient(gradient, self.base_geometry, self.view_geometry, self.offset),)

cdef object in_kind_of(object x, int code):
    """The memory of `x` as complex numbers or as their parts, where the dtype `code` is of the other kind."""
    if (category[(<Tensor>x).code] == IS_COMPLEX) == (category[code] == IS_COMPLEX):
        return x
    return (ops.view_as_complex if category[code] == IS_COMPLEX else ops.view_as_real)(x)


@cython.trashcan(True)
cdef class FailingNode(Node):
    """The history of a tensor that backward cannot go behind."""

    cdef tuple backward(self, object gradient, object run):
        raise RuntimeError(self.text)

cdef FailingNode failing_node(str text, Tensor out, tuple targets=()):
    """A node whose backward raises `text`, as soon as it is reached."""
    cdef FailingNode node = FailingNode.__new__(FailingNode)
    node.text = text
    node.next_nodes = targets
    begin_node(node, out.geometry, out.code, <uint64_t>LEAF_SEQUENCE)
    return node

cdef void begin_node(Node node, const Geometry& shape, int code, uint64_t sequence):
    """What nodes that no op records have in common: what their output is, when they run, and the user's line."""
    node.shape.set_shape(shape.shape, shape.ndim)
    node.dtype_code, node.sequence = code, sequence
    remember_line(node)

cdef FailingNode failing_in_place(Op op, Node recorded, Tensor out):
    """What stands for the node of a write whose rules do nothing but raise: the error names the op's in-place form."""
    cdef str text = (<Rule>op.rules[0]).function.text
    cdef FailingNode node = failing_node(text.replace(" is not", "_ is not"), out)
    cdef Py_ssize_t i
    cdef Node target
    cdef list targets = []
    for i in range(edge_total(recorded)):
        target = edge_at(recorded, i)
        if target is not None:
            targets.append(target)
            node.next_outputs.push_back(next_output(recorded, i))
    node.next_nodes = tuple(targets)
    return node

cdef object window_gradient(object gradient, const Geometry& base, const Geometry& view, int64_t offset):
    """The cotangent of a base, zero but for a window with the given geometry: as_strided's own rule."""
    return ops._as_strided_gradient(gradient, make_size(base.shape, base.ndim), make_tuple(base.strides, base.ndim),
                                  make_size(view.shape, view.ndim), make_tuple(view.strides, view.ndim), offset)


# no_gc_clear: `function` must be there when it is told that this node is gone. (Every cycle through a node like this passes through
# other objects too, which break it.)
@cython.trashcan(True)
@cython.no_gc_clear
cdef class CopySlices(Node):
    """A write into a view, as the base sees it: inside the window `function`'s derivative, outside the identity."""

    cdef tuple backward(self, object gradient, object run):
        cdef Tensor result
        cdef tuple inner
        if gradient is None:
            return (None,) * edge_total(self)
        if self.function is None:
            raise RuntimeError(FREED_TEXT)
        # (Of a lazy base, as it lies in memory: there the view has its window.)
        gradient = turned(gradient, self.base_lazy)
        result = ops.clone(gradient)
        if not result.geometry.same_strides(self.base_geometry):
            result = beside(gradient, laid_out(result.code, self.base_geometry))
            result.copy_(gradient)
        window = ops.as_strided(in_kind_of(result, self.view_code), make_size(self.view_geometry.shape, self.view_geometry.ndim),
                               make_tuple(self.view_geometry.strides, self.view_geometry.ndim), self.offset)
        window = turned(window, self.view_lazy)
        # All gradients are asked for: a restricted run does not know the edge to the view's old history.
        inner = self.function.backward(ops.clone(window), None)
        # The first input of the write is the view itself: its gradient takes the window's place.
        if inner[0] is None:
            window.zero_()
        else:
            window.copy_(inner[0])
        return (turned(result, self.base_lazy),) + inner[1:]

    cdef void free_saved(self):
        if self.function is not None:
            self.function.free_saved()

cdef Node history_on(Tensor base, Tensor view):
    """The history of a view as a window on that of its base, with what makes it another kind of number, a conjugate or a negative."""
    cdef Tensor seen
    cdef Geometry parts
    if view.code == base.code:
        seen = window_on(base, turned_on_record(base, view.flags), view.geometry, view.offset)
    elif category[base.code] == IS_COMPLEX:
        seen = on_record(ops.view_as_real, turned_on_record(base, base.flags & ~CONJUGATE))
        seen = window_on(base, turned_on_record(seen, view.flags), view.geometry, view.offset)
    else:
        parts_geometry(parts, view.geometry)
        seen = turned_on_record(on_record(ops.view_as_complex, window_on(base, base, parts, view.offset)), view.flags)
    return seen.grad_fn_

cdef int become_same(Tensor out, Tensor source) except -1:
    """The memory, the history and the base of another: where that is a view, a view of the same base."""
    become_alias(out, source)
    out.grad_fn_, out.output_number, out.base = grad_fn_of(source), source.output_number, source.base
    out.flags, out.seen_version, out.creation = source.flags, source.seen_version, source.creation
    return 0

cdef Tensor window_on(Tensor base, Tensor x, const Geometry& geometry, int64_t place):
    """What lies in the memory of `x`, the base or a view of it, from `place` on in another geometry."""
    cdef AsStridedNode node
    cdef Tensor out
    if x is not base and x.offset == place and x.geometry.same_shape(geometry) and x.geometry.same_strides(geometry):
        return x
    node = AsStridedNode.__new__(AsStridedNode)
    node.base_geometry.copy(x.geometry)
    node.view_geometry.copy(geometry)
    node.offset = (place - x.offset) // item_bytes[x.code]
    begin_node(node, geometry, x.code, next_sequence())
    node.next_nodes = (edge_of(x),)
    if x.output_number:
        node.next_outputs.push_back(x.output_number)
    out = bare_tensor()
    become_alias(out, x)
    place_in(out, geometry, place)
    set_history(out, node, 0)
    return out

cdef Tensor on_record(Op op, Tensor x):
    """A view without further parameters, recorded whatever grad mode is."""
    cdef PyObject* args[1]
    cdef GradMode grad
    args[0] = <PyObject*>x
    grad.set(True)
    return <Tensor>op.execute(args)

cdef Tensor turned_on_record(Tensor x, uint8_t flags):
    """`x` with the lazy flags of `flags`."""
    if (x.flags ^ flags) & CONJUGATE:
        x = on_record(ops._conj, x)
    return on_record(ops._neg_view, x) if (x.flags ^ flags) & NEGATIVE else x

cdef int link_output(Tensor kept, Node node, uint32_t number) except -1:
    """An output that its own node kept has its history again. What was written into a view came out of the whole write, not of the
    derivative inside of it."""
    cdef CopySlices copy
    cdef Tensor base
    if node.outside == NULL:
        kept.grad_fn_, kept.output_number = node, number
    else:
        copy = <CopySlices>node.outside
        base = bare_tensor()
        become_alias(base, kept)
        base.code, base.flags = copy.dtype_code, copy.base_lazy
        place_in(base, copy.base_geometry, kept.offset - copy.offset * item_bytes[kept.code])
        set_history(base, copy, 0)
        kept.grad_fn_ = history_on(base, kept)
    kept.flags |= REQUIRES_GRAD
    return 0

cdef int refresh_view(Tensor view) except -1:
    """If the base was written to since, the view's history is a window on the base's new one."""
    cdef Tensor base = view.base
    if view.storage.version == view.seen_version or view.flags & INFERENCE or not needs_grad(base) and (
            view.grad_fn_ is None or view.creation == VIEW_DEFAULT):
        return 0
    if base.storage is not view.storage:
        return 0
    if view.creation != VIEW_DEFAULT:
        refuse_write_into_view(view, True)
    change_history(view, history_on(base, view))
    view.seen_version = view.storage.version
    return 0

cdef int refuse_write_into_view(Tensor view, bint through_base) except -1:
    """Raises for a write into a view (or, `through_base`, for the use of a view after such a write) that cannot be recorded."""
    cdef Node node = view.grad_fn_
    cdef str what = "its base or another view of its base has been modified inplace" if through_base else "is being modified inplace"
    cdef str subject = "A view" if node is None else f"Output {view.output_number} of {node.forward_name()} is a view of a view which"
    cdef str text
    if view.creation == VIEW_INFERENCE:
        text = f"{subject} was created in inference mode and {what} in normal mode."
    elif view.creation == VIEW_NO_GRAD or node is None:
        text = f"{subject} was created in no_grad mode and {what} with grad mode enabled."
    else:
        text = f"Output {view.output_number} of {node.forward_name()} is a view and {what}."
    if view.creation == VIEW_NO_GRAD or view.creation == VIEW_INFERENCE:
        block = "no_grad" if view.creation == VIEW_NO_GRAD else "inference_mode"
        text += (" Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and "
                 f"the inplace either both inside the {block} block (if you don't want the inplace to be tracked) or both outside (if you want "
                 "the inplace to be tracked).")
    elif view.creation == VIEW_MULTI_OUTPUT:
        text += (" This view is the output of a function that returns multiple views. Such functions do not allow the output views to be "
                 "modified inplace. You should replace the inplace operation by an out-of-place one.")
    else:
        text += (" This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic to handle "
                 "view+inplace would override the custom backward associated with the custom Function, leading to incorrect gradients. This "
                 "behavior is forbidden. You can fix this by cloning the output of the custom Function.")
    raise RuntimeError(text)

cdef int check_view_write(Tensor x) except -1:
    """May a recorded write go into `x`, as far as it is a view?"""
    if x.base is not None and x.creation != VIEW_DEFAULT:
        refuse_write_into_view(x, False)
    return 0

cdef int check_write(Tensor x) except -1:
    """May `x` be written in place? Asked before anything is written."""
    check_tracked_write(x)
    return check_untracked_write(x)

cdef int check_untracked_write(Tensor x) except -1:
    """As check_write, for a write that the graph does not see."""
    if asked.watch_write is not None:
        asked.watch_write(x)
    if x.flags & INFERENCE and not modes.inference:
        raise RuntimeError("Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal tensor "
                           "before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.")
    return 0

cdef int check_tracked_write(Tensor x) except -1:
    """Can the graph take a write into `x`? What is wrong with the other arguments is found out later. (start_node asks check_view_write for
    writes that only their other arguments make recorded.)"""
    if not modes.grad or not needs_grad(x):
        return 0
    if x.base is not None:
        check_view_write(x)
        refresh_view(x)
        if x.base.grad_fn_ is None or x.base.flags & DERIVATIVE_INPUT:
            raise documented(RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation."), "leaf_in_place")
    if x.grad_fn_ is None or x.flags & DERIVATIVE_INPUT:
        raise documented(RuntimeError("a leaf Variable that requires grad is being used in an in-place operation."), "leaf_in_place")
    return 0

cpdef int check_no_overlap(Tensor x) except -1:
    """Refuses to write into a tensor of which several elements are one in memory."""
    if not x.flags & CONTIGUOUS and x.geometry.overlaps_itself():
        raise RuntimeError("unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please "
                           "clone() the tensor before performing the operation.")
    return 0

cdef int change_history(Tensor x, Node node, uint32_t number=0) except -1:
    """`x` is an output of another node from now on; if it retains its gradient, that moves along."""
    if x.flags & RETAINS_GRAD:
        if x.grad_fn_ is not None and x.grad_fn_.extras is not None and x.grad_fn_.extras.retained is not None:
            x.grad_fn_.extras.retained.pop(x.output_number, None)
        x.output_number = number
        retain_on(node, x)
    set_history(x, node, number)
    return 0

cdef int rebase_history(Tensor x, Node node) except -1:
    """After a recorded in-place write: `x` is now the output of `node`; a base sees the write through a window."""
    cdef CopySlices copy
    cdef Tensor base = x.base
    cdef Py_ssize_t i
    if base is None:
        change_history(x, node)
        return 0
    copy = CopySlices.__new__(CopySlices)
    copy.base_geometry.copy(base.geometry)
    copy.view_geometry.copy(x.geometry)
    copy.offset = (x.offset - base.offset) // item_bytes[x.code]
    copy.view_code = x.code
    copy.base_lazy, copy.view_lazy = base.flags & LAZY, x.flags & LAZY
    copy.function = node
    node.outside = <PyObject*>copy
    copy.inside.known_by = &node.outside
    begin_node(copy, base.geometry, base.code, next_sequence())
    copy.next_nodes = (edge_of(base),) + tuple([<object>edge_items(node)[i] for i in range(1, edge_total(node))])
    copy.leaf_edges = node.leaf_edges & ~<uint64_t>1
    for i in range(len(copy.next_nodes)):
        copy.next_outputs.push_back(base.output_number if i == 0 else next_output(node, i))
    change_history(base, copy)
    x.seen_version = x.storage.version - 1     # so that the view's own history is made anew
    refresh_view(x)
    return 0

cdef inline Node edge_of(Tensor tensor):
    """The node to which the gradient of `tensor` goes, or None. Its output number is tensor.output_number."""
    if not needs_grad(tensor):
        return None
    if tensor.base is not None:
        refresh_view(tensor)
        if not tracked_itself(tensor):
            return None       # a view made with grad mode off: recorded, but nothing leads back
    if tensor.grad_fn_ is not None:
        return tensor.grad_fn_
    return accumulator_of(tensor)

cdef inline Node grad_fn_of(Tensor t):
    """grad_fn, brought up to date where the tensor is a view whose base was written to."""
    if t.base is not None:
        refresh_view(t)
    return t.grad_fn_

cdef retain_on(Node node, Tensor tensor):
    import weakref
    cdef NodeExtras extras = need_extras(node)
    if extras.retained is None:
        extras.retained = {}
    extras.retained[tensor.output_number] = weakref.ref(tensor)

cdef inline void set_history(Tensor out, Node node, uint32_t number) noexcept:
    out.grad_fn_ = node
    out.output_number = number
    out.flags |= REQUIRES_GRAD

cdef inline void describe_output(Node node, Tensor out):
    node.shape.set_shape(out.geometry.shape, out.geometry.ndim)
    node.dtype_code = out.code
