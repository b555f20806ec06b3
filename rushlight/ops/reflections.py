"""Products of Householder's reflections, as `geqrf` leaves them: I - tau v vᴴ for each column v below the diagonal."""

import rushlight as torch
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._matrices import adjoint, column_major
from rushlight.ops._rules import conjugate, require_tensors


def stacked(parts):
    """The parts below each other, without those of no rows."""
    return torch.cat([part for part in parts if part.shape[-2]] or parts[:1], -2)


def vectors(A):
    """The vectors of the reflections, each a matrix of one column: zeros, a one, and what stands below the diagonal."""
    return [
        stacked([torch.zeros_like(A[..., :i, :1]), torch.ones_like(A[..., :1, :1]), A[..., i + 1 :, i : i + 1]])
        for i in range(A.shape[-1])
    ]


def partial_products(A, tau, C, transpose=False):
    """The product of the reflections (or of their adjoints) times C, one after the other: of each its place, its vector, its scale, and what it is
    applied to."""
    found, product = [], C
    places = list(enumerate(vectors(A)[: tau.shape[-1]]))
    for i, v in places if transpose else reversed(places):
        scale = tau[..., i : i + 1].unsqueeze(-1)
        scale = conjugate(scale) if transpose else scale
        found.append((i, v, scale, product))
        product = product - scale * v @ (adjoint(v) @ product)
    return found


def cotangents(g, A, tau, C, transpose=False):
    """The cotangents of A, tau and C from that of the product of the reflections times C."""
    count = tau.shape[-1]
    columns, scales = [None] * count, [None] * count
    for i, v, scale, behind in reversed(partial_products(A, tau, C, transpose)):
        row, seen = adjoint(v) @ behind, adjoint(v) @ g
        of_scale = -(seen @ adjoint(row)).squeeze(-1)
        scales[i] = conjugate(of_scale) if transpose else of_scale
        gv = -(conjugate(scale) * (g @ adjoint(row)) + scale * (behind @ adjoint(seen)))
        columns[i] = stacked([torch.zeros_like(A[..., : i + 1, :1]), gv[..., i + 1 :, :]])
        g = g - conjugate(scale) * v @ seen
    unused = [torch.zeros_like(A[..., count:])] if count < A.shape[-1] or not count else []
    return torch.cat([*columns, *unused], -1), torch.cat(scales, -1) if count else torch.zeros_like(tau), g


def tangent(A_t, tau_t, C_t, A, tau, C, transpose=False):
    """The tangent of the product of the reflections times C."""
    moved = torch.zeros_like(C) if C_t is None else C_t
    for i, v, scale, behind in partial_products(A, tau, C, transpose):
        row = adjoint(v) @ behind
        inner = scale * v @ (adjoint(v) @ moved)
        if tau_t is not None:
            scale_t = tau_t[..., i : i + 1].unsqueeze(-1)
            inner = inner + (conjugate(scale_t) if transpose else scale_t) * v @ row
        if A_t is not None:
            v_t = stacked([torch.zeros_like(A[..., : i + 1, :1]), A_t[..., i + 1 :, i : i + 1]])
            inner = inner + scale * (v_t @ row + v @ (adjoint(v_t) @ behind))
        moved = moved - inner
    return moved


def first_columns(A):
    return torch.eye(*A.shape[-2:], dtype=A.dtype).expand(A.shape)


def householder_joint(g, A, tau, wanted):
    return cotangents(g, A, tau, first_columns(A))[:2]


def householder_tangent(A_t, tau_t, A, tau):
    return tangent(A_t, tau_t, None, A, tau, first_columns(A))


def check_tau(name, A, tau):
    if tau.dim() != A.dim() - 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.dim()} and input.ndim is "
            f"equal to {A.dim()}"
        )
    if tau.shape[:-1] != A.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(tau.shape[:-1])}"
        )


def last_size(tau):
    if tau.dim() == 0:
        raise IndexError("Dimension specified as -1 but tensor has no dimensions")
    return tau.shape[-1]


@op(
    joint=householder_joint,
    inputs=("A", "tau"),
    jvp=householder_tangent,
    outputs=("result",),
    name="LinalgHouseholderProductBackward0",
    function=False,
    method=False,
    batch="decompositions.of_stacks",
)
def _linalg_householder_product(A, tau):
    """The first columns of the product of the reflections, as many as A has."""
    title = "torch.linalg.householder_product"
    if A.dim() < 2:
        raise RuntimeError(f"{title}: input must have at least 2 dimensions.")
    if A.shape[-2] < A.shape[-1]:
        raise RuntimeError(f"{title}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if A.shape[-1] < last_size(tau):
        raise RuntimeError(f"{title}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    check_tau(title, A, tau)
    if tau.dtype is not A.dtype:
        raise RuntimeError(f"{title}: tau dtype {tau.dtype.legacy_name} does not match input dtype {A.dtype.legacy_name}")
    Q = column_major(*A.shape, dtype=A.dtype)
    kernel("householder_product")(Q, A, tau)
    return Q


@composite(namespace="linalg", method=False, signature="Tensor input, Tensor tau, *, Tensor out=None")
def householder_product(input, tau, *, out=None):
    """The first n columns of the product of Householder's reflections: Q of a QR, from what `torch.geqrf` gives.

    Args:
        input: The reflections' vectors below the diagonal, of shape (*, m, n) with m >= n.
        tau: Their scales, of shape (*, k) with k <= n.

    >>> import rushlight
    >>> A = rushlight.tensor([[3., 1.], [4., 2.]])
    >>> rushlight.linalg.householder_product(*rushlight.geqrf(A))
    tensor([[-0.6000, -0.8000],
            [-0.8000,  0.6000]])
    """
    return orthonormal("linalg_householder_product", input, tau, out)


@composite(signature="Tensor input, Tensor input2, *, Tensor out=None")
def orgqr(input, input2, *, out=None):
    """`torch.linalg.householder_product`."""
    return orthonormal("orgqr", input, input2, out)


def orthonormal(name, A, tau, out):
    require_tensors(name, input=A, tau=tau)
    made = _linalg_householder_product(A, tau)
    return made if out is None else torch.core.written_out("linalg_householder_product", out, made)


def ormqr_joint(g, A, tau, C, left, transpose, wanted):
    if left:
        return cotangents(g, A, tau, C, transpose)
    gA, gtau, gC = cotangents(adjoint(g), A, tau, adjoint(C), not transpose)
    return gA, gtau, adjoint(gC)


def ormqr_jvp(A_t, tau_t, C_t, A, tau, C, left, transpose):
    if left:
        return tangent(A_t, tau_t, C_t, A, tau, C, transpose)
    C_t = None if C_t is None else adjoint(C_t)
    return adjoint(tangent(A_t, tau_t, C_t, A, tau, adjoint(C), not transpose))


@op(
    joint=ormqr_joint,
    inputs=("A", "tau", "C"),
    jvp=ormqr_jvp,
    outputs=("result",),
    name="OrmqrBackward0",
    function=False,
    method=False,
    batch="decompositions.of_stacks",
)
def _ormqr(A, tau, C, left=True, transpose=False):
    """The product of the reflections, or its adjoint, times C, or C times that."""
    for name, x in (("input", A), ("other", C)):
        if x.dim() < 2:
            raise RuntimeError(f"torch.ormqr: {name} must have at least 2 dimensions.")
    side = "-2" if left else "-1"
    height = C.shape[-2 if left else -1]
    scales = last_size(tau)
    if height != A.shape[-2]:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if scales != min(height, A.shape[-1]):
        raise RuntimeError(f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1])")
    check_tau("torch.ormqr", A, tau)
    if C.dim() != A.dim():
        raise RuntimeError(
            f"torch.ormqr: Expected other to have the same number of dimensions as input, but got other.ndim equal to {C.dim()} and "
            f"input.ndim is equal to {A.dim()}"
        )
    if C.shape[:-2] != A.shape[:-2]:
        raise RuntimeError(
            f"torch.ormqr: Expected batch dimensions of other to be equal to input.shape[:-2], but got {list(C.shape[:-2])}"
        )
    for name, x in (("tau", tau), ("other", C)):
        if x.dtype is not A.dtype:
            raise RuntimeError(
                f"torch.ormqr: Expected input and {name} to have the same dtype, but input has dtype{A.dtype.legacy_name} and {name} has "
                f"dtype {x.dtype.legacy_name}"
            )
    made = column_major(*C.shape, dtype=C.dtype)
    kernel("reflect")(made, A, tau, C, int(left), int(transpose))
    return made


@composite(signature="Tensor input, Tensor input2, Tensor input3, bool left=True, bool transpose=False, *, Tensor out=None")
def ormqr(input, input2, input3, left=True, transpose=False, *, out=None):
    """The product of Householder's reflections (all of it, square) times a matrix, or a matrix times that.

    Args:
        input: The reflections' vectors below the diagonal, of shape (*, m or n, k), as `torch.geqrf` gives them.
        input2: Their scales (tau), of shape (*, min(m or n, k)).
        input3: The matrix, of shape (*, m, n).
        left: Whether the product stands on the left.
        transpose: Whether its adjoint is meant.

    >>> import rushlight
    >>> A = rushlight.tensor([[3., 1.], [4., 2.]])
    >>> rushlight.ormqr(*rushlight.geqrf(A), rushlight.eye(2))
    tensor([[-0.6000, -0.8000],
            [-0.8000,  0.6000]])
    """
    made = _ormqr(input, input2, input3, left, transpose)
    return made if out is None else torch.core.written_out("ormqr", out, made)
