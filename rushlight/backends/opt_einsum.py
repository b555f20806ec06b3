"""A package that orders the products of `einsum`, which Rushlight does without."""

__all__ = ["enabled", "get_opt_einsum", "is_available", "strategy"]

enabled = False
strategy = None


def is_available() -> bool:
    """False."""
    return False


def get_opt_einsum():
    """None."""
    return None


def set_flags(_enabled=None, _strategy=None):
    """Sets those that are given, and returns what both were before."""
    global enabled, strategy
    before = enabled, strategy
    enabled = enabled if _enabled is None else _enabled
    strategy = strategy if _strategy is None else _strategy
    return before
