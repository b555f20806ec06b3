"""Helpers of the transforms."""

import contextlib

from rushlight.func.functions import single_level

__all__ = ["argnums_t", "enable_single_level_autograd_function", "exposed_in"]

argnums_t = int | tuple[int, ...]


@contextlib.contextmanager
def enable_single_level_autograd_function():
    """Inside, a Function without `setup_context` may run within a transform: as it stands, on what the transform has made."""
    before, single_level.allowed = single_level.allowed, True
    try:
        yield
    finally:
        single_level.allowed = before


def exposed_in(module):
    """A decorator that names the module of a function."""

    def decorate(function):
        function.__module__ = module
        return function

    return decorate
