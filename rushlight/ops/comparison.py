"""Comparisons, logic and bits; choices among elements by comparison."""

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
    c_name,
    dynamic_shape,
    in_place,
    no_tangent,
    not_implemented,
    refuse_complex,
    require_tensors,
    total,
    zero_gradient,
)

OPERANDS = "Tensor input, Tensor other, *, out | Number self, Tensor other | Tensor input, Number other, *, out"


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


# ---------------------------------------------------------------------------------------------------------- logic and bits
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


@pointwise(
    refusal="shapes",
    late="unsigned",
    signature=OPERANDS,
    overload=by_operand(),
)
def bitwise_and(a, b):
    """The bits that both have."""


@pointwise(
    refusal="shapes",
    late="unsigned",
    signature=OPERANDS,
    overload=by_operand(),
)
def bitwise_or(a, b):
    """The bits that one or both have."""


@pointwise(
    refusal="shapes",
    late="unsigned",
    signature=OPERANDS,
    overload=by_operand(),
)
def bitwise_xor(a, b):
    """The bits that exactly one has."""


@pointwise(inplace=True)
def bitwise_not(x):
    """The bits that `x` does not have."""


@pointwise(
    refusal="shapes",
    label="lshift_cpu",
    signature=OPERANDS,
    overload=by_operand("Tensor", "Tensor_Scalar"),
)
def bitwise_left_shift(a, b):
    """The bits of `a` moved `b` places up."""


@pointwise(
    refusal="shapes",
    label="rshift_cpu",
    signature=OPERANDS,
    overload=by_operand("Tensor", "Tensor_Scalar"),
)
def bitwise_right_shift(a, b):
    """The bits of `a` moved `b` places down; the sign stays."""


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


def refuse(name):
    return refuse_complex(f"{name} not implemented for complex tensors.")


def first_share(g, first, second, wins):
    """What of `g` goes to `first`: half at a tie, nothing where `second` wins."""
    return torch.where(first == second, g / 2, g).masked_fill(wins(second, first), 0)


def share_rules(wins):
    """The rules of maximum and minimum, where a NaN wins against nothing."""

    def jvp(a_t, b_t, a, b):
        equal, first = a == b, wins(a, b)
        return total(
            None if a_t is None else torch.where(equal, a_t / 2, torch.where(first, a_t, 0)),
            None if b_t is None else torch.where(equal, b_t / 2, torch.where(first, 0, b_t)),
        )

    return {
        "vjp": (lambda g, a, b: first_share(g, a, b, wins), lambda g, a, b: first_share(g, b, a, wins)),
        "jvp": jvp,
        "inplace": False,
    }


def greater(a, b):
    return a > b


def less(a, b):
    return a < b


@pointwise(**share_rules(greater), check=refuse("maximum"), tensors_only=True, flat="selecting")
def maximum(a, b):
    """The greater of `a` and `b`; NaN where either is NaN."""


@pointwise(**share_rules(less), check=refuse("minimum"), tensors_only=True, flat="selecting")
def minimum(a, b):
    """The lesser of `a` and `b`; NaN where either is NaN."""


def number_choice(prefers, prefers_forward):
    """The rules of fmax and fmin: all of `g` goes to one of the two, `a` where they are equal (of fmax in forward mode: `b`)."""

    def chosen(a, b, prefers=prefers):
        return torch.logical_or(prefers(a, b), torch.isnan(b))

    return {
        "vjp": (lambda g, a, b: g.masked_fill(~chosen(a, b), 0), lambda g, a, b: g.masked_fill(chosen(a, b), 0)),
        "jvp": lambda a_t, b_t, a, b: torch.where(
            chosen(a, b, prefers_forward), 0 if a_t is None else a_t, 0 if b_t is None else b_t
        ),
        "inplace": False,
    }


def not_less(a, b):
    return a >= b


def not_greater(a, b):
    return a <= b


@pointwise(**number_choice(not_less, greater), check=refuse("fmax"), tensors_only=True)
def fmax(a, b):
    """The greater of `a` and `b`; the other where one is NaN."""


@pointwise(**number_choice(not_greater, not_greater), check=refuse("fmin"), tensors_only=True)
def fmin(a, b):
    """The lesser of `a` and `b`; the other where one is NaN."""


refuse_clamp = refuse_complex("clamp is not supported for complex types", NotImplementedError)


def refuse_complex_bounds(x, *bounds):
    """clamp compares numbers of floating point with real ones."""
    if x.is_floating_point() and any(isinstance(bound, complex) and bound.imag for bound in bounds):
        raise RuntimeError("value cannot be converted to type double without overflow")


def check_bounds(dtype, x, min, max):
    """What a clamp with two bounds refuses."""
    refuse_clamp(x.dtype)
    refuse_complex_bounds(x, min, max)
    if dtype is torch.bool or (dtype.is_complex and isinstance(min, Tensor)):
        raise not_implemented("clamp_cpu" if isinstance(min, Tensor) else "clamp_scalar_cpu", dtype)
    refuse_clamp(dtype)


def refuse_bound(kernel, clamps=False):
    """The check of a clamp with one bound, which is another kernel's where the bound is a tensor; `clamp` itself looks at `x` first."""

    def check(dtype, x, bound):
        if clamps:
            refuse_clamp(x.dtype)
            refuse_complex_bounds(x, bound)
        if dtype is torch.bool and not isinstance(bound, Tensor):
            raise not_implemented("clamp_max_scalar_cpu" if kernel == "minimum_cpu" else "clamp_min_scalar_cpu", dtype)
        if dtype.is_complex and isinstance(bound, Tensor):
            raise not_implemented(kernel, dtype)
        refuse_clamp(dtype)

    return check


def kept(g, holds, elsewhere=0):
    return torch.where(holds, g, elsewhere)


def bound_tangent(x_t, bound_t, where):
    """The tangent of x where `where`, elsewhere that of the bound. (At ties `clamp` takes that of a tensor, unlike clamp_min and clamp_max.)"""
    return kept(0 if x_t is None else x_t, where, 0 if bound_t is None else bound_t)


BOUNDED_BELOW = {
    "vjp": (lambda g, x, min: kept(g, x >= min), lambda g, x, min: kept(g, x < min)),
    "jvp": lambda x_t, min_t, x, min: bound_tangent(x_t, min_t, x >= min),
    "check": refuse_bound("maximum_cpu"),
}
BOUNDED_ABOVE = {
    "vjp": (lambda g, x, max: kept(g, x <= max), lambda g, x, max: kept(g, x > max)),
    "jvp": lambda x_t, max_t, x, max: bound_tangent(x_t, max_t, x <= max),
    "check": refuse_bound("minimum_cpu"),
}


@pointwise(
    **BOUNDED_BELOW,
    fits="dtype",
    inplace=False,
    name=("ClampMinBackward0", "ClampMinBackward1"),
    refusal="arithmetic",
    flat="clamped",
    signature="Tensor input, Tensor|Number min, *, out",
    numbers_aside=0b110,
    overload=by_operand("Tensor", "default"),
)
def clamp_min(x, min):
    """`x`, or `min` where that is greater."""


@pointwise(
    **BOUNDED_ABOVE,
    fits="dtype",
    inplace=False,
    name=("ClampMaxBackward0", "ClampMaxBackward1"),
    refusal="arithmetic",
    flat="clamped",
    signature="Tensor input, Tensor|Number max, *, out",
    numbers_aside=0b110,
    overload=by_operand("Tensor", "default"),
)
def clamp_max(x, max):
    """`x`, or `max` where that is less."""


def refuse_narrow(input, *bounds):
    """A write of numbers that a dtype of whole numbers cannot take."""
    if not (input.is_floating_point() or input.is_complex()):
        for number in (bound for bound in bounds if not isinstance(bound, Tensor)):
            dtype = torch.result_type(input, number)
            if not core.can_cast(dtype, input.dtype):
                raise RuntimeError(
                    f"result type {dtype.legacy_name} can't be cast to the desired output type {c_name(input.dtype)}"
                )


@composite(signature="Tensor input, Tensor|Number min")
def clamp_min_(input, min):
    """In-place version of `clamp_min`."""
    refuse_narrow(input, min)
    return in_place(clamp_min)(input, min)


@composite(signature="Tensor input, Tensor|Number max")
def clamp_max_(input, max):
    """In-place version of `clamp_max`."""
    refuse_narrow(input, max)
    return in_place(clamp_max)(input, max)


@pointwise(
    **BOUNDED_BELOW
    | {
        "check": refuse_bound("maximum_cpu", clamps=True),
        "jvp": lambda x_t, min_t, x, min: bound_tangent(x_t, min_t, x > min if isinstance(min, Tensor) else x >= min),
    },
    kernel="clamp_min",
    fits="dtype",
    name=("ClampBackward1", "ClampBackward0"),
    function=False,
    method=False,
    batch="elementwise.as_stored",
    flat="clamped",
    numbers_aside=0b110,
    overload="clamp_min.default",
    public="clamp",
)
def _clamp_below(x, min):
    """clamp with a lower bound alone."""


@pointwise(
    **BOUNDED_ABOVE
    | {
        "check": refuse_bound("minimum_cpu", clamps=True),
        "jvp": lambda x_t, max_t, x, max: bound_tangent(x_t, max_t, x < max if isinstance(max, Tensor) else x <= max),
    },
    kernel="clamp_max",
    fits="dtype",
    name=("ClampBackward1", "ClampBackward0"),
    function=False,
    method=False,
    batch="elementwise.as_stored",
    flat="clamped",
    numbers_aside=0b110,
    overload="clamp_max.default",
    public="clamp",
)
def _clamp_above(x, max):
    """clamp with an upper bound alone."""


def inside(x, min, max):
    return torch.logical_and(x >= min, x <= max)


def clamp_jvp(x_t, min_t, max_t, x, min, max):
    if not isinstance(min, Tensor):
        return kept(x_t, inside(x, min, max))
    x_t, min_t, max_t = (
        torch.zeros_like(value) if tangent is None else tangent for tangent, value in ((x_t, x), (min_t, min), (max_t, max))
    )
    return torch.where(min > max, max_t, torch.where(x < min, min_t, torch.where(x > max, max_t, x_t)))


@pointwise(
    vjp=(
        lambda g, x, min, max: kept(g, inside(x, min, max)),
        lambda g, x, min, max: kept(g, torch.logical_and(x < min, min < max)),
        lambda g, x, min, max: kept(g, torch.logical_or(x > max, max < min)),
    ),
    jvp=lambda x_t, min_t, max_t, x, min, max: clamp_jvp(x_t, min_t, max_t, x, min, max),
    check=check_bounds,
    kernel="clamp",
    fits="dtype",
    name=("ClampBackward1", "ClampBackward0"),
    function=False,
    method=False,
    batch="elementwise.as_stored",
    flat="clamped",
    numbers_aside=0b110,
    overload="clamp.default",
)
def _clamp_between(x, min, max):
    """clamp with both bounds."""


def real_bound(x, bound):
    if isinstance(bound, complex) and x.is_floating_point():
        core.check_number_fits(bound, torch.float64)
        return bound.real
    return bound


def clamp_call(x, min, max):
    """The op of a clamp with its arguments."""
    min, max = real_bound(x, min), real_bound(x, max)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if max is None:
        return _clamp_below, (x, min)
    if min is None:
        return _clamp_above, (x, max)
    if isinstance(min, Tensor) != isinstance(max, Tensor):
        raise TypeError("clamp() takes two tensors or two numbers as bounds, not one of each")
    return _clamp_between, (x, min, max)


@composite(
    aliases=("clip",),
    signature=(
        "Tensor input, Tensor? min=None, Tensor? max=None, *, out | Tensor input, Number? min=None, Number? max=None, *, out"
    ),
)
@core.overloaded({"tnn": _clamp_between, "ttt": _clamp_between, "tn": _clamp_below})
def clamp(input, min=None, max=None, *, out=None):
    """Elements below `min` become `min`, those above `max` become `max`; bounds are numbers or tensors.

    >>> import rushlight
    >>> rushlight.tensor([-1., 0.5, 2.]).clamp(0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    op, arguments = clamp_call(input, min, max)
    if out is None:
        return op(*arguments)
    numbers = [bound for bound in arguments[1:] if not isinstance(bound, Tensor)]
    if numbers:
        dtype = torch.result_type(input, numbers[0] if len(numbers) == 1 else sum(numbers))
        if out.dtype is not dtype:
            raise RuntimeError(f"Found dtype {out.dtype.legacy_name} but expected {dtype.legacy_name}")
    return op(*arguments, out=out)


@composite(
    aliases=("clip_",),
    signature="Tensor input, Tensor? min=None, Tensor? max=None | Tensor input, Number? min=None, Number? max=None",
)
def clamp_(input, min=None, max=None):
    """In-place version of `clamp`."""
    op, arguments = clamp_call(input, min, max)
    refuse_narrow(*arguments)
    return in_place(op)(*arguments)


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
