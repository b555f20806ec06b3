"""Interpolation on a grid of another size as modules."""

from .. import functional as F
from .module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """`nn.functional.interpolate` with these arguments. Shapes: (N, C, positions…) with one to three dimensions of positions.

    >>> import rushlight as torch
    >>> torch.nn.Upsample(scale_factor=2, mode="nearest")(torch.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.]]])
    """

    def __init__(self, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None):
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(map(float, scale_factor))
        else:
            self.scale_factor = float(scale_factor) if scale_factor else None
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input):
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def __setstate__(self, state):
        # (What was saved before there was such an argument recomputed.)
        state.setdefault("recompute_scale_factor", True)
        super().__setstate__(state)

    def extra_repr(self):
        size = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{size}, mode={self.mode!r}"


class _UpsamplingOfPlanes(Upsample):
    def __init__(self, size=None, scale_factor=None):
        super().__init__(size, scale_factor, *self._mode)


class UpsamplingNearest2d(_UpsamplingOfPlanes):
    """`Upsample` with mode "nearest", for inputs (N, C, H, W)."""

    _mode = ("nearest", None)


class UpsamplingBilinear2d(_UpsamplingOfPlanes):
    """`Upsample` with mode "bilinear" and aligned corners, for inputs (N, C, H, W)."""

    _mode = ("bilinear", True)
