"""The factors of LU themselves: A = P L U, and systems solved with them."""

import rushlight as torch
from rushlight.core import Parser, empty_tensor, warn_once
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._matrices import (
    INT32,
    adjoint,
    all_written,
    batch_of,
    check_fit,
    check_ndim,
    check_number_kind,
    check_same_dtype,
    check_square,
    written,
)
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import conjugate, require_tensors, total
from rushlight.ops.linear_systems import factorized, solved


@op(function=False, method=False, out=False, batch="decompositions.of_vectors")
def _lu_permutation(pivots, rows, dtype):
    """The matrices P of the row exchanges, as A = P L U has them."""
    if pivots.shape[-1] > rows:
        raise RuntimeError(f"{pivots.shape[-1]} row exchanges are too many for {rows} rows")
    order = empty_tensor((*pivots.shape[:-1], rows), torch.int64)
    kernel("pivot_order")(order, pivots)
    return (torch.arange(rows).unsqueeze(-1) == order.unsqueeze(-2)).to(dtype)


def unpacked(LU):
    """L and U out of one matrix."""
    rows, columns = LU.shape[-2:]
    rank = min(rows, columns)
    L = LU[..., :rank].tril(-1) + torch.eye(rows, rank, dtype=LU.dtype)
    return L, LU[..., :rank, :].triu()


def lower_solve(L, B, left=True):
    return torch.linalg.solve_triangular(L, B, upper=False, left=left, unitriangular=True)


def lu_gradient(gL, gU, P, L, U):
    """The gradient of A = P L U from those of L and U (None where one is not wanted)."""
    rows, columns = L.shape[-2], U.shape[-1]
    rank = min(rows, columns)
    zero = torch.zeros((*L.shape[:-2], rank, rank), dtype=L.dtype)
    square_L, square_U = L[..., :rank, :], U[..., :rank]
    L_adjoint, U_adjoint = adjoint(square_L), adjoint(square_U)

    def by_L(B):
        return torch.linalg.solve_triangular(L_adjoint, B, upper=True, unitriangular=True)

    def by_U(B):
        return torch.linalg.solve_triangular(U_adjoint, B, upper=False, left=False)

    on_L = zero if gL is None else gL[..., :rank, :]
    on_U = zero if gU is None else gU[..., :rank]
    beyond = None
    if columns > rank and gU is not None:
        # The further columns are L⁻¹ times those of A.
        beyond = by_L(gU[..., rank:])
        on_L = on_L - beyond @ adjoint(U[..., rank:])
    if rows > rank and gL is not None:
        beyond = by_U(gL[..., rank:, :])
        on_U = on_U - adjoint(L[..., rank:, :]) @ beyond
    inner = (L_adjoint @ on_L).tril(-1) + (on_U @ U_adjoint).triu()
    made = by_L(by_U(inner))
    if columns > rank:
        made = torch.cat([made, torch.zeros_like(U[..., rank:]) if beyond is None else beyond], -1)
    if rows > rank:
        made = torch.cat([made, torch.zeros_like(L[..., rank:, :]) if beyond is None else beyond], -2)
    return P @ made


def lu_tangent(A_t, P, L, U):
    """The tangents of L and U."""
    rank = L.shape[-1]
    moved = P.transpose(-2, -1) @ A_t
    square_L, square_U = L[..., :rank, :], U[..., :rank]
    inner = lower_solve(square_L, moved[..., :rank, :rank])
    inner = torch.linalg.solve_triangular(square_U, inner, upper=True, left=False)
    L_t, U_t = square_L @ inner.tril(-1), inner.triu() @ square_U
    if U.shape[-1] > rank:
        U_t = torch.cat([U_t, lower_solve(square_L, moved[..., rank:] - L_t @ U[..., rank:])], -1)
    if L.shape[-2] > rank:
        rest = moved[..., rank:, :] - L[..., rank:, :] @ U_t
        L_t = torch.cat([L_t, torch.linalg.solve_triangular(square_U, rest, upper=True, left=False)], -2)
    return L_t, U_t


def lu_factor_vjp(g, LU, pivots):
    L, U = unpacked(LU)
    rank = L.shape[-1]
    return lu_gradient(g[..., :rank].tril(-1), g[..., :rank, :].triu(), _lu_permutation(pivots, L.shape[-2], LU.dtype), L, U)


def lu_factor_jvp(A_t, LU, pivots):
    L, U = unpacked(LU)
    L_t, U_t = lu_tangent(A_t, _lu_permutation(pivots, L.shape[-2], LU.dtype), L, U)
    rows, columns = LU.shape[-2:]
    return (
        torch.nn.functional.pad(L_t, (0, columns - L_t.shape[-1]))
        + torch.nn.functional.pad(U_t, (0, 0, 0, rows - U_t.shape[-2])),
        None,
        None,
    )


@op(
    vjp=lu_factor_vjp,
    jvp=lu_factor_jvp,
    outputs=("LU", "pivots", "info"),
    differentiable=("LU",),
    result_type=return_type("linalg_lu_factor_ex", "LU", "pivots", "info"),
    name="LinalgLuFactorExBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_lu_factor_ex(A, pivot=True, checked=False):
    """LU in one matrix, the row exchanges, and what LAPACK says of each matrix."""
    if A.dim() < 2:
        raise RuntimeError(f"torch.lu_factor: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead")
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    made = factorized(A)
    if checked and made[2].any():
        flat = made[2].reshape(-1)
        place = int(flat.nonzero()[0, 0])
        where = f"(Batch element {place}): " if A.dim() > 2 else ""
        info = int(flat[place])
        raise RuntimeError(
            f"torch.linalg.lu_factor: {where}U[{info},{info}] is zero and using it on lu_solve would result in a division by zero. "
            "If you still want to perform the factorization, consider calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
        )
    return made


LU_WITH_INFO = return_type("_lu_with_info", "LU", "pivots", "info")
LU_FACTOR = return_type("linalg_lu_factor", "LU", "pivots")


@composite(namespace="linalg", method=False, signature="Tensor A, *, bool pivot=True, tensors[2] out=None")
def lu_factor(A, *, pivot=True, out=None):
    """LU with row exchanges, compactly: L below the diagonal and U above in one matrix, and the pivots.

    >>> import rushlight
    >>> rushlight.linalg.lu_factor(rushlight.tensor([[1., 2.], [4., 4.]])).LU
    tensor([[4.0000, 4.0000],
            [0.2500, 1.0000]])
    """
    require_tensors("linalg_lu_factor", A=A)
    return all_written("linalg_lu_factor", out, LU_FACTOR(_linalg_lu_factor_ex(A, pivot, True)[:2]))


@composite(
    namespace="linalg", method=False, signature="Tensor A, *, bool pivot=True, bool check_errors=False, tensors[3] out=None"
)
def lu_factor_ex(A, *, pivot=True, check_errors=False, out=None):
    """`lu_factor` without an error for singular matrices: `info` is not 0 for those."""
    require_tensors("linalg_lu_factor_ex", A=A)
    return all_written("linalg_lu_factor_ex", out, _linalg_lu_factor_ex(A, pivot, check_errors))


check_lu = Parser("_lu_with_info", "Tensor input, bool pivot=True, bool check_errors=True")


@composite(signature=None)
def lu(input, pivot=True, get_infos=False, out=None) -> "tuple[torch.Tensor, ...]":
    """`torch.linalg.lu_factor`, and with `get_infos` the infos besides.

    Args:
        input: the matrices [..., n, m].
        pivot: whether rows are exchanged.
        get_infos: whether the infos are wanted.
        out: the tensors that the results are written into.

    >>> import warnings
    >>> import rushlight as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     factors, pivots = torch.lu(torch.tensor([[1., 2.], [3., 4.]]))
    >>> pivots
    tensor([2, 2], dtype=torch.int32)
    """
    warn_once(
        "torch.lu is deprecated in favor of torch.linalg.lu_factor / torch.linalg.lu_factor_ex and will be removed in a future "
        "PyTorch release.\nLU, pivots = torch.lu(A, compute_pivots)\nshould be replaced with\n"
        "LU, pivots = torch.linalg.lu_factor(A, compute_pivots)\nand\n"
        "LU, pivots, info = torch.lu(A, compute_pivots, get_infos=True)\nshould be replaced with\n"
        "LU, pivots, info = torch.linalg.lu_factor_ex(A, compute_pivots)"
    )
    check_lu(input, pivot=pivot)
    made = _linalg_lu_factor_ex(input, pivot)
    made = LU_WITH_INFO(made) if get_infos else tuple(made[:2])
    return made if out is None else all_written("linalg_lu_factor_ex", out, made)


@op(
    vjp=lambda g, P, L, U: lu_gradient(g[1], g[2], P, L, U),
    jvp=lambda A_t, P, L, U: (None, *lu_tangent(A_t, P, L, U)),
    outputs=("P", "L", "U"),
    differentiable=("L", "U"),
    result_type=return_type("linalg_lu", "P", "L", "U"),
    name="LinalgLuBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_lu(A, pivot=True):
    """A = P L U."""
    if A.dim() < 2:
        raise RuntimeError(f"linalg.lu: Expected tensor with 2 or more dimensions. Got size: {list(A.shape)} instead")
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    LU, pivots, _ = factorized(A)
    return _lu_permutation(pivots, A.shape[-2], A.dtype), *(part.contiguous() for part in unpacked(LU))


@composite(namespace="linalg", method=False, name="lu", signature="Tensor A, *, bool pivot=True, tensors[3] out=None")
def linalg_lu(A, *, pivot=True, out=None):
    """A = P L U with a permutation P, L with ones on its diagonal, and an upper triangle U.

    >>> import rushlight
    >>> rushlight.linalg.lu(rushlight.tensor([[1., 2.], [4., 4.]])).U
    tensor([[4., 4.],
            [0., 1.]])
    """
    require_tensors("linalg_lu", A=A)
    return all_written("linalg_lu", out, _linalg_lu(A, pivot))


def lu_solve_joint(g, LU, pivots, B, left, adjoint, result, wanted):
    back = torch.linalg.lu_solve(LU, pivots, g, left=left, adjoint=not adjoint)
    gLU = None
    if wanted[0]:
        # The gradient of A = P L U, handed on to its factors.
        L, U = unpacked(LU)
        P = _lu_permutation(pivots, LU.shape[-2], LU.dtype)
        inner = back @ conjugate(result.transpose(-2, -1)) if left else conjugate(result.transpose(-2, -1)) @ back
        gA = -(conjugate(inner.transpose(-2, -1)) if adjoint else inner)
        turned = P.transpose(-2, -1) @ gA
        L_adjoint, U_adjoint = conjugate(L.transpose(-2, -1)), conjugate(U.transpose(-2, -1))
        gLU = (turned @ U_adjoint).tril(-1) + (L_adjoint @ turned).triu()
    return gLU, back if wanted[1] else None


def lu_solve_jvp(LU_t, B_t, LU, pivots, left, adjoint, result):
    moved = B_t
    if LU_t is not None:
        L, U = unpacked(LU)
        A_t = _lu_permutation(pivots, LU.shape[-2], LU.dtype) @ (LU_t.tril(-1) @ U + L @ LU_t.triu())
        A_t = conjugate(A_t.transpose(-2, -1)) if adjoint else A_t
        moved = total(-(A_t @ result if left else result @ A_t), B_t)
    return torch.linalg.lu_solve(LU, pivots, moved, left=left, adjoint=adjoint)


@op(
    joint=lu_solve_joint,
    inputs=("LU", "B"),
    jvp=lu_solve_jvp,
    outputs=("result",),
    name="LinalgLuSolveBackward0",
    function=False,
    method=False,
    batch="decompositions.solved_by_factors",
)
def _linalg_lu_solve(LU, pivots, B, left=True, adjoint=False):
    """X of A X = B (or X A = B, or with the adjoint of A) from the factors of A."""
    if left:
        return solved(LU, pivots, B, "C" if adjoint else "N")
    # X A = B is Aᴴ Xᴴ = Bᴴ, and X Aᴴ = B is A Xᴴ = Bᴴ. (So X is a lazy conjugate.)
    return conjugate(solved(LU, pivots, conjugate(B.transpose(-2, -1)), "N" if adjoint else "C").transpose(-2, -1))


@composite(namespace="linalg", method=False, name="lu_solve")
def linalg_lu_solve(LU, pivots, B, *, left=True, adjoint=False, out=None):
    """X of A X = B from `lu_factor(A)`; of X A = B without `left`, with the adjoint of A with `adjoint`.

    >>> import rushlight
    >>> A = rushlight.tensor([[2., 0.], [0., 4.]])
    >>> rushlight.linalg.lu_solve(*rushlight.linalg.lu_factor(A), rushlight.tensor([[2.], [2.]]))
    tensor([[1.0000],
            [0.5000]])
    """
    require_tensors("linalg_lu_solve", LU=LU, pivots=pivots, B=B)
    check_number_kind("torch.linalg.lu_solve", LU)
    check_same_dtype("linalg.lu_solve", LU, B, first="LU")
    if pivots.dtype is not INT32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    check_square("torch.linalg.lu_solve", LU)
    check_ndim("linalg.lu_solve", B, "B")
    check_fit("linalg.lu_solve", LU, B, left)
    if pivots.shape[-1:] != LU.shape[-1:]:
        raise RuntimeError("linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix")
    if tuple(LU.shape[:-1]) != tuple(pivots.shape):
        raise RuntimeError(
            f"linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    batch_of(LU, B)
    made = _linalg_lu_solve(LU, pivots, B, left, adjoint)
    return made if out is None else written("linalg_lu_solve", out, made)


@composite
def lu_solve(input, LU_data, LU_pivots, *, out=None):
    """`torch.linalg.lu_solve` with the right side first."""
    warn_once(
        "torch.lu_solve is deprecated in favor of torch.linalg.lu_solveand will be removed in a future PyTorch release.\n"
        "Note that torch.linalg.lu_solve has its arguments reversed.\nX = torch.lu_solve(B, LU, pivots)\nshould be replaced with\n"
        "X = torch.linalg.lu_solve(LU, pivots, B)"
    )
    return linalg_lu_solve(LU_data, LU_pivots, input, out=out)


def unpack_vjp(g, LU_shape):
    gL, gU = g
    rows, columns = LU_shape[-2:]
    rank = min(rows, columns)
    made = None
    if gL is not None:
        made = torch.nn.functional.pad(gL.tril(-1), (0, columns - rank))
    if gU is not None:
        made = total(torch.nn.functional.pad(gU.triu(), (0, 0, 0, rows - rank)), made)
    return made


def unpack_jvp(LU_t):
    rank = min(LU_t.shape[-2:])
    return LU_t[..., :rank].tril(-1), LU_t[..., :rank, :].triu()


@op(
    vjp=unpack_vjp,
    jvp=unpack_jvp,
    outputs=("L", "U"),
    differentiable=("L", "U"),
    name="LuUnpackBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _lu_unpack(LU):
    """L and U out of one matrix."""
    return tuple(part.contiguous() for part in unpacked(LU))


LU_UNPACK = return_type("lu_unpack", "P", "L", "U")


@composite(
    method=False,
    signature="Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True, *, tensors[3] out=None",
)
def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True, *, out=None):
    """P, L and U from what `torch.linalg.lu_factor` gives.

    >>> import rushlight
    >>> rushlight.lu_unpack(*rushlight.linalg.lu_factor(rushlight.tensor([[1., 2.], [4., 4.]]))).P
    tensor([[0., 1.],
            [1., 0.]])
    """
    require_tensors("lu_unpack", LU_data=LU_data, LU_pivots=LU_pivots)
    if LU_data.dim() < 2:
        raise RuntimeError(f"torch.lu_unpack: Expected tensor with 2 or more dimensions. Got size: {list(LU_data.shape)} instead")
    if unpack_pivots and LU_pivots.dtype is not INT32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\n"
            "Note: this function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    P = _lu_permutation(LU_pivots, LU_data.shape[-2], LU_data.dtype) if unpack_pivots else empty_tensor((0,), LU_data.dtype)
    L, U = _lu_unpack(LU_data) if unpack_data else (empty_tensor((0,), LU_data.dtype), empty_tensor((0,), LU_data.dtype))
    return all_written("lu_unpack", out, LU_UNPACK((P, L, U)))
