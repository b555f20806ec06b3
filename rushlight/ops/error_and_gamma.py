"""The error function, the gamma function and the modified Bessel functions, with their kin and derivatives."""

import math

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite, op, pointwise, underived
from rushlight.ops._outputs import Castable
from rushlight.ops._rules import (
    in_place,
    not_implemented,
    refuse_dtypes,
)
from rushlight.ops.elementary import OPERANDS

ERF_SLOPE = 2 / math.sqrt(math.pi)


# ---------------------------------------------------------------------------------------------------------- error function
@pointwise(slope=lambda x: (-x * x).exp() * ERF_SLOPE, dtype="float", flat="saturated", label="erf_vml_cpu")
def erf(x):
    """The error function."""


@pointwise(slope=lambda x: (-x * x).exp() * -ERF_SLOPE, dtype="float", flat="saturated", label="erfc_vml_cpu")
def erfc(x):
    """1 - erf(x), exact for large x."""


@pointwise(slope=lambda x: x.erfinv().pow(2).exp() * (1 / ERF_SLOPE), dtype="float", inplace=True, label="erfinv_vml_cpu")
def erfinv(x):
    """Inverse of the error function."""


@pointwise(
    slope=lambda x, out: 2 * x * out - ERF_SLOPE,
    dtype="float",
    name="SpecialErfcxBackward0",
    check=refuse_dtypes("erfcx_cpu", "float16", "bfloat16"),
    namespace="special",
    method=False,
    inplace=False,
    domain=(-1.0, 2.0),
)
def erfcx(x):
    """exp(x²) erfc(x)."""


@pointwise(
    slope=lambda out: (out * out / 2).exp() * math.sqrt(2 * math.pi),
    dtype="float",
    name="SpecialNdtriBackward0",
    check=refuse_dtypes("ndtri_cpu", "float16", "bfloat16"),
    namespace="special",
    method=False,
    inplace=False,
)
def ndtri(x):
    """Inverse of the normal distribution function."""


def log_ndtr_slope(x, out):
    # The density over its integral: by erfcx far to the left, where both vanish, and by the result where erfcx overflows.
    left = x < -1
    density = (-(torch.where(left, 0, out) + torch.where(left, 0, x * x / 2))).exp() / math.sqrt(2 * math.pi)
    return torch.where(left, math.sqrt(2 / math.pi) / torch.special.erfcx(torch.where(left, x, -1) * -math.sqrt(0.5)), density)


@pointwise(
    slope=log_ndtr_slope,
    dtype="float",
    name="SpecialLogNdtrBackward0",
    check=refuse_dtypes("log_ndtr_cpu", "float16", "bfloat16"),
    namespace="special",
    method=False,
    inplace=False,
    domain=(-2.0, 2.0),
)
def log_ndtr(x):
    """Logarithm of the normal distribution function."""


@composite(method=False, namespace="special")
def ndtr(input, *, out=None):
    """The normal distribution function: the area left of each element under the standard normal density."""
    with core.unwrapped:
        return torch.mul((input * math.sqrt(0.5)).erf() + 1, 0.5, out=out)


# ---------------------------------------------------------------------------------------------------------- gamma function
@pointwise(slope=lambda x: x.digamma(), dtype="float", inplace=True, label="lgamma_vml_cpu", domain=(0.6, 3.0))
def lgamma(x):
    """Logarithm of |Γ(x)|."""


@pointwise(slope=lambda x: torch.polygamma(1, x), dtype="float", inplace=True, label="digamma", domain=(0.6, 3.0))
def digamma(x):
    """Derivative of lgamma."""


@pointwise(
    slope=lambda x, n: torch.polygamma(n + 1, x),
    dtype="float",
    kernel="polygamma",
    name="PolygammaBackward0",
    inputs=1,
    function=False,
    method=False,
)
def _polygamma(x, n):
    """The derivative of digamma of order n."""


def check_order(x, n):
    if n < 0:
        raise RuntimeError("polygamma(n, x) does not support negative n.")
    if x.is_complex():
        raise not_implemented(("digamma", "trigamma", "polygamma")[min(n, 2)], x.dtype)
    return n


@composite(method=False)
def polygamma(n, input, *, out=None):
    """The derivative of digamma of order `n`."""
    return _polygamma(input, check_order(input, n), out=out)


@composite(function=False, name="polygamma")
def polygamma_of(self, n):
    """The derivative of digamma of order `n`."""
    return _polygamma(self, check_order(self, n))


@composite(function=False)
def polygamma_(self, n):
    """In-place version of `polygamma`."""
    return in_place(_polygamma)(self, check_order(self, n))


@op(
    vjp=lambda g, x, p: g * mvlgamma_slope(x, p),
    jvp=lambda x_t, x, p: x_t * mvlgamma_slope(x, p),
    inplace=True,
    batch="elementwise.unary",
    out_text=Castable("mvlgamma: result type {result} can't be cast to the desired output type {result}"),
    signature="Tensor input, int p, *, out",
)
def mvlgamma(x, p):
    """Logarithm of the multivariate gamma function of dimension `p`."""
    if p < 1:
        raise RuntimeError("p has to be greater than or equal to 1")
    if x.dtype is torch.bool:
        raise RuntimeError("The input tensor may not be a boolean tensor.")
    if x.is_complex():
        raise not_implemented("arange_cpu", x.dtype)
    core.empty_tensor((*x.shape, p), x.dtype)  # (What does not fit into memory is refused before anything is computed.)
    return less_halves(x, p).lgamma().sum(-1) + p * (p - 1) * (math.log(math.pi) / 4)


def less_halves(x, p):
    """x, x - 1/2, …, x - (p - 1) / 2 along a last dimension of its own."""
    dtype = x.dtype if x.is_floating_point() else torch.get_default_dtype()
    return x.unsqueeze(-1) + torch.arange(-p / 2 + 0.5, 0.5, 0.5, dtype=dtype)


def mvlgamma_slope(x, p):
    return less_halves(x, p).digamma().sum(-1)


def gamma_density(a, x):
    """x^(a-1) e^-x / Γ(a)."""
    return ((a - 1) * x.log() - x - a.lgamma()).exp()


def undifferentiated(name):
    """Raises: PyTorch has no forward derivative of the function, though a backward one by its second input."""
    raise core.no_forward_rule(name)


@pointwise(
    vjp=(underived("the derivative for 'igamma: input' is not implemented."), lambda g, a, b: g * gamma_density(a, b)),
    tensors_only=True,
    jvp=lambda a_t, b_t: undifferentiated("igamma"),
)
def igamma(a, b):
    """The regularised lower incomplete gamma function."""


@pointwise(
    vjp=(underived("the derivative for 'igammac: input' is not implemented."), lambda g, a, b: -g * gamma_density(a, b)),
    tensors_only=True,
    jvp=lambda a_t, b_t: undifferentiated("igammac"),
)
def igammac(a, b):
    """The regularised upper incomplete gamma function."""


@pointwise(
    check=refuse_dtypes("zeta_cpu", "float16", "bfloat16"),
    vjp=(underived("the derivative for 'zeta' is not implemented."), lambda g, a, b: -g * a * torch.special.zeta(a + 1, b)),
    jvp=lambda a_t, b_t: undifferentiated("special_zeta"),
    dtype="float",
    namespace="special",
    method=False,
    inplace=False,
    name=("SpecialZetaBackward2", "SpecialZetaBackward0", "SpecialZetaBackward1"),
    signature=OPERANDS,
)
def zeta(a, b):
    """Hurwitz's zeta function."""


# ---------------------------------------------------------------------------------------------------------- Bessel functions
@pointwise(slope=lambda x: torch.special.i1(x), dtype="float", label="i0_vml_cpu")
def i0(x):
    """Modified Bessel function of the first kind, of order 0."""


@pointwise(
    slope=lambda x, out: torch.special.i1e(x) - x.sgn() * out,
    dtype="float",
    name="SpecialI0EBackward0",
    namespace="special",
    method=False,
    inplace=False,
)
def i0e(x):
    """exp(-|x|) i0(x)."""


def at_zero_half(name, x, slope):
    """`slope` of x, and 1/2 where x is so near to 0 that it would divide by it; refused for halves."""
    if x.dtype.itemsize == 2:
        raise not_implemented(f"{name}_backward", x.dtype)
    far = x.abs() > torch.finfo(x.dtype).eps
    return torch.where(far, slope(torch.where(far, x, 1)), 0.5)


@pointwise(
    slope=lambda x, out: at_zero_half("i1", x, lambda x: x.i0() - out / x),
    dtype="float",
    name="SpecialI1Backward0",
    namespace="special",
    method=False,
    inplace=False,
)
def i1(x):
    """Modified Bessel function of the first kind, of order 1."""


@pointwise(
    slope=lambda x, out: at_zero_half("i1e", x, lambda x: torch.special.i0e(x) - out * (x.sgn() + x.reciprocal())),
    dtype="float",
    name="SpecialI1EBackward0",
    namespace="special",
    method=False,
    inplace=False,
)
def i1e(x):
    """exp(-|x|) i1(x)."""
