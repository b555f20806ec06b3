"""`Compare`: measurements in a table."""

import enum
import itertools
import math
from collections.abc import Iterable

from rushlight.utils.benchmark.utils import common

__all__ = ["Colorize", "Compare"]

_BEST, _GOOD, _BAD, _WORST, _BOLD, _END = "\033[92m", "\033[34m", "\033[2m\033[91m", "\033[31m", "\033[1m", "\033[0m"


class Colorize(enum.Enum):
    """What `Compare` colours times by: nothing, their column or their row.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import Colorize
    >>> Colorize.ROWWISE.value
    'rowwise'
    """

    NONE = "none"
    COLUMNWISE = "columnwise"
    ROWWISE = "rowwise"


class Compare:
    """Measurements `results` in a table of each label: rows by `sub_label` (or statement) and threads, columns by `description`.

    >>> import rushlight as torch
    >>> from rushlight.utils.benchmark import Compare, Measurement, TaskSpec
    >>> Compare([Measurement(1, [2e-3], TaskSpec("f()", "", label="f", description="now"))]).print()
    [------ f ------]
               |  now
    1 threads: ------
          f()  |  2.0
    <BLANKLINE>
    Times are in milliseconds (ms).
    """

    def __init__(self, results: list[common.Measurement]) -> None:
        self._results: list[common.Measurement] = []
        self.extend_results(results)
        self._trim_significant_figures = self._highlight_warnings = False
        self._colorize = Colorize.NONE

    def extend_results(self, results: Iterable[common.Measurement]) -> None:
        """Adds measurements."""
        results = list(results)
        for result in results:
            if not isinstance(result, common.Measurement):
                raise ValueError(f"Expected an instance of `Measurement`, got {type(result)} instead.")
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Shows the digits that count alone."""
        self._trim_significant_figures = True

    def colorize(self, rowwise: bool = False) -> None:
        """Shows what is quick and what is slow, in columns or rows."""
        self._colorize = Colorize.ROWWISE if rowwise else Colorize.COLUMNWISE

    def highlight_warnings(self) -> None:
        """Marks measurements that spread."""
        self._highlight_warnings = True

    def print(self) -> None:
        print(self)

    def __str__(self) -> str:
        merged = common.Measurement.merge(self._results)
        labels = common.ordered_unique(one.label for one in merged)
        return "\n".join(self._table([one for one in merged if one.label == label]) for label in labels)

    def _table(self, results: list[common.Measurement]) -> str:
        unit, scale = common.select_unit(min(one.median for one in results))
        columns = common.ordered_unique(one.description for one in results)
        rows = sorted(
            common.ordered_unique((one.num_threads, one.env, one.as_row_name) for one in results), key=lambda row: row[0]
        )
        cells = {((one.num_threads, one.env, one.as_row_name), one.description): one for one in results}
        shown = [self._column([cells.get((row, column)) for row in rows], scale) for column in columns]
        width = max(len(name) for _, _, name in rows) + 6
        titles = ["" if column is None else column for column in columns]
        widths = [max(len(title), *map(len, cells)) for title, cells in zip(titles, shown)]
        lines = ["  |  ".join([" " * width, *(title.center(wide) for title, wide in zip(titles, widths))])]
        for threads, group in itertools.groupby(enumerate(rows), key=lambda item: item[1][0]):
            head = f"{threads} threads: "
            lines.append(head + "-" * (len(lines[0]) - len(head)))
            for place, (_, env, name) in group:
                label = name if env is None else f"({env})  {name}"
                found = [
                    self._colored(cells[place].center(wide), place, number, rows, columns, results)
                    for number, (cells, wide) in enumerate(zip(shown, widths))
                ]
                lines.append("  |  ".join([(" " * 6 + label).ljust(width), *found]))
        title = results[0].label or results[0].title
        heading = f"[{f' {title} '.center(len(lines[0]) - 2, '-')}]"
        marks = (
            "(! XX%) Measurement has high variance, where XX is the IQR / median * 100.\n"
            if self._highlight_warnings and any(one.has_warnings for one in results)
            else ""
        )
        return "\n".join([heading, *lines, "", f"Times are in {common.unit_to_english(unit)}s ({unit}).", marks])

    def _column(self, found: list[common.Measurement | None], scale: float) -> list[str]:
        """The numbers of a column, with as many decimal digits."""
        digits = 1
        if self._trim_significant_figures:
            digits = min(one.significant_figures - math.ceil(math.log10(one.median / scale)) for one in found if one)
            digits = min(max(digits, 0), 1)
        out = []
        for one in found:
            if one is None:
                out.append("")
                continue
            value = one.median / scale
            if self._trim_significant_figures:
                value = common.trim_sigfig(value, one.significant_figures)
            mark = f" (! {one.iqr / one.median * 100:.0f}%)" if self._highlight_warnings and one.has_warnings else ""
            out.append(f"{value:.{digits}f}{mark}")
        wide = max(map(len, out))
        return [text.rjust(wide) for text in out]

    def _colored(self, text, place, number, rows, columns, results) -> str:
        if self._colorize is Colorize.NONE or not text.strip():
            return text
        cells = {((one.num_threads, one.env, one.as_row_name), one.description): one.median for one in results}
        value = cells[(rows[place], columns[number])]
        beside = [
            time
            for (row, column), time in cells.items()
            if (
                row == rows[place]
                if self._colorize is Colorize.ROWWISE
                else column == columns[number] and row[0] == rows[place][0]
            )
        ]
        best = min(beside)
        ratio = 1.0 if value <= best + common._MIN_CONFIDENCE_INTERVAL else value / best
        limits = (1.01, _BEST + _BOLD), (1.1, _GOOD + _BOLD), (2, ""), (5, _BAD), (math.inf, _WORST + _BOLD)
        color = next(color for limit, color in limits if ratio < limit)
        return f"{color}{text}{_END}{_END}" if color else text
