"""Matrices as products of orthonormal columns and triangles: QR, by Householder's reflections."""

import rushlight as torch
from rushlight.core import empty_tensor, warn_once
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._matrices import (
    adjoint,
    all_written,
    check_matrices,
    column_major,
    diagonal_of,
    factorization,
    real_part,
    symmetric,
)
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import require_tensors, total


def reflected(A):
    """R above the vectors of the reflections, and their scales."""
    *batch, rows, columns = A.shape
    reflectors = column_major(*A.shape, dtype=A.dtype)
    tau = empty_tensor((*batch, min(rows, columns)), A.dtype)
    kernel("geqrf")(reflectors, tau, A)
    return reflectors, tau


@op(
    outputs=("a", "tau"),
    differentiable=("a", "tau"),
    no_derivative="geqrf",
    result_type=return_type("geqrf", "a", "tau"),
    name="GeqrfBackward0",
    function=False,
    method=False,
    out=False,
    batch="decompositions.of_matrices",
)
def _geqrf(A):
    """R above the vectors of the reflections, and their scales."""
    return reflected(A)


@composite(signature="Tensor input, *, tensors[2] out=None")
def geqrf(input, *, out=None):
    """QR as LAPACK leaves it: R above the vectors of Householder's reflections, and their scales.

    >>> import rushlight
    >>> rushlight.geqrf(rushlight.eye(2)).tau
    tensor([0., 0.])
    """
    require_tensors("geqrf", input=input)
    if input.dim() < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    return all_written("geqrf", out, _geqrf(input), exact=False)


def real_diagonal(x):
    """The matrices of the real parts of the diagonals of x."""
    return torch.diag_embed(real_part(diagonal_of(x)).to(x.dtype))


def mirrored(x):
    """x plus its adjoint, with the real diagonal of x: upper triangles completed to Hermitian matrices."""
    return symmetric(x) - real_diagonal(x)


def check_mode(mode, rows, columns):
    if mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, "
            "mode='reduced') if you are going to differentiate through linalg.qr."
        )
    if mode == "complete" and rows > columns:
        raise RuntimeError("The QR decomposition is not differentiable when mode='complete' and nrows > ncols.")


def qr_vjp(g, Q, R, mode, A_shape):
    rows, columns = A_shape[-2:]
    check_mode(mode, rows, columns)
    gQ, gR = g
    square = R[..., :rows]
    inner, beyond = None, None
    if gR is not None:
        inner = gR[..., :rows] @ adjoint(square)
        if columns > rows:
            # The further columns are Q times those of R.
            beyond = Q @ gR[..., rows:]
            gQ = total(Q @ (R[..., rows:] @ adjoint(gR[..., rows:])), gQ)
    if gQ is not None:
        inner = total(inner, -(adjoint(Q) @ gQ))
    made = total(Q @ mirrored(inner.triu()), gQ)
    made = torch.linalg.solve_triangular(adjoint(square), made, upper=False, left=False)
    if columns > rows:
        made = torch.cat([made, torch.zeros_like(R[..., rows:]) if beyond is None else beyond], -1)
    return made


def qr_jvp(A_t, Q, R, mode, A_shape):
    rows, columns = A_shape[-2:]
    check_mode(mode, rows, columns)
    square = R[..., :rows]
    moved = torch.linalg.solve_triangular(square, A_t[..., :rows], upper=True, left=False)
    turned = adjoint(Q) @ moved
    upper = symmetric(turned).triu() - real_diagonal(turned)
    Q_t, R_t = moved - Q @ upper, upper @ square
    if columns > rows:
        R_t = torch.cat([R_t, adjoint(Q) @ (A_t[..., rows:] - Q_t @ R[..., rows:])], -1)
    return Q_t, R_t


@factorization("qr", "Q", "R", vjp=qr_vjp, jvp=qr_jvp)
def _linalg_qr(A, mode="reduced"):
    """A = Q R; Q is empty with mode "r"."""
    *batch, rows, columns = A.shape
    rank = min(rows, columns)
    reflectors, tau = reflected(A)
    height = rows if mode == "complete" else rank
    R = column_major(*batch, height, columns, dtype=A.dtype)
    R.copy_(reflectors[..., :height, :].triu())
    if mode == "r":
        return empty_tensor((0,), A.dtype), R
    Q = column_major(*batch, rows, height, dtype=A.dtype)
    kernel("householder_product")(Q, reflectors[..., :, :height], tau)
    return Q, R


@composite(namespace="linalg", method=False, name="qr", signature='Tensor A, str mode="reduced", *, tensors[2] out=None')
def linalg_qr(A, mode="reduced", *, out=None):
    """A = Q R with orthonormal columns of Q and an upper triangle R; `mode` is "reduced", "complete" (Q is square) or "r" (R alone).

    >>> import rushlight
    >>> rushlight.linalg.qr(rushlight.tensor([[0., 2.], [-1., 0.]])).R
    tensor([[-1.,  0.],
            [ 0.,  2.]])
    """
    require_tensors("linalg_qr", A=A)
    check_matrices("linalg.qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'")
    return all_written("linalg_qr", out, _linalg_qr(A, mode))


QR = return_type("qr", "Q", "R")


@composite(signature="Tensor input, bool some=True, *, tensors[2] out=None")
def qr(input, some=True, *, out=None):
    """`torch.linalg.qr`: with mode "reduced", or "complete" where not `some`."""
    require_tensors("qr", input=input)
    warn_once(
        "torch.qr is deprecated in favor of torch.linalg.qr and will be removed in a future PyTorch release.\n"
        "The boolean parameter 'some' has been replaced with a string parameter 'mode'.\nQ, R = torch.qr(A, some)\n"
        "should be replaced with\nQ, R = torch.linalg.qr(A, 'reduced' if some else 'complete')"
    )
    check_matrices("linalg.qr", input)
    return all_written("qr", out, QR(_linalg_qr(input, "reduced" if some else "complete")))
