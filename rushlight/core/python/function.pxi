# Operations defined by the user: torch.autograd.Function. The context `ctx` is the node itself.

@cython.trashcan(True)
cdef class FunctionNode(Node):
    """The node of a user's Function: holds what forward saved, calls backward. Within `forward` and `backward` it is `ctx`, of the class FunctionCtx
    (rushlight/autograd/function.py)."""

    cdef public object needs_input_grad
    cdef public bint materialize_grads
    cdef public bint _materialize_non_diff_grads   # whether that holds for outputs marked as not differentiable too
    cdef public bint _is_pure_view                 # whether forward says that it only makes a view of its input, which may be written into
    cdef set constant_outputs      # which outputs those are
    # Until forward is done:
    cdef public object to_save             # what save_for_backward was given
    cdef public object dirty_tensors       # what mark_dirty was given
    cdef public object non_differentiable  # what mark_non_differentiable was given
    cdef tuple is_tensor           # which inputs are tensors
    cdef public tuple saved_for_forward
    cdef bint accessed             # saved_tensors was read, and Function.clear_saved_tensors_on_access says once is enough
    cdef set plain_outputs         # which outputs are no tensors
    cdef dict __dict__

    cdef bint is_programs(self):
        return True

    def __cinit__(self):
        self.materialize_grads = self._materialize_non_diff_grads = True
        self.next_nodes = ()
        self.plain_outputs = set()

    def __init__(self):
        pass

    def save_for_backward(self, *tensors):
        """Keeps tensors (or None) for backward, checked against later in-place writes."""
        self.to_save = tensors

    @property
    def saved_tensors(self):
        """What save_for_backward kept."""
        cdef tuple saved = self.saved
        if self.accessed:
            raise RuntimeError("saved_tensors can only be accessed once when clear_saved_tensors_on_access=True is set on the autograd.Function. "
                               "Either access saved_tensors only once, or set clear_saved_tensors_on_access=False.")
        if self.freed:
            raise RuntimeError(FREED_TEXT)
        if saved is None:
            return self.to_save or ()
        result = tuple([None if item is None else unpack_for_function(<SavedTensor>item, self) for item in saved])
        if getattr(getattr(self, "_forward_cls", None), "clear_saved_tensors_on_access", False):
            self.saved, self.accessed = None, True
        return result

    @property
    def _raw_saved_tensors(self):
        if self.freed:
            raise RuntimeError(FREED_TEXT)
        return None if self.saved is None else tuple([saved_nothing(False) if item is None else item for item in self.saved])

    cdef str forward_name(self):
        return error_name(self.backward_name())

    def __repr__(self):
        return f"<torch.autograd.function.{self.backward_name()} object at {id(self):#x}>"

    def __call__(self, *gradients):
        raise TypeError(f"'{self.backward_name()}' object is not callable")

    cdef void free_saved(self):
        if self.saved is not None and len(self.saved):
            free_items(list(self.saved))
            self.saved = None
            self.to_save = None
            self.freed = True

    cdef tuple backward(self, object gradient, object run):
        cdef tuple gradients = (gradient,) if self.more_outputs is None else gradient
        cdef list given = []
        cdef Py_ssize_t i
        # (What was saved may be gone: only a backward that asks for it fails.)
        if self.materialize_grads:
            gradients = tuple([zeros_for(self, i) if g is None and i not in self.plain_outputs and (
                self._materialize_non_diff_grads or self.constant_outputs is None or i not in self.constant_outputs) else g
                               for i, g in enumerate(gradients)])
        returned = self._run_backward(*gradients)
        if not isinstance(returned, tuple):
            returned = (returned,)
        expected = len(self.is_tensor)
        if len(returned) > expected and all([g is None for g in returned[expected:]]):
            returned = returned[:expected]
        if len(returned) != expected:
            raise RuntimeError(f"function {self.name()} returned an incorrect number of gradients (expected {expected}, got {len(returned)})")
        for i in range(expected):
            value = returned[i]
            if value is not None and not isinstance(value, Tensor):
                raise RuntimeError(f"expected Variable or None (got {type(value).__name__})")
            if self.is_tensor[i]:
                if value is not None:
                    check_kind_of_number(self, len(given), <Tensor>value)
                given.append(value)
            elif value is not None:
                raise RuntimeError(f"function {self.name()} returned a gradient different than None at position {i + 1}, but the corresponding forward "
                                   "input was not a Variable")
        return tuple(given)

cdef int check_kind_of_number(Node node, Py_ssize_t edge, Tensor gradient) except -1:
    """The gradient of a real input may not be complex (the engine takes the real part of what ops of the table give, not of this)."""
    cdef Node target = <Node>node.next_nodes[edge]
    if target is None or category[gradient.code] != IS_COMPLEX:
        return 0
    cdef uint32_t output = next_output(node, edge)
    cdef int code = target.dtype_code if output == 0 else target.more_outputs[output - 1][1]
    if category[code] != IS_COMPLEX:
        raise RuntimeError(COMPLEX_GRADIENT_TEXT)
    return 0

cdef Tensor unpack_for_function(SavedTensor saved, FunctionNode node):
    """What a Function kept, for its user: an output has its history again, whether or not grad mode is on."""
    cdef GradMode grad
    if saved.is_output and saved.unpack_hook is None:
        grad.set(True)
    return unpack_saved(saved, node)

cdef object zeros_for(Node node, Py_ssize_t output):
    cdef Tensor zero
    cdef int64_t sizes[MAX_DIMS]
    if output == 0:
        zero = new_like_shape(node.dtype_code, node.shape)
    else:
        shape, code = node.more_outputs[output - 1]
        zero = new_contiguous(code, sizes, read_sizes(shape, sizes))
    if not is_meta(zero):
        zero_bytes(data_of(zero), zero.count * item_bytes[zero.code])
    return zero

def apply_function(FunctionNode ctx, forward, setup_context, tuple args):
    """Runs a user's forward with recording off, and links what it returns to the node `ctx`."""
    cdef bint grad = modes.grad, forward_ad = modes.forward_ad
    cdef list edges = []
    ctx.is_tensor = tuple([isinstance(a, Tensor) for a in args])
    ctx.needs_input_grad = tuple([isinstance(a, Tensor) and bool(needs_grad(<Tensor>a)) for a in args])
    cdef bint tracked = grad and True in ctx.needs_input_grad
    if tracked:
        ctx.sequence = next_sequence()
        remember_line(ctx)
        for a, needed in zip(args, ctx.needs_input_grad):
            if isinstance(a, Tensor):
                edges.append(edge_of(<Tensor>a) if needed else None)
                ctx.next_outputs.push_back((<Tensor>a).output_number if needed else 0)
        ctx.next_nodes = tuple(edges)
    modes.grad = modes.forward_ad = False
    try:
        if setup_context is None:
            outputs = forward(ctx, *args)
        else:
            outputs = forward(*args)
            setup_context(ctx, args, outputs)
    finally:
        modes.grad, modes.forward_ad = grad, forward_ad
    single = not isinstance(outputs, tuple)
    if setup_context is not None and modes.transforms:
        from rushlight.autograd.function import refuse_kept_input
        refuse_kept_input(ctx, args, outputs if not single else (outputs,))
    cdef list results = [outputs] if single else list(outputs)
    link_outputs(ctx, args, results, tracked)
    return results[0] if single else tuple(results)

cdef int link_outputs(FunctionNode ctx, tuple args, list results, bint tracked) except -1:
    cdef list kinds = []       # (sizes, dtype) of the outputs; what is no tensor counts as a number
    cdef list originals = list(results)
    cdef int64_t sizes[MAX_DIMS]
    cdef Tensor out
    given = {id(a) for a in args if isinstance(a, Tensor)}
    dirty = {id(t) for t in ctx.dirty_tensors or ()}
    constant = {id(t) for t in ctx.non_differentiable or ()}
    if ctx.dirty_tensors or ctx.non_differentiable:
        from rushlight.autograd.function import check_marks
        check_marks(ctx, results, given)
    if ctx._is_pure_view and tracked and (ctx.is_tensor.count(True) != 1 or len(results) != 1):
        raise RuntimeError("Pure view custom Function can only have one input Tensor and one output Tensor. Open an issue if you need to support "
                           "more.")
    for place, value in enumerate(results):
        if not isinstance(value, Tensor):
            ctx.plain_outputs.add(place)
            kinds.append((Size(()), FLOAT32))
            continue
        if id(value) in dirty:
            mark_write((<Tensor>value).storage)
            if tracked:
                check_dirty(<Tensor>value, len(results))
        out = result_of_function(<Tensor>value, id(value) in dirty, id(value) in given, not tracked or id(value) in constant,
                                 VIEW_MULTI_OUTPUT if tracked and len(results) > 1 else
                                 VIEW_DEFAULT if ctx._is_pure_view else VIEW_IN_CUSTOM_FUNCTION, tracked)
        results[place] = out
        kinds.append((out.shape, out.code))
    if tracked:
        if kinds:
            ctx.dtype_code = kinds[0][1]
            ctx.shape.set_shape(sizes, read_sizes(kinds[0][0], sizes))
        ctx.more_outputs = tuple(kinds[1:]) or None
        forbid_writes_into_views(originals, results, constant)
        for place, value in enumerate(results):
            if isinstance(value, Tensor):
                link_result(ctx, <Tensor>value, place, id(originals[place]) in dirty, id(originals[place]) in constant)
    save_for_function(ctx, originals, results, tracked)
    return 0

cdef int check_dirty(Tensor out, Py_ssize_t count) except -1:
    """May forward write into an input?"""
    if out.base is None and out.grad_fn_ is None and needs_grad(out):
        raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
    if out.base is not None and count > 1:
        raise RuntimeError("If your Function modifies inplace an input that is a view of another Tensor, your Function cannot return more "
                           "than one Tensor. This is not supported by the current autograd engine. You should either make sure the input "
                           "is not a view (using .clone() for example) or make your Function only return one Tensor (potentially splitting "
                           "it into two Functions: one doing the inplace that returns a single Tensor and a second one that does the other "
                           "operations). You can ask on the forum https://discuss.pytorch.org/ if you need help to do this change.")
    return check_write(out)

cdef Tensor result_of_function(Tensor out, bint is_dirty, bint is_given, bint is_constant, int creation, bint tracked):
    """What stands for a tensor that forward returned, whose own history is no part of the Function."""
    cdef GradMode grad
    if is_dirty or is_given and is_constant and needs_grad(out):
        return alias_of(out) if is_constant and needs_grad(out) else out
    if modes.transforms and (is_given or out.base is not None and tracked):
        return alias_of(out)      # inside of transforms outputs are no views
    if is_given:
        # An input returned as it is: a view of it, so that it has a history of its own.
        grad.set(False)
        out = <Tensor>ops.alias(out)
        out.creation = creation
    elif out.base is not None and not modes.inference:
        out.creation = creation if creation == VIEW_DEFAULT else VIEW_IN_CUSTOM_FUNCTION
    elif out.base is None and needs_grad(out) and is_constant:
        out.detach_()       # a tensor from outside: what leads to it is no part of this Function
    return out

cdef int link_result(FunctionNode ctx, Tensor out, Py_ssize_t place, bint is_dirty, bint is_constant) except -1:
    """Makes a result an output of the Function's node."""
    if is_constant:
        if ctx.constant_outputs is None:
            ctx.constant_outputs = set()
        ctx.constant_outputs.add(place)
        out.flags &= ~REQUIRES_GRAD
        out.grad_fn_ = None
    elif category[out.code] >= IS_FLOATING:
        if is_dirty:
            return change_history(out, ctx, place) if out.base is None else rebase_history(out, ctx)
        set_history(out, ctx, place)
        out.seen_version = out.storage.version
    return 0

cdef int forbid_writes_into_views(list originals, list results, set constant) except -1:
    """Where a Function has several differentiable outputs, those that are views may not be written to."""
    cdef list differentiable = [result for given, result in zip(originals, results) if isinstance(result, Tensor) and
                                id(given) not in constant and category[(<Tensor>result).code] >= IS_FLOATING]
    if len(differentiable) > 1:
        for result in results:
            if isinstance(result, Tensor) and (<Tensor>result).base is not None:
                (<Tensor>result).creation = VIEW_MULTI_OUTPUT
    return 0

cdef int save_for_function(FunctionNode ctx, list originals, list results, bint tracked) except -1:
    cdef list saved = []
    if not tracked or ctx.to_save is None:
        return 0
    for tensor in ctx.to_save:
        if tensor is None:
            saved.append(None)
            continue
        if not isinstance(tensor, Tensor):
            raise TypeError(f"save_for_backward can only save variables, but argument {len(saved)} is of type {type(tensor).__name__}")
        number = -1
        for place, value in enumerate(originals):
            if value is tensor:
                number = place
        if number >= 0 and isinstance(results[number], Tensor) and (<Tensor>results[number]).grad_fn_ is ctx:
            saved.append(save_tensor(<Tensor>results[number], True, number))
        else:
            saved.append(save_tensor(<Tensor>tensor, False, 0))
    ctx.saved = tuple(saved)
    ctx.to_save = ctx.dirty_tensors = ctx.non_differentiable = None
    return 0
