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
    _tuple = staticmethod(_pair)

    def __init__(self, padding):
        super().__init__()
        self.padding = self._tuple(padding)

    def extra_repr(self):
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """`value` at the ends of the last dimension.

    >>> import rushlight as torch
    >>> torch.nn.ConstantPad1d((1, 2), 9.0)(torch.tensor([[1.0, 2.0]]))
    tensor([[9., 1., 2., 9., 9.]])
    """


class ConstantPad2d(_ConstantPadNd):
    """`value` around the last two dimensions."""

    _tuple = staticmethod(_quadruple)


class ConstantPad3d(_ConstantPadNd):
    """`value` around the last three dimensions."""

    _tuple = staticmethod(_sextuple)


class _ZeroPad:
    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """Zeros at the ends of the last dimension."""


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """Zeros around the last two dimensions."""


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """Zeros around the last three dimensions."""


class _ReflectionPadNd(_Pad):
    def forward(self, input):
        return F.pad(input, self.padding, "reflect")


class ReflectionPad1d(_ReflectionPadNd):
    """The last dimension continued as in a mirror, which the edge lies on.

    >>> import rushlight as torch
    >>> torch.nn.ReflectionPad1d(2)(torch.arange(4.0).view(1, 4))
    tensor([[2., 1., 0., 1., 2., 3., 2., 1.]])
    """


class ReflectionPad2d(_ReflectionPadNd):
    """As `ReflectionPad1d`, around the last two dimensions."""

    _tuple = staticmethod(_quadruple)


class ReflectionPad3d(_ReflectionPadNd):
    """As `ReflectionPad1d`, around the last three dimensions."""

    _tuple = staticmethod(_sextuple)


class _ReplicationPadNd(_Pad):
    def forward(self, input):
        return F.pad(input, self.padding, "replicate")


class ReplicationPad1d(_ReplicationPadNd):
    """The last dimension with its ends repeated.

    >>> import rushlight as torch
    >>> torch.nn.ReplicationPad1d(2)(torch.arange(3.0).view(1, 3))
    tensor([[0., 0., 0., 1., 2., 2., 2.]])
    """


class ReplicationPad2d(_ReplicationPadNd):
    """As `ReplicationPad1d`, around the last two dimensions."""

    _tuple = staticmethod(_quadruple)


class ReplicationPad3d(_ReplicationPadNd):
    """As `ReplicationPad1d`, around the last three dimensions."""

    _tuple = staticmethod(_sextuple)


class _CircularPadNd(_Pad):
    def _check_input_dim(self, input):
        raise NotImplementedError

    def forward(self, input):
        self._check_input_dim(input)
        return F.pad(input, self.padding, "circular")


class CircularPad1d(_CircularPadNd):
    """The last dimension, which starts again where it ends.

    >>> import rushlight as torch
    >>> torch.nn.CircularPad1d(1)(torch.arange(3.0).view(1, 3))
    tensor([[2., 0., 1., 2., 0.]])
    """

    def _check_input_dim(self, input):
        if input.dim() not in (2, 3):
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class CircularPad2d(_CircularPadNd):
    """As `CircularPad1d`, around the last two dimensions."""

    _tuple = staticmethod(_quadruple)

    def _check_input_dim(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(f"expected 3D or 4D input (got {input.dim()}D input)")


class CircularPad3d(_CircularPadNd):
    """As `CircularPad1d`, around the last three dimensions."""

    _tuple = staticmethod(_sextuple)

    def _check_input_dim(self, input):
        if input.dim() not in (4, 5):
            raise ValueError(f"expected 4D or 5D input (got {input.dim()}D input)")
