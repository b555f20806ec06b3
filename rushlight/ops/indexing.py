"""x[i, j] with tensors, and elements by linear indices. Its family: gather and scatter (scattering), index_select and its kin (slices)."""

import rushlight as torch
from rushlight import core
from rushlight.core import warn_user
from rushlight.ops._declare import composite, kernel, op, short_way
from rushlight.ops._rules import alert_not_deterministic, c_name, in_place
from rushlight.ops.broadcasting import broadcast_two

MASKS = (core.dtype_by_name["bool"], core.dtype_by_name["uint8"])
INDICES = (core.dtype_by_name["int64"], core.dtype_by_name["int32"])


# ---------------------------------------------------------------------------------------------------------- x[i, j]
def expand_masks(x, indices):
    """The indices with each mask replaced by the places of its ones."""
    expanded = []
    for index in indices:
        if index is None:
            expanded.append(None)
        elif index is core.MASK_CONTINUES:
            continue
        elif index.dtype in MASKS:
            if index.dtype is MASKS[1]:
                warn_user("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.")
            start = len(expanded)
            for d in range(index.ndim):
                if start + d >= x.ndim or index.shape[d] != x.shape[start + d]:
                    raise IndexError(
                        f"The shape of the mask {list(index.shape)} at index {d} does not match the shape of the indexed tensor "
                        f"{list(x.shape)} at index {start + d}"
                    )
            expanded.extend(nonzero_places(index).unbind(1))
        elif index.dtype in INDICES:
            expanded.append(index)
        else:
            raise IndexError("tensors used as indices must be long, int, byte or bool tensors")
    return expanded


def nonzero_places(x):
    """The coordinates of the nonzero elements, one a row."""
    x = x.bool() if x.dtype is torch.complex32 else x
    count = core.empty_tensor((), torch.int64)
    kernel("nonzero_count")(count, x)
    places = core.empty_tensor((count.item(), x.ndim), torch.int64, (1, count.item()))
    kernel("nonzero")(places, x)
    return places


class Selection:
    """What indices mean for a tensor: the index tensors of one shape, the dimensions they index, and the shape of the result."""

    def __init__(self, x, indices):
        given = sum(index is not core.MASK_CONTINUES for index in indices)
        if given > x.ndim:
            raise IndexError(f"too many indices for tensor of dimension {x.ndim} (got {given})")
        indices = expand_masks(x, indices)
        if len(indices) > x.ndim:
            raise IndexError(f"too many indices for tensor of dimension {x.ndim} (got {len(indices)})")
        self.dims = [d for d, index in enumerate(indices) if index is not None]
        tensors = [indices[d] for d in self.dims]
        self.common = tensors[0].shape
        if len(tensors) > 1:
            for tensor in tensors[1:]:
                if tensor.shape != self.common:
                    self.common = common_shape(tensors)
                    tensors = [tensor.expand(self.common) for tensor in tensors]
                    break
        self.tensors = tensors
        first, count = self.dims[0], len(self.dims)
        # Indices that stand side by side leave their result in place; otherwise it comes first.
        self.lead = first if self.dims[-1] - first == count - 1 else 0
        self.others = [d for d in range(x.ndim) if d not in self.dims]
        sizes = x.shape
        rest = tuple(sizes[d] for d in self.others)
        self.shape = rest[: self.lead] + self.common + rest[self.lead :]
        if 0 in (sizes[d] for d in self.dims) and 0 not in self.common:
            raise IndexError("index is out of bounds for dimension with size 0")

    def as_result(self, x):
        """`x` and the indices, broadcast to the result: what its order of dimensions follows."""
        lead, count = self.lead, len(self.common)
        steps = x.stride()
        rest = [steps[d] for d in self.others]
        x = x.as_strided(self.shape, (*rest[:lead], *(0,) * count, *rest[lead:]))
        after = len(self.shape) - lead - count
        return (x, *(tensor[(None,) * lead + (...,) + (None,) * after] for tensor in self.tensors))

    def indexed_first(self, x):
        """`x` with the indexed dimensions in front."""
        order = self.dims + self.others
        return x if order == list(range(len(order))) else x.permute(order)

    def result_first(self, out):
        """A result with the indices' dimensions in front."""
        if not self.lead:
            return out
        count = len(self.common)
        places = range(self.lead, self.lead + count)
        return out.permute([*places, *range(self.lead), *range(self.lead + count, out.ndim)])


def common_shape(tensors):
    shape = tensors[0].shape
    try:
        for tensor in tensors[1:]:
            shape = broadcast_two(tuple(shape), tuple(tensor.shape))
    except RuntimeError:
        shapes = ", ".join(str(list(tensor.shape)) for tensor in tensors)
        raise IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}") from None
    return core.Size(shape)


@op(
    vjp=lambda g, x_shape, indices: _index_put(g.new_zeros(x_shape), indices, g, True),
    linear=True,
    plain=short_way("t", "indexed", "index"),
    function=False,
    method=False,
    out=False,
    batch="indexing.index",
    flat="selecting",
    any_place=True,
    overload="index.Tensor",
)
def _index(x, indices):
    """The elements of `x` at the given indices, one (or None) for each dimension."""
    selection = Selection(x, indices)
    out = core.empty_following(selection.shape, x.dtype, selection.as_result(x))
    kernel("index")(selection.result_first(out), selection.indexed_first(x), *selection.tensors)
    return out


def put_gradient(g, indices, values_shape, accumulate):
    return g if accumulate else _index_put(g, indices, g.new_zeros(()))


def put_tangent(x, x_t, indices, values, values_t, accumulate):
    x_t = torch.zeros_like(x) if x_t is None else x_t
    return _index_put(x_t, indices, torch.zeros_like(values) if values_t is None else values_t, accumulate)


@op(
    vjp={"x": put_gradient, "values": lambda g, indices: _index(g, indices)},
    jvp=put_tangent,
    writes=True,
    expanded=True,
    function=False,
    method=False,
    out=False,
    batch="indexing.index_put",
    refusal="name",
    any_place=True,
    overload="index_put.default",
)
def _index_put(x, indices, values, accumulate=False):
    """`x` with `values` at the given indices, or added there."""
    warn_of_expanded("index_put_", x, "tensor[indices] = tensor")
    if all(index is None for index in indices):
        return put_everywhere(x, values, accumulate)
    if not accumulate and values.numel() == 1 and (mask := only_mask(indices)) is not None:
        # What masked_fill takes: a value of any dtype, read before anything is written.
        if mask.dtype is not torch.bool:
            raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {c_name(mask.dtype)}")
        warn_of_expanded("masked_fill_", x, "tensor[mask] = scalar")
        values = as_value(x, values.item())
    else:
        # Before `values` is expanded, which hides what it shares.
        core.require_apart(x, values, *indices)
    selection = Selection(x, indices)
    if values.shape != selection.shape:
        try:
            values = values.expand(selection.shape)
        except RuntimeError:
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of shape "
                f"{list(selection.shape)}"
            ) from None
    if values.dtype is not x.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {x.dtype.legacy_name} for the destination and "
            f"{values.dtype.legacy_name} for the source."
        )
    kernel("index_put")(selection.indexed_first(x), selection.result_first(values), *selection.tensors, int(accumulate))
    return x


def only_mask(indices):
    """The mask that selects alone, or None."""
    given = [index for index in indices if isinstance(index, torch.Tensor)]
    return given[0] if len(given) == 1 and given[0].dtype in MASKS else None


def warn_of_expanded(name, x, indexing):
    """Warns before a write that expanded dimensions make ambiguous."""
    if core.is_expanded(x):
        warn_user(
            f"Use of {name} on expanded tensors is deprecated. Please clone() the tensor before performing this operation. This also applies "
            f"to advanced indexing e.g. {indexing}"
        )


def put_everywhere(x, values, accumulate):
    """index_put without indices: into the whole of `x`."""
    try:
        values = values.expand(x.shape)
    except RuntimeError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of shape {list(x.shape)}"
        ) from None
    return x.add_(values) if accumulate else x.copy_(values)


def at_least_vector(x):
    return x if x.ndim else x.reshape(1)


def as_value(x, value):
    """A number as a 0-d tensor of x's dtype."""
    if not isinstance(value, torch.Tensor):
        core.check_number_fits(value, x.dtype)
    out = core.empty_tensor((), x.dtype)
    return out.fill_(value)


def with_continuations(indices):
    """Indices as a list in which a mask is followed by a mark for each further dimension that it covers."""
    found = []
    for index in indices:
        found.append(index)
        if index is not None and index.dtype in MASKS:
            found.extend([core.MASK_CONTINUES] * (index.ndim - 1))
    return found


def places_to_put(indices):
    """What index_put takes for indices, as `_index_put` reads it."""
    if isinstance(indices, torch.Tensor):
        raise TypeError("index_put_(): argument 'indices' (position 1) must be tuple of Tensors, not Tensor")
    for place, index in enumerate(indices):
        if not isinstance(index, torch.Tensor):
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got {type(index).__name__}")
    return with_continuations(indices)


@composite(signature="Tensor input, tensors indices, Tensor values, bool accumulate=False")
def index_put(input, indices, values, accumulate=False):
    """A copy of `input` with `values` at the places that a tuple of index tensors names, or added there."""
    return _index_put(input, places_to_put(indices), values, accumulate)


@composite(signature="Tensor input, tensors indices, Tensor values, bool accumulate=False")
def index_put_(input, indices, values, accumulate=False):
    """In-place version of `index_put`."""
    return in_place(_index_put)(input, places_to_put(indices), values, accumulate)


# ---------------------------------------------------------------------------------------------------------- by other names
@composite(namespace="aten", method=False, signature="Tensor input, tensors indices")
def index(input, indices):
    """`x[indices]`, of index tensors alone, with None for a dimension that is left whole."""
    if not indices:
        raise IndexError("at least one index must be provided")
    return _index(input, with_continuations(indices))


@composite(
    namespace="aten",
    method=False,
    name="index_put",
    signature="Tensor input, tensors indices, Tensor values, bool accumulate=False",
)
def put_at(input, indices, values, accumulate=False):
    """index_put, with None for a dimension that is left whole."""
    return _index_put(input, with_continuations(indices), values, accumulate)


@composite(
    namespace="aten",
    method=False,
    name="index_put_",
    signature="Tensor input, tensors indices, Tensor values, bool accumulate=False",
)
def put_at_(input, indices, values, accumulate=False):
    """In-place version of `index_put`, with None for a dimension that is left whole."""
    return in_place(_index_put)(input, with_continuations(indices), values, accumulate)


INNER = dict(function=False, method=False, out=False, batch="elementwise.composed")


@op(
    vjp=lambda g, x_shape, indices: unsafely_put(g.new_zeros(x_shape), indices, g, True),
    linear=True,
    name="UnsafeIndexBackward0",
    **INNER,
)
def unsafely_indexed(x, indices):
    """`x[indices]`. (Whoever calls it says that no index is out of range; that is checked all the same.)"""
    return _index(x, indices)


@op(
    vjp={"x": put_gradient, "values": lambda g, indices: unsafely_indexed(g, indices)},
    jvp=put_tangent,
    name="UnsafeIndexPutBackward0",
    **INNER,
)
def unsafely_put(x, indices, values, accumulate):
    """index_put, of whose indices the caller says that none is out of range."""
    return _index_put(x, indices, values, accumulate)


def clamped(x, indices):
    """Indices moved into range."""
    return [
        index if not isinstance(index, torch.Tensor) or index.dtype in MASKS else index.clamp(-x.shape[d], x.shape[d] - 1)
        for d, index in enumerate(indices)
    ]


@op(
    vjp=lambda g, x_shape, mask, indices: masked_put(g.new_zeros(x_shape), mask, indices, g),
    jvp=lambda x_t, mask, indices: masked_index(x_t, mask, indices, 0),
    inputs=("x",),
    name="UnsafeMaskedIndexBackward0",
    **INNER,
)
def masked_index(x, mask, indices, fill):
    """`x[indices]` where `mask` is True, `fill` elsewhere: there an index may be out of range."""
    if x.numel() == 0:
        rest = [index for index in indices if isinstance(index, torch.Tensor)]
        return x.new_full((*common_shape(rest), *x.shape[len(indices) :]), fill)
    return _index(x, clamped(x, indices)).masked_fill(mask.logical_not(), fill)


@op(
    vjp={"x": lambda g: g, "values": lambda g, mask, indices: masked_index(g, mask, indices, 0)},
    jvp=lambda x, x_t, mask, indices, values, values_t: masked_put(
        torch.zeros_like(x) if x_t is None else x_t, mask, indices, torch.zeros_like(values) if values_t is None else values_t
    ),
    name="UnsafeMaskedIndexPutAccumulateBackward0",
    **INNER,
)
def masked_put(x, mask, indices, values):
    """`x` with the `values` where `mask` is True added at `indices`."""
    if x.numel() == 0:
        return x.clone()
    return _index_put(x, clamped(x, indices), values.masked_fill(mask.logical_not(), 0), True)


@composite(method=False, signature="Tensor input, tensors indices")
def _unsafe_index(input, indices):
    """`input[indices]`, of whose indices the caller says that none is out of range."""
    return unsafely_indexed(input, places_to_put(indices))


@composite(method=False, signature="Tensor input, tensors indices, Tensor values, bool accumulate=False")
def _unsafe_index_put(input, indices, values, accumulate=False):
    """index_put, of whose indices the caller says that none is out of range."""
    return unsafely_put(input, places_to_put(indices), values, accumulate)


@composite(method=False, signature="Tensor input, Tensor mask, tensors indices, Number fill")
def _unsafe_masked_index(input, mask, indices, fill):
    """`input[indices]` where `mask` is True, `fill` elsewhere.

    >>> import rushlight as torch
    >>> torch._unsafe_masked_index(torch.tensor([3, 4]), torch.tensor([True, False]), [torch.tensor([1, 9])], 0)
    tensor([4, 0])
    """
    return masked_index(input, mask, places_to_put(indices), fill)


@composite(method=False, signature="Tensor input, Tensor mask, tensors indices, Tensor values")
def _unsafe_masked_index_put_accumulate(input, mask, indices, values):
    """`input` with the `values` where `mask` is True added at `indices`."""
    return masked_put(input, mask, places_to_put(indices), values)


# ---------------------------------------------------------------------------------------------------------- linear indices
@op(
    vjp=lambda g, x_shape, index: g.new_zeros(x_shape).put(index, g, True),
    linear=True,
    apart=True,
    batch="indexing.take",
    out_text="take(): self and out expected to have the same dtype, but got self.dtype = {result} and out.dtype = {out}",
)
def take(x, index):
    """The elements at linear (row-major) indices."""
    if index.dtype is not torch.int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {index.dtype.legacy_name}")
    out = core.empty_tensor(index.shape, x.dtype)
    kernel("take")(out, x, index)
    return out


@op(
    vjp={
        "x": lambda g, index, source_shape, accumulate: g if accumulate else g.put(index, g.new_zeros(source_shape)),
        "source": lambda g, index, source_shape: g.take(index).reshape(source_shape),
    },
    linear=True,
    writes=True,
    expanded=True,
    batch="indexing.put",
    out=False,
)
def put(x, index, source, accumulate=False):
    """`x` with the elements of `source` at linear (row-major) indices, or added there."""
    if not accumulate:
        alert_not_deterministic("put_")
    if index.dtype is not torch.int64:
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {index.dtype.legacy_name}")
    if source.dtype is not x.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{x.dtype.legacy_name} and source.dtype = {source.dtype.legacy_name}"
        )
    if source.numel() != index.numel():
        raise IndexError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = {source.numel()}, "
            f"index.numel() = {index.numel()}"
        )
    if x.numel() == 0 and index.numel():
        raise IndexError("put_(): Tried to put elements into an empty tensor")
    core.check_no_overlap(x)
    core.require_apart(x, source, index)
    if index.numel():
        kernel("put")(x, index, source, int(accumulate))
    return x


from rushlight.ops import counting, filling, scattering, slices  # noqa: E402, F401  (the rest of the family)
