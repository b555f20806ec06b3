"""Questions that libraries ask of the compiler."""

__all__ = ["is_compile_supported"]


def is_compile_supported(device_type) -> bool:
    """False: there is no compiler."""
    return False
