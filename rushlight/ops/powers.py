"""Powers, roots, and lengths and angles in the plane."""

import cmath
import math

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor
from rushlight.ops._declare import composite, pointwise
from rushlight.ops._names import by_operand
from rushlight.ops._outputs import Castable
from rushlight.ops._rules import (
    conjugate,
    is_complex,
    not_implemented,
    refuse_dtypes,
    total,
)

POWER = "Tensor input, Tensor exponent, *, out | Number self, Tensor exponent, *, out | Tensor input, Number exponent, *, out"


def base_product(g, a, exponent):
    """g times the conjugate of ∂(a^exponent)/∂a, which is 0 where exponent is 0, whatever the rest is."""
    if isinstance(exponent, Tensor):
        return torch.where(exponent == 0, 0, g * conjugate(exponent * a ** (exponent - 1)))
    if exponent == 0:
        return torch.zeros_like(g)
    # It depends on `a` for good: the derivatives of a polynomial never run out, they become 0.
    return g * conjugate(a ** (exponent - 1) * exponent)


def short_base_product(g, a, exponent):
    if isinstance(exponent, Tensor) or exponent not in (1, 2):
        return base_product(g, a, exponent)
    return g if exponent == 1 else g * conjugate(a * exponent)


def logarithm_of(base, exponent):
    """The logarithm of a number as the exponent's dtype has it: complex, or NaN for negative ones; -∞ of 0."""
    if base == 0:
        return -math.inf
    if isinstance(base, complex) or is_complex(exponent):
        return cmath.log(base)
    return math.log(base) if base > 0 else math.nan


def exponent_product(g, a, exponent, out, adjoint=conjugate):
    """g · ∂(a^exponent)/∂exponent = g · a^exponent log a, taken as 0 where a is 0 and exponent is not negative."""
    vanishing = torch.logical_and(torch.real(exponent) >= 0, torch.imag(exponent) == 0) if is_complex(exponent) else exponent >= 0
    if isinstance(a, Tensor):
        return g * adjoint(torch.where(torch.logical_and(a == 0, vanishing), 0, out * a.log()))
    slope = out * logarithm_of(a, exponent)
    return g * adjoint(torch.where(vanishing, 0, slope) if a == 0 else slope)


def unchanged(value):
    return value


def power_tangent(a_t, exponent_t, a, exponent, out):
    return total(
        None if a_t is None else conjugate(base_product(conjugate(a_t), a, exponent)),
        None if exponent_t is None else exponent_product(exponent_t, a, exponent, out, unchanged),
    )


def refuse_negative_power(dtype, a, exponent):
    if isinstance(exponent, int) and not (dtype.is_floating_point or dtype.is_complex):
        core.check_number_fits(exponent, torch.int64)
    if dtype.name == "bool" and isinstance(exponent, Tensor):
        raise not_implemented("pow", dtype)
    if isinstance(exponent, int) and exponent < 0 and not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError("Integers to negative integer powers are not allowed.")


@pointwise(
    vjp=(base_product, lambda g, a, exponent, out: exponent_product(g, a, exponent, out)),
    fused=short_base_product,
    jvp=power_tangent,
    check=refuse_negative_power,
    fits="narrow",
    row_major_of_number=True,
    name=("PowBackward0", "PowBackward1", "PowBackward2"),
    hazard="power",
    flat="power",
    label="pow",
    signature=POWER,
    numbers_aside=0b10,
    overload=(by_operand("Tensor_Tensor", "Tensor_Scalar", "Scalar"), by_operand()),
)
def pow(a, exponent):
    """`a` to the power `exponent`."""


@composite
def square(input, *, out=None):
    """The square of each element."""
    return pow(input, 2) if out is None else pow(input, 2, out=out)


@composite(function=True)
def square_(input):
    """In-place version of `square`."""
    return input.pow_(2)


def wide_operand(value, dtype):
    return value.to(dtype) if isinstance(value, Tensor) else value


def wide_dtype(*values):
    return torch.complex128 if any(is_complex(value) for value in values) else torch.float64


@composite(signature=POWER)
def float_power(input, exponent, *, out=None):
    """`input` to the power `exponent`, in double precision."""
    dtype = wide_dtype(input, exponent)
    if out is not None and out.dtype != dtype:
        raise RuntimeError(
            f"the output given to float_power has dtype {out.dtype.legacy_name} but the operation's result requires dtype "
            f"{dtype.legacy_name}"
        )
    return torch.pow(wide_operand(input, dtype), wide_operand(exponent, dtype), out=out)


@composite(function=False)
def float_power_(self, exponent):
    """In-place version of `float_power`."""
    dtype = wide_dtype(self, exponent)
    if self.dtype != dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {self.dtype.legacy_name} but the operation's result requires dtype "
            f"{dtype.legacy_name}"
        )
    return self.pow_(wide_operand(exponent, dtype))


@pointwise(
    vjp=lambda g, out: g / conjugate(2 * out),
    jvp=lambda x_t, out: x_t / (2 * out),
    dtype="float",
    hazard="root",
    label="sqrt_vml_cpu",
)
def sqrt(x):
    """The square root of each element."""


@pointwise(slope=lambda out: out**3 * -0.5, dtype="float")
def rsqrt(x):
    """1 / √x."""


@pointwise(
    vjp=(lambda g, a, out: g * a / out, lambda g, b, out: g * b / out),
    jvp=lambda a_t, b_t, a, b, out: total(None if a_t is None else a_t * a / out, None if b_t is None else b_t * b / out),
    inputs=2,
    tensors_only=True,
)
def hypot(a, b):
    """√(a² + b²) without overflow on the way."""


def full_angle_slope(numerator, a, b):
    square = a * a + b * b
    return numerator * square.reciprocal().masked_fill(square == 0, 0)


@pointwise(
    slopes=(lambda a, b: full_angle_slope(b, a, b), lambda a, b: full_angle_slope(-a, a, b)),
    dtype="float",
    aliases=("arctan2",),
    tensors_only=True,
    refusal="shapes",
)
def atan2(a, b):
    """The angle of the point (b, a), in radians, from -π to π."""


refuse_bool_exponent = refuse_dtypes("ldexp_cpu_exp", "bool")


def check_ldexp(dtype, a, b):
    """Numbers of floating point have a kernel of their own, for exponents that are whole."""
    if a.is_floating_point():
        refuse_bool_exponent(b.dtype)


@pointwise(
    vjp=(lambda g, b: g * conjugate(torch.exp2(b)), lambda g, out: g * conjugate(out) * math.log(2)),
    jvp=lambda a_t, b_t, b, out: total(
        None if a_t is None else a_t * torch.exp2(b), None if b_t is None else b_t * out * math.log(2)
    ),
    inputs=2,
    dtype="float",
    tensors_only=True,
    check=check_ldexp,
    inplace="function",
    out_text=Castable("ldexp can't be cast to the desired output type {out}"),
    real_part=False,
)
def ldexp(a, b):
    """`a` times 2 to the power `b`."""


ldexp.casts_by_name = True
