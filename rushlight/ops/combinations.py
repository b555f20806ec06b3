"""Several tensors put together: on the diagonal of one, as the axes of a grid, and their elements combined."""

import math

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._views import zeros


def block_places(shapes):
    """Where each block lies: (row, column, rows, columns)."""
    row = column = 0
    for sizes in shapes:
        rows, columns = sizes if len(sizes) == 2 else (1, math.prod(sizes))
        yield row, column, rows, columns
        row, column = row + rows, column + columns


@op(
    vjp=lambda g, tensors_shape: [
        g[row : row + rows, column : column + columns].reshape(sizes)
        for sizes, (row, column, rows, columns) in zip(tensors_shape, block_places(tensors_shape))
    ],
    lists=("tensors",),
    linear=True,
    name="BlockDiagBackward0",
    function=False,
    method=False,
    out=False,
    batch="rearranging.blocks_on_diagonal",
)
def blocks_on_diagonal(tensors):
    """The tensors as blocks on a diagonal."""
    for place, tensor in enumerate(tensors):
        if tensor.ndim > 2:
            raise RuntimeError(
                f"torch.block_diag: Input tensors must have 2 or fewer dimensions. Input {place} has {tensor.ndim} dimensions"
            )
    dtype = tensors[0].dtype if tensors else torch.get_default_dtype()
    places = list(block_places([tensor.shape for tensor in tensors]))
    for tensor in tensors:
        dtype = torch.promote_types(dtype, tensor.dtype)
    row, column, rows, columns = places[-1] if places else (0, 0, 1, 0)
    out = zeros((row + rows, column + columns), dtype)
    for tensor, (row, column, rows, columns) in zip(tensors, places):
        kernel("copy")(out[row : row + rows, column : column + columns], tensor.reshape(rows, columns))
    return out


check_blocks = core.Parser("block_diag", "tensors tensors")
check_mesh = core.Parser("meshgrid", "tensors tensors, *, str? indexing=None")
check_product = core.Parser("cartesian_prod", "tensors tensors")


@composite(method=False)
def block_diag(*tensors):
    """The matrix with the given matrices (vectors as rows) along its diagonal.

    Args:
        tensors: matrices, vectors and numbers, one by one.

    >>> import rushlight as torch
    >>> torch.block_diag(torch.tensor([[1, 2]]), torch.tensor([[3]]))
    tensor([[1, 2, 0],
            [0, 0, 3]])
    """
    check_blocks(tensors)
    return blocks_on_diagonal(tensors)


@composite(method=False)
def meshgrid(*tensors, indexing=None) -> "tuple[torch.Tensor, ...]":
    """Coordinates from vectors: the vectors expanded against each other, one dimension each.

    Args:
        tensors: the vectors, one by one or in a list.
        indexing: "ij", where the first vector runs along the first dimension, or "xy", where it runs along the second.

    >>> import rushlight as torch
    >>> torch.meshgrid(torch.tensor([1, 2]), torch.tensor([3, 4, 5]), indexing="ij")
    (tensor([[1, 1, 1],
            [2, 2, 2]]), tensor([[3, 4, 5],
            [3, 4, 5]]))
    """
    tensors = tuple(tensors[0]) if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    check_mesh(tensors, indexing=indexing)
    if indexing is None:
        core.warn_once("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.")
        indexing = "ij"
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for tensor in tensors:
        if tensor.dtype is not tensors[0].dtype:
            raise RuntimeError("meshgrid expects all tensors to have the same dtype")
        if tensor.device != tensors[0].device:
            raise RuntimeError("meshgrid expects all tensors to have the same device")
    for tensor in tensors:
        if tensor.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: {tensor}")
    if indexing not in ("xy", "ij"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swap = indexing == "xy" and len(tensors) >= 2
    if swap:
        tensors = (tensors[1], tensors[0], *tensors[2:])
    count = len(tensors)
    sizes = [tensor.numel() for tensor in tensors]
    grids = [tensor.view((1,) * d + (-1,) + (1,) * (count - 1 - d)).expand(sizes) for d, tensor in enumerate(tensors)]
    if swap:
        grids[:2] = grids[1], grids[0]
    return tuple(grids)


def require_vector(tensor):
    if tensor.ndim != 1:
        raise RuntimeError(f"Expect a 1D vector, but got shape {list(tensor.shape)}")


@composite(method=False)
def cartesian_prod(*tensors):
    """Every choice of one element from each vector, one a row.

    Args:
        tensors: the vectors, one by one.

    >>> import rushlight as torch
    >>> torch.cartesian_prod(torch.tensor([1, 2]), torch.tensor([3, 4]))
    tensor([[1, 3],
            [1, 4],
            [2, 3],
            [2, 4]])
    """
    check_product(tensors)
    for tensor in tensors:
        require_vector(tensor)
    if len(tensors) == 1:
        return tensors[0]
    return torch.stack([grid.flatten() for grid in meshgrid(*tensors, indexing="ij")], 1)


@composite(method=False)
def combinations(input, r=2, with_replacement=False):
    """Every choice of `r` elements of a vector, one a row."""
    require_vector(input)
    if r < 0:
        raise RuntimeError(f"Expect a non-negative number, but got {r}")
    if r == 0:
        return input.new_zeros(0)
    count = input.numel()
    shape = core.repeated((count,), r)
    if count > 1 and (r > 64 or count**r >= 1 << 63):
        raise RuntimeError("numel: integer multiplication overflow")
    if r > 64:
        return torch.stack([input if with_replacement else input[:0]] * r, 1)
    mask, places = torch.ones(shape, dtype=torch.bool), torch.arange(count).expand(shape)
    for d in range(1, r):
        left, right = (places.transpose(-1, e) for e in (d - 1, d))
        mask &= left <= right if with_replacement else left < right
    # The mask is of the lines in ascending order; a grid of the elements along each dimension goes with it.
    return torch.stack([grid.masked_select(mask) for grid in meshgrid(*[input] * r, indexing="ij")], 1)
