"""Functions of one number: exponentials, angles, roundings; logarithmic sums, and the parts of a float."""

import math

import rushlight as torch
from rushlight.ops._declare import composite, op, place, pointwise
from rushlight.ops._names import by_operand
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import (
    FLAT,
    FLOATING,
    WHOLE,
    both_names,
    conjugate,
    in_place,
    not_implemented,
    refuse_complex,
    total,
)
from rushlight.ops.arithmetic import refuse_bool_sub

OPERANDS = "Tensor input, Tensor other, *, out | Number self, Tensor other, *, out | Tensor input, Number other, *, out"

LOG_2 = math.log(2)
LOG_10 = math.log(10)


# ---------------------------------------------------------------------------------------------------------- exponentials
@pointwise(slope=lambda out: out, dtype="float", flat="saturated", hazard="exponential", label="exp_vml_cpu")
def exp(x):
    """e to the power of each element."""


@pointwise(vjp=lambda g, out: g * conjugate(out) * LOG_2, jvp=lambda x_t, out: x_t * out * LOG_2, dtype="float", label="exp2")
def exp2(x):
    """2 to the power of each element."""


@pointwise(slope=lambda out: out + 1, dtype="float", label="expm1_vml_cpu")
def expm1(x):
    """exp(x) - 1, exact near 0."""


@pointwise(vjp=lambda g, x: g / conjugate(x), jvp=lambda x_t, x: x_t / x, dtype="float", hazard="logarithm", label="log_vml_cpu")
def log(x):
    """Natural logarithm."""


@pointwise(
    vjp=lambda g, x: g / conjugate(x * LOG_2),
    jvp=lambda x_t, x: x_t / (x * LOG_2),
    dtype="float",
    hazard="logarithm",
    label="log2_vml_cpu",
)
def log2(x):
    """Logarithm to base 2."""


@pointwise(
    vjp=lambda g, x: g / conjugate(x * LOG_10),
    jvp=lambda x_t, x: x_t / (x * LOG_10),
    dtype="float",
    hazard="logarithm",
    label="log10_vml_cpu",
)
def log10(x):
    """Logarithm to base 10."""


@pointwise(
    vjp=lambda g, x: g / conjugate(x + 1),
    jvp=lambda x_t, x: x_t / (x + 1),
    dtype="float",
    name="Log1PBackward0",
    label="log1p_vml_cpu",
)
def log1p(x):
    """log(1 + x), exact near 0."""


# ---------------------------------------------------------------------------------------------------------- angles
@pointwise(slope=lambda x: x.cos(), dtype="float", label="sin_vml_cpu")
def sin(x):
    """Sine of each element, in radians."""


@pointwise(slope=lambda x: -x.sin(), dtype="float", label="cos_vml_cpu")
def cos(x):
    """Cosine of each element, in radians."""


@pointwise(slope=lambda out: out * out + 1, dtype="float", label="tan_vml_cpu")
def tan(x):
    """Tangent of each element, in radians."""


@pointwise(slope=lambda x: (1 - x * x).rsqrt(), dtype="float", aliases=("arcsin",), label="asin_vml_cpu")
def asin(x):
    """Inverse of the sine."""


@pointwise(slope=lambda x: -(1 - x * x).rsqrt(), dtype="float", aliases=("arccos",), label="acos_vml_cpu")
def acos(x):
    """Inverse of the cosine."""


@pointwise(
    vjp=lambda g, x: g / conjugate(x * x + 1),
    jvp=lambda x_t, x: x_t / (x * x + 1),
    dtype="float",
    aliases=("arctan",),
    label="atan_vml_cpu",
)
def atan(x):
    """Inverse of the tangent."""


@pointwise(slope=lambda x: x.cosh(), dtype="float")
def sinh(x):
    """Hyperbolic sine."""


@pointwise(slope=lambda x: x.sinh(), dtype="float")
def cosh(x):
    """Hyperbolic cosine."""


@pointwise(
    gradient=True,
    slope=lambda out: 1 - out * out,
    fused="tanh_gradient",
    curvature=lambda g, out: g * out * -2,
    dtype="float",
    flat="saturated",
    label="tanh_vml_cpu",
)
def tanh(x):
    """Hyperbolic tangent."""


@pointwise(slope=lambda x: (x * x + 1).rsqrt(), dtype="float", name=both_names("Asinh"), aliases=("arcsinh",))
def asinh(x):
    """Inverse of the hyperbolic sine."""


def acosh_slope(x):
    # Two roots, for the branch cut of complex numbers; NaN below 1 and not below -1, where x² - 1 alone is positive.
    if x.dtype.is_complex:
        return ((x - 1).sqrt() * (x + 1).sqrt()).reciprocal()
    return (x * x - 1).rsqrt()


@pointwise(slope=acosh_slope, dtype="float", name=both_names("Acosh"), aliases=("arccosh",), domain=(1.2, 3.0))
def acosh(x):
    """Inverse of the hyperbolic cosine."""


@pointwise(
    vjp=lambda g, x: g / conjugate(1 - x * x),
    jvp=lambda x_t, x: x_t / (1 - x * x),
    dtype="float",
    name=both_names("Atanh"),
    aliases=("arctanh",),
)
def atanh(x):
    """Inverse of the hyperbolic tangent."""


refuse_complex_degrees = refuse_complex("deg2rad is not supported for complex tensors.")
refuse_complex_radians = refuse_complex("rad2deg is not supported for complex tensors.")


@pointwise(
    slope=math.pi / 180,
    dtype="float",
    check=refuse_complex_degrees,
    name="Deg2RadBackward0",
    like=lambda x: x * (math.pi / 180),
    keeps_strides=WHOLE | FLOATING,
)
def deg2rad(x):
    """Degrees as radians."""


@pointwise(
    slope=180 / math.pi,
    dtype="float",
    check=refuse_complex_radians,
    name="Rad2DegBackward0",
    like=lambda x: x * (180 / math.pi),
    keeps_strides=WHOLE | FLOATING,
)
def rad2deg(x):
    """Radians as degrees."""


def sinc_product(g, x, adjoint=lambda slope: slope):
    scaled = x * math.pi
    square = x * x * math.pi
    return torch.where(square == 0, 0, g * adjoint((scaled * scaled.cos() - scaled.sin()) / square))


@pointwise(
    vjp=lambda g, x: sinc_product(g, x, conjugate),
    jvp=lambda x_t, x: sinc_product(x_t, x),
    dtype="float",
    domain=(0.2, 2.0),
    like=lambda x: (x * math.pi).sin() / (x * math.pi),
)
def sinc(x):
    """sin(πx) / πx, and 1 at 0."""


# ---------------------------------------------------------------------------------------------------------- rounding
def refuse_complex_rounding(name):
    return refuse_complex(f"{name} is not supported for complex inputs", NotImplementedError)


@pointwise(
    **FLAT, check=refuse_complex_rounding("floor"), flat="step", label="floor_vml_cpu", late="unsigned", domain=(-2.0, 3.0)
)
def floor(x):
    """The largest integer that is not above each element."""


@pointwise(**FLAT, check=refuse_complex_rounding("ceil"), flat="step", label="ceil_vml_cpu", late="unsigned", domain=(-2.0, 3.0))
def ceil(x):
    """The smallest integer that is not below each element."""


@pointwise(
    **FLAT,
    check=refuse_complex_rounding("trunc"),
    aliases=("fix",),
    flat="step",
    label="trunc_vml_cpu",
    late="unsigned",
    domain=(-2.0, 3.0),
)
def trunc(x):
    """Each element without what stands behind its point."""


@pointwise(slope=1, domain=(-2.0, 3.0))
def frac(x):
    """What stands behind the point of each element, with its sign."""


@pointwise(
    **FLAT,
    kernel="round",
    name="RoundBackward0",
    function=False,
    method=False,
    flat="step",
    label="round_vml_cpu",
    late="unsigned",
    overload="round.default",
)
def _round(x):
    """To the nearest integer."""


def refuse_unrounded(dtype, *inputs):
    if not dtype.is_floating_point:
        raise not_implemented("round_cpu", dtype)


@pointwise(
    **FLAT,
    kernel="round_decimals",
    name="RoundBackward1",
    inputs=1,
    check=refuse_unrounded,
    function=False,
    method=False,
    flat="step",
    label="round_cpu",
)
def _round_decimals(x, decimals):
    """To so many decimals."""


def check_decimals(input, decimals):
    if decimals == 0 and not input.is_floating_point():
        raise not_implemented("round_vml_cpu", input.dtype)


@composite(signature="Tensor input, *, out | Tensor input, *, int decimals, out")
def round(input, *, decimals=None, out=None):
    """To the nearest integer (halves to the even one), or to `decimals` digits behind the point.

    >>> import rushlight
    >>> rushlight.round(rushlight.tensor([0.5, 1.5, 2.25]), decimals=1)
    tensor([0.5000, 1.5000, 2.2000])
    """
    if decimals is None:
        return _round(input) if out is None else _round(input, out=out)
    check_decimals(input, decimals)
    return _round_decimals(input, decimals, out=out)


@composite(signature="Tensor input | Tensor input, *, int decimals")
def round_(input, *, decimals=None):
    """In-place version of `round`."""
    if decimals is None:
        return in_place(_round)(input)
    check_decimals(input, decimals)
    return in_place(_round_decimals)(input, decimals)


def round_to_decimals(input, *, decimals=0, out=None):
    """`round` with decimals, 0 by default."""
    return round(input, decimals=decimals, out=out)


round_to_decimals.__name__ = "round"
place(round_to_decimals, "round", method=False, namespace="special")


# ---------------------------------------------------------------------------------------------------------- logarithmic sums
def masked_logarithm(product, g, a, b, edge):
    """`product` of g and b: g times a logarithm of b, 0 where g is 0; and where a is 0 and b is not above `edge`, too."""
    logarithm = product(g, b)
    if not isinstance(b, torch.Tensor):
        return logarithm if b > edge else torch.where(a == 0, 0, logarithm)
    return logarithm.masked_fill(torch.logical_and(a == 0, b <= edge), 0)


def second_slope(g, a, b, edge):
    return g * a / (b - edge if edge else b)


def logarithmic_product(product, edge):
    """The rules of a times the logarithm of what `b` is above `edge`."""

    def jvp(a_t, b_t, a, b):
        return total(
            None if a_t is None else masked_logarithm(product, a_t, a, b, edge),
            None if b_t is None else second_slope(b_t, a, b, edge),
        )

    return {
        "vjp": (lambda g, a, b: masked_logarithm(product, g, a, b, edge), lambda g, a, b: second_slope(g, a, b, edge)),
        "jvp": jvp,
        "dtype": "float",
    }


@pointwise(
    **logarithmic_product(lambda g, b: torch.xlogy(g, b), 0),
    name=("XlogyBackward2", "XlogyBackward0", "XlogyBackward1"),
    inplace="function",
    signature=OPERANDS,
    overload=by_operand("Tensor", "Scalar_Other", "Scalar_Self"),
)
def xlogy(a, b):
    """a log b, and 0 where a is 0."""


@pointwise(
    **logarithmic_product(lambda g, b: torch.special.xlog1py(g, b), -1),
    namespace="special",
    method=False,
    inplace=False,
    name=("SpecialXlog1PyBackward2", "SpecialXlog1PyBackward0", "SpecialXlog1PyBackward1"),
    signature=OPERANDS,
)
def xlog1py(a, b):
    """a log(1 + b), and 0 where a is 0."""


def sum_of_powers(power):
    """The rules of the logarithm of power(a) + power(b): the share of each."""

    def tangent(a_t, b_t, a, b):
        return total(
            None if a_t is None else a_t / (1 + power(b - a)),
            None if b_t is None else b_t / (1 + power(a - b)),
        )

    def share(g, first, first_dtype, second, second_dtype):
        # (The operands come in their common dtype; PyTorch subtracts them as they were given.)
        refuse_bool_sub(g.dtype, torch.empty(0, dtype=first_dtype), torch.empty(0, dtype=second_dtype))
        return g / conjugate(1 + power(second - first))

    return dict(
        vjp=(
            lambda g, a, a_dtype, b, b_dtype: share(g, a, a_dtype, b, b_dtype),
            lambda g, a, a_dtype, b, b_dtype: share(g, b, b_dtype, a, a_dtype),
        ),
        jvp=lambda a_t, b_t, a, b: tangent(a_t, b_t, a, b),
        inputs=2,
        inplace=False,
        tensors_only=True,
    )


@pointwise(**sum_of_powers(lambda x: x.exp()), real_part=False)
def logaddexp(a, b):
    """log(exp(a) + exp(b))."""


@pointwise(**sum_of_powers(lambda x: x.exp2()))
def logaddexp2(a, b):
    """log2(2^a + 2^b)."""


@pointwise(
    slope=lambda x: -(x.log() + 1),
    dtype="float",
    name="SpecialEntrBackward0",
    namespace="special",
    method=False,
    inplace=False,
    domain=(0.2, 2.0),
    like=lambda x: -x * x.log(),
)
def entr(x):
    """-x log x: what a probability adds to the entropy."""


def logit_product(g, x, eps):
    low, outside = (0, math.nan) if eps is None or eps < 0 else (eps, 0)
    return torch.where(torch.logical_and(x >= low, x <= 1 - low), g / (x * (1 - x)), outside)


@pointwise(
    vjp=logit_product,
    jvp=lambda x_t, x, eps: logit_product(x_t, x, eps),
    dtype="float",
    inputs=1,
    numbers=lambda eps: (-1.0 if eps is None else float(eps),),
    inplace="function",
    domain=(0.1, 0.9),
    like=lambda x, eps: (x / (1 - x)).log(),
)
def logit(x, eps=None):
    """log(x / (1 - x)), of x clamped to [eps, 1 - eps] where `eps` is given."""


@pointwise(
    gradient=True,
    slope=lambda out: (1 - out) * out,
    fused="sigmoid_gradient",
    curvature=lambda g, out: g * (1 - 2 * out),
    dtype="float",
    flat="saturated",
)
def sigmoid(x):
    """1 / (1 + exp(-x))."""


# ---------------------------------------------------------------------------------------------------------- parts of a float
@pointwise(
    kernel="frexp_mantissa",
    function=False,
    method=False,
    inplace=False,
    keeps_strides=FLOATING,
)
def _frexp_mantissa(x):
    """The mantissa of each element."""


@pointwise(
    kernel="frexp_exponent",
    function=False,
    method=False,
    inplace=False,
    keeps_strides=FLOATING,
)
def _frexp_exponent(x):
    """The exponent of each element, as a float."""


@op(
    vjp=lambda g, exponent: torch.ldexp(g, -exponent),
    jvp=lambda x_t, exponent: torch.ldexp(x_t, -exponent),
    outputs=("mantissa", "exponent"),
    result_type=return_type("frexp", "mantissa", "exponent"),
    batch="elementwise.unary",
    out_text=(
        "torch.frexp() expects mantissa to have dtype {c_result} but got {c_out}",
        "torch.frexp() expects exponent to have int dtype but got {c_out}",
    ),
)
def frexp(x):
    """mantissa and exponent, with x = mantissa · 2^exponent and 0.5 <= |mantissa| < 1."""
    if not x.dtype.is_floating_point:
        raise RuntimeError("torch.frexp() only supports floating-point dtypes")
    return _frexp_mantissa(x), _frexp_exponent(x).to(torch.int32)
