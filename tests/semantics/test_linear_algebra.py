"""Linear algebra: nodes, memory layouts and errors, the same in PyTorch."""

import pytest


def matrices(torch, *shape):
    made = torch.arange(1.0, 1 + torch.Size(shape).numel(), dtype=torch.float64).reshape(shape)
    return (made.sin() + 3 * torch.eye(shape[-2], shape[-1], dtype=torch.float64)).requires_grad_()


def described(tensor):
    node = tensor.grad_fn
    return tuple(tensor.shape), tensor.stride(), node and type(node).__name__, node and len(node.next_functions)


NODES = {
    "linalg.det": ((3, 3), ((), (), "LinalgDetBackward0", 1)),
    "linalg.inv": ((2, 3, 3), ((2, 3, 3), (9, 1, 3), "LinalgInvExBackward0", 1)),
    "inverse": ((3, 3), ((3, 3), (1, 3), "LinalgInvExBackward0", 1)),
    "logdet": ((3, 3), ((), (), "WhereBackward0", 2)),
    "linalg.matrix_exp": ((3, 3), ((3, 3), (3, 1), "LinalgMatrixExpBackward0", 1)),
    "linalg.pinv": ((4, 2), ((2, 4), (4, 1), "LinalgPinvBackward0", 1)),
    "linalg.eigvals": ((3, 3), ((3,), (1,), "LinalgEigBackward0", 1)),
    "linalg.eigvalsh": ((3, 3), ((3,), (1,), "LinalgEighBackward0", 1)),
}


def function(torch, name):
    for part in name.split("."):
        torch = getattr(torch, part)
    return torch


@pytest.mark.parametrize("name", NODES)
def test_nodes_and_layouts(torch, name):
    shape, expected = NODES[name]
    assert described(function(torch, name)(matrices(torch, *shape))) == expected


def test_several_results(torch):
    A = matrices(torch, 4, 2)
    Q, R = torch.linalg.qr(A, "complete")
    assert described(Q) == ((4, 4), (1, 4), "LinalgQrBackward0", 1) and described(R)[:2] == ((4, 2), (1, 4))
    assert described(torch.linalg.lu(A).L) == ((4, 2), (2, 1), "LinalgLuBackward0", 1)
    LU, pivots = torch.linalg.lu_factor(matrices(torch, 3, 3))
    assert described(LU)[2:] == ("LinalgLuFactorExBackward0", 1) and pivots.dtype is torch.int32 and not pivots.requires_grad
    values = torch.linalg.eigh(matrices(torch, 2, 3, 3)).eigenvalues
    assert described(values) == ((2, 3), (3, 1), "LinalgEighBackward0", 1)


def test_solutions(torch):
    A = matrices(torch, 2, 3, 3)
    assert described(torch.linalg.solve(A, matrices(torch, 3, 2))) == ((2, 3, 2), (6, 1, 3), "LinalgSolveExBackward0", 2)
    assert described(torch.linalg.solve(A, matrices(torch, 2, 3))) == ((2, 3), (1, 2), "LinalgSolveExBackward0", 2)
    assert described(torch.linalg.solve(A[0], matrices(torch, 2, 3), left=False))[1] == (3, 1)
    triangular = torch.linalg.solve_triangular(A[0], matrices(torch, 3, 2), upper=True)
    assert described(triangular)[1:3] == ((1, 3), "LinalgSolveTriangularBackward0")


def test_powers(torch):
    A = matrices(torch, 3, 3)
    names = [type(torch.linalg.matrix_power(A, n).grad_fn).__name__ for n in (0, 1, 2, -1)]
    assert names == ["CopyBackwards", "CloneBackward0", "MmBackward0", "LinalgInvExBackward0"]
    assert torch.linalg.matrix_power(torch.tensor([[1, 1], [0, 1]]), 4).tolist() == [[1, 4], [0, 1]]


SINGULAR = {
    "linalg.inv": "linalg.inv: The diagonal element 1 is zero, the inversion could not be completed because the input matrix is singular.",
    "linalg.cholesky": "linalg.cholesky: The factorization could not be completed because the input is not positive-definite (the leading "
    "minor of order 1 is not positive-definite).",
    "linalg.lu_factor": "torch.linalg.lu_factor: U[1,1] is zero and using it on lu_solve would result in a division by zero. If you still "
    "want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)",
}


@pytest.mark.parametrize("name", SINGULAR)
def test_singular_matrices(torch, name):
    with pytest.raises(RuntimeError) as error:
        function(torch, name)(torch.zeros(2, 2))
    assert str(error.value) == SINGULAR[name]
    stack = torch.stack([torch.eye(2), torch.zeros(2, 2)])
    with pytest.raises(RuntimeError, match=r"\(Batch element 1\): "):
        function(torch, name)(stack)
    assert torch.linalg.inv_ex(stack).info.tolist() == [0, 1]


def test_kinds_of_errors(torch):
    with pytest.raises(torch.linalg.LinAlgError, match="singular"):
        torch.linalg.solve(torch.zeros(2, 2), torch.zeros(2))
    assert torch.linalg.LinAlgError.__name__ == "_LinAlgError" and issubclass(torch.linalg.LinAlgError, RuntimeError)
    with pytest.raises(NotImplementedError, match="\"lu_cpu\" not implemented for 'BFloat16'"):
        torch.linalg.det(torch.eye(2, dtype=torch.bfloat16))
    with pytest.raises(RuntimeError, match=r"linalg.inv: Low precision dtypes not supported. Got BFloat16"):
        torch.linalg.inv(torch.eye(2, dtype=torch.bfloat16))
    with pytest.raises(RuntimeError, match=r"Expected a floating point or complex tensor as input. Got Long"):
        torch.linalg.slogdet(torch.ones(2, 2, dtype=torch.int64))
    with pytest.raises(RuntimeError, match="A must be batches of square matrices, but they are 2 by 3 matrices"):
        torch.linalg.det(torch.zeros(2, 3))


def test_out(torch):
    A = matrices(torch, 2, 2).detach()
    with pytest.raises(RuntimeError, match="Expected out tensor to have dtype double, but got float instead"):
        torch.linalg.inv(A, out=torch.empty(0))
    out = torch.empty(0, dtype=torch.float64)
    assert torch.linalg.inv(A, out=out) is out and out.shape == (2, 2)


def test_what_has_no_derivative(torch):
    with pytest.raises(RuntimeError, match="depends on Q, which is not computed when mode='r'"):
        torch.linalg.qr(matrices(torch, 3, 2), "r").R.sum().backward()
    with pytest.raises(RuntimeError, match="not differentiable when mode='complete' and nrows > ncols"):
        torch.linalg.qr(matrices(torch, 3, 2), "complete").R.sum().backward()
    A = matrices(torch, 2, 2).to(torch.complex128)
    A = A + 1j * torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    with pytest.raises(RuntimeError, match="specified up to multiplication by e"):
        torch.linalg.eigh(A).eigenvectors.imag.sum().backward()


def test_determinants_of_nothing(torch):
    assert torch.det(torch.zeros(0, 0)).item() == 1 and torch.slogdet(torch.zeros(0, 0)).logabsdet.item() == 0
    assert torch.linalg.inv(torch.zeros(0, 3, 3)).shape == (0, 3, 3)
