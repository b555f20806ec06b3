"""Ops that work element by element: the examples' dimensions are lined up, and the op does the rest."""

from rushlight.func.batching._table import batch_rule, lined_up, refusal, repeated, torch
from rushlight.ops import table

BYTE = torch.uint8
AS_STORED = {table[name] for name in ("_where", "_clamp_below", "_clamp_above", "_clamp_between")}
"""Ops for which a batch of examples without dimensions promotes as what it is, a tensor with one."""


def category(dtype):
    return 3 if dtype.is_complex else 2 if dtype.is_floating_point else 0 if dtype is torch.bool else 1


def joined(a, b):
    return b if a is None else a if b is None else torch.promote_types(a, b)


def promoted(arguments, batched, operands):
    """The arguments cast as the examples' promotion wants: an example without dimensions gives way, though its batch has one."""
    with_dims = without = None
    for i in operands:
        x = arguments[i]
        if isinstance(x, torch.Tensor):
            if x.ndim > batched[i]:
                with_dims = joined(with_dims, x.dtype)
            else:
                without = joined(without, x.dtype)
    if with_dims is None or without is None or category(without) > category(with_dims):
        dtype = joined(with_dims, without)
    else:
        dtype = with_dims
    for i in operands:
        x = arguments[i]
        if isinstance(x, torch.Tensor) and x.dtype is not dtype:
            arguments[i] = x.to(dtype)


def aligned(op, arguments, batched, operands):
    """The arguments with every example of as many dimensions as the largest."""
    ndim, dtypes, flat = 0, None, False
    mixed = False
    for i in operands:
        x = arguments[i]
        if isinstance(x, torch.Tensor):
            inner = x.ndim - batched[i]
            ndim = max(ndim, inner)
            mixed = mixed or (dtypes is not None and x.dtype is not dtypes)
            dtypes = x.dtype
            flat = flat or (batched[i] and inner == 0)
    arguments = list(arguments)
    if mixed and flat and op not in AS_STORED:
        promoted(arguments, batched, operands)
    for i in operands:
        if batched[i]:
            arguments[i] = lined_up(arguments[i], True, ndim)
    return arguments


def pointwise(op, arguments, batched, size):
    """The rule of all pointwise ops."""
    return torch.core.run(op, tuple(aligned(op, arguments, batched, op.tensor_parameters)))


@batch_rule("mvlgamma", "frexp", "detach_copy")
def unary(op, arguments, batched, size):
    return torch.core.run(op, arguments)


@batch_rule("_rrelu", "_hardsigmoid_gradient")
def binary(op, arguments, batched, size):
    return torch.core.run(op, tuple(aligned(op, arguments, batched, (0, 1))))


@batch_rule("_depends", "_ends")
def depends(op, arguments, batched, size):
    value, *rest = arguments
    return torch.core.run(op, (repeated(value, batched[0], size), *rest))


@batch_rule("clone")
def clone(op, arguments, batched, size):
    _, memory_format = arguments
    if memory_format in (torch.channels_last, torch.channels_last_3d):
        name = "ChannelsLast" if memory_format is torch.channels_last else "ChannelsLast3d"
        raise refusal(
            "NYI: Tensor.clone(memory_format) inside vmap is only supported with memory_format torch.preserve_format or "
            f"torch.contiguous_format (got {name})"
        )
    return torch.core.run(op, arguments)


@batch_rule("_to_copy")
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


@batch_rule(
    "mse_loss", "smooth_l1_loss", "huber_loss", "soft_margin_loss", "_binary_cross_entropy", "_binary_cross_entropy_with_logits"
)
def element_loss(op, arguments, batched, size):
    at = op.parameters.index("reduction")
    operands = [i for i, value in enumerate(arguments) if isinstance(value, torch.Tensor)]
    arguments = aligned(op, arguments, batched, operands)
    reduction, arguments[at] = arguments[at], "none"
    return folded(torch.core.run(op, tuple(arguments)), reduction)
