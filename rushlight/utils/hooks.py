"""Handles of registered hooks."""

from rushlight.core import RemovableHandle

__all__ = ["RemovableHandle"]
