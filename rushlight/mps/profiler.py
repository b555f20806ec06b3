"""A profiler of MPS, which is not there."""

import contextlib

from rushlight._absent import answering
from rushlight.cuda._answers import no_binding

__all__ = ["is_capturing_metal", "is_metal_capture_enabled", "metal_capture", "profile", "start", "stop"]

_STOP = RuntimeError("Cannot execute profilerStopTrace() without MPS backend.")
globals().update(
    answering(
        __name__,
        {
            "is_capturing_metal()": no_binding("_mps_isCapturing"),
            "is_metal_capture_enabled()": no_binding("_mps_isCaptureEnabled"),
            "start(mode='interval', wait_until_completed=False)": RuntimeError(
                "Cannot execute profilerStartTrace() without MPS backend."
            ),
            "stop()": _STOP,
        },
    )
)


@contextlib.contextmanager
def profile(mode="interval", wait_until_completed=False):
    """Profiles a block; raises when it is entered.

    Args:
        mode: What is noted: "interval", "event", or both.
        wait_until_completed: Whether each piece of work is waited for.

    >>> import rushlight as torch
    >>> with torch.mps.profiler.profile(): pass
    Traceback (most recent call last):
        ...
    RuntimeError: Cannot execute profilerStopTrace() without MPS backend.
    """
    raise RuntimeError(*_STOP.args)
    yield


@contextlib.contextmanager
def metal_capture(fname):
    """Captures a block; raises when it is entered.

    Args:
        fname: The file for it.

    >>> import rushlight as torch
    >>> with torch.mps.profiler.metal_capture("trace"): pass
    Traceback (most recent call last):
        ...
    AttributeError: module 'torch._C' has no attribute '_mps_stopCapture'
    """
    raise no_binding("_mps_stopCapture")
    yield
