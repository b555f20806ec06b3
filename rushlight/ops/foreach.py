"""torch._foreach_*: one function on every tensor of a list.

Each is made from the function of one tensor, by a row of `FUNCTIONS`: what stands at the same place of every list goes into one call. Of the
other operands a number goes into all of them, and so does a tensor without dimensions. In place the tensors are written, and the list
comes back.
"""

from itertools import repeat

import rushlight as torch
from rushlight.core import Tensor
from rushlight.ops._declare import composite
from rushlight.ops._rules import c_name

ALONE = [
    "abs",
    "acos",
    "asin",
    "atan",
    "ceil",
    "cos",
    "cosh",
    "erf",
    "erfc",
    "exp",
    "expm1",
    "floor",
    "frac",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "neg",
    "reciprocal",
    "round",
    "rsqrt",
    "sigmoid",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
]

SCALED = "tensors self, tensors other, *, Number alpha=1"
NUMBERS_FIRST = "tensors self, Number scalar | tensors self, numbers scalars | "
TENSORS_FIRST = (
    "tensors self, numbers scalars | tensors self, Tensor other | tensors self, tensors other | tensors self, Number scalar"
)
THREE = "tensors self, tensors tensor1, tensors tensor2, "
OF_THREE = f"{THREE}numbers scalars | {THREE}Tensor scalars | {THREE}Number value=1"
POWERS = "tensors self, Number exponent | tensors self, numbers exponent | tensors self, tensors exponent"

SIGNATURES = {
    "add": f"{NUMBERS_FIRST}tensors self, Tensor other, *, Number alpha=1 | {SCALED}",
    "sub": NUMBERS_FIRST + SCALED,
    "mul": TENSORS_FIRST,
    "div": TENSORS_FIRST,
    **dict.fromkeys(("clamp_max", "clamp_min", "maximum", "minimum"), NUMBERS_FIRST + "tensors self, tensors other"),
    "pow": f"Number self, tensors exponent | {POWERS}",
    "pow_": POWERS,
    **dict.fromkeys(("addcmul", "addcdiv"), OF_THREE),
    "lerp": (
        "tensors self, tensors tensors1, Number weight | tensors self, tensors tensors1, numbers weight | "
        "tensors self, tensors tensors1, tensors weights"
    ),
    **dict.fromkeys(("norm", "powsum"), "tensors self, Number ord=2, dtype? dtype=None"),
    "mm": "tensors self, tensors mat2",
    "clone": "tensors self, *, memory_format? memory_format=None",
    "copy_": "tensors self, tensors src, bool non_blocking=False",
}
"""The signatures of those that take more than one list; where that in place has another, it stands beside."""

OPERANDS = (
    *("self", "tensor1", "tensors1", "tensor2", "other", "mat2", "src", "exponent", "scalar", "scalars"),
    *("value", "weight", "weights", "ord", "dtype", "non_blocking"),
)
"""What operands are called, in the order in which they stand."""


def each(name, operand, count):
    """One operand, for each of `count` tensors."""
    if isinstance(operand, Tensor):
        if name.startswith("addc"):
            return packed(operand, count)
        if operand.dim():
            raise RuntimeError(
                f"scalar tensor expected to be 0 dim but it has {operand.dim()} dimensions and {operand.numel()} elements."
            )
    if not isinstance(operand, tuple | list):
        return repeat(operand, count)
    if len(operand) != count:
        if name == "mm":
            raise RuntimeError("_foreach_mm: self and mat2 must have the same number of tensors")
        if operand and isinstance(operand[0], Tensor):
            raise RuntimeError(f"Tensor lists must have the same number of tensors, got {count} and {len(operand)}")
        raise RuntimeError("Tensor list must have same number of elements as scalar list.")
    return operand


def packed(scalars, count):
    """The numbers of a vector, one for each tensor."""
    if scalars.dim() != 1:
        raise RuntimeError(f"Expected packed scalar Tensor to be of dimension 1. Got {scalars.dim()} instead.")
    if len(scalars) != count:
        raise RuntimeError(f"Expected length of scalars to match input of length {count} but got {len(scalars)} instead.")
    return scalars.tolist()


def extremum(name, clamp):
    """maximum or minimum with a tensor, or a number: then the value is that of `clamp`, the derivative shares ties all the same."""
    function = getattr(torch, name)

    def apart(x, other):
        if isinstance(other, Tensor):
            return function(x, other)
        bounded = clamp(x.detach(), other)
        return function(x, torch.full((), other, dtype=bounded.dtype)) if x.requires_grad else bounded

    def in_place(x, other):
        made = apart(x, other)
        if not torch.can_cast(made.dtype, x.dtype):
            wanted = c_name(x.dtype)
            raise RuntimeError(f"result type {made.dtype.legacy_name} can't be cast to the desired output type {wanted}")
        return x.copy_(made)

    return apart, in_place


def norm(x, ord=2, dtype=None):
    """The vector norm of all elements."""
    if x.numel() == 0 and ord == float("inf"):
        raise RuntimeError(
            "_foreach_norm cannot compute the infinity norm on an empty tensor because the operation does not have an identity"
        )
    return torch.linalg.vector_norm(x, ord, dtype=dtype)


def powsum(x, ord=2, dtype=None):
    """The sum of powers of the magnitudes: the norm without its root."""
    if dtype is not None and not x.is_complex():
        x = x.to(dtype)
    if not (x.is_floating_point() or x.is_complex()):
        raise NotImplementedError("\"powsum_cpu\" not implemented for 'Long'")  # (whole numbers are added up in int64)
    return x.abs().pow(ord).sum(dtype=dtype)


def greatest(x):
    """The greatest element."""
    if x.numel() == 0:
        raise RuntimeError("_foreach_max cannot compute the maximum of an empty tensor; max over zero elements is undefined.")
    return x.max()


def addcmul(x, tensor1, tensor2, value=1):
    return torch.addcmul(x, tensor1, tensor2, value=value)


def addcdiv(x, tensor1, tensor2, value=1):
    return torch.addcdiv(x, tensor1, tensor2, value=value)


def method(name):
    """A method in place, as a function."""
    return lambda x, *operands, **keywords: getattr(x, name)(*operands, **keywords)


def in_place_with_value(name):
    return lambda x, tensor1, tensor2, value=1: getattr(x, name)(tensor1, tensor2, value=value)


FUNCTIONS = {
    **{name: (getattr(torch, name), method(name + "_")) for name in ALONE},
    **{name: (getattr(torch, name), method(name + "_")) for name in ("add", "sub", "mul", "div", "pow", "lerp")},
    **{name: (getattr(torch, name), method(name + "_")) for name in ("clamp_max", "clamp_min")},
    "maximum": extremum("maximum", torch.clamp_min),
    "minimum": extremum("minimum", torch.clamp_max),
    "addcmul": (addcmul, in_place_with_value("addcmul_")),
    "addcdiv": (addcdiv, in_place_with_value("addcdiv_")),
    "clone": (torch.clone, None),
    "copy": (None, method("copy_")),
    "max": (greatest, None),
    "mm": (torch.mm, None),
    "norm": (norm, None),
    "powsum": (torch.no_grad()(powsum), None),
    "zero": (None, method("zero_")),
}
"""What is called for each tensor: a new one for the result, and the tensor itself."""

KEYWORDS = ("alpha", "dtype", "memory_format")


def mapped(name, function, in_place):
    """`function` for lists: what stands behind its parser."""

    def foreach(*operands, **keywords):
        kept = {keyword: keywords.pop(keyword) for keyword in KEYWORDS if keyword in keywords}
        operands += tuple(keywords[operand] for operand in OPERANDS if operand in keywords)
        if "self" in keywords:
            operands = (operands[-len(keywords)], *operands[: -len(keywords)], *operands[len(operands) - len(keywords) + 1 :])
        lists = next(operand for operand in operands if isinstance(operand, tuple | list))
        if not lists:
            raise RuntimeError("Tensor list must have at least one tensor.")
        columns = [each(name, operand, len(lists)) for operand in operands]
        made = [function(*row, **kept) for row in zip(*columns, strict=True)]
        return lists if in_place else tuple(made)

    foreach.__name__ = foreach.__qualname__ = f"_foreach_{name}" + ("_" if in_place else "")
    foreach.__doc__ = f"`{name}` of every tensor of a list" + (", in place." if in_place else ".")
    return foreach


def declare():
    """Puts each function, and its form in place, where programs look for it."""
    for name, pair in FUNCTIONS.items():
        for function, in_place in zip(pair, (False, True), strict=True):
            if function is not None:
                suffix = "_" if in_place else ""
                signature = SIGNATURES.get(name + suffix, SIGNATURES.get(name, "tensors self"))
                composite(name=f"_foreach_{name}{suffix}", method=False, signature=signature)(mapped(name, function, in_place))


declare()
