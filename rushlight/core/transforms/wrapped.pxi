# Transforms: a level sees every op on the tensors that it wraps, before the op runs.
@cython.trashcan(True)
cdef class Wrapped(Tensor):
    """A tensor as a program inside a transform sees it, around the one that the transform computes with.

    Geometry and dtype are what the program sees; memory and its version are those of `value`, so views of wrappers, and the check for
    overwritten values, need nothing more. Its place in the graph is its own: what is recorded inside a transform leads from wrapper to
    wrapper, what is recorded outside from value to value.
    """

    cdef Tensor alias(self):
        return wrap_value(self.level, self.value, self.aspect)

    cdef Tensor readable(self, object what):
        return (<Tensor?>self.level.read(self, what)).readable(what)

    cdef int refuse_escaped(self, bint reduction) except -1:
        if self.level.active or self.aspect is None or not isinstance(self.level, BatchLevel):
            return 0
        rule = "boxed_reduction_batch_rule" if reduction else "gen_vmap_plumbing"
        raise RuntimeError("Either your tensor may have escaped from inside a function being vmapped and this is a user error (see "
                           "https://pytorch.org/functorch/stable/ux_limitations.html), or there is an internal functorch error in "
                           f"`{rule}` Please file an issue if it looks like the latter")

    cdef bint resize_within(self, object size) except -1:
        if isinstance(self.level, DualLevel):
            raise RuntimeError("cannot resize variables that has a forward grad")
        if type(self.aspect) is not int:
            return False
        if tuple(size) != self.shape:
            resize_tensor(self.value, (self.value.geometry.shape[0], *size))      # (the batch stays in front)
            put_within(self, self.value, self.aspect)
        return True

    def __bool__(self):
        return bool(self.level.read(self, "bool"))

    def data_ptr(self):
        """The address of the first element, where there is one."""
        refuse_memory(self)
        return self.level.read(self, "data_ptr").data_ptr()

    def detach(self):
        """The same memory and version, cut off from the graph of this level and of those further out."""
        return detached_within(self)

    @property
    def data(self):
        """The same memory without history, where the level allows it."""
        if wrapper_kind(self) == "BatchedTensorImpl":
            self.level.read(self, "data")
        return detached_within(self)

    @data.setter
    def data(self, value):
        where = "under vmap" if wrapper_kind(self) == "BatchedTensorImpl" else "inside functorch"
        raise RuntimeError(f"mutating directly with `.data` {where} transform is not allowed.")


cdef class Level:
    """A transform: while it is entered, ops on tensors that it wraps go to `compute(op, arguments, keywords)`.

    `compute` gets every argument of the op (keywords: {} or {"mode": 1} for in-place calls, {"mode": 2, "out": …}) with this level off the
    stack and grad mode as the values within need it, and returns what the program sees: wrappers of this level (or plain tensors, for what
    does not depend on it). An in-place call returns its first argument. Recording on the wrappers is done here, after `compute`.
    """

    def __enter__(self):
        self.grad_within = modes.grad
        self.active = True
        if not self.tracks_all:
            enter_depth(isinstance(self, DualLevel))
        self.depth = modes.transforms + self.tracks_all
        push_interpreter(self)
        return self

    def __exit__(self, *exc):
        if not self.active or current_interpreter() is not self:
            raise RuntimeError("transforms must be left in the reverse order of being entered")
        pop_interpreter()
        modes.transforms -= not self.tracks_all
        self.active = False
        self.shadows = None

    cdef object call(self, Op op, tuple arguments, object keywords):
        return call_level(self, op, arguments, keywords)

    cdef object rows_times_matrix(self, Tensor a, Tensor b):
        return None

    cdef object compute(self, Op op, tuple arguments, object keywords):
        raise NotImplementedError

    cdef bint marks(self, tuple arguments):
        """Does a write of these arguments leave something of this level in the target: a history, or what the level adds?"""
        cdef object value
        if modes.grad:
            for value in arguments:
                if tracks(self, value):
                    return True
        return False

    def read(self, wrapped, what):
        """Somebody asks for the elements of `wrapped` (`what`: "item", "bool", "tolist", "numpy", …): the tensor to read, or an error."""
        return wrapped.value

    def draw(self, out, kernel, generator, first, second):
        """Fills the new tensor `out` with random numbers, or gives another in its place."""
        return draw(out, kernel, generator, first, second)

    def beside(self, wrapped, made):
        """The new, unset tensor `made`, or another in its place, for a program that has `wrapped` of this level."""
        return beside((<Wrapped?>wrapped).value, made)

    def empty_like(self, wrapped, dtype):
        """An unset tensor in the layout of `wrapped`."""
        return empty_like_layout((<Wrapped?>wrapped).value, dtype)

# ---------------------------------------------------------------------------------------------------------- making wrappers
cpdef int put_within(Wrapped out, Tensor value, object aspect) except -1:
    """Makes `value` what is within `out` (anew, after an in-place op that changes geometry); an int as `aspect` is the dimension of `value`
    that the program does not see."""
    out.value, out.aspect = value, aspect
    out.storage, out.offset, out.code = value.storage, value.offset, value.code
    out.flags = out.flags & ~(CONTIGUOUS | INFERENCE | LAZY | ELSEWHERE) | value.flags & (CONTIGUOUS | INFERENCE | LAZY | ELSEWHERE)
    if type(aspect) is not int:
        out.count = value.count
        out.geometry.copy(value.geometry)
        return 0
    without_dim(value.geometry, out.geometry, wrap_dim(aspect, value.geometry.ndim))
    out.count = out.geometry.numel()
    update_contiguous(out)
    return 0

cdef Wrapped wrap_value(Level level, Tensor value, object aspect):
    cdef Wrapped out = Wrapped.__new__(Wrapped)
    out.level = level
    put_within(out, value, aspect)
    return out

def wrap(Level level not None, Tensor value not None, aspect=None):
    """`value` as seen at `level`. An int as `aspect` is a batch dimension of `value`, which the wrapper does not show."""
    if type(aspect) is int and value.geometry.ndim == 0:
        raise IndexError("a tensor without dimensions has none for a batch")
    return wrap_value(level, value, aspect)

def is_wrapped(value):
    """Whether `value` is a wrapped tensor."""
    return type(value) is Wrapped

cpdef inline bint is_at(object value, Level level) noexcept:
    """Whether it is a tensor that is wrapped at `level`."""
    return type(value) is Wrapped and (<Wrapped>value).level is level

cpdef bint wrapped_at(Level level, object value) noexcept:
    """Whether `value`, or a tensor in it where it is a list or tuple, is wrapped at `level`."""
    cdef object item
    if type(value) is Wrapped:
        return (<Wrapped>value).level is level
    if type(value) is list or type(value) is tuple:
        for item in value:
            if is_at(item, level):
                return True
    return False

cdef Tensor detached_within(Wrapped source):
    """detach(), through all levels: a tangent is lost."""
    cdef Tensor value = source.value.detach()
    value.depth = source.depth
    return value if isinstance(source.level, DualLevel) else wrap_value(source.level, value, source.aspect)

def read_within(value, what):
    """A plain tensor with the elements of `value`, wrapped or not; an error where a level forbids to look."""
    return (<Tensor>value).readable(what) if isinstance(value, Tensor) else value


# ---------------------------------------------------------------------------------------------------------- calls
cpdef object run(Op op, tuple arguments, object keywords=None):
    """Runs `op` with every argument given, at the innermost level that is not at work: what `compute` calls, and interpreters that only watch."""
    if modes.interpreters and (not op.is_composition or is_wanted(op.name)):
        return interpret(op, arguments, keywords)
    if not keywords:
        return execute_any(op, given_to(op, arguments), MODE_NEW, None)
    return execute_any(op, given_to(op, arguments), keywords["mode"], keywords.get("out"))

cdef object call_level(Level level, Op op, tuple arguments, object keywords):
    """One op at a level that is off the stack: run below, or processed and then recorded on the wrappers."""
    cdef Py_ssize_t i, n = PyTuple_GET_SIZE(arguments)
    cdef PyObject** bound
    cdef bint grad = modes.grad
    cdef bint ours = level.sees_all
    cdef OpNode node = None
    cdef uint64_t mask = 0
    cdef int mode = MODE_NEW
    cdef Tensor target
    cdef object result
    if level.shadows is not None:
        arguments = tuple([shadowed(level, value) for value in arguments])
    if keywords:
        mode = keywords["mode"]
        ours = ours or wrapped_at(level, keywords.get("out"))
    bound = <PyObject**>PySequence_ITEMS(arguments)
    for i in range(n):
        ours = ours or wrapped_at(level, <object>bound[i])
    if not ours:
        return run(op, arguments, keywords)
    if mode == MODE_IN_PLACE and isinstance(<object>bound[0], Tensor):
        target = <Tensor>bound[0]
        if type(target) is Wrapped:
            check_write(target)
        if not wrapped_at(level, target) and level.marks(arguments):
            # A tensor from outside is written with something of this level: a wrapper stands for it from now on.
            check_tracked_write(target)
            call_level(level, op, (shadow_of(level, target),) + arguments[1:], keywords)
            return target
        if grad:
            mask = mask_at(level, op, bound, n)
            if mask:
                node = start_node_at(level, op, bound, mask)
    elif grad and mode == MODE_NEW:
        mask = mask_at(level, op, bound, n)
    if grad and not level.grad_within:
        modes.grad = False
        try:
            result = level.compute(op, arguments, keywords)
        finally:
            modes.grad = grad
    else:
        result = level.compute(op, arguments, keywords)
    if mode == MODE_IN_PLACE:
        if node is not None:
            finish_write(op, node, target)
        return result
    if mode == MODE_NEW:
        record_at(level, op, bound, mask, result)
    return result

cdef Wrapped shadow_of(Level level, Tensor t):
    """The wrapper at `level` that stands for a tensor from outside; for a view, a view of the one that stands for the base."""
    cdef Tensor base = t if t.base is None else t.base
    cdef Wrapped whole, view
    if level.shadows is None:
        level.shadows = {}
    found = level.shadows.get(<size_t><PyObject*>base)
    if found is None:
        whole = wrap_value(level, base, None)
        if level.tracks_all and modes.grad and needs_grad(base):
            record_alias(base, whole)
        level.shadows[<size_t><PyObject*>base] = (base, whole)
    else:
        whole = <Wrapped>found[1]
    if t is base:
        return whole
    view = wrap_value(level, t, None)
    view.base = view.whole = whole
    view.seen_version = t.storage.version - 1     # its history is made from that of `whole` when somebody asks
    return view

cdef object shadowed(Level level, object value):
    """The wrapper for a tensor that was written to, or the value itself; of a list or tuple each."""
    cdef Depth depth
    cdef Tensor t
    if isinstance(value, Tensor):
        t = <Tensor>value
        return shadow_of(level, t) if not is_at(t, level) and <size_t><PyObject*>(t if t.base is None else t.base) in level.shadows else t
    if type(value) is list or type(value) is tuple:
        depth.enter()
        return type(value)([shadowed(level, item) for item in value])
    return value

def as_seen(value):
    """What stands for `value` at the innermost level, where it was written with something of that level."""
    cdef Level level
    if not modes.interpreters or not isinstance(value, Tensor):
        return value
    level = current_level()
    return value if level is None or level.shadows is None else shadowed(level, value)

cdef uint64_t mask_at(Level level, Op op, PyObject** args, Py_ssize_t n):
    """Which rules' inputs are tracked at `level`: tensors outside of it that require gradients are recorded below."""
    cdef Py_ssize_t i
    cdef bint tracked = level.tracks_all
    for i in range(n):
        if tracks(level, <object>args[i]):
            tracked = True
            break
    return inputs_needing_grad(op, args) if tracked else 0

cdef bint tracks(Level level, object value):
    cdef object item
    if type(value) is Wrapped:
        return (<Wrapped>value).level is level and needs_grad(<Tensor>value)
    if type(value) is Tensor:
        # A leaf that a function made inside of forward mode.
        return (<Tensor>value).depth >= level.depth and not level.sees_all and not level.tracks_all and needs_grad(<Tensor>value)
    if isinstance(value, (list, tuple)):
        for item in value:
            if is_at(item, level) and needs_grad(<Tensor>item):
                return True
    return False

cdef OpNode start_node_at(Level level, Op op, PyObject** args, uint64_t mask):
    """start_write, which may copy the target, which is an op at the level itself."""
    push_interpreter(level)
    try:
        return start_write(op, args, mask)
    finally:
        pop_interpreter()

cdef int record_at(Level level, Op op, PyObject** args, uint64_t mask, object result) except -1:
    """Links a result that is a view with what it views, and records the call on the wrappers."""
    cdef object value
    cdef Tensor out
    cdef Wrapped viewed
    cdef bint is_view = isinstance(op, ViewOp) and (<ViewOp>op).linked
    if is_view or isinstance(op, MultiViewOp) and (<MultiViewOp>op).linked:
        for value in (result,) if isinstance(result, Tensor) else result:
            out = <Tensor>value
            if type(out) is Wrapped and out.base is None and out is not <object>args[0] and isinstance(<object>args[0], Tensor):
                link_view(out, <Tensor>args[0])
                if is_at(<object>args[0], level):
                    viewed = <Wrapped>args[0]
                    (<Wrapped>out).whole = viewed if viewed.whole is None else viewed.whole
                if not is_view and out.creation < VIEW_MULTI_OUTPUT:
                    out.creation = VIEW_MULTI_OUTPUT
    return record_result(op, args, mask, result) if mask else 0


give_attributes(Wrapped)


# ---------------------------------------------------------------------------------------------------------- other calls at a level
def outside_of(Level level not None, function, *args):
    """`function(*args)` with the innermost level, `level`, off the stack, and grad mode as the values within need it."""
    cdef bint grad = modes.grad
    cdef int32_t transforms = modes.transforms
    cdef uint64_t derivatives = modes.derivatives
    if current_interpreter() is not level:
        raise RuntimeError("only the innermost level can be left for a call")
    pop_interpreter()
    modes.grad = grad and level.grad_within
    modes.transforms = level.depth - 1
    try:
        return function(*args)
    finally:
        modes.grad = grad
        modes.transforms, modes.derivatives = transforms, derivatives
        push_interpreter(level)

class entered_again:
    """A context in which a level is the innermost once more; grad mode of the values within is that of the context."""

    def __init__(self, level):
        self.level = level

    def __enter__(self):
        self.before = self.level.grad_within, modes.transforms, modes.derivatives
        self.level.grad_within = modes.grad
        modes.transforms = (<Level>self.level).depth - 1
        enter_depth(isinstance(self.level, DualLevel))
        push_interpreter(self.level)
        return self.level

    def __exit__(self, *exc):
        pop_interpreter()
        self.level.grad_within, modes.transforms, modes.derivatives = self.before
