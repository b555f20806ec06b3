"""Several processes that run one function, and how they fail."""

import concurrent.futures
import logging
import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import sys
import tempfile
import time
import traceback

from rushlight.core import warn_user

ENV_VAR_PARALLEL_START = "TORCH_MP_PARALLEL_START"

log = logging.getLogger(__name__)

__all__ = [
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "spawn",
    "start_processes",
]


class ProcessException(Exception):
    """The end of a process, of the number `error_index` and the process id `error_pid`, that should not have ended so.

    Args:
        msg: The text.
        error_index, error_pid: The number of the process, and its id.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing import ProcessRaisedException
    >>> ProcessRaisedException("it failed", 0, 1234).error_pid
    1234
    """

    __slots__ = ["error_index", "error_pid"]

    def __init__(self, msg: str, error_index: int, error_pid: int):
        super().__init__(msg)
        self.msg = msg
        self.error_index = error_index
        self.error_pid = error_pid

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.error_pid)


class ProcessRaisedException(ProcessException):
    """A process's function raised an exception, whose traceback is in the text.

    Args:
        msg: The text.
        error_index, error_pid: The number of the process, and its id.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing import ProcessRaisedException
    >>> ProcessRaisedException("it failed", 0, 1234).error_index
    0
    """


class ProcessExitedException(ProcessException):
    """A process ended by a signal, or with an exit code other than 0.

    Args:
        msg: The text.
        error_index, error_pid: The number of the process, and its id.
        exit_code: The code, or minus the signal.
        signal_name: The name of the signal.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing import ProcessExitedException
    >>> ProcessExitedException("it ended", 0, 1234, exit_code=1).exit_code
    1
    """

    __slots__ = ["exit_code"]

    def __init__(self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None):
        super().__init__(msg, error_index, error_pid)
        self.exit_code = exit_code
        self.signal_name = signal_name

    def __reduce__(self):
        return type(self), (self.msg, self.error_index, self.error_pid, self.exit_code, self.signal_name)


def _end_with_parent(number: int) -> None:
    """Has the system send this process a signal when its parent ends (Linux only)."""
    if sys.platform == "linux":
        import ctypes

        parent_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(parent_death_signal, number)


def _run(function, index, arguments, report):
    """A process: calls the function; where that raises, the traceback goes into the file `report`."""
    _end_with_parent(signal.SIGINT)
    try:
        function(index, *arguments)
    except KeyboardInterrupt:
        pass  # the parent ends, and says so
    except Exception:
        with open(report, "wb") as file:
            pickle.dump(traceback.format_exc(), file)
        sys.exit(1)


def _terminate(process) -> None:
    log.warning("Terminating process %s via signal SIGTERM", process.pid)
    process.terminate()


def _kill(process) -> None:
    log.warning("Unable to shutdown process %s via SIGTERM , forcefully exiting via SIGKILL", process.pid)
    process.kill()


class ProcessContext:
    """Processes that `start_processes` started.

    Args:
        processes: The processes.
        error_files: The files in which they leave what they raised.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing.spawn import ProcessContext
    >>> ProcessContext([], []).join()
    True
    """

    def __init__(self, processes, error_files):
        self.processes = processes
        self.error_files = error_files
        self.sentinels = {process.sentinel: index for index, process in enumerate(processes)}

    def pids(self):
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Waits until a process ends, `timeout` seconds at most; returns whether all have.

        Where one failed, the others have `grace_period` seconds to end by themselves, then are ended, and an exception says how the one
        failed.
        """
        ended = multiprocessing.connection.wait(self.sentinels, timeout=timeout) if self.sentinels else ()
        failed = next((index for index in map(self._reaped, ended) if self.processes[index].exitcode != 0), None)
        if failed is None:
            return not self.sentinels
        steps = [] if grace_period is None else [(grace_period, None)]
        for seconds, end in (*steps, (30 if grace_period is None else grace_period, _terminate), (None, _kill)):
            self._wait(seconds, end)
        raise self._failure(failed)

    def _reaped(self, sentinel) -> int:
        """The number of a process that has ended, and is waited for no more."""
        index = self.sentinels.pop(sentinel)
        self.processes[index].join()
        return index

    def _wait(self, seconds: float | None, end) -> None:
        """Waits so long for the processes that still run, which `end` asks to end (None: nobody does)."""
        running = [process for process in self.processes if process.is_alive()]
        for process in running if end is not None else ():
            end(process)
        until = None if seconds is None else time.monotonic() + seconds
        for process in running:
            process.join(None if until is None else max(0, until - time.monotonic()))

    def _failure(self, index: int) -> ProcessException:
        process = self.processes[index]
        if os.access(self.error_files[index], os.R_OK):
            with open(self.error_files[index], "rb") as file:
                text = pickle.load(file)
            return ProcessRaisedException(
                f"\n\n-- Process {index} terminated with the following error:\n{text}", index, process.pid
            )
        code, name = process.exitcode, None
        if code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = f"<Unknown signal {-code}>"
        how = f"signal {name}" if name else f"exit code {code}"
        return ProcessExitedException(
            f"process {index} terminated with {how}", error_index=index, error_pid=process.pid, exit_code=code, signal_name=name
        )


class SpawnContext(ProcessContext):
    """The name that `ProcessContext` had.

    Args:
        error_files: As of `ProcessContext`.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> from rushlight.multiprocessing.spawn import SpawnContext
    >>> SpawnContext([], []).join()
    True
    """

    def __init__(self, processes, error_files):
        warn_user("SpawnContext is renamed to ProcessContext since 1.4 release.")
        super().__init__(processes, error_files)


def start_processes(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """Starts `nprocs` processes, the i-th of which calls `fn(i, *args)`; `start_method` is one of `multiprocessing`'s.

    With `join` it waits until all have ended, and returns None; else it returns the `ProcessContext`, whose `join` does. Where a
    process
    fails, the others are ended, and a `ProcessRaisedException` with its traceback, or a `ProcessExitedException`, is raised.

    Args:
        daemon: Whether they end with this process.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing import start_processes
    >>> start_processes(print, nprocs=0)
    """
    context = multiprocessing.get_context(start_method)

    def start(index):
        # Its name is free when the process starts: a file that is there means that the function has raised.
        with tempfile.NamedTemporaryFile(prefix="pytorch-errorfile-", suffix=".pickle") as file:
            report = file.name
        process = context.Process(target=_run, args=(fn, index, args, report), daemon=daemon)
        process.start()
        return process, report

    if start_method == "forkserver" and os.environ.get(ENV_VAR_PARALLEL_START, "0") == "1":
        log.info("Starting processes in parallel.")
        with concurrent.futures.ThreadPoolExecutor(max_workers=nprocs) as threads:
            started = list(threads.map(start, range(nprocs)))
    else:
        started = [start(index) for index in range(nprocs)]
    processes = ProcessContext([process for process, _ in started], [report for _, report in started])
    if not join:
        return processes
    while not processes.join():
        pass


def spawn(fn, args=(), nprocs=1, join=True, daemon=False, start_method="spawn"):
    """`start_processes` by the method spawn: each process is a new interpreter, which imports the module of `fn`.

    Args:
        fn, args, nprocs, join, daemon, start_method: As of `start_processes`.

    >>> import rushlight as torch
    >>> from rushlight.multiprocessing import spawn
    >>> spawn(print, nprocs=0)
    """
    if start_method != "spawn":
        warn_user(
            f"This method only supports start_method=spawn (got: {start_method}).\nTo use a different start_method use:\n\t\t "
            "torch.multiprocessing.start_processes(...)",
            FutureWarning,
        )
    return start_processes(fn, args, nprocs, join, daemon, start_method="spawn")
