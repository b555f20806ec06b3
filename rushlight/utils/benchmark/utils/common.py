"""What was measured, and how it is said."""

import contextlib
import dataclasses
import math
import statistics
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import rushlight

__all__ = ["Measurement", "TaskSpec", "ordered_unique", "select_unit", "set_torch_threads", "trim_sigfig", "unit_to_english"]

_MAX_SIGNIFICANT_FIGURES = 4
_MIN_CONFIDENCE_INTERVAL = 25e-9  # a clock is no more exact
_MIN_MEASUREMENTS = 2  # for an interquartile range
_IQR_WARN_THRESHOLD = 0.1
_IQR_GROSS_WARN_THRESHOLD = 0.25


@dataclasses.dataclass(init=True, repr=False, eq=True, frozen=True)
class TaskSpec:
    """What is measured: a statement, what comes before it, and what it is called in tables.

    Args:
        stmt, setup, global_setup: The statement, and what comes before it.
        label, sub_label, description, env: What tables call it.
        num_threads: On how many threads it runs.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import TaskSpec
    >>> TaskSpec("x + 1", "x = 2").title
    'x + 1'
    """

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        if self.label is not None:
            return self.label + (f": {self.sub_label}" if self.sub_label else "")
        if "\n" not in self.stmt:
            return self.stmt + (f": {self.sub_label}" if self.sub_label else "")
        return f"stmt:{f' ({self.sub_label})' if self.sub_label else ''}\n{textwrap.indent(self.stmt, '  ')}"

    def setup_str(self) -> str:
        if self.setup == "pass" or not self.setup:
            return ""
        return f"setup:\n{textwrap.indent(self.setup, '  ')}" if "\n" in self.setup else f"setup: {self.setup}"

    def summarize(self) -> str:
        """All that there is to say, a line each, or several with an empty line behind them."""
        sections = [self.title, self.description or "", self.setup_str()]
        return "\n".join(f"{section}\n" if "\n" in section else section for section in sections if section)


@dataclasses.dataclass(init=True, repr=False)
class Measurement:
    """Times of several blocks of runs; statistics are those of one run.

    Args:
        number_per_run: How many runs a block has.
        raw_times: The blocks' times, in seconds.
        task_spec: What was measured, a `TaskSpec`.
        metadata: Anything else.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import Measurement, TaskSpec
    >>> Measurement(4, [1.0, 2.0, 3.0], TaskSpec("x + 1", "pass")).median
    0.5
    """

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = None

    def __getattr__(self, name: str) -> Any:
        # Labels are those of the task.
        if name.startswith("_") or "task_spec" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.task_spec, name)

    @property
    def times(self) -> list[float]:
        return [time / self.number_per_run for time in self.raw_times]

    def _quantile(self, part: float) -> float:
        times = sorted(self.times)
        place = part * (len(times) - 1)
        below, above = times[math.floor(place)], times[math.ceil(place)]
        return below + (above - below) * (place - math.floor(place))

    @property
    def median(self) -> float:
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        return statistics.fmean(self.times)

    @property
    def iqr(self) -> float:
        """The range in which the middle half of the times is."""
        return self._quantile(0.75) - self._quantile(0.25)

    @property
    def significant_figures(self) -> int:
        """How many digits of the median the spread of the middle half of the times supports."""
        times, count = sorted(self.times), len(self.raw_times)
        middle = times[count // 4 : math.ceil(3 * count / 4)]
        deviation = statistics.stdev(middle) if len(middle) > 1 else 0.0
        interval = max(1.645 * deviation / math.sqrt(len(middle)), _MIN_CONFIDENCE_INTERVAL)
        return min(max(math.floor(math.log10(self.median / interval)), 1), _MAX_SIGNIFICANT_FIGURES)

    @property
    def has_warnings(self) -> bool:
        return bool(self._warnings())

    def _warnings(self) -> str:
        spread = self.iqr / self.median
        if len(self.raw_times) < _MIN_MEASUREMENTS or spread < _IQR_WARN_THRESHOLD:
            return ""
        cause = (
            "This suggests significant environmental influence."
            if spread >= _IQR_GROSS_WARN_THRESHOLD
            else "This could indicate system fluctuation."
        )
        return f"  WARNING: Interquartile range is {spread * 100:.1f}% of the median measurement.\n           {cause}"

    def meets_confidence(self, threshold: float = _IQR_WARN_THRESHOLD) -> bool:
        """Whether the interquartile range is less than a part of the median."""
        return self.iqr / self.median < threshold

    @property
    def title(self) -> str:
        return self.task_spec.title

    @property
    def env(self) -> str | None:
        return self.task_spec.env

    @property
    def as_row_name(self) -> str:
        return self.task_spec.sub_label or self.task_spec.stmt or "[Unknown]"

    def __repr__(self) -> str:
        unit, scale = select_unit(self.median)
        count = len(self.raw_times)
        lines = [object.__repr__(self), self.task_spec.summarize()]
        lines.append(f"  {'Median: ' if count > 1 else ''}{self.median / scale:.2f} {unit}")
        if count >= 4:
            low, high = self._quantile(0.25) / scale, self._quantile(0.75) / scale
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {unit} ({low:.2f} to {high:.2f})")
        threads = self.task_spec.num_threads
        lines.append(
            f"  {count} measurement{'s' if count > 1 else ''}, {self.number_per_run} runs {'per measurement' if count > 1 else ''}, "
            f"{threads} thread{'s' if threads > 1 else ''}"
        )
        return "\n".join(filter(None, [*lines, self._warnings()]))

    @staticmethod
    def merge(measurements: Iterable["Measurement"]) -> list["Measurement"]:
        """One for each task, with the times of all of its measurements, of one run each."""
        times: dict[TaskSpec, list[float]] = {}
        for measurement in measurements:
            times.setdefault(measurement.task_spec, []).extend(measurement.times)
        return [Measurement(number_per_run=1, raw_times=raw, task_spec=task) for task, raw in times.items()]


def select_unit(t: float) -> tuple[str, float]:
    """The unit that a time `t` is said in, and its seconds.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import select_unit
    >>> select_unit(0.002)
    ('ms', 0.001)
    """
    unit = {-3: "ns", -2: "us", -1: "ms"}.get(int(math.log10(t) // 3), "s")
    return unit, {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}[unit]


def unit_to_english(u: str) -> str:
    """The word for a unit `u`.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import unit_to_english
    >>> unit_to_english("ms")
    'millisecond'
    """
    return {"ns": "nanosecond", "us": "microsecond", "ms": "millisecond", "s": "second"}[u]


def trim_sigfig(x: float, n: int) -> float:
    """A number `x` with `n` digits that count.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import trim_sigfig
    >>> trim_sigfig(1234.0, 2)
    1200.0
    """
    if n != int(n):
        raise AssertionError(f"n must be an integer, got {n}")
    scale = float(10 ** (math.ceil(math.log10(abs(x))) - n))
    return round(x / scale) * scale


def ordered_unique(elements: Iterable[Any]) -> list[Any]:
    """The different ones of `elements`, in the order in which they first come.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import ordered_unique
    >>> ordered_unique([3, 1, 3, 2])
    [3, 1, 2]
    """
    return list(dict.fromkeys(elements))


@contextlib.contextmanager
def set_torch_threads(n: int) -> Iterator[None]:
    """Runs what is inside on `n` threads.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import set_torch_threads
    >>> with set_torch_threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = rushlight.get_num_threads()
    try:
        rushlight.set_num_threads(n)
        yield
    finally:
        rushlight.set_num_threads(before)
