"""Norms of matrices, and the norm that chooses between those and norms of vectors."""

import math

import rushlight as torch
from rushlight.core import written_out
from rushlight.ops._outputs import check_out
from rushlight.ops._parsers import signed
from rushlight.ops.norms import check_norm_dtype, check_order, vector_norm
from rushlight.ops.shape import inverse_permutation


def check_matrix(x, dim, ord):
    """The two dimensions, non-negative, for a norm of matrices."""
    check_order("linalg.matrix_norm", ord)
    known = ("fro", "nuc") if isinstance(ord, str) else (1, -1, 2, -2, math.inf, -math.inf)
    if ord not in known:
        shown = ord if isinstance(ord, str) else f"{ord:g}"
        raise RuntimeError(f"linalg.matrix_norm: Order {shown} not supported.")
    if x.dim() < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    if not (x.is_floating_point() or x.is_complex()):
        raise RuntimeError(f"linalg.matrix_norm: Expected a floating point or complex tensor as input. Got {x.dtype.legacy_name}")
    if x.dtype.itemsize == 2 and ord in ("nuc", 2, -2):
        raise RuntimeError(f"linalg.matrix_norm: Low precision dtypes not supported. Got {x.dtype.legacy_name}")
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dims) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dims))}")
    for d in dims:
        if not -x.dim() <= d < x.dim():
            raise IndexError(f"Dimension out of range (expected to be in range of [{-x.dim()}, {x.dim() - 1}], but got {d})")
    if dims[0] % x.dim() == dims[1] % x.dim():
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dims[0]}, {dims[1]})")
    return dims[0] % x.dim(), dims[1] % x.dim()


def check_dtype(name, out, dtype):
    """The dtype of `out=` is that of the norms of numbers of `dtype`; what has no norm is refused later."""
    if dtype.is_floating_point or dtype.is_complex:
        check_out(name, out, dtype.to_real())


@signed(
    "Tensor input, Number ord, ints dim={-2,-1}, bool keepdim=False, *, dtype? dtype=None, out | "
    'Tensor input, str ord="fro", ints dim={-2,-1}, bool keepdim=False, *, dtype? dtype=None, out',
    "linalg_",
)
def matrix_norm(input, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None, out=None):
    """The norm of the matrices in the dimensions `dim`.

    `ord` is "fro" (Frobenius), "nuc" (the sum of the singular values), 2 or -2 (the largest or smallest singular value), 1 or
    -1 (the largest or smallest sum of a column's absolute values), inf or -inf (of a row's).

    >>> import rushlight
    >>> rushlight.linalg.matrix_norm(rushlight.tensor([[1., -2.], [3., 4.]]), 1)
    tensor(6.)
    """
    rows, columns = check_matrix(input, dim, ord)
    check_norm_dtype("linalg.matrix_norm", input, dtype)
    check_dtype("linalg_matrix_norm", out, dtype or input.dtype)
    if ord == "fro":
        return vector_norm(input, 2, (rows, columns), keepdim, dtype=dtype, out=out)
    if ord in ("nuc", 2, -2):
        made = singular_value_norm(input if dtype is None else input.to(dtype), ord, rows, columns, keepdim)
    else:
        if abs(ord) == math.inf:
            rows, columns = columns, rows
        sums = vector_norm(input, 1, rows, keepdim, dtype=dtype)
        if not keepdim and columns > rows:
            columns -= 1
        made = greatest(sums, columns, keepdim) if ord > 0 else sums.amin(columns, keepdim)
    return made if out is None else written_out("linalg_matrix_norm", out, made)


def greatest(values, dim, keepdim):
    """The greatest of values that are not negative: 0 where there are none."""
    return values.amax(dim, keepdim) if values.shape[dim] else values.sum(dim, keepdim)


def singular_value_norm(x, ord, rows, columns, keepdim):
    """The norms that singular values give."""
    order = [d for d in range(x.dim()) if d not in (rows, columns)] + [rows, columns]
    values = torch.linalg.svdvals(x.permute(order))
    made = values.sum(-1, keepdim) if ord == "nuc" else greatest(values, -1, keepdim) if ord > 0 else values.amin(-1, keepdim)
    return made.unsqueeze(-1).permute(inverse_permutation(order)) if keepdim else made


@signed(
    "Tensor input, Number? ord=None, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, out | "
    "Tensor input, str ord, ints[1]? dim=None, bool keepdim=False, *, dtype? dtype=None, out",
    "linalg_",
)
def norm(input, ord=None, dim=None, keepdim=False, *, out=None, dtype=None):
    """A norm of vectors where `dim` is one dimension (or `ord` is None and everything counts), of matrices where it is two.

    >>> import rushlight
    >>> rushlight.linalg.norm(rushlight.tensor([3., 4.]))
    tensor(5.)
    """
    dims = (dim,) if isinstance(dim, int) else None if dim is None else tuple(dim)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if dims is None and ord is not None and input.dim() not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {input.dim()}D.")
    check_dtype("linalg_norm", out, dtype or input.dtype)
    matrices = isinstance(ord, str) or (ord is not None and len(dims if dims is not None else input.shape) == 2)
    if matrices:
        return matrix_norm(input, ord, (-2, -1) if dims is None else dims, keepdim, dtype=dtype, out=out)
    return vector_norm(input, 2 if ord is None else ord, dims, keepdim, dtype=dtype, out=out)


@signed("Tensor A, *, int offset=0, int dim1=-2, int dim2=-1", "linalg_")
def diagonal(A, *, offset=0, dim1=-2, dim2=-1):
    """The diagonals of the matrices in two dimensions (by default the last two), as the last dimension."""
    return torch.diagonal(A, offset, dim1, dim2)


@signed("Tensor x, *, index? N=None", "linalg_")
def vander(x, *, N=None):
    """The matrices whose columns are the powers 0, …, N - 1 of the vectors in the last dimension.

    >>> import rushlight
    >>> rushlight.linalg.vander(rushlight.tensor([2, 3]), N=3)
    tensor([[1, 2, 4],
            [1, 3, 9]])
    """
    if x.dtype.name in ("bool", "float16", "bfloat16"):
        raise RuntimeError(f"linalg.vander supports floating point, complex, and integer tensors, but got {x.dtype.legacy_name}")
    x = x if x.is_floating_point() or x.is_complex() else x.long()
    x = x if x.dim() else x.unsqueeze(0)
    count = x.size(-1) if N is None else N
    if count <= 1:
        raise RuntimeError("N must be greater than 1.")
    columns = x.unsqueeze(-1).expand(*x.shape, count - 1).cumprod(-1)
    return torch.cat([x.new_ones((*x.shape, 1)), columns], -1)
