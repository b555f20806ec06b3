"""Signs and magnitudes; complex numbers from their parts."""

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite, place, pointwise
from rushlight.ops._names import by_operand
from rushlight.ops._outputs import BOOLEAN
from rushlight.ops._rules import (
    COMPLEX,
    FLAT,
    in_place,
    real_product,
    refuse_complex,
    refuse_dtypes,
    require_tensors,
    scaled,
    total,
    zero_gradient,
)


@pointwise(
    vjp=lambda g, x: g * x.sgn(),
    jvp=lambda x_t, x: real_product(x_t, x.sgn()),
    inplace=False,
    aliases=("absolute",),
    flat="kink",
    late="half float8",
    domain=(-1.0, 2.0),
    keeps_strides=COMPLEX,
)
def abs(x):
    """The absolute value of each element."""


@composite(function=True)
def abs_(input):
    """In-place version of `abs`, of real tensors."""
    if input.is_complex():
        raise RuntimeError("In-place abs is not supported for complex tensors.")
    return in_place(abs)(input)


place(abs_, "absolute_", function=False)


@pointwise(
    **FLAT,
    check=refuse_complex(
        "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead.", NotImplementedError
    ),
    flat="step",
    inplace=True,
    domain=(-1.0, 2.0),
)
def sign(x):
    """-1, 0 or 1: the sign of each element."""


def sgn_product(g, x, out):
    """The derivative of z / |z|, which is its own adjoint: what is left of `g` across z, over |z|."""
    if not x.dtype.is_complex:
        return torch.zeros_like(g)
    return torch.where(x == 0, 0, (g - real_product(g, out) * out) / x.abs())


@pointwise(
    vjp=sgn_product,
    jvp=lambda x_t, x, out: sgn_product(x_t, x, out),
    flat="step",
    inplace=True,
    label="sign_cpu",
    late="half",
    domain=(-1.0, 2.0),
)
def sgn(x):
    """z / |z| (0 where z is 0): the sign of each element, also of complex ones."""


@pointwise(
    check=refuse_complex("signbit is not implemented for complex tensors.", NotImplementedError),
    inplace=False,
    out_text=BOOLEAN,
    wants_booleans=True,
)
def signbit(x):
    """Whether the sign bit of each element is set."""


def copysign_slope(a, out):
    return (out / a).masked_fill(a == 0, 0)


@pointwise(
    vjp=(lambda g, a, out: g * copysign_slope(a, out), zero_gradient),
    jvp=lambda a_t, a, out: torch.zeros_like(out) if a_t is None else a_t * copysign_slope(a, out),
    dtype="float",
    name=("CopysignBackward1", "CopysignBackward0"),
    refusal="shapes",
    signature="Tensor input, Tensor|Number other, *, out",
    overload=by_operand(),
)
def copysign(a, b):
    """The magnitude of `a` with the sign of `b`."""


def unless_equal(g, a, b):
    return torch.where(a == b, 0, g)


@pointwise(
    vjp=(unless_equal, zero_gradient),
    jvp=lambda a_t, a, b, out: torch.zeros_like(out) if a_t is None else unless_equal(a_t, a, b),
    tensors_only=True,
)
def nextafter(a, b):
    """The float after `a` towards `b`."""


# ---------------------------------------------------------------------------------------------------------- complex numbers
@pointwise(
    vjp=lambda g: torch.conj_physical(g),
    jvp=lambda x_t: torch.conj_physical(x_t),
    kernel="conj",
    name=("ConjPhysicalBackward0", "ConjPhysicalBackward1"),
    inplace=False,
    late="unsigned half float8 e8m0",
    keeps_strides=COMPLEX,
)
def _conj_physical(x):
    """The complex conjugate."""


_conj_physical.title = "aten::conj_physical"


@composite
def conj_physical(input, *, out=None):
    """The complex conjugate of each element, in memory of its own; real tensors are returned as they are."""
    if out is None:
        return _conj_physical(input) if input.dtype.is_complex else input
    if out.dtype is not input.dtype:
        raise RuntimeError(f"Found dtype {out.dtype.legacy_name} but expected {input.dtype.legacy_name}")
    return _conj_physical(input, out=out)


@composite(function=True)
def conj_physical_(input):
    """In-place version of `conj_physical`."""
    # (A tracked tensor is written whatever its dtype: what the graph refuses is refused.)
    if input.dtype.is_complex or input.requires_grad:
        return in_place(_conj_physical)(input)
    core.mark_written(input)
    return input


@composite
def resolve_conj(input):
    """`input`, or where is_conj() tells that its conjugates are put off, a copy that has them in memory."""
    require_tensors("resolve_conj", input=input)
    return input.clone() if input.is_conj() else input


@composite
def resolve_neg(input):
    """`input`, or where is_neg() tells that its negatives are put off, a copy that has them in memory."""
    require_tensors("resolve_neg", input=input)
    return input.clone() if input.is_neg() else input


def turned(z):
    """i z / |z|²: where the angle of z grows; 0 at 0."""
    return torch.where(z == 0, 0, z * 1j / (torch.real(z) ** 2 + torch.imag(z) ** 2))


@pointwise(
    vjp=lambda g, x: g * turned(x) if x.dtype.is_complex else torch.zeros_like(x),
    jvp=lambda x_t, x: real_product(turned(x), x_t) if x.dtype.is_complex else torch.zeros_like(x_t),
    dtype="float",
    inplace=False,
    row_major_kinds=COMPLEX,
)
def angle(x):
    """The angle of each complex number; of a negative number π."""


def check_parts(a, b):
    names = ("float16", "float32", "float64")
    if a.dtype.name not in names or b.dtype.name not in names:
        raise RuntimeError(
            f"Expected both inputs to be Half, Float or Double tensors but got {a.dtype.legacy_name} and {b.dtype.legacy_name}"
        )
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"Expected object of scalar type {a.dtype.legacy_name} but got scalar type {b.dtype.legacy_name} for second argument"
        )


@pointwise(
    vjp=(lambda g: torch.real(g), lambda g: torch.imag(g)),
    jvp=lambda real_t, imag_t, real, imag: torch.complex(
        torch.zeros_like(real) if real_t is None else real_t, torch.zeros_like(imag) if imag_t is None else imag_t
    ),
    kernel="complex",
    name="ComplexBackward0",
    function=False,
    method=False,
    inplace=False,
)
def _complex(real, imag):
    """real + i imag."""


def check_out_of_parts(part, out):
    if out is not None and out.dtype is not part.dtype.to_complex():
        raise RuntimeError(
            f"Expected object of scalar type {part.dtype.to_complex().legacy_name} but got scalar type {out.dtype.legacy_name} for argument 'out'"
        )


@composite(method=False)
def complex(real, imag, *, out=None):
    """real + i imag."""
    require_tensors("complex", real=real, imag=imag)
    check_parts(real, imag)
    check_out_of_parts(real, out)
    return _complex(real, imag, out=out)


@pointwise(
    vjp=(
        lambda g, out: real_product(g, out.sgn()),
        lambda g, out: real_product(g, out * 1j),
    ),
    jvp=lambda abs_t, angle_t, abs, angle, out: total(
        scaled(abs_t, torch.polar(torch.ones_like(abs), angle)), scaled(angle_t, out * 1j)
    ),
    kernel="polar",
    name="PolarBackward0",
    function=False,
    method=False,
    inplace=False,
)
def _polar(abs, angle):
    """abs · exp(i angle)."""


refuse_half_polar = refuse_dtypes("polar_cpu", "float16")


@composite(method=False)
def polar(abs, angle, *, out=None):
    """abs · exp(i angle)."""
    require_tensors("polar", abs=abs, angle=angle)
    check_parts(abs, angle)
    refuse_half_polar(abs.dtype)
    check_out_of_parts(abs, out)
    return _polar(abs, angle, out=out)
