"""Products with sparse matrices."""

import rushlight as torch
from rushlight.sparse._tensor import SparseTensor, coalesced, dense, flat_places, layout_name, sparse, transposed, written_to


def product(a, b):
    """The matrix product where one of both is sparse, or both."""
    if isinstance(a, SparseTensor) and isinstance(b, SparseTensor):
        return sparse(product(a, dense(b)))
    if isinstance(b, SparseTensor):
        if a.dim() == 1:
            return product(transposed(b, 0, 1), a)
        return product(transposed(b, 0, 1), a.transpose(0, 1)).transpose(0, 1)
    if a.dim() != 2 or a._places.shape[0] != 2:
        raise RuntimeError(
            f"sparse tensors: a product of matrices has two sparse dimensions, got a tensor of shape {tuple(a.shape)}"
        )
    if b.dim() not in (1, 2) or a.shape[1] != b.shape[0]:
        shapes = " and ".join(f"{x.shape[0]}x{x.shape[1] if x.dim() > 1 else 1}" for x in (a, b))
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({shapes})")
    if a.dtype is not b.dtype:
        raise RuntimeError(
            f"expected m1 and m2 to have the same dtype, but got: {a.dtype.legacy_name.lower()} != {b.dtype.legacy_name.lower()}"
        )
    rows, columns = a._places
    flat_places(a._places, a.shape)
    picked = b.index_select(0, columns)
    values = a._entries.reshape(-1, *(1,) * (b.dim() - 1))
    return picked.new_zeros((a.shape[0], *b.shape[1:])).index_add(0, rows, values * picked)


def rows_of_product(name, a, b, alpha=1):
    """Of alpha times the product of a sparse matrix and a dense one, the rows for which `a` has an element: which they are, and what is in them."""
    if a._places.shape[0] != 2:
        raise RuntimeError(f"{name}: Argument #2: matrices expected, got {a._places.shape[0]}D tensor")
    if b.dim() != 2:
        raise RuntimeError(f"{name}: Argument #3: matrices expected, got {b.dim()}D tensor")
    if b.shape[0] != a.shape[1]:
        raise RuntimeError(f"{name}: Argument #3: Expected dim 0 size {a.shape[1]}, got {b.shape[0]}")
    if a.dtype is not b.dtype:
        raise RuntimeError(f"expected scalar type {a.dtype.legacy_name} but found {b.dtype.legacy_name}")
    a = coalesced(a)
    rows, places = torch.unique(a._places[0], return_inverse=True)
    products = (a._entries * alpha).unsqueeze(1) * b.index_select(0, a._places[1])
    return rows, products.new_zeros((rows.numel(), b.shape[1])).index_add(0, places, products)


def of_rows(a, b, *, out=None):
    """The product of a sparse matrix and a dense one, whose entries are the rows that are not zero."""
    if a._order is not torch.sparse_coo:
        raise NotImplementedError(f"Could not run 'aten::hspmm' with arguments from the '{layout_name(a)}CPU' backend.")
    rows, values = rows_of_product("hspmm", a, dense(b))
    return written_to(out, SparseTensor(rows.unsqueeze(0), values, (a.shape[0], b.shape[1]), False))


def sparse_sum(x, mat1, mat2, *, beta=1, alpha=1, out=None):
    """beta·x + alpha·mat1·mat2 of sparse `x` and `mat1` and a dense matrix `mat2`: the elements of `x`, and behind them the rows of the product."""
    if not isinstance(x, SparseTensor | None):
        raise RuntimeError("tensor.sspaddmm(...) can only be called on sparse tensors")
    if mat2.layout is not torch.strided:
        raise RuntimeError(f"sspaddmm: expected 'mat2' to have strided layout, got 'mat2' with layout {layout_name(mat2)}")
    if mat1.layout is not torch.sparse_coo:
        raise RuntimeError(f"sspaddmm: expected 'mat1' to have sparse layout, got 'mat1' with layout {layout_name(mat1)}")
    rows, values = rows_of_product("sspaddmm", mat1, mat2, alpha)
    shape = mat1.shape[0], mat2.shape[1]
    for dim in (0, 1):
        if x is not None and x.shape[dim] != shape[dim]:
            raise RuntimeError(f"sspaddmm: Argument #1: Expected dim {dim} size {shape[dim]}, got {x.shape[dim]}")
    places = torch.stack([rows.repeat_interleave(shape[1]), torch.arange(shape[1]).repeat(rows.numel())])
    values = values.flatten()
    if x is not None:
        if x.dtype is not mat1.dtype:
            raise RuntimeError(
                f"dtype of values ({mat1.dtype.legacy_name}) must match dtype of sparse tensor ({x.dtype.legacy_name})"
            )
        places, values = torch.cat([x._places, places], 1), torch.cat([x._entries * beta, values])
    return written_to(out, SparseTensor(places, values, shape, False))


def product_as_sparse(a, b):
    """The rows of the product of a sparse matrix and a dense one, as a sparse tensor."""
    return sparse_sum(None if isinstance(a, SparseTensor) else a, a, b)
