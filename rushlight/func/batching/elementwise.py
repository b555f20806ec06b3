"""Ops that work element by element: the examples' dimensions are lined up, and the op does the rest."""

from rushlight.core import lined_up
from rushlight.func.batching._table import refusal, repeated, short_way, torch, unchanged


def aligned(arguments, batched, operands, promotes=True):
    """The arguments with every example of as many dimensions as the largest."""
    tensors = {i: arguments[i] for i in operands if isinstance(arguments[i], torch.Tensor)}
    ndim = max([x.ndim - batched[i] for i, x in tensors.items()], default=0)
    arguments = list(arguments)
    if promotes and len({x.dtype for x in tensors.values()}) > 1 and any(batched[i] and x.ndim == 1 for i, x in tensors.items()):
        # As the examples' promotion wants: an example without dimensions gives way, though its batch has one.
        dtype = torch.core.promoted_dtype([(x.dtype, x.ndim > batched[i]) for i, x in tensors.items()])
        arguments = [x.to(dtype) if i in tensors else x for i, x in enumerate(arguments)]
    for i in operands:
        if batched[i]:
            arguments[i] = lined_up(arguments[i], True, ndim)
    return arguments


@short_way("pointwise")
def pointwise(op, arguments, batched, size):
    """The rule of all pointwise ops."""
    return torch.core.run(op, tuple(aligned(arguments, batched, op.tensor_parameters)))


@short_way("pointwise")
def as_stored(op, arguments, batched, size):
    """For these a batch of examples without dimensions promotes as what it is, a tensor with one."""
    return torch.core.run(op, tuple(aligned(arguments, batched, op.tensor_parameters, promotes=False)))


unary = unchanged


def several(op, arguments, batched, size):
    """Ops whose tensors broadcast, whichever they are."""
    return torch.core.run(op, tuple(aligned(arguments, batched, places_of_tensors(arguments))))


def places_of_tensors(arguments):
    return [i for i, value in enumerate(arguments) if isinstance(value, torch.Tensor)]


def depends(op, arguments, batched, size):
    value, *rest = arguments
    return torch.core.run(op, (repeated(value, batched[0], size), *rest))


def clone(op, arguments, batched, size):
    _, memory_format = arguments
    if memory_format in (torch.channels_last, torch.channels_last_3d):
        name = "ChannelsLast" if memory_format is torch.channels_last else "ChannelsLast3d"
        raise refusal(
            "NYI: Tensor.clone(memory_format) inside vmap is only supported with memory_format torch.preserve_format or "
            f"torch.contiguous_format (got {name})"
        )
    return torch.core.run(op, arguments)


def converted(op, arguments, batched, size):
    x, *rest, memory_format = arguments
    if memory_format in (torch.channels_last, torch.channels_last_3d):
        # The format is that of an example. The batch stays in front: a dimension that a format has no word for.
        rank = 4 if memory_format is torch.channels_last else 5
        if x.ndim != rank + 1:
            raise RuntimeError("the examples have another number of dimensions")
        last = torch.core.run(op, (x.movedim(2, -1), *rest, torch.contiguous_format))
        return last.movedim(-1, 2)
    return torch.core.run(op, arguments)


# ---- losses ---------------------------------------------------------------------------------------------------------------
def folded(loss, reduction):
    """The loss of each element folded over all dimensions of an example."""
    dims = tuple(range(1, loss.ndim))
    if reduction == "none" or not dims:
        return loss
    return loss.mean(dims) if reduction == "mean" else loss.sum(dims)


def element_loss(op, arguments, batched, size):
    at = op.parameters.index("reduction")
    arguments = aligned(arguments, batched, places_of_tensors(arguments))
    reduction, arguments[at] = arguments[at], "none"
    return folded(torch.core.run(op, tuple(arguments)), reduction)


def composed(op, arguments, batched, size):
    """The rule of an op whose forward is made of ops: those are batched."""
    in_dims = tuple(
        [0 if each else None for each in flag] if isinstance(flag, list | tuple) else 0 if flag else None for flag in batched
    )
    return torch.vmap(op.function, in_dims=in_dims)(*arguments)
