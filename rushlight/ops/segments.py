"""Reductions of stretches of a tensor, places of a fixed number, and a number that tells tensors apart."""

import rushlight as torch
from rushlight.core import wrap_dim, written_out
from rushlight.ops._declare import composite, op
from rushlight.ops._rules import not_implemented

IDENTITIES = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "max": -torch.inf, "min": torch.inf}
SCATTERED = {"sum": "sum", "mean": "sum", "prod": "prod", "max": "amax", "min": "amin"}


def check_segments(data, lengths, offsets, axis, unsafe):
    """Refuses segments that do not fit `data`."""
    if offsets is None and lengths is None:
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined.")
    given = lengths if offsets is None else offsets
    if data.dim() < given.dim():
        raise RuntimeError(
            f"Expected data.dim() >= {'lengths' if offsets is None else 'offsets'}_value.dim() to be true, but got false.  (Could this error "
            "message be improved?  If so, please report an enhancement request to PyTorch.)"
        )
    if axis != given.dim() - 1:
        raise RuntimeError(f"segment_reduce(): Expected axis to be the last dimension of lengths but got {axis}.")
    if not unsafe and offsets is None:
        if lengths.numel() and int(lengths.min()) < 0:
            raise RuntimeError("lengths contains negative value!")
        if not bool((lengths.sum(-1) == data.shape[axis]).all()):
            raise RuntimeError(
                "segment_reduce(): Expected all rows of lengths along axis to sum to data.size(lengths.dim()-1) when !unsafe."
            )
    if given.dtype not in (torch.int32, torch.int64):
        raise not_implemented("_segment_reduce_lengths_cpu_kernel1", given.dtype)
    if not data.is_floating_point():
        raise not_implemented("_segment_reduce_cpu", data.dtype)
    counts = lengths if offsets is None else offsets.diff(dim=-1)
    if counts.numel() and int(counts.min()) < 0:
        raise RuntimeError(
            "Expected segment_length >= 0 to be true, but got false.  (Could this error message be improved?  If so, please report an "
            "enhancement request to PyTorch.)"
        )
    ends = given if offsets is not None else lengths.sum(-1)
    if counts.numel() and (int(ends.max()) > data.shape[axis] or (offsets is not None and int(offsets.min()) < 0)):
        raise RuntimeError("segment_reduce(): segments reach beyond the data")


class Segments:
    """The places of the segments of `data` as rows: of shape (what is before the axis, the axis, what is behind it)."""

    def __init__(self, data, lengths, offsets, axis):
        self.counts = lengths if offsets is None else offsets.diff(dim=-1)
        self.before, self.behind = data.shape[:axis], data.shape[axis + 1 :]
        size, self.segments = data.shape[axis], self.counts.shape[-1]
        self.rows, self.rest = self.before.numel(), self.behind.numel()
        ends = (lengths.cumsum(-1) if offsets is None else offsets[..., 1:]).reshape(self.rows, self.segments).contiguous()
        places = torch.arange(size).expand(self.rows, size).contiguous()
        index = torch.searchsorted(ends, places, right=True)
        if (
            offsets is not None
        ):  # what lies before the first segment goes with what lies behind the last: into one that is dropped
            index = torch.where(places < offsets[..., :1].reshape(self.rows, 1), self.segments, index)
        self.index = index.unsqueeze(-1).expand(self.rows, size, self.rest)

    def flat(self, data):
        """`data` as rows."""
        return data.reshape(self.rows, data.shape[len(self.before)], self.rest)

    def reduced(self, values, how, first):
        """The values of each segment as one, and of what lies in none."""
        made = torch.full((self.rows, self.segments + 1, self.rest), first, dtype=values.dtype)
        return made.scatter_reduce(1, self.index, values, how)

    def shown(self, reduced):
        """What the program sees of such values."""
        return reduced[:, : self.segments].reshape(*self.before, self.segments, *self.behind).contiguous()

    def spread(self, values):
        """Such values as the program has them, for each element of the data: zero for those in no segment."""
        return torch.nn.functional.pad(self.flat(values), (0, 0, 0, 1)).gather(1, self.index)


@op(
    no_derivative="_segment_reduce_backward",
    inputs=("grad", "output", "data"),
    name="NotImplemented",
    namespace="aten",
    method=False,
    signature="Tensor grad, Tensor output, Tensor data, str reduce, *, Tensor? lengths=None, Tensor? offsets=None, int axis=0, "
    "Number? initial=None",
    out=False,
)
def _segment_reduce_backward(grad, output, data, reduce, lengths=None, offsets=None, axis=0, initial=None):
    """The cotangent of what segments are cut from."""
    segments = Segments(data, lengths, offsets, axis)
    flat, g = segments.flat(data), segments.spread(grad)
    if reduce in ("max", "min"):  # what is no number counts as what was found, whichever it is
        found = (flat == segments.spread(output)) | flat.isnan()
        times = segments.shown(segments.reduced(found.to(data.dtype), "sum", 0))
        made = torch.where(found, g / segments.spread(times), 0)
    elif reduce == "prod":
        hard = flat.isnan() | (flat == 0)  # (by these the product cannot be divided)
        rest = segments.reduced(torch.where(hard, 1, flat), "prod", 1 if initial is None else initial)
        others = segments.reduced(hard.to(data.dtype), "sum", 0).gather(1, segments.index) - 1
        unknown = segments.reduced(flat.isnan().to(data.dtype), "sum", 0).gather(1, segments.index) - flat.isnan().to(data.dtype)
        factor = torch.where(unknown > 0, torch.nan, torch.where(others > 0, 0, 1).to(data.dtype))
        made = torch.where(hard, g * rest.gather(1, segments.index) * factor, g * segments.spread(output) / flat)
    elif reduce == "mean":
        counts = segments.counts.reshape(segments.rows, segments.segments, 1).expand(-1, -1, segments.rest)
        made = g / segments.spread(segments.shown(counts.to(data.dtype)))
    else:
        made = g
    outside = segments.index == segments.segments
    return torch.where(outside, 0, made).to(data.dtype).view(data.shape)


@op(
    vjp=lambda g, out, data, reduce, lengths, offsets, axis, initial: _segment_reduce_backward(
        g, out, data, reduce, lengths=lengths, offsets=offsets, axis=axis, initial=initial
    ),
    name="SegmentReduceBackward0",
    public="segment_reduce",
    function=False,
    method=False,
    out=False,
)
def _segments(data, reduce, lengths, offsets, axis, initial):
    """`segment_reduce` of arguments that are in order."""
    segments = Segments(data, lengths, offsets, axis)
    first = IDENTITIES[reduce] if initial is None else initial
    made = segments.shown(segments.reduced(segments.flat(data), SCATTERED[reduce], first))
    if reduce == "mean":
        counts = segments.counts.reshape(*segments.counts.shape, *(1,) * len(segments.behind))
        made = torch.where(counts > 0, made / counts, torch.nan if initial is None else initial).to(data.dtype)
    return made


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
    check_segments(data, lengths, offsets, axis, unsafe)
    return _segments(data, kind, lengths if offsets is None else None, offsets, axis, initial)


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


@composite(signature="Tensor input, ints[1]? dim=(), *, bool keepdim=False, int mode=0, Tensor out=None")
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
    dims = (dim,) if isinstance(dim, int) else tuple(dim or ())
    if input.numel() == 0 and not dims:
        raise RuntimeError(
            "hash_tensor: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument."
        )
    if out is not None and out.dtype is not torch.uint64:
        raise RuntimeError(f"Expected result to be of dtype uint64, but got {out.dtype.legacy_name}")
    bits = (input.to(torch.float64) if input.is_floating_point() else input).detach()
    bits = bits.view(torch.int64) if input.is_floating_point() else bits.to(torch.int64)
    dims = sorted((wrap_dim(each, input.dim()) for each in dims or range(input.dim())), reverse=True)
    for each in reversed(dims):
        if input.dim() and not input.shape[each]:
            raise IndexError(f"hash_tensor: Expected reduction dim {each} to have non-zero size.")
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
