"""A library that Rushlight does not use."""

from rushlight.backends import _within

enabled = False


def is_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.nnpack.is_available()
    False
    """
    return False


def set_flags(_enabled):
    """Remembers it, and returns what was before.

    Args:
        _enabled: Whether NNPACK may serve convolutions.

    >>> import rushlight as torch
    >>> torch.backends.nnpack.set_flags(True)
    (False,)
    """
    global enabled
    before, enabled = enabled, _enabled
    return (before,)


def flags(enabled=False):
    """Sets it for a `with` block.

    Args:
        enabled: What is set.

    >>> import rushlight as torch
    >>> with torch.backends.nnpack.flags(enabled=False): pass
    """
    return _within(globals(), dict(locals()))
