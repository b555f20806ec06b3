"""Questions about sizes that a compiler would not know: they are known."""

__all__ = ["guard_or_false", "guard_or_true", "guard_size_oblivious"]


def guard_or_false(a) -> bool:
    """bool(a).

    Args:
        a: A bool, or what becomes one.

    >>> import rushlight as torch
    >>> from rushlight.fx.experimental.symbolic_shapes import guard_or_false
    >>> guard_or_false(2 > 1)
    True
    """
    return bool(a)


def guard_or_true(a) -> bool:
    """bool(a).

    Args:
        a: A bool, or what becomes one.

    >>> import rushlight as torch
    >>> from rushlight.fx.experimental.symbolic_shapes import guard_or_true
    >>> guard_or_true(2 > 1)
    True
    """
    return bool(a)


def guard_size_oblivious(expr) -> bool:
    """bool(expr).

    Args:
        expr: A bool, or what becomes one.

    >>> import rushlight as torch
    >>> from rushlight.fx.experimental.symbolic_shapes import guard_size_oblivious
    >>> guard_size_oblivious(2 > 1)
    True
    """
    return bool(expr)


def is_concrete_int(a) -> bool:
    """Whether it is an integer that is known.

    Args:
        a: An integer.

    >>> import rushlight as torch
    >>> from rushlight.fx.experimental.symbolic_shapes import is_concrete_int
    >>> is_concrete_int(3)
    True
    """
    return isinstance(a, int)
