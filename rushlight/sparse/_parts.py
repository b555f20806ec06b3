"""Parts of sparse tensors, and several put together."""

import rushlight as torch
from rushlight.sparse._tensor import SparseTensor, at_places, dense, sparse, transposed


def flipped(x, name="t"):
    """A matrix with its dimensions exchanged."""
    sparse_dims = x._places.shape[0]
    if sparse_dims > 2 or x.dim() > sparse_dims:
        raise RuntimeError(
            f"{name}() expects a tensor with <= 2 sparse and 0 dense dimensions, but got {sparse_dims} sparse and {x.dim() - sparse_dims} dense "
            "dimensions"
        )
    return x if x.dim() < 2 else transposed(x, 0, 1)


def lifted(x, dim):
    """A dimension of size 1 more, among the sparse ones."""
    dim %= x.dim() + 1
    if dim > x._places.shape[0]:
        size = [*x.shape[:dim], 1, *x.shape[dim:]]
        return SparseTensor(x._places, x._entries.unsqueeze(dim - x._places.shape[0] + 1), size, x._sorted)
    places = torch.cat([x._places[:dim], torch.zeros_like(x._places[:1]), x._places[dim:]])
    return SparseTensor(places, x._entries, [*x.shape[:dim], 1, *x.shape[dim:]], x._sorted)


def cut(x, dim, start, length):
    """The part of a dimension, in memory of its own."""
    dim %= x.dim()
    size = [length if d == dim else n for d, n in enumerate(x.shape)]
    if dim >= x._places.shape[0]:
        values = x._entries.narrow_copy(dim - x._places.shape[0] + 1, start, length)
        return SparseTensor(x._places, values, size, x._sorted)
    inside = ((x._places[dim] >= start) & (x._places[dim] < start + length)).nonzero().reshape(-1)
    places = x._places[:, inside].clone()
    places[dim] -= start
    return SparseTensor(places, x._entries[inside], size, x._sorted)


def selected(x, dim, index):
    """The slice at a place of a dimension."""
    dim %= x.dim()
    if not -x.shape[dim] <= index < x.shape[dim]:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(x.shape)} at dimension {dim}")
    size = [n for d, n in enumerate(x.shape) if d != dim]
    if dim >= x._places.shape[0]:
        return SparseTensor(x._places, x._entries.select(dim - x._places.shape[0] + 1, index), size, x._sorted)
    here = (x._places[dim] == index % x.shape[dim]).nonzero().reshape(-1)
    kept = [d for d in range(x._places.shape[0]) if d != dim]
    values = x._entries[here]
    return SparseTensor(x._places[kept][:, here], values, size, x._sorted) if kept else values.sum(0)


def index_selected(x, dim, index):
    return sparse(dense(x).index_select(dim, index), x._places.shape[0])


def picked(x, index):
    """x[index], for places of leading dimensions, whole slices, and what is left for dense tensors."""
    for at in index if isinstance(index, tuple) else (index,):
        if not (isinstance(at, int) or (isinstance(at, slice) and at == slice(None))):
            raise NotImplementedError(
                "sparse tensors are indexed by integers and whole slices; .to_dense() gives one that takes others"
            )
    dim = 0
    for at in index if isinstance(index, tuple) else (index,):
        if isinstance(at, int):
            x = selected(x, dim, at)
        else:
            dim += 1
    return x


def joined(tensors, dim=0):
    dim %= tensors[0].dim()
    places, start = [], 0
    for x in tensors:
        shift = torch.zeros(x._places.shape[0], 1, dtype=torch.int64)
        shift[dim] = start
        places.append(x._places + shift)
        start += x.shape[dim]
    size = [start if d == dim else n for d, n in enumerate(tensors[0].shape)]
    return SparseTensor(torch.cat(places, 1), torch.cat([x._entries for x in tensors]), size)


def stacked(tensors, dim=0):
    dim %= tensors[0].dim() + 1
    places = [torch.cat([x._places[:dim], torch.full_like(x._places[:1], i), x._places[dim:]]) for i, x in enumerate(tensors)]
    size = [*tensors[0].shape[:dim], len(tensors), *tensors[0].shape[dim:]]
    return SparseTensor(torch.cat(places, 1), torch.cat([x._entries for x in tensors]), size)


def masked(x, mask):
    """The values of a tensor at the places of a sparse one."""
    if x.shape != mask.shape:
        sizes = f"self has size {list(x.shape)} but mask has size {list(mask.shape)}"
        raise RuntimeError(f"sparse_mask(): operands have incompatible sizes; {sizes}")
    return mask.like(at_places(dense(x) if x.is_sparse else x, mask._places))
