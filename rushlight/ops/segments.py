"""Reductions of stretches of a tensor, places of a fixed number, and a number that tells tensors apart."""

import rushlight as torch
from rushlight.core import wrap_dim, written_out
from rushlight.ops._declare import composite
from rushlight.ops._rules import not_implemented

IDENTITIES = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -torch.inf, "min": torch.inf}
SCATTERED = {"sum": "sum", "mean": "sum", "prod": "prod", "max": "amax", "min": "amin"}


def segment_lengths(data, lengths, offsets, axis, unsafe):
    """How long the segments are, as a tensor of the dimensions of `data` before `axis` and one for the segments."""
    if offsets is None and lengths is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    given = lengths if offsets is None else offsets
    if axis != given.dim() - 1:
        raise RuntimeError(f"segment_reduce(): Expected axis to be the last dimension of lengths but got {axis}.")
    if data.dim() < given.dim():
        raise RuntimeError(
            f"Expected data.dim() >= {'lengths' if offsets is None else 'offsets'}_value.dim() to be true, but got false.  (Could this error "
            "message be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    if given.is_floating_point() or given.is_complex():
        raise not_implemented("_segment_reduce_lengths_cpu_kernel1", given.dtype)
    if offsets is not None:
        lengths = offsets.diff(dim=-1)
    if not unsafe or lengths.numel() == 0 or int(lengths.min()) < 0:
        if lengths.numel() and int(lengths.min()) < 0:
            raise RuntimeError("lengths contains negative value!")
        if offsets is None and not bool((lengths.sum(-1) == data.shape[axis]).all()):
            raise RuntimeError(
                "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe."
            )
    ends = offsets[..., 1:] if offsets is not None else lengths.cumsum(-1)
    starts = offsets[..., :1] if offsets is not None else torch.zeros_like(lengths[..., :1])
    if not data.is_floating_point():
        raise not_implemented("_segment_reduce_cpu", data.dtype)
    if lengths.numel() and (int(ends.max()) > data.shape[axis] or int(starts.min()) < 0):
        raise RuntimeError("segment_reduce(): segments reach beyond the data")
    return lengths, starts, ends


@composite(
    method=False,
    aliases=("_segment_reduce",),
    signature="Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, Tensor? offsets=None, int axis=0, "
    "bool unsafe=False, Number? initial=None",
)
def segment_reduce(data, reduce, *, lengths=None, indices=None, offsets=None, axis=0, unsafe=False, initial=None):
    """The sum, mean, max, min or prod of each of the segments that a dimension is cut into.

    Args:
        data: Of a floating dtype.
        reduce: "sum", "mean", "max", "min" or "prod".
        lengths: How long each segment is, of shape (*data.shape[:axis], segments).
        offsets: Where each begins, and where the last ends, instead of `lengths`.
        axis: The dimension that is cut.
        initial: What every segment begins with.

    >>> import rushlight as torch
    >>> torch.segment_reduce(torch.tensor([1., 2., 3.]), "sum", lengths=torch.tensor([2, 1]))
    tensor([3., 3.])
    """
    axis = wrap_dim(axis, data.dim())
    kind = {"amax": "max", "amin": "min"}.get(reduce, reduce)
    if kind not in IDENTITIES:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    lengths, starts, ends = segment_lengths(data, lengths, offsets, axis, unsafe)
    size, segments = data.shape[axis], lengths.shape[-1]
    rows, rest = data.shape[:axis].numel(), data.shape[axis + 1 :].numel()
    places = torch.arange(size).expand(rows, size).contiguous()
    index = torch.searchsorted(ends.reshape(rows, segments).contiguous(), places, right=True)
    # What lies outside of all segments goes into a segment of its own, which is dropped.
    index = torch.where(places < starts.reshape(rows, 1), segments, index)
    extreme = kind in ("max", "min")
    first = IDENTITIES[kind] if initial is None or extreme else initial
    made = torch.full((rows, segments + 1, rest), first, dtype=data.dtype)
    made = made.scatter_reduce(1, index.unsqueeze(-1).expand(rows, size, rest), data.reshape(rows, size, rest), SCATTERED[kind])
    made = made[:, :segments].contiguous().view(*data.shape[:axis], segments, *data.shape[axis + 1 :])
    if extreme and initial is not None:
        made = torch.where(made >= initial if kind == "max" else made <= initial, made, initial)
    if kind == "mean":
        counts = lengths.reshape(*lengths.shape, *(1,) * (data.dim() - axis - 1))
        made = torch.where(counts > 0, made / counts, torch.nan if initial is None else initial)
    return made


@composite(signature="Tensor input, *, int size, int fill_value=-1, Tensor out=None")
def nonzero_static(input, *, size, fill_value=-1, out=None):
    """The coordinates of the first `size` nonzero elements, one a row; rows of `fill_value` where there are fewer.

    >>> import rushlight as torch
    >>> torch.nonzero_static(torch.tensor([0, 5, 6]), size=3)
    tensor([[ 1],
            [ 2],
            [-1]])
    """
    if size < 0:
        raise RuntimeError("nonzero_static: 'size' must be an non-negative integer")
    if out is not None and out.dtype is not torch.int64:
        raise RuntimeError(
            f"nonzero_static: Expected out tensor to have scalar type Long but got scalar type{out.dtype.legacy_name}"
        )
    found = torch.nonzero(input)[:size]
    filler = torch.full((size - found.shape[0], input.dim()), fill_value, dtype=torch.int64)
    return torch.cat([found, filler], out=out) if out is not None else torch.cat([found, filler])


@composite(signature="Tensor input, ints[1] dim=(), *, bool keepdim=False, int mode=0, Tensor out=None")
def hash_tensor(input, dim=(), *, keepdim=False, mode=0, out=None):
    """The exclusive or of the 64 bits of all elements, or of those along the given dimensions, as uint64.

    >>> import rushlight as torch
    >>> torch.hash_tensor(torch.tensor([1, 2]))
    tensor(3, dtype=torch.uint64)
    """
    if mode != 0:
        raise RuntimeError(f"Unknown hash_tensor mode: {mode}")
    if input.is_complex():
        raise not_implemented("xor_sum_cpu", input.dtype)
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if input.numel() == 0 and not dims:
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument."
        )
    if out is not None and out.dtype is not torch.uint64:
        raise RuntimeError(f"Expected result to be of dtype uint64, but got {out.dtype.legacy_name}")
    bits = (input.to(torch.float64) if input.is_floating_point() else input).detach()
    bits = bits.view(torch.int64) if input.is_floating_point() else bits.to(torch.int64)
    dims = sorted((wrap_dim(each, input.dim()) for each in dims or range(input.dim())), reverse=True)
    for each in dims if input.dim() else ():
        bits = folded(bits, each)
    if not keepdim:
        bits = bits.squeeze(dims)
    made = bits.view(torch.uint64)
    return made if out is None else written_out("aten::hash_tensor", out, made)


def folded(bits, dim):
    """The exclusive or along a dimension, which is kept: one half onto the other, again and again."""
    size = bits.shape[dim]
    if size == 0:
        return torch.zeros([1 if d == dim else n for d, n in enumerate(bits.shape)], dtype=bits.dtype)
    while size > 1:
        half = size // 2
        pair = bits.narrow(dim, 0, half) ^ bits.narrow(dim, half, half)
        bits = torch.cat([pair, bits.narrow(dim, 2 * half, 1)], dim) if size % 2 else pair
        size = bits.shape[dim]
    return bits
