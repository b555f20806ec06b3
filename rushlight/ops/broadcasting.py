"""What several shapes have in common: that which all of them broadcast to."""

from collections.abc import Sequence

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite


def broadcast_two(a, b):
    """The shape that shapes a and b broadcast to, or the error that PyTorch's operators give."""
    if a == b:
        return a
    ndim = max(len(a), len(b))
    result = []
    for d in reversed(range(ndim)):
        m = a[d - ndim + len(a)] if d >= ndim - len(a) else 1
        n = b[d - ndim + len(b)] if d >= ndim - len(b) else 1
        if m != n and m != 1 and n != 1:
            raise RuntimeError(f"The size of tensor a ({m}) must match the size of tensor b ({n}) at non-singleton dimension {d}")
        result.append(n if m == 1 else m)
    return tuple(reversed(result))


check_broadcast = core.Parser("broadcast_tensors", "tensors tensors")


@composite(method=False)
def broadcast_tensors(*tensors) -> "tuple[torch.Tensor, ...]":
    """The tensors expanded to their common shape.

    Args:
        tensors: the tensors. The results are views. RuntimeError where shapes do not fit.

    >>> import rushlight as torch
    >>> torch.broadcast_tensors(torch.tensor([1, 2]), torch.tensor([[3], [4]]))
    (tensor([[1, 2],
            [1, 2]]), tensor([[3, 3],
            [4, 4]]))
    """
    for tensor in tensors:
        if not isinstance(tensor, core.Tensor):
            handled = core.dispatch_torch_function(broadcast_tensors, tensors, tensors, {}, True)
            if handled is not NotImplemented:
                return handled
    check_broadcast(tensors)
    shape = ()
    for tensor in tensors:
        shape = broadcast_two(shape, tuple(tensor.shape))
    return tuple(tensor if tensor.shape == shape else tensor.expand(shape) for tensor in tensors)


@composite(method=False)
def broadcast_shapes(*shapes) -> "torch.Size":
    """The common shape that the given ones broadcast to.

    Args:
        shapes: the shapes, as tuples or ints. RuntimeError where they do not fit.

    >>> import rushlight as torch
    >>> torch.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    result = []
    shapes = [(shape,) if isinstance(shape, int) else shape for shape in shapes if shape is not None]
    for shape in shapes:
        if not isinstance(shape, Sequence):
            raise RuntimeError(f"Input shapes should be of type ints, a tuple of ints, or a list of ints, got {shape}")
    for place, shape in enumerate(shapes):
        result = [1] * (len(shape) - len(result)) + result
        for d in range(-1, -len(shape) - 1, -1):
            if shape[d] == result[d]:
                continue
            if result[d] == 1 and shape[d] < 0:
                raise ValueError("Attempting to broadcast a dimension with negative length!")
            if shape[d] == 1:
                continue
            if result[d] != 1:
                raise RuntimeError(
                    f"Attempting to broadcast a dimension of length {shape[d]} at {d}! Mismatching argument at index {place} had {shape}; "
                    f"but expected shape should be broadcastable to {result}"
                )
            result[d] = shape[d]
    return core.Size(result)
