"""Where a program stands, and where an error came from, as text."""

import contextlib
import linecache
import os
import sys
import traceback

__all__ = ["CapturedTraceback", "format_frame", "format_traceback_short", "report_compile_source_on_error", "shorten_filename"]


@contextlib.contextmanager
def report_compile_source_on_error():
    """Inside, an error from functions that were made by `exec`, with their source as `__compile_source__` among their globals, shows its lines."""
    try:
        yield
    except Exception as error:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            source, name = frame.f_globals.get("__compile_source__"), frame.f_code.co_filename
            if source is not None and not os.path.exists(name):
                linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        raise


def shorten_filename(fn, *, base=None) -> str:
    """A file's name from the folder on that it has not in common with `base` (this package's)."""
    base = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) if base is None else base
    try:
        prefix = os.path.commonpath([fn, base])
    except ValueError:  # (nothing in common)
        return fn
    return fn[len(prefix) + 1 :]


def format_frame(frame, *, base=None, line=False) -> str:
    """`file:line in function`, of a frame of a summary, with its text where `line` is true."""
    text = f"{frame.line}  # " if line else ""
    return f"{text}{shorten_filename(frame.filename, base=base)}:{frame.lineno} in {frame.name}"


def format_traceback_short(tb) -> str:
    """The innermost place of a traceback, as `format_frame` has it."""
    return format_frame(traceback.extract_tb(tb)[-1])


class CapturedTraceback:
    """Where a program stood when `extract` was called.

    >>> from rushlight.utils._traceback import CapturedTraceback
    >>> def here():
    ...     return CapturedTraceback.extract()
    >>> here().summary()[-1].name
    'here'
    """

    __slots__ = ["skip", "tb"]

    def __init__(self, tb, skip=0):
        self.tb, self.skip = tb, skip

    @staticmethod
    def extract(*, script=False, cpp=False, skip=0):
        """The place of the call, or of the one `skip` calls outside of it; frames of TorchScript and C++ there are none."""
        return CapturedTraceback(traceback.extract_stack(sys._getframe(1 + skip)), skip)

    def summary(self):
        """The frames, the innermost last; none once they are cleaned up."""
        return traceback.StackSummary() if self.tb is None else self.tb

    def cleanup(self):
        """Forgets the frames."""
        self.tb = None

    def format(self):
        """The frames as text, one each."""
        return traceback.format_list(self.summary())

    @staticmethod
    def format_all(tbs):
        """The texts of several."""
        return [tb.format() for tb in tbs]
