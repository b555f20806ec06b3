"""What the ops of linear algebra share: checks of matrices, memory as LAPACK writes it, errors of algorithms that failed."""

import rushlight as torch
from rushlight.core import empty_tensor, written_out
from rushlight.ops._declare import op
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import c_name, conjugate
from rushlight.ops.broadcasting import broadcast_two

INT32 = torch.int32
SINGLE = ("float16", "bfloat16")


class _LinAlgError(RuntimeError):
    """An algorithm of linear algebra that failed on its input; `torch.linalg.LinAlgError`.

    >>> import rushlight as torch
    >>> try: torch.linalg.inv(torch.zeros(2, 2))
    ... except torch.linalg.LinAlgError as error: print(error)
    linalg.inv: The diagonal element 1 is zero, the inversion could not be completed because the input matrix is singular.
    """


LinAlgError = _LinAlgError


def factorization(name, *outputs, vjp, jvp):
    """Declares the op behind `torch.linalg.<name>`, which gives several results, each with a derivative."""
    return op(
        vjp=vjp,
        jvp=jvp,
        outputs=outputs,
        differentiable=outputs,
        result_type=return_type("linalg_" + name, *outputs),
        name=f"Linalg{name.capitalize()}Backward0",
        batch="decompositions.of_matrices",
        function=False,
        method=False,
    )


def check_ndim(name, A, argument="A"):
    if A.dim() < 2:
        raise RuntimeError(f"{name}: The input tensor {argument} must have at least 2 dimensions.")


def check_matrices(name, A, low_precision=True):
    """The errors that most decompositions share."""
    check_ndim(name, A)
    check_number_kind(name, A, low_precision)


def check_number_kind(name, A, low_precision=True):
    if not (A.is_floating_point() or A.is_complex()):
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {A.dtype.legacy_name}")
    if not low_precision and A.dtype.name in SINGLE:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {A.dtype.legacy_name}")


def check_square(name, A, argument="A"):
    check_ndim(name, A, argument)
    if A.shape[-1] != A.shape[-2]:
        prefix = f"{name}: " if name else ""
        raise RuntimeError(
            f"{prefix}{argument} must be batches of square matrices, but they are {A.shape[-2]} by {A.shape[-1]} matrices"
        )


def check_same_dtype(name, A, B, first="A", second="B"):
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"{name}: Expected {first} and {second} to have the same dtype, but found {first} of type {A.dtype.legacy_name} and "
            f"{second} of type {B.dtype.legacy_name} instead"
        )


def check_fit(name, A, B, left):
    """That A X = B, or X A = B, has matching sizes."""
    if A.shape[-2] != B.shape[-2 if left else -1]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({A.shape[-2]}x{A.shape[-1]} and {B.shape[-2]}x{B.shape[-1]})"
        )


def column_major(*shape, dtype):
    """An unfilled stack of matrices whose columns are contiguous, as LAPACK writes them."""
    return empty_tensor((*shape[:-2], shape[-1], shape[-2]), dtype).transpose(-2, -1)


def real_dtype(dtype):
    """The dtype of a real part."""
    return {"complex64": torch.float32, "complex128": torch.float64}.get(dtype.name, dtype)


def transposed(x):
    return x.transpose(-2, -1)


def adjoint(x):
    """The conjugate transposes of a stack of matrices."""
    return conjugate(x.transpose(-2, -1))


def antisymmetric(x):
    return x - adjoint(x)


def symmetric(x):
    return x + adjoint(x)


def diagonal_of(x):
    return x.diagonal(0, -2, -1)


def real_part(x):
    return x.real if x.is_complex() else x


def batch_of(A, B):
    """The shape of the batch of two stacks, with the error of an op of two tensors."""
    return broadcast_two(tuple(A.shape[:-2]), tuple(B.shape[:-2]))


REASONS = (
    ("inv", "The diagonal element {0} is zero, the inversion could not be completed because the input matrix is singular."),
    ("solve", "The solver failed because the input matrix is singular."),
    (
        "cholesky",
        "The factorization could not be completed because the input is not positive-definite (the leading minor of order {0} is "
        "not positive-definite).",
    ),
    (
        "eig",
        "The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated eigenvalues (error "
        "code: {0}).",
    ),
)


def raise_failures(name, infos):
    """Raises for the first matrix on which LAPACK failed, with the reason that belongs to the name."""
    if name is None or infos.numel() == 0 or infos.is_meta:
        return
    flat = infos.reshape(-1)
    failed = flat.nonzero()
    if not failed.numel():
        return
    place = int(failed[0, 0])
    where = f"{name}: (Batch element {place}): " if infos.dim() else f"{name}: "
    reason = next(text for word, text in REASONS if word in name)
    raise LinAlgError(where + reason.format(int(flat[place])))


def written(name, out, value):
    """A result put into `out=`, which has to have its dtype."""
    if isinstance(out, torch.Tensor) and out.dtype is not value.dtype:
        raise RuntimeError(f"Expected out tensor to have dtype {c_name(value.dtype)}, but got {c_name(out.dtype)} instead")
    return written_out(name, out, value)


def all_written(name, out, values, exact=True):
    """Several results and their `out=`, in a tuple of the results' type."""
    if out is None:
        return values
    put = written if exact else written_out
    return type(values)([put(name, given, value) for given, value in zip(out, values, strict=True)])
