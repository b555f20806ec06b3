"""Matrices as products of simpler ones, by LAPACK."""

import rushlight as torch
from rushlight.core import empty_tensor, is_wrapped, written_out
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._matrices import LinAlgError, adjoint, antisymmetric, check_matrices, column_major, symmetric
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import conjugate


def gaps(S):
    """s_j² - s_i², with ones on the diagonal: what the rotations of singular vectors are divided by."""
    square = S * S
    return square.unsqueeze(-2) - square.unsqueeze(-1) + torch.eye(S.shape[-1], dtype=S.dtype)


def off_range(x, U):
    """The part of the columns of x orthogonal to those of U."""
    return x - U @ (adjoint(U) @ x)


def check_phase(U, Vh, gU, gVh):
    """Pairs of complex vectors are determined up to their phase, on which nothing may depend that is differentiated."""
    phase = 0
    if gU is not None:
        phase = phase + (conjugate(U) * gU).sum(-2).imag
    if gVh is not None:
        phase = phase + (Vh * conjugate(gVh)).sum(-1).imag
    if not torch.allclose(2 * phase, torch.zeros_like(phase), 1e-2, 1e-2):
        raise RuntimeError(
            "svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}. The specified "
            "loss function depends on this phase term, making it ill-defined."
        )


def svd_vjp(g, U, S, Vh):
    """The gradient of A = U diag(S) Vh from those of U, S and Vh (Wan and Zhang 2019 for complex matrices)."""
    gU, gS, gVh = g
    rank = S.shape[-1]
    if gU is None and gVh is None:
        U, Vh = U[..., :rank], Vh[..., :rank, :]
        if U.shape[-2] >= Vh.shape[-1]:
            return U @ (gS.unsqueeze(-1) * Vh)
        return (U * gS.unsqueeze(-2)) @ Vh
    # What completes U and Vh to square matrices is arbitrary and has no gradient.
    U, Vh = U[..., :rank], Vh[..., :rank, :]
    gU, gVh = gU if gU is None else gU[..., :rank], gVh if gVh is None else gVh[..., :rank, :]
    row, column = S.unsqueeze(-2), S.unsqueeze(-1)
    inner, outside = 0, 0
    between = gaps(S)
    if U.is_complex() and not is_wrapped(U):
        check_phase(U, Vh, gU, gVh)
    if gU is not None:
        turned = adjoint(U) @ gU
        inner = antisymmetric(turned) / between * row
        if S.dtype is not U.dtype:
            inner = inner + torch.diag_embed(torch.complex(torch.zeros_like(S), turned.diagonal(0, -2, -1).imag / S))
        if U.shape[-2] > rank:
            outside = off_range(gU / row, U) @ Vh
    if gVh is not None:
        inner = inner + column * (antisymmetric(Vh @ adjoint(gVh)) / between)
        if Vh.shape[-1] > rank:
            V = adjoint(Vh)
            outside = outside + U @ adjoint(off_range(adjoint(gVh) / row, V))
    if gS is not None:
        inner = inner + torch.diag_embed(gS)
    return U @ (inner.to(U.dtype) @ Vh) + outside


def svd_jvp(A_t, A, full_matrices, compute_uv, U, S, Vh):
    rank = S.shape[-1]
    if not compute_uv:
        U, S, Vh = _linalg_svd(A, False, True)
    U, V = U[..., :rank], adjoint(Vh[..., :rank, :])
    moved = adjoint(U) @ A_t @ V
    diagonal = moved.diagonal(0, -2, -1)
    S_t = diagonal.real if diagonal.is_complex() else diagonal
    if not compute_uv:
        empty = A_t.new_zeros((*A_t.shape[:-2], 0))
        return empty, S_t, empty
    row, column = S.unsqueeze(-2), S.unsqueeze(-1)
    rest = moved - torch.diag_embed(diagonal)
    between = gaps(S)
    U_turn = symmetric(rest * row) / between
    if diagonal.is_complex():
        U_turn = U_turn + torch.diag_embed(torch.complex(torch.zeros_like(S), diagonal.imag / S))
    U_t = U @ U_turn + off_range(A_t @ V / row, U)
    V_t = V @ (symmetric(column * rest) / between) + off_range(adjoint(A_t) @ U / row, V)
    if full_matrices:
        # The columns that complete the bases are nobody's in particular.
        U_t, V_t = (torch.nn.functional.pad(t, (0, t.shape[-2] - rank)) for t in (U_t, V_t))
    return U_t, S_t, adjoint(V_t)


@op(
    vjp=svd_vjp,
    jvp=svd_jvp,
    outputs=("U", "S", "Vh"),
    differentiable=("U", "S", "Vh"),
    result_type=return_type("linalg_svd", "U", "S", "Vh"),
    name="LinalgSvdBackward0",
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_svd(A, full_matrices=False, compute_uv=True):
    """The singular value decomposition; without `compute_uv` the first and last results are empty."""
    check_matrices("linalg.svd", A)
    *batch, rows, columns = A.shape
    rank = min(rows, columns)
    real = torch.zeros((), dtype=A.dtype).real.dtype if A.is_complex() else A.dtype
    S = empty_tensor((*batch, rank), real)
    U = Vh = None
    if compute_uv:
        U = column_major(*batch, rows, rows if full_matrices else rank, dtype=A.dtype)
        Vh = column_major(*batch, columns if full_matrices else rank, columns, dtype=A.dtype)
    if A.numel() == 0 and compute_uv:
        U.copy_(torch.eye(*U.shape[-2:], dtype=A.dtype))
        Vh.copy_(torch.eye(*Vh.shape[-2:], dtype=A.dtype))
    try:
        if A.numel():
            kernel("svd")(U, S, Vh, A)
    except NotImplementedError:
        raise
    except RuntimeError as error:
        raise LinAlgError(str(error)) from None
    empty = empty_tensor((*batch, 0), A.dtype)
    return (U, S, Vh) if compute_uv else (empty, S, empty)


@composite(
    namespace="linalg",
    method=False,
    name="svd",
    signature="Tensor A, bool full_matrices=True, *, str? driver=None, tensors[3] out=None",
)
def linalg_svd(A, full_matrices=True, *, driver=None, out=None):
    """A = U diag(S) Vh with orthonormal columns of U and rows of Vh, and S falling; `full_matrices` completes U and Vh to square ones.

    >>> import rushlight
    >>> U, S, Vh = rushlight.linalg.svd(rushlight.tensor([[0., 2.], [1., 0.]]))
    >>> S
    tensor([2., 1.])
    """
    check_driver(driver)
    return _linalg_svd(A, full_matrices) if out is None else _linalg_svd(A, full_matrices, out=out)


def check_driver(driver):
    if driver is not None:
        raise RuntimeError("torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.")


@composite(namespace="linalg", method=False)
def svdvals(A, *, driver=None, out=None):
    """The singular values of the matrices in the last two dimensions, falling.

    >>> import rushlight
    >>> rushlight.linalg.svdvals(rushlight.tensor([[0., 2.], [1., 0.]]))
    tensor([2., 1.])
    """
    check_driver(driver)
    if out is None:
        # The derivative of S needs the vectors.
        return _linalg_svd(A, False, torch.is_grad_enabled() and A.requires_grad)[1]
    return written_out("linalg_svdvals", out, _linalg_svd(A, False, False)[1])


@composite(signature="Tensor input, bool some=True, bool compute_uv=True, *, tensors[3] out=None")
def svd(input, some=True, compute_uv=True, *, out=None):
    """The singular value decomposition input = U diag(S) Vᴴ; `torch.linalg.svd` is its modern form.

    >>> import rushlight
    >>> rushlight.svd(rushlight.tensor([[0., 2.], [1., 0.]])).S
    tensor([2., 1.])
    """
    check_matrices("linalg.svd", input)
    if compute_uv:
        U, S, Vh = _linalg_svd(input, not some)
        V = adjoint(Vh)
    else:
        *batch, rows, columns = input.shape
        S = svdvals(input)
        U, V = (torch.zeros((*batch, size, size), dtype=input.dtype) for size in (rows, columns))
    made = U, S, V
    if out is not None:
        made = tuple(written_out("svd", given, value) for given, value in zip(out, made, strict=True))
    return return_type("svd", "U", "S", "V")(made)
