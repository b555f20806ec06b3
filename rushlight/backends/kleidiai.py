"""A library that Rushlight does not use."""


def is_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.kleidiai.is_available()
    False
    """
    return False
