"""Calls of linear algebra: the samples of its ops for the laws."""

import rushlight as torch

L = torch.linalg

CONSTRAINED = {
    "_cholesky", "_linalg_cholesky_ex", "_cholesky_solve", "_cholesky_inverse", "_linalg_eigh", "_linalg_eig"
}  # fmt: skip
"""Ops that read one triangle of a Hermitian matrix, or whose results have a free phase: their derivatives hold for changes (and
functions) of that kind, for which tests/test_linear_algebra.py checks them."""


def calls(x, y):
    """The calls; `x` and `y` make inputs of a shape."""

    def regular(*shape, dtype=torch.float64):
        """Matrices far from singular, and without symmetry."""
        return x(*shape, dtype=dtype) + 2 * torch.eye(shape[-2], shape[-1], dtype=dtype)

    def definite(*shape, dtype=torch.float64):
        matrix = regular(*shape, dtype=dtype)
        return matrix @ matrix.mH

    def lower(*shape, dtype=torch.float64):
        return regular(*shape, dtype=dtype).tril()

    complex128 = torch.complex128
    # Sums of eigenvectors depend on phases; that of squared absolute values does not.
    return [
        lambda: (L.det(regular(3, 3)), torch.det(regular(2, 2, 2)), L.det(regular(3, 3, dtype=complex128))),
        lambda: (L.slogdet(regular(3, 3)), L.slogdet(regular(2, 2, 2)), L.slogdet(regular(2, 2, dtype=complex128))),
        lambda: (L.inv(regular(3, 3)), L.inv_ex(regular(2, 2, 2)), L.inv(regular(2, 2, dtype=complex128))),
        lambda: (L.solve(regular(3, 3), y(3, 2)), L.solve(regular(2, 3, 3), y(3)), L.solve(regular(3, 3), y(2, 3), left=False)),
        lambda: L.solve(regular(2, 2, dtype=complex128), y(2, 1, dtype=complex128)),
        lambda: (L.lu_factor(regular(3, 3)), L.lu_factor_ex(x(3, 2)), L.lu_factor(x(2, 3))),
        lambda: (L.lu(regular(3, 3)), L.lu(x(3, 2)), L.lu(x(2, 2, 3)), L.lu(regular(2, 2, dtype=complex128))),
        lambda: torch.lu_unpack(*L.lu_factor(regular(2, 3, 3))),
        lambda: [L.lu_solve(*L.lu_factor(regular(3, 3)), y(3, 2), adjoint=adjoint) for adjoint in (False, True)],
        lambda: [L.lu_solve(*L.lu_factor(regular(3, 3)), y(2, 3), left=False, adjoint=a) for a in (False, True)],
        lambda: L.solve_triangular(regular(3, 3), y(3, 2), upper=True),
        lambda: L.solve_triangular(regular(3, 3), y(2, 2, 3), upper=False, left=False, unitriangular=True),
        lambda: L.solve_triangular(regular(2, 2, dtype=complex128), y(2, 2, dtype=complex128), upper=False),
        lambda: [torch.triangular_solve(y(3, 2), regular(3, 3), upper, turned) for upper, turned in ((True, False), (False, True))],
        lambda: (L.cholesky(definite(3, 3)), L.cholesky_ex(definite(2, 2, 2), upper=True), L.cholesky(definite(2, 2, dtype=complex128))),
        lambda: (torch.cholesky(definite(3, 3)), torch.cholesky(definite(2, 2), True)),
        lambda: [torch.cholesky_solve(y(3, 2), lower(3, 3).mH if upper else lower(3, 3), upper) for upper in (False, True)],
        lambda: [torch.cholesky_inverse(lower(3, 3).mH if upper else lower(3, 3), upper) for upper in (False, True)],
        lambda: torch.geqrf(x(3, 2)),
        lambda: (L.qr(regular(3, 3)), L.qr(x(3, 2)), L.qr(x(2, 3)), L.qr(regular(2, 3, dtype=complex128), "complete")),
        lambda: (L.eigh(definite(3, 3)), L.eigh(definite(2, 2, 2)), L.eigvalsh(definite(2, 2, dtype=complex128)), L.eigvalsh(definite(2, 2))),
        lambda: (L.eigvals(regular(3, 3)), L.eig(definite(2, 2)).eigenvectors.abs(), L.eigvals(regular(2, 2, dtype=complex128))),
        lambda: (L.matrix_exp(x(3, 3)), torch.matrix_exp(x(2, 2, 2, dtype=complex128)), L.matrix_exp(3 * x(2, 2))),
        lambda: (L.pinv(x(3, 2)), L.pinv(x(2, 3))),
        lambda: (L.householder_product(x(3, 2), y(2)), L.householder_product(x(2, 3, 3), y(2, 2)), torch.orgqr(x(2, 2, dtype=complex128), y(1, dtype=complex128))),
        lambda: [torch.ormqr(x(3, 2), y(2), y(3, 2) if left else x(2, 3), left, turned) for left in (True, False) for turned in (True, False)],
        lambda: torch.ormqr(x(2, 3, dtype=complex128), y(2, dtype=complex128), x(2, 2, dtype=complex128), transpose=True),
        lambda: (L.lstsq(regular(3, 2), y(3, 2)), L.lstsq(regular(3, 2), y(3), driver="gels"), L.lstsq(regular(2, 2, 3), y(2, 2, 2), driver="gelsd")),
        lambda: (L.ldl_factor(definite(3, 3)), L.ldl_factor_ex(definite(2, 2, 2, dtype=complex128), hermitian=True)),
        lambda: L.ldl_solve(*L.ldl_factor(definite(3, 3)), y(3, 2)),
    ]  # fmt: skip
