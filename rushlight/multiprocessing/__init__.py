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
    """How memory is shared from now on: as an open file ("file_descriptor", at first), or as a file with a name ("file_system"), where more
    are needed than a process may have open."""
    global _sharing_strategy
    if new_strategy not in _all_sharing_strategies:
        raise AssertionError(f"invalid sharing strategy {new_strategy!r}, expected one of {_all_sharing_strategies}")
    _sharing_strategy = new_strategy


def get_sharing_strategy():
    """How memory is shared."""
    return _sharing_strategy


def get_all_sharing_strategies():
    """The set of ways to share memory."""
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
