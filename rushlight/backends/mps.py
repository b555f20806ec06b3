"""A device that is not there."""


def is_available() -> bool:
    """False."""
    return False


is_built = is_available
