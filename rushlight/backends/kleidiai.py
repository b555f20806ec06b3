"""A library that Rushlight does not use."""


def is_available() -> bool:
    """False."""
    return False
