"""Small tools of linear algebra under PyTorch's private names, and functions that it removed: they say what stands in their place."""

import rushlight as torch
from rushlight.core import Tensor

REMOVED = "This function was deprecated since version 1.9 and is now removed."


def is_sparse(A: Tensor) -> bool:
    """Whether a tensor is sparse."""
    if isinstance(A, Tensor):
        return A.layout is torch.sparse_coo
    raise TypeError(f"expected Tensor but got {type(A)}")


def get_floating_dtype(A: Tensor) -> torch.dtype:
    """The dtype to compute in: that of the tensor, float32 for integers."""
    return A.dtype if A.dtype in (torch.float16, torch.float32, torch.float64) else torch.float32


def matmul(A: Tensor | None, B: Tensor) -> Tensor:
    """A B; without `A` just B."""
    return B if A is None else torch.matmul(A, B)


def bform(X: Tensor, A: Tensor | None, Y: Tensor) -> Tensor:
    """Xᵀ A Y."""
    return torch.matmul(X.mT, matmul(A, Y))


def qform(A: Tensor | None, S: Tensor) -> Tensor:
    """Sᵀ A S."""
    return bform(S, A, S)


def basis(A: Tensor) -> Tensor:
    """An orthonormal basis of the columns."""
    return torch.linalg.qr(A).Q


def symeig(A: Tensor, largest: bool | None = False) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors of a symmetric matrix, in ascending order, or with `largest` in descending order."""
    E, Z = torch.linalg.eigh(A, UPLO="U")
    return (E.flip(-1), Z.flip(-1)) if largest else (E, Z)


def matrix_rank(input, tol=None, symmetric=False, *, out=None) -> Tensor:
    """Raises: `torch.linalg.matrix_rank` stands in its place.

    Args:
        tol: How small a singular value counts as 0.
        symmetric: Whether the matrix is symmetric.
        out: A tensor for the result.

    >>> import rushlight as torch
    >>> try: torch.matrix_rank(torch.eye(2))
    ... except RuntimeError: print("use torch.linalg.matrix_rank")
    use torch.linalg.matrix_rank
    """
    raise RuntimeError(
        f"{REMOVED}\nPlease use the `torch.linalg.matrix_rank` function instead. The parameter 'symmetric' was renamed in "
        "`torch.linalg.matrix_rank()` to 'hermitian'."
    )


def solve(input: Tensor, A: Tensor, *, out=None) -> tuple[Tensor, Tensor]:
    """Raises: `torch.linalg.solve` stands in its place.

    Args:
        A: The matrix.
        out: Tensors for the results.

    >>> import rushlight as torch
    >>> try: torch.solve(torch.eye(2), torch.eye(2))
    ... except RuntimeError: print("use torch.linalg.solve")
    use torch.linalg.solve
    """
    raise RuntimeError(
        f"{REMOVED} `torch.solve` is deprecated in favor of `torch.linalg.solve`. `torch.linalg.solve` has its arguments reversed and does not "
        "return the LU factorization.\n\nTo get the LU factorization see `torch.lu`, which can be used with `torch.lu_solve` or "
        "`torch.lu_unpack`.\nX = torch.solve(B, A).solution should be replaced with:\nX = torch.linalg.solve(A, B)"
    )


def lstsq(input: Tensor, A: Tensor, *, out=None) -> tuple[Tensor, Tensor]:
    """Raises: `torch.linalg.lstsq` stands in its place.

    Args:
        A: The matrix.
        out: Tensors for the results.

    >>> import rushlight as torch
    >>> try: torch.lstsq(torch.eye(2), torch.eye(2))
    ... except RuntimeError: print("use torch.linalg.lstsq")
    use torch.linalg.lstsq
    """
    raise RuntimeError(
        f"{REMOVED} `torch.lstsq` is deprecated in favor of `torch.linalg.lstsq`.\n`torch.linalg.lstsq` has reversed arguments and does not "
        "return the QR decomposition in the returned tuple (although it returns other information about the problem).\n\nTo get the QR "
        "decomposition consider using `torch.linalg.qr`.\n\nThe returned solution in `torch.lstsq` stored the residuals of the solution in the "
        "last m - n columns of the returned value whenever m > n. In torch.linalg.lstsq, the residuals are in the field 'residuals' of the "
        "returned named tuple.\n\nThe unpacking of the solution, as in\nX, _ = torch.lstsq(B, A).solution[:A.size(1)]\nshould be replaced "
        "with:\nX = torch.linalg.lstsq(A, B).solution"
    )


def _symeig(input, eigenvectors=False, upper=True, *, out=None) -> tuple[Tensor, Tensor]:
    """Raises: `torch.linalg.eigh` stands in its place.

    Args:
        eigenvectors: Whether they are wanted.
        upper: Whether its upper part counts.
        out: Tensors for the results.

    >>> import rushlight as torch
    >>> try: torch.symeig(torch.eye(2))
    ... except RuntimeError: print("use torch.linalg.eigh")
    use torch.linalg.eigh
    """
    raise RuntimeError(
        f"{REMOVED} The default behavior has changed from using the upper triangular portion of the matrix by default to using the lower "
        "triangular portion.\n\nL, _ = torch.symeig(A, upper=upper) should be replaced with:\n"
        "L = torch.linalg.eigvalsh(A, UPLO='U' if upper else 'L')\n\nand\n\n"
        "L, V = torch.symeig(A, eigenvectors=True) should be replaced with:\nL, V = torch.linalg.eigh(A, UPLO='U' if upper else 'L')"
    )


def eig(self: Tensor, eigenvectors: bool = False, *, e=None, v=None) -> tuple[Tensor, Tensor]:
    """Raises: `torch.linalg.eig` stands in its place.

    Args:
        self: The matrix.
        eigenvectors: Whether they are wanted.
        e, v: Tensors for the results.

    >>> import rushlight as torch
    >>> try: torch.eig(torch.eye(2))
    ... except RuntimeError: print("use torch.linalg.eig")
    use torch.linalg.eig
    """
    raise RuntimeError(
        f"{REMOVED} `torch.linalg.eig` returns complex tensors of dtype `cfloat` or `cdouble` rather than real tensors mimicking complex "
        "tensors.\n\nL, _ = torch.eig(A) should be replaced with:\nL_complex = torch.linalg.eigvals(A)\n\nand\n\n"
        "L, V = torch.eig(A, eigenvectors=True) should be replaced with:\nL_complex, V_complex = torch.linalg.eig(A)"
    )
