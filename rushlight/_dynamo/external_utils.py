"""Questions that libraries ask of the compiler."""

from rushlight.compiler import is_compiling

__all__ = ["is_compiling", "wrap_inline"]


def wrap_inline(fn):
    """The function itself."""
    return fn
