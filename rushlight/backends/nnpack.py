"""A library that Rushlight does not use."""

from rushlight.backends import _within

enabled = False


def is_available() -> bool:
    """False."""
    return False


def set_flags(_enabled):
    """Remembers it, and returns what was before."""
    global enabled
    before, enabled = enabled, _enabled
    return (before,)


def flags(enabled=False):
    """Sets it for a `with` block."""
    return _within(globals(), dict(locals()))
