# What a program inside of a derivative may not write into.
cdef bint is_captured(Tensor x, int limit) noexcept:
    """Does a program that stands in `limit` transforms know `x` from outside of a derivative?"""
    cdef int depth = x.depth if x.base is None else min(x.depth, x.base.depth), lowest = level_depth(x)
    while limit > max(depth, lowest):
        limit -= 1
        if modes.derivatives >> (limit & 63) & 1:
            return True
    return type(x) is Wrapped and not (<Wrapped>x).level.tracks_all and is_captured((<Wrapped>x).value, lowest - 1)

cdef int refuse_captured(Op op, Tensor target, bint of_tensor) except -1:
    """Raises where a program in a derivative is about to write into a tensor from outside of it."""
    if modes.at_work or not is_captured(target, modes.transforms):
        return 0
    from rushlight.ops._names import dispatched_name
    name = dispatched_name(op, (target, target if of_tensor else None), True)
    raise RuntimeError("During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place operation "
                       f"(aten::{name}) that would mutate a captured Tensor. This is not supported; please rewrite the "
                       "function being transformed to explicitly accept the mutated Tensor(s) as inputs.")
