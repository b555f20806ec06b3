# How many transforms a program stands in, and a value was made within.
cdef inline void enter_depth(bint derivative) noexcept:
    cdef uint64_t bit = <uint64_t>1 << (modes.transforms & 63)
    modes.derivatives = modes.derivatives | bit if derivative else modes.derivatives & ~bit
    modes.transforms += 1

def left(value, int step=0):
    """`value`, a tensor or a list of them, as a result of a transform that has ended, or (with a `step` of -1) is about to end."""
    cdef object item
    cdef int depth = modes.transforms + step
    cdef Depth nested
    if isinstance(value, Tensor):
        if (<Tensor>value).depth > depth:
            (<Tensor>value).depth = <uint8_t>depth
    elif type(value) is list or type(value) is tuple:
        nested.enter()
        for item in value:
            left(item, step)
    return value

def derivatives_around(Tensor x not None, int limit=-1):
    """The depths of the derivatives that `x` is an intermediate value of, the innermost first, and of the level that it is wrapped at (or 0).

    Only those no deeper than `limit` (default: now) count. A value of a derivative that has ended has the depth -2.
    """
    cdef int lowest = level_depth(x), d
    cdef list found = []
    if limit < 0:
        limit = modes.transforms
        # (What kind of transform has ended is known until another takes its place.)
        if x.depth > limit and lowest <= limit and modes.derivatives >> (x.depth - 1 & 63) & 1:
            found.append(-2)
    for d in range(min(x.depth, limit), lowest, -1):
        if modes.derivatives >> (d - 1 & 63) & 1:
            found.append(d)
    return found, lowest

def wrapper_kind(Tensor x not None):
    """What PyTorch calls the tensor that a transform makes of `x`: "TensorWrapper", "BatchedTensorImpl", or None for a plain one."""
    cdef int depth = min(x.depth, modes.transforms), lowest = level_depth(x)
    while depth > lowest:
        if modes.derivatives >> (depth - 1 & 63) & 1:
            return "TensorWrapper"
        depth -= 1
    if type(x) is Wrapped and not (<Wrapped>x).level.tracks_all:
        if isinstance((<Wrapped>x).level, DualLevel):
            return "TensorWrapper"
        return wrapper_kind((<Wrapped>x).value) if (<Wrapped>x).aspect is None else "BatchedTensorImpl"
    return None

cpdef refuse_memory(Tensor x):
    """Raises where a transform stands between a program and the memory of `x`."""
    if (x.depth or type(x) is Wrapped) and wrapper_kind(x) is not None:
        raise RuntimeError("Cannot access data pointer of Tensor that doesn't have storage")

def in_transform():
    """Whether a level is entered in this thread, or a function is being transformed."""
    return modes.interpreters > 0 or modes.transforms > 0

def is_differentiating():
    """Whether one of the transforms that the program stands in is a derivative."""
    return modes.derivatives & ((<uint64_t>1 << (modes.transforms & 63)) - 1) != 0

class at_depth:
    """A context for a function that a transform calls outside of itself: what it makes, and asks, is `depth` transforms deep."""

    def __init__(self, depth):
        self.depth = depth

    def __enter__(self):
        self.before = modes.transforms, modes.derivatives
        modes.transforms = self.depth

    def __exit__(self, *exc):
        modes.transforms, modes.derivatives = self.before

def transform_depth():
    """How many functions that are being transformed the program stands in."""
    return modes.transforms

def set_depth(Tensor x not None, int depth):
    """Says that `x` is of the transform at `depth`."""
    x.depth = <uint8_t>depth
    return x

def is_of_transform(Tensor x not None):
    """Whether `x` is an intermediate value of a transform, active or ended."""
    return x.depth > 0 or type(x) is Wrapped
