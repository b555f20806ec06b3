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
