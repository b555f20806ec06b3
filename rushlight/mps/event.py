"""Marks in a queue of MPS, which is not there."""

__all__ = ["Event"]


class Event:
    """A mark of which none can be made."""

    def __init__(self, enable_timing=False):
        raise RuntimeError("Cannot execute acquireEvent() without MPS backend.")
