"""Views: other shapes over the same memory."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import Sizes, composite, namespaces
from rushlight.ops._views import copied, copying_function
from rushlight.ops._views import view as shares_memory


def one_sequence(sizes):
    """The ints of f(2, 3), f((2, 3)) or f([2, 3])."""
    return sizes[0] if len(sizes) == 1 and not hasattr(type(sizes[0]), "__index__") else sizes


# ---------------------------------------------------------------------------------------------------------- the same elements
@shares_memory(vjp=lambda g: g, method=False, function=False)
def alias(x):
    """The whole of `x` as a view."""


@composite(method=False)
def detach(input):
    """`input` cut off from its graph, over the same memory."""
    return input.detach()


@shares_memory(
    vjp=None,
    geometry="view_as_dtype",
    linked=False,
    entry="view_as_dtype",
    batch="views.view_as_dtype",
    function=False,
    method=False,
    overload="dtype",
)
def view(x, dtype):
    """The bytes of `x` read as another dtype: the same memory and version, as of detach(), without history."""


view_as_dtype = view


@shares_memory(
    vjp=lambda g, x_shape: core.reshaped(g, x_shape),
    copies=False,
    function=False,
    batch="views.view",
    method="dtype dtype | sizes size",
)
def view(x, size: Sizes):
    """`x` in another shape over the same memory, or its bytes read as another dtype.

    >>> import rushlight
    >>> rushlight.arange(6).view(2, -1).shape
    torch.Size([2, 3])
    """


view.keywords["dtype"] = 1
view.of_dtype = view_as_dtype


@copying_function("view", "Tensor input, dtype dtype | Tensor input, sizes size")
def view_copy(input, size=None, dtype=None):
    dtype = size if dtype is None else dtype
    return copied(view_as_dtype(input, dtype)) if isinstance(dtype, torch.dtype) else view.copy(input, size)


@shares_memory(
    vjp=lambda g, x_shape: core.reshaped(g, x_shape),
    geometry="view",
    linked=False,
    method=False,
    batch="views.view",
    public="view",
)
def _unsafe_view(x, size: Sizes):
    """A view of a tensor that nobody else will see (so it is not tracked as a view)."""


@shares_memory(
    vjp=lambda g, x_shape: core.reshaped(g, x_shape),
    geometry="view",
    copies=False,
    function=False,
    method=False,
    batch="views.view",
)
def _reshape_alias(x, size: Sizes):
    """What `reshape` makes of a tensor that is not contiguous, where no copy is needed: `view` under a name of its own."""


@composite(function=False, method="Tensor other")
def view_as(self, other):
    """`self` in the shape of `other`."""
    return self.view(other.shape)


@composite(signature="Tensor input, sizes shape")
@core.overloaded({"ci*": view, "cs": view})
def reshape(input, *sizes, shape=None):
    """`input` in another shape: a view where that is possible, else a copy."""
    if shape is None:
        if not sizes:
            raise TypeError('reshape() missing 1 required positional arguments: "shape"')
        shape = one_sequence(sizes)
    if core.can_view(input, shape):
        return input.view(shape) if input.is_contiguous() else _reshape_alias(input, shape)
    return _unsafe_view(input.clone(memory_format=torch.contiguous_format), shape)


@composite(function=False, method="Tensor other")
def reshape_as(self, other):
    """`self` reshaped to the shape of `other`."""
    return self.reshape(other.shape)


@composite
def ravel(input):
    """One dimension, contiguous: a view where that is possible."""
    return input.contiguous().view(-1)


@composite
def flatten(input, start_dim=0, end_dim=-1):
    """The dimensions from `start_dim` to `end_dim` as one."""
    shape = input.shape
    ndim = len(shape)
    start, end = wrap_dim(start_dim, ndim), wrap_dim(end_dim, ndim)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if ndim == 0:
        return input.reshape(1)
    if start == end:
        return input
    return input.reshape(shape[:start] + (math.prod(shape[start : end + 1]),) + shape[end + 1 :])


@composite(function=False, name="unflatten", method=None)
def unflatten_method(self, dim, sizes):
    """Dimension `dim` split into several of the given sizes, one of which may be -1.

    Args:
        dim: the dimension; negative ones count from the last.
        sizes: their product is the size of the dimension.

    >>> import rushlight as torch
    >>> torch.arange(6).unflatten(0, (2, 3))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    return torch.unflatten(self, dim, sizes)


@composite(method=False)
def unflatten(input, dim, sizes):
    """Dimension `dim` split into several of the given sizes, one of which may be -1."""
    sizes = (sizes,) if isinstance(sizes, int) else tuple(sizes)
    shape = input.shape
    if not sizes:
        raise RuntimeError("unflatten: sizes must be non-empty")
    place = wrap_dim(dim, len(shape))
    if not shape:
        raise RuntimeError("unflatten got an unexpected error:\nDimension specified as 0 but tensor has no dimensions")
    if sizes.count(-1) > 1:
        raise RuntimeError("unflatten got an unexpected error:\nonly one dimension can be inferred")
    known = math.prod(size for size in sizes if size != -1)
    if shape[place] != known and not (-1 in sizes and known and shape[place] % known == 0):
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {place} ({shape[place]}) in the input tensor"
        )
    sizes = tuple(shape[place] // known if size == -1 else size for size in sizes)
    return input.view(shape[:place] + sizes + shape[place + 1 :])


# ---------------------------------------------------------------------------------------------------------- broadcasting
@shares_memory(vjp=lambda g: g, function=False, batch="views.expand", method="sizes size, *, bool implicit=False")
def expand(x, size: Sizes):
    """Dimensions of size 1 repeated to `size`, without a copy; -1 keeps a size.

    >>> import rushlight
    >>> rushlight.tensor([[1.], [2.]]).expand(2, 3)
    tensor([[1., 1., 1.],
            [2., 2., 2.]])
    """


@composite(function=False, method="Tensor other")
def expand_as(self, other):
    """`self` expanded to the shape of `other`."""
    return self.expand(other.shape)


@composite
def broadcast_to(input, size):
    """`input` expanded to `size`."""
    return input.expand(size)


@composite(function=False, method="sizes size")
def sum_to_size(self, *size):
    """`self` summed over the dimensions that broadcasting from `size` would have made."""
    size = tuple(one_sequence(size))
    shape = self.shape
    lead = len(shape) - len(size)
    dims = [d for d in range(len(shape)) if d < lead or size[d - lead] != shape[d]]
    if lead < 0 or any(d >= lead and size[d - lead] != 1 for d in dims):
        raise RuntimeError(f"size {{{list(size)}}} is not expandable to size {{{list(shape)}}}.")
    if not size:
        return self.sum()
    if dims:
        self = self.sum(dims, True)
    return self.view(size) if lead else self


# ---------------------------------------------------------------------------------------------------------- order of dimensions
def inverse_permutation(dims):
    """The permutation that undoes `dims`."""
    count = len(dims)
    inverse = [0] * count
    for place, dim in enumerate(dims):
        inverse[dim % count] = place
    return inverse


@shares_memory(vjp=lambda g, dims: g.permute(inverse_permutation(dims)), batch="views.permute")
def permute(x, dims: Sizes):
    """The dimensions in another order."""


@shares_memory(
    vjp=lambda g, dim0, dim1: g.transpose(dim0, dim1),
    inplace=True,
    name=("TransposeBackward0", "TransposeBackward1"),
    aliases=("swapaxes", "swapdims"),
    signature={"swapaxes": "Tensor input, int axis0, int axis1"},
    overload="int",
)
def transpose(x, dim0, dim1):
    """Two dimensions exchanged."""


transpose.keywords.update(axis0=1, axis1=2)


@shares_memory(vjp=lambda g: g.t(), inplace=True, name=("TBackward0", "TBackward1"), batch="views.matrix_t")
def t(x):
    """The transpose of a matrix; vectors and 0-d tensors stay."""


@composite(
    aliases=("moveaxis",), signature="Tensor input, int source, int destination | Tensor input, ints source, ints destination"
)
def movedim(input, source, destination):
    """The dimensions `source` moved to the places `destination`; the others keep their order."""
    source = (source,) if isinstance(source, int) else tuple(source)
    destination = (destination,) if isinstance(destination, int) else tuple(destination)
    if len(source) != len(destination):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(source)} dims) should contain the same number of dims as "
            f"destination ({list(destination)} dims)"
        )
    ndim = input.dim()
    places = {}
    for name, dims in (("source", source), ("destination", destination)):
        places[name] = [wrap_dim(dim, ndim) for dim in dims]
        if len(set(places[name])) != len(dims):
            raise RuntimeError(f"movedim: repeated dim in `{name}` ({list(dims)})")
    if ndim == 0:
        return alias(input)
    moved = dict(zip(places["destination"], places["source"]))
    rest = iter([d for d in range(ndim) if d not in places["source"]])
    return input.permute([moved[d] if d in moved else next(rest) for d in range(ndim)])


def reversed_dims(self):
    """The dimensions in reverse order: a matrix's transpose."""
    ndim = self.ndim
    if ndim == 0:
        core.warn_once("Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases.")
    elif ndim != 2:
        core.warn_once(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an error in a "
            "future release. Consider `x.mT` to transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse "
            "the dimensions of a tensor."
        )
    return self.permute(tuple(range(ndim - 1, -1, -1)))


def conjugate_transpose(self):
    """The conjugate transpose of a matrix."""
    if self.ndim == 0:
        core.warn_once("Tensor.H is deprecated on 0-D tensors. Consider using x.conj().")
        return self.conj()
    if self.ndim != 2:
        hint = " For batches of matrices, consider using tensor.mH" if self.ndim > 2 else ""
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {self.ndim}-D tensor.{hint}")
    return self.transpose(0, 1).conj() if self.is_complex() else self.transpose(0, 1)


def require_matrices(tensor, name):
    if tensor.ndim == 1:
        raise RuntimeError(f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor.")


def matrix_transpose(self):
    """The last two dimensions exchanged."""
    require_matrices(self, "mT")
    if self.ndim == 0:
        core.warn_once("Tensor.mT is deprecated on 0-D tensors. This function is the identity in these cases.")
        return self
    return self.transpose(-2, -1)


def matrix_adjoint(self):
    """The last two dimensions exchanged, conjugated."""
    require_matrices(self, "mH")
    if self.ndim == 0:
        core.warn_once("Tensor.mH is deprecated on 0-D tensors. Consider using x.conj().")
        return self.conj()
    return self.adjoint()


@composite
def adjoint(input):
    """The last two dimensions exchanged, conjugated."""
    if input.ndim == 1:
        raise RuntimeError("tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.")
    if input.ndim == 0:
        core.warn_once("adjoint() is deprecated on 0-D tensors. Consider using x.conj().")
        return input.conj()
    return input.transpose(-2, -1).conj() if input.is_complex() else input.transpose(-2, -1)


namespaces["Tensor"].update(
    T=property(reversed_dims), H=property(conjugate_transpose), mT=property(matrix_transpose), mH=property(matrix_adjoint)
)


# ---------------------------------------------------------------------------------------------------------- dimensions of size 1
def unsqueezed(g, x_shape, dims):
    """`g` with those of the dimensions `dims` that had size 1 back."""
    for d in sorted(wrap_dim(d, len(x_shape)) for d in dims) if x_shape else ():
        if x_shape[d] == 1:
            g = g.unsqueeze(d)
    return g


def squeezed_vjp(g, x_shape, dim):
    if isinstance(dim, int):
        return g.unsqueeze(dim) if x_shape and x_shape[dim] == 1 else g
    return unsqueezed(g, x_shape, dim)


def squeezing(entry, geometry, name, overload=None):
    """An op that drops dimensions of size 1: all of them, one, or those of a tuple."""
    placed = dict(entry=entry, geometry=geometry, name=name, overload=overload, function=False, method=False)
    if geometry == "squeeze":

        @shares_memory(vjp=lambda g, x_shape: unsqueezed(g, x_shape, range(len(x_shape))), batch="views.squeeze_all", **placed)
        def squeeze(x):
            """Without its dimensions of size 1."""

    else:

        @shares_memory(vjp=squeezed_vjp, **placed)
        def squeeze(x, dim):
            """Without those of the dimensions `dim` that have size 1."""

    return squeeze, core.InPlace(squeeze)


squeeze_all, squeeze_all_ = squeezing("squeeze_all", "squeeze", ("SqueezeBackward0", "SqueezeBackward3"))
squeeze_one, squeeze_one_ = squeezing("squeeze_one", "squeeze_dims", ("SqueezeBackward1", "SqueezeBackward4"), "dim")
squeeze_several, squeeze_several_ = squeezing("squeeze_dims", "squeeze_dims", ("SqueezeBackward2", "SqueezeBackward5"), "dims")


@composite(signature="Tensor input | Tensor input, int|ints dim")
def squeeze(input, dim=None):
    """`input` without its dimensions of size 1, or those of them that `dim` names."""
    if dim is None:
        return squeeze_all(input)
    return squeeze_one(input, dim) if isinstance(dim, int) else squeeze_several(input, dim)


@copying_function("squeeze", "Tensor input | Tensor input, int|ints dim")
def squeeze_copy(input, dim=None):
    if dim is None:
        return squeeze_all.copy(input)
    return (squeeze_one if isinstance(dim, int) else squeeze_several).copy(input, dim)


@composite(function=False)
def squeeze_(self, dim=None):
    """In-place version of `squeeze`."""
    if dim is None:
        return squeeze_all_(self)
    return squeeze_one_(self, dim) if isinstance(dim, int) else squeeze_several_(self, dim)


@shares_memory(
    vjp=lambda g, dim: g.squeeze(dim), inplace=True, name=("UnsqueezeBackward0", "UnsqueezeBackward1"), batch="views.unsqueeze"
)
def unsqueeze(x, dim):
    """With a new dimension of size 1 at `dim`."""


check_1d, check_2d, check_3d = (core.Parser(f"atleast_{count}d", "Tensor input | tensors tensors") for count in (1, 2, 3))


@composite(method=False)
def atleast_1d(*tensors):
    """The tensors, 0-d ones as 1-d.

    Args:
        tensors: the tensors, one by one or in a list; of one the result is no tuple.

    >>> import rushlight as torch
    >>> torch.atleast_1d(torch.tensor(3.))
    tensor([3.])
    """
    return each_of(check_1d, tensors, lambda x: x.reshape(1) if x.ndim == 0 else x)


@composite(method=False)
def atleast_2d(*tensors):
    """The tensors with at least two dimensions; vectors become rows.

    Args:
        tensors: the tensors, one by one or in a list; of one the result is no tuple.

    >>> import rushlight as torch
    >>> torch.atleast_2d(torch.tensor([1., 2.]))
    tensor([[1., 2.]])
    """
    return each_of(check_2d, tensors, lambda x: x.reshape(1, 1) if x.ndim == 0 else x.unsqueeze(0) if x.ndim == 1 else x)


@composite(method=False)
def atleast_3d(*tensors):
    """The tensors with at least three dimensions.

    Args:
        tensors: the tensors, one by one or in a list; of one the result is no tuple.

    >>> import rushlight as torch
    >>> torch.atleast_3d(torch.tensor([1., 2.])).shape
    torch.Size([1, 2, 1])
    """

    def deep(x):
        if x.ndim == 0:
            return x.reshape(1, 1, 1)
        return x.unsqueeze(0).unsqueeze(-1) if x.ndim == 1 else x.unsqueeze(-1) if x.ndim == 2 else x

    return each_of(check_3d, tensors, deep)


def each_of(check, tensors, function):
    if len(tensors) == 1:
        if isinstance(tensors[0], torch.Tensor):
            return function(tensors[0])
        check(tensors[0])
        tensors = tensors[0]
    check(tensors)
    return tuple(function(tensor) for tensor in tensors)
