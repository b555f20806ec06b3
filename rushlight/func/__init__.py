"""Transforms of functions: derivatives of functions as functions, and functions of one example as functions of a batch."""

from rushlight.func.vmap import vmap

__all__ = ["vmap"]
