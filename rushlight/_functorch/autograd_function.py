"""What the vmap rule of an autograd.Function is told."""

from rushlight.func.functions import VmapInfo

__all__ = ["VmapInfo"]
