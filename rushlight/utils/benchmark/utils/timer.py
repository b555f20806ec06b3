"""`Timer`: how long a statement takes."""

import enum
import statistics
import textwrap
import timeit
from collections.abc import Callable
from typing import Any

import rushlight
from rushlight.utils.benchmark.utils import common

__all__ = ["Language", "Timer", "timer"]

timer = timeit.default_timer


class Language(enum.Enum):
    """What a timed statement is written in; one in C++ is an error.

    >>> from rushlight.utils.benchmark import Language
    >>> Language.PYTHON.value
    0
    """

    PYTHON = 0
    CPP = 1


class Timer:
    """Measures a statement of Python, on one thread unless told otherwise.

    Args:
        stmt: The statement.
        setup, global_setup: What runs before.
        timer: The clock, in seconds.
        globals: The names that the statement knows besides `torch`.
        label, sub_label, description, env: What tables call it.
        num_threads: On how many threads.
        language: Python.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import Timer
    >>> measured = Timer("x + x", "x = torch.ones(3)").timeit(100)
    >>> measured.number_per_run, measured.median > 0
    (100, True)
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Language | str = Language.PYTHON,
    ) -> None:
        if not isinstance(stmt, str):
            raise ValueError("Currently only a `str` stmt is supported.")
        if language in (Language.CPP, "cpp", "c++"):
            raise NotImplementedError("Timer: statements of C++ are part of PyTorch; Rushlight does not have them")
        if language not in (Language.PYTHON, "py", "python"):
            raise ValueError(f"Invalid language `{language}`.")
        if global_setup:
            raise ValueError(
                f"global_setup is C++ only, got `{global_setup}`. Most likely this code can simply be moved to `setup`."
            )
        stmt, setup = textwrap.dedent(stmt).strip(), textwrap.dedent(setup).strip()
        self._globals = {"torch": rushlight, **(globals or {})}
        self._timer = timeit.Timer(stmt=stmt, setup=setup, timer=timer, globals=self._globals)
        self._task_spec = common.TaskSpec(
            stmt=stmt,
            setup=setup,
            global_setup=global_setup,
            label=label,
            sub_label=sub_label,
            description=description,
            env=env,
            num_threads=num_threads,
        )

    def _timeit(self, number: int) -> float:
        return max(self._timer.timeit(number), 1e-9)

    def _measurement(self, number: int, times: list[float]) -> common.Measurement:
        return common.Measurement(number_per_run=number, raw_times=times, task_spec=self._task_spec)

    def timeit(self, number: int = 1000000) -> common.Measurement:
        """The time of `number` runs, after a hundredth of them to warm up."""
        with common.set_torch_threads(self._task_spec.num_threads):
            self._timeit(max(number // 100, 2))
            return self._measurement(number, [self._timeit(number)])

    def repeat(self, repeat: int = -1, number: int = -1) -> None:
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def autorange(self, callback: Callable[[int, float], Any] | None = None) -> None:
        raise NotImplementedError("See `Timer.blocked_autorange.`")

    def _block(self, min_run_time: float) -> int:
        """How many runs make a block beside which the clock's own time is nothing."""
        with common.set_torch_threads(self._task_spec.num_threads):
            overhead = statistics.median(self._timeit(0) for _ in range(5))
            number = 1
            while True:
                taken = self._timeit(number)
                if overhead / taken <= 1e-4 and taken >= min_run_time / 1000:
                    return number
                if taken > min_run_time or number * 10 > 2**31 - 1:
                    return number
                number *= 10

    def _run_blocks(self, number: int, min_run_time: float, callback, enough: Callable[[list[float]], bool]) -> list[float]:
        times: list[float] = []
        total = 0.0
        with common.set_torch_threads(self._task_spec.num_threads):
            while total < min_run_time or not enough(times):
                taken = self._timeit(number)
                if callback:
                    callback(number, taken)
                total += taken
                times.append(taken)
        return times

    def blocked_autorange(
        self, callback: Callable[[int, float], Any] | None = None, min_run_time: float = 0.2
    ) -> common.Measurement:
        """Blocks of runs until `min_run_time` seconds are over; `callback(runs, seconds)` is called after each."""
        number = self._block(min_run_time)
        return self._measurement(number, self._run_blocks(number, min_run_time, callback, lambda times: True))

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable[[int, float], Any] | None = None,
    ) -> common.Measurement:
        """Blocks of runs until the interquartile range is less than `threshold` of the median, or `max_run_time` seconds are over."""
        number = self._block(min_run_time)

        def enough(times: list[float]) -> bool:
            if sum(times) > max_run_time:
                return True
            return len(times) > 3 and self._measurement(number, times).meets_confidence(threshold)

        return self._measurement(number, self._run_blocks(number, min_run_time, callback, enough))

    def collect_callgrind(
        self, number: int = 100, *, repeats: int | None = None, collect_baseline: bool = True, retain_out_file: bool = False
    ) -> Any:
        raise NotImplementedError("Timer.collect_callgrind is part of PyTorch; Rushlight does not have it")
