"""Whether Triton is there, for which Rushlight makes no code: it is not."""

__all__ = ["has_triton", "has_triton_package"]


def has_triton_package():
    """False."""
    return False


def has_triton():
    """False."""
    return False
