"""Helpers around tensors, as PyTorch names them."""

from rushlight.utils import hooks

__all__ = ["hooks"]
