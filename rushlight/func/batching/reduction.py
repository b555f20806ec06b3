"""Ops that fold dimensions, or work along one: dimensions move up by one to make place for the batch."""

from rushlight.func.batching._table import batch_rule, lined_up, repeated, torch, wrapped
from rushlight.ops import table

run = torch.core.run

FLATTENING = {table[name] for name in ("prod", "argmax", "argmin")}
"""Without `dim` they see the elements in one row."""


SHIFTED = (
    "cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "softmax", "log_softmax", "glu", "sort_along", "topk", "kthvalue", "mode",
    "median", "nanmedian", "logsumexp", "real_var_mean", "real_std_mean",
)  # fmt: skip
"""Ops of one tensor, besides the reductions, whose dimensions only have to move up."""


def shifted(dim, ndim):
    """The dimensions of examples as dimensions of the batch."""
    if isinstance(dim, int):
        return wrapped(dim, ndim) + 1
    dims = [wrapped(d, ndim) for d in dim]
    for place, d in enumerate(dims):
        if d in dims[:place]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return tuple(d + 1 for d in dims)


def exchanged(arguments, place, value):
    return (*arguments[:place], value, *arguments[place + 1 :])


def each(results, change):
    return change(results) if isinstance(results, torch.Tensor) else tuple(change(result) for result in results)


def reduction(op, arguments, batched, size):
    """The rule of all reductions."""
    x, place = arguments[0], op.keywords.get("dim")
    ndim = x.ndim - 1
    if place is None:
        return whole_extremum(op, x)
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
        return run(op, exchanged(arguments, place, 1 if isinstance(dim, int) or op in FLATTENING else (1,)))
    if not everything:
        return run(op, exchanged(arguments, place, shifted(dim, ndim)))
    if op not in FLATTENING:
        return run(op, exchanged(arguments, place, tuple(range(1, ndim + 1))))
    result = run(op, exchanged(exchanged(arguments, 0, x.flatten(1)), place, 1))
    return result.reshape(-1, *(1,) * ndim) if keepdim else result


def whole_extremum(op, x):
    """max() and min() of everything."""
    if x.ndim == 1:
        return torch.Tensor.clone(x)
    folding = torch.amax if op is table["_max_all"] else torch.amin
    return folding(x, tuple(range(1, x.ndim)))


@batch_rule("logsumexp")
def logsumexp(op, arguments, batched, size):
    return reduction(op, arguments, batched, size)


@batch_rule("real_var_mean", "real_std_mean")
def moments(op, arguments, batched, size):
    return reduction(op, arguments, batched, size)


@batch_rule("median_of_all", "nanmedian_of_all")
def median_of_all(op, arguments, batched, size):
    x = arguments[0]
    if x.numel() == 0:
        return x.new_full((size,), float("nan"))
    along = table["median" if op is table["median_of_all"] else "nanmedian"]
    return along(x.reshape(size, -1), 1, False)[0]


# ---- along one dimension --------------------------------------------------------------------------------------------------
@batch_rule("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp", "softmax", "log_softmax", "glu")
@batch_rule("sort_along", "topk", "kthvalue", "mode", "median", "nanmedian")
def along_one(op, arguments, batched, size):
    """Ops whose one input has a `dim`; an example without dimensions is a row of one element."""
    x, place = arguments[0], op.parameters.index("dim")
    ndim = x.ndim - 1
    arguments = exchanged(arguments, place, shifted(arguments[place], ndim))
    if ndim:
        return run(op, arguments)
    if op is table["glu"]:
        raise RuntimeError("glu does not support 0-dimensional tensors")
    if "keepdim" in op.parameters:
        arguments = exchanged(arguments, op.parameters.index("keepdim"), True)
    return each(run(op, exchanged(arguments, 0, x.unsqueeze(1))), lambda result: result.squeeze(1))


@batch_rule("_softmax_gradient", "_log_softmax_gradient")
def softmax_gradient(op, arguments, batched, size):
    g, y, dim = arguments
    g, y = repeated(g, batched[0], size), repeated(y, batched[1], size)
    if g.ndim == 1:
        return run(op, (g.unsqueeze(1), y.unsqueeze(1), 1)).squeeze(1)
    return run(op, (g, y, shifted(dim, g.ndim - 1)))


@batch_rule("linalg_cross")
def cross(op, arguments, batched, size):
    a, b, dim = arguments
    ndim = max(a.ndim - batched[0], b.ndim - batched[1])
    if a.ndim - batched[0] != b.ndim - batched[1]:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    return run(op, (repeated(a, batched[0], size), repeated(b, batched[1], size), shifted(dim, ndim)))


# ---- distances ------------------------------------------------------------------------------------------------------------
@batch_rule("dist")
def dist(op, arguments, batched, size):
    a, b, p = arguments
    ndim = max(a.ndim - batched[0], b.ndim - batched[1])
    difference = lined_up(a, batched[0], ndim) - lined_up(b, batched[1], ndim)
    if ndim == 0:
        difference = difference.unsqueeze(1)
    return torch.linalg.vector_norm(difference, p, tuple(range(1, difference.ndim)))


@batch_rule("cdist")
def cdist(op, arguments, batched, size):
    a, b, *rest = arguments
    ndim = max(a.ndim - batched[0], b.ndim - batched[1])
    return run(op, (lined_up(a, batched[0], ndim), lined_up(b, batched[1], ndim), *rest))


@batch_rule("cdist_backward")
def cdist_backward(op, arguments, batched, size):
    places = (0, 1, 2, 4)
    ndim = max(arguments[i].ndim - batched[i] for i in places)
    values = [lined_up(x, batched[i], ndim) if i in places else x for i, x in enumerate(arguments)]
    return run(op, tuple(values))


@batch_rule("renorm")
def renorm(op, arguments, batched, size):
    x, p, dim, maxnorm = arguments
    if x.ndim < 3:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {x.ndim - 1} dimensions")
    # Every slice of every example, one a row.
    dim = shifted(dim, x.ndim - 1)
    slices = x.movedim(dim, 1)
    rows = slices.reshape(slices.shape[0] * slices.shape[1], -1)
    return run(op, (rows, p, 0, maxnorm)).reshape(slices.shape).movedim(1, dim)
