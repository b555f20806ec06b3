"""What runs in the child after a fork."""

import os

__all__ = ["register_after_fork"]


def register_after_fork(func):
    """Calls `func` without arguments in every child that this process forks from now on."""
    os.register_at_fork(after_in_child=func)
