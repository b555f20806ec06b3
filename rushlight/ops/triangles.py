"""Triangular systems, and Cholesky's factors."""

import rushlight as torch
from rushlight.core import empty_tensor, warn_once, written_out
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._matrices import (
    INT32,
    adjoint,
    all_written,
    batch_of,
    check_fit,
    check_matrices,
    check_ndim,
    check_square,
    column_major,
    raise_failures,
    symmetric,
    written,
)
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import require_tensors, total


# -------------------------------------------------------------------------------------------------------- triangular systems
def triangle(x, upper, unitriangular=False):
    """The part of x that a triangular system reads."""
    return x.triu(int(unitriangular)) if upper else x.tril(-int(unitriangular))


def triangular_joint(g, A, result, upper, left, unitriangular, wanted):
    gB = torch.linalg.solve_triangular(adjoint(A), g, upper=not upper, left=left, unitriangular=unitriangular)
    gA = None
    if wanted[0]:
        gA = -triangle(gB @ adjoint(result) if left else adjoint(result) @ gB, upper, unitriangular)
    return gA, gB if wanted[1] else None


def triangular_jvp(A_t, B_t, A, result, upper, left, unitriangular):
    moved = None
    if A_t is not None:
        A_t = triangle(A_t, upper, unitriangular)
        moved = -(A_t @ result if left else result @ A_t)
    return torch.linalg.solve_triangular(A, total(moved, B_t), upper=upper, left=left, unitriangular=unitriangular)


@op(
    joint=triangular_joint,
    inputs=("A", "B"),
    jvp=triangular_jvp,
    outputs=("result",),
    name="LinalgSolveTriangularBackward0",
    function=False,
    method=False,
    batch="decompositions.of_two_matrices",
)
def _linalg_solve_triangular(A, B, upper, left=True, unitriangular=False):
    """X of A X = B, or of X A = B, of which one triangle of A is read."""
    check_square("linalg.solve_triangular", A)
    check_fit("linalg.solve_triangular", A, B, left)
    batch = batch_of(A, B)
    X = column_major(*batch, *B.shape[-2:], dtype=B.dtype)
    kernel("triangular_solve")(
        X, A.expand(*batch, *A.shape[-2:]), B.expand(*batch, *B.shape[-2:]), int(upper), int(left), int(unitriangular)
    )
    return X


@composite(namespace="linalg", method=False)
def solve_triangular(input, B, *, upper, left=True, unitriangular=False, out=None):
    """X of A X = B (X A = B without `left`) for triangles A; with `unitriangular` their diagonals are taken for ones.

    >>> import rushlight
    >>> rushlight.linalg.solve_triangular(rushlight.tensor([[2., 1.], [0., 4.]]), rushlight.tensor([[4.], [8.]]), upper=True)
    tensor([[1.],
            [2.]])
    """
    require_tensors("linalg_solve_triangular", input=input, B=B)
    A = input
    check_square("linalg.solve_triangular", A)
    check_ndim("linalg.solve_triangular", B, "B")
    check_fit("linalg.solve_triangular", A, B, left)
    B = B if B.dtype is A.dtype else B.to(A.dtype)
    made = _linalg_solve_triangular(A, B, upper, left, unitriangular)
    return made if out is None else written("linalg_solve_triangular", out, made)


def check_pair(name, b, A):
    """The errors of the older functions that take the right side first."""
    if b.dtype is not A.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {b.dtype.legacy_name} and A of type "
            f"{A.dtype.legacy_name} instead."
        )
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(f"A must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} matrices")
    if A.shape[-2] != b.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each A matrix is {A.shape[-1]} by {A.shape[-1]} but each b matrix is "
            f"{b.shape[-2]} by {b.shape[-1]}"
        )


def older_triangular_joint(g, A, solution, upper, transpose, unitriangular, wanted):
    g, g_clone = g
    gA = None
    gb = None
    if g is not None:
        # What is solved has A, or its transpose, on the left; the cotangent goes through the adjoint of that.
        matrix = A.transpose(-2, -1) if transpose else A
        turned = upper != transpose
        gb = torch.linalg.solve_triangular(adjoint(matrix), g, upper=not turned, unitriangular=unitriangular)
        if wanted[1]:
            inner = -(gb @ adjoint(solution))
            gA = triangle(inner.transpose(-2, -1) if transpose else inner, upper, unitriangular)
    if wanted[1] and g_clone is not None:
        gA = total(gA, g_clone)
    return gb if wanted[0] else None, gA


def older_triangular_jvp(b_t, A_t, A, solution, upper, transpose, unitriangular):
    moved = None
    if A_t is not None:
        inner = triangle(A_t, upper, unitriangular)
        moved = -((inner.transpose(-2, -1) if transpose else inner) @ solution)
    matrix = A.transpose(-2, -1) if transpose else A
    made = torch.linalg.solve_triangular(matrix, total(moved, b_t), upper=upper != transpose, unitriangular=unitriangular)
    return made, torch.zeros_like(A) if A_t is None else A_t


@op(
    joint=older_triangular_joint,
    inputs=("b", "A"),
    jvp=older_triangular_jvp,
    outputs=("solution", "cloned_coefficient"),
    differentiable=("solution", "cloned_coefficient"),
    result_type=return_type("triangular_solve", "solution", "cloned_coefficient"),
    name="TriangularSolveBackward0",
    function=False,
    method=False,
    batch="decompositions.of_two_matrices",
)
def _triangular_solve(b, A, upper=True, transpose=False, unitriangular=False):
    """X of A X = b, or with A transposed, and a copy of A."""
    check_pair("triangular_solve", b, A)
    batch = batch_of(b, A)
    A, b = A.expand(*batch, *A.shape[-2:]), b.expand(*batch, *b.shape[-2:])
    X, copy = column_major(*b.shape, dtype=b.dtype), column_major(*A.shape, dtype=A.dtype)
    copy.copy_(A)
    matrix = A.transpose(-2, -1) if transpose else A
    kernel("triangular_solve")(X, matrix, b, int(upper != transpose), 1, int(unitriangular))
    return X, copy


@composite(
    signature="Tensor input, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False, *, tensors[2] out=None"
)
def triangular_solve(input, A, upper=True, transpose=False, unitriangular=False, *, out=None):
    """`torch.linalg.solve_triangular` with the right side first, and a copy of A besides."""
    require_tensors("triangular_solve", input=input, A=A)
    warn_once(
        "torch.triangular_solve is deprecated in favor of torch.linalg.solve_triangularand will be removed in a future PyTorch "
        "release.\ntorch.linalg.solve_triangular has its arguments reversed and does not return a copy of one of the inputs.\n"
        "X = torch.triangular_solve(B, A).solution\nshould be replaced with\nX = torch.linalg.solve_triangular(A, B)."
    )
    for letter, x in (("b", input), ("A", A)):
        if x.dim() < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {letter} to have at least 2 dimensions, but it has {x.dim()} dimensions instead"
            )
    check_pair("triangular_solve", input, A)
    return all_written("triangular_solve", out, _triangular_solve(input, A, upper, transpose, unitriangular))


# ------------------------------------------------------------------------------------------------------------------ Cholesky
def halved(x):
    """The lower triangle of x with half of its diagonal, and that mirrored: what the factor's gradient is to its matrix."""
    return 0.5 * (x.tril() + adjoint(x.tril(-1)))


def factor_gradient(g, L, upper):
    """The gradient of A = L Lᴴ from that of L."""
    if upper:
        g, L = adjoint(g), adjoint(L)
    inner = halved(adjoint(L) @ g)
    inner = torch.linalg.solve_triangular(adjoint(L), inner, upper=True)
    return torch.linalg.solve_triangular(L, inner, upper=False, left=False)


def factor_tangent(A_t, L, upper):
    if upper:
        L = adjoint(L)
    inner = torch.linalg.solve_triangular(L, A_t, upper=False)
    inner = torch.linalg.solve_triangular(adjoint(L), inner, upper=True, left=False)
    made = L @ (inner.tril(-1) + 0.5 * torch.diag_embed(inner.diagonal(0, -2, -1)))
    return adjoint(made) if upper else made


def factor(A, upper):
    """Cholesky's factors of a stack, and what LAPACK says of each matrix."""
    check_square("cholesky", A)
    L, infos = column_major(*A.shape, dtype=A.dtype), empty_tensor(tuple(A.shape[:-2]), INT32)
    kernel("cholesky")(L, infos, A, int(upper))
    return L, infos


@op(
    vjp=lambda g, L, upper: factor_gradient(g, L, upper),
    jvp=lambda A_t, L, upper: (factor_tangent(A_t, L, upper), None),
    outputs=("L", "info"),
    differentiable=("L",),
    result_type=return_type("linalg_cholesky_ex", "L", "info"),
    name="LinalgCholeskyExBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_cholesky_ex(A, upper=False, checked=None):
    """Cholesky's factors; `checked` is the name under which a matrix that is not positive definite raises."""
    made = factor(A, upper)
    raise_failures(checked, made[1])
    return made


def check_cholesky(A):
    check_square("linalg.cholesky", A)
    check_matrices("linalg.cholesky", A)


@composite(namespace="linalg", method=False, name="cholesky")
def linalg_cholesky(input, *, upper=False, out=None):
    """The lower triangles L with A = L Lᴴ; their adjoints with `upper`.

    >>> import rushlight
    >>> rushlight.linalg.cholesky(rushlight.tensor([[4., 2.], [2., 5.]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    require_tensors("linalg_cholesky", input=input)
    check_cholesky(input)
    made = _linalg_cholesky_ex(input, upper, "linalg.cholesky")[0]
    return made if out is None else written("linalg_cholesky_ex", out, made)


@composite(
    namespace="linalg", method=False, signature="Tensor input, *, bool upper=False, bool check_errors=False, tensors[2] out=None"
)
def cholesky_ex(input, *, upper=False, check_errors=False, out=None):
    """`cholesky` without an error: `info` is not 0 for matrices that are not positive definite."""
    require_tensors("linalg_cholesky_ex", input=input)
    check_cholesky(input)
    made = _linalg_cholesky_ex(input, upper, "linalg.cholesky_ex" if check_errors else None)
    return all_written("linalg_cholesky_ex", out, made)


@op(
    vjp=lambda g, result, upper: factor_gradient(g, result, upper),
    jvp=lambda A_t, result, upper: factor_tangent(A_t, result, upper),
    outputs=("result",),
    name="CholeskyBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _cholesky(A, upper=False):
    """The older op of Cholesky's factors; of matrices without elements whatever their shape."""
    if not A.numel():
        return empty_tensor(A.shape, A.dtype)
    L, infos = factor(A, upper)
    raise_failures("cholesky", infos)
    return L


@composite
def cholesky(input, upper=False, *, out=None):
    """`torch.linalg.cholesky` under its older name."""
    require_tensors("cholesky", input=input)
    warn_once(
        "torch.cholesky is deprecated in favor of torch.linalg.cholesky and will be removed in a future PyTorch release.\n"
        "L = torch.cholesky(A)\nshould be replaced with\nL = torch.linalg.cholesky(A)\nand\nU = torch.cholesky(A, upper=True)\n"
        "should be replaced with\nU = torch.linalg.cholesky(A).mH\n"
        "This transform will produce equivalent results for all valid (symmetric positive definite) inputs."
    )
    if input.numel():
        check_square("cholesky", input)
    made = _cholesky(input, upper)
    return made if out is None else written_out("cholesky", out, made)


def cholesky_solve_joint(g, L, result, upper, wanted):
    gB = torch.cholesky_solve(g, L, upper)
    gL = None
    if wanted[1]:
        common = symmetric(gB @ adjoint(result))
        gL = -(L @ common) if upper else -(common @ L)
    return gB if wanted[0] else None, gL


def cholesky_solve_jvp(B_t, L_t, L, result, upper):
    moved = None
    if L_t is not None:
        A_t = symmetric(adjoint(L_t) @ L if upper else L_t @ adjoint(L))
        moved = -(A_t @ result)
    return torch.cholesky_solve(total(moved, B_t), L, upper)


@op(
    joint=cholesky_solve_joint,
    inputs=("B", "L"),
    jvp=cholesky_solve_jvp,
    outputs=("result",),
    name="CholeskySolveBackward0",
    function=False,
    method=False,
    batch="decompositions.of_two_matrices",
)
def _cholesky_solve(B, L, upper=False):
    """X of L Lᴴ X = B."""
    check_pair("cholesky_solve", B, L)
    batch = batch_of(B, L)
    X = column_major(*batch, *B.shape[-2:], dtype=B.dtype)
    kernel("cholesky_solve")(X, L.expand(*batch, *L.shape[-2:]), B.expand(*batch, *B.shape[-2:]), int(upper))
    return X


@composite
def cholesky_solve(input, input2, upper=False, *, out=None):
    """X of L Lᴴ X = input, where L is `input2`, a lower triangle (an upper one, whose adjoint stands first, with `upper`).

    >>> import rushlight
    >>> rushlight.cholesky_solve(rushlight.tensor([[8.], [9.]]), rushlight.tensor([[2., 0.], [0., 3.]]))
    tensor([[2.],
            [1.]])
    """
    require_tensors("cholesky_solve", input=input, input2=input2)
    for letter, x in (("b", input), ("u", input2)):
        if x.dim() < 2:
            raise RuntimeError(f"{letter} should have at least 2 dimensions, but has {x.dim()} dimensions instead")
    check_pair("cholesky_solve", input, input2)
    made = _cholesky_solve(input, input2, upper)
    return made if out is None else written_out("cholesky_solve", out, made)


def cholesky_inverse_vjp(g, L, result, upper):
    common = result @ symmetric(g) @ result
    return -(L @ common) if upper else -(common @ L)


def cholesky_inverse_jvp(L_t, L, result, upper):
    A_t = symmetric(adjoint(L_t) @ L if upper else L_t @ adjoint(L))
    return -(result @ A_t @ result)


@op(
    vjp=cholesky_inverse_vjp,
    jvp=cholesky_inverse_jvp,
    outputs=("result",),
    name="CholeskyInverseBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _cholesky_inverse(L, upper=False):
    """The inverse of L Lᴴ."""
    check_square("cholesky_inverse", L)
    made, infos = column_major(*L.shape, dtype=L.dtype), empty_tensor(tuple(L.shape[:-2]), INT32)
    kernel("cholesky_inverse")(made, infos, L, int(upper))
    raise_failures("cholesky_inverse", infos)
    return made


@composite
def cholesky_inverse(input, upper=False, *, out=None):
    """The inverse of L Lᴴ for lower triangles L, or of Uᴴ U with `upper`.

    >>> import rushlight
    >>> rushlight.cholesky_inverse(rushlight.tensor([[2.]]))
    tensor([[0.2500]])
    """
    require_tensors("cholesky_inverse", input=input)
    check_square("cholesky_inverse", input)
    made = _cholesky_inverse(input, upper)
    return made if out is None else written_out("cholesky_inverse", out, made)
