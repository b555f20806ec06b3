"""A library of a device that is not there: what programs set is remembered."""

from rushlight.backends import _within

immediate = False


def flags(immediate=False):
    """Sets it for a `with` block."""
    return _within(globals(), dict(locals()))
