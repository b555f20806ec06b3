"""An index for each element along one dimension: gather, scatter and its reductions, take_along_dim."""

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import composite, kernel, op, short_way, underived
from rushlight.ops._rules import not_implemented
from rushlight.ops.broadcasting import broadcast_two
from rushlight.ops.indexing import INDICES, as_value, at_least_vector


def checked_dim(x, dim, index, src=None):
    """The dimension of a gather, or of a scatter of a tensor `src` (False: of a number), whose index has a dtype and sizes that it may have: as
    many dimensions as `x`, and no larger ones outside `dim`."""
    reading = src is None
    ndim, d = x.ndim or 1, wrap_dim(dim, x.ndim)
    if index.numel() and index.dtype not in INDICES:
        raise RuntimeError(f"{'gather' if reading else 'scatter'}(): Expected dtype int32/int64 for index")
    if isinstance(src, torch.Tensor) and src.dtype is not x.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if index.numel() == 0:
        return d
    if (index.ndim or 1) != ndim:
        raise RuntimeError(f"Index tensor must have the same number of dimensions as {'input' if reading else 'self'} tensor")
    if src is not False and not reading and (src.ndim or 1) != ndim:
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor")
    larger = any(i != d and size > x.shape[i] for i, size in enumerate(index.shape))
    if reading and larger:
        raise RuntimeError(
            f"Size does not match at dimension {next(i for i, size in enumerate(index.shape) if i != d and size > x.shape[i])} expected "
            f"index {list(index.shape)} to be no larger than self {list(x.shape)} apart from dimension {d}"
        )
    if not reading and (larger or (src is not False and any(n > m for n, m in zip(index.shape, src.shape)))):
        bound = "" if src is False else f" and to be no larger size than src {list(src.shape)}"
        raise RuntimeError(
            f"Expected index {list(index.shape)} to be no larger than self {list(x.shape)} apart from dimension {d}{bound}"
        )
    return d


@op(
    vjp=lambda g, x_shape, dim, index: g.new_zeros(x_shape).scatter_add(dim, index, g),
    linear=True,
    plain=short_way("tdl", "gathered", "gather"),
    apart=True,
    batch="indexing.gather",
    flat="selecting",
)
def gather(x, dim, index, *, sparse_grad=False):
    """out[i][j][k] = x[index[i][j][k]][j][k] for `dim` 0: one element of `x` for each of `index`."""
    d = checked_dim(x, dim, index)
    out = core.empty_tensor(index.shape, x.dtype)
    if index.numel():
        kernel("gather")(at_least_vector(out), at_least_vector(x), at_least_vector(index), d)
    return out


def window_like(src, index):
    """The leading part of `src` that an index of smaller sizes reaches."""
    if src.shape != index.shape:
        for d, size in enumerate(index.shape):
            src = src.narrow(d, 0, size)
    return src


def dim_to_write(x, dim, index, src):
    """The dimension of a scatter into `x`, which may be written."""
    d = checked_dim(x, dim, index, src)
    core.check_no_overlap(x)
    core.require_apart(x, src, index)
    return d


def write_along(name, x, d, index, src, *numbers):
    if index.numel():
        index = at_least_vector(index)
        kernel(name)(at_least_vector(x), index, window_like(at_least_vector(src), index), d, *numbers)
    return x


# (Of a `src` larger than its index the derivatives are refused, as PyTorch's: they have the index's shape.)
@op(
    vjp={
        "x": lambda g, dim, index: g.scatter(dim, index, 0),
        "src": lambda g, dim, index: g.gather(dim, index),
    },
    jvp=lambda x, x_t, dim, index, src, src_t: (torch.zeros_like(x) if x_t is None else x_t).scatter(
        dim, index, torch.zeros_like(src) if src_t is None else src_t
    ),
    writes=True,
    expanded=True,
    row_major=True,
    name="ScatterBackward0",
    function=False,
    method=False,
    batch="indexing.scatter",
    overload="scatter.src",
)
def scatter_tensor(x, dim, index, src):
    """`x` with the elements of `src` where `index` sends them along `dim`; where two meet, the last stays."""
    return write_along("scatter", x, dim_to_write(x, dim, index, src), index, src)


@op(
    vjp=lambda g, dim, index: g.scatter(dim, index, 0),
    jvp=lambda x_t, dim, index: x_t.scatter(dim, index, 0),
    writes=True,
    expanded=True,
    row_major=True,
    name="ScatterBackward1",
    function=False,
    method=False,
    batch="indexing.scatter",
    overload="scatter.value",
)
def scatter_value(x, dim, index, value):
    """`x` with one number where `index` points along `dim`."""
    d = dim_to_write(x, dim, index, False)
    if index.numel():
        kernel("scatter_fill")(at_least_vector(x), at_least_vector(index), as_value(x, value), d)
    return x


REDUCTIONS = {"sum": 0, "prod": 1, "mean": 2, "amax": 3, "amin": 4}


@op(
    vjp=dict.fromkeys(("x", "src"), underived("derivative for aten::scatter is not implemented", RuntimeError)),
    name="NotImplemented",
    writes=True,
    expanded=True,
    row_major=True,
    function=False,
    method=False,
    batch="indexing.scatter",
    public="scatter",
)
def scatter_combining(x, dim, index, src, reduce):
    """`scatter` of a tensor or a number that adds or multiplies."""
    d = dim_to_write(x, dim, index, src if isinstance(src, torch.Tensor) else False)
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    if not isinstance(src, torch.Tensor):
        src = as_value(x, src).expand(index.shape)
    return write_along("scatter_reduce", x, d, index, src, REDUCTIONS["sum" if reduce == "add" else "prod"], 1)


def choose_scatter(dim, index, src, value, reduce):
    """Which of the three scatters a call means, with its arguments."""
    source = value if src is None else src
    if reduce is None:
        return (scatter_tensor if isinstance(source, torch.Tensor) else scatter_value), (dim, index, source)
    if isinstance(source, torch.Tensor):
        core.warn_once(
            "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future PyTorch release. Use "
            "torch.scatter_reduce instead for more reduction options."
        )
    return scatter_combining, (dim, index, source, reduce)


@composite(
    signature=(
        "Tensor input, int dim, Tensor index, Tensor src, *, out | "
        "Tensor input, int dim, Tensor index, Tensor src, *, str reduce, out | "
        "Tensor input, int dim, Tensor index, Number value, *, out | "
        "Tensor input, int dim, Tensor index, Number value, *, str reduce, out"
    )
)
def scatter(input, dim, index, src=None, *, value=None, reduce=None, out=None):
    """A copy of `input` with elements of `src` (or one value) where `index` sends them along `dim`."""
    chosen, arguments = choose_scatter(dim, index, src, value, reduce)
    return chosen(input, *arguments) if out is None else chosen(input, *arguments, out=out)


@composite(function=False)
def scatter_(self, dim, index, src=None, *, value=None, reduce=None):
    """In-place version of `scatter`."""
    chosen, arguments = choose_scatter(dim, index, src, value, reduce)
    return core.InPlace(chosen)(self, *arguments)


@op(
    vjp={"x": lambda g: g, "src": lambda g, dim, index: g.gather(dim, index)},
    linear=True,
    writes=True,
    expanded=True,
    row_major=True,
    batch="indexing.scatter",
    refusal="name",
)
def scatter_add(x, dim, index, src):
    """`x` with the elements of `src` added where `index` sends them along `dim`."""
    return write_along("scatter_add", x, dim_to_write(x, dim, index, src), index, src)


def reduced_gradient(g, x, out, dim, index, src, reduce, include_self, wanted):
    """The joint rule of scatter_reduce."""
    if reduce == "sum":
        g_x, g_src = g, g.gather(dim, index)
    elif reduce == "mean":
        counts = (torch.ones_like(g) if include_self else torch.zeros_like(g)).scatter_add(dim, index, torch.ones_like(src))
        g_x = g / counts.masked_fill(counts == 0, 1)
        g_src = g_x.gather(dim, index)
    elif reduce == "prod":
        # The product without x: where x is 0 that cannot be had by division.
        nonzero = x.masked_fill(x == 0, 1)
        g_x = g * nonzero.scatter_reduce(dim, index, src, "prod", include_self=include_self) / nonzero
        # Of factors of which one is 0, only that one has a derivative.
        zero = src == 0
        zeros = torch.zeros_like(x).scatter_add(dim, index, zero.to(x.dtype)).gather(dim, index)
        alone = zero & (zeros == 1)
        others = x.scatter_reduce(dim, index, src.masked_fill(alone, 1), "prod", include_self=include_self)
        g_src = torch.where(alone, (g * others).gather(dim, index), (g * out).gather(dim, index) / src.masked_fill(zero, 1))
        if torch.is_grad_enabled() and not core.has_batch(zeros) and (zeros > 1).any():
            from rushlight.autograd.function import ManyZeros

            g_src = ManyZeros.apply([False], g_src)
    else:
        of_x, of_src = x == out, src == out.gather(dim, index)
        sharing = (of_x if include_self else torch.zeros_like(of_x)).to(g.dtype).scatter_add(dim, index, of_src.to(g.dtype))
        share = g / sharing.masked_fill(sharing == 0, 1)
        g_x, g_src = (of_x * share), of_src * share.gather(dim, index)
        g_x = g_x if include_self else g
    if not include_self:
        g_x = g_x.scatter(dim, index, 0)
    return g_x if wanted[0] else None, g_src if wanted[1] else None


def reduced_tangent(x, x_t, out, dim, index, src, src_t, reduce, include_self):
    """The weights by which a cotangent reaches x and src (those of ones) are those of the tangents too."""
    src, src_t = window_like(src, index), None if src_t is None else window_like(src_t, index)
    of_x, of_src = reduced_gradient(torch.ones_like(out), x, out, dim, index, src, reduce, include_self, (True, True))
    tangent = torch.zeros_like(out) if x_t is None else x_t * of_x
    return tangent if src_t is None else tangent.scatter_add(dim, index, src_t * of_src)


@op(
    real=True,
    joint=reduced_gradient,
    jvp=reduced_tangent,
    inputs=("x", "src"),
    writes=True,
    expanded=True,
    row_major=True,
    batch="indexing.scatter",
    refusal="name",
    overload="two",
)
def scatter_reduce(x, dim, index, src, reduce, *, include_self=True):
    """`x` combined with the elements of `src` that `index` sends to the same place: "sum", "prod", "mean", "amax" or "amin"."""
    d = dim_to_write(x, dim, index, src)
    if reduce not in REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if reduce == "mean" and x.dtype is torch.bool:
        raise not_implemented("scatter_gather_tensor_cpu_reduce_mean" if index.numel() else "div_floor_cpu", x.dtype)
    return write_along("scatter_reduce", x, d, index, src, REDUCTIONS[reduce], int(include_self))


@composite
def take_along_dim(input, indices, dim=None, *, out=None):
    """`gather` with input and indices broadcast against each other; without `dim`, of the flattened input."""
    if dim is None:
        return torch.gather(input.view(-1), 0, indices.view(-1), out=out)
    if indices.dtype is not torch.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype.legacy_name}")
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    d = wrap_dim(dim, input.ndim)
    if not input.ndim:
        raise IndexError(f"Dimension specified as {d} but tensor has no dimensions")
    of_input, of_indices = list(input.shape), list(indices.shape)
    of_input[d : d + 1] = of_indices[d : d + 1] = [1]
    shape = list(broadcast_two(tuple(of_input), tuple(of_indices)))
    indices = torch.where(indices < 0, indices + input.shape[d], indices)
    input = input.expand(shape[:d] + [input.shape[d]] + shape[d + 1 :])
    indices = indices.expand(shape[:d] + [indices.shape[d]] + shape[d + 1 :])
    return torch.gather(input, d, indices, out=out)
