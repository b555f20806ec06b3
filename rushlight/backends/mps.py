"""A device that is not there."""

from rushlight.cuda._answers import no_binding

__all__ = ["get_core_count", "get_name", "is_available", "is_built", "is_macos13_or_newer", "is_macos_or_newer"]


def is_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.mps.is_available()
    False
    """
    return False


def is_built() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.mps.is_built()
    False
    """
    return False


def is_macos_or_newer(major: int, minor: int) -> bool:
    """Raises, as PyTorch built without MPS does.

    Args:
        major: The version, before the point.
        minor: The version, behind it.

    >>> import rushlight as torch
    >>> torch.backends.mps.is_macos_or_newer(14, 0)
    Traceback (most recent call last):
        ...
    RuntimeError: Cannot execute isOnMacOSorNewer() without MPS backend.
    """
    raise RuntimeError("Cannot execute isOnMacOSorNewer() without MPS backend.")


def is_macos13_or_newer(minor: int = 0) -> bool:
    """Raises, as PyTorch built without MPS does.

    Args:
        minor: The version, behind 13.

    >>> import rushlight as torch
    >>> torch.backends.mps.is_macos13_or_newer()
    Traceback (most recent call last):
        ...
    RuntimeError: Cannot execute isOnMacOSorNewer() without MPS backend.
    """
    return is_macos_or_newer(13, minor)


def get_name() -> str:
    """Raises: no device has a name.

    >>> import rushlight as torch
    >>> torch.backends.mps.get_name()
    Traceback (most recent call last):
        ...
    AttributeError: module 'torch._C' has no attribute '_mps_get_name'
    """
    raise no_binding("_mps_get_name")


def get_core_count() -> int:
    """Raises: no device has cores.

    >>> import rushlight as torch
    >>> torch.backends.mps.get_core_count()
    Traceback (most recent call last):
        ...
    AttributeError: module 'torch._C' has no attribute '_mps_get_core_count'
    """
    raise no_binding("_mps_get_core_count")
