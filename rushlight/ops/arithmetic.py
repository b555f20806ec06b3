"""Sums, products, powers: what Python's operators call."""

from rushlight.ops._declare import pointwise


def refuse_bool_sub(dtype):
    if dtype.name == "bool":
        raise RuntimeError(
            "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead."
        )


def refuse_bool_neg(dtype):
    if dtype.name == "bool":
        raise RuntimeError(
            "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or "
            "`logical_not()` operator instead."
        )


@pointwise(slopes=(1, lambda alpha: alpha), inputs=2, scaled="add_scaled")
def add(a, b, *, alpha=1):
    """`a` plus `alpha` times `b`, broadcast against each other.

    >>> import rushlight
    >>> rushlight.add(rushlight.tensor([1., 2.]), 10, alpha=2)
    tensor([21., 22.])
    """


@pointwise(
    slopes=(1, lambda alpha: -alpha), inputs=2, scaled="add_scaled", alpha_sign=-1, check=refuse_bool_sub, aliases=("subtract",)
)
def sub(a, b, *, alpha=1):
    """`a` minus `alpha` times `b`, broadcast against each other."""


@pointwise(
    slopes=(lambda alpha: -alpha, 1), inputs=2, kernel="sub", swapped=True, scaled="add_scaled", alpha_sign=-1,
    check=refuse_bool_sub, name="RsubBackward1", inplace=False,
)
def rsub(a, b, *, alpha=1):
    """`b` minus `alpha` times `a`."""


@pointwise(slopes=(lambda b: b, lambda a: a), aliases=("multiply",))
def mul(a, b):
    """Product of `a` and `b`, element by element, broadcast against each other."""


@pointwise(slope=-1, check=refuse_bool_neg, aliases=("negative",))
def neg(x):
    """The negative of each element."""


@pointwise(slope=lambda out: -(out * out), dtype="float")
def reciprocal(x):
    """1 / x."""


@pointwise(slopes=(lambda b: 1 / b, lambda b, out: -out / b), dtype="float", kernel="div", method=False, function=False, inplace=True)
def div(a, b):
    """Quotient of `a` and `b`."""
