"""Marks in a queue of MPS, which is not there."""

__all__ = ["Event"]


class Event:
    """A mark of which none can be made.

    Args:
        enable_timing: Whether it notes when it is reached.

    >>> import rushlight as torch
    >>> torch.mps.event.Event()
    Traceback (most recent call last):
        ...
    RuntimeError: Cannot execute acquireEvent() without MPS backend.
    """

    def __init__(self, enable_timing=False):
        raise RuntimeError("Cannot execute acquireEvent() without MPS backend.")
