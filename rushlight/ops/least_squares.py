"""Systems of more or fewer equations than unknowns: what comes nearest to solving them."""

import rushlight as torch
from rushlight.core import empty_tensor, written_out
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._matrices import INT32, LinAlgError, adjoint, batch_of, column_major, real_dtype
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import require_tensors, total
from rushlight.ops.linear_systems import is_vector
from rushlight.ops.matrix_functions import pinv_jvp, pinv_vjp

DRIVERS = ("gels", "gelsy", "gelsd", "gelss")

LSTSQ = return_type("linalg_lstsq", "solution", "residuals", "rank", "singular_values")


def left_over(A, B, X):
    """What the solution leaves of the right side."""
    return B - A @ X


def lstsq_joint(g, A, B, solution, wanted):
    gX, gR, *_ = g
    gA = gB = None
    if gX is not None:
        P = torch.linalg.pinv(A)
        gB = adjoint(P) @ gX
        if wanted[0]:
            gA = pinv_vjp(gX @ adjoint(B), A, P)
    if gR is not None and gR.numel():
        # The solution's own change does not count: what is left over is orthogonal to all that A reaches.
        moved = 2 * gR.unsqueeze(-2) * left_over(A, B, solution)
        gB = total(gB, moved)
        if wanted[0]:
            gA = total(gA, -(moved @ adjoint(solution)))
    return gA, gB


def lstsq_jvp(A_t, B_t, A, B, solution, residuals):
    P = torch.linalg.pinv(A)
    X_t = total(None if A_t is None else pinv_jvp(A_t, A, P) @ B, None if B_t is None else P @ B_t)
    moved = total(None if A_t is None else -(A_t @ solution), B_t)
    left = left_over(A, B, solution)
    squares = left.conj() * moved
    return X_t, 2 * (squares.real if squares.is_complex() else squares).sum(-2) if residuals.numel() else None


@op(
    joint=lstsq_joint,
    inputs=("A", "B"),
    jvp=lstsq_jvp,
    outputs=("solution", "residuals", "rank", "singular_values"),
    differentiable=("solution", "residuals"),
    result_type=LSTSQ,
    name="LinalgLstsqBackward0",
    function=False,
    method=False,
    batch="decompositions.least_squares",
)
def _linalg_lstsq(A, B, rcond, driver):
    """The solution of least norm, the squares that it leaves, A's rank and singular values, the last three as far as the driver tells."""
    if A.shape[:-1] != B.shape[:-1]:
        raise RuntimeError(f"lstsq: matrices {list(A.shape)} and right sides {list(B.shape)} do not fit together")
    rows, columns = A.shape[-2:]
    batch = tuple(A.shape[:-2])
    right = column_major(*batch, max(rows, columns), B.shape[-1], dtype=B.dtype).zero_()
    right[..., :rows, :].copy_(B)
    rank, infos = empty_tensor(batch, torch.int64), empty_tensor(batch, INT32)
    real = real_dtype(A.dtype)
    values = empty_tensor((*batch, min(rows, columns)), real)
    kernel("least_squares")(right, rank, values, infos, A, DRIVERS.index(driver), float(rcond))
    raise_failure(infos)
    finds_rank = driver != "gels"
    residuals = empty_tensor((0,), real)
    if rows > columns and driver != "gelsy" and not (finds_rank and (rank < columns).any()):
        beyond = right[..., columns:, :].abs()
        residuals = (beyond * beyond).sum(-2)
    return (
        right[..., :columns, :],
        residuals,
        rank if finds_rank else empty_tensor((0,), torch.int64),
        values if driver in ("gelsd", "gelss") else empty_tensor((0,), real),
    )


def raise_failure(infos):
    flat = infos.reshape(-1)
    failed = flat.nonzero()
    if not failed.numel():
        return
    place = int(failed[0, 0])
    info = int(flat[place])
    where = f"torch.linalg.lstsq: (Batch element {place}): " if infos.dim() else "torch.linalg.lstsq: "
    if info < 0:
        raise RuntimeError(where + "the matrices must not contain NaN")
    raise LinAlgError(
        f"{where}The least squares solution could not be computed because the input matrix does not have full rank (error code: {info})."
    )


def check_driver(driver):
    if driver is None:
        return "gelsy"
    if driver not in DRIVERS:
        raise RuntimeError("torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    return driver


@composite(
    namespace="linalg",
    method=False,
    signature="Tensor input, Tensor b, float? rcond=None, *, str? driver=None, tensors[4] out=None",
)
def lstsq(input, b, rcond=None, *, driver=None, out=None):
    """What comes nearest to X of A X = B, by the sum of squares; of all that do the one of least norm.

    Args:
        input: A, of shape (*, m, n), floating or complex.
        b: B, of shape (*, m, k), or (*, m).
        rcond: Singular values below this part of the largest one count as 0 (default: the dtype's precision times the larger side).
        driver: The algorithm of LAPACK: "gelsy" (default), "gels" (for full rank), "gelsd" or "gelss" (by singular values).

    Returns:
        (solution, residuals, rank, singular_values), those empty that the driver does not find.

    >>> import rushlight
    >>> A = rushlight.tensor([[1., 0.], [1., 1.], [1., 2.]])
    >>> rushlight.linalg.lstsq(A, rushlight.tensor([[1.], [3.], [5.]])).solution
    tensor([[1.0000],
            [2.0000]])
    """
    A, B = input, b
    require_tensors("linalg_lstsq", input=A, b=B)
    title = "torch.linalg.lstsq"
    for name, x, least in (("input", A, 2), ("other", B, 1)):
        if x.dim() < least:
            raise RuntimeError(f"{title}: {name} must have at least {least} dimension{'s' if least > 1 else ''}.")
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"{title}: Expected input and other to have the same dtype, but got input's dtype {A.dtype.legacy_name} and other's dtype "
            f"{B.dtype.legacy_name}"
        )
    if not 0 <= A.dim() - B.dim() <= 1:
        raise RuntimeError(f"{title}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1")
    vector = is_vector(A, B)
    if vector:
        B = B.unsqueeze(-1)
    if A.shape[-2] != B.shape[-2]:
        raise RuntimeError(f"{title}: input.size(-2) should match other.size(-{1 if vector and b.dim() == 1 else 2})")
    if A.dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise RuntimeError("This function doesn't handle types other than float and double")
    driver = check_driver(driver)
    if rcond is None:
        rcond = torch.finfo(A.dtype).eps * max(A.shape[-2:])
    # (A right side of one dimension less has the batch that its columns would have, even where it is a matrix.)
    batch = batch_of(A, b if b.dim() == A.dim() else b.unsqueeze(-1))
    A, B = (x if x.shape[:-2] == batch else x.expand(*batch, *x.shape[-2:]) for x in (A, B))
    made = _linalg_lstsq(A, B, rcond, driver)
    if vector:
        made = LSTSQ((made[0].squeeze(-1), *made[1:]))
    return made if out is None else LSTSQ([written_out("linalg_lstsq", given, value) for given, value in zip(out, made)])
