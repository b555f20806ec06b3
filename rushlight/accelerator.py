"""Devices beside the CPU, of which there are none."""

from rushlight.core import device

__all__ = ["current_accelerator", "device_count", "is_available", "synchronize"]


def is_available() -> bool:
    """False: there is only the CPU."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> device | None:
    """None."""
    return None


def synchronize(device=None, /) -> None:
    """Raises, as PyTorch built without accelerators does."""
    raise RuntimeError("Cannot access accelerator device when none is available.")
