"""Several tensors as one."""

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import composite, kernel, op, short_way, underived
from rushlight.ops._outputs import JOINED
from rushlight.ops.shape import atleast_2d, atleast_3d


def common_dtype(tensors):
    """What tensors of one number of dimensions promote to."""
    dtype = tensors[0].dtype
    for tensor in tensors:
        if tensor.dtype is not dtype:
            dtype = core.promote_types(dtype, tensor.dtype)
    return dtype


def check_tensors(name, tensors):
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}")
    for place, tensor in enumerate(tensors):
        if not isinstance(tensor, torch.Tensor):
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got {type(tensor).__name__}")


def lies_channels_last(x):
    """Whether the strides of a tensor of 4 or 5 dimensions are those of channels_last, allowing for sizes of 1."""
    least = 0
    sizes, strides = x.shape, x.stride()
    if strides[1] == 0:
        return False
    for d in (1, *range(x.dim() - 1, 1, -1), 0):
        if sizes[d] == 0 or strides[d] < least or (d == 0 and least == strides[1]):
            return False
        least = strides[d] * max(sizes[d], 1)
    return True


def joined_format(tensors):
    """The memory format of several tensors behind each other: channels_last where all have it."""
    rank = tensors[0].dim()
    if rank in (4, 5) and all(x.dim() == rank and lies_channels_last(x) for x in tensors):
        return torch.channels_last if rank == 4 else torch.channels_last_3d
    return torch.contiguous_format


def fill_pieces(out, tensors, dim):
    """Writes the tensors behind each other along `dim`, converted where dtypes differ."""
    dtype = out.dtype
    kernel("cat")(out, *[x if x.dtype is dtype else core.empty_tensor(x.shape, dtype).copy_(x) for x in tensors], dim)


def cat_gradient(g, tensors_shape, dim):
    ndim = g.ndim
    at = wrap_dim(dim, ndim)
    if ndim == 1 or all(len(shape) == ndim for shape in tensors_shape):
        return core.windows(g, at, [shape[at] for shape in tensors_shape])
    # Empty vectors stand among pieces of more dimensions.
    pieces = iter(core.windows(g, at, [shape[at] for shape in tensors_shape if len(shape) == ndim]))
    return [next(pieces) if len(shape) == ndim else g.new_zeros((0,)) for shape in tensors_shape]


@op(
    vjp=cat_gradient,
    lists=("tensors",),
    linear=True,
    plain=short_way("qi", "joined", "cat"),
    apart=True,
    method=False,
    aliases=("concat", "concatenate"),
    batch="rearranging.cat",
    out_text=JOINED,
)
def cat(tensors, dim=0):
    """The tensors one behind the other along `dim`; their other sizes agree.

    >>> import rushlight
    >>> rushlight.cat([rushlight.tensor([1., 2.]), rushlight.tensor([3.])])
    tensor([1., 2., 3.])
    """
    check_tensors("cat", tensors)
    if not tensors:
        raise ValueError("torch.cat(): expected a non-empty list of Tensors")
    first = None
    total = 0
    for place, tensor in enumerate(tensors):
        sizes = tensor.shape
        if sizes == (0,):
            continue  # an empty vector goes with everything, as it always did
        if not sizes:
            raise RuntimeError(f"zero-dimensional tensor (at position {place}) cannot be concatenated")
        if first is None:
            first, at = sizes, wrap_dim(dim, len(sizes))
            expected = sizes[:at] + sizes[at + 1 :]
        elif len(sizes) != len(first):
            raise RuntimeError(f"Tensors must have same number of dimensions: got {len(first)} and {len(sizes)}")
        elif sizes[:at] + sizes[at + 1 :] != expected:
            d = next(d for d in range(len(sizes)) if d != at and sizes[d] != first[d])
            raise RuntimeError(
                f"Sizes of tensors must match except in dimension {at}. Expected size {first[d]} but got size {sizes[d]} for tensor number "
                f"{place} in the list."
            )
        total += sizes[at]
    dtype = common_dtype(tensors)
    if first is None:
        return core.empty_tensor((0,), dtype)
    out = torch.empty(first[:at] + (total,) + first[at + 1 :], dtype=dtype, memory_format=joined_format(tensors))
    fill_pieces(out, [tensor for tensor in tensors if tensor.shape != (0,)], at)
    return out


@op(
    vjp=lambda g, dim: g.unbind(dim),
    lists=("tensors",),
    linear=True,
    plain=short_way("qi", "stacked", "cat"),
    apart=True,
    method=False,
    batch="rearranging.stack",
    out_text=JOINED,
)
def stack(tensors, dim=0):
    """The tensors, all of one shape, along a new dimension.

    >>> import rushlight
    >>> rushlight.stack([rushlight.tensor([1, 2]), rushlight.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    check_tensors("stack", tensors)
    if not tensors:
        raise RuntimeError("stack expects a non-empty TensorList")
    sizes = tensors[0].shape
    at = wrap_dim(dim, len(sizes) + 1)
    for place, tensor in enumerate(tensors):
        if tensor.shape != sizes:
            raise RuntimeError(
                f"stack expects each tensor to be equal size, but got {list(sizes)} at entry 0 and {list(tensor.shape)} at entry {place}"
            )
    shape = sizes[:at] + (len(tensors),) + sizes[at:]
    if at < len(sizes) and joined_format(tensors) is not torch.contiguous_format:
        return cat(tensors, at).view(shape)
    out = core.empty_tensor(shape, common_dtype(tensors))
    fill_pieces(out, tensors, at)
    return out


def joined(name, prepare, dim_of):
    """hstack and its kin: cat of tensors that were given the dimensions it needs."""

    def join(tensors, *, out=None):
        if isinstance(tensors, torch.Tensor):
            raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not Tensor")
        if not tensors:
            raise RuntimeError(f"{name} expects a non-empty TensorList")
        prepared = [prepare(tensor) for tensor in tensors]
        dim = dim_of(prepared[0])
        return cat(prepared, dim) if out is None else cat(prepared, dim, out=out)

    join.__name__ = join.__qualname__ = name
    return join


def as_column(tensor):
    return tensor.reshape(tensor.numel(), 1) if tensor.ndim <= 1 else tensor


def at_least_vector(tensor):
    return tensor.reshape(1) if tensor.ndim == 0 else tensor


hstack = joined("hstack", at_least_vector, lambda first: 0 if first.ndim == 1 else 1)
vstack = joined("vstack", atleast_2d, lambda first: 0)
dstack = joined("dstack", atleast_3d, lambda first: 2)
column_stack = joined("column_stack", as_column, lambda first: 1)
hstack.__doc__ = "The tensors side by side: along the second dimension, vectors along the first."
vstack.__doc__ = "The tensors below each other, vectors as rows."
dstack.__doc__ = "The tensors along the third dimension."
column_stack.__doc__ = "The tensors side by side, vectors as columns."
composite(hstack, method=False)
composite(vstack, method=False, aliases=("row_stack",))
composite(dstack, method=False)
composite(column_stack, method=False)


@op(
    vjp=underived("derivative for aten::_chunk_cat is not implemented", RuntimeError),
    lists=("tensors",),
    name="NotImplemented",
    method=False,
    batch="elementwise.composed",
    signature="tensors tensors, int dim, int num_chunks, *, out",
)
def _chunk_cat(tensors, dim, num_chunks):
    """Each tensor in `num_chunks` pieces along `dim`, the last ones filled with zeros, the rest of its dimensions as one; then all of them
    behind each other."""
    if not tensors:
        raise RuntimeError("_chunk_cat expects a non-empty input tensor list")
    first = tensors[0]
    if dim < 0 and any(tensor.ndim != first.ndim for tensor in tensors):
        raise RuntimeError("_chunk_cat expects non-negative dim when input tensors have different ndims")
    at = wrap_dim(dim, first.ndim)
    if num_chunks < 1:
        raise RuntimeError("_chunk_cat expects positive num_chunks")
    pieces = []
    for tensor in tensors:
        if tensor.numel() == 0:
            raise RuntimeError("_chunk_cat expects non-empty tensor")
        if tensor.dtype is not first.dtype:
            raise RuntimeError("_chunk_cat expects all input tensors with the same dtype")
        if tensor.ndim <= at:
            raise RuntimeError("_chunk_cat expects dim < ndim for all input tensors")
        if tensor.shape[:at] != first.shape[:at]:
            raise RuntimeError("_chunk_cat expects same sizes of 0,...,dim-1 dimensions for all tensors")
        size = tensor.shape[at]
        each = -(-size // num_chunks)
        missing = tensor.new_zeros((*tensor.shape[:at], each * num_chunks - size, *tensor.shape[at + 1 :]))
        pieces.append(cat((tensor, missing), at).reshape(*first.shape[:at], num_chunks, -1))
    return cat(pieces, at + 1)
