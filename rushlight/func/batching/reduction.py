"""Ops that fold dimensions, or work along one: dimensions move up by one to make place for the batch."""

from rushlight.core import wrap_dim
from rushlight.func.batching._table import each, repeated, short_way, torch

run = torch.core.run


def shifted(dim, ndim):
    """The dimensions of examples as dimensions of the batch."""
    if isinstance(dim, int):
        return wrap_dim(dim, ndim) + 1
    dims = [wrap_dim(d, ndim) for d in dim]
    for place, d in enumerate(dims):
        if d in dims[:place]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return tuple(d + 1 for d in dims)


def exchanged(arguments, place, value):
    return (*arguments[:place], value, *arguments[place + 1 :])


def flattens(op):
    """Whether a reduction of one dimension sees the elements in one row where no `dim` is given."""
    return type(op) is torch.core.ReductionOp and op.single


@short_way("shifted")
def reduction(op, arguments, batched, size):
    """The rule of all reductions."""
    x, place = arguments[0], op.parameters.index("dim")
    ndim = x.ndim - 1
    dim = arguments[place]
    keep_place = op.keywords.get("keepdim", -1)
    keepdim = keep_place >= 0 and arguments[keep_place]
    everything = dim is None or (not isinstance(dim, int) and len(dim) == 0)
    if ndim == 0:
        # An example without dimensions is folded as a row of one element.
        if not everything:
            shifted(dim, 0)
        arguments = exchanged(arguments, 0, x.unsqueeze(1))
        if keep_place >= 0:
            arguments = exchanged(arguments, keep_place, False)
        return run(op, exchanged(arguments, place, 1 if isinstance(dim, int) or flattens(op) else (1,)))
    if not everything:
        return run(op, exchanged(arguments, place, shifted(dim, ndim)))
    if not flattens(op):
        return run(op, exchanged(arguments, place, tuple(range(1, ndim + 1))))
    result = run(op, exchanged(exchanged(arguments, 0, x.flatten(1)), place, 1))
    return result.reshape(-1, *(1,) * ndim) if keepdim else result


def whole(fold):
    """The rule of max() and min(), which have another op for some dimensions."""
    return lambda op, arguments, batched, size: (
        arguments[0].clone() if arguments[0].ndim == 1 else fold(arguments[0], tuple(range(1, arguments[0].ndim)))
    )


def middle(fold):
    """The rule of median() and nanmedian(), which have another op for one dimension."""
    return lambda op, arguments, batched, size: (
        fold(arguments[0].reshape(size, -1), 1)[0] if arguments[0].numel() else arguments[0].new_full((size,), float("nan"))
    )


whole_amax, whole_amin = whole(torch.Tensor.amax), whole(torch.Tensor.amin)
median_of_all, nanmedian_of_all = middle(torch.Tensor.median), middle(torch.Tensor.nanmedian)


# ---- along one dimension --------------------------------------------------------------------------------------------------
@short_way("shifted")
def gated(op, arguments, batched, size):
    if arguments[0].ndim == 1:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    return along_one(op, arguments, batched, size)


@short_way("shifted")
def along_one(op, arguments, batched, size):
    """Ops whose one input has a `dim`; an example without dimensions is a row of one element."""
    x, place = arguments[0], op.parameters.index("dim")
    ndim = x.ndim - 1
    arguments = exchanged(arguments, place, shifted(arguments[place], ndim))
    if ndim:
        return run(op, arguments)
    if "keepdim" in op.parameters:
        arguments = exchanged(arguments, op.parameters.index("keepdim"), True)
    return each(run(op, exchanged(arguments, 0, x.unsqueeze(1))), lambda result: result.squeeze(1))


def along_two(op, arguments, batched, size):
    """Ops whose two inputs of one shape have a `dim`."""
    a, b, dim = arguments
    ndim = a.ndim - batched[0]
    a, b, dim = repeated(a, batched[0], size), repeated(b, batched[1], size), shifted(dim, ndim)
    return run(op, (a, b, dim)) if ndim else run(op, (a.unsqueeze(1), b.unsqueeze(1), dim)).squeeze(1)
