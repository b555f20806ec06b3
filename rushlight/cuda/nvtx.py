"""Marks for a profiler of CUDA, which is not there."""

from rushlight._absent import answering, no_range

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
range = no_range(__name__, _NO_NVTX)
