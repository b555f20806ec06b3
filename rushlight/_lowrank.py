"""Matrices by their largest singular values alone, found by random projections (Halko, Martinsson and Tropp, 2009)."""

import rushlight as torch

__all__ = ["get_approximate_basis", "pca_lowrank", "svd_lowrank"]


def get_approximate_basis(A, q, niter=2, M=None):
    """Orthonormal columns Q, `q` of them, such that Q Qᴴ A is near to A, or to A - M.

    Args:
        A: Matrices of shape (*, m, n).
        q: How many columns there are.
        niter: How often the basis is improved by a product with A and its adjoint.
        M: What is subtracted from A, of a shape that broadcasts to it.
    """
    niter = 2 if niter is None else niter
    dtype = A.dtype if A.dtype.is_floating_point or A.dtype.is_complex else torch.float32
    A = A if M is None else A - M
    basis = torch.linalg.qr(A @ torch.randn(A.shape[-1], q, dtype=dtype)).Q
    for _ in range(niter):
        basis = torch.linalg.qr(A.mH @ basis).Q
        basis = torch.linalg.qr(A @ basis).Q
    return basis


def svd_lowrank(A, q=6, niter=2, M=None):
    """The largest singular values of A (or of A - M) with their vectors: A is about U diag(S) Vᴴ.

    Args:
        A: Matrices of shape (*, m, n).
        q: How many singular values are looked for; somewhat more than wanted.
        niter: How often the subspace is improved.
        M: What is subtracted from A.

    Returns:
        (U, S, V) of shapes (*, m, q), (*, q), (*, n, q).

    >>> import rushlight as torch
    >>> U, S, V = torch.svd_lowrank(torch.diag(torch.tensor([3., 2., 1.])), q=2)
    >>> U.shape, V.shape
    (torch.Size([3, 2]), torch.Size([3, 2]))
    """
    if torch.overrides.has_torch_function((A, M)):
        return torch.overrides.handle_torch_function(svd_lowrank, (A, M), A, q=q, niter=niter, M=M)
    q = 6 if q is None else q
    if M is not None:
        M = M.broadcast_to(A.shape)
    rows, columns = A.shape[-2:]
    wide = rows < columns
    if wide:
        A, M = A.mH, None if M is None else M.mH
    basis = get_approximate_basis(A, q, niter, M)
    U, S, Vh = torch.linalg.svd(basis.mH @ (A if M is None else A - M), full_matrices=False)
    U, V = basis @ U, Vh.mH
    return (V, S, U) if wide else (U, S, V)


def pca_lowrank(A, q=None, center=True, niter=2):
    """The principal components of the rows of A: `svd_lowrank` of A without the mean of each column.

    Args:
        A: Matrices of shape (*, m, n): m samples of n values.
        q: How many components are looked for (default: 6, or as many as there can be).
        center: Whether the means are subtracted.
        niter: How often the subspace is improved.

    Returns:
        (U, S, V); the columns of V are the principal directions.

    >>> import rushlight as torch
    >>> torch.pca_lowrank(torch.tensor([[1., 1.], [2., 2.], [3., 3.]]), q=1)[1]
    tensor([2.])
    """
    if torch.overrides.has_torch_function((A,)):
        return torch.overrides.handle_torch_function(pca_lowrank, (A,), A, q=q, center=center, niter=niter)
    rows, columns = A.shape[-2:]
    q = min(6, rows, columns) if q is None else q
    if not 0 <= q <= min(rows, columns):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(rows, columns)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)
