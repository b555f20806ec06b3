"""How measurements and their tables are said, beside PyTorch."""

import re

import pytest

import rushlight.utils.benchmark as ours

theirs = pytest.importorskip("torch.utils.benchmark")
pytestmark = pytest.mark.parity

TIMES = [
    [1e-5] * 5,
    [1.0, 1.1, 1.2],
    [1.0, 2.0, 3.0, 4.0],
    [1.0, 1.1, 1.2, 1.3],
    [1.0, 2.0],
    [0.001] * 2,
    [5e-9] * 100,
    [100.0] * 4,
    [1e-3, 1.0001e-3, 1.0002e-3] * 3,
    [3.0],
]
TASKS = [
    dict(stmt="stmt", setup="setup", label="label", num_threads=2),
    dict(stmt="a;b\nc", setup="setup x\n y", description="d"),
    dict(stmt="a;b\nc", setup="pass"),
    dict(stmt="a", setup="", sub_label="d", env="e", label="l"),
]


def measured(benchmark, times, task):
    made = benchmark.Measurement(10, times, benchmark.TaskSpec(**task))
    numbers = [pytest.approx(one) for one in (made.median, made.mean, made.iqr)]
    about = made.significant_figures, made.has_warnings, made.title, made.as_row_name, made.env, made.meets_confidence(0.2)
    return numbers, about, re.sub("^<.*>", "", repr(made))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("times", TIMES)
def test_measurements(times, task):
    assert measured(ours, times, task)[1:] == measured(theirs, times, task)[1:]
    assert measured(ours, times, task)[0] == [one.expected for one in measured(theirs, times, task)[0]]


def tables(benchmark):
    made = []
    for threads in (1, 4):
        for row in ("add", "mul", "a longer name"):
            for column, time in (("a", 1.5e-6), ("b", 2e-3), ("a long one", 3.3e-5)):
                if (row, column) == ("mul", "b"):
                    continue
                time *= threads * len(row)
                task = benchmark.TaskSpec("s", "", label="Label", sub_label=row, description=column, num_threads=threads)
                made.append(benchmark.Measurement(10, [time * 10, time * 10.1, time * 10.2], task))
    table = benchmark.Compare(made)
    yield str(table)
    table.trim_significant_figures()
    yield str(table)
    for rowwise in (False, True):
        table.colorize(rowwise)
        yield str(table)
    for ratio in (1.005, 1.05, 1.5, 2.5, 6.0):
        two = [
            benchmark.Measurement(1, [time], benchmark.TaskSpec("s", "", label="L", sub_label=row, description="d"))
            for row, time in (("x", 1.0), ("y", ratio))
        ]
        table = benchmark.Compare(two)
        table.colorize()
        yield str(table)


def test_tables():
    for one, other in zip(tables(ours), tables(theirs), strict=True):
        assert one == other


@pytest.mark.parametrize("options", [dict(language="x"), dict(num_threads=0), dict(stmt=3), dict(global_setup="x")])
def test_errors(options):
    said = []
    for benchmark in (ours, theirs):
        with pytest.raises(Exception) as raised:
            benchmark.Timer(**{"stmt": "1", **options}).timeit(1)
        said.append((type(raised.value), str(raised.value)))
    assert said[0] == said[1]


def test_times():
    timer = ours.Timer("x + 1", globals={"x": 1}, label="sum")
    measured = timer.blocked_autorange(min_run_time=0.01)
    assert measured.number_per_run >= 100 and 1e-9 < measured.median < 1e-3
    called = []
    assert len(timer.adaptive_autorange(callback=lambda *about: called.append(about)).times) == len(called) > 3
    merged = ours.Measurement.merge([measured, timer.timeit(3)])
    assert len(merged) == 1 and len(merged[0].times) == len(measured.times) + 1
