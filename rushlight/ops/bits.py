"""The bits of whole numbers."""

from rushlight.ops._declare import pointwise
from rushlight.ops._names import by_operand

OPERANDS = {
    "refusal": "shapes",
    "overload": by_operand(),
    "signature": "Tensor input, Tensor other, *, out | Number self, Tensor other | Tensor input, Number other, *, out",
}


@pointwise(**OPERANDS, late="unsigned")
def bitwise_and(a, b):
    """The bits that both have."""


@pointwise(**OPERANDS, late="unsigned")
def bitwise_or(a, b):
    """The bits that one or both have."""


@pointwise(**OPERANDS, late="unsigned")
def bitwise_xor(a, b):
    """The bits that exactly one has."""


@pointwise(inplace=True)
def bitwise_not(x):
    """The bits that `x` does not have."""


@pointwise(**OPERANDS | {"overload": by_operand("Tensor", "Tensor_Scalar")}, label="lshift_cpu")
def bitwise_left_shift(a, b):
    """The bits of `a` moved `b` places up."""


@pointwise(**OPERANDS | {"overload": by_operand("Tensor", "Tensor_Scalar")}, label="rshift_cpu")
def bitwise_right_shift(a, b):
    """The bits of `a` moved `b` places down; the sign stays."""
