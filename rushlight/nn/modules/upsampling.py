"""Interpolation on a grid of another size as modules."""

from .. import functional as F
from .module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """`nn.functional.interpolate` with these arguments. Shapes: (N, C, positions…) with one to three dimensions of positions.

    Args:
        size: The size of the output, or
        scale_factor: by how much it is larger; a number, or one for each dimension of positions.
        mode: "nearest", "linear", "bilinear", "bicubic" or "trilinear".
        align_corners: Whether the first and last positions of both grids are the same points, rather than their edges.
        recompute_scale_factor: Whether the sizes that `scale_factor` makes say where positions are, instead of itself.

    >>> import rushlight as torch
    >>> torch.nn.Upsample(scale_factor=2, mode="nearest")(torch.tensor([[[1.0, 2.0]]]))
    tensor([[[1., 1., 2., 2.]]])
    >>> torch.nn.Upsample(size=3, mode="linear", align_corners=True)(torch.tensor([[[1.0, 2.0]]]))
    tensor([[[1.0000, 1.5000, 2.0000]]])
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
    """`Upsample` with mode "nearest", for inputs (N, C, H, W).

    Args:
        size: The size of the output, or
        scale_factor: by how much it is larger; a number, or a pair.

    >>> import rushlight as torch
    >>> torch.nn.UpsamplingNearest2d(scale_factor=2)(torch.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """

    _mode = ("nearest", None)


class UpsamplingBilinear2d(_UpsamplingOfPlanes):
    """`Upsample` with mode "bilinear" and aligned corners, for inputs (N, C, H, W).

    Args:
        size: The size of the output, or
        scale_factor: by how much it is larger; a number, or a pair.

    >>> import rushlight as torch
    >>> torch.nn.UpsamplingBilinear2d(size=(1, 3))(torch.tensor([[[[1.0, 2.0]]]]))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """

    _mode = ("bilinear", True)
