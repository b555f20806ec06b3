"""Copies in another order, repeated, joined, or written into part of another tensor."""

import math

from rushlight.core import lined_up, wrap_dim
from rushlight.func.batching._table import last_dims, repeated, samples, short_way, torch, unchanged
from rushlight.func.batching.reduction import shifted
from rushlight.func.batching.views import dims_moved, sizes_of
from rushlight.ops.filling import copy as overwriting

run = torch.core.run


# ---- cotangents of views --------------------------------------------------------------------------------------------------
def unfold_backward(op, arguments, batched, size):
    x, sizes, dim, length, step = arguments
    if not len(sizes):
        return x.reshape(size)
    return run(op, (x, (size, *sizes), shifted(dim, len(sizes)), length, step))


def window_gradient(op, arguments, batched, size):
    """The memories of the examples lie one behind the other."""
    x, count, base_size, base_stride, base_start, view_size, view_stride, view_start = arguments
    base = ((size, *base_size), (count, *base_stride), base_start)
    return run(op, (x, count * size, *base, (size, *view_size), (count, *view_stride), view_start))


# ---- written into a part --------------------------------------------------------------------------------------------------
def scatter(op, arguments, batched, size):
    x, src = repeated(arguments[0], batched[0], size), repeated(arguments[1], batched[1], size)
    return run(op, (x, src, *dims_moved(op, arguments, x.ndim - 1)[2:]))


def as_strided_scatter(op, arguments, batched, size):
    x, src, sizes, strides, offset = arguments
    x, src = repeated(x, batched[0], size).contiguous(), repeated(src, batched[1], size)
    return run(op, (x, src, (size, *sizes), (x.stride(0), *strides), offset))


# ---- repeated, turned -----------------------------------------------------------------------------------------------------
def repeat(op, arguments, batched, size):
    x, repeats = arguments
    repeats = sizes_of(repeats)
    if len(repeats) < x.ndim - 1:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    return run(op, (lined_up(x, True, len(repeats)), (1, *repeats)))


def flip(op, arguments, batched, size):
    x, dims = arguments
    dims = shifted(sizes_of(dims), x.ndim - 1)
    return x.clone() if x.ndim == 1 else run(op, (x, dims))


def roll(op, arguments, batched, size):
    x, shifts, dims = arguments
    dims = () if dims is None else sizes_of(dims)
    if not dims:
        return run(op, (x.reshape(size, -1), shifts, 1)).view(x.shape)
    return x.clone() if x.ndim == 1 else run(op, (x, shifts, shifted(dims, x.ndim - 1)))


def diag_embed(op, arguments, batched, size):
    x, offset, first, second = arguments
    if x.ndim == 1:
        raise RuntimeError("diag_embed needs a last dimension")
    return run(op, (x, offset, wrap_dim(first, x.ndim) + 1, wrap_dim(second, x.ndim) + 1))


# ---- joined ---------------------------------------------------------------------------------------------------------------
def cat(op, arguments, batched, size):
    tensors, dim = arguments
    inner = [x.ndim - flag for x, flag in zip(tensors, batched[0], strict=True)]
    ndim = max(inner)
    # Vectors without elements are passed over.
    kept = [i for i, x in enumerate(tensors) if ndim == 1 or inner[i] != 1 or x.shape[-1]]
    if 0 in inner:
        raise RuntimeError("zero-dimensional tensors cannot be concatenated")
    return run(op, ([repeated(tensors[i], batched[0][i], size) for i in kept], shifted(dim, ndim)))


def stack(op, arguments, batched, size):
    tensors, dim = arguments
    tensors = [repeated(x, flag, size) for x, flag in zip(tensors, batched[0], strict=True)]
    return run(op, (tensors, wrap_dim(dim, tensors[0].ndim) + 1))


def blocks_on_diagonal(op, arguments, batched, size):
    """Each block between zeros of its row, the rows below each other."""
    tensors = [repeated(x, flag, size) for x, flag in zip(arguments[0], batched[0], strict=True)]
    if any(x.ndim > 3 for x in tensors):
        raise RuntimeError("a block has too many dimensions")
    tensors = [lined_up(x, True, 2) for x in tensors]
    width, start, rows = sum(x.shape[2] for x in tensors), 0, []
    for x in tensors:
        rows.append(torch.constant_pad_nd(x, (start, width - start - x.shape[2])))
        start += x.shape[2]
    return torch.cat(rows, 1)


# ---- values written into a tensor -----------------------------------------------------------------------------------------
@short_way("filled")
def fill(op, arguments, batched, size):
    x, value = arguments
    x = repeated(x, batched[0], size)
    if not batched[1]:
        return run(op, (x, value))
    if value.ndim != 1:
        raise RuntimeError(f"fill_ only supports 0-dimension value tensor but got tensor with {value.ndim - 1} dimensions.")
    return run(overwriting, (x, lined_up(value, True, x.ndim - 1), False))


@short_way("copied")
def copy(op, arguments, batched, size):
    x, src, non_blocking = arguments
    x = repeated(x, batched[0], size)
    if src.ndim - batched[1] > x.ndim - 1:
        raise RuntimeError("the source has more dimensions than the target")
    return run(op, (x, lined_up(src, batched[1], x.ndim - 1), non_blocking))


def fill_where(op, arguments, batched, size):
    x, mask, value = arguments
    x = repeated(x, batched[0], size)
    if mask.ndim - batched[1] > x.ndim - 1 or (batched[2] and value.ndim != 1):
        raise RuntimeError("the mask has more dimensions than the target")
    mask = lined_up(mask, batched[1], x.ndim - 1)
    if not batched[2]:
        return run(op, (x, mask, value))
    return torch.where(mask, lined_up(value, True, x.ndim - 1).to(x.dtype), x)


def scatter_where(op, arguments, batched, size):
    x, mask, source = arguments
    x, source = repeated(x, batched[0], size), repeated(source, batched[2], size).reshape(size, -1)
    mask = lined_up(mask, batched[1], x.ndim - 1).expand(x.shape)
    if mask.dtype is not torch.bool or source.dtype is not x.dtype:
        raise RuntimeError("masked_scatter wants a mask, and one dtype")
    flat = mask.reshape(size, -1)
    places = flat.cumsum(1) - 1
    if not math.prod(flat.shape) or int(places[:, -1].max()) < 0:
        return x.clone()
    if int(places[:, -1].max()) >= source.shape[1]:
        raise RuntimeError("the source has too few elements")
    return torch.where(mask, source.gather(1, places.clamp(min=0)).view(x.shape), x)


# ---- as they are ----------------------------------------------------------------------------------------------------------
zero = short_way("filled")(last_dims(0))
triangle, pixels = last_dims(2), last_dims(3)
pad = unchanged  # (padding begins with the last dimension)


def patches(op, arguments, batched, size):
    """More samples; of examples without, the batch is that of samples."""
    of_one = arguments[0].dim() == (3 if "output_size" in op.parameters else 4)
    return run(op, arguments) if of_one else samples(op, arguments, batched, size)
