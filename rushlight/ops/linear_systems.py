"""Determinants, inverses and solutions of linear systems, by LU."""

import rushlight as torch
from rushlight.core import empty_tensor, is_wrapped
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._matrices import (
    INT32,
    adjoint,
    all_written,
    batch_of,
    check_fit,
    check_matrices,
    check_ndim,
    check_number_kind,
    check_same_dtype,
    check_square,
    column_major,
    diagonal_of,
    raise_failures,
    written,
)
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import conjugate, require_tensors, total


def factorized(A):
    """LU, pivots and infos of a stack of matrices."""
    *batch, rows, columns = A.shape
    LU = column_major(*A.shape, dtype=A.dtype)
    pivots = empty_tensor((*batch, min(rows, columns)), INT32)
    infos = empty_tensor(tuple(batch), INT32)
    kernel("lu_factor")(LU, pivots, infos, A)
    return LU, pivots, infos


def solved(LU, pivots, B, form="N"):
    """X of A X = B; `form` is N, T or C, for A, its transpose or its adjoint."""
    check_square("torch.linalg.lu_solve", LU)
    check_fit("linalg.lu_solve", LU, B, True)
    if pivots.shape[-1] != LU.shape[-1]:
        raise RuntimeError("linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix")
    batch = batch_of(LU, B)
    X = column_major(*batch, *B.shape[-2:], dtype=B.dtype)
    kernel("lu_solve")(
        X,
        LU.expand(*batch, *LU.shape[-2:]),
        pivots.expand(*batch, pivots.shape[-1]),
        B.expand(*batch, *B.shape[-2:]),
        ord(form),
    )
    return X


def sign_of(pivots):
    """The determinant of the permutation: 1 or -1."""
    order = torch.arange(1, pivots.shape[-1] + 1, dtype=INT32)
    return 1 - 2 * ((pivots != order).sum(-1) % 2)


def identity_scaled(scale, n):
    """scale times the identity, for each number of `scale`."""
    return torch.diag_embed(scale.unsqueeze(-1).expand(*scale.shape, n))


# ------------------------------------------------------------------------------------------------------------ determinants
def turned(A):
    """The matrix that a determinant is read off: the transpose of a real one, as in PyTorch, whose adjoint is then solved as it stands."""
    return A if A.is_complex() else A.mT


# With the factors of `turned(A)` a gradient is had faster, and infinities and NaNs of singular matrices stand as in PyTorch; but A must be
# seen where the gradient has a derivative itself.
def by_solving(A):
    return lambda B: torch.linalg.solve(adjoint(A), B)


def by_factors(A, LU, pivots):
    return lambda B: torch.linalg.lu_solve(LU, pivots, B, adjoint=A.is_complex())


def others_product(S):
    """For each number of the last dimension, the product of the others."""
    ones = torch.ones_like(S[..., :1])
    before = torch.cat([ones, S[..., :-1]], -1).cumprod(-1)
    after = torch.cat([ones, S.flip(-1)[..., :-1]], -1).cumprod(-1).flip(-1)
    return before * after


def cofactors(A):
    """The conjugate of the derivative of det(A), for singular matrices too."""
    U, S, Vh = torch.linalg.svd(A)
    turn = conjugate(torch.linalg.det(U) * torch.linalg.det(Vh))
    scale = others_product(S).to(A.dtype) * turn.unsqueeze(-1)
    return U @ (scale.unsqueeze(-1) * Vh)


def is_regular(result):
    """Whether no determinant is known to be 0."""
    return not is_wrapped(result) and not (result == 0).any()


def parted(A, result):
    """Which matrices are singular; those that are not, and those that are, each with matrices of the other kind for the rest."""
    singular = (result == 0).unsqueeze(-1).unsqueeze(-1)
    other = torch.arange(1, A.shape[-1] + 1).to(A.dtype).diag()
    return singular, torch.where(singular, other, A), torch.where(singular, A, other)


def det_vjp(g, A, result, LU, pivots):
    return det_gradient(g, A, result, by_solving(A))


def det_fused(g, A, result, LU, pivots):
    return det_gradient(g, A, result, by_factors(A, LU, pivots))


def det_gradient(g, A, result, adjoint_solution):
    """The gradient; `adjoint_solution(B)` is the X of Aᴴ X = B."""
    if not A.numel():
        return torch.zeros_like(A)
    if A.shape[-1] == 1:
        return g.unsqueeze(-1).unsqueeze(-1)
    scale = identity_scaled(g * conjugate(result), A.shape[-1])
    if is_regular(result):
        return adjoint_solution(scale)
    singular, regular, rest = parted(A, result)
    return torch.where(singular, g.unsqueeze(-1).unsqueeze(-1) * cofactors(rest), torch.linalg.solve(adjoint(regular), scale))


def det_jvp(A_t, A, result):
    if is_regular(result):
        return result * diagonal_of(torch.linalg.solve(A, A_t)).sum(-1), None, None
    _, regular, rest = parted(A, result)
    moved = result * diagonal_of(torch.linalg.solve(regular, A_t)).sum(-1)
    return torch.where(result == 0, (conjugate(cofactors(rest)) * A_t).sum((-2, -1)), moved), None, None


@op(
    vjp=det_vjp,
    fused=det_fused,
    jvp=det_jvp,
    outputs=("result", "LU", "pivots"),
    differentiable=("result",),
    name="LinalgDetBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_det(A):
    """The determinant, with the factors that it was read off."""
    check_square("linalg.det", A)
    LU, pivots, _ = factorized(turned(A))
    return sign_of(pivots).to(A.dtype) * diagonal_of(LU).prod(-1), LU, pivots


@composite(namespace="linalg", method=False, name="det")
def linalg_det(A, *, out=None):
    """The determinants of the matrices in the last two dimensions.

    >>> import rushlight
    >>> rushlight.linalg.det(rushlight.tensor([[1., 2.], [3., 5.]]))
    tensor(-1.)
    """
    require_tensors("linalg_det", A=A)
    return determinant(A, out)


@composite
def det(input):
    """The determinants of the matrices in the last two dimensions; `torch.linalg.det`."""
    require_tensors("det", input=input)
    return determinant(input)


def determinant(A, out=None):
    check_square("linalg.det", A)
    check_matrices("linalg.det", A)
    made = _linalg_det(A)[0]
    return made if out is None else written("_linalg_det", out, made)


def slogdet_vjp(g, A, sign, LU, pivots):
    return slogdet_gradient(g, A, sign, by_solving(A))


def slogdet_fused(g, A, sign, LU, pivots):
    return slogdet_gradient(g, A, sign, by_factors(A, LU, pivots))


def slogdet_gradient(g, A, sign, adjoint_solution):
    g_sign, g_log = g[:2]
    scale = None if g_log is None else g_log.to(A.dtype)
    if A.is_complex() and g_sign is not None:
        turn = (conjugate(g_sign) * sign).imag
        turn = torch.complex(torch.zeros_like(turn), turn)
        scale = -turn if scale is None else scale - turn
    if scale is None:
        return None  # the sign of a real determinant has none
    return adjoint_solution(identity_scaled(scale, A.shape[-1]))


def slogdet_jvp(A_t, A, sign):
    trace = diagonal_of(torch.linalg.solve(A, A_t)).sum(-1)
    if not A.is_complex():
        return torch.zeros_like(sign), trace, None, None
    return torch.complex(torch.zeros_like(trace.imag), trace.imag) * sign, trace.real, None, None


@op(
    vjp=slogdet_vjp,
    fused=slogdet_fused,
    jvp=slogdet_jvp,
    outputs=("sign", "logabsdet", "LU", "pivots"),
    differentiable=("sign", "logabsdet"),
    name="LinalgSlogdetBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_slogdet(A):
    """The sign and the logarithm of the absolute value of the determinant, with the factors that they were read off."""
    check_square("linalg.slogdet", A)
    LU, pivots, _ = factorized(turned(A))
    diagonal = diagonal_of(LU)
    return sign_of(pivots).to(A.dtype) * diagonal.sgn().prod(-1), diagonal.abs().log().sum(-1), LU, pivots


LINALG_SLOGDET, SLOGDET = (return_type(name, "sign", "logabsdet") for name in ("linalg_slogdet", "slogdet"))


def sign_and_logarithm(A, kind, out=None):
    check_square("linalg.slogdet", A)
    check_matrices("linalg.slogdet", A, low_precision=False)
    return all_written("_linalg_slogdet", out, kind(_linalg_slogdet(A)[:2]))


@composite(namespace="linalg", method=False, name="slogdet", signature="Tensor A, *, tensors[2] out=None")
def linalg_slogdet(A, *, out=None):
    """The sign and the logarithm of the absolute value of the determinants of the matrices in the last two dimensions.

    >>> import rushlight
    >>> rushlight.linalg.slogdet(rushlight.tensor([[1., 2.], [3., 5.]])).sign
    tensor(-1.)
    """
    require_tensors("linalg_slogdet", A=A)
    return sign_and_logarithm(A, LINALG_SLOGDET, out)


@composite(signature="Tensor input, *, tensors[2] out=None")
def slogdet(input, *, out=None):
    """`torch.linalg.slogdet`, with a result type of its own."""
    require_tensors("slogdet", input=input)
    return sign_and_logarithm(input, SLOGDET, out)


@composite
def logdet(input):
    """The logarithms of the determinants; NaN for real ones below 0.

    >>> import rushlight
    >>> rushlight.logdet(rushlight.eye(2))
    tensor(0.)
    """
    require_tensors("logdet", input=input)
    check_square("logdet", input)
    check_matrices("logdet", input, low_precision=False)
    sign, logarithm = _linalg_slogdet(input)[:2]
    return logarithm + sign.log() if input.is_complex() else torch.where(sign == -1, float("nan"), logarithm)


# ------------------------------------------------------------------------------------------------------- inverses, solutions
@op(
    vjp=lambda g, inverse: -adjoint(inverse) @ (g @ adjoint(inverse)),
    jvp=lambda A_t, inverse: (-inverse @ (A_t @ inverse), None),
    outputs=("inverse", "info"),
    differentiable=("inverse",),
    result_type=return_type("linalg_inv_ex", "inverse", "info"),
    name="LinalgInvExBackward0",
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_inv_ex(A, checked=None):
    """Inverses, and what LAPACK says of each matrix; `checked` is the name under which a singular one raises."""
    check_square("linalg.inv", A)
    LU, pivots, infos = factorized(A)
    raise_failures(checked, infos)
    return solved(LU, pivots, torch.eye(A.shape[-1], dtype=A.dtype)), infos


def check_invertible(A):
    check_square("linalg.inv", A)
    check_matrices("linalg.inv", A, low_precision=False)


@composite(namespace="linalg", method=False, name="inv")
def linalg_inv(A, *, out=None):
    """The inverses of the matrices in the last two dimensions.

    >>> import rushlight
    >>> rushlight.linalg.inv(rushlight.tensor([[1., 2.], [0., 4.]]))
    tensor([[ 1.0000, -0.5000],
            [ 0.0000,  0.2500]])
    """
    require_tensors("linalg_inv", A=A)
    return inverted(A, out)


@composite
def inverse(input, *, out=None):
    """The inverses of the matrices in the last two dimensions; `torch.linalg.inv`."""
    require_tensors("inverse", input=input)
    return inverted(input, out)


def inverted(A, out):
    check_invertible(A)
    made = _linalg_inv_ex(A, "linalg.inv")[0]
    return made if out is None else written("linalg_inv_ex", out, made)


@composite(namespace="linalg", method=False, signature="Tensor A, *, bool check_errors=False, tensors[2] out=None")
def inv_ex(A, *, check_errors=False, out=None):
    """Inverses without an error for singular matrices: `info` is not 0 for those."""
    require_tensors("linalg_inv_ex", A=A)
    check_invertible(A)
    return all_written("linalg_inv_ex", out, _linalg_inv_ex(A, "linalg.inv_ex" if check_errors else None))


def as_columns(x, A):
    """A solution or right side as a matrix, where it is a vector or a batch of those."""
    return x.unsqueeze(-1) if x.dim() < A.dim() else x


def solve_vjp(g, A, result, LU, pivots, left, wanted):
    return solve_gradients(A, result, torch.linalg.solve(adjoint(A), as_columns(g, A), left=left), left, wanted)


def solve_fused(g, A, result, LU, pivots, left, wanted):
    return solve_gradients(A, result, torch.linalg.lu_solve(LU, pivots, as_columns(g, A), left=left, adjoint=True), left, wanted)


def solve_gradients(A, result, gB, left, wanted):
    # With A X = B: Aᴴ gB = g and gA = -gB Xᴴ; on the right X gB stands the other way round.
    X = as_columns(result, A)
    gA = None
    if wanted[0]:
        gA = -(gB @ adjoint(X)) if left else -(adjoint(X) @ gB)
    return gA, (gB.squeeze(-1) if X is not result else gB) if wanted[1] else None


def solve_jvp(A_t, B_t, A, B, result, left):
    X = as_columns(result, A)
    moved = None if A_t is None else -(A_t @ X if left else X @ A_t)
    if B_t is not None:
        moved = total(moved, B_t if X is result else B_t.unsqueeze(-1))
    made = torch.linalg.solve(A, moved, left=left)
    return made if X is result else made.squeeze(-1), None, None, None


@op(
    joint=solve_vjp,
    fused=solve_fused,
    inputs=("A", "B"),
    jvp=solve_jvp,
    outputs=("result", "LU", "pivots", "info"),
    differentiable=("result",),
    name="LinalgSolveExBackward0",
    function=False,
    method=False,
    batch="decompositions.solved",
)
def _linalg_solve_ex(A, B, left=True, checked=None):
    """X of A X = B (or X A = B), with the factors of A."""
    check_square("linalg.solve", A)
    LU, pivots, infos = factorized(A)
    raise_failures(checked, infos)
    if is_vector(A, B):
        made = solved(LU, pivots, B.unsqueeze(-1)).squeeze(-1)
        if made.dim() > 1:
            # A batch of vectors lies in memory like a matrix, too.
            made = column_major(*made.shape, dtype=made.dtype).copy_(made)
        return made, LU, pivots, infos
    if left:
        return solved(LU, pivots, B), LU, pivots, infos
    return solved(LU, pivots, B.transpose(-2, -1), "T").transpose(-2, -1), LU, pivots, infos


def is_vector(A, B):
    """Whether B is a vector, or a batch of those that goes with A's."""
    return B.dim() == 1 or (A.dim() - 1 == B.dim() and tuple(B.shape) == tuple(A.shape[:-1]))


def solution(A, B, left, checked):
    """The solution and infos."""
    check_number_kind("linalg.solve", A)
    check_same_dtype("linalg.solve", A, B)
    check_ndim("linalg.solve", A)
    check_square("linalg.solve", A)
    vector = is_vector(A, B)
    matrix = B.unsqueeze(-1) if vector else B
    check_ndim("linalg.solve", matrix, "B")
    check_fit("linalg.solve", A, matrix, left)
    if vector and not left:
        raise RuntimeError(
            "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case "
            "linalg.solve is equivalent to B / A.squeeze(-1)"
        )
    batch_of(matrix, A)
    made, _, _, info = _linalg_solve_ex(A, B, left, checked)
    return made, info


@composite(namespace="linalg", method=False)
def solve(A, B, *, left=True, out=None):
    """X of A X = B, or of X A = B without `left`; B is a matrix or a vector.

    >>> import rushlight
    >>> rushlight.linalg.solve(rushlight.tensor([[2., 0.], [0., 4.]]), rushlight.tensor([2., 2.]))
    tensor([1.0000, 0.5000])
    """
    require_tensors("linalg_solve", A=A, B=B)
    made = solution(A, B, left, "torch.linalg.solve")[0]
    return made if out is None else written("_linalg_solve_ex", out, made)


SOLVE_EX = return_type("linalg_solve_ex", "result", "info")


@composite(
    namespace="linalg",
    method=False,
    signature="Tensor A, Tensor B, *, bool left=True, bool check_errors=False, tensors[2] out=None",
)
def solve_ex(A, B, *, left=True, check_errors=False, out=None):
    """`solve` without an error for singular matrices: `info` is not 0 for those."""
    require_tensors("linalg_solve_ex", A=A, B=B)
    made = solution(A, B, left, "torch.linalg.solve_ex" if check_errors else None)
    return all_written("_linalg_solve_ex", out, SOLVE_EX(made))
