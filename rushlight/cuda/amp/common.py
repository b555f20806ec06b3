"""Whether there is anything to compute in mixed precision on."""

__all__ = ["amp_definitely_not_available"]


def amp_definitely_not_available():
    """True: there is no CUDA.

    >>> import rushlight as torch
    >>> torch.cuda.amp.amp_definitely_not_available()
    True
    """
    return True
