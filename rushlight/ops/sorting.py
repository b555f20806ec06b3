"""Sorting and what it answers: the k greatest, the k-th, the median, quantiles, the most frequent."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import not_implemented, require_tensors
from rushlight.ops.reduction import extremum_vjp

OUTPUTS = ("values", "indices")


def placed_gradient(g, x_shape, dim, indices):
    """The cotangents of chosen elements, where those were."""
    if not len(x_shape):
        return g
    return g.new_zeros(x_shape).scatter(dim, indices, g)


def reduced_gradient(g, x_shape, dim, keepdim, indices):
    """`placed_gradient` of one element a line."""
    if not keepdim and len(x_shape):
        g, indices = g.unsqueeze(dim), indices.unsqueeze(dim)
    return placed_gradient(g, x_shape, dim, indices)


def line_tangent(x_t, dim, keepdim, indices):
    if not x_t.ndim:
        return x_t
    return x_t.gather(dim, indices) if keepdim else x_t.gather(dim, indices.unsqueeze(dim)).squeeze(dim)


def lines(x):
    return x if x.ndim else x.reshape(1)


def with_size(shape, dim, size):
    """`shape` with another size of one dimension; that of a 0-d tensor itself."""
    sizes = list(shape)
    if sizes:
        sizes[dim] = size
    return sizes


def empty_pair(shape, dtype):
    return core.empty_tensor(shape, dtype), core.empty_tensor(shape, torch.int64)


# ---------------------------------------------------------------------------------------------------------- order
@op(
    vjp=placed_gradient,
    jvp=lambda x_t, dim, indices: x_t.gather(dim, indices) if x_t.ndim else x_t,
    outputs=OUTPUTS,
    result_type=return_type("sort", *OUTPUTS),
    name=("SortBackward0", "SortBackward1"),
    variant=lambda x, dim, descending, stable: int(stable is not None),
    function=False,
    method=False,
    batch="reduction.along_one",
    flat="selecting",
    overload="sort.default",
)
def sort_along(x, dim, descending, stable):
    """The elements in order, and where they were."""
    d = wrap_dim(dim, x.ndim)
    if x.is_complex() and x.ndim:
        raise RuntimeError(" Sort does not support complex dtypes on CPU")
    values, indices = core.empty_like_layout(x), core.empty_like_layout(x, torch.int64)
    if x.numel():
        kernel("sort")(lines(values), lines(indices), lines(x), d, int(bool(descending)), int(bool(stable)))
    return values, indices


def with_out(op_, out, *arguments):
    return op_(*arguments) if out is None else op_(*arguments, out=out)


@composite(
    signature=(
        "Tensor input, *, bool? stable, int dim=-1, bool descending=False, tensors[2] out=None | "
        "Tensor input, int dim=-1, bool descending=False, *, tensors[2] out=None"
    )
)
def sort(input, dim=-1, descending=False, *, stable=None, out=None):
    """The elements of each line along `dim` in ascending order, and the indices they had: a pair (values, indices).

    >>> import rushlight
    >>> rushlight.tensor([3., 1., 2.]).sort().indices
    tensor([1, 2, 0])
    """
    return with_out(sort_along, out, input, dim, descending, stable)


@composite(
    gives="indices",
    signature=(
        "Tensor input, *, bool stable, int dim=-1, bool descending=False, out | Tensor input, int dim=-1, bool descending=False"
    ),
)
def argsort(input, dim=-1, descending=False, *, stable=None):
    """The indices that sort each line along `dim`."""
    return sort_along(input, dim, descending, stable)[1]


@composite
def msort(input, *, out=None):
    """The elements sorted along the first dimension."""
    values = sort_along(input, 0, False, None)[0]
    return values if out is None else core.written_out("msort", out, values)


@op(
    vjp=placed_gradient,
    jvp=lambda x_t, dim, indices: x_t.gather(dim, indices) if x_t.ndim else x_t,
    outputs=OUTPUTS,
    result_type=return_type("topk", *OUTPUTS),
    batch="reduction.along_one",
    flat="selecting",
)
def topk(x, k, dim=-1, largest=True, sorted=True):
    """The `k` greatest (or least) elements of each line along `dim`, and their indices."""
    d = wrap_dim(dim, x.ndim)
    if not 0 <= k <= (x.shape[d] if x.ndim else 1):
        raise RuntimeError("selected index k out of range")
    if x.is_complex() or x.dtype is torch.bool:
        raise RuntimeError(
            f"{' topk does not support complex' if x.is_complex() else 'topk does not support bool'} dtypes on CPU"
        )
    values, indices = empty_pair(with_size(x.shape, d, k), x.dtype)
    if values.numel():
        kernel("topk")(lines(values), lines(indices), lines(x), d, int(largest), int(sorted))
    return values, indices


# ---------------------------------------------------------------------------------------------------------- one element a line
def refuse_empty_lines(name, x, d):
    if x.ndim and x.shape[d] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")


def one_a_line(name, x, dim, keepdim, *numbers):
    """Calls a kernel that chooses one element of each line."""
    d = wrap_dim(dim, x.ndim)
    refuse_empty_lines(name, x, d)
    kept = with_size(x.shape, d, 1)
    values, indices = empty_pair(kept, x.dtype)
    if (x.is_complex() or x.dtype is torch.bool) and not x.ndim:  # one element needs no order
        values.copy_(x)
        indices.zero_()
    elif values.numel():
        kernel(name)(lines(values), lines(indices), lines(x), d, *numbers)
    if not keepdim and x.ndim:
        return values.view(kept[:d] + kept[d + 1 :]), indices.view(kept[:d] + kept[d + 1 :])
    return values, indices


def choosing(name, node):
    return dict(
        real=True, vjp=reduced_gradient, jvp=line_tangent, outputs=OUTPUTS, result_type=return_type(name, *OUTPUTS), name=node
    )


@op(
    **choosing("kthvalue", "KthvalueBackward0"),
    batch="reduction.along_one",
    out_text=("output values must be of same type as input", "output indices must be of scalar type Long"),
    apart=True,
)
def kthvalue(x, k, dim=-1, keepdim=False):
    """The `k`-th smallest element of each line along `dim`, and its index."""
    d = wrap_dim(dim, x.ndim)
    refuse_empty_lines("kthvalue", x, d)
    if x.ndim and x.shape[d] == 0:
        raise IndexError(f"kthvalue(): Expected reduction dim {d} to have non-zero size.")
    if not 1 <= k <= (x.shape[d] if x.ndim else 1):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {d}")
    if (x.is_complex() or x.dtype is torch.bool) and x.ndim:
        raise not_implemented("kthvalue_cpu", x.dtype)
    return one_a_line("kthvalue", x, dim, keepdim, k)


@op(
    **choosing("mode", "ModeBackward0"),
    batch="reduction.along_one",
    out_text=(
        "expected scalar type '{result}' but got '{out}' for values output",
        "expected scalar type '{result}' but got '{out}' for indices output",
    ),
)
def mode(x, dim=-1, keepdim=False):
    """The most frequent element of each line along `dim` (the least of those), and its index."""
    return one_a_line("mode", x, dim, keepdim)


def nan_as(dtype):
    """What a NaN becomes in a dtype."""
    if dtype.is_floating_point or dtype.is_complex:
        return math.nan
    if dtype is torch.bool:
        return True
    return 0 if dtype in (torch.uint8, torch.int8, torch.int16) else torch.iinfo(dtype).min


def median_of(name, title):
    """median or nanmedian: of everything, and of each line."""

    @op(
        real=True,
        vjp=extremum_vjp,
        jvp=lambda x_t, x, out: torch.where(x == out, x_t, 0).sum() / (x == out).sum(),
        name=f"{title}Backward0",
        entry=f"{name}_of_all",
        batch=f"reduction.{name}_of_all",
        function=False,
        method=False,
        overload=f"{name}.default",
    )
    def of_all(x):
        if not x.numel():
            # What the conversion of a NaN gives in C++.
            return core.tensor(nan_as(x.dtype), dtype=x.dtype)
        if x.dtype is torch.bool or x.is_complex():
            raise not_implemented("median_cpu", x.dtype)
        return one_a_line(name, x.reshape(-1), 0, False)[0]

    @op(
        entry=name,
        batch="reduction.along_one",
        function=False,
        method=False,
        **choosing(name, f"{title}Backward1"),
        overload=f"{name}.dim",
    )
    def of_lines(x, dim, keepdim):
        refuse_empty_lines("median", x, wrap_dim(dim, x.ndim))
        if x.dtype is torch.bool or x.is_complex():
            raise not_implemented("median_out", x.dtype)
        return one_a_line(name, x, dim, keepdim)

    def median(input, dim=None, keepdim=False, *, out=None):
        require_tensors(name, input=input)
        if type(keepdim) is not bool:
            raise TypeError(f"{name}(): argument 'keepdim' (position 3) must be bool, not {type(keepdim).__name__}")
        if dim is None:
            return with_out(of_all, out, input)
        return with_out(of_lines, out, input, dim, keepdim)

    median.__name__ = median.__qualname__ = name
    return median


median = median_of("median", "Median")
nanmedian = median_of("nanmedian", "Nanmedian")
median.__doc__ = "The (lower) median of all elements, or of each line along `dim` with its index; NaN where there is one."
nanmedian.__doc__ = "`median`, leaving NaNs out."
for _median in (median, nanmedian):
    composite(_median, signature="Tensor input | Tensor input, int dim, bool keepdim=False, *, tensors[2] out=None")


# ---------------------------------------------------------------------------------------------------------- quantiles
INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def check_quantile(input, q, interpolation):
    """PyTorch's checks, whose texts speak of quantile() for nanquantile too."""
    if not isinstance(q, torch.Tensor) and not 0 <= q <= 1:
        raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q:g}")
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(
            f"quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if input.numel() == 0:
        raise RuntimeError("quantile() input tensor must be non-empty")
    if isinstance(q, torch.Tensor) and q.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if input.dtype not in (torch.float32, torch.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if not isinstance(q, torch.Tensor):
        return core.tensor(q, dtype=input.dtype)
    if q.dtype is not input.dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if not core.has_batch(q) and not bool(((q >= 0) & (q <= 1)).all()):
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    return q


def quantile_of(name, skips_nan):
    """quantile or nanquantile."""

    def quantile(input, q, dim=None, keepdim=False, *, interpolation="linear", out=None):
        q = check_quantile(input, q, interpolation)
        d = wrap_dim(0 if dim is None else dim, input.ndim)
        # Sorted lines, last.
        if dim is None:
            ordered = input.flatten().sort().values
        elif d == input.ndim - 1 or input.ndim == 0:
            ordered = (input if input.ndim else input.flatten()).sort().values
        else:
            ordered = input.unsqueeze(-1).transpose(d, -1).sort().values
        if dim is not None and input.ndim:
            kept = list(input.shape)
            kept[d : d + 1] = [1] if keepdim else []
        else:
            kept = [1] * input.ndim if keepdim else []
        last = ordered.shape[-1] - 1
        ordered = ordered.view([*kept, last + 1])
        if skips_nan:
            ranks = q * ((~ordered.isnan()).sum(-1, True) - 1).clamp(min=0)
        else:
            # A line with a NaN gives NaN: its sorted order ends with it, so it is read from the end.
            ranks = torch.where(ordered.isnan().any(-1, True), float(last), q * last)
        if interpolation in ("lower", "higher", "nearest"):
            ranks = {"lower": torch.floor, "higher": torch.ceil, "nearest": torch.round}[interpolation](ranks)
        below = ranks.to(torch.int64)
        made = ordered.gather(-1, below)
        if interpolation in ("linear", "midpoint"):
            above = ranks.ceil().to(torch.int64)
            weight = torch.full_like(ranks, 0.5) if interpolation == "midpoint" else ranks - below
            made = torch.lerp(made, ordered.gather(-1, above), weight)
        made = made.unsqueeze_(0).transpose_(0, -1).squeeze_(-1) if q.ndim else made.squeeze_(-1)
        return made if out is None else core.written_out(name, out, made)

    quantile.__name__ = quantile.__qualname__ = name
    return quantile


quantile = quantile_of("quantile", False)
nanquantile = quantile_of("nanquantile", True)
quantile.__doc__ = "The quantiles `q` of all elements, or of each line along `dim`; NaN where there is one."
nanquantile.__doc__ = "`quantile`, leaving NaNs out."
for _quantile in (quantile, nanquantile):
    composite(
        _quantile,
        signature='Tensor input, Tensor|float q, int? dim=None, bool keepdim=False, *, str interpolation="linear", out',
    )
