"""Dimensions by name."""

from rushlight.func import rearrange

__all__ = ["rearrange"]
