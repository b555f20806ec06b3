"""Dropout layers: active in training mode, the identity in evaluation mode. Shapes stay as they are."""

from .. import functional as F
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Module):
    """Dropout: active in training mode, the identity in evaluation mode. Shapes stay as they are.

    Args:
        p: The probability with which something becomes zero.
        inplace: Whether the result replaces the input.

    Raises:
        ValueError: `p` is not between 0 and 1.
    """

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        if p < 0 or p > 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self):
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Each element becomes zero with probability `p`; the rest are divided by 1 - p (Hinton et al., 2012). Evaluation leaves all.

    Args:
        p: The probability of zero, from 0 to 1.
        inplace: Whether the result replaces the input.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> layer = torch.nn.Dropout(0.5)
    >>> layer(torch.ones(8))
    tensor([0., 0., 2., 0., 0., 0., 2., 2.])
    >>> layer.eval()(torch.ones(8))
    tensor([1., 1., 1., 1., 1., 1., 1., 1.])
    """

    def forward(self, input):
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Dropout of whole channels of sequences (Tompson et al., 2014):
    neighbours are so alike that single ones would not be missed.

    Shapes: (N, C, L) or (C, L). Each channel of each sample is zero with probability `p`, the rest are divided by 1 - p.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.Dropout1d(0.5)(torch.ones(4, 2))
    tensor([[0., 0.],
            [0., 0.],
            [2., 2.],
            [0., 0.]])
    """

    def forward(self, input):
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Dropout of whole channels of images: each channel of each sample is zero with probability `p`,
    the rest are divided by 1 - p.

    Shapes: (N, C, H, W); (N, C, L) with a warning, `Dropout1d` is for that.

    >>> import rushlight as torch
    >>> channels = torch.nn.Dropout2d(0.5)(torch.ones(1, 100, 2, 2)).flatten(2)
    >>> bool(((channels == 0).all(2) | (channels == 2).all(2)).all())
    True
    """

    def forward(self, input):
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Dropout of whole channels of volumes: each channel of each sample is zero with probability `p`,
    the rest are divided by 1 - p.

    Shapes: (N, C, D, H, W) or (C, D, H, W).

    >>> import rushlight as torch
    >>> torch.nn.Dropout3d(0.5)(torch.ones(1, 100, 2, 2, 2)).unique()
    tensor([0., 2.])
    """

    def forward(self, input):
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps mean 0 and variance 1 of the activations of `SELU` (Klambauer et al., 2017).

    What is dropped gets SELU's limit on the left, -1.7581, and all are scaled and moved. The identity in evaluation mode.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.AlphaDropout(0.5)(torch.randn(100_000)).var()
    tensor(0.9980)
    """

    def forward(self, input):
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """`AlphaDropout` of whole channels. Shapes: (N, C, *).

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.nn.FeatureAlphaDropout(0.5)(torch.zeros(1, 4, 2))
    tensor([[[-0.7792, -0.7792],
             [-0.7792, -0.7792],
             [ 0.7792,  0.7792],
             [-0.7792, -0.7792]]])
    """

    def forward(self, input):
        return F.feature_alpha_dropout(input, self.p, self.training)
