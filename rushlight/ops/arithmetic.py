"""Sums, products and quotients: what Python's operators call, and their relatives."""

import rushlight as torch
from rushlight.core import Tensor
from rushlight.ops import signs  # noqa: F401
from rushlight.ops._declare import composite, pointwise, underived
from rushlight.ops._names import by_operand
from rushlight.ops._rules import (
    c_name,
    conjugate,
    in_place,
    no_tangent,
    not_implemented,
    refuse_dtypes,
    total,
    zero_gradient,
)

TIMES_VALUE = (
    "deprecated Tensor input, Number value, Tensor tensor1, Tensor tensor2, *, out | "
    "Tensor input, Tensor tensor1, Tensor tensor2, *, Number value=1, out"
)


def refuse_bool_sub(dtype, *inputs):
    kinds = [value.dtype.name if isinstance(value, Tensor) else "bool" if isinstance(value, bool) else "" for value in inputs]
    if "bool" in kinds and dtype.name != "bool":
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the "
            "`~` or `logical_not()` operator instead."
        )
    if dtype.name == "bool":
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
            "`logical_xor()` operator instead."
        )


def refuse_bool_neg(dtype, *inputs):
    if dtype.name == "bool":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
            "`~` or `logical_not()` operator instead."
        )


@pointwise(
    slopes=(1, lambda alpha: alpha),
    inputs=2,
    scaled="add_scaled",
    number_name="AddBackward1",
    refusal="shapes",
    overload="Tensor",
    label="add_stub",
    late="half",
    signature="deprecated Tensor/Number input, Number alpha, Tensor/Number other, *, out | Tensor/Number input, Tensor/Number other, *, Number alpha=1, out",
)
def add(a, b, *, alpha=1):
    """`a` plus `alpha` times `b`, broadcast against each other.

    >>> import rushlight
    >>> rushlight.add(rushlight.tensor([1., 2.]), 10, alpha=2)
    tensor([21., 22.])
    """


@pointwise(
    slopes=(1, lambda alpha: -alpha),
    inputs=2,
    scaled="add_scaled",
    alpha_sign=-1,
    check=refuse_bool_sub,
    number_name="SubBackward1",
    aliases=("subtract",),
    refusal="arithmetic",
    overload="Tensor",
    label="add_stub",
    late="half",
    signature={
        "sub": "deprecated Tensor/Number input, Number alpha, Tensor/Number other, *, out | Tensor/Number input, Tensor/Number other, *, Number alpha=1, out",
        "subtract": "Tensor/Number input, Tensor/Number other, *, Number alpha=1, out | Tensor/Number input, Number other, Number alpha=1",
    },
)
def sub(a, b, *, alpha=1):
    """`a` minus `alpha` times `b`, broadcast against each other."""


@pointwise(
    slopes=(lambda alpha: -alpha, 1),
    inputs=2,
    kernel="sub",
    swapped=True,
    scaled="add_scaled",
    alpha_sign=-1,
    check=refuse_bool_sub,
    name=("RsubBackward1", "RsubBackward0"),
    inplace=False,
    method=False,
    signature="Tensor input, Tensor other, *, Number alpha=1 | Tensor input, Number other, Number alpha=1",
    overload=by_operand(),
)
def rsub(a, b, *, alpha=1):
    """`b` minus `alpha` times `a`."""


@pointwise(
    slopes=(lambda b: b, lambda a: a),
    wide_numbers=True,
    number_name="MulBackward1",
    aliases=("multiply",),
    refusal="arithmetic",
    overload="Tensor",
    flat="factor",
    late="unsigned half float8 e8m0 not_by_one",
    signature={
        "mul": "Tensor/Number input, Tensor/Number other, *, out",
        "multiply": "Tensor/Number input, Tensor/Number other, *, out | Tensor/Number input, Number other",
    },
)
def mul(a, b):
    """Product of `a` and `b`, element by element, broadcast against each other."""


@pointwise(slope=-1, check=refuse_bool_neg, aliases=("negative",), late="half", domain=(-1.0, 2.0))
def neg(x):
    """The negative of each element."""


@composite
def positive(input):
    """`input` itself."""
    if input.dtype is torch.bool:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


@pointwise(slope=lambda out: -(out * out), dtype="float")
def reciprocal(x):
    """1 / x."""


# ---------------------------------------------------------------------------------------------------------- quotients
QUOTIENT = dict(
    vjp=(lambda g, b: g / conjugate(b), lambda g, a, b: -g * conjugate(a / b / b)),
    jvp=lambda a_t, b_t, b, out: total(None if a_t is None else a_t / b, None if b_t is None else -b_t * out / b),
    inputs=2,
    dtype="float",
    wide_numbers=True,
    hazard="quotient",
    numbers_aside=0b1,  # (PyTorch multiplies the reciprocal by the number that is divided)
    kernel="div",
    method=False,
    function=False,
)


@pointwise(**QUOTIENT, number_name="DivBackward1", refusal="arithmetic", overload="Tensor")
def div(a, b):
    """Quotient of `a` and `b`; integers are divided as floats."""


@pointwise(**QUOTIENT, name="DivBackward2", number_name="DivBackward3", overload="div.Tensor_mode")
def _div_exactly(a, b):
    """The same where a program asks for no rounding: another node in PyTorch."""


@pointwise(
    wide_numbers=True,
    vjp=(zero_gradient, zero_gradient),
    jvp=lambda a_t, b_t, out: torch.zeros_like(out),
    kernel="trunc_divide",
    name="DivBackward2",
    number_name="DivBackward3",
    inputs=2,
    function=False,
    method=False,
    refusal="arithmetic",
    label="div_trunc_cpu",
    overload="div.Tensor_mode",
)
def _trunc_divide(a, b):
    """Quotient rounded towards zero."""


@pointwise(
    wide_numbers=True,
    vjp=(zero_gradient, zero_gradient),
    jvp=lambda a_t, b_t, out: torch.zeros_like(out),
    kernel="floor_divide",
    name="DivBackward2",
    number_name="DivBackward3",
    inputs=2,
    function=False,
    method=False,
    refusal="arithmetic",
    overload="div.Tensor_mode",
)
def _div_floor(a, b):
    """Quotient rounded down."""


quotients = {None: _div_exactly, "trunc": _trunc_divide, "floor": _div_floor}


def quotient_of(rounding_mode):
    if rounding_mode not in quotients:
        raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'")
    return quotients[rounding_mode]


UNSET = object()


@composite(
    name="div",
    aliases=("divide",),
    signature={
        "div": "Tensor/Number input, Tensor/Number other, *, out | Tensor/Number input, Tensor/Number other, *, str? rounding_mode, out | Tensor/Number input, Number other, *, str? rounding_mode",
        "divide": "Tensor/Number input, Tensor/Number other, *, out | Tensor/Number input, Tensor/Number other, *, str? rounding_mode, out | Tensor/Number input, Number other | Tensor/Number input, Number other, *, str? rounding_mode",
    },
)
def divide(input, other, *, rounding_mode=UNSET, out=None):
    """Quotient of `input` and `other`, rounded towards zero ("trunc"), down ("floor") or not at all.

    >>> import rushlight
    >>> rushlight.div(rushlight.tensor([-7, 7]), 2, rounding_mode="floor")
    tensor([-4,  3])
    """
    if rounding_mode is UNSET:
        return div(input, other) if out is None else div(input, other, out=out)
    return quotient_of(rounding_mode)(input, other, out=out)


@composite(function=False, name="div_", aliases=("divide_",))
def divide_in_place(self, other, *, rounding_mode=UNSET):
    """In-place version of `div`."""
    return in_place(div if rounding_mode is UNSET else quotient_of(rounding_mode))(self, other)


@composite(signature="Tensor/Number input, Tensor/Number other, *, out | Tensor/Number input, Number other")
def true_divide(input, other, *, out=None):
    """Quotient of `input` and `other`."""
    return div(input, other) if out is None else div(input, other, out=out)


@composite(function=False)
def true_divide_(self, other):
    """In-place version of `true_divide`."""
    return in_place(div)(self, other)


no_floor_divide = underived("derivative for aten::floor_divide is not implemented", RuntimeError)


@pointwise(
    wide_numbers=True,
    vjp=(no_floor_divide, no_floor_divide),
    jvp=no_tangent("floor_divide"),
    inputs=2,
    name="NotImplemented",
    label="div_floor_cpu",
    signature="Tensor/Number input, Tensor/Number other, *, out | Tensor/Number input, Number other",
    overload=(None, "Tensor"),
)
def floor_divide(a, b):
    """Quotient rounded down."""


def divisor_product(g, a, b):
    if not isinstance(a, Tensor):
        raise RuntimeError("derivative for aten::remainder is not implemented")
    return -g * torch.div(a, b, rounding_mode="floor")


@pointwise(
    vjp=(lambda g: g, divisor_product),
    jvp=lambda a_t, b_t, a, b: total(a_t, None if b_t is None else -b_t * torch.div(a, b, rounding_mode="floor")),
    name=("RemainderBackward0", "RemainderBackward1", "NotImplemented"),
    signature="Tensor input, Tensor other, *, out | Number self, Tensor other | Tensor input, Number other, *, out",
    overload=by_operand(),
)
def remainder(a, b):
    """What is left of `a` divided by `b`, with the sign of `b`."""


@pointwise(
    vjp=(lambda g: g, lambda g, a, b: -g * torch.div(a, b, rounding_mode="trunc")),
    jvp=lambda a_t, b_t, a, b: total(a_t, None if b_t is None else -b_t * torch.div(a, b, rounding_mode="trunc")),
    name=("FmodBackward0", "FmodBackward1"),
    signature="Tensor input, Tensor|Number other, *, out",
    overload=by_operand(),
)
def fmod(a, b):
    """What is left of `a` divided by `b`, with the sign of `a`."""


# ---------------------------------------------------------------------------------------------------------- fused sums
def check_addcmul(dtype, x, tensor1, tensor2, value):
    """The kernel has no code for booleans alone; the number does not count."""
    if all(isinstance(t, Tensor) and t.dtype is torch.bool for t in (x, tensor1, tensor2)):
        raise not_implemented("addcmul_cpu_out", torch.bool)


@pointwise(
    wide_numbers=True,
    slopes=(1, lambda tensor2, value: tensor2 * value, lambda tensor1, value: tensor1 * value),
    inputs=4,
    fits="wide",
    check=check_addcmul,
    name="AddcmulBackward0",
    label="addcmul_cpu_out",
    late="half",
    signature=TIMES_VALUE,
    numbers_aside=0b1000,
)
def addcmul(x, tensor1, tensor2, *, value=1):
    """`x` plus `value` times `tensor1` times `tensor2`."""


refuse_integers_lerp = refuse_dtypes("lerp_kernel_scalar", "integral")


def refuse_integer_addcdiv(dtype, x, tensor1, tensor2, value):
    if not any(isinstance(t, Tensor) and (t.is_floating_point() or t.is_complex()) for t in (tensor1, tensor2)):
        raise RuntimeError(
            "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
            "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * torch.trunc("
            "tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) for float "
            "inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / tensor2), for all dtypes."
        )


def number_over(value, x, dtype):
    """value / x, which PyTorch computes in the dtype that `x` was given in: integers, which cannot hold it, are refused."""
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(
            f"result type {torch.get_default_dtype().legacy_name} can't be cast to the desired output type {dtype.legacy_name}"
        )
    return value / x


@pointwise(
    wide_numbers=True,
    vjp=(
        lambda g: g,
        lambda g, tensor2, tensor2_dtype, value: g * conjugate(number_over(value, tensor2, tensor2_dtype)),
        lambda g, tensor1, tensor2, value: -g * conjugate(value * tensor1 / (tensor2 * tensor2)),
    ),
    jvp=lambda x_t, tensor1_t, tensor2_t, tensor1, tensor2, value: total(
        x_t,
        None if tensor1_t is None else value * (tensor1_t / tensor2),
        None if tensor2_t is None else -value * (tensor1 / tensor2) * (tensor2_t / tensor2),
    ),
    inputs=4,
    fits="wide",
    check=refuse_integer_addcdiv,
    label="addcdiv_cpu_out",
    signature=TIMES_VALUE,
    numbers_aside=0b1000,
)
def addcdiv(x, tensor1, tensor2, *, value=1):
    """`x` plus `value` times `tensor1` divided by `tensor2`."""


@pointwise(
    wide_numbers=True,
    slopes=(lambda weight: 1 - weight, lambda weight: weight),
    kernel="lerp",
    fits="wide",
    check=lambda dtype, x, *rest: refuse_integers_lerp(x.dtype),
    name="LerpBackward0",
    function=False,
    method=False,
    numbers_aside=0b100,
    overload="lerp.Scalar",
)
def _lerp_scalar(x, end, weight):
    """Linear interpolation by a number."""


@pointwise(
    wide_numbers=True,
    slopes=(lambda weight: 1 - weight, lambda weight: weight, lambda x, end: end - x),
    kernel="lerp",
    check=refuse_dtypes("lerp_kernel_tensor", "integral"),
    name="LerpBackward1",
    function=False,
    method=False,
    overload="lerp.Tensor",
)
def _lerp_tensor(x, end, weight):
    """Linear interpolation by a tensor of weights."""


def check_lerp(x, end, weight):
    if end.dtype != x.dtype:
        raise RuntimeError(f"expected dtype {c_name(x.dtype)} for `end` but got dtype {c_name(end.dtype)}")
    if isinstance(weight, Tensor):
        if weight.dtype != x.dtype and weight.ndim > 0:
            raise RuntimeError(f"expected dtype {c_name(x.dtype)} for `weight` but got dtype {c_name(weight.dtype)}")
        return _lerp_tensor
    return _lerp_scalar


@composite(signature="Tensor input, Tensor end, Tensor|Number weight, *, out")
def lerp(input, end, weight, *, out=None):
    """`input` + `weight` * (`end` - `input`)."""
    op = check_lerp(input, end, weight)
    return op(input, end, weight) if out is None else op(input, end, weight, out=out)


@composite(function=False)
def lerp_(self, end, weight):
    """In-place version of `lerp`."""
    return in_place(check_lerp(self, end, weight))(self, end, weight)


@pointwise(tensors_only=True, refusal="shapes", inplace="function")
def gcd(a, b):
    """Greatest common divisor."""


@pointwise(tensors_only=True, refusal="shapes", inplace="function")
def lcm(a, b):
    """Least common multiple."""
