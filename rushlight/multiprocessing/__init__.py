"""Python's `multiprocessing`, whose names are all here, with tensors in shared memory.

What is sent to other processes, through queues, pipes or as arguments, shares its memory with them: after this module is imported, by
`multiprocessing` itself too.
"""

import multiprocessing
import threading
from multiprocessing import *

from rushlight.multiprocessing import _atfork, reductions
from rushlight.multiprocessing.reductions import init_reductions
from rushlight.multiprocessing.spawn import (
    ENV_VAR_PARALLEL_START,
    ProcessContext,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    _end_with_parent as _prctl_pr_set_pdeathsig,
    spawn,
    start_processes,
)

__all__ = ["get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy", *multiprocessing.__all__]

_all_sharing_strategies = {"file_descriptor", "file_system"}
_sharing_strategy = "file_descriptor"


def set_sharing_strategy(new_strategy):
    """Sets how memory is shared from now on.

    Args:
        new_strategy: "file_descriptor", as an open file, as at first; or "file_system", as a file with a name, where more are
            needed than a process may have open. Others are an AssertionError.

    >>> import rushlight as torch
    >>> from rushlight import multiprocessing
    >>> multiprocessing.set_sharing_strategy("file_descriptor")
    """
    global _sharing_strategy
    if new_strategy not in _all_sharing_strategies:
        raise AssertionError(f"invalid sharing strategy {new_strategy!r}, expected one of {_all_sharing_strategies}")
    _sharing_strategy = new_strategy


def get_sharing_strategy():
    """How memory is shared: what `set_sharing_strategy` has set.

    >>> import rushlight as torch
    >>> from rushlight import multiprocessing
    >>> multiprocessing.get_sharing_strategy()
    'file_descriptor'
    """
    return _sharing_strategy


def get_all_sharing_strategies():
    """The set of ways to share memory.

    >>> import rushlight as torch
    >>> from rushlight import multiprocessing
    >>> sorted(multiprocessing.get_all_sharing_strategies())
    ['file_descriptor', 'file_system']
    """
    return _all_sharing_strategies


def _thread_file(mode):
    return open(f"/proc/self/task/{threading.get_native_id()}/comm", mode)


def _set_thread_name(name: str) -> None:
    """What the system calls this thread (Linux only)."""
    with _thread_file("w") as file:
        file.write(name)


def _get_thread_name() -> str:
    with _thread_file("r") as file:
        return file.read().rstrip("\n")


init_reductions()
