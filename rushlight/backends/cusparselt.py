"""A library that Rushlight does not use."""


def is_available() -> bool:
    """False."""
    return False


def version():
    """None."""
    return None


def get_max_alg_id():
    """None."""
    return None
