"""A library that Rushlight does not use."""


def is_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.cusparselt.is_available()
    False
    """
    return False


def version():
    """None.

    >>> import rushlight as torch
    >>> torch.backends.cusparselt.version()
    """
    return None


def get_max_alg_id():
    """None.

    >>> import rushlight as torch
    >>> torch.backends.cusparselt.get_max_alg_id()
    """
    return None
