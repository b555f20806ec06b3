"""Threads: kernels share their work among threads of Rushlight's own, not OpenMP's."""


def is_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.openmp.is_available()
    False
    """
    return False
