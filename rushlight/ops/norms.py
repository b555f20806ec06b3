"""Lengths of vectors, and distances between them."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import composite, op, reduction
from rushlight.ops._rules import is_complex, not_implemented, real_product
from rushlight.ops.reduction import restore


def norm_parts(x, out, ord, dim, keepdim):
    """The derivative of the norm `out` of `x` as three factors: each element's direction and weight, and what the norm gives.

    Where a norm has none at 0, that is the subgradient 0; NaN are among the greatest, and among the least.
    """
    if out.dtype != x.dtype and not x.is_complex():
        x = x.to(out.dtype)
    out = restore(out, x.shape, dim, keepdim)
    if ord == 1:
        return x.sgn(), 1, 1
    if ord == 2:
        return x, 1, torch.where(out == 0, 0, 1 / torch.where(out == 0, 1, out))
    size = x.abs()
    if abs(ord) == math.inf:
        if x.is_complex():
            # The kernel may round an absolute value otherwise than abs does.
            out = (size.amax if ord > 0 else size.amin)(() if dim is None else dim, keepdim=True)
        places = (size == out) | (size != size)
        return x.sgn(), places, 1 / places.sum(dim, keepdim=True).to(out.dtype)
    if ord < 1:
        return x.sgn(), torch.where(size == 0, 0, torch.where(size == 0, 1, size) ** (ord - 1)), out ** (1 - ord)
    direction, weight = (x.sgn(), size ** (ord - 1)) if ord < 2 else (x, size ** (ord - 2))
    return direction, weight, torch.where(out == 0, 0, 1 / torch.where(out == 0, 1, out) ** (ord - 1))


def norm_vjp(g, x, out, ord, dim, keepdim):
    """The product of `norm_parts`, in the order in which PyTorch multiplies: what is not finite at 0 shows in the second derivative."""
    if ord == 0:
        return None
    if abs(ord) == math.inf:
        direction, places, share = norm_parts(x, out, ord, dim, keepdim)
        return direction * (restore(g, x.shape, dim, keepdim) * share * places)
    if out.dtype != x.dtype and not x.is_complex():
        x = x.to(out.dtype)
    g, out = (restore(value, x.shape, dim, keepdim) for value in (g, out))
    if ord == 1:
        return x.sgn() * g
    if ord == 2:
        return g * (x / out).masked_fill(out == 0, 0)
    size = x.abs()
    if ord < 1:
        return x.sgn() * size.pow(ord - 1).masked_fill(x == 0, 0) * g * out.pow(1 - ord)
    share = (g / out.pow(ord - 1)).masked_fill(out == 0, 0)
    return x.sgn() * size.pow(ord - 1) * share if ord < 2 else x * size.pow(ord - 2) * share


def norm_jvp(x_t, x, out, ord, dim, keepdim):
    if ord == 0:
        return torch.zeros_like(out)
    direction, weight, whole = norm_parts(x, out, ord, dim, keepdim)
    return (real_product(direction, x_t) * weight * whole).sum(dim, keepdim)


def norm_of(name):
    """The op that computes norms, under the name that its node shows."""

    @reduction(
        vjp=norm_vjp,
        jvp=norm_jvp,
        result="real",
        kernel="norm",
        numbers=("ord",),
        name=name,
        entry=None if name is None else "_norm",
        function=False,
        method=False,
        flat="kink",
        hazard="root",
    )
    def linalg_vector_norm(x, ord, dim=None, keepdim=False, *, dtype=None):
        """The norm whose order is a float."""

    return linalg_vector_norm


linalg_vector_norm = norm_of(None)
older_norm = norm_of("NormBackward1")


def check_order(name, ord):
    """Refuses a complex order."""
    if is_complex(ord):
        raise RuntimeError(f"{name}: Expected a non-complex scalar as the order of norm.")


def check_norm_dtype(name, x, dtype):
    """Can the norm of `x` be computed in this dtype?"""
    if dtype is None:
        return
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name}: dtype should be floating point or complex, but got {dtype.legacy_name}")
    if x.is_complex() != dtype.is_complex:
        kind = "complex" if x.is_complex() else "real"
        raise RuntimeError(f"{name}: dtype should be {kind} for {kind} inputs, but got {dtype.legacy_name}")
    if core.promote_types(x.dtype, dtype) is not dtype:
        raise RuntimeError(
            f"{name}: the dtype of the input ({x.dtype.legacy_name}) should be convertible without narrowing to the specified "
            f"dtype ({dtype.legacy_name})"
        )


def check_vector_norm(x, ord, dim, dtype):
    if not (x.is_floating_point() or x.is_complex()):
        raise RuntimeError(f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {x.dtype.legacy_name}")
    check_order("linalg.vector_norm", ord)
    check_norm_dtype("linalg.vector_norm", x, dtype)
    if (ord < 0 or ord == math.inf) and x.numel() == 0:
        text = f"{ord:g}"
        if dim is None or (not isinstance(dim, int) and len(dim) == 0):
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {text} norm on an empty tensor because the operation does not "
                "have an identity"
            )
        for d in (dim,) if isinstance(dim, int) else dim:
            if x.size(d) == 0:
                raise RuntimeError(
                    f"linalg.vector_norm cannot compute the {text} norm on the dimension {d}because this dimension is "
                    "empty and the operation does not have an identity"
                )


@composite(
    namespace="linalg",
    method=False,
    signature="Tensor input, Number ord=2, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, out",
)
def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None, out=None):
    """The vector norm (Σ|x|^ord)^(1/ord) over the dimensions `dim`; `ord` may be infinite, 0 counts what is not 0."""
    check_vector_norm(x, ord, dim, dtype)
    if out is not None:
        return linalg_vector_norm(x, float(ord), dim, keepdim, dtype=dtype, out=out)
    if dtype is None:
        return linalg_vector_norm(x, float(ord), dim, keepdim)
    return linalg_vector_norm(x, float(ord), dim, keepdim, dtype=dtype)


check_norm = core.Parser("linalg_vector_norm")


@composite(signature=None)
def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The norm of order `p` of a vector, or of everything; "fro" is order 2, "nuc" sums singular values.

    Args:
        input: the tensor.
        p: a number, inf, -inf, "fro" or "nuc".
        dim: the dimensions over which; all of them where it is None.
        keepdim: whether they stay, with size 1.
        out: the tensor that the result is written into.
        dtype: the dtype to compute in.

    >>> import rushlight
    >>> rushlight.tensor([3., 4.]).norm()
    tensor(5.)
    """
    if isinstance(p, str) and not (p == "fro" and (dim is None or isinstance(dim, int) or len(dim) <= 2)):
        matrix = tuple(range(input.dim())) if dim is None else (dim,) if isinstance(dim, int) else dim
        return torch.linalg.matrix_norm(input, p, matrix, keepdim, dtype=dtype, out=out)
    ord = 2.0 if p is None or (isinstance(p, str) and p == "fro") else p
    check_norm(input, ord, dim, keepdim, dtype=dtype)
    return vector_norm(input, ord, dim, keepdim, dtype=dtype, out=out)


def negated(value):
    return None if value is None else -value


@op(
    vjp={
        "a": lambda g, a, b, p, out: norm_vjp(g, a - b, out, p, None, False),
        "b": lambda g, a, b, p, out: negated(norm_vjp(g, a - b, out, p, None, False)),
    },
    jvp=lambda a_t, b_t, a, b, p, out: norm_jvp(
        -b_t if a_t is None else a_t if b_t is None else a_t - b_t, a - b, out, p, None, False
    ),
    batch="elementwise.composed",
    out_text=None,
    real_part=False,
    signature="Tensor input, Tensor other, Number p=2",
)
def dist(a, b, p=2):
    """The norm of order `p` of `a` - `b`."""
    difference = a - b
    if not (difference.is_floating_point() or difference.is_complex()):
        raise RuntimeError(
            f"norm(): input dtype should be either floating point or complex. Got {difference.dtype.legacy_name} instead."
        )
    return vector_norm(difference, p)


def renorm_parts(x, p, dim, maxnorm):
    """Which slices are too long, what they are multiplied with, their norms, the factor's derivative by them, and a slice's dimensions."""
    dims = tuple(d for d in range(x.dim()) if d != dim % x.dim())
    length = vector_norm(x, p, dims, keepdim=True)
    over, padded = length > maxnorm, length + 1e-7
    return over, maxnorm / padded, length, -maxnorm / (padded * padded), dims


def inner(a, b, dims):
    """The real inner product over `dims`."""
    product = a * b.conj()
    return (product.real if product.is_complex() else product).sum(dims, keepdim=True)


def renorm_vjp(g, x, p, dim, maxnorm):
    over, factor, length, change, dims = renorm_parts(x, p, dim, maxnorm)
    return torch.where(over, g * factor + norm_vjp(inner(g, x, dims) * change, x, length, p, dims, True), g)


def renorm_jvp(x_t, x, p, dim, maxnorm):
    over, factor, length, change, dims = renorm_parts(x, p, dim, maxnorm)
    return torch.where(over, x_t * factor + x * change * norm_jvp(x_t, x, length, p, dims, True), x_t)


@op(
    vjp=renorm_vjp,
    jvp=renorm_jvp,
    inplace=True,
    batch="elementwise.composed",
    signature="Tensor input, Number p, int dim, Number maxnorm, *, out",
)
def renorm(x, p, dim, maxnorm):
    """Slices along `dim` scaled down to the norm `maxnorm` where theirs is larger."""
    if not p > 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if not maxnorm >= 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if x.dim() < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {x.dim()} dimensions")
    wrap_dim(dim, x.dim())
    over, factor, *_ = renorm_parts(x, p, dim, maxnorm)
    return torch.where(over, x * factor, x).contiguous()


def pairwise_differences(a, b):
    return a.unsqueeze(-2) - b.unsqueeze(-3)


def lengths(name, difference, p):
    """The norms of the differences along the last dimension; 0 where that is empty."""
    if difference.numel() == 0:
        return difference.new_zeros(difference.shape[:-1])
    if difference.dtype not in (torch.float32, torch.float64):
        raise not_implemented(name, difference.dtype)
    if p == 0:  # a NaN makes the distance NaN, where a norm counts it as any number
        return difference.abs().ceil().clamp(max=1).sum(-1)
    if p == math.inf and name == "cdist":  # whose greatest difference is none that is NaN
        difference = torch.where(difference != difference, 0, difference)
    return vector_norm(difference, p, -1)


def length_slope(difference, p, out):
    """The derivative of a distance by each difference: that of the norm, but that every greatest one counts in full."""
    out = out.unsqueeze(-1)
    if p == 0:
        return torch.zeros_like(difference)
    if p == math.inf:
        return difference.sgn() * (1 - (difference.abs() - out).abs().ceil().clamp(max=1))
    direction, weight, whole = norm_parts(difference, out, p, -1, True)
    return direction * weight * whole


def cdist_jvp(a_t, b_t, a, b, p, out):
    moved = a_t.unsqueeze(-2) if b_t is None else -b_t.unsqueeze(-3) if a_t is None else pairwise_differences(a_t, b_t)
    return (length_slope(pairwise_differences(a, b), p, out) * moved).sum(-1)


COMPUTE_MODES = ("use_mm_for_euclid_dist_if_necessary", "use_mm_for_euclid_dist", "donot_use_mm_for_euclid_dist")


@op(
    no_derivative="_cdist_backward",
    inputs=("g", "x1", "x2", "out"),
    name="CdistBackwardBackward0",
    function=False,
    method=False,
    out=False,
    batch="elementwise.several",
)
def cdist_backward(g, x1, x2, p, out):
    """The cotangent of `x1`, which PyTorch does not differentiate either."""
    return (g.unsqueeze(-1) * length_slope(pairwise_differences(x1, x2), p, out)).sum(-2)


@op(
    vjp={
        "x1": lambda g, x1, x2, p, out: cdist_backward(g, x1, x2, p, out),
        "x2": lambda g, x1, x2, p, out: cdist_backward(g.mT, x2, x1, p, out.mT),
    },
    jvp=lambda x1_t, x2_t, x1, x2, p, out: cdist_jvp(x1_t, x2_t, x1, x2, p, out),
    method=False,
    out=False,
    batch="elementwise.several",
    signature="Tensor x1, Tensor x2, float p=2.0, object compute_mode=None",
)
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The distances between the rows of `x1` [..., P, M] and those of `x2` [..., R, M]: [..., P, R]."""
    if compute_mode not in COMPUTE_MODES:
        raise ValueError(f"{compute_mode} is not a valid value for compute_mode")
    for place, x in enumerate((x1, x2), 1):
        if x.dim() < 2:
            raise RuntimeError(f"cdist only supports at least 2D tensors, X{place} got: {x.dim()}D")
    if x1.shape[-1] != x2.shape[-1]:
        raise RuntimeError(f"X1 and X2 must have the same number of columns. X1: {x1.shape[-1]} X2: {x2.shape[-1]}")
    for place, x in enumerate((x1, x2), 1):
        if not x.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, X{place} got: {x.dtype.legacy_name}")
    if not p >= 0:
        raise RuntimeError("cdist only supports non-negative p values")
    if x1.dtype != x2.dtype:
        if x1.dtype not in (torch.float32, torch.float64):
            raise not_implemented("cdist", x1.dtype)
        raise RuntimeError(f"expected scalar type {x1.dtype.legacy_name} but found {x2.dtype.legacy_name}")
    return lengths("cdist", pairwise_differences(x1, x2), p)


def pairs(x):
    """The differences of all pairs of rows, in the order of the upper triangle of a matrix."""
    rows, columns = torch.triu_indices(x.shape[0], x.shape[0], 1)
    return x[rows] - x[columns], rows, columns


@op(
    no_derivative="_pdist_backward",
    inputs=("g", "x", "out"),
    name="PdistBackwardBackward0",
    function=False,
    method=False,
    out=False,
)
def pdist_backward(g, x, p, out):
    """The cotangent of `x`, which PyTorch does not differentiate either."""
    differences, rows, columns = pairs(x)
    parts = g.unsqueeze(-1) * length_slope(differences, p, out)
    return torch.zeros_like(x).index_add_(0, rows, parts).index_add_(0, columns, parts, alpha=-1)


@op(vjp=lambda g, x, p, out: pdist_backward(g, x, p, out), name="PdistBackward0", function=False, method=False, out=False)
def _pdist_forward(x, p):
    """`pdist` of a matrix."""
    return lengths("pdist", pairs(x)[0], p)


@composite(method=False, signature="Tensor input, float p=2")
def pdist(input, p=2.0):
    """The distances between all pairs of rows of a matrix, as the upper triangle of cdist in row-major order."""
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    return _pdist_forward(input.contiguous(), p)
