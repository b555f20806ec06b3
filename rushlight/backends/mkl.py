"""A library that Rushlight does not use."""

VERBOSE_OFF = 0
VERBOSE_ON = 1


def is_available() -> bool:
    """False."""
    return False
