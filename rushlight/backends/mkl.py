"""A library that Rushlight does not use."""

VERBOSE_OFF = 0
VERBOSE_ON = 1


def is_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.mkl.is_available()
    False
    """
    return False
