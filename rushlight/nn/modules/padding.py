"""More at the edges, as modules. `padding` is a number for all sides, or (before, after) for the last dimension, then the one before it, …

Shapes: (N, C, positions…) or (C, positions…); constants go around tensors of other dimensions too.
"""

from .. import functional as F
from .module import Module
from .utils import _ntuple, _pair, _quadruple

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

_sextuple = _ntuple(6, "_sextuple")


class _Pad(Module):
    """More at the edges.

    Args:
        padding: How many positions on each side: one number for all sides, or pairs (before, after), that of the last dimension
            first. Negative numbers cut off.
    """

    _tuple = staticmethod(_pair)

    def __init__(self, padding):
        super().__init__()
        self.padding = self._tuple(padding)

    def extra_repr(self):
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    """A number at the edges.

    Args:
        padding: How many positions on each side: one number for all sides, or pairs (before, after), that of the last dimension
            first.
        value: The number.
    """

    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """`value` at the ends of the last dimension, of inputs of any number of dimensions.

    Args:
        padding: How many there are: one number for both ends, or (before, after). Negative numbers cut off. value:
        What stands there.

    >>> import rushlight as torch
    >>> torch.nn.ConstantPad1d((1, 2), 9.0)(torch.tensor([[1.0, 2.0]]))
    tensor([[9., 1., 2., 9., 9.]])
    """


class ConstantPad2d(_ConstantPadNd):
    """`value` around the last two dimensions: as `ConstantPad1d`, with `padding` for (left, right, top, bottom).

    >>> import rushlight as torch
    >>> torch.nn.ConstantPad2d((0, 1, 1, 0), 9.0)(torch.tensor([[[1.0, 2.0]]]))
    tensor([[[9., 9., 9.],
             [1., 2., 9.]]])
    """

    _tuple = staticmethod(_quadruple)


class ConstantPad3d(_ConstantPadNd):
    """`value` around the last three dimensions: as `ConstantPad1d`, with `padding` for (left, right, top, bottom, front, back).

    >>> import rushlight as torch
    >>> torch.nn.ConstantPad3d((0, 1, 0, 0, 1, 0), 9.0)(torch.tensor([[[[1.0]]]]))
    tensor([[[[9., 9.]],
    <BLANKLINE>
             [[1., 9.]]]])
    """

    _tuple = staticmethod(_sextuple)


class _ZeroPad:
    """Zeros at the edges.

    Args:
        padding: How many positions on each side: one number for all sides, or pairs (before, after), that of the last dimension
            first.
    """

    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Zeros at the ends of the last dimension: `ConstantPad1d` of 0.

    >>> import rushlight as torch
    >>> torch.nn.ZeroPad1d((1, 2))(torch.tensor([[1.0, 2.0]]))
    tensor([[0., 1., 2., 0., 0.]])
    """


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Zeros around the last two dimensions: `ConstantPad2d` of 0.

    >>> import rushlight as torch
    >>> torch.nn.ZeroPad2d((1, 1, 0, 1))(torch.tensor([[[1.0, 2.0]]]))
    tensor([[[0., 1., 2., 0.],
             [0., 0., 0., 0.]]])
    """


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Zeros around the last three dimensions: `ConstantPad3d` of 0.

    >>> import rushlight as torch
    >>> torch.nn.ZeroPad3d(1)(torch.zeros(1, 16, 3, 4, 5)).shape
    torch.Size([1, 16, 5, 6, 7])
    """


class _ReflectionPadNd(_Pad):
    def forward(self, input):
        return F.pad(input, self.padding, "reflect")


class ReflectionPad1d(_ReflectionPadNd):
    """The last dimension continued as in a mirror, which the edge lies on. Shapes: (N, C, L) or (C, L).

    Args:
        padding: How many positions there are: one number for both ends, or (before, after), each less than L.

    Raises:
        RuntimeError: `padding` is not less than L.

    >>> import rushlight as torch
    >>> torch.nn.ReflectionPad1d(2)(torch.arange(4.0).view(1, 4))
    tensor([[2., 1., 0., 1., 2., 3., 2., 1.]])
    """


class ReflectionPad2d(_ReflectionPadNd):
    """As `ReflectionPad1d`, around the last two dimensions: `padding` is one number, or (left, right, top, bottom).

    >>> import rushlight as torch
    >>> torch.nn.ReflectionPad2d((1, 0, 1, 1))(torch.arange(6.0).view(1, 2, 3))
    tensor([[[4., 3., 4., 5.],
             [1., 0., 1., 2.],
             [4., 3., 4., 5.],
             [1., 0., 1., 2.]]])
    """

    _tuple = staticmethod(_quadruple)


class ReflectionPad3d(_ReflectionPadNd):
    """As `ReflectionPad1d`, around the last three dimensions:
    `padding` is one number, or (left, right, top, bottom, front, back).

    >>> import rushlight as torch
    >>> torch.nn.ReflectionPad3d(1)(torch.arange(8.0).view(1, 2, 2, 2)).flatten(1)[0, :8]
    tensor([7., 6., 7., 6., 5., 4., 5., 4.])
    """

    _tuple = staticmethod(_sextuple)


class _ReplicationPadNd(_Pad):
    def forward(self, input):
        return F.pad(input, self.padding, "replicate")


class ReplicationPad1d(_ReplicationPadNd):
    """The last dimension with its ends repeated. Shapes: (N, C, L) or (C, L).

    Args:
        padding: How often: one number for both ends, or (before, after).

    >>> import rushlight as torch
    >>> torch.nn.ReplicationPad1d(2)(torch.arange(3.0).view(1, 3))
    tensor([[0., 0., 0., 1., 2., 2., 2.]])
    """


class ReplicationPad2d(_ReplicationPadNd):
    """As `ReplicationPad1d`, around the last two dimensions: `padding` is one number, or (left, right, top, bottom).

    >>> import rushlight as torch
    >>> torch.nn.ReplicationPad2d((1, 1, 0, 1))(torch.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]])
    """

    _tuple = staticmethod(_quadruple)


class ReplicationPad3d(_ReplicationPadNd):
    """As `ReplicationPad1d`, around the last three dimensions:
    `padding` is one number, or (left, right, top, bottom, front, back).

    >>> import rushlight as torch
    >>> torch.nn.ReplicationPad3d((0, 1, 0, 0, 1, 0))(torch.arange(2.0).view(1, 1, 1, 2))
    tensor([[[[0., 1., 1.]],
    <BLANKLINE>
             [[0., 1., 1.]]]])
    """

    _tuple = staticmethod(_sextuple)


class _CircularPadNd(_Pad):
    def _check_input_dim(self, input):
        raise NotImplementedError

    def forward(self, input):
        self._check_input_dim(input)
        return F.pad(input, self.padding, "circular")


class CircularPad1d(_CircularPadNd):
    """The last dimension, which starts again where it ends. Shapes: (N, C, L) or (C, L).

    Args:
        padding: How many positions there are: one number for both ends, or (before, after), each at most L.

    >>> import rushlight as torch
    >>> torch.nn.CircularPad1d(1)(torch.arange(3.0).view(1, 3))
    tensor([[2., 0., 1., 2., 0.]])
    """

    def _check_input_dim(self, input):
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class CircularPad2d(_CircularPadNd):
    """As `CircularPad1d`, around the last two dimensions: `padding` is one number, or (left, right, top, bottom).

    >>> import rushlight as torch
    >>> torch.nn.CircularPad2d((1, 0, 0, 1))(torch.arange(6.0).view(1, 2, 3))
    tensor([[[2., 0., 1., 2.],
             [5., 3., 4., 5.],
             [2., 0., 1., 2.]]])
    """

    _tuple = staticmethod(_quadruple)

    def _check_input_dim(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(f"expected 3D or 4D input (got {input.dim()}D input)")


class CircularPad3d(_CircularPadNd):
    """As `CircularPad1d`, around the last three dimensions: `padding` is one number, or (left, right, top, bottom, front, back).

    >>> import rushlight as torch
    >>> torch.nn.CircularPad3d((1, 0, 0, 0, 0, 1))(torch.arange(4.0).view(1, 2, 1, 2))
    tensor([[[[1., 0., 1.]],
    <BLANKLINE>
             [[3., 2., 3.]],
    <BLANKLINE>
             [[1., 0., 1.]]]])
    """

    _tuple = staticmethod(_sextuple)

    def _check_input_dim(self, input):
        if input.dim() not in (4, 5):
            raise ValueError(f"expected 4D or 5D input (got {input.dim()}D input)")
