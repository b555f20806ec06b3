"""Pooling and resampling: the examples of a batch are samples of a larger one."""

from rushlight.func.batching._table import repeated, torch

run = torch.core.run


def windows(op, arguments, batched, size):
    return as_samples(op, arguments, batched, size, len(arguments[op.parameters.index("size")]))


def resampled(op, arguments, batched, size):
    if "shape" in op.parameters:
        *rest, (samples, *shape) = arguments
        arguments = (*rest, (size * samples, *shape))
    return as_samples(op, arguments, batched, size, len(arguments[op.parameters.index("sizes")]))


def as_samples(op, arguments, batched, size, count):
    """Tensors [size, N, C, positions…] as [size N, C, positions…]; without samples of their own the examples are the samples."""
    tensors = [place for place, value in enumerate(arguments) if isinstance(value, torch.Tensor)]
    given = [repeated(value, batched[i], size) if i in tensors else value for i, value in enumerate(arguments)]
    x = given[0]
    if x.ndim == count + 2:
        return run(op, tuple(given))
    if x.ndim != count + 3:
        raise RuntimeError("the input has other dimensions")
    made = run(op, tuple(value.flatten(0, 1) if i in tensors else value for i, value in enumerate(given)))
    shape = x.shape[:2]
    return tuple(each.unflatten(0, shape) for each in made) if isinstance(made, tuple) else made.unflatten(0, shape)


def sampled(op, arguments, batched, size):
    """The examples' samples are those of a larger batch; each has its own part of the grid."""
    x, grid, *rest = arguments
    x, grid = repeated(x, batched[0], size), repeated(grid, batched[1], size)
    if x.ndim not in (5, 6) or grid.ndim != x.ndim:
        raise RuntimeError("the input has other dimensions")
    return run(op, (x.flatten(0, 1), grid.flatten(0, 1), *rest)).unflatten(0, x.shape[:2])


def affine(op, arguments, batched, size):
    theta, (samples, *rest), corners = arguments
    return run(op, (theta.flatten(0, 1), (size * samples, *rest), corners)).unflatten(0, theta.shape[:2])
