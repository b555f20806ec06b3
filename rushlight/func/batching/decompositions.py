"""Decompositions of matrices and systems that are solved with them: a batch is one more dimension of a stack."""

from rushlight.core import lined_up
from rushlight.func.batching._table import last_dims, repeated, torch
from rushlight.func.batching.products import require

run = torch.core.run


def of_matrices(op, arguments, batched, size):
    """What works on the matrices of a batch by itself."""
    require(arguments[0].ndim >= 3 and not any(batched[1:]), "no matrices")
    return run(op, arguments)


of_vectors = last_dims(1)


def of_two_matrices(op, arguments, batched, size):
    """Two stacks of matrices, which have a batch together."""
    return run(op, (*lined_up_matrices(arguments[:2], batched[:2], size), *arguments[2:]))


def of_stacks(op, arguments, batched, size):
    """Several stacks that share their batch as they are."""
    return run(
        op,
        tuple(repeated(x, is_batched, size) if isinstance(x, torch.Tensor) else x for x, is_batched in zip(arguments, batched)),
    )


def least_squares(op, arguments, batched, size):
    """As `of_stacks`; what a driver does not find is empty for each example."""
    return tuple(x if x.numel() or x.ndim > 1 else x.expand(size, 0) for x in of_stacks(op, arguments, batched, size))


def lined_up_matrices(stacks, batched, size):
    ndim = max(stack.ndim - is_batched for stack, is_batched in zip(stacks, batched))
    require(ndim >= 2, "no matrices")
    return [lined_up(repeated(stack, is_batched, size), True, ndim) for stack, is_batched in zip(stacks, batched)]


def solved_by_factors(op, arguments, batched, size):
    LU, pivots, B, left, adjoint = arguments
    LU, B = lined_up_matrices((LU, B), (batched[0], batched[2]), size)
    pivots = lined_up(repeated(pivots, batched[1], size), True, LU.ndim - 2)
    return run(op, (LU, pivots, B, left, adjoint))


def solved(op, arguments, batched, size):
    A, B = arguments[:2]
    rows = tuple(A.shape[batched[0] :][:-1])
    vectors = B.ndim - batched[1] == 1 or tuple(B.shape[batched[1] :]) == rows
    stacks = lined_up_matrices((A, B.unsqueeze(-1) if vectors else B), batched[:2], size)
    made = run(op, (*stacks, *arguments[2:]))
    return (made[0].squeeze(-1), *made[1:]) if vectors else made
