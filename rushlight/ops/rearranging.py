"""Copies: of a whole tensor, in another order, repeated, or written into part of another."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops import shape
from rushlight.ops._declare import Sizes, composite, kernel, op, underived
from rushlight.ops._rules import c_name, warn_of_real_part
from rushlight.ops._views import copied, zeros
from rushlight.ops.creation import settled
from rushlight.ops.shape import one_sequence


# ---------------------------------------------------------------------------------------------------------- whole copies
def format_strides(sizes, memory_format):
    """Strides with the channels (dimension 1) innermost."""
    ndim = 4 if memory_format is torch.channels_last else 5
    if len(sizes) != ndim:
        raise RuntimeError(f"required rank {ndim} tensor to use channels_last{'' if ndim == 4 else '_3d'} format")
    strides, step = [0] * ndim, 1
    for d in (1, *range(ndim - 1, 1, -1), 0):
        strides[d] = step
        step *= max(sizes[d], 1)
    return strides


def empty_in_format(x, memory_format):
    if memory_format is None or memory_format is torch.preserve_format:
        return core.empty_like_layout(x)
    if memory_format is torch.contiguous_format:
        return core.empty_tensor(x.shape, x.dtype)
    return core.empty_tensor(x.shape, x.dtype, format_strides(x.shape, memory_format))


@op(vjp=lambda g: g, linear=True, out=False, batch="elementwise.clone", takes_lazy=True)
def clone(x, *, memory_format=None):
    """A copy of `x`, recorded; it keeps dense strides.

    >>> import rushlight
    >>> rushlight.tensor([1., 2.], requires_grad=True).clone()
    tensor([1., 2.], grad_fn=<CloneBackward0>)
    """
    out = empty_in_format(x, memory_format)
    core.copy_elements(out, x)
    return out


@composite(function=False, method="*, memory_format memory_format=contiguous_format")
def contiguous(self, memory_format=core.contiguous_format):
    """`self` in row-major order: itself, or a copy."""
    if memory_format is torch.preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    return self if self.is_contiguous(memory_format=memory_format) else self.clone(memory_format=memory_format)


@op(
    vjp=lambda g, x_shape, dim, start, length: shape.slice.gradient(g, x_shape, dim, start, start + length, 1),
    linear=True,
    batch="elementwise.composed",
)
def narrow_copy(x, dim, start, length):
    """A copy of `narrow`."""
    if 0 < x.ndim <= dim:
        raise RuntimeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  (Could this error message be improved?  "
            "If so, please report an enhancement request to PyTorch.)"
        )
    if length < 0:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({x.shape[dim]}).")
    return x.narrow(dim, start, length).clone(memory_format=torch.contiguous_format)


# ---------------------------------------------------------------------------------------------------------- cotangents of views
@op(
    vjp=lambda g, dim, size, step: g.unfold(dim, size, step),
    linear=True,
    function=False,
    method=False,
    batch="rearranging.unfold_backward",
)
def unfold_backward(x, input_sizes, dim, size, step):
    """The windows `x` added up where they lay: the cotangent of `unfold`."""
    if not len(input_sizes):
        return x.reshape(())
    dim = wrap_dim(dim, len(input_sizes))
    places = torch.arange(input_sizes[dim]).unfold(0, size, step).reshape(-1)
    return zeros(input_sizes, x.dtype).index_add_(dim, places, x.movedim(-1, dim + 1).flatten(dim, dim + 1))


def window_of(g, count, base_size, base_stride, base_start, view_size, view_stride, view_start):
    places = torch.arange(count)
    base_places = places.as_strided(base_size, base_stride, base_start).reshape(-1)
    memory = g.new_zeros(count).index_copy(0, base_places, g.reshape(-1))
    return memory.index_select(0, places.as_strided(view_size, view_stride, view_start).reshape(-1)).reshape(view_size)


@op(vjp=window_of, linear=True, function=False, method=False, batch="rearranging.window_gradient")
def _window_gradient(x, count, base_size, base_stride, base_start, view_size, view_stride, view_start):
    """`x` laid into `count` zeros in one geometry and read in another; neither overlaps itself."""
    memory = zeros((count,), x.dtype)
    kernel("copy")(memory.as_strided(view_size, view_stride, view_start), x)
    out = memory.as_strided(base_size, base_stride, base_start)
    return (
        out.clone()
        if out.storage_offset()
        else core.tensor_on_storage(core.storage_of(memory), x.dtype, 0, base_size, base_stride)
    )


# ---------------------------------------------------------------------------------------------------------- written into a part
def scattering(part):
    """The body of a `…_scatter` op: a copy of `x` with one part of it replaced by `src`."""

    def scatter(x, src, *where):
        out = core.copy_of_memory(x)
        target = part(out, *where)
        if target.shape != src.shape:
            raise RuntimeError(
                f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(target.shape)}"
            )
        core.check_no_overlap(target)
        warn_of_real_part(src, x.dtype)
        core.copy_elements(target, src)
        return out

    return scatter


scatter_diagonal = scattering(shape.diagonal)
scatter_select = scattering(shape.select)
scatter_slice = scattering(shape.slice)
scatter_window = scattering(shape.as_strided)


@op(
    vjp={
        "x": lambda g, src_shape, offset, dim1, dim2: torch.diagonal_scatter(g, g.new_zeros(src_shape), offset, dim1, dim2),
        "src": lambda g, offset, dim1, dim2: g.diagonal(offset, dim1, dim2),
    },
    linear=True,
    batch="rearranging.scatter",
    real_part=False,
    out=False,
    fills_copy=True,
)
def diagonal_scatter(x, src, offset=0, dim1=0, dim2=1):
    """A copy of `x` whose diagonal is `src`."""
    return scatter_diagonal(x, src, offset, dim1, dim2)


@op(
    real=True,
    vjp={
        "x": lambda g, src_shape, dim, index: torch.select_scatter(g, g.new_zeros(src_shape), dim, index),
        "src": lambda g, dim, index: g.select(dim, index),
    },
    linear=True,
    batch="rearranging.scatter",
    signature="Tensor input, Tensor src, int dim, index index",
    fills_copy=True,
)
def select_scatter(x, src, dim, index):
    """A copy of `x` in which one slice along `dim` is `src`."""
    return scatter_select(x, src, dim, index)


@op(
    real=True,
    vjp={
        "x": lambda g, src_shape, dim, start, end, step: torch.slice_scatter(g, g.new_zeros(src_shape), dim, start, end, step),
        "src": lambda g, dim, start, end, step: shape.slice(g, dim, start, end, step),
    },
    linear=True,
    batch="rearranging.scatter",
    fills_copy=True,
)
def slice_scatter(x, src, dim=0, start=None, end=None, step=1):
    """A copy of `x` in which [start:end:step] along `dim` is `src`."""
    return scatter_slice(x, src, dim, start, end, step)


@op(
    vjp={
        "x": lambda g, src_shape, size, stride, storage_offset: torch.as_strided_scatter(
            g.contiguous(), g.new_zeros(src_shape), size, stride, storage_offset
        ),
        "src": lambda g, size, stride, storage_offset: g.contiguous().as_strided(size, stride, storage_offset),
    },
    linear=True,
    batch="rearranging.as_strided_scatter",
    out=False,
    fills_copy=True,
)
def as_strided_scatter(x, src, size, stride, storage_offset=None):
    """A copy of `x` in which a window of any geometry is `src`."""
    return scatter_window(x, src, size, stride, storage_offset)


# ---------------------------------------------------------------------------------------------------------- repeated
def repeat_gradient(g, x_shape, repeats):
    """The sum over the copies."""
    if 0 in repeats:
        return g.new_zeros(x_shape)
    for _ in range(len(repeats) - len(x_shape)):
        g = g.sum(0)
    repeats = repeats[len(repeats) - len(x_shape) :]
    sizes, dims = [], []
    for repeat, size in zip(repeats, x_shape):
        if repeat != 1:
            dims.append(len(sizes))
            sizes.append(repeat)
        sizes.append(size)
    return g.reshape(sizes).sum(dims) if dims else g


def interleaved(repeats, sizes):
    """[r0, s0, r1, s1, …]: a repeated tensor with the repeats as dimensions of their own."""
    sizes = (1,) * (len(repeats) - len(sizes)) + tuple(sizes)
    return [size for pair in zip(repeats, sizes) for size in pair]


@op(
    vjp=lambda g, x_shape, repeats: repeat_gradient(g, x_shape, (repeats,) if isinstance(repeats, int) else repeats),
    linear=True,
    function=False,
    out=False,
    batch="rearranging.repeat",
    method="sizes repeats",
)
def repeat(x, repeats: Sizes):
    """`x` as often as `repeats` says along each dimension, as a copy.

    >>> import rushlight
    >>> rushlight.tensor([1, 2]).repeat(2)
    tensor([1, 2, 1, 2])
    """
    repeats = (repeats,) if isinstance(repeats, int) else tuple(repeats)
    if len(repeats) < x.ndim:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor")
    lead = len(repeats) - x.ndim
    sizes = (1,) * lead + tuple(x.shape)
    out = core.empty_tensor([n * size for n, size in zip(repeats, sizes)], x.dtype)
    if out.numel():
        paired = interleaved(repeats, sizes)
        strides = [step for stride in (0,) * lead + x.stride() for step in (0, stride)]
        kernel("copy")(out.view(paired), x.as_strided(paired, strides, x.storage_offset()))
    return out


repeat.keywords["sizes"] = 1


@composite(signature="Tensor input, sizes dims")
def tile(input, *dims, reps=None):
    """`input` repeated as NumPy's tile does: missing repeats are 1."""
    dims = tuple(one_sequence(dims)) if reps is None else tuple(reps)
    return input.repeat((1,) * (input.ndim - len(dims)) + dims)


# ---------------------------------------------------------------------------------------------------------- another order
@op(vjp=lambda g, dims: g.flip(dims), linear=True, out=False, batch="rearranging.flip")
def flip(x, dims: Sizes):
    """The order of the elements reversed along `dims`."""
    mask = 0
    for dim in (dims,) if isinstance(dims, int) else dims:
        bit = 1 << wrap_dim(dim, x.ndim)
        if mask & bit:
            raise RuntimeError(f"dim {dim} appears multiple times in the list of dims")
        mask |= bit
    out = core.empty_like_layout(x)
    kernel("flip")(out, x, mask if x.ndim else 0)
    return out


@composite
def fliplr(input):
    """The order of the columns reversed."""
    if input.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return input.flip(1)


@composite
def flipud(input):
    """The order of the rows reversed."""
    if input.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return input.flip(0)


@op(
    vjp=lambda g, k, dims: torch.rot90(g, -k, dims),
    linear=True,
    out=False,
    batch="elementwise.composed",
    signature="Tensor input, int k=1, ints dims={0,1}",
)
def rot90(x, k=1, dims=(0, 1)):
    """`x` turned `k` times by 90 degrees, from the first of `dims` toward the second."""
    if len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {len(dims)}")
    if x.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {x.ndim}")
    first, second = (wrap_dim(dim, x.ndim) for dim in dims)
    if first == second:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    if k % 4 == 0:
        return x.clone(memory_format=torch.contiguous_format)
    if k % 4 == 2:
        return x.flip(dims)
    return x.flip(second if k % 4 == 1 else first).transpose(first, second)


def opposite(shifts):
    return -shifts if isinstance(shifts, int) else [-shift for shift in shifts]


@op(
    vjp=lambda g, shifts, dims: g.roll(opposite(shifts), dims),
    linear=True,
    out=False,
    batch="rearranging.roll",
    signature="Tensor input, sizes[1] shifts, ints[1] dims=None",
)
def roll(x, shifts, dims=()):
    """The elements shifted along `dims` (of the flattened tensor without), those that fall off coming back at the start."""
    shifts = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    dims = (dims,) if isinstance(dims, int) else () if dims is None else tuple(dims)
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        return x.contiguous().view(-1).roll(shifts, 0).view(x.shape)
    if dims and not x.ndim:
        raise IndexError(f"Dimension specified as {dims[0]} but tensor has no dimensions")
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    by_dim = [0] * x.ndim
    for shift, dim in zip(shifts, dims):
        dim = wrap_dim(dim, x.ndim)
        if x.ndim:
            by_dim[dim] += shift
    out = core.empty_tensor(x.shape, x.dtype)
    kernel("roll")(out, x, *by_dim)
    return out


# ---------------------------------------------------------------------------------------------------------- diagonals and triangles
@op(vjp=lambda g, offset, dim1, dim2: g.diagonal(offset, dim1, dim2), linear=True, batch="rearranging.diag_embed", out=False)
def diag_embed(x, offset=0, dim1=-2, dim2=-1):
    """Matrices (over the new dimensions `dim1` and `dim2`) whose diagonals are the last dimension of `x`."""
    ndim = x.ndim + 1
    first, second = wrap_dim(dim1, ndim), wrap_dim(dim2, ndim)
    if first == second:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    side = x.shape[-1] + abs(offset)
    sizes = list(x.shape[:-1])
    for d in sorted((first, second)):
        sizes.insert(d, side)
    out = zeros(sizes, x.dtype)
    kernel("copy")(out.diagonal(offset, first, second), x)
    return out


@composite(signature="Tensor input, int diagonal=0, *, out")
def diag(input, diagonal=0, *, out=None):
    """The diagonal of a matrix, or the matrix with a vector as diagonal."""
    if input.ndim not in (1, 2):
        raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.ndim}D")
    made = torch.diag_embed(input, diagonal) if input.ndim == 1 else torch.diagonal_copy(input, diagonal)
    return made if out is None else core.written_out("diag", out, made)


@composite
def diagflat(input, offset=0):
    """The matrix whose diagonal is the flattened `input`."""
    return input.contiguous().view(-1).diag(offset)


def triangle(name, article):
    """tril or triu."""

    def body(x, diagonal=0):
        if x.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions")
        out = core.empty_tensor(x.shape, x.dtype)
        kernel(name)(out, x, max(-x.shape[-2], min(diagonal, x.shape[-1])))
        return out

    body.__name__ = name
    body.__doc__ = f"The {article} triangle of each matrix, zeros elsewhere."
    return op(
        vjp=lambda g, diagonal: getattr(g, name)(diagonal),
        linear=True,
        inplace=True,
        apart=None,
        expanded=True,
        batch="rearranging.triangle",
    )(body)


tril = triangle("tril", "lower")
triu = triangle("triu", "upper")


@op(
    vjp=lambda g, x_shape: shape.diagonal.gradient(g.expand(min(x_shape)), x_shape, 0, 0, 1),
    linear=True,
    batch="elementwise.composed",
    out=False,
)
def trace(x):
    """The sum of a matrix's diagonal."""
    if x.dtype is torch.bool:
        raise NotImplementedError("\"trace\" not implemented for 'Bool'")
    if x.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {x.ndim}")
    return x.diagonal().sum()


# ---------------------------------------------------------------------------------------------------------- several tensors
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


# ---------------------------------------------------------------------------------------------------------- other memory
@composite(function=False, method="sizes size, *, memory_format? memory_format=None")
def resize_(self, *sizes, memory_format=None):
    """Other sizes in place; what memory holds stays, new elements are unset."""
    return resized(self, tuple(one_sequence(sizes)), memory_format)


def resized(x, sizes, memory_format):
    """Other sizes in place; where deterministic algorithms are asked for, more memory is filled as new memory is."""
    if not core.fills_unset():
        return core.resize_tensor(x, sizes, memory_format)
    before = x.untyped_storage().nbytes() // x.element_size()
    core.resize_tensor(x, sizes, memory_format)
    more = x.untyped_storage().nbytes() // x.element_size() - before
    if more > 0:
        settled(core.tensor_on_storage(x.untyped_storage(), x.dtype, before, (more,), (1,)))
    return x


@composite(signature="Tensor input, Tensor the_template, *, memory_format? memory_format=None")
def resize_as_(self, the_template, memory_format=None):
    """The sizes of another tensor, in place."""
    if memory_format is core.preserve_format:
        memory_format = torch.contiguous_format
        for format in (torch.channels_last, torch.channels_last_3d):
            if not the_template.is_contiguous() and the_template.is_contiguous(memory_format=format):
                memory_format = format
    return resized(self, tuple(the_template.shape), memory_format)


core.asked.format_strides = format_strides


@composite(
    function=False,
    method=(
        " | storage source | storage source, index storage_offset, sizes size, sizes stride=None | Tensor source | "
        "Tensor source, index storage_offset, sizes size, sizes stride=None"
    ),
)
def set_(self, source=None, storage_offset=0, size=None, stride=None):
    """Takes on the memory, sizes and strides of `source`: a tensor, or a storage with sizes and strides."""
    if torch.is_grad_enabled() and self.requires_grad and self.is_leaf:
        raise core.documented(
            RuntimeError("a leaf Variable that requires grad is being used in an in-place operation."), "leaf_in_place"
        )
    if source is None:
        source = core.empty_tensor((0,), self.dtype)
    if isinstance(source, torch.TypedStorage) and source.dtype is not self.dtype:
        raise RuntimeError(
            f"Expected a Storage of type {c_name(self.dtype)} or an UntypedStorage, but got type {source.dtype.legacy_name} for "
            "argument 1 'storage'"
        )
    if not isinstance(source, torch.Tensor):
        source = source.untyped() if isinstance(source, core.Storage) else source._untyped_storage
        size = (len(source) // self.dtype.itemsize,) if size is None else size
        source = core.tensor_on_storage(source, self.dtype, storage_offset, size, stride, grows=True)
    elif size is not None:
        source = core.tensor_on_storage(core.storage_of(source), source.dtype, storage_offset, size, stride, grows=True)
    if source.dtype is not self.dtype:
        raise RuntimeError(f"Could not set tensor of type {c_name(source.dtype)} to a tensor of type {c_name(self.dtype)}")
    return core.set_memory(self, source)


@op(
    vjp=underived("derivative for aten::detach_copy is not implemented", RuntimeError),
    name="NotImplemented",
    method=False,
    out=False,
    batch="elementwise.unary",
    signature="Tensor input, *, out",
)
def detach_copy(x):
    """A copy that has no derivative."""
    return copied(x)
