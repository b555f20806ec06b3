# Forward mode: a level whose wrappers carry a tangent, pushed through each op by the table's rules.
@cython.final
cdef class Push:
    """How one op's tangents are computed: by its own rule, by the op itself where that is linear, or as a sum of slopes."""
    cdef object function       # the forward rule
    cdef list sources          # (FROM_…, index) of its parameters
    cdef bint linear
    cdef bint by_slopes
    cdef bint needs_target     # some rule asks for the first argument, which an in-place call overwrites

cdef Push push_of(Op op):
    cdef Push push
    cdef Rule rule
    if op.push is not None:
        return <Push>op.push
    push = Push.__new__(Push)
    if op.jvp is not None:
        push.function, push.sources = op.jvp, op.declaration.sources(op.jvp)
        push.needs_target = (FROM_ARGUMENT, 0) in push.sources
    elif op.linear:
        push.linear = True
    elif op.rules and all([rule.is_slope for rule in op.rules]):
        push.by_slopes = True
        push.needs_target = any([(FROM_ARGUMENT, 0) in rule.sources for rule in op.rules])
    op.push = push
    return push


cdef class DualLevel(Level):
    """Forward-mode differentiation: an aspect is a tangent, or None where there is none."""

    cdef bint marks(self, tuple arguments):
        cdef object value, item
        if Level.marks(self, arguments):
            return True
        for value in arguments:
            for item in value if isinstance(value, (list, tuple)) else (value,):
                if is_at(item, self) and tangent_of(<Wrapped>item) is not None:
                    return True
        return False

    cdef object compute(self, Op op, tuple arguments, object keywords):
        cdef Py_ssize_t i, n = PyTuple_GET_SIZE(arguments)
        cdef tuple values = PyTuple_New(n)
        cdef list tangents = None
        cdef object value, tangent, result
        cdef bint tracked = False
        cdef bint moves = modes.forward_ad and not modes.inference
        cdef int mode = keywords["mode"] if keywords else MODE_NEW
        for i in range(n):
            value = <object>PyTuple_GET_ITEM(arguments, i)
            tangent = None
            if isinstance(value, Tensor):
                if is_at(value, self):
                    tangent = tangent_of(<Wrapped>value)
                    tracked = tracked or needs_grad(<Tensor>value)
                    value = primal_of(self, <Wrapped>value)
            elif type(value) is list or type(value) is tuple:
                tangent = tangents_of_items(self, value)
                if wrapped_at(self, value):
                    tracked = tracked or tracks(self, value)
                    value = type(value)([primal_of(self, <Wrapped>item) if is_at(item, self) else item for item in value])
            Py_INCREF(value)
            PyTuple_SET_ITEM(values, i, value)
            if tangent is not None and moves:
                if tangents is None:
                    tangents = [None] * n
                tangents[i] = tangent
        if mode == MODE_OUT:
            out = keywords["out"]
            if modes.grad and (tracked or needs_grad(out)):
                raise tracked_out(op, False)
            if tangents is not None or (is_at(out, self) and tangent_of(<Wrapped>out) is not None):
                raise NotImplementedError(f"Trying to use forward AD with {op.name}_out that does not support it because it is an out= function")
            run(op, values, {"out": within_level(self, out), "mode": MODE_OUT})
            return out
        if mode == MODE_IN_PLACE:
            return write_dual(self, op, arguments, values, tangents, keywords)
        result = run(op, values, None)
        if tangents is None and not tracked and not (isinstance(op, ViewOp) and within_level(self, arguments[0]) is not arguments[0]):
            return result
        tangent = None
        if tangents is not None:
            tangent = pushed(self, op, values, tangents, result)
            if not isinstance(op, (ViewOp, MultiViewOp)):
                mark_shared(tangent, tangents)
        if isinstance(result, Tensor):
            return dressed_dual(self, <Tensor>result, tangent[0] if tangent is not None else None)
        made = [dressed_dual(self, <Tensor>item, tangent[i] if tangent is not None and i < len(tangent) else None)
                if isinstance(item, Tensor) else item for i, item in enumerate(result)]
        return tuple(made) if type(result) is tuple else made if type(result) is list else type(result)(made)

    def parts(self, value):
        """(primal, tangent or None) of a tensor, wrapped at this level or not."""
        if not isinstance(value, Tensor):
            raise TypeError(f"parts of a {type(value).__name__}")
        if self.shadows is not None:
            value = shadowed(self, value)
        if is_at(value, self):
            return primal_of(self, <Wrapped>value), tangent_of(<Wrapped>value)
        return value, None

cdef Tensor primal_of(DualLevel level, Wrapped wrapped):
    """The value within; where the wrapper is tracked and the value is not, one that leads to the wrapper, so that tangents do."""
    cdef Tensor linked
    if not level.tracks_all or not modes.grad or not needs_grad(wrapped) or needs_grad(wrapped.value):
        return wrapped.value
    linked = alias_of(wrapped.value)
    record_alias(wrapped, linked)
    return linked

cdef object dressed_dual(DualLevel level, Tensor value, object tangent):
    """A result with its tangent."""
    if category[value.code] < IS_FLOATING:
        return value
    if tangent is not None:
        tangent = fitting(<Tensor>tangent, value)
    return wrap_value(level, value, tangent)

cdef object pushed(DualLevel level, Op op, tuple values, list tangents, object result):
    """The tangents of all outputs, a sequence; None where the result does not depend on what is moved."""
    cdef Push push = push_of(op)
    cdef object total = None, slope, term
    cdef Rule rule
    cdef list moved
    cdef Py_ssize_t i
    if push.function is not None:
        # Lists move as a whole: rules expect a tangent for each item.
        for i in range(len(tangents)):
            if type(tangents[i]) is list:
                tangents[i] = filled_tangents(<list>tangents[i], values[i])
        return as_outputs(push.function(*[forward_value(op, kind, index, values, tangents, result) for kind, index in push.sources]))
    if push.linear:
        moved = list(values)
        for index in op.tensor_parameters:
            i = index
            if type(tangents[i]) is list:
                moved[i] = type(values[i])(filled_tangents(<list>tangents[i], values[i]))
            elif tangents[i] is not None:
                moved[i] = tangents[i]
            elif isinstance(moved[i], Tensor):
                moved[i] = zeros_of(moved[i])
        return as_outputs(run(op, tuple(moved), None))
    if push.by_slopes:
        for rule in op.rules:
            tangent = tangents[rule.parameter]
            if tangent is None:
                continue
            slope = rule.function
            if rule.is_identity:
                slope = forward_value(op, rule.sources[0][0], rule.sources[0][1], values, tangents, result)
            elif callable(slope):
                slope = slope(*[forward_value(op, kind, index, values, tangents, result) for kind, index in rule.sources])
            term = times_slope(tangent, slope)
            total = term if total is None else operate(ops.add, total, term)
        return (total,)
    if op.rules:
        raise no_forward_rule(op.no_derivative or op.name)
    return None

# ---------------------------------------------------------------------------------------------------------- in-place calls
cdef object write_dual(DualLevel level, Op op, tuple arguments, tuple values, list tangents, object keywords):
    """An in-place call: the value is written below, and so is its tangent, unless another dual's lies in the same memory."""
    cdef Wrapped target
    cdef Tensor value = <Tensor>values[0]
    cdef Push push = push_of(op)
    cdef list before = list(values)
    cdef object tangent
    if value is <object>arguments[0]:
        return run(op, values, keywords)      # a tensor from outside, written with what has no tangent
    target = <Wrapped>arguments[0]
    if tangents is None:
        run(op, values, keywords)
        if isinstance(op, ViewOp):
            put_within(target, target.value, target.aspect)
        return target
    if isinstance(op, ViewOp):
        tangent = run(op, (tangents[0],) + values[1:], None)
        run(op, values, keywords)
        put_within(target, target.value, tangent)
        return target
    if push.needs_target:
        before[0] = ops.clone(value)
    run(op, values, keywords)
    tangent = pushed(level, op, tuple(before), tangents, value)
    mark_shared(tangent, tangents)
    tangent = tangent[0] if tangent is not None else None
    set_tangent(level, target, value, fitting(<Tensor>tangent, value) if tangent is not None else None)
    return target

cdef int set_tangent(DualLevel level, Wrapped target, Tensor value, object tangent) except -1:
    """After a write: the tangent of the written tensor, and of the base where that is a view."""
    cdef Wrapped base
    cdef Tensor whole
    cdef object have, probe
    if category[value.code] < IS_FLOATING:
        return 0
    have = tangent_of(target)
    if have is not None:
        if tangent is None:
            have.zero_()
            return 0
        if may_write(<Tensor>have, <Tensor>tangent):
            have.copy_(tangent)
            return 0
    if target.whole is None:
        target.aspect = tangent
        return 0
    base = target.whole
    if tangent is None:
        return 0
    have = tangent_of(base)
    # It belongs to the levels of what the base has and of what is written, whichever those are.
    probe = tangent.new_zeros((), dtype=dtypes[base.code])
    if have is not None:
        probe = probe + have.new_zeros(())
    whole = room_like(<Tensor>probe, base)
    if have is None:
        whole.zero_()
    else:
        whole.copy_(have)
    window_of(whole, base, value).copy_(tangent)
    base.aspect = whole
    target.aspect, target.seen = tangent, whole
    return 0

cdef object tangent_of(Wrapped t):
    """The tangent of a wrapper of this level, or None; of a view, anew where its base was written to."""
    cdef Wrapped base
    if t.whole is None:
        return t.aspect
    base = t.whole
    whole = base.aspect
    if t.seen is not whole and whole is not None:
        if t.seen is not None or t.aspect is None:
            t.aspect = window_of(<Tensor>whole, base, t)
        t.seen = whole
    return t.aspect

cdef object tangents_of_items(DualLevel level, items):
    """For a list of tensors: a list of tangents, or None where no item has one."""
    cdef list found = [tangent_of(<Wrapped>item) if is_at(item, level) else None for item in items]
    return None if all([tangent is None for tangent in found]) else found

def no_forward_rule(str name):
    """The error of an op without forward mode."""
    return NotImplementedError(f"Trying to use forward AD with {name} that does not support it because it has not been implemented yet.\n"
                               "Please file an issue to PyTorch at https://github.com/pytorch/pytorch/issues/new?template=feature-request.yml so that "
                               "we can prioritize its implementation or submit a PR adding the implementation to derivatives.yaml")

cdef object within_level(Level level, object value):
    cdef Depth depth
    if type(value) is Wrapped:
        return (<Wrapped>value).value if (<Wrapped>value).level is level else value
    if type(value) is list or type(value) is tuple:
        depth.enter()
        return type(value)([within_level(level, item) for item in value])
    return value

cdef object as_outputs(object tangents):
    return (tangents,) if isinstance(tangents, Tensor) or tangents is None else tangents

cdef int lose_tangent(Tensor t) except -1:
    """After detach_(): nothing is left of the tangent that `t`, or what stands for it, has at a level of forward_ad, or at one of func.jvp
    that is the innermost transform."""
    cdef Level level
    cdef object entered
    for entered in interpreter_stack():
        if isinstance(entered, DualLevel) and ((<Level>entered).tracks_all or (<Level>entered).depth == modes.transforms):
            level = <Level>entered
            if is_at(t, level):
                (<Wrapped>t).aspect = None
                if level.tracks_all:
                    (<Wrapped>t).value = (<Wrapped>t).value.alias()
            elif level.shadows is not None:
                level.shadows.pop(<size_t><PyObject*>t, None)
    return 0

cdef int mark_shared(object results, list tangents) except -1:
    """Notes where a result's tangent lies in the memory of an argument's: neither may then be written into for the other's sake."""
    cdef object result, tangent
    if results is None:
        return 0
    for result in results:
        if isinstance(result, Tensor):
            for tangent in tangents:
                if type(tangent) is list:
                    mark_shared((result,), <list>tangent)
                elif isinstance(tangent, Tensor) and (<Tensor>tangent).storage is (<Tensor>result).storage:
                    (<Tensor>tangent).storage.holds_tangents = True
    return 0

cdef bint may_write(Tensor have, Tensor tangent) except -1:
    """Can `tangent` be written into the tangent `have`? Not where others share its memory, or where it lacks a level or a batch."""
    cdef Wrapped outer, inner
    if have.storage.holds_tangents or modes.grad and needs_grad(have) and edge_of(have) is not None and type(edge_of(have)) is AccumulateGrad:
        return False
    if type(tangent) is not Wrapped:
        return True
    if type(have) is not Wrapped:
        return False
    outer, inner = <Wrapped>have, <Wrapped>tangent
    if outer.level is not inner.level:
        return may_write(outer.value, tangent)
    if isinstance(outer.level, BatchLevel) and outer.aspect is None and inner.aspect is not None:
        return False
    return may_write(outer.value, inner.value)

cdef Tensor room_like(Tensor source, Tensor value):
    """An unfilled tensor of the dtype and levels of `source`, in the layout of `value` and lazy as that is."""
    cdef Tensor laid
    if type(source) is Tensor:
        laid = laid_out(source.code, value.geometry)
        laid.flags |= value.flags & LAZY
        return laid
    room = source.new_zeros((value.geometry.reach(0),))
    return <Tensor>turned(ops.as_strided(room, make_size(value.geometry.shape, value.geometry.ndim),
                                        make_tuple(value.geometry.strides, value.geometry.ndim), 0), value.flags)

cdef object zeros_of(object value):
    return value.new_zeros(value.shape)

cdef list filled_tangents(list tangents, values):
    """One tangent for each item of a list of tensors: zeros where there is none."""
    return [zeros_of(value) if tangent is None and isinstance(value, Tensor) else tangent for tangent, value in zip(tangents, values)]

cdef object forward_value(Op op, int kind, int index, tuple values, list tangents, object result):
    """The value that a forward rule's parameter stands for."""
    if kind == FROM_ARGUMENT:
        return promoted_operand(values[index], (<Tensor>result).code) if op.promotes else values[index]
    if kind == FROM_TANGENT:
        return tangents[index]
    if kind == FROM_OUTPUT:
        return result if isinstance(result, Tensor) else result[index]
    return metadata_of(values[index], kind)

cdef object fitting(Tensor tangent, Tensor value):
    """The tangent with its value's shape and dtype: a broadcast input's is expanded, that of a narrower dtype converted."""
    cdef object fit = tangent
    if tangent.code != value.code:
        if category[tangent.code] == IS_COMPLEX and category[value.code] != IS_COMPLEX:
            fit = ops._real(fit)
        if (<Tensor>fit).code != value.code:
            fit = ops._to_dtype(fit, dtypes[value.code])
    if not tangent.geometry.same_shape(value.geometry):
        fit = fit.expand(make_size(value.geometry.shape, value.geometry.ndim))
    return laid_like(<Tensor>fit, value)

cdef object laid_like(Tensor tangent, Tensor value):
    """The tangent in its value's layout, and lazy as that is: a copy where it is otherwise."""
    cdef Tensor laid
    if (tangent.flags ^ value.flags) & LAZY:
        tangent = <Tensor>turned(ops.clone(turned(tangent, value.flags)), value.flags)
    if tangent.flags & value.flags & CONTIGUOUS or tangent.geometry.same_strides(value.geometry):
        return tangent
    if value.flags & CONTIGUOUS:
        return tangent.contiguous()
    if value.geometry.overlaps_itself():
        return tangent
    laid = room_like(tangent, value)
    laid.copy_(tangent)
    return laid

cdef object window_of(Tensor whole, Tensor base, Tensor view):
    """The part of `whole`, a tensor like `base`, that corresponds to a view of `base`."""
    cdef int64_t offset = view.offset - base.offset
    cdef Tensor seen = <Tensor>turned(whole, base.flags)      # as it lies in memory, if the base is lazy …
    if seen.flags & CONJUGATE and view.code != base.code:
        seen = <Tensor>ops.clone(seen)
    seen = <Tensor>in_kind_of(seen, view.code)
    seen = <Tensor>ops.as_strided(seen, make_size(view.geometry.shape, view.geometry.ndim), make_tuple(view.geometry.strides, view.geometry.ndim),
                                 offset // item_bytes[view.code] + seen.storage_offset())
    return turned(seen, view.flags)      # … and as the view has it

def make_dual(DualLevel level not None, Tensor primal not None, Tensor tangent not None):
    """`primal` with a tangent, at `level`; at one of forward_ad, backward leads from the result to a tracked `primal`."""
    cdef Wrapped out = wrap_value(level, primal, laid_like(tangent, primal))
    cdef PyObject* args[2]
    if level.tracks_all:
        link_view(out, primal)
        if modes.grad and needs_grad(primal):
            shape = primal.shape
            args[0], args[1] = <PyObject*>primal, <PyObject*>shape
            record_as(ops.view, args, out)
    return out

def unpack_dual(DualLevel level not None, Tensor value not None):
    """(value without tangent, tangent or None): a view of the value, which backward passes through."""
    cdef object tangent
    cdef Tensor primal, seen = value if level.shadows is None else <Tensor>shadowed(level, value)
    primal, tangent = level.parts(seen)
    if type(seen) is not Wrapped or (<Wrapped>seen).level is not level:
        return primal, None
    primal = alias_of(primal)
    if modes.grad and needs_grad(seen):
        record_alias(seen, primal)
    return primal, tangent

def is_forward_ad_enabled():
    """Whether forward-mode differentiation is on in this thread."""
    return modes.forward_ad and not modes.inference

def set_forward_ad_enabled(bint enabled):
    """Switches forward-mode differentiation in this thread; returns what it was."""
    cdef bint before = modes.forward_ad
    modes.forward_ad = enabled
    return before

def with_tangent(DualLevel level not None, Tensor value not None, tangent):
    """`value`, wrapped at `level` or the new result of an operation, as a dual tensor with the given tangent, in value's place in the graph."""
    cdef Wrapped out
    if is_at(value, level):
        (<Wrapped>value).aspect = None if tangent is None else fitting(<Tensor>tangent, (<Wrapped>value).value)
        return value
    if tangent is None:
        return value
    out = wrap_value(level, value, fitting(<Tensor>tangent, value))
    if level.tracks_all:
        out.base, out.creation, out.seen_version = value.base, value.creation, value.seen_version
        if tracked_itself(value):
            set_history(out, value.grad_fn_, value.output_number)
    return out
