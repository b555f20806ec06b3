"""Channels spread over positions, and back."""

from .. import functional as F
from .module import Module

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """(*, C r², H, W) as (*, C, H r, W r), where `upscale_factor` is r (Shi et al., 2016):
    r² channels become the pixels of squares.

    Args:
        upscale_factor: r, whose square divides the number of channels.

    >>> import rushlight as torch
    >>> torch.nn.PixelShuffle(2)(torch.tensor([1.0, 2.0, 3.0, 4.0]).view(4, 1, 1))
    tensor([[[1., 2.],
             [3., 4.]]])
    """

    def __init__(self, upscale_factor):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input):
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self):
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(*, C, H r, W r) as (*, C r², H, W), where `downscale_factor` is r: undoes `PixelShuffle`.

    Args:
        downscale_factor: r, which divides height and width.

    >>> import rushlight as torch
    >>> torch.nn.PixelUnshuffle(2)(torch.arange(8.0).view(1, 2, 4))
    tensor([[[0., 2.]],
    <BLANKLINE>
            [[1., 3.]],
    <BLANKLINE>
            [[4., 6.]],
    <BLANKLINE>
            [[5., 7.]]])
    """

    def __init__(self, downscale_factor):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input):
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self):
        return f"downscale_factor={self.downscale_factor}"
