"""More at the edges, and channels spread over positions."""

from rushlight.ops.padding import pad, pixel_shuffle, pixel_unshuffle

__all__ = ["pad", "pixel_shuffle", "pixel_unshuffle"]
