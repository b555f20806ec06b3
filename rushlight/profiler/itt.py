"""Marks for Intel's profiler, which is not there."""

from rushlight._absent import answering, no_range

__all__ = ["is_available", "mark", "range", "range_pop", "range_push"]

_NO_ITT = RuntimeError("ITT functions not installed. Are you sure you have a ITT build?")
globals().update(
    answering(
        __name__,
        {
            "is_available()": False,
            "mark(msg)": _NO_ITT,
            "range_pop()": _NO_ITT,
            "range_push(msg)": _NO_ITT,
        },
    )
)
range = no_range(__name__, _NO_ITT)
