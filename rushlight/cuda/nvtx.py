"""Marks for a profiler of CUDA, which is not there."""

import contextlib

from rushlight._absent import answering

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]

_NO_NVTX = RuntimeError("NVTX functions not installed. Are you sure you have a CUDA build?")
globals().update(
    answering(
        __name__,
        {
            "mark(msg)": _NO_NVTX,
            "range_end(range_id)": AttributeError("'_NVTXStub' object has no attribute 'rangeEnd'"),
            "range_pop()": _NO_NVTX,
            "range_push(msg)": _NO_NVTX,
            "range_start(msg)": AttributeError("'_NVTXStub' object has no attribute 'rangeStartA'"),
        },
    )
)


@contextlib.contextmanager
def range(msg, *args, **kwargs):
    """A range around a block; raises when it is entered.

    Args:
        msg: The name of the range; further arguments are put into it, as `str.format` does.

    >>> import rushlight as torch
    >>> with torch.cuda.nvtx.range("forward"): pass
    Traceback (most recent call last):
        ...
    RuntimeError: NVTX functions not installed. Are you sure you have a CUDA build?
    """
    raise _NO_NVTX
    yield
