# Ops of the table, and methods, that the core itself calls.
@cython.final
cdef class Ops:
    """Each has its name here, once."""

cdef Ops ops = Ops()


cdef object turned(object x, uint8_t flags):
    """A view of `x` with some of the lazy flags other than they are."""
    if flags & CONJUGATE:
        x = ops._conj(x)
    if flags & NEGATIVE:
        x = ops._neg_view(x)
    return x
