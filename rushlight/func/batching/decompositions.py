"""Decompositions of matrices and systems that are solved with them: a batch is one more dimension of a stack."""

from rushlight.func.batching._table import batch_rule, lined_up, repeated, torch
from rushlight.func.batching.products import require

run = torch.core.run


@batch_rule(
    "_linalg_svd", "_linalg_det", "_linalg_slogdet", "_linalg_inv_ex", "_linalg_lu_factor_ex", "_linalg_lu", "_lu_unpack",
    "_linalg_cholesky_ex", "_cholesky", "_cholesky_inverse", "_geqrf", "_linalg_qr", "_linalg_eigh", "_linalg_eig",
    "_linalg_matrix_exp", "_linalg_pinv",
)  # fmt: skip
def of_matrices(op, arguments, batched, size):
    """What works on the matrices of a batch by itself."""
    require(arguments[0].ndim >= 3 and not any(batched[1:]), "no matrices")
    return run(op, arguments)


@batch_rule("_lu_permutation")
def of_vectors(op, arguments, batched, size):
    require(arguments[0].ndim >= 2, "no vectors")
    return run(op, arguments)


@batch_rule("_linalg_solve_triangular", "_triangular_solve", "_cholesky_solve")
def of_two_matrices(op, arguments, batched, size):
    """Two stacks of matrices, which have a batch together."""
    return run(op, (*lined_up_matrices(arguments[:2], batched[:2], size), *arguments[2:]))


def lined_up_matrices(stacks, batched, size):
    ndim = max(stack.ndim - is_batched for stack, is_batched in zip(stacks, batched))
    require(ndim >= 2, "no matrices")
    return [lined_up(repeated(stack, is_batched, size), True, ndim) for stack, is_batched in zip(stacks, batched)]


@batch_rule("_linalg_lu_solve")
def solved_by_factors(op, arguments, batched, size):
    LU, pivots, B, left, adjoint = arguments
    LU, B = lined_up_matrices((LU, B), (batched[0], batched[2]), size)
    pivots = lined_up(repeated(pivots, batched[1], size), True, LU.ndim - 2)
    return run(op, (LU, pivots, B, left, adjoint))


@batch_rule("_linalg_solve_ex")
def solved(op, arguments, batched, size):
    A, B = arguments[:2]
    rows = tuple(A.shape[batched[0] :][:-1])
    vectors = B.ndim - batched[1] == 1 or tuple(B.shape[batched[1] :]) == rows
    stacks = lined_up_matrices((A, B.unsqueeze(-1) if vectors else B), batched[:2], size)
    made = run(op, (*stacks, *arguments[2:]))
    return (made[0].squeeze(-1), *made[1:]) if vectors else made
