"""A device that is not there."""

from rushlight.cuda._answers import no_binding

__all__ = ["get_core_count", "get_name", "is_available", "is_built", "is_macos13_or_newer", "is_macos_or_newer"]


def is_available() -> bool:
    """False."""
    return False


def is_built() -> bool:
    """False."""
    return False


def is_macos_or_newer(major: int, minor: int) -> bool:
    """Raises, as PyTorch built without MPS does."""
    raise RuntimeError("Cannot execute isOnMacOSorNewer() without MPS backend.")


def is_macos13_or_newer(minor: int = 0) -> bool:
    """Raises, as PyTorch built without MPS does."""
    return is_macos_or_newer(13, minor)


def get_name() -> str:
    """Raises: no device has a name."""
    raise no_binding("_mps_get_name")


def get_core_count() -> int:
    """Raises: no device has cores."""
    raise no_binding("_mps_get_core_count")
