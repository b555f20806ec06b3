"""Histograms of numbers and of vectors, with bins of any width."""

import math

import rushlight as torch
from rushlight.core import written_out
from rushlight.ops._declare import composite, op
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import c_name, no_tangent, not_implemented

HISTOGRAM = return_type("histogram", "hist", "bin_edges")
HISTOGRAMDD = return_type("histogramdd", "hist", "bin_edges")


def check_weight(x, weight):
    """There may be a weight for each vector in the last dimension of `x`."""
    if weight is None:
        return
    if weight.dtype is not x.dtype:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got "
            f"input({c_name(x.dtype)}), and weight({c_name(weight.dtype)})"
        )
    if weight.shape != x.shape[:-1]:
        raise RuntimeError(
            "torch.histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its innermost "
            f"dimension, but got input with shape {list(x.shape)} and weight with shape {list(weight.shape)}"
        )


def check_dtype(x):
    if x.dtype not in (torch.float32, torch.float64):
        raise not_implemented("histogramdd", x.dtype)


def equal_edges(x, bins, range):
    """The edges of equally wide bins in each of the dimensions: over `range`, or from the least to the largest number."""
    count = x.shape[-1]
    if len(bins) != count:
        raise RuntimeError("histogramdd: The size of bins must be equal to the innermost dimension of the input.")
    for dim, number in enumerate(bins):
        if number <= 0:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got {number} for dimension {dim}")
    if range is not None and len(range) != 2 * count:
        raise RuntimeError(
            f"torch.histogramdd: for a {count}-dimensional histogram range should have {2 * count} elements, but got {len(range)}"
        )
    check_dtype(x)
    edges = []
    for dim, number in enumerate(bins):
        if range is not None:
            low, high = (float(bound) for bound in range[2 * dim : 2 * dim + 2])
        elif x.numel():
            low, high = (bound.item() for bound in torch.aminmax(x[..., dim]))
        else:
            low, high = 0.0, 1.0
        if not (math.isfinite(low) and math.isfinite(high)):
            raise RuntimeError(f"torch.histogramdd: dimension {dim}'s range [{low:g}, {high:g}] is not finite")
        if low > high:
            raise RuntimeError(
                f"torch.histogramdd: min should not exceed max, but got min {low:g} max {high:g} for dimension {dim}"
            )
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges.append(torch.linspace(low, high, number + 1, dtype=x.dtype))
    return edges


def check_edges(x, bins):
    """The edges that are given are those of each dimension."""
    count = x.shape[-1]
    if len(bins) != count:
        raise RuntimeError(
            f"torch.histogramdd: expected {count} sequences of bin edges for a {count}-dimensional histogram but got {len(bins)}"
        )
    for dim, edges in enumerate(bins):
        if edges.dtype is not x.dtype:
            raise RuntimeError(
                "torch.histogramdd: input tensor and bins tensors should have the same dtype, but got input with dtype "
                f"{c_name(x.dtype)} and bins for dimension {dim} with dtype {c_name(edges.dtype)}"
            )
        if edges.dim() != 1:
            raise RuntimeError(
                f"torch.histogramdd: bins tensor should have one dimension, but got {edges.dim()} dimensions in the bins tensor for "
                f"dimension {dim}"
            )
        if not edges.numel():
            raise RuntimeError(
                "torch.histogramdd: bins tensor should have at least 1 element, but got 0 elements in the bins tensor for dimension "
                f"{dim}"
            )
        if edges.numel() == 1:
            raise RuntimeError(f"torch.histogram(): bins must be > 0, but got 0 for dimension {dim}")
    check_dtype(x)


def counted(x, edges, weight, density):
    """How much weight (1 each without) falls into each bin. A bin has its left edge, the last one its right edge too."""
    vectors = x.reshape(-1, x.shape[-1]) if x.shape[-1] else x.new_zeros(0, 0)
    weights = x.new_ones(len(vectors)) if weight is None else weight.reshape(-1)
    place, inside = torch.zeros(len(vectors), dtype=torch.int64), torch.ones(len(vectors), dtype=torch.bool)
    for dim, ends in enumerate(edges):
        values, bins = vectors[:, dim].contiguous(), ends.numel() - 1
        found = torch.searchsorted(ends, values, right=True) - 1
        place = place * bins + found.clamp_(0, bins - 1)
        inside = inside & (values >= ends[0]) & (values <= ends[-1])
    sizes = [ends.numel() - 1 for ends in edges]
    hist = x.new_zeros(sizes)
    hist.view(-1).index_add_(0, place[inside], weights[inside])
    if density:
        hist = hist / hist.sum()
        for dim, ends in enumerate(edges):
            hist = hist / ends.diff().view([-1 if d == dim else 1 for d in range(len(sizes))])
    return hist


@op(
    outputs=("hist", "bin_edges"),
    result_type=HISTOGRAM,
    differentiable=(0, 1),
    no_derivative="histogram",
    jvp=no_tangent("histogram"),
    name="NotImplemented",
    out=False,
    function=False,
    method=False,
    public="histogram",
)
def _histogram(x, bins, range, weight, density):
    """The counts and the edges of the bins."""
    column, weights = x.reshape(-1, 1), None if weight is None else weight.reshape(-1)
    if isinstance(bins, torch.Tensor):
        check_edges(column, [bins])
        edges = bins.clone()
    else:
        (edges,) = equal_edges(column, [bins], range)
    check_weight(column, weights)
    return counted(column, [edges], weights, density), edges


@composite(
    signature=(
        "Tensor input, Tensor bins, *, Tensor? weight=None, bool density=False, tensors[2] out=None | "
        "Tensor input, int bins=100, *, floats? range=None, Tensor? weight=None, bool density=False, tensors[2] out=None"
    )
)
def histogram(input, bins=100, *, range=None, weight=None, density=False, out=None):
    """How many elements (or how much of `weight`) fall into bins: `bins` equal ones over `range`, or those between the numbers in `bins`.

    >>> import rushlight
    >>> rushlight.histogram(rushlight.tensor([1.0, 2.0, 1.0]), 2).hist
    tensor([2., 1.])
    """
    made = _histogram(input, bins, range, weight, density)
    if out is None:
        return made
    for name, given in zip(made._fields, out):
        if given.dtype is not input.dtype:
            raise RuntimeError(
                f"torch.histogram: input tensor and {name} tensor should have the same dtype, but got input {c_name(input.dtype)} and "
                f"{name} {c_name(given.dtype)}"
            )
    for given, value in reversed(tuple(zip(out, made))):
        written_out("aten::histogram", given, value)
    return HISTOGRAM.written(out)


@composite(
    method=False,
    signature=(
        "Tensor input, int bins, floats? range=None, Tensor? weight=None, bool density=False | "
        "Tensor input, ints bins, floats? range=None, Tensor? weight=None, bool density=False | "
        "Tensor input, tensors bins, floats? range=None, Tensor? weight=None, bool density=False"
    ),
)
@torch.no_grad()
def histogramdd(input, bins, range=None, weight=None, density=False):
    """How many vectors (along the last dimension) fall into the boxes of a grid: so many bins in each dimension, or those between numbers.

    >>> import rushlight
    >>> rushlight.histogramdd(rushlight.tensor([[0.0, 1.0], [1.0, 0.0]]), bins=[2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    if input.dim() < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    if isinstance(bins, int):
        bins = [bins] * input.shape[-1]
    if bins and isinstance(bins[0], torch.Tensor):
        check_edges(input, bins)
        edges = bins
    else:
        edges = equal_edges(input, bins, range)
    check_weight(input, weight)
    return HISTOGRAMDD([counted(input, edges, weight, density), tuple(edges)])
