"""embedding_bag: sums, means and maxima of the rows of a table that bags of indices name."""

import rushlight as torch
from rushlight.core import empty_tensor
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._rules import require_floating, require_index, type_text
from rushlight.ops.neural import sparse_embedding_gradient

SUM, MEAN, MAX = range(3)


def check(weight, indices, offsets, mode, scale, padding_idx, include_last_offset):
    """Raises for what embedding_bag does not take."""
    rows = weight.shape[0] if weight.dim() else 0
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise RuntimeError(
            f"padding_idx must be within the number of embeddings, -{rows} through {rows - 1}, but got {padding_idx}"
        )
    for given in (indices, offsets):
        require_index("embedding_bag", given)
    if weight.dtype not in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have one of the following scalar types: Half, BFloat16, Float, Double; but got "
            f"{type_text(weight)} instead (while checking arguments for embedding_bag)"
        )
    for name, given, dims in (("input", indices, (1, 2)), ("offsets", offsets, (1,)), ("weight", weight, (2,))):
        if given.dim() not in dims:
            raise RuntimeError(
                f"{name} has to be a {'D or '.join(map(str, dims))}D Tensor, but got Tensor of dimension {given.dim()}"
            )
    if indices.dim() != 1:
        raise RuntimeError(
            f"embedding_bag: expected a matrix and two vectors, got {weight.dim()}, {indices.dim()} and {offsets.dim()} dimensions"
        )
    if include_last_offset and not offsets.numel():
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    if scale is not None and mode != SUM:
        raise RuntimeError("embedding_bag: per_sample_weights only supported with mode='sum'")
    if scale is not None and scale.dtype != weight.dtype:
        raise RuntimeError(
            "Expected tensor for argument #1 'weight' to have the same type as tensor for argument #1 'per_sample_weights'; but type "
            f"torch.{weight.dtype.legacy_name}Tensor does not equal torch.{scale.dtype.legacy_name}Tensor (while checking arguments for "
            "embedding_bag)"
        )
    if scale is not None and scale.shape != indices.shape:
        raise RuntimeError("expected per_sample_weights.dim() == 1 && per_sample_weights.numel() == num_indices to be true")


def bounds_of(indices, offsets, rows, include_last_offset, ends_early):
    """Where the bags begin and end, as int64, once all indices are known to be rows. The last one ends where its offset says if it `ends_early`,
    else with the indices; and PyTorch's loops that read that offset refuse an index in words of their own."""
    bounds = empty_tensor((offsets.numel() + (not include_last_offset),), torch.int64)
    kernel("bag_bounds")(
        bounds,
        *(each.to(torch.int64).contiguous() for each in (indices, offsets)),
        rows,
        int(ends_early),
        int(offsets.dtype is torch.int32),
    )
    if include_last_offset and not ends_early and bounds.numel() > 1:
        bounds[-1] = indices.numel()
    return bounds


def bags_of(bounds, count):
    """The number of the bag of each index; of those behind the last bag, the number of bags."""
    return torch.searchsorted(bounds, torch.arange(count), right=True) - 1


def weight_vjp(g, weight_shape, indices, scale_grad_by_freq, mode, scale, padding, bounds, sizes, places, sparse):
    if mode == MAX:
        used = g * (sizes > 0).unsqueeze(1)
        return used.new_zeros(weight_shape).scatter_add(0, places, used)
    bags = bags_of(bounds, indices.numel())
    if mode == MEAN:
        g = g / sizes.clamp(min=1).unsqueeze(1)
    # (Indices behind the last bag are in none.)
    inside = bags < g.shape[0]
    rows = g.index_select(0, bags[inside])
    if scale is not None:
        rows = rows * scale[inside].unsqueeze(1)
    if sparse:
        return sparse_embedding_gradient(rows, weight_shape, indices[inside], padding, scale_grad_by_freq)
    return torch._embedding_gradient(rows, indices[inside], weight_shape[0], padding, scale_grad_by_freq)


def scale_vjp(g, weight, indices, padding, bounds):
    bags = bags_of(bounds, indices.numel())
    products = (g.index_select(0, bags.clamp(max=g.shape[0] - 1)) * weight.index_select(0, indices)).sum(1)
    return products * ((indices != padding) & (bags < g.shape[0]))


def bag_jvp(weight_t, scale_t, weight, indices, bounds, mode, scale, padding, sizes, places):
    total = 0
    if weight_t is not None and mode == MAX:
        total = weight_t.gather(0, places) * (sizes > 0).unsqueeze(1)
    elif weight_t is not None:
        total = _bags(weight_t, scale, indices, bounds, mode, padding, False, False)[0]
    return total if scale_t is None else total + _bags(weight, scale_t, indices, bounds, mode, padding, False, False)[0]


@op(
    vjp={"weight": weight_vjp, "scale": scale_vjp},
    jvp=bag_jvp,
    outputs=("out", "sizes", "places"),
    differentiable=("out",),
    name="EmbeddingBagBackward0",
    gradient={"weight": "EmbeddingBagBackwardBackward0"},
    public="embedding_bag",
    function=False,
    method=False,
    out=False,
)
def _bags(weight, scale, indices, bounds, mode, padding, scale_grad_by_freq, sparse):
    """The bags, how many indices each has, and which rows the maxima are from; `bounds` has where they begin and end."""
    bags, columns = bounds.numel() - 1, weight.shape[1]
    dtype = weight.dtype
    require_floating("embedding_bag", dtype)
    computed = torch.float64 if dtype is torch.float64 else torch.float32
    out, sizes = empty_tensor((bags, columns), computed), empty_tensor((bags,), torch.int64)
    places = empty_tensor((bags, columns) if mode == MAX else (0,), torch.int64)
    scales = empty_tensor((0,), computed) if scale is None else scale.to(computed).contiguous()
    table = weight.to(computed).contiguous()
    kernel("embedding_bag")(out, sizes, places, table, indices.contiguous(), bounds.contiguous(), scales, mode, padding)
    return out.to(dtype), sizes, places


OF_BAGS = (
    "Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, bool sparse=False, "
    "Tensor? per_sample_weights=None, bool include_last_offset=False, "
)


@composite(method=False, signature=OF_BAGS + "int? padding_idx=None")
def embedding_bag(
    weight,
    indices,
    offsets,
    scale_grad_by_freq=False,
    mode=0,
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=None,
) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]":
    """Sums (`mode` 0), means (1) or maxima (2) of the rows of `weight` that `indices` names, bag by bag; `offsets` has where bags begin.

    Returns the bags, the bag of each index, how many indices each bag has, and the row of each maximum, as far as they are needed.
    """
    check(weight, indices, offsets, mode, per_sample_weights, padding_idx, include_last_offset)
    # (PyTorch's loops for rows in one piece read the last offset; its others do not.)
    ends_early = mode != MAX and padding_idx is None and weight.dtype is not torch.float64 and weight.stride(1) == 1
    bounds = bounds_of(indices, offsets, weight.shape[0], include_last_offset, ends_early)
    padding = -1 if padding_idx is None else padding_idx % weight.shape[0]
    indices = indices.to(torch.int64)
    out, sizes, places = _bags(weight, per_sample_weights, indices, bounds, mode, padding, scale_grad_by_freq, sparse)
    plain = mode == SUM and padding_idx is None
    bags = indices.new_empty(0) if plain else bags_of(bounds, indices.numel())
    return (
        out,
        bags,
        torch.zeros_like(sizes) if mode == SUM else sizes,
        places if mode == MAX else torch.zeros_like(sizes) if mode == SUM else sizes,
    )


@composite(method=False, signature=OF_BAGS + "int padding_idx=-1")
def _embedding_bag(
    weight,
    indices,
    offsets,
    scale_grad_by_freq=False,
    mode=0,
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=-1,
) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]":
    """embedding_bag, where a `padding_idx` below 0 is none."""
    padding = padding_idx if 0 <= padding_idx < weight.shape[0] else None
    return embedding_bag(
        weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding
    )


@composite(method=False, signature=OF_BAGS + "int padding_idx=-1")
def _embedding_bag_forward_only(
    weight,
    indices,
    offsets,
    scale_grad_by_freq=False,
    mode=0,
    sparse=False,
    per_sample_weights=None,
    include_last_offset=False,
    padding_idx=-1,
) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]":
    """embedding_bag, without derivatives; a `padding_idx` below 0 is none."""
    with torch.no_grad():
        return _embedding_bag(
            weight, indices, offsets, scale_grad_by_freq, mode, sparse, per_sample_weights, include_last_offset, padding_idx
        )
