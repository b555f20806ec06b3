"""Marks for Intel's profiler, which is not there."""

import contextlib

from rushlight._absent import answering

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


@contextlib.contextmanager
def range(msg, *args, **kwargs):
    """A range around a block; raises when it is entered.

    Args:
        msg: The name of the range; further arguments are put into it, as `str.format` does.

    >>> import rushlight as torch
    >>> with torch.profiler.itt.range("forward"): pass
    Traceback (most recent call last):
        ...
    RuntimeError: ITT functions not installed. Are you sure you have a ITT build?
    """
    raise _NO_ITT
    yield
