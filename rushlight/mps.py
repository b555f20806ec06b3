"""MPS as a program meets it where there is none."""

__all__ = ["device_count", "is_available"]


def is_available() -> bool:
    """False: there is only the CPU."""
    return False


def device_count() -> int:
    """0."""
    return 0
