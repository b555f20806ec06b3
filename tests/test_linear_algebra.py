"""Derivatives of linear algebra where they hold for inputs of a kind only: Hermitian and triangular matrices, vectors up to a phase."""

import pytest

import rushlight as torch
from rushlight.autograd import gradcheck, gradgradcheck

L = torch.linalg
DTYPES = (torch.float64, torch.complex128)
SHAPES = ((3, 3), (2, 2, 2), (1, 1), (0, 2, 2))


def general(*shape, dtype=torch.float64, seed=3):
    made = torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))
    return made.requires_grad_()


def definite(x):
    return x @ x.mH + torch.eye(x.shape[-1], dtype=x.dtype)


def hermitian(x):
    return x + x.mH


def lower(x):
    diagonal = x.diagonal(0, -2, -1)
    return (
        x.tril(-1) + torch.diag_embed(diagonal.real if x.is_complex() else diagonal) + 2 * torch.eye(x.shape[-1], dtype=x.dtype)
    )


def without_phase(values, vectors):
    """What no phase of the vectors changes."""
    return values, vectors.abs(), vectors @ torch.diag_embed(values.to(vectors.dtype).sin()) @ vectors.mH


FUNCTIONS = {
    "cholesky": lambda x: L.cholesky(definite(x)),
    "cholesky upper": lambda x: L.cholesky(definite(x), upper=True),
    "older cholesky": lambda x: torch.cholesky(definite(x), upper=True),
    "cholesky_solve": lambda x: torch.cholesky_solve(hermitian(x), lower(x)),
    "cholesky_solve upper": lambda x: torch.cholesky_solve(x, lower(x).mH, upper=True),
    "cholesky_inverse": lambda x: torch.cholesky_inverse(lower(x)),
    "cholesky_inverse upper": lambda x: torch.cholesky_inverse(lower(x).mH, upper=True),
    "eigh": lambda x: without_phase(*L.eigh(hermitian(x))),
    "eigh of the upper triangle": lambda x: without_phase(*L.eigh(hermitian(x), "U")),
    "eigvalsh": lambda x: L.eigvalsh(hermitian(x)),
    "eig": lambda x: (L.eigvals(x).prod(-1), L.eig(x).eigenvectors.abs().sum(-1)),
    "eigenvalues of a function": lambda x: L.eig(x).eigenvalues.sum(-1),
    "pinv of Hermitian matrices": lambda x: L.pinv(hermitian(x), hermitian=True),
    "qr": lambda x: L.qr(x),
    "lu": lambda x: L.lu(x)[1:],
    "matrix_power": lambda x: (L.matrix_power(x, 3), L.matrix_power(x, 0), L.matrix_power(lower(x), -2)),
    "cond": lambda x: L.cond(x, 1),
    "logdet": lambda x: torch.logdet(definite(x)),
    "solve on the right": lambda x: L.solve(x, x.mT, left=False),
}


@pytest.mark.filterwarnings("ignore:torch.cholesky is deprecated")
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives(name, dtype, shape):
    if name == "cond" and (dtype.is_complex or not shape[0]):
        pytest.skip("the norm of columns has corners; that of no matrices does not depend on any")
    x = general(*shape, dtype=dtype)
    assert gradcheck(FUNCTIONS[name], (x,), check_forward_ad=True, check_batched_grad=True, check_batched_forward_grad=True)
    assert gradgradcheck(FUNCTIONS[name], (x,))


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if "older" not in name])
def test_vmap(name):
    x = general(4, 2, 2).detach()
    function = FUNCTIONS[name]

    def parts(value):
        made = function(value)
        return list(made) if isinstance(made, (tuple, list)) else [made]

    batched = torch.vmap(lambda value: tuple(parts(value)))(x)
    for part, expected in zip(batched, zip(*map(parts, x), strict=True), strict=True):
        torch.testing.assert_close(part, torch.stack(expected))


@pytest.mark.parametrize("singular", ([[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 3.0]], [[0.0, 0.0], [0.0, 0.0]]), ids=str)
def test_determinant_of_singular_matrices(singular):
    x = torch.tensor(singular, dtype=torch.float64, requires_grad=True)
    adjugate = torch.tensor([[singular[1][1], -singular[1][0]], [-singular[0][1], singular[0][0]]], dtype=torch.float64)
    (found,) = torch.autograd.grad(torch.det(x), x)
    torch.testing.assert_close(found, adjugate)
    (found,) = torch.autograd.grad(torch.det(x), x, create_graph=True)
    torch.testing.assert_close(found.detach(), adjugate)
    stack = torch.stack([x.detach(), torch.eye(2, dtype=torch.float64)])
    torch.testing.assert_close(torch.vmap(torch.func.grad(torch.det))(stack)[0], adjugate)
    torch.testing.assert_close(torch.func.jvp(torch.det, (stack,), (stack,))[1][0], (adjugate * stack[0]).sum())


@pytest.mark.parametrize("shape", [(7, 5), (5, 7), (2, 6, 4)])
def test_low_rank_decompositions(shape):
    A = torch.randn(*shape, dtype=torch.float64)
    low = A[..., :2] @ A[..., :2, :]
    for made, expected in ((torch.svd_lowrank(low, q=3), low), (torch.pca_lowrank(low, q=3), low - low.mean(-2, keepdim=True))):
        U, S, V = made
        assert torch.allclose(U * S.unsqueeze(-2) @ V.mH, expected)
        assert torch.allclose(S[..., :2], torch.linalg.svdvals(expected)[..., :2])
    with pytest.raises(ValueError, match=r"q\(=9\) must be non-negative integer and not greater than min\(m, n\)=4"):
        torch.pca_lowrank(torch.ones(5, 4), q=9)


@pytest.mark.parametrize("method", ("basic", "ortho"))
def test_some_of_the_eigenvalues(method):
    torch.manual_seed(0)
    A = torch.diag(torch.linspace(1, 20, 20, dtype=torch.float64))
    start = torch.randn(20, 2, dtype=torch.float64)
    E, X = torch.lobpcg(A, X=start, method=method, tol=1e-6)
    assert torch.allclose(E, torch.tensor([20.0, 19], dtype=torch.float64)) and torch.allclose(A @ X, X * E, atol=1e-3)
    E, X = torch.lobpcg(A, k=1, B=2 * torch.eye(20, dtype=torch.float64), largest=False, method=method, tol=1e-6)
    assert torch.allclose(E, torch.tensor([0.5], dtype=torch.float64), atol=1e-4) and torch.allclose(
        2 * X.mT @ X, torch.ones(1, 1, dtype=torch.float64)
    )
    A = A.requires_grad_()
    (g,) = torch.autograd.grad(torch.lobpcg(A, k=1, method=method, tol=1e-6)[0].sum(), A)
    assert torch.allclose(g.diagonal(), torch.eye(20, dtype=torch.float64)[-1], atol=1e-3)
    if method == "ortho":
        small = (torch.diag(torch.arange(1.0, 7, dtype=torch.float64)) + 0.1).requires_grad_()
        begin = torch.eye(6, 2, dtype=torch.float64).flip(0)
        assert torch.autograd.gradcheck(
            lambda A: (lambda E, X: (E, X**2))(*torch.lobpcg(A, X=begin, tol=1e-14, niter=60)), small, atol=1e-4
        )


def test_least_squares_that_have_no_solution():
    with pytest.raises(RuntimeError, match="must not contain NaN"):
        torch.linalg.lstsq(torch.full((3, 2), float("nan")), torch.ones(3, 1))
    with pytest.raises(torch.linalg.LinAlgError, match="does not have full rank"):
        torch.linalg.lstsq(torch.full((3, 2), float("inf")), torch.ones(3, 1), driver="gelsd")
    assert torch.linalg.lstsq(torch.ones(4, 3), torch.ones(4, 1)).rank == 1


def test_pivots_are_checked():
    LD, pivots = torch.linalg.ldl_factor(torch.eye(2))
    for wrong in ([0, 1], [1, 9], [-1, 2], [1, -2]):
        with pytest.raises(RuntimeError, match="pivots must be those of"):
            torch.linalg.ldl_solve(LD, torch.tensor(wrong, dtype=pivots.dtype), torch.ones(2, 1))


def test_products_of_no_reflections_of_no_rows():
    A, tau, C = (torch.zeros(*shape, dtype=torch.float64, requires_grad=True) for shape in ((0, 3), (0,), (0, 2)))
    torch.ormqr(A, tau, C).sum().backward()
    assert A.grad.shape == (0, 3) and tau.grad.shape == (0,) and C.grad.shape == (0, 2)


def test_norms_are_not_narrowed():
    x = torch.ones(2, 2, dtype=torch.float64)
    for name, norm in (
        ("vector_norm", torch.linalg.vector_norm),
        ("vector_norm", torch.linalg.norm),
        ("vector_norm", torch.norm),
        ("matrix_norm", torch.linalg.matrix_norm),
    ):
        text = (
            f"linalg.{name}: the dtype of the input \\(Double\\) should be convertible without narrowing to the specified dtype"
        )
        for dtype in (torch.float32, torch.float16):
            with pytest.raises(RuntimeError, match=text):
                norm(x, dtype=dtype)
        with pytest.raises(RuntimeError, match=f"linalg.{name}: dtype should be real for real inputs, but got ComplexFloat"):
            norm(x, dtype=torch.complex64)
        assert norm(x.float(), dtype=torch.float64).dtype is torch.float64


def test_what_has_no_norm_condition_or_solution():
    vector, wide = torch.ones(3), torch.ones(2, 3)
    for call, text in (
        (lambda: torch.norm(wide, "nuc", dim=0), "linalg.matrix_norm: dim must be a 2-tuple. Got 0"),
        (
            lambda: torch.linalg.cond(vector, "fro"),
            r"linalg.cond\(ord=fro\): The input tensor A must have at least 2 dimensions.",
        ),
        (lambda: torch.linalg.cond(wide, "abc"), r"linalg.cond\(ord=abc\): A must be batches of square matrices"),
        (lambda: torch.linalg.cond(wide[:, :2], "abc"), "linalg.cond got an invalid norm type: abc"),
        (lambda: torch.linalg.solve(wide, wide.double()), "linalg.solve: Expected A and B to have the same dtype"),
    ):
        with pytest.raises(RuntimeError, match=text):
            call()


@pytest.mark.parametrize("row", [0, -1, 3, 2**31 - 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.complex128])
def test_pivots_that_are_no_rows(dtype, row):
    """They are refused before LAPACK goes where they say, and before `out` is written."""
    LU, pivots = torch.linalg.lu_factor(torch.eye(2, dtype=dtype).repeat(3, 1, 1))
    pivots[1, 0] = row
    B, out = torch.ones(3, 2, 2, dtype=dtype), torch.zeros(3, 2, 2, dtype=dtype)
    text = "greater or equal to 1" if row < 1 else r"smaller or equal to LU.size\(-2\)"
    for left in (True, False):
        with pytest.raises(RuntimeError, match=f"Pivots given to lu_solve must all be {text}. Did you properly pass the result"):
            torch.linalg.lu_solve(LU, pivots, B, left=left, out=out)
    assert not out.any()


@pytest.mark.parametrize("order", [1j, 2 + 0j, torch.tensor(1j)])
def test_orders_of_norms_are_real(order):
    x = torch.ones(2, 2)
    for name, call in (("vector", torch.linalg.vector_norm), ("matrix", torch.linalg.matrix_norm)):
        with pytest.raises(RuntimeError, match=f"linalg.{name}_norm: Expected a non-complex scalar as the order of norm."):
            call(x, order)


def test_what_inverses_chains_and_least_squares_say():
    with pytest.raises(torch.linalg.LinAlgError, match="inv: The diagonal element 1 is zero"):
        torch.linalg.tensorinv(torch.zeros(4, 2, 2), 1)
    x = torch.eye(2)
    with pytest.raises(RuntimeError, match=r"multi_dot\(\): expected out tensor to have dtype float but got double"):
        torch.linalg.multi_dot([x, x, x], out=torch.empty(0, dtype=torch.float64))
    assert torch.linalg.lstsq(torch.ones(2, 0, 3), torch.ones(2, 0, 2), driver="gelsd").singular_values.shape == (2, 0)
