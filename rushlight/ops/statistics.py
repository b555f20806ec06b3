"""Variances, covariances, and integrals by the trapezoidal rule."""

import math

import rushlight as torch
from rushlight.core import unwrapped, warn_user
from rushlight.ops._declare import composite, op, reduction
from rushlight.ops._rules import conjugate, total
from rushlight.ops.parts import slice as cut
from rushlight.ops.reduction import named, reduced_count, restore

SPREAD = (
    "Tensor input, ints[1]? dim, bool unbiased=True, bool keepdim=False, *, out | "
    "Tensor input, ints[1]? dim=None, *, Number? correction=None, bool keepdim=False, out | Tensor input, bool unbiased=True"
)
SPREAD_AND_MEAN = SPREAD.replace(", *, out", "").replace(", out", "")


def deviation(x, dim):
    return x - x.mean(dim, keepdim=True)


def double_over_freedom(x, dim, correction):
    """2 / (n - correction), the derivative's factor; infinite where that is 0."""
    freedom = reduced_count(x.shape, dim) - correction
    return 2 / freedom if freedom else math.inf


def var_slope(x, dim, correction):
    if (dim is None or x.ndim == 0) and x.numel() <= correction:
        # Without degrees of freedom it is infinite, and not determined where an element is the mean: PyTorch's is a constant.
        return torch.where(x == x.mean(), math.nan, math.inf)
    return double_over_freedom(x, dim, correction) * deviation(x, dim)


def var_vjp(g, x, dim, correction, keepdim):
    g = restore(g, x.shape, dim, keepdim)
    if (dim is None or x.ndim == 0) and x.numel() <= correction:
        return g * var_slope(x, dim, correction)
    return double_over_freedom(x, dim, correction) * g * deviation(x, dim)


def var_jvp(x_t, x, dim, correction, keepdim):
    product = conjugate(var_slope(x, dim, correction)) * x_t
    return (product.real if product.is_complex() else product).sum(dim, keepdim)


def halved_by(out):
    """1 / (2 out), what the square root adds; 0 at 0."""
    return torch.where(out == 0, 0, 0.5 / torch.where(out == 0, 1, out))


def variance_cotangent(g, out):
    """What a deviation's cotangent is to the variance: over twice the deviation, 0 where that is 0."""
    return (g / (out * 2)).masked_fill(out == 0, 0)


@reduction(
    vjp=var_vjp,
    jvp=var_jvp,
    result="real",
    numbers=("correction",),
    out_text=None,
    function=False,
    method=False,
    overload="correction",
)
@named("var")
def real_var(x, dim, correction, keepdim):
    """The variance with a float `correction`."""


@reduction(
    vjp=lambda g, x, out, dim, correction, keepdim: var_vjp(variance_cotangent(g, out), x, dim, correction, keepdim),
    jvp=lambda x_t, x, out, dim, correction, keepdim: var_jvp(x_t, x, dim, correction, keepdim) * halved_by(out),
    result="real",
    numbers=("correction",),
    out_text=None,
    function=False,
    method=False,
    overload="correction",
)
@named("std")
def real_std(x, dim, correction, keepdim):
    """The standard deviation with a float `correction`."""


def moments_vjp(g, x, dim, correction, keepdim):
    spread_g, mean_g = g
    return total(
        None if spread_g is None else var_vjp(spread_g, x, dim, correction, keepdim),
        None if mean_g is None else restore(mean_g, x.shape, dim, keepdim).expand(x.shape) / reduced_count(x.shape, dim),
    )


@op(
    vjp=moments_vjp,
    jvp=lambda x_t, x, dim, correction, keepdim: (var_jvp(x_t, x, dim, correction, keepdim), x_t.mean(dim, keepdim)),
    outputs=("var", "mean"),
    differentiable=("var", "mean"),
    function=False,
    method=False,
    name="VarMeanBackward0",
    batch="reduction.reduction",
    overload="var_mean.correction",
)
def real_var_mean(x, dim, correction, keepdim):
    """Variance and mean together."""
    return real_var(x, dim, correction, keepdim), x.mean(dim, keepdim)


def std_mean_vjp(g, x, std, dim, correction, keepdim):
    return moments_vjp((None if g[0] is None else variance_cotangent(g[0], std), g[1]), x, dim, correction, keepdim)


@op(
    vjp=std_mean_vjp,
    jvp=lambda x_t, x, std, dim, correction, keepdim: (
        var_jvp(x_t, x, dim, correction, keepdim) * halved_by(std),
        x_t.mean(dim, keepdim),
    ),
    outputs=("std", "mean"),
    differentiable=("std", "mean"),
    function=False,
    method=False,
    name="StdMeanBackward0",
    batch="reduction.reduction",
    overload="std_mean.correction",
)
def real_std_mean(x, dim, correction, keepdim):
    """Standard deviation and mean together."""
    return real_std(x, dim, correction, keepdim), x.mean(dim, keepdim)


def run_moment(kernel_op, name, input, dim, unbiased, keepdim, correction, out=None):
    """Reads the overloads: var(unbiased), var(dim, unbiased, keepdim), var(dim, correction=…, keepdim=…)."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    if not (input.is_floating_point() or input.is_complex()):
        both = "std and var" if name in ("std", "var") else name
        raise RuntimeError(f"{both} only support floating point and complex dtypes")
    correction = float(correction) if correction is not None else 1.0 if unbiased is None or unbiased else 0.0
    if type(dim) is tuple and len(dim) == 0:
        dim = None
    if correction >= (reduced_count(input.shape, dim) if input.numel() else 0):
        warn_user(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input numel "
            "divided by output numel)."
        )
    if out is None:
        return kernel_op(input, dim, correction, keepdim)
    return kernel_op(input, dim, correction, keepdim, out=out)


@composite(signature=SPREAD)
def var(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """Variance over the dimensions `dim`, divided by n - `correction` (1 by default: unbiased)."""
    return run_moment(real_var, "var", input, dim, unbiased, keepdim, correction, out)


@composite(signature=SPREAD)
def std(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None):
    """Standard deviation over the dimensions `dim`, with n - `correction` (1 by default: unbiased) as divisor."""
    return run_moment(real_std, "std", input, dim, unbiased, keepdim, correction, out)


@composite(
    method=False,
    signature=SPREAD_AND_MEAN,
)
def var_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None) -> "tuple[torch.Tensor, torch.Tensor]":
    """Variance and mean over the dimensions `dim`."""
    return run_moment(real_var_mean, "var_mean", input, dim, unbiased, keepdim, correction, out)


@composite(
    method=False,
    signature=SPREAD_AND_MEAN,
)
def std_mean(input, dim=None, unbiased=None, keepdim=False, *, correction=None, out=None) -> "tuple[torch.Tensor, torch.Tensor]":
    """Standard deviation and mean over the dimensions `dim`."""
    return run_moment(real_std_mean, "std_mean", input, dim, unbiased, keepdim, correction, out)


@composite
def cov(input, *, correction=1, fweights=None, aweights=None):
    """Covariances of the rows of a matrix, whose columns are observations, with frequencies or importances as weights."""
    if input.dim() > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    if input.dtype == torch.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = input.reshape(1, -1) if input.dim() < 2 else input
    count = x.shape[1]
    weight = cov_weights(count, fweights, aweights)
    total = count if weight is None else weight.sum()
    if weight is None:
        mean = x.sum(1, keepdim=True) / count
    else:
        if bool(total == 0):
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
        mean = (x * weight).sum(1, keepdim=True) / total
    freedom = total - correction
    if weight is not None and aweights is not None and correction != 0:
        freedom = total - correction * (weight * aweights).sum() / total
    if bool(freedom <= 0):
        warn_user("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.")
        freedom = freedom * 0
    x = x - mean
    right = x if weight is None else x * weight
    return torch.true_divide(x @ right.t().conj(), freedom).squeeze()


def cov_weights(count, fweights, aweights):
    """The product of both kinds of weights, checked; None where there are none."""
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        if given.dim() > 1:
            raise RuntimeError(
                f"cov(): expected {name} to have one or fewer dimensions but got {name} with {given.dim()} dimensions"
            )
        floating = given.is_floating_point() or given.is_complex()
        if floating != (name == "aweights"):
            kind = "floating point" if name == "aweights" else "integral"
            raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {given.dtype.legacy_name} dtype")
        if given.numel() != count:
            raise RuntimeError(
                f"cov(): expected {name} to have the same numel as there are observations in the input but got "
                f"{given.numel()} != {count}"
            )
        if count and bool((given < 0).any()):
            raise RuntimeError(f"cov(): {name} cannot be negative")
    return aweights if fweights is None else fweights if aweights is None else fweights * aweights


@composite
def corrcoef(input):
    """Pearson's correlation coefficients of the rows of a matrix, whose columns are observations."""
    if input.dim() > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    covariance = cov(input)
    if covariance.dim() == 0:
        return covariance / covariance
    scale = covariance.diagonal().sqrt()
    ratio = covariance / scale.unsqueeze(1) / scale
    if ratio.is_complex():
        return torch.complex(ratio.real.clamp(-1, 1), ratio.imag.clamp(-1, 1))
    return ratio.clamp(-1, 1)


def neighbours(y, dim):
    """All but the last, and all but the first, along `dim`."""
    if y.dim() == 0:
        raise IndexError("slice() cannot be applied to a 0-dim tensor.")
    return cut(y, dim, 0, -1, 1), cut(y, dim, 1, None, 1)


def refuse_bool(name, y, x):
    if y.dtype is torch.bool or (x is not None and x.dtype is torch.bool):
        raise RuntimeError(f"{name}: received a bool input for {'`y`' if x is None else '`x` or `y`'}, but bool is not supported")


def spacing(name, y, x, dim):
    """The steps of the sample points `x`, shaped to multiply slices of `y` along `dim`."""
    if x.dim() == 1:
        if x.shape[0] != y.size(dim):
            raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
        steps = x[1:] - x[:-1]
        return steps.view([-1 if d == dim % y.dim() else 1 for d in range(y.dim())])
    if x.dim() < y.dim():
        x = x.view([1] * (y.dim() - x.dim()) + list(x.shape))
    left, right = neighbours(x, dim)
    return right - left


@composite(method=False, signature="Tensor y, Tensor x, *, int dim=-1 | Tensor y, *, Number dx=1, int dim=-1")
def trapezoid(y, x=None, *, dx=1, dim=-1):
    """The integral of `y` along `dim` by the trapezoidal rule, over the points `x` or steps of `dx`."""
    if y.size(dim) == 0:
        return torch.zeros([size for d, size in enumerate(y.shape) if d != dim % y.dim()], dtype=y.dtype)
    refuse_bool("trapezoid", y, x)
    with unwrapped:
        if x is None:
            return (y.sum(dim) - (y.select(dim, 0) + y.select(dim, -1)) * 0.5) * dx
        steps = spacing("trapezoid", y, x, dim)
        left, right = neighbours(y, dim)
        return ((left + right) * steps).sum(dim) / 2.0


@composite(method=False, signature="Tensor y, *, float dx=1, int dim=-1 | Tensor y, Tensor x, *, int dim=-1")
def trapz(y, x=None, *, dx=1, dim=-1):
    """The older name of `trapezoid`."""
    return trapezoid(y, x, dx=dx, dim=dim)


@composite(method=False, signature="Tensor y, Tensor x, *, int dim=-1 | Tensor y, *, Number dx=1, int dim=-1")
def cumulative_trapezoid(y, x=None, *, dx=1, dim=-1):
    """The running integral of `y` along `dim` by the trapezoidal rule."""
    refuse_bool("cumulative_trapezoid", y, x)
    with unwrapped:
        if x is None:
            left, right = neighbours(y, dim)
            return (dx / 2.0 * (left + right)).cumsum(dim)
        steps = spacing("cumulative_trapezoid", y, x, dim)
        left, right = neighbours(y, dim)
        return ((left + right) * steps).cumsum(dim) / 2.0
