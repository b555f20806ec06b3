"""Eigenvalues and eigenvectors."""

import rushlight as torch
from rushlight.core import empty_tensor, is_wrapped, written_out
from rushlight.ops._declare import composite, kernel
from rushlight.ops._matrices import (
    INT32,
    adjoint,
    all_written,
    antisymmetric,
    check_ndim,
    check_square,
    column_major,
    diagonal_of,
    factorization,
    raise_failures,
    real_dtype,
    real_part,
    written,
)
from rushlight.ops._rules import conjugate, may_be_differentiated, not_implemented, require_tensors


def gaps(values):
    """λ_j - λ_i, with ones on the diagonal."""
    return values.unsqueeze(-2) - values.unsqueeze(-1) + torch.eye(values.shape[-1], dtype=values.dtype)


def off_diagonal(x):
    return x - torch.diag_embed(diagonal_of(x))


def check_phase(name, turned):
    """A complex vector is determined up to its phase, on which nothing may depend that is differentiated."""
    if not turned.is_complex() or is_wrapped(turned):
        return
    phase = diagonal_of(turned).imag
    if not torch.allclose(phase, torch.zeros_like(phase), 1e-2, 1e-2):
        raise RuntimeError(
            f"{name}: The eigenvectors in the complex case are specified up to multiplication by e^{{i phi}}. The specified loss "
            "function depends on this quantity, so it is ill-defined."
        )


# ---------------------------------------------------------------------------------------------------------------- Hermitian
def eigh_vjp(g, eigenvalues, eigenvectors):
    gL, gV = g
    V = eigenvectors
    if gV is None:
        return V @ (gL.unsqueeze(-1).to(V.dtype) * adjoint(V))
    turned = adjoint(V) @ gV
    check_phase("linalg_eigh_backward", turned)
    # Vectors stay orthonormal: they can only be rotated.
    inner = 0.5 * antisymmetric(turned) / gaps(eigenvalues)
    if gL is not None:
        inner = inner + torch.diag_embed(gL.to(V.dtype))
    return V @ (inner @ adjoint(V))


def eigh_jvp(A_t, eigenvalues, eigenvectors):
    V = eigenvectors
    turned = adjoint(V) @ (A_t @ V)
    return real_part(diagonal_of(turned)), V @ (off_diagonal(turned) / gaps(eigenvalues))


@factorization("eigh", "eigenvalues", "eigenvectors", vjp=eigh_vjp, jvp=eigh_jvp)
def _linalg_eigh(A, UPLO="L", compute_v=True):
    """Eigenvalues of Hermitian matrices, rising, of which one triangle is read; the vectors are empty without `compute_v`."""
    check_square("linalg.eigh", A)
    if not (A.is_floating_point() or A.is_complex()):
        raise not_implemented("linalg_eigh_cpu", A.dtype)
    values = empty_tensor(tuple(A.shape[:-1]), real_dtype(A.dtype))
    vectors = column_major(*A.shape, dtype=A.dtype) if compute_v else None
    infos = empty_tensor(tuple(A.shape[:-2]), INT32)
    kernel("eigh")(values, vectors, infos, A, int(UPLO.upper() == "U"))
    raise_failures("linalg.eigh", infos)
    return values, empty_tensor((0,), A.dtype) if vectors is None else vectors


def check_hermitian(A, UPLO):
    check_square("linalg.eigh", A)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")


@composite(namespace="linalg", method=False, signature='Tensor input, str UPLO="L", *, tensors[2] out=None')
def eigh(input, UPLO="L", *, out=None):
    """The eigenvalues, rising, and eigenvectors of symmetric or Hermitian matrices, of which the triangle `UPLO` is read.

    >>> import rushlight
    >>> rushlight.linalg.eigh(rushlight.tensor([[0., 1.], [1., 0.]])).eigenvalues
    tensor([-1.,  1.])
    """
    require_tensors("linalg_eigh", input=input)
    check_hermitian(input, UPLO)
    return all_written("linalg_eigh", out, _linalg_eigh(input, UPLO))


@composite(namespace="linalg", method=False)
def eigvalsh(input, UPLO="L", *, out=None):
    """The eigenvalues, rising, of symmetric or Hermitian matrices.

    >>> import rushlight
    >>> rushlight.linalg.eigvalsh(rushlight.tensor([[0., 1.], [1., 0.]]))
    tensor([-1.,  1.])
    """
    require_tensors("linalg_eigvalsh", input=input)
    check_hermitian(input, UPLO)
    # The derivative of the values needs the vectors.
    made = _linalg_eigh(input, UPLO, may_be_differentiated(input))[0]
    return made if out is None else written("linalg_eigvalsh", out, made)


# -------------------------------------------------------------------------------------------------------------- any matrices
def eig_vjp(g, eigenvalues, eigenvectors):
    gL, gV = g
    V = eigenvectors
    Vh = adjoint(V)
    if gV is None:
        inner = torch.diag_embed(gL)
    else:
        turned = Vh @ gV
        check_phase("linalg_eig_backward", turned)
        # The vectors have length 1: what lengthens them has no gradient.
        inner = turned - (Vh @ V) * diagonal_of(turned).real.unsqueeze(-2)
        inner = off_diagonal(inner / conjugate(gaps(eigenvalues)))
        inner = inner if gL is None else inner + torch.diag_embed(gL)
    return torch.linalg.solve(Vh, inner @ Vh)


def eig_jvp(A_t, eigenvalues, eigenvectors):
    V = eigenvectors
    turned = torch.linalg.solve(V, A_t.to(V.dtype) @ V)
    inner = off_diagonal(turned) / gaps(eigenvalues)
    moved = V @ inner
    along = diagonal_of(adjoint(V) @ moved).real
    return diagonal_of(turned), moved - V * along.unsqueeze(-2)


@factorization("eig", "eigenvalues", "eigenvectors", vjp=eig_vjp, jvp=eig_jvp)
def _linalg_eig(A, compute_v=True):
    """Eigenvalues and eigenvectors as complex numbers; the vectors are empty without `compute_v`."""
    check_square("linalg.eig", A)
    if A.dtype in (torch.float16, torch.bfloat16):
        raise not_implemented("linalg_eig_out_cpu", A.dtype)
    kind = torch.complex128 if A.dtype in (torch.float64, torch.complex128) else torch.complex64
    values = empty_tensor(tuple(A.shape[:-1]), kind)
    vectors = column_major(*A.shape, dtype=kind) if compute_v else None
    infos = empty_tensor(tuple(A.shape[:-2]), INT32)
    kernel("eig")(values, vectors, infos, A)
    raise_failures("linalg.eig", infos)
    return values, empty_tensor((0,), kind) if vectors is None else vectors


def check_eig(name, A):
    check_ndim(name, A)
    if not (A.is_floating_point() or A.is_complex()):
        raise RuntimeError(f"Unknown Complex ScalarType for {A.dtype.legacy_name}")
    check_square(name, A)


def check_finite(A):
    if not is_wrapped(A) and not A.is_meta and not A.isfinite().all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")


@composite(namespace="linalg", method=False, signature="Tensor input, *, tensors[2] out=None")
def eig(input, *, out=None):
    """The eigenvalues and eigenvectors of square matrices, as complex numbers, in no order.

    >>> import rushlight
    >>> rushlight.linalg.eig(rushlight.tensor([[0., 1.], [-1., 0.]])).eigenvalues
    tensor([0.+1.j, 0.-1.j])
    """
    require_tensors("linalg_eig", input=input)
    check_eig("linalg.eig", input)
    check_finite(input)
    return all_written("linalg_eig", out, _linalg_eig(input))


@composite(namespace="linalg", method=False)
def eigvals(input, *, out=None):
    """The eigenvalues of square matrices, as complex numbers, in no order.

    >>> import rushlight
    >>> rushlight.linalg.eigvals(rushlight.tensor([[2., 1.], [0., 3.]]))
    tensor([2.+0.j, 3.+0.j])
    """
    require_tensors("linalg_eigvals", input=input)
    check_eig("linalg.eigvals", input)
    made = _linalg_eig(input, may_be_differentiated(input))[0]
    return made if out is None else written_out("linalg_eigvals", out, made)
