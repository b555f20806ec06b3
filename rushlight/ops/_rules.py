"""What the rules of pointwise ops share."""

import struct

import rushlight as torch
from rushlight.core import InPlace, Tensor, dtype_by_name, is_wrapped, scalar_type_name, warn_once, warn_user


def both_names(title):
    """The names of a node that calls in place give a name of their own."""
    return f"{title}Backward0", f"{title}Backward1"


def is_complex(value):
    """Whether a tensor or number is complex."""
    return value.dtype.is_complex if isinstance(value, Tensor) else isinstance(value, complex)


def rounded_once(rule):
    """What a rule gives, of halves computed in float32 and rounded at the end, as by one kernel; for `fused`."""

    def computed(g, *given):
        if g.dtype.itemsize > 2:
            return rule(g, *given)
        return rule(g.float(), *(each.float() if isinstance(each, Tensor) else each for each in given)).to(g.dtype)

    return computed


def conjugate(value):
    """The conjugate of a tensor or number; itself where it is real."""
    if isinstance(value, Tensor):
        return value.conj() if value.dtype.is_complex else value
    return value.conjugate()


def total(*terms):
    """Sum of the terms that are not None: the tangent of an op with several inputs."""
    terms = [term for term in terms if term is not None]
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def scaled(tangent, slope):
    """tangent * slope; None where there is no tangent."""
    return None if tangent is None else tangent * slope


def zero_tangent(x_t):
    return torch.zeros_like(x_t)


def zero_gradient(g):
    return torch.zeros_like(g)


FLAT = {"vjp": zero_gradient, "jvp": zero_tangent}
"""The rules of steps: their derivative is 0 wherever it exists."""


WHOLE, FLOATING, COMPLEX = 0b0011, 0b0100, 0b1000
"""Kinds of dtypes, as an element-wise op's `keeps_strides` and `row_major` name them."""


def single(number):
    """A number rounded to float32."""
    return struct.unpack("f", struct.pack("f", number))[0]


def real_product(a, b):
    """Re(conj(a) b), of real or complex tensors."""
    product = conjugate(a) * b
    return torch.real(product) if product.dtype.is_complex else product


def warn_of_real_part(x, dtype):
    """Warns, once, where complex numbers are converted to real ones."""
    if x.is_complex() and not dtype.is_complex and dtype is not dtype_by_name["bool"]:
        warn_once("Casting complex values to real discards the imaginary part")


def type_text(x):
    """A tensor's type as texts of C++ have it."""
    name = x.dtype.legacy_name
    known = ("Byte", "Char", "Short", "Int", "Long", "Half", "Float", "Double")
    return f"torch.{name}Tensor" if name in known else f"CPU{name}Type"


def require_index(name, indices, place=1):
    """Raises where an op's `indices` are neither int64 nor int32."""
    if indices.dtype not in (torch.int32, torch.int64):
        raise RuntimeError(
            f"Expected tensor for argument #{place} 'indices' to have one of the following scalar types: Long, Int; but got "
            f"{type_text(indices)} instead (while checking arguments for {name})"
        )


def refuse_complex(text, error=RuntimeError):
    """A check that refuses complex dtypes."""

    def check(dtype, *inputs):
        if dtype.is_complex:
            raise error(text)

    return check


def require_tensors(name, **given):
    """Raises where an argument of a composition, given by its name in the order of positions, is no tensor."""
    for place, (parameter, value) in enumerate(given.items()):
        if not isinstance(value, Tensor):
            raise TypeError(f"{name}(): argument '{parameter}' (position {place + 1}) must be Tensor, not {type(value).__name__}")


def refuse_dtypes(kernel, *refused):
    """A check that refuses dtypes by name ("complex", "integral" or a dtype's), with the error of PyTorch's kernel."""

    def check(dtype, *inputs):
        kind = "complex" if dtype.is_complex else "floating" if dtype.is_floating_point else "integral"
        if kind in refused or dtype.name in refused:
            raise not_implemented(kernel, dtype)

    return check


def not_implemented(kernel, dtype):
    """PyTorch's error of a kernel without code for a dtype."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{dtype.legacy_name}'")


def no_tangent(name):
    """A forward rule for an op that has none in PyTorch."""

    def jvp():
        raise NotImplementedError(f"Trying to use forward AD with aten::{name} that does not support it.")

    return jvp


def dynamic_shape(name):
    """The text of vmap's refusal of ops whose results differ in shape from example to example."""
    return (
        f"vmap: We do not support batching operators that can output dynamic shape. Attempted to vmap over aten::{name}. Please file an "
        "issue at https://github.com/pytorch/pytorch/issues if you need this feature."
    )


def require_floating(kernel, dtype):
    """Raises for a kernel that computes with real floating-point numbers alone."""
    if not dtype.is_floating_point:
        raise not_implemented(kernel, dtype)


def require_wide(kernel, dtype):
    """Raises for a kernel that has float32 and float64 alone."""
    require_floating(kernel, dtype)
    if dtype.itemsize == 2:
        raise not_implemented(kernel, dtype)


in_place_forms = {}


def in_place(op):
    """The in-place form of an op."""
    found = in_place_forms.get(op)
    if found is None:
        found = in_place_forms[op] = InPlace(op)
    return found


def may_be_differentiated(x):
    """Whether a derivative by `x` may be asked for; of what a transform has wrapped, nobody knows."""
    return is_wrapped(x) or (x.requires_grad and torch.is_grad_enabled())


def c_name(dtype):
    """What PyTorch's texts call a dtype after the type of C++."""
    return scalar_type_name(dtype)


def alert_not_deterministic(caller):
    """Warns, or raises, where only deterministic algorithms are allowed: `caller` has none.

    >>> from rushlight._prims_common import alert_not_deterministic
    >>> alert_not_deterministic("scatter")
    """
    if not torch.are_deterministic_algorithms_enabled():
        return
    text = f"{caller} does not have a deterministic implementation"
    if torch.is_deterministic_algorithms_warn_only_enabled():
        warn_user(
            f"{text}, but you set 'torch.use_deterministic_algorithms(True, warn_only=True)'. You can file an issue at "
            "https://github.com/pytorch/pytorch/issues to help us prioritize adding deterministic support for this operation."
        )
    else:
        raise RuntimeError(
            f"{text}, but you set 'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation, or "
            "you can use the 'warn_only=True' option, if that's acceptable for your application. You can also file an issue at "
            "https://github.com/pytorch/pytorch/issues to help us prioritize adding deterministic support for this operation."
        )
