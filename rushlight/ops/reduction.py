"""Folding dimensions: sums, products, extrema, questions. Moments are in statistics.py, norms in norms.py."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor, is_wrapped, wrap_dim
from rushlight.ops import _rules
from rushlight.ops._declare import composite, op, reduction
from rushlight.ops._names import of_dims
from rushlight.ops._outputs import EXTREME, ONLY_BOOL, Castable
from rushlight.ops._return_types import return_type

ANY_OR_ALL = (
    "Tensor input, *, out | Tensor input, ints? dim=None, bool keepdim=False, *, out | "
    "Tensor input, int dim, bool keepdim=False, *, out"
)
EXTREMUM = (
    "Tensor input, *, out | Tensor input, Tensor other, *, out | "
    "Tensor input, int dim, bool keepdim=False, *, tensors[2] out=None"
)


def restore(g, x_shape, dim, keepdim):
    """A reduction's result with the reduced dimensions back, at size 1, so that it broadcasts against the input."""
    if keepdim or dim is None or not x_shape:
        return g
    if isinstance(dim, int):
        return g.unsqueeze(dim)
    if len(dim) == 0:
        return g
    for d in sorted(d % len(x_shape) for d in dim):
        g = g.unsqueeze(d)
    return g


def spread(g, x_shape, dim, keepdim):
    """A reduction's cotangent repeated over what was reduced."""
    if dim is None:
        return g.expand(x_shape)
    return restore(g, x_shape, dim, keepdim).expand(x_shape)


def reduced_count(x_shape, dim):
    """How many elements go into each element of the result."""
    if dim is None:
        return math.prod(x_shape)
    if isinstance(dim, int):
        dim = (dim,)
    dims = [wrap_dim(d, len(x_shape)) for d in dim]
    return math.prod(x_shape[d] for d in dims) if dims and x_shape else math.prod(x_shape)


def refuse_nansum(dtype, x, dim, any):
    if x.is_complex():
        raise RuntimeError("nansum on CPU does not support complex inputs")
    if x.is_floating_point() and x.numel() and (dtype.is_complex or (dtype.is_floating_point and dtype.itemsize == 1)):
        raise _rules.not_implemented("nansum_cpu", dtype)


def refuse_complex(kernel):
    """The check of an op for ordered dtypes, with the name in its error."""

    def check(dtype, x, dim, any):
        if dtype.is_complex and any:
            raise _rules.not_implemented(kernel, dtype)

    return check


def refuse_unordered(name):
    """The check of argmax and argmin."""

    def check(dtype, x, dim, any):
        raise RuntimeError(f"{name}(): does not support {'complex' if dtype.is_complex else 'bool'} input")

    return check


@reduction(
    vjp=lambda g, x_shape, dim, keepdim: spread(g, x_shape, dim, keepdim),
    linear=True,
    result="sum",
    name=("SumBackward0", "SumBackward1"),
    real_part=False,
    signature="Tensor input, *, dtype? dtype=None | Tensor input, ints[1]? dim, bool keepdim=False, *, dtype? dtype=None, out",
    overload=of_dims("dim_IntList"),
)
def sum(x, dim=None, keepdim=False, *, dtype=None):
    """Sum of `x` over the dimensions `dim` (all of them by default); integers and bools sum as int64.

    >>> import rushlight
    >>> rushlight.sum(rushlight.tensor([[1., 2.], [3., 4.]]), dim=0)
    tensor([4., 6.])
    """


@reduction(
    vjp=lambda g, x, dim, keepdim: spread(g, x.shape, dim, keepdim) * (x == x),
    jvp=lambda x_t, x, dim, keepdim: (x_t * (x == x)).sum(dim, keepdim),
    result="sum",
    check=refuse_nansum,
    signature="Tensor input, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, out",
)
def nansum(x, dim=None, keepdim=False, *, dtype=None):
    """Sum that counts NaN as zero."""


@reduction(
    vjp=lambda g, x_shape, dim, keepdim: spread(g, x_shape, dim, keepdim) / reduced_count(x_shape, dim),
    linear=True,
    result="floating",
    name=("MeanBackward0", "MeanBackward1"),
    real_part=False,
    signature=(
        "Tensor input, *, dtype? dtype=None, out | Tensor input, ints[1]? dim, bool keepdim=False, *, dtype? dtype=None, out"
    ),
    overload=of_dims("dim"),
)
def mean(x, dim=None, keepdim=False, *, dtype=None):
    """Arithmetic mean over the dimensions `dim` (all of them by default)."""


@composite(signature="Tensor input, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, out")
def nanmean(input, dim=None, keepdim=False, *, dtype=None, out=None):
    """Mean of what is not NaN."""
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype.legacy_name}")
    if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(
            "nanmean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype. Got: "
            f"{dtype.legacy_name}"
        )
    count = (input == input).sum(dim, keepdim)
    return torch.div(input.nansum(dim, keepdim, dtype=dtype), count, out=out)


def exclusive_products(x, dim):
    """For each element the product of all the others along `dim`: nothing is divided, so zeros do no harm."""
    one = torch.ones_like(x.narrow(dim, 0, 1))
    left = torch.cat([one, x.narrow(dim, 0, x.shape[dim] - 1)], dim).cumprod(dim)
    right = torch.cat([x.narrow(dim, 1, x.shape[dim] - 1), one], dim).flip(dim).cumprod(dim).flip(dim)
    return left * right


def prod_vjp(g, x, out, dim, keepdim):
    """Where no factor is 0 a division serves; otherwise nothing is divided."""
    x = x.to(g.dtype)
    whole = restore(g, x.shape, dim, keepdim)
    if x.numel() and not is_wrapped(x) and not (x == 0).any():
        return whole * (restore(out, x.shape, dim, keepdim) / x).conj()
    if reduced_count(x.shape, dim) == 1:
        return whole if whole.shape == x.shape else whole.reshape(x.shape)
    return whole * other_factors(x, dim).conj()


def other_factors(x, dim):
    """The derivative of x's product over `dim` (None: over all)."""
    if not x.shape or x.numel() == 0:
        return torch.ones_like(x)
    if dim is None:
        return exclusive_products(x.reshape(-1), 0).reshape(x.shape)
    return exclusive_products(x, dim)


@reduction(
    vjp=prod_vjp,
    jvp=lambda x_t, x, out, dim, keepdim: (x_t.to(out.dtype) * other_factors(x.to(out.dtype), dim)).sum(dim, keepdim),
    result="sum",
    name=("ProdBackward0", "ProdBackward1"),
    single=True,
    real_part=False,
    signature="Tensor input, *, dtype? dtype=None | Tensor input, int dim, bool keepdim=False, *, dtype? dtype=None, out",
    overload=of_dims("dim_int"),
)
def prod(x, dim=None, keepdim=False, *, dtype=None):
    """Product of all elements, or along the dimension `dim`."""


# ---- extrema --------------------------------------------------------------------------------------------------------------


def refuse_empty(name, error=RuntimeError, hint=" Specify the reduction dim with the 'dim' argument.", as_given=False):
    """The exception for a reduction of nothing, which has no identity; it names the dimension counted from 0 or, `as_given`, as it was given."""

    def refuse(d, x, dim):
        if dim is None or dim in ((), []):
            return error(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.{hint}")
        if as_given:
            d = next(given for given in ((dim,) if isinstance(dim, int) else dim) if given % x.ndim == d)
        return IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")

    return refuse


def shares(x, out):
    """What part of the gradient each element gets: the extremum's places share it evenly."""
    places = (x == out) | ((x != x) & (out != out))
    return places, places.sum()


def extremum_vjp(g, x, out):
    """The cotangent of an extremum of everything, or a median: those that equal it share `g`."""
    places, count = shares(x, out)
    return torch.zeros(x.shape, dtype=g.dtype).masked_fill(places, g / count)


def extremum_jvp(x_t, x, out):
    places, count = shares(x, out)
    return (x_t * places).sum() / count


def select_vjp(g, x_shape, dim, keepdim, indices):
    """The gradient goes to the elements that were selected along `dim`."""
    if not x_shape:
        return g
    if not keepdim:
        g, indices = g.unsqueeze(dim), indices.unsqueeze(dim)
    return torch.zeros(x_shape, dtype=g.dtype).scatter(dim, indices, g)


def select_jvp(x_t, dim, keepdim, indices):
    """The tangents of the elements that were selected along `dim`."""
    if not x_t.shape:
        return x_t
    return x_t.gather(dim, indices) if keepdim else x_t.gather(dim, indices.unsqueeze(dim)).squeeze(dim)


def named(name):
    """Gives an overload the name that it has in errors."""

    def rename(body):
        body.__name__ = name
        return body

    return rename


def declare_extremum(name, kernel, whole_kernel):
    """The two reductions of max or min: of everything, and along one dimension with indices."""

    @reduction(
        vjp=extremum_vjp,
        jvp=extremum_jvp,
        kernel=whole_kernel,
        batch=f"reduction.whole_{whole_kernel}",
        out_text=EXTREME,
        flat="selecting",
        empty_error=refuse_empty(name),
        name=f"{name.capitalize()}Backward1",
        check=refuse_complex(f"{name}_all"),
        function=False,
        method=False,
        overload=f"{name}.default",
    )
    @named(f"_{name}_all")
    def whole(x):
        """The extreme element."""

    @reduction(
        vjp=lambda g, x_shape, dim, keepdim, indices: select_vjp(g, x_shape, dim, keepdim, indices),
        jvp=lambda x_t, dim, keepdim, indices: select_jvp(x_t, dim, keepdim, indices),
        kernel=kernel,
        single=True,
        outputs=("values", "indices"),
        differentiable=(0,),
        result_type=return_type(name, "values", "indices"),
        empty_error=refuse_empty(name),
        check=_rules.refuse_complex(f"{name}(): does not support complex input"),
        real=True,
        flat="selecting",
        function=False,
        method=False,
        overload="dim",
    )
    @named(name)
    def along(x, dim, keepdim=False):
        """The extreme elements along `dim`, and where they are."""

    return whole, along


max_all, max_along = declare_extremum("max", "max_with_index", "amax")
min_all, min_along = declare_extremum("min", "min_with_index", "amin")


@composite(signature=EXTREMUM)
@core.overloaded({"t": max_all, "ti": max_along})
def max(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=None, out=None):
    """The greatest element; or, along `dim`, the greatest elements and their indices; or `maximum(input, other)`."""
    if axis is not None:
        dim = axis
    if dim is None and other is None:
        return max_all(input) if out is None else max_all(input, out=out)
    if other is not None or isinstance(dim, Tensor):
        return torch.maximum(input, dim if other is None else other, out=out)
    keepdim = keepdim if keepdims is None else keepdims
    return max_along(input, dim, keepdim) if out is None else max_along(input, dim, keepdim, out=out)


@composite(signature=EXTREMUM)
@core.overloaded({"t": min_all, "ti": min_along})
def min(input, dim=None, keepdim=False, *, other=None, axis=None, keepdims=None, out=None):
    """The least element; or, along `dim`, the least elements and their indices; or `minimum(input, other)`."""
    if axis is not None:
        dim = axis
    if dim is None and other is None:
        return min_all(input) if out is None else min_all(input, out=out)
    if other is not None or isinstance(dim, Tensor):
        return torch.minimum(input, dim if other is None else other, out=out)
    keepdim = keepdim if keepdims is None else keepdims
    return min_along(input, dim, keepdim) if out is None else min_along(input, dim, keepdim, out=out)


def even_places(x, out, dim, keepdim):
    """As `shares`, for the extremum over some dimensions: its places, and how many they are."""
    places = x == restore(out, x.shape, dim, keepdim)
    return places, places.sum(dim if dim is None or dim != () else None, keepdim=True)


def even_vjp(g, x, out, dim, keepdim):
    places, count = even_places(x, out, dim, keepdim)
    return restore(g, x.shape, dim, keepdim) / count * places


OUT_TEXT_OF_EXTREMA = (
    "Expected the dtype for input and out to match, but got {result} for input's dtype and {out} for out's dtype."
)


def even_jvp(x_t, x, out, dim, keepdim):
    places, count = even_places(x, out, dim, keepdim)
    return (x_t * places / count).sum(dim if dim != () else None, keepdim)


@reduction(
    vjp=even_vjp,
    jvp=even_jvp,
    empty_error=refuse_empty("amax", as_given=True),
    check=refuse_complex("max_values_cpu"),
    real=True,
    flat="selecting",
    out_text=OUT_TEXT_OF_EXTREMA,
    signature="Tensor input, ints[1] dim=None, bool keepdim=False, *, out",
)
def amax(x, dim=(), keepdim=False):
    """The greatest elements over the dimensions `dim`; equal ones share the gradient evenly."""


@reduction(
    vjp=even_vjp,
    jvp=even_jvp,
    empty_error=refuse_empty("amin", as_given=True),
    check=refuse_complex("min_values_cpu"),
    real=True,
    flat="selecting",
    out_text=OUT_TEXT_OF_EXTREMA,
    signature="Tensor input, ints[1] dim=None, bool keepdim=False, *, out",
)
def amin(x, dim=(), keepdim=False):
    """The least elements over the dimensions `dim`; equal ones share the gradient evenly."""


def refuse_complex_aminmax(dtype, x, dim, any):
    """The check of aminmax, which has other words for one number."""
    if not dtype.is_complex:
        return
    if dim is not None and not x.ndim:
        raise RuntimeError(f"aminmax not implemented for {dtype.legacy_name}")
    raise _rules.not_implemented("aminmax_cpu", dtype)


def refuse_empty_aminmax(d, x, dim):
    if dim is None:
        return RuntimeError("aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.")
    return IndexError(f"aminmax: Expected reduction dim {d} to have non-zero size.")


def aminmax_vjp(g, x, min, max, dim, keepdim):
    least, greatest = g
    total = 0 if least is None else even_vjp(least, x, min, dim, keepdim)
    return total if greatest is None else total + even_vjp(greatest, x, max, dim, keepdim)


@reduction(
    vjp=aminmax_vjp,
    jvp=lambda x_t, x, min, max, dim, keepdim: (even_jvp(x_t, x, min, dim, keepdim), even_jvp(x_t, x, max, dim, keepdim)),
    outputs=("min", "max"),
    differentiable=(0, 1),
    result_type=return_type("aminmax", "min", "max"),
    empty_error=refuse_empty_aminmax,
    check=refuse_complex_aminmax,
    real=True,
)
def aminmax(x, *, dim=None, keepdim=False):
    """The least and the greatest elements."""


@reduction(
    result="int64",
    single=True,
    empty_error=refuse_empty("argmax", IndexError, ""),
    check=refuse_unordered("argmax"),
    gives="indices",
)
def argmax(x, dim=None, keepdim=False):
    """The index of the greatest element, in the flattened tensor or along `dim`."""


@reduction(
    result="int64",
    single=True,
    empty_error=refuse_empty("argmin", IndexError, ""),
    check=refuse_unordered("argmin"),
    gives="indices",
)
def argmin(x, dim=None, keepdim=False):
    """The index of the least element, in the flattened tensor or along `dim`."""


# ---- questions ------------------------------------------------------------------------------------------------------------


@reduction(
    result="bool",
    bool_keeps_uint8=True,
    out_text=ONLY_BOOL,
    signature=ANY_OR_ALL,
    overload=of_dims("dim", "dims"),
)
def all(x, dim=None, keepdim=False):
    """Whether every element is true (not zero)."""


@reduction(
    result="bool",
    bool_keeps_uint8=True,
    out_text=ONLY_BOOL,
    signature=ANY_OR_ALL,
    overload=of_dims("dim", "dims"),
)
def any(x, dim=None, keepdim=False):
    """Whether some element is true (not zero)."""


@reduction(result="int64", signature="Tensor input, int? dim=None | Tensor input, ints dim")
def count_nonzero(x, dim=None):
    """How many elements are not zero."""


# ---- sums of exponentials -------------------------------------------------------------------------------------------------


@reduction(result="floating", entry="real_logsumexp", function=False, method=False)
@named("logsumexp")
def real_logsumexp(x, dim, keepdim=False):
    """The kernel's part of logsumexp."""


def weights(x, out, dim, keepdim):
    """exp(x - out), the softmax over `dim`: the derivative of logsumexp."""
    return (x - restore(out, x.shape, dim, keepdim)).exp()


@op(
    vjp=lambda g, x, out, dim, keepdim: restore(g, x.shape, dim, keepdim) * weights(x, out, dim, keepdim).conj(),
    jvp=lambda x_t, x, out, dim, keepdim: (x_t * weights(x, out, dim, keepdim)).sum(dim, keepdim),
    batch="reduction.reduction",
    out_text=Castable("logsumexp(): Expected floating point type for result tensor, but got: {out}"),
    signature="Tensor input, ints[1] dim, bool keepdim=False, *, out",
)
def logsumexp(x, dim, keepdim=False):
    """log(sum(exp(x))) over the dimensions `dim`, without overflow."""
    if dim in ((), []) and x.ndim and x.numel() and not keepdim:
        raise RuntimeError(f"output with shape [] doesn't match the broadcast shape {[1] * x.ndim}")
    if x.is_complex() and not x.numel():
        return x.exp().sum(dim, keepdim).log()
    if x.is_complex():
        most = x.real.amax(dim, keepdim=True)
        most = torch.where(most.abs() == math.inf, 0, most)
        total = (x - most).exp().sum(dim, keepdim).log()
        return total + (most if keepdim else most.reshape(total.shape))
    if not x.is_floating_point():
        x = x.to(torch.get_default_dtype())
    return real_logsumexp(x, dim, keepdim)


def whole_booleans(name, x):
    """Booleans, those of whole batches where vmap shows one example."""
    while isinstance(x, core.Wrapped):
        x = x.value
    if x.dtype is not torch.bool:
        raise RuntimeError(f"{name}: expected booleans, got {x.dtype.legacy_name}")
    return x


@composite(signature="Tensor input")
def _is_all_true(input):
    """Whether all booleans are True: within vmap all of the batch, so that programs may ask."""
    return whole_booleans("_is_all_true", input).all()


@composite(signature="Tensor input")
def _is_any_true(input):
    """Whether one of the booleans is True: within vmap one of the batch, so that programs may ask."""
    return whole_booleans("_is_any_true", input).any()


from rushlight.ops import norms, statistics  # noqa: E402, F401  (the rest of the family)
