"""Helpers around tensors, as PyTorch names them."""

from rushlight.utils import checkpoint, hooks

__all__ = ["checkpoint", "hooks"]
