"""Views: other shapes over the same memory, and the copies that go where no view does."""

import rushlight as torch
from rushlight import core
from rushlight.core import Size, Tensor
from rushlight.ops._declare import Sizes, composite, op
from rushlight.ops._declare import view as shares_memory


@shares_memory(vjp=lambda g: g, method=False, function=False)
def alias(x):
    """The whole of `x` as a view."""


@composite
def detach(input):
    """`input` cut off from its graph, over the same memory."""
    return input.detach()


@shares_memory(vjp=lambda g, x_shape: g.reshape(x_shape), function=False, method=False, name="ViewBackward0", geometry="view")
def view_as_shape(x, size: Sizes):
    """`x` in another shape over the same memory."""


@shares_memory(vjp=lambda g, x_shape: g.reshape(x_shape), name="UnsafeViewBackward0", geometry="unsafe_view", method=False)
def _unsafe_view(x, size: Sizes):
    """A view of a tensor that nobody else will see (so it is not tracked as a view)."""


@shares_memory(vjp=lambda g: g, function=False)
def expand(x, size: Sizes):
    """Dimensions of size 1 repeated to `size`, without a copy; -1 keeps a size.

    >>> import rushlight
    >>> rushlight.tensor([[1.], [2.]]).expand(2, 3)
    tensor([[1., 1., 1.],
            [2., 2., 2.]])
    """


def inverse_permutation(dims):
    """The permutation that undoes `dims`."""
    count = len(dims)
    inverse = [0] * count
    for place, dim in enumerate(dims):
        inverse[dim % count] = place
    return inverse


@shares_memory(vjp=lambda g, dims: g.permute(inverse_permutation(dims)))
def permute(x, dims: Sizes):
    """The dimensions in another order."""


@shares_memory(vjp=lambda g, dim0, dim1: g.transpose(dim0, dim1), inplace=True, aliases=("swapaxes", "swapdims"))
def transpose(x, dim0, dim1):
    """Two dimensions exchanged."""


@shares_memory(vjp=lambda g: g.t(), inplace=True)
def t(x):
    """The transpose of a matrix; vectors and 0-d tensors stay."""


@shares_memory(vjp=lambda g, x_shape: g.reshape(x_shape), geometry="squeeze_all", name="SqueezeBackward0", function=False, method=False)
def squeeze_all(x):
    """Without its dimensions of size 1."""


def unsqueeze_dims(g, x_shape, dim):
    return g.reshape(x_shape)


@shares_memory(
    vjp=lambda g, x_shape: g.reshape(x_shape), geometry="squeeze_dims", name="SqueezeBackward1", function=False, method=False
)
def squeeze_dims(x, dim):
    """Without those of the dimensions `dim` that have size 1."""


@shares_memory(vjp=lambda g, dim: g.squeeze(dim), inplace=True)
def unsqueeze(x, dim):
    """With a new dimension of size 1 at `dim`."""


@shares_memory(vjp=lambda g, x_shape, dim, index: torch.select_backward(g, x_shape, dim, index))
def select(x, dim, index):
    """One slice of `x` along `dim`, without that dimension."""


@shares_memory(
    vjp=lambda g, x_shape, dim, start, end, step: torch.slice_backward(g, x_shape, dim, start, end, step), method=False, function=False
)
def slice(x, dim=0, start=None, end=None, step=1):
    """x[start:end:step] along `dim`."""


@shares_memory(vjp=lambda g, x_shape, offset, dim1, dim2: torch.diagonal_backward(g, x_shape, offset, dim1, dim2))
def diagonal(x, offset=0, dim1=0, dim2=1):
    """The diagonal over two dimensions, as the last dimension."""


@shares_memory(vjp=lambda g, x_shape, dimension, size, step: torch.unfold_backward(g, x_shape, dimension, size, step), function=False)
def unfold(x, dimension, size, step):
    """Windows of `size` elements, `step` apart, along `dimension`; the window is the new last dimension."""
