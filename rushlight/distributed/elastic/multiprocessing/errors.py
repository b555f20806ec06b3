"""What a process that fails tells the one that started it: a file with its error, where the environment names one."""

import faulthandler
import functools
import json
import os
import time
import traceback

__all__ = ["ErrorHandler", "get_error_handler", "record"]


class ErrorHandler:
    """Writes an error to the file that `TORCHELASTIC_ERROR_FILE` names in the environment.

    >>> import rushlight as torch
    >>> from rushlight.distributed.elastic.multiprocessing.errors import ErrorHandler
    >>> ErrorHandler().record_exception(ValueError("nobody asks for it"))
    """

    def initialize(self):
        """Has Python show where it is where it crashes."""
        faulthandler.enable(all_threads=True)

    def record_exception(self, e):
        """Writes `e` and where it was raised as JSON; nothing where there is no file to write to.

        Args:
            e: The exception.
        """
        file = os.environ.get("TORCHELASTIC_ERROR_FILE")
        if not file:
            return
        known = {"py_callstack": "".join(traceback.format_exception(e)), "timestamp": str(int(time.time()))}
        with open(file, "w") as out:
            json.dump({"message": {"message": f"{type(e).__name__}: {e}", "extraInfo": known}}, out)


def get_error_handler():
    """The handler that `record` takes where none is given.

    >>> import rushlight as torch
    >>> from rushlight.distributed.elastic.multiprocessing import errors
    >>> isinstance(errors.get_error_handler(), errors.ErrorHandler)
    True
    """
    return ErrorHandler()


def record(fn, error_handler=None):
    """A function that does what `fn` does, and records the exception that leaves it.

    Args:
        fn: What the program does.
        error_handler: An `ErrorHandler`.

    >>> import rushlight as torch
    >>> from rushlight.distributed.elastic.multiprocessing.errors import record
    >>> record(lambda a, b: a + b)(1, 2)
    3
    """
    handler = error_handler or get_error_handler()

    @functools.wraps(fn)
    def recorded(*args, **kwargs):
        handler.initialize()
        try:
            return fn(*args, **kwargs)
        except SystemExit as end:
            if end.code == 0:
                return None
            raise
        except Exception as e:
            handler.record_exception(e)
            raise

    return recorded
