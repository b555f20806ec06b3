"""Questions about sizes that a compiler would not know: they are known."""

__all__ = ["guard_or_false", "guard_or_true", "guard_size_oblivious"]


def guard_or_false(a) -> bool:
    """bool(a)."""
    return bool(a)


def guard_or_true(a) -> bool:
    """bool(a)."""
    return bool(a)


def guard_size_oblivious(expr) -> bool:
    """bool(expr)."""
    return bool(expr)


def is_concrete_int(a) -> bool:
    """Whether it is an integer that is known."""
    return isinstance(a, int)
