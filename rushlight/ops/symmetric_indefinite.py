"""Symmetric and Hermitian matrices as L D Lᵀ, where D has blocks of one and two (Bunch and Kaufman)."""

import rushlight as torch
from rushlight.core import empty_tensor, wrap_dim
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._matrices import INT32, all_written, check_matrices, check_ndim, check_square, column_major, written
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import require_tensors

FACTOR, FACTOR_EX = return_type("linalg_ldl_factor", "LD", "pivots"), return_type("linalg_ldl_factor_ex", "LD", "pivots", "info")


@op(
    outputs=("LD", "pivots", "info"),
    differentiable=("LD",),
    no_derivative="linalg_ldl_factor_ex",
    name="NotImplemented",
    public="linalg_ldl_factor_ex",
    result_type=FACTOR_EX,
    function=False,
    method=False,
    batch="decompositions.of_matrices",
)
def _linalg_ldl_factor_ex(A, hermitian=False):
    """L below D, the row exchanges, and what LAPACK says of each matrix."""
    check_square("torch.linalg.ldl_factor_ex", A)
    LD, pivots = column_major(*A.shape, dtype=A.dtype), empty_tensor(tuple(A.shape[:-1]), INT32)
    infos = empty_tensor(tuple(A.shape[:-2]), INT32)
    kernel("ldl_factor")(LD, pivots, infos, A, int(hermitian))
    return LD, pivots, infos


def factored(name, A, hermitian, checked):
    require_tensors(name.partition(".")[2].replace(".", "_"), A=A)
    check_ndim("torch.linalg.ldl_factor_ex", A)
    check_matrices("torch.linalg.ldl_factor_ex", A)
    made = _linalg_ldl_factor_ex(A, hermitian)
    if checked and made.info.any():
        raise RuntimeError(f"{name}: Unknown error code: {int(made.info[made.info != 0][0])}.")
    return made


@composite(namespace="linalg", method=False, signature="Tensor input, *, bool hermitian=False, tensors[2] out=None")
def ldl_factor(input, *, hermitian=False, out=None):
    """L and D of A = L D Lᵀ (or L D Lᴴ for `hermitian` A) in one matrix, and the row exchanges; for `torch.linalg.ldl_solve`.

    Args:
        input: Symmetric or Hermitian matrices of shape (*, n, n), of which the lower triangle is read.
        hermitian: Whether complex matrices are Hermitian rather than symmetric.

    >>> import rushlight
    >>> A = rushlight.tensor([[2., 1.], [1., 1.]])
    >>> rushlight.linalg.ldl_factor(A).LD
    tensor([[2.0000, 0.0000],
            [0.5000, 0.5000]])
    """
    return all_written("linalg_ldl_factor", out, FACTOR(factored("torch.linalg.ldl_factor", input, hermitian, True)[:2]))


@composite(
    namespace="linalg",
    method=False,
    signature="Tensor input, *, bool hermitian=False, bool check_errors=False, tensors[3] out=None",
)
def ldl_factor_ex(input, *, hermitian=False, check_errors=False, out=None):
    """`ldl_factor` without an error for singular matrices: `info` is not 0 for those."""
    return all_written("linalg_ldl_factor_ex", out, factored("torch.linalg.ldl_factor_ex", input, hermitian, check_errors))


@op(
    no_derivative="linalg_ldl_solve",
    inputs=("LD", "B"),
    outputs=("result",),
    name="NotImplemented",
    public="linalg_ldl_solve",
    function=False,
    method=False,
    batch="decompositions.of_stacks",
)
def _linalg_ldl_solve(LD, pivots, B, hermitian=False):
    """X of A X = B from the factors of A."""
    if LD.shape[:-1] != pivots.shape or LD.shape[:-1] != B.shape[:-1] or LD.shape[-1] != LD.shape[-2]:
        raise RuntimeError(
            f"ldl_solve: factors {list(LD.shape)}, pivots {list(pivots.shape)} and {list(B.shape)} do not fit together"
        )
    X = column_major(*B.shape, dtype=B.dtype)
    kernel("ldl_solve")(X, LD, pivots, B, int(hermitian))
    return X


@composite(
    namespace="linalg", method=False, signature="Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False, Tensor out=None"
)
def ldl_solve(LD, pivots, B, *, hermitian=False, out=None):
    """X of A X = B, from the factors of A that `torch.linalg.ldl_factor` gives.

    >>> import rushlight
    >>> A = rushlight.tensor([[2., 1.], [1., 1.]])
    >>> rushlight.linalg.ldl_solve(*rushlight.linalg.ldl_factor(A), rushlight.tensor([[3.], [2.]]))
    tensor([[1.],
            [1.]])
    """
    require_tensors("linalg_ldl_solve", LD=LD, pivots=pivots, B=B)
    title = "torch.linalg.ldl_solve"
    check_square(title, LD)
    if B.dim() < 2:
        wrap_dim(-2, B.dim())
    if LD.dtype is not B.dtype:
        raise RuntimeError(
            f"Expected b and A to have the same dtype, but found b of type {B.dtype.legacy_name} and A of type {LD.dtype.legacy_name} "
            "instead."
        )
    if LD.shape[-1] != B.shape[-2]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {title}: each A matrix is {LD.shape[-1]} by {LD.shape[-1]} but each b matrix is "
            f"{B.shape[-2]} by {B.shape[-1]}"
        )
    if pivots.shape != LD.shape[:-1]:
        raise RuntimeError(
            f"{title}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape {list(pivots.shape)} instead"
        )
    check_matrices(title, LD)
    if pivots.is_floating_point() or pivots.is_complex() or pivots.dtype is torch.bool:
        raise RuntimeError(f"{title}: Expected pivots to be integers. Got {pivots.dtype.legacy_name}")
    batch = torch.broadcast_shapes(LD.shape[:-2], B.shape[:-2])
    made = _linalg_ldl_solve(
        LD.expand(*batch, *LD.shape[-2:]),
        pivots.to(INT32).expand(*batch, pivots.shape[-1]),
        B.expand(*batch, *B.shape[-2:]),
        hermitian,
    )
    return made if out is None else written("linalg_ldl_solve", out, made)
