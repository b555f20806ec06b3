"""Threads: kernels share their work among threads of Rushlight's own, not OpenMP's."""


def is_available() -> bool:
    """False."""
    return False
