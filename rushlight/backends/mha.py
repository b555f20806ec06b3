"""Whether attention may take a faster way at inference; there is one way here."""

_is_fastpath_enabled = True


def get_fastpath_enabled() -> bool:
    """Whether attention layers may take their short way in evaluation: what `set_fastpath_enabled` was given.

    >>> import rushlight as torch
    >>> torch.backends.mha.get_fastpath_enabled()
    True
    """
    return _is_fastpath_enabled


def set_fastpath_enabled(value: bool) -> None:
    """Lets attention layers take their short way in evaluation, or forbids it.

    Args:
        value: Whether attention layers may take their short way.

    >>> import rushlight as torch
    >>> torch.backends.mha.set_fastpath_enabled(False)
    >>> torch.backends.mha.get_fastpath_enabled()
    False
    >>> torch.backends.mha.set_fastpath_enabled(True)
    """
    global _is_fastpath_enabled
    _is_fastpath_enabled = value
