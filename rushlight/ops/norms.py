"""Lengths of vectors, and distances between them."""

import math

import rushlight as torch
from rushlight.ops._declare import composite, op, reduction
from rushlight.ops.reduction import restore
from rushlight.ops.shape import wrapped


def norm_slope(x, out, ord, dim, keepdim):
    """The derivative of the norm `out` of `x`; the subgradient 0 where it has none."""
    if out.dtype != x.dtype and not x.is_complex():
        x = x.to(out.dtype)
    out = restore(out, x.shape, dim, keepdim)
    if ord == 0:
        return torch.zeros_like(x)
    if ord == 1:
        return x.sgn()
    if ord == 2:
        return x / torch.where(out == 0, 1, out)
    if abs(ord) == math.inf:
        size = x.abs()
        if x.is_complex():
            # The kernel may round an absolute value otherwise than abs does.
            out = (size.amax if ord > 0 else size.amin)(() if dim is None else dim, keepdim=True)
        places = (size == out) | ((size != size) & (out != out))
        return x.sgn() * (places / places.sum(dim, keepdim=True))
    if ord < 2:
        size = x.abs()
        powers = torch.where(size == 0, 0, torch.where(size == 0, 1, size) ** (ord - 1))
        return x.sgn() * powers * torch.where(out == 0, 1, out) ** (1 - ord)
    return x * x.abs() ** (ord - 2) / torch.where(out == 0, 1, out) ** (ord - 1)


def norm_jvp(x_t, x, out, ord, dim, keepdim):
    product = norm_slope(x, out, ord, dim, keepdim).conj() * x_t
    return (product.real if product.is_complex() else product).sum(dim, keepdim)


def norm_of(name):
    """The op that computes norms, under the name that its node shows."""

    @reduction(
        vjp=lambda g, x, out, ord, dim, keepdim: restore(g, x.shape, dim, keepdim) * norm_slope(x, out, ord, dim, keepdim),
        jvp=norm_jvp,
        result="real",
        kernel="norm",
        numbers=("ord",),
        name=name,
        entry=None if name is None else "_norm",
        function=False,
        method=False,
    )
    def linalg_vector_norm(x, ord, dim=None, keepdim=False, *, dtype=None):
        """The norm whose order is a float."""

    return linalg_vector_norm


linalg_vector_norm = norm_of(None)
older_norm = norm_of("NormBackward1")


def check_vector_norm(x, ord, dim, dtype):
    if not (x.is_floating_point() or x.is_complex()):
        raise RuntimeError(f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {x.dtype.legacy_name}")
    if dtype is not None:
        if not (dtype.is_floating_point or dtype.is_complex):
            raise RuntimeError(f"linalg.vector_norm: dtype should be floating point or complex, but got {dtype.legacy_name}")
        if x.is_complex() != dtype.is_complex:
            kind = "complex" if x.is_complex() else "real"
            raise RuntimeError(f"linalg.vector_norm: dtype should be {kind} for {kind} inputs, but got {dtype.legacy_name}")
    if (ord < 0 or ord == math.inf) and x.numel() == 0:
        text = f"{ord:g}"
        if dim is None or (not isinstance(dim, int) and len(dim) == 0):
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {text} norm on an empty tensor because the operation does not "
                "have an identity"
            )
        for d in (dim,) if isinstance(dim, int) else dim:
            if x.shape[d] == 0:
                raise RuntimeError(
                    f"linalg.vector_norm cannot compute the {text} norm on the dimension {d}because this dimension is "
                    "empty and the operation does not have an identity"
                )


@composite(namespace="linalg", method=False)
def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None, out=None):
    """The vector norm (Σ|x|^ord)^(1/ord) over the dimensions `dim`; `ord` may be infinite, 0 counts what is not 0."""
    if isinstance(ord, str):
        raise TypeError("linalg_vector_norm(): argument 'ord' (position 2) must be Number, not str")
    check_vector_norm(x, ord, dim, dtype)
    if out is not None:
        return linalg_vector_norm(x, float(ord), dim, keepdim, dtype=dtype, out=out)
    if dtype is None:
        return linalg_vector_norm(x, float(ord), dim, keepdim)
    return linalg_vector_norm(x, float(ord), dim, keepdim, dtype=dtype)


@composite
def norm(input, p="fro", dim=None, keepdim=False, out=None, dtype=None):
    """The norm of order `p` of a vector, or of everything; "fro" is order 2, "nuc" sums singular values.

    >>> import rushlight
    >>> rushlight.tensor([3., 4.]).norm()
    tensor(5.)
    """
    if isinstance(p, str) and p != "fro":
        matrix = dim if dim is not None else tuple(range(input.dim()))
        return torch.linalg.matrix_norm(input, p, matrix, keepdim, dtype=dtype, out=out)
    return vector_norm(input, 2.0 if p is None or p == "fro" else p, dim, keepdim, dtype=dtype, out=out)


@op(
    vjp={
        "a": lambda g, a, b, p, out: g * norm_slope(a - b, out, p, None, False),
        "b": lambda g, a, b, p, out: -g * norm_slope(a - b, out, p, None, False),
    },
    jvp=lambda a_t, b_t, a, b, p, out: norm_jvp(
        -b_t if a_t is None else a_t if b_t is None else a_t - b_t, a - b, out, p, None, False
    ),
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
    """What each slice is multiplied with, its norm, the derivative of the factor by the norm, and the dimensions of a slice."""
    dims = tuple(d for d in range(x.dim()) if d != dim % x.dim())
    length = vector_norm(x, p, dims, keepdim=True)
    over, padded = length > maxnorm, length + 1e-7
    return torch.where(over, maxnorm / padded, 1), length, torch.where(over, -maxnorm / (padded * padded), 0), dims


def inner(a, b, dims):
    """The real inner product over `dims`."""
    product = a * b.conj()
    return (product.real if product.is_complex() else product).sum(dims, keepdim=True)


def renorm_vjp(g, x, p, dim, maxnorm):
    factor, length, change, dims = renorm_parts(x, p, dim, maxnorm)
    return g * factor + inner(g, x, dims) * change * norm_slope(x, length, p, dims, True)


def renorm_jvp(x_t, x, p, dim, maxnorm):
    factor, length, change, dims = renorm_parts(x, p, dim, maxnorm)
    return x_t * factor + x * change * inner(x_t, norm_slope(x, length, p, dims, True), dims)


@op(vjp=renorm_vjp, jvp=renorm_jvp, inplace=True)
def renorm(x, p, dim, maxnorm):
    """Slices along `dim` scaled down to the norm `maxnorm` where theirs is larger."""
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    if x.dim() < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {x.dim()} dimensions")
    wrapped(dim, x.dim())
    return (x * renorm_parts(x, p, dim, maxnorm)[0]).contiguous()


def pairwise_differences(a, b):
    return a.unsqueeze(-2) - b.unsqueeze(-3)


def cdist_slope(a, b, p, out):
    return norm_slope(pairwise_differences(a, b), out, p, -1, False)


def cdist_jvp(a_t, b_t, a, b, p, out):
    moved = a_t.unsqueeze(-2) if b_t is None else -b_t.unsqueeze(-3) if a_t is None else pairwise_differences(a_t, b_t)
    return (cdist_slope(a, b, p, out) * moved).sum(-1)


@op(
    no_derivative="_cdist_backward",
    inputs=("g", "x1", "x2", "out"),
    name="CdistBackwardBackward0",
    function=False,
    method=False,
    out=False,
)
def cdist_backward(g, x1, x2, p, out):
    """The cotangent of `x1`, which PyTorch does not differentiate either."""
    return (g.unsqueeze(-1) * cdist_slope(x1, x2, p, out)).sum(-2)


@op(
    vjp={
        "x1": lambda g, x1, x2, p, out: cdist_backward(g, x1, x2, p, out),
        "x2": lambda g, x1, x2, p, out: cdist_backward(g.mT, x2, x1, p, out.mT),
    },
    jvp=lambda x1_t, x2_t, x1, x2, p, out: cdist_jvp(x1_t, x2_t, x1, x2, p, out),
    method=False,
    out=False,
)
def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The distances between the rows of `x1` [..., P, M] and those of `x2` [..., R, M]: [..., P, R]."""
    for place, x in enumerate((x1, x2), 1):
        if not x.is_floating_point():
            raise RuntimeError(f"cdist only supports floating-point dtypes, X{place} got: {x.dtype.legacy_name}")
    return vector_norm(pairwise_differences(x1, x2), p, -1)


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
    parts = g.unsqueeze(-1) * norm_slope(differences, out, p, -1, False)
    return torch.zeros_like(x).index_add_(0, rows, parts).index_add_(0, columns, parts, alpha=-1)


@op(vjp=lambda g, x, p, out: pdist_backward(g, x, p, out), name="PdistBackward0", function=False, method=False, out=False)
def _pdist_forward(x, p):
    """`pdist` of a matrix."""
    return vector_norm(pairs(x)[0], p, -1)


@composite(method=False)
def pdist(input, p=2.0):
    """The distances between all pairs of rows of a matrix, as the upper triangle of cdist in row-major order."""
    if input.dim() != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.dim()}D")
    if not input.is_floating_point():
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    return _pdist_forward(input.contiguous(), p)
