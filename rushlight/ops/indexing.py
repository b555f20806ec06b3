"""x[i, j] with tensors, and what reads and writes along one dimension: gather, scatter, index_select, index_add, …"""

import warnings

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops.shape import broadcast_two, wrapped

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
                warnings.warn(
                    "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                    UserWarning,
                    stacklevel=4,
                )
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
    count = core.empty_tensor((), torch.int64)
    kernel("nonzero_count")(count, x)
    places = core.empty_tensor((count.item(), x.ndim), torch.int64, (1, count.item()))
    kernel("nonzero")(places, x)
    return places


class Selection:
    """What indices mean for a tensor: the index tensors of one shape, the dimensions they index, and the shape of the result."""

    def __init__(self, x, indices):
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
    vjp=lambda g, x_shape, indices: torch.Tensor._index_put(g.new_zeros(x_shape), indices, g, True),
    linear=True,
    driver=core.SelectOp,
    configuration=("index",),
    function=False,
    out=False,
)
def _index(x, indices):
    """The elements of `x` at the given indices, one (or None) for each dimension."""
    selection = Selection(x, indices)
    out = core.empty_tensor(selection.shape, x.dtype)
    kernel("index")(selection.result_first(out), selection.indexed_first(x), *selection.tensors)
    return out


def put_gradient(g, indices, values_shape, accumulate):
    return g if accumulate else g._index_put(indices, g.new_zeros(()))


@op(
    vjp={"x": put_gradient, "values": lambda g, indices: g._index(indices)},
    jvp=lambda x, x_t, indices, values, values_t, accumulate: (torch.zeros_like(x) if x_t is None else x_t)._index_put(
        indices, torch.zeros_like(values) if values_t is None else values_t, accumulate
    ),
    writes=True,
    function=False,
    out=False,
)
def _index_put(x, indices, values, accumulate=False):
    """`x` with `values` at the given indices, or added there."""
    selection = Selection(x, indices)
    if values.dtype is not x.dtype:
        raise RuntimeError(
            f"Index put requires the source and destination dtypes match, got {dtype_title(x.dtype)} for the destination and "
            f"{dtype_title(values.dtype)} for the source."
        )
    if values.shape != selection.shape:
        try:
            values = values.expand(selection.shape)
        except RuntimeError:
            raise RuntimeError(
                f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of shape "
                f"{list(selection.shape)}"
            ) from None
    kernel("index_put")(selection.indexed_first(x), selection.result_first(values), *selection.tensors, int(accumulate))
    return x


TITLES = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "float16": "Half",
    "bfloat16": "BFloat16",
    "float32": "Float",
    "float64": "Double",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
}


def dtype_title(dtype):
    """What PyTorch's errors call a dtype."""
    return TITLES[str(dtype).removeprefix("torch.")]


def with_continuations(x, indices):
    """Indices as a list in which a mask is followed by a mark for each further dimension that it covers."""
    for place, index in enumerate(indices):
        if not isinstance(index, torch.Tensor):
            raise TypeError(f"expected Tensor as element {place} in argument 0, but got {type(index).__name__}")
    found = []
    for index in indices:
        found.append(index)
        if index.dtype in MASKS:
            found.extend([core.MASK_CONTINUES] * (index.ndim - 1))
    return found


@composite
def index_put(input, indices, values, accumulate=False):
    """A copy of `input` with `values` at the places that a tuple of index tensors names, or added there."""
    return input._index_put(with_continuations(input, indices), values, accumulate)


@composite
def index_put_(input, indices, values, accumulate=False):
    """In-place version of `index_put`."""
    return input._index_put_(with_continuations(input, indices), values, accumulate)


# ---------------------------------------------------------------------------------------------------------- gather and scatter
def check_index_sizes(x, dim, index, src=None):
    """The sizes of an index for gather or scatter: of x's number of dimensions, and no larger outside `dim`."""
    reading = src is None
    ndim, d = x.ndim or 1, wrapped(dim, x.ndim)
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


def at_least_vector(x):
    return x if x.ndim else x.reshape(1)


def require_index_dtype(name, index):
    if index.numel() and index.dtype not in INDICES:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index")


@op(
    vjp=lambda g, x_shape, dim, index: g.new_zeros(x_shape).scatter_add(dim, index, g),
    linear=True,
    driver=core.SelectOp,
    configuration=("gather",),
)
def gather(x, dim, index, *, sparse_grad=False):
    """out[i][j][k] = x[index[i][j][k]][j][k] for `dim` 0: one element of `x` for each of `index`."""
    require_index_dtype("gather", index)
    d = check_index_sizes(x, dim, index)
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


def write_along(name, x, dim, index, src, *numbers):
    require_index_dtype("scatter", index)
    d = check_index_sizes(x, dim, index, src)
    if src.dtype is not x.dtype:
        raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
    if index.numel():
        index = at_least_vector(index)
        kernel(name)(at_least_vector(x), index, window_like(at_least_vector(src), index), d, *numbers)
    return x


def padded_to(g, shape):
    """`g` at the start of zeros of a larger shape: the cotangent of the part of `src` that an index reaches."""
    for d, size in enumerate(shape):
        if g.shape[d] != size:
            g = torch.slice_backward(g, tuple(g.shape[:d]) + (size,) + tuple(g.shape[d + 1 :]), d, 0, g.shape[d], 1)
    return g


def gather_padded(g, dim, index, src_shape):
    return padded_to(g.gather(dim, index), src_shape) if index.numel() else g.new_zeros(src_shape)


@op(
    vjp={
        "x": lambda g, dim, index: g.scatter(dim, index, 0),
        "src": gather_padded,
    },
    jvp=lambda x, x_t, dim, index, src, src_t: (torch.zeros_like(x) if x_t is None else x_t).scatter(
        dim, index, torch.zeros_like(src) if src_t is None else src_t
    ),
    writes=True,
    name="ScatterBackward0",
    function=False,
    method=False,
)
def scatter_tensor(x, dim, index, src):
    """`x` with the elements of `src` where `index` sends them along `dim`; where two meet, the last stays."""
    return write_along("scatter", x, dim, index, src)


def as_value(x, value):
    """A number as a 0-d tensor of x's dtype."""
    out = core.empty_tensor((), x.dtype)
    return out.fill_(value)


@op(
    vjp=lambda g, dim, index: g.scatter(dim, index, 0),
    jvp=lambda x_t, dim, index: x_t.scatter(dim, index, 0),
    writes=True,
    name="ScatterBackward1",
    function=False,
    method=False,
)
def scatter_value(x, dim, index, value):
    """`x` with one number where `index` points along `dim`."""
    require_index_dtype("scatter", index)
    d = check_index_sizes(x, dim, index, False)
    if index.numel():
        kernel("scatter_fill")(at_least_vector(x), at_least_vector(index), as_value(x, value), d)
    return x


REDUCTIONS = {"sum": 0, "prod": 1, "mean": 2, "amax": 3, "amin": 4}


@op(no_derivative="scatter", inputs=("x", "src"), writes=True, function=False, method=False)
def scatter_combining(x, dim, index, src, reduce):
    """`scatter` that adds or multiplies."""
    if reduce not in ("add", "multiply"):
        raise RuntimeError("reduce argument must be either add or multiply.")
    return write_along("scatter_reduce", x, dim, index, src, REDUCTIONS["sum" if reduce == "add" else "prod"], 1)


def choose_scatter(dim, index, src, value, reduce):
    """Which of the three scatters a call means, with its arguments."""
    source = value if src is None else src
    if reduce is None:
        return (scatter_tensor if isinstance(source, torch.Tensor) else scatter_value), (dim, index, source)
    if isinstance(source, torch.Tensor):
        warnings.warn(
            "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future PyTorch release. Use "
            "torch.scatter_reduce instead for more reduction options.",
            UserWarning,
            stacklevel=3,
        )
    return scatter_combining, (dim, index, source, reduce)


def expanded_value(x, index, arguments):
    """A number to combine with as a tensor of index's shape."""
    dim, index, source, reduce = arguments
    return dim, index, source if isinstance(source, torch.Tensor) else as_value(x, source).expand(index.shape), reduce


@composite
def scatter(input, dim, index, src=None, *, value=None, reduce=None, out=None):
    """A copy of `input` with elements of `src` (or one value) where `index` sends them along `dim`."""
    chosen, arguments = choose_scatter(dim, index, src, value, reduce)
    if chosen is scatter_combining:
        arguments = expanded_value(input, index, arguments)
    return chosen(input, *arguments) if out is None else chosen(input, *arguments, out=out)


@composite(function=False)
def scatter_(self, dim, index, src=None, *, value=None, reduce=None):
    """In-place version of `scatter`."""
    chosen, arguments = choose_scatter(dim, index, src, value, reduce)
    if chosen is scatter_combining:
        arguments = expanded_value(self, index, arguments)
    return core.InPlace(chosen)(self, *arguments)


@op(
    vjp={"x": lambda g: g, "src": gather_padded},
    linear=True,
    writes=True,
)
def scatter_add(x, dim, index, src):
    """`x` with the elements of `src` added where `index` sends them along `dim`."""
    return write_along("scatter_add", x, dim, index, src)


def reduced_gradient(g, x, out, dim, index, src, reduce, include_self, wanted):
    """The joint rule of scatter_reduce."""
    if index.numel() == 0:
        return g, torch.zeros_like(src)
    src_shape, src = src.shape, window_like(src, index)
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
    else:
        of_x, of_src = x == out, src == out.gather(dim, index)
        sharing = (of_x if include_self else torch.zeros_like(of_x)).to(g.dtype).scatter_add(dim, index, of_src.to(g.dtype))
        share = g / sharing.masked_fill(sharing == 0, 1)
        g_x, g_src = (of_x * share), of_src * share.gather(dim, index)
        g_x = g_x if include_self else g
    if not include_self:
        g_x = g_x.scatter(dim, index, 0)
    return g_x if wanted[0] else None, padded_to(g_src, src_shape) if wanted[1] else None


def reduced_tangent(x, x_t, out, dim, index, src, src_t, reduce, include_self):
    """The weights by which a cotangent reaches x and src (those of ones) are those of the tangents too."""
    of_x, of_src = reduced_gradient(torch.ones_like(out), x, out, dim, index, src, reduce, include_self, (True, True))
    tangent = torch.zeros_like(out) if x_t is None else x_t * of_x
    return tangent if src_t is None else tangent.scatter_add(dim, index, src_t * of_src)


@op(joint=reduced_gradient, jvp=reduced_tangent, inputs=("x", "src"), writes=True)
def scatter_reduce(x, dim, index, src, reduce, *, include_self=True):
    """`x` combined with the elements of `src` that `index` sends to the same place: "sum", "prod", "mean", "amax" or "amin"."""
    if reduce not in REDUCTIONS:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    return write_along("scatter_reduce", x, dim, index, src, REDUCTIONS[reduce], int(include_self))


# ---------------------------------------------------------------------------------------------------------- one index for all lines
@op(
    vjp=lambda g, x_shape, dim, index: g.new_zeros(x_shape).index_add(dim, index, g),
    linear=True,
    driver=core.SelectOp,
    configuration=("index_select",),
)
def index_select(x, dim, index):
    """The slices of `x` along `dim` that `index` names."""
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    d = wrapped(dim, x.ndim)
    if index.dtype not in INDICES:
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    if x.ndim == 0 and index.numel() != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.numel()} value(s)")
    out = core.empty_tensor(x.shape[:d] + (index.numel(),) + x.shape[d + 1 :] if x.ndim else (), x.dtype)
    kernel("index_select")(at_least_vector(out), at_least_vector(x), index, d)
    return out


def check_slices(name, x, dim, index, source):
    """What index_add and index_reduce ask of their arguments."""
    if index.ndim > 1:
        raise IndexError(
            f"{name}_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: {dtype_title(index.dtype)} and size: "
            f"{list(index.shape)}"
        )
    if index.dtype not in INDICES:
        raise RuntimeError(f"{name}_(): Expected dtype int32/int64 for index but got: {dtype_title(index.dtype)}")
    if source.dtype is not x.dtype:
        raise RuntimeError(
            f"{name}_(): self ({dtype_title(x.dtype)}) and source ({dtype_title(source.dtype)}) must have the same scalar type"
        )
    d = wrapped(dim, source.ndim)
    length = source.shape[d] if source.ndim else 1
    if index.numel() != length:
        raise RuntimeError(
            f"{name}_(): Number of indices ({index.numel()}) should be equal to source.size(dim): ({length}), for dim: {d}"
        )
    d = wrapped(dim, x.ndim)
    if at_least_vector(x).shape[:d] + at_least_vector(x).shape[d + 1 :] != (
        at_least_vector(source).shape[:d] + at_least_vector(source).shape[d + 1 :]
    ):
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(x.shape)} source.shape = {list(source.shape)}"
        )
    return d


def slices_gradient(g, dim, index, source_shape):
    if source_shape == ():
        return g.index_select(dim, index).sum()
    return g.index_select(dim, index)


@op(
    vjp={
        "x": lambda g: g,
        "source": lambda g, dim, index, source_shape, alpha: slices_gradient(g, dim, index, source_shape) * alpha,
    },
    linear=True,
    writes=True,
)
def index_add(x, dim, index, source, *, alpha=1):
    """`x` with `alpha` times the slices of `source` added to those that `index` names along `dim`."""
    d = check_slices("index_add", x, dim, index, source)
    if index.numel():
        kernel("index_add")(at_least_vector(x), index, at_least_vector(source), as_value(x, alpha), d)
    return x


@op(
    vjp={
        "x": lambda g, dim, index: g.index_fill(dim, index, 0),
        "source": slices_gradient,
    },
    linear=True,
    writes=True,
)
def index_copy(x, dim, index, source):
    """`x` with the slices that `index` names along `dim` replaced by those of `source`."""
    d = wrapped(dim, x.ndim)
    if index.ndim > 1:
        raise IndexError(f"index_copy_(): Index should have dimension 1 or 0 (got {index.ndim})")
    if source.ndim == 0 and index.numel() != 1:
        raise IndexError(f"index_copy_(): When source is scalar, index should have one element (got {index.numel()})")
    if source.ndim != x.ndim and source.ndim and x.ndim:
        raise IndexError(
            "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source dimensionality "
            f"({source.ndim}), destination dimensionality ({x.ndim})"
        )
    if index.dtype is not torch.int64:
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {dtype_title(index.dtype)}")
    if source.dtype is not x.dtype:
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {dtype_title(x.dtype)} and (source) "
            f"{dtype_title(source.dtype)}"
        )
    target, lines = at_least_vector(x), at_least_vector(source)
    there, here = target.shape[:d] + target.shape[d + 1 :], lines.shape[:d] + lines.shape[d + 1 :]
    if there != here:
        raise RuntimeError(
            "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: "
            f"{' '.join(map(str, there))} at dimension {d} and source slice shape: {' '.join(map(str, here))} at dimension 0."
        )
    if index.numel() != lines.shape[d]:
        raise IndexError(
            f"index_copy_(): Number of indices ({index.numel()}) should be equal to source.size(dim) ({lines.shape[d]})"
        )
    if index.numel():
        kernel("index_copy")(target, index, lines, d)
    return x


@op(
    vjp={
        "x": lambda g, dim, index: g.index_fill(dim, index, 0),
        "value": lambda g, dim, index: g.index_select(dim, index.unique()).sum(),
    },
    jvp=lambda x, x_t, dim, index, value, value_t: (torch.zeros_like(x) if x_t is None else x_t).index_fill(
        dim, index, 0 if value_t is None else value_t
    ),
    writes=True,
    out=False,
    name=("IndexFillBackward0", "IndexFillBackward1"),
    variant=lambda x, dim, index, value: int(isinstance(value, torch.Tensor)),
)
def index_fill(x, dim, index, value):
    """`x` with one value in the slices that `index` names along `dim`."""
    if isinstance(value, torch.Tensor) and value.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if index.dtype is not torch.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    if index.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    if isinstance(value, complex) and not x.is_complex():
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    d = wrapped(dim, x.ndim)
    if index.numel():
        kernel("index_fill")(at_least_vector(x), index, as_value(x, value), d)
    return x


def index_reduced_gradient(g, x, out, dim, index, source, reduce, include_self, wanted):
    """The joint rule of index_reduce: that of scatter_reduce, with the index spread over the slices."""
    if source.ndim == 0:
        source, shape = source.reshape(1), ()
    else:
        shape = source.shape
    d = wrapped(dim, source.ndim)
    whole = index.reshape([-1 if place == d else 1 for place in range(source.ndim)]).expand(source.shape)
    g_x, g_source = reduced_gradient(
        at_least_vector(g), at_least_vector(x), at_least_vector(out), d, whole, source, reduce, include_self, wanted
    )
    return g_x if g_x is None else g_x.reshape(x.shape), g_source if g_source is None else g_source.reshape(shape)


@op(joint=index_reduced_gradient, inputs=("x", "source"), writes=True)
def index_reduce(x, dim, index, source, reduce, *, include_self=True):
    """`x` combined with the slices of `source` that `index` sends to the same place: "prod", "mean", "amax" or "amin"."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    warnings.warn("index_reduce() is in beta and the API may change at any time.", UserWarning, stacklevel=2)
    d = check_slices("index_reduce", x, dim, index, source)
    if index.numel():
        kernel("index_reduce")(at_least_vector(x), index, at_least_vector(source), d, REDUCTIONS[reduce], int(include_self))
    return x


# ---------------------------------------------------------------------------------------------------------- linear indices
@op(vjp=lambda g, x_shape, index: g.new_zeros(x_shape).put(index, g, True), linear=True)
def take(x, index):
    """The elements at linear (row-major) indices."""
    if index.dtype is not torch.int64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {dtype_title(index.dtype)}")
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
)
def put(x, index, source, accumulate=False):
    """`x` with the elements of `source` at linear (row-major) indices, or added there."""
    if index.dtype is not torch.int64:
        raise RuntimeError(f"put_(): Expected a long tensor for index, but got {dtype_title(index.dtype)}")
    if source.dtype is not x.dtype:
        raise RuntimeError(
            "put_(): self and source expected to have the same dtype, but got self.dtype = "
            f"{dtype_title(x.dtype)} and source.dtype = {dtype_title(source.dtype)}"
        )
    if source.numel() != index.numel():
        raise IndexError(
            f"put_(): Expected source and index to have the same number of elements, but got source.numel() = {source.numel()}, "
            f"index.numel() = {index.numel()}"
        )
    if index.numel():
        kernel("put")(x, index, source, int(accumulate))
    return x


@composite
def take_along_dim(input, indices, dim=None, *, out=None):
    """`gather` with input and indices broadcast against each other; without `dim`, of the flattened input."""
    if indices.dtype is not torch.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {dtype_title(indices.dtype)}")
    if dim is None:
        return torch.gather(input.reshape(-1), 0, indices.reshape(-1), out=out)
    if input.ndim != indices.ndim:
        raise RuntimeError(
            "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {indices.ndim} dimensions for indices"
        )
    d = wrapped(dim, input.ndim)
    of_input, of_indices = list(input.shape), list(indices.shape)
    of_input[d : d + 1] = of_indices[d : d + 1] = [1]
    shape = list(broadcast_two(tuple(of_input), tuple(of_indices)))
    indices = torch.where(indices < 0, indices + input.shape[d], indices) if input.ndim else indices
    input = input.expand(shape[:d] + [input.shape[d]] + shape[d + 1 :])
    indices = indices.expand(shape[:d] + [indices.shape[d]] + shape[d + 1 :])
    return torch.gather(input, d, indices, out=out)


from rushlight.ops import counting, filling  # noqa: E402, F401  (the rest of the family)
