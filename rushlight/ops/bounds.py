"""The greater and the lesser of two, and numbers kept between bounds."""

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor
from rushlight.ops._declare import composite, pointwise
from rushlight.ops._names import by_operand
from rushlight.ops._rules import (
    c_name,
    in_place,
    not_implemented,
    refuse_complex,
    total,
)


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
