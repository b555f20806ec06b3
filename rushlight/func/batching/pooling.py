"""Pooling and resampling: the examples of a batch are samples of a larger one."""

from rushlight.func.batching._table import repeated, samples, torch
from rushlight.func.batching.elementwise import places_of_tensors


def windows(op, arguments, batched, size):
    return of_images(op, arguments, batched, size, len(arguments[op.parameters.index("size")]))


def resampled(op, arguments, batched, size):
    if "shape" in op.parameters:
        *rest, (count, *shape) = arguments
        arguments = (*rest, (size * count, *shape))
    return of_images(op, arguments, batched, size, len(arguments[op.parameters.index("sizes")]))


def of_images(op, arguments, batched, size, count):
    """Tensors of examples [N, C, positions…], of `count` dimensions of positions; without samples of their own the examples are the samples."""
    tensors = places_of_tensors(arguments)
    if arguments[0].ndim - batched[0] == count + 1:
        given = [repeated(value, batched[i], size) if i in tensors else value for i, value in enumerate(arguments)]
        return torch.core.run(op, tuple(given))
    if arguments[0].ndim - batched[0] != count + 2:
        raise RuntimeError("the input has other dimensions")
    return samples(op, arguments, batched, size, tensors)


def sampled(op, arguments, batched, size):
    """Each sample has its own part of the grid."""
    ndim = arguments[0].ndim - batched[0]
    if ndim not in (4, 5) or arguments[1].ndim - batched[1] != ndim:
        raise RuntimeError("the input has other dimensions")
    return samples(op, arguments, batched, size, (0, 1))


def affine(op, arguments, batched, size):
    theta, (count, *rest), corners = arguments
    return samples(op, (theta, (size * count, *rest), corners), batched, size)
