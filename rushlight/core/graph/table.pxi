# What the core itself calls of Python: ops of the table and methods, and what it asks.
@cython.final
cdef class Ops:
    """Each has its name here, once."""

@cython.final
cdef class Asked:
    """So has each question."""

cdef Ops ops = Ops()
cdef Asked asked = Asked()
asked.grad_layout = True
globals()["asked"] = asked      # (for Python)

cdef object turned(object x, uint8_t flags):
    """A view of `x` with some of the lazy flags other than they are."""
    if flags & CONJUGATE:
        x = ops._conj(x)
    if flags & NEGATIVE:
        x = ops._neg_view(x)
    return x
