"""A tensor in several pieces, all of them views."""

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import composite
from rushlight.ops._views import copying_function
from rushlight.ops._views import view as shares_memory
from rushlight.ops.parts import slice as cut


def listed(g, shape_of):
    """The cotangents of several pieces, zeros of the shape that `shape_of(place)` has where a piece went unused."""
    if isinstance(g, torch.Tensor):
        return (g,)
    for piece in g:
        if piece is None:
            break
    else:
        return g
    like = next(piece for piece in g if piece is not None)
    return [like.new_zeros(shape_of(place)) if piece is None else piece for place, piece in enumerate(g)]


def unbound_gradient(g, x_shape, dim):
    dim = wrap_dim(dim, len(x_shape))
    return torch.stack(listed(g, lambda place: x_shape[:dim] + x_shape[dim + 1 :]), dim)


@shares_memory(vjp=unbound_gradient, several=True, overload="int")
def unbind(x, dim=0):
    """The slices of `x` along `dim`, each without that dimension."""


def split_gradient(g, x_shape, split_sizes, dim):
    if type(g) is tuple and core.all_defined(g):
        return torch.cat(g, dim)
    dim = wrap_dim(dim, len(x_shape))
    return torch.cat(listed(g, lambda place: x_shape[:dim] + (split_sizes[place],) + x_shape[dim + 1 :]), dim)


def splitting(entry, name, listing, linked=True):
    """The op that splits, under the name that its node shows; PyTorch's one of a list of sizes is called `listing`."""

    @shares_memory(
        vjp=split_gradient,
        several=True,
        linked=linked,
        entry=entry,
        name=name,
        overload=f"{listing}.default",
        public="split",
        function=False,
        method=False,
    )
    def split(x, split_sizes, dim=0):
        """`x` cut along `dim` into pieces of the given sizes."""

    return split


split_evenly = splitting("split", "SplitBackward0", "split_with_sizes")
split_as_listed = splitting("split_with_sizes", "SplitWithSizesBackward0", "split_with_sizes")
split_evenly_unsafely = splitting("unsafe_split", "UnsafeSplitBackward0", "unsafe_split_with_sizes", False)
split_as_listed_unsafely = splitting("unsafe_split_with_sizes", "UnsafeSplitWithSizesBackward0", "unsafe_split_with_sizes", False)


copying_function("split_with_sizes", "Tensor input, sizes split_sizes, int dim=0", True)(split_as_listed.copy)


@copying_function("split", "Tensor input, int split_size, int dim=0", True)
def split_copy(tensor, split_size, dim=0):
    return split_evenly.copy(tensor, even_sizes(tensor, split_size, dim), dim)


@composite(name="split_with_sizes")
def split_with_sizes(input, split_sizes, dim=0) -> "tuple[torch.Tensor, ...]":
    """`input` cut along `dim` into pieces of the given sizes."""
    return split_as_listed(input, split_sizes, dim)


@composite(method=False, signature=None)
def split(tensor, split_size_or_sections, dim=0) -> "tuple[torch.Tensor, ...]":
    """`tensor` cut along `dim` into pieces of one size (the last may be smaller), or of the sizes listed.

    Args:
        tensor: the tensor.
        split_size_or_sections: the size of a piece, or the list of their sizes.
        dim: the dimension along which.

    >>> import rushlight as torch
    >>> torch.split(torch.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> torch.split(torch.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    size = split_size_or_sections
    if not isinstance(tensor, torch.Tensor):
        return tensor.split(size, dim)
    if isinstance(size, torch.Tensor) and size.numel() == 1:
        size = int(size)
    if not isinstance(size, int):
        check_sizes(tensor, size, dim)
        return split_as_listed(tensor, size, dim)
    check_split(tensor, size, dim)
    return split_evenly(tensor, even_sizes(tensor, size, dim), dim)


check_sizes = core.Parser("split_with_sizes")
check_split = core.Parser("split", "Tensor input, index|sizes split_size, int dim=0")


def even_sizes(tensor, size, dim):
    """The sizes of the pieces where all but the last are of size `size`."""
    if tensor.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    length = tensor.size(dim)
    if size == 0 and length:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {length}")
    whole, rest = divmod(length, size) if size else (1, 0)
    return core.repeated((size,), whole) + ((rest,) if rest or not whole else ())


@composite(function=False, name="split")
def split_method(self, split_size, dim=0) -> "tuple[torch.Tensor, ...]":
    """`self` cut along `dim` into pieces of one size (the last may be smaller), or of the sizes listed.

    Args:
        split_size: the size of a piece, or the list of their sizes.
        dim: the dimension along which.

    >>> import rushlight as torch
    >>> torch.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> torch.arange(5).split([1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    return split(self, split_size, dim)


def sizes_of_chunks(input, chunks, dim):
    """The sizes of at most `chunks` pieces, all 0 where there is nothing to cut."""
    if input.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    length = input.size(dim)
    size = -(-length // chunks)
    return even_sizes(input, size, dim) if size else core.repeated((0,), chunks)


@composite
def chunk(input, chunks, dim=0) -> "tuple[torch.Tensor, ...]":
    """`input` cut along `dim` into (at most) `chunks` pieces of one size, the last of which may be smaller."""
    sizes = sizes_of_chunks(input, chunks, dim)
    return (split_evenly if sizes[0] else split_as_listed)(input, sizes, dim)


@composite
def unsafe_split(input, split_size, dim=0) -> "tuple[torch.Tensor, ...]":
    """`split` into pieces that may be written to in place: no views, with versions of their own, though they share the memory."""
    return split_evenly_unsafely(input, even_sizes(input, split_size, dim), dim)


@composite
def unsafe_split_with_sizes(input, split_sizes, dim=0) -> "tuple[torch.Tensor, ...]":
    """`split_with_sizes` into pieces that may be written to in place, as those of `unsafe_split`."""
    return split_as_listed_unsafely(input, split_sizes, dim)


@composite
def unsafe_chunk(input, chunks, dim=0) -> "tuple[torch.Tensor, ...]":
    """`chunk` into pieces that may be written to in place, as those of `unsafe_split`."""
    sizes = sizes_of_chunks(input, chunks, dim)
    return (split_evenly_unsafely if sizes[0] else split_as_listed_unsafely)(input, sizes, dim)


@composite(
    signature=(
        "Tensor input, sizes indices, int dim=0 | Tensor input, Tensor tensor_indices_or_sections, int dim=0 | "
        "Tensor input, index sections, int dim=0"
    )
)
def tensor_split(input, indices_or_sections=None, dim=0, *, indices=None, sections=None) -> "tuple[torch.Tensor, ...]":
    """`input` cut along `dim` into that many nearly equal pieces, or before each of the indices listed."""
    cuts = next(given for given in (indices_or_sections, indices, sections) if given is not None)
    if input.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    if isinstance(cuts, torch.Tensor):
        if cuts.dtype is not torch.int64:
            raise RuntimeError(
                f"tensor_split expected tensor_indices_or_sections to have dtype of long, but got {cuts.dtype.legacy_name}"
            )
        if cuts.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, but got a tensor "
                f"with {cuts.ndim} dims"
            )
        cuts = cuts.tolist()
    length = input.size(dim)
    if isinstance(cuts, int):
        if cuts <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {cuts}")
        size, longer = divmod(length, cuts)
        ends = core.repeated([length], cuts)
        for place in range(1, cuts):
            ends[place - 1] = place * size + min(place, longer)
    else:
        ends = [*cuts, length]
    return tuple(cut(input, dim, start, end, 1) for start, end in zip([0, *ends], ends))


def split_along(name, least, which, dim_of):
    """hsplit, vsplit or dsplit: tensor_split along one dimension, into equal parts."""

    def split_equally(input, indices_or_sections=None, *, indices=None, sections=None) -> "tuple[torch.Tensor, ...]":
        cuts = next(given for given in (indices_or_sections, indices, sections) if given is not None)
        if input.ndim < least:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {least} dimension, but got a tensor with {input.ndim} dimensions!"
            )
        dim = dim_of(input)
        if isinstance(cuts, int) and (cuts == 0 or input.size(dim) % cuts):
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {dim}, but the size of the dimension {input.size(dim)} is not "
                f"divisible by the split_size {cuts}!"
            )
        return tensor_split(input, cuts, dim)

    split_equally.__name__ = split_equally.__qualname__ = name
    split_equally.__doc__ = f"`input` cut along its {which} dimension, as by `tensor_split`, into equal parts."
    return composite(split_equally, signature="Tensor input, int sections | Tensor input, ints indices")


hsplit = split_along("hsplit", 1, "second (a vector: only)", lambda x: 0 if x.ndim == 1 else 1)
vsplit = split_along("vsplit", 2, "first", lambda x: 0)
dsplit = split_along("dsplit", 3, "third", lambda x: 2)
