"""Where programs stood, under the names of PyTorch's compiled part."""

import sys
import traceback


class CapturedTraceback:
    """The frames of a program at one time; `symbolize_tracebacks` reads them."""

    def __init__(self, frames):
        self._frames = frames


def gather_traceback(python, script, cpp):
    """Where the caller stands; there are no frames of TorchScript, and those of C++ are not told."""
    return CapturedTraceback(list(traceback.walk_stack(sys._getframe(1))) if python else [])


def symbolize_tracebacks(tracebacks):
    """The frames of each as dicts of `name`, `filename` and `line`, the innermost first."""
    return [
        [{"name": frame.f_code.co_name, "filename": frame.f_code.co_filename, "line": line} for frame, line in each._frames]
        for each in tracebacks
    ]
