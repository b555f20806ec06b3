"""Comparisons, logic, and choices among elements."""

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor, read_within
from rushlight.ops._declare import composite, pointwise, underived
from rushlight.ops._names import by_operand
from rushlight.ops._outputs import BOOLEAN
from rushlight.ops._rules import (
    COMPLEX,
    FLOATING,
    WHOLE,
    dynamic_shape,
    in_place,
    no_tangent,
    refuse_complex,
    require_tensors,
    zero_gradient,
)


def compared(name):
    """What comparisons share. Written into floats (`eq_`), a step function: its derivative is 0."""
    return {
        "vjp": (zero_gradient, zero_gradient),
        "jvp": lambda a_t, b_t, out: torch.zeros_like(out),
        "name": (f"{name}Backward0", f"{name}Backward1"),
        "overload": by_operand(),
        "gives": "comparison",
        "signature": "Tensor input, Tensor|Number other, *, out",
    }


@pointwise(**compared("Eq"), late="unsigned half float8 e8m0")
def eq(a, b):
    """Where `a` equals `b`."""


@pointwise(**compared("Ne"), aliases=("not_equal",), late="unsigned half float8 e8m0")
def ne(a, b):
    """Where `a` does not equal `b`."""


@pointwise(**compared("Lt"), aliases=("less",))
def lt(a, b):
    """Where `a` is less than `b`."""


@pointwise(**compared("Le"), aliases=("less_equal",))
def le(a, b):
    """Where `a` is not greater than `b`."""


@pointwise(**compared("Gt"), aliases=("greater",))
def gt(a, b):
    """Where `a` is greater than `b`."""


@pointwise(**compared("Ge"), aliases=("greater_equal",))
def ge(a, b):
    """Where `a` is not less than `b`."""


@composite
def equal(input, other) -> bool:
    """Whether both have the same shape and elements."""
    input, other = read_within(input, "equal"), read_within(other, "equal")
    return input.shape == other.shape and bool((input == other).all())


@composite(gives="comparison")
def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Where |input - other| is at most atol + rtol |other|."""
    require_tensors("isclose", input=input, other=other)
    if input.dtype != other.dtype:
        raise RuntimeError(f"{input.dtype.legacy_name} did not match {other.dtype.legacy_name}")
    if not rtol >= 0:
        raise RuntimeError(f"rtol must be greater than or equal to zero, but got {rtol:g}")
    if not atol >= 0:
        raise RuntimeError(f"atol must be greater than or equal to zero, but got {atol:g}")
    close = input == other
    if equal_nan and (input.dtype.is_floating_point or input.dtype.is_complex):
        close = torch.logical_or(close, torch.logical_and(torch.isnan(input), torch.isnan(other)))
    if rtol == 0 and atol == 0:
        return close
    if not (input.dtype.is_floating_point or input.dtype.is_complex):
        input, other = input.to(torch.get_default_dtype()), other.to(torch.get_default_dtype())
    error = (input - other).detach().abs()
    allowed = atol + (rtol * other.detach()).abs()
    return torch.logical_or(close, torch.logical_and(torch.isfinite(error), error <= allowed))


@composite
def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False) -> bool:
    """Whether every |input - other| is at most atol + rtol |other|."""
    require_tensors("allclose", input=input, other=other)
    input, other = read_within(input, "allclose"), read_within(other, "allclose")
    return bool(torch.isclose(input, other, rtol, atol, equal_nan).all())


# ---------------------------------------------------------------------------------------------------------- logic
@pointwise(tensors_only=True, refusal="arithmetic", gives="comparison")
def logical_and(a, b):
    """Where both are not zero."""


@pointwise(tensors_only=True, refusal="arithmetic", gives="comparison")
def logical_or(a, b):
    """Where one or both are not zero."""


@pointwise(tensors_only=True, refusal="arithmetic")
def logical_xor(a, b):
    """Where exactly one is not zero."""


@pointwise(gives="comparison", inplace=True, out_text=None)
def logical_not(x):
    """Where `x` is zero."""


# ---------------------------------------------------------------------------------------------------------- tests
@pointwise(inplace=False, out=False, gives="comparison", late="unsigned half float8 e8m0")
def isnan(x):
    """Where an element is not a number."""


@pointwise(
    inplace=False,
    out=False,
    gives="comparison",
    label="isinf",
    late="unsigned half",
    keeps_strides=WHOLE | COMPLEX,
)
def isinf(x):
    """Where an element is infinite."""


@pointwise(
    inplace=False,
    out=False,
    gives="comparison",
    label="isfinite",
    late="unsigned half e8m0",
    keeps_strides=WHOLE,
)
def isfinite(x):
    """Where an element is neither infinite nor NaN."""


@pointwise(
    inplace=False,
    check=refuse_complex("isposinf does not support complex inputs."),
    out_text=BOOLEAN,
    late="unsigned",
    wants_booleans=True,
)
def isposinf(x):
    """Where an element is +∞."""


@pointwise(
    inplace=False,
    check=refuse_complex("isneginf does not support complex inputs."),
    out_text=BOOLEAN,
    late="unsigned",
    wants_booleans=True,
)
def isneginf(x):
    """Where an element is -∞."""


@composite
def isreal(input):
    """Where the imaginary part is 0."""
    return torch.imag(input) == 0 if input.dtype.is_complex else torch.ones_like(input, dtype=torch.bool)


# ---------------------------------------------------------------------------------------------------------- choices
@pointwise(
    vjp=(None, lambda g, condition: torch.where(condition, g, 0), lambda g, condition: torch.where(condition, 0, g)),
    jvp=lambda input_t, other_t, condition: torch.where(
        condition, 0 if input_t is None else input_t, 0 if other_t is None else other_t
    ),
    kernel="where",
    fits="no half",
    name="WhereBackward0",
    function=False,
    method=False,
    inplace=False,
    batch="elementwise.as_stored",
    fills=True,
    flat="masked",
    late="unsigned half float8 e8m0 moves",
    real_part=False,
    overload="where.self",
)
def _where(condition, input, other):
    """`input` where `condition` holds, `other` elsewhere."""


def beside(x, number):
    """`x`, converted where a complex number makes the result of a real tensor complex: that is recorded by itself."""
    if type(number) is complex and isinstance(x, Tensor) and not x.is_complex():
        return x.to(torch.result_type(x, number))
    return x


@composite(
    method=False,
    signature=(
        "Tensor condition | Tensor condition, Tensor input, Tensor other, *, out | "
        "Tensor condition, Number self, Tensor other | Tensor condition, Tensor input, Number other | "
        "Tensor condition, Number self, Number other"
    ),
)
@core.overloaded({"ttt": _where, "ttn": _where, "tnt": _where})
def where(condition, input=None, other=None, *, out=None):
    """`input` where `condition` holds, `other` elsewhere; with a condition alone, the indices where it holds.

    >>> import rushlight
    >>> x = rushlight.tensor([-1., 2.])
    >>> rushlight.where(x > 0, x, 0)
    tensor([0., 2.])
    """
    if input is None and other is None:
        if core.has_batch(condition):
            raise RuntimeError(dynamic_shape("where"))
        return torch.nonzero(condition, as_tuple=True)
    input, other = beside(input, other), beside(other, input)
    return _where(condition, input, other) if out is None else _where(condition, input, other, out=out)


@composite(function=False, name="where")
def where_else(self, condition, other):
    """`self` where `condition` holds, `other` elsewhere."""
    return _where(condition, beside(self, other), other)


no_heaviside = underived("derivative for aten::heaviside is not implemented", RuntimeError)


def check_heaviside(dtype, x, values):
    if dtype.is_complex:
        raise RuntimeError("heaviside is not yet implemented for complex tensors.")
    if x.dtype != values.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")


@pointwise(
    vjp=(no_heaviside, no_heaviside),
    jvp=no_tangent("heaviside"),
    name="NotImplemented",
    check=check_heaviside,
    tensors_only=True,
    flat="step",
    out_text="heaviside is not yet implemented for tensors with different dtypes.",
)
def heaviside(x, values):
    """0 for negative elements, 1 for positive ones, `values` at 0."""


def same_where_number(g, x):
    return g * torch.isfinite(x)


@pointwise(
    real=True,
    vjp=same_where_number,
    jvp=lambda x_t, x: same_where_number(x_t, x),
    kernel="nan_to_num",
    name="NanToNumBackward0",
    inputs=1,
    function=False,
    method=False,
    label="nan_to_num",
    late="unsigned",
    out_text="nan_to_num: dtype of out: {out} should be same as input: {result}",
    keeps_strides=WHOLE | FLOATING | COMPLEX,
)
def _nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0):
    """NaN and the infinities replaced by numbers."""


def replacements(input, nan, posinf, neginf):
    if not (input.dtype.is_floating_point or input.dtype.is_complex):
        return 0.0, 0.0, 0.0
    limits = torch.finfo(input.dtype)
    return (
        0.0 if nan is None else float(nan),
        limits.max if posinf is None else float(posinf),
        limits.min if neginf is None else float(neginf),
    )


@composite
def nan_to_num(input, nan=None, posinf=None, neginf=None, *, out=None):
    """NaN becomes `nan` (0), the infinities `posinf` and `neginf` (the greatest and least number of the dtype)."""
    return _nan_to_num(input, *replacements(input, nan, posinf, neginf), out=out)


@composite
def nan_to_num_(input, nan=None, posinf=None, neginf=None):
    """In-place version of `nan_to_num`."""
    return in_place(_nan_to_num)(input, *replacements(input, nan, posinf, neginf))
