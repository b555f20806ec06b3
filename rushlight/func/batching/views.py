"""Views: the same view of every example is a view of the batch."""

import functools

from rushlight import core
from rushlight.func.batching._table import last_dims, refusal, short_way, torch, unchanged
from rushlight.func.batching.reduction import shifted
from rushlight.ops._views import DIMENSIONS, copied, make, viewable
from rushlight.ops.parts import window
from rushlight.ops.shape import squeeze_several

run = torch.core.run


def sizes_of(size):
    return (size,) if isinstance(size, int) else tuple(size)


def rule(op):
    """The batching rule of a view whose declaration names none."""
    if any(parameter in DIMENSIONS for parameter in op.parameters):
        return several if isinstance(op, core.MultiViewOp) else side_by_side if callable(op.geometry) else moved
    return side_by_side if callable(op.geometry) else unchanged


def dims_moved(op, arguments, ndim):
    """The arguments, with dimensions of examples as dimensions of the batch."""
    return tuple(
        [shifted(value, ndim) if name in DIMENSIONS else value for name, value in zip(op.parameters, arguments, strict=True)]
    )


@short_way("shifted")
def moved(op, arguments, batched, size):
    """The dimensions move up by one."""
    ndim = arguments[0].ndim - 1
    return run(op, dims_moved(op, arguments, ndim)) if ndim else side_by_side(op, arguments, batched, size)


@short_way("shifted")
def several(op, arguments, batched, size):
    if arguments[0].ndim == 1:
        raise RuntimeError("Dimension specified as 0 but tensor has no dimensions")
    return run(op, dims_moved(op, arguments, arguments[0].ndim - 1))


@functools.cache
def over_batch(op):
    """The view that shows of a batch what `op` shows of each example."""

    def geometry(sizes, strides, *arguments):
        inner, steps, *start = op.shows(sizes[1:], strides[1:], *arguments)
        return (sizes[0], *inner), (strides[0], *steps), *start

    return make(op.declaration, geometry)


def side_by_side(op, arguments, batched, size):
    """What is true of any view: it shows the same of each example."""
    return run(over_batch(op), arguments)


def gradient(op, arguments, batched, size):
    """The cotangent of a view."""
    x, sizes, *rest = arguments
    if rule(op.view) is moved and len(sizes):
        return run(op, (x, (size, *sizes), *dims_moved(op, arguments, len(sizes))[2:]))
    return run(over_batch(op.view).gradient, (x, (size, *sizes), *rest))


def copy(op, arguments, batched, size):
    """A copy of what a view shows."""
    return copied(core.on_batch(op.view, (viewable(op.view, arguments[0]), *arguments[1:]), batched, size))


view_as_complex = last_dims(1)


def plainly(way):
    """The rule of views of batches that the core makes by itself; what it does not take, an example refuses."""

    @short_way(way)
    def rule(op, arguments, batched, size):
        raise RuntimeError("no view of the examples")

    return rule


view = expand = plainly("sizes")
permute, matrix_t, unsqueeze = plainly("permuted"), plainly("transposed"), plainly("unsqueezed")


def view_as_dtype(op, arguments, batched, size):
    x, dtype = arguments
    if x.ndim == 1 and x.dtype.itemsize != dtype.itemsize:
        raise RuntimeError("the examples have no last dimension to divide")
    return run(op, arguments)


def squeeze_all(op, arguments, batched, size):
    x = arguments[0]
    return run(squeeze_several, (x, tuple(d for d in range(1, x.ndim) if x.shape[d] == 1)))


def reach(sizes, strides, start):
    """The first place behind a window."""
    return start if 0 in sizes else start + 1 + sum((n - 1) * step for n, step in zip(sizes, strides, strict=True))


def as_strided(op, arguments, batched, size):
    """The window of each example counts from where the example starts, and stays within it."""
    x, shape, strides, offset, _, x_offset = arguments
    start = 0 if offset is None else offset - x_offset
    shape, strides = sizes_of(shape), sizes_of(strides)
    if len(shape) != len(strides):
        raise refusal(
            "Tensor.as_strided(size, stride, ...): size and stride must have the same length! "
            f"Got size {list(shape)} and stride {list(strides)}"
        )
    least, most = start, reach(shape, strides, start)
    available = reach(x.shape[1:], x.stride()[1:], 0)
    if most > available or least < 0:
        raise RuntimeError(
            f"result = tensor.as_strided({list(shape)}, {list(strides)}, {start}) can access memory outside of `tensor`. `result` can "
            f"access some memory in range [{least}, {most}], but `tensor` can only access some memory in range [0, {available}]. This "
            "is not supported inside of vmap, please try to rewrite the `as_strided` call as a sequence of PyTorch view operations"
        )
    return run(
        window, (x, (x.shape[0], *shape), (x.stride(0), *strides), x.storage_offset() + start, x.stride(), x.storage_offset())
    )
