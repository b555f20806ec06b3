"""An index for whole slices along one dimension: index_select, index_add, index_copy, index_fill, index_reduce."""

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import composite, kernel, op, short_way
from rushlight.ops._names import by_operand
from rushlight.ops._outputs import SAME_TYPE
from rushlight.ops._rules import not_implemented
from rushlight.ops.indexing import INDICES, as_value, at_least_vector, warn_of_expanded
from rushlight.ops.parts import slice as cut
from rushlight.ops.scattering import REDUCTIONS, reduced_gradient


@op(
    vjp=lambda g, x_shape, dim, index: g.new_zeros(x_shape).index_add(dim, index, g),
    linear=True,
    plain=short_way("tdl", "sliced", "index_select"),
    apart=True,
    batch="indexing.index_select",
    flat="selecting",
    out_text=SAME_TYPE,
    any_place=True,
)
def index_select(x, dim, index):
    """The slices of `x` along `dim` that `index` names."""
    d = wrap_dim(dim, x.ndim)
    if index.ndim > 1:
        raise IndexError("index_select(): Index is supposed to be a vector")
    if x.ndim == 0 and index.numel() != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.numel()} value(s)")
    if index.dtype not in INDICES:
        raise RuntimeError("index_select(): Expected dtype int32 or int64 for index")
    out = core.empty_tensor(x.shape[:d] + (index.numel(),) + x.shape[d + 1 :] if x.ndim else (), x.dtype)
    kernel("index_select")(at_least_vector(out), at_least_vector(x), index, d)
    return out


def check_slices(name, x, dim, index, source):
    """What index_add and index_reduce ask of their arguments; the dimension that is meant."""
    wrap_dim(dim, x.ndim)
    if index.ndim > 1:
        raise IndexError(
            f"{name}_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: {index.dtype.legacy_name} and size: "
            f"{list(index.shape)}"
        )
    if index.dtype not in INDICES:
        raise RuntimeError(f"{name}_(): Expected dtype int32/int64 for index but got: {index.dtype.legacy_name}")
    if source.dtype is not x.dtype:
        raise RuntimeError(
            f"{name}_(): self ({x.dtype.legacy_name}) and source ({source.dtype.legacy_name}) must have the same scalar type"
        )
    d = wrap_dim(dim, source.ndim)
    length = source.shape[d] if source.ndim else 1
    if index.numel() != length:
        raise RuntimeError(
            f"{name}_(): Number of indices ({index.numel()}) should be equal to source.size(dim): ({length}), for dim: {d}"
        )
    d = wrap_dim(dim, x.ndim)
    if x.ndim != source.ndim or x.shape[:d] + x.shape[d + 1 :] != source.shape[:d] + source.shape[d + 1 :]:
        raise RuntimeError(
            "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = "
            f"{list(x.shape)} source.shape = {list(source.shape)}"
        )
    core.check_no_overlap(x)
    core.require_apart(x, source, index)
    return d


def slices_gradient(g, dim, index, source_shape):
    if source_shape == ():
        return g.index_select(dim, index).sum()
    return g.index_select(dim, index).expand(source_shape)


def added_gradient(g, dim, index, source_shape, alpha):
    made = slices_gradient(g, dim, index, source_shape)
    return made if alpha == 1 else made * alpha


@op(
    vjp={
        "x": lambda g: g,
        "source": added_gradient,
    },
    linear=True,
    writes=True,
    expanded=True,
    row_major=True,
    batch="indexing.index_write",
    refusal="name",
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
    expanded=True,
    row_major=True,
    batch="indexing.index_write",
)
def index_copy(x, dim, index, source):
    """`x` with the slices that `index` names along `dim` replaced by those of `source`."""
    d = wrap_dim(dim, x.ndim)
    core.check_no_overlap(x)
    core.require_apart(x, source, index)
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
        raise RuntimeError(f"index_copy_(): Expected a long tensor for index, but got {index.dtype.legacy_name}")
    if source.dtype is not x.dtype:
        raise RuntimeError(
            f"index_copy_(): self and source expected to have the same dtype, but got (self) {x.dtype.legacy_name} and (source) "
            f"{source.dtype.legacy_name}"
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
    expanded=True,
    out=False,
    name=("IndexFillBackward0", "IndexFillBackward1"),
    variant=lambda x, dim, index, value: int(isinstance(value, torch.Tensor)),
    batch="indexing.index_write",
    refusal="name",
    real_part=False,
    signature="Tensor input, int dim, Tensor index, Tensor|Number value",
    overload=by_operand("int_Tensor", "int_Scalar"),
)
def index_fill(x, dim, index, value):
    """`x` with one value in the slices that `index` names along `dim`."""
    if isinstance(value, torch.Tensor) and value.ndim:
        raise RuntimeError(
            f"index_fill_ only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if index.dtype is not torch.int64:
        raise IndexError("index_fill_(): Expected dtype int64 for index.")
    core.require_apart(x, index)
    warn_of_expanded("index_fill_", x, "tensor[mask] = scalar")
    if (value.is_complex() if isinstance(value, torch.Tensor) else isinstance(value, complex)) and not x.is_complex():
        raise RuntimeError("index_fill_(): Converting complex Scalar to non-complex type is not supported")
    d = wrap_dim(dim, x.ndim)
    if index.ndim > 1:
        raise RuntimeError("Index has to be a vector/scalar")
    if index.numel():
        kernel("index_fill")(at_least_vector(x), index, as_value(x, value), d)
    return x


def in_shape(g, shape):
    return g if g is None or g.shape == shape else g.reshape(shape)


def index_reduced_gradient(g, x, out, dim, index, source, reduce, include_self, wanted):
    """The joint rule of index_reduce: that of scatter_reduce, with the index spread over the slices."""
    if source.ndim == 0:
        source, shape = source.reshape(1), ()
    else:
        shape = source.shape
    d = wrap_dim(dim, source.ndim)
    whole = index.reshape([-1 if place == d else 1 for place in range(source.ndim)]).expand(source.shape)
    g_x, g_source = reduced_gradient(
        at_least_vector(g), at_least_vector(x), at_least_vector(out), d, whole, source, reduce, include_self, wanted
    )
    return in_shape(g_x, x.shape), in_shape(g_source, shape)


def refuse_unreduced(x, index, reduce, include_self):
    """The dtypes that the kernels of index_reduce lack. PyTorch has others for whole slices, which lack less."""
    boolean = x.dtype is torch.bool
    if not (boolean or x.is_complex()):
        return
    if not include_self:
        raise not_implemented("index_reduce_func_exclude_input_init", x.dtype)
    if x.ndim < 2:
        raise not_implemented("index_func_", x.dtype)
    if boolean and reduce == "mean" and index.numel():
        raise not_implemented("div_floor_cpu", x.dtype)


@op(
    real=True,
    joint=index_reduced_gradient,
    inputs=("x", "source"),
    writes=True,
    expanded=True,
    row_major=True,
    batch="indexing.index_write",
)
def index_reduce(x, dim, index, source, reduce, *, include_self=True):
    """`x` combined with the slices of `source` that `index` sends to the same place: "prod", "mean", "amax" or "amin"."""
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    d = check_slices("index_reduce", x, dim, index, source)
    core.warn_once("index_reduce() is in beta and the API may change at any time.")
    refuse_unreduced(x, index, reduce, include_self)
    if index.numel():
        kernel("index_reduce")(at_least_vector(x), index, at_least_vector(source), d, REDUCTIONS[reduce], int(include_self))
    return x


@composite(
    name="slice",
    namespace="aten",
    method=False,
    signature="Tensor input, int dim=0, index? start=None, index? end=None, index step=1",
)
def sliced(input, dim=0, start=None, end=None, step=1):
    """`input[start:end:step]` along `dim`."""
    if input.ndim == 0:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    at = wrap_dim(dim, input.ndim)
    if step < 1:
        raise RuntimeError("slice step must be positive")
    return cut(input, at, start, end, step)
