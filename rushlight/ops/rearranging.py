"""Copies: of a whole tensor, in another order, repeated, or written into part of another."""

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import Sizes, composite, kernel, op, underived
from rushlight.ops._rules import c_name
from rushlight.ops._views import copied, zeros
from rushlight.ops.creation import settled
from rushlight.ops.parts import diagonal
from rushlight.ops.parts import slice as cut
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
    vjp=lambda g, x_shape, dim, start, length: cut.gradient(g, x_shape, dim, start, start + length, 1),
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
    vjp=lambda g, x_shape: diagonal.gradient(g.expand(min(x_shape)), x_shape, 0, 0, 1),
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
