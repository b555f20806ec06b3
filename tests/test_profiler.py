"""Profilers: what they see, and the classes that tell it."""

import json
import warnings

import pytest


@pytest.fixture
def torch():
    import rushlight

    return rushlight


@pytest.fixture
def profiler(torch):
    return torch.autograd.profiler


@pytest.fixture
def work(torch):
    x = torch.ones(3, requires_grad=True)

    def run():
        (x * x).sum().backward()

    return run


def names(events):
    return {event.key for event in events}


def test_ops_nodes_and_ranges(torch, profiler, work):
    with profiler.profile() as p, profiler.record_function("mine"):
        work()
    averages = p.key_averages()
    expected = {"aten::mul", "aten::sum", "mine", "MulBackward0", "SumBackward0", "torch::autograd::AccumulateGrad"}
    assert expected | {"autograd::engine::evaluate_function: MulBackward0"} <= names(averages)
    (mine,) = [average for average in averages if average.key == "mine"]
    assert mine.count == 1 and mine.cpu_time == mine.cpu_time_total >= mine.self_cpu_time_total > 0
    (event,) = [event for event in p.function_events if event.name == "mine"]
    assert event.cpu_parent is None and "aten::mul" in [child.name for child in event.cpu_children]
    assert event.time_range.elapsed_us() == event.cpu_time_total and event.count == 1 and event.key == "mine"
    assert p.self_cpu_time_total > 0
    total = p.total_average()
    assert total.key == "Total" and total.count == len(p.function_events)


def test_nothing_is_seen_outside(torch, profiler, work):
    with profiler.profile() as p:
        work()
    seen = len(p.function_events)
    work()
    assert len(p.function_events) == seen
    with profiler.record_function("nobody watches"):
        work()
    with profiler.profile(enabled=False) as p:
        work()
    assert p is None


def test_results_are_the_same(torch, profiler):
    x = torch.arange(6.0).reshape(2, 3).requires_grad_()

    def program():
        y = torch.nn.functional.linear(x, torch.ones(4, 3)).relu()
        z = y.clone().mul_(2)
        z[0] = 5.0
        return torch.autograd.grad((z * y).sum(), x)[0]

    expected = program()
    with profiler.profile():
        seen = program()
    assert torch.equal(seen, expected)


def test_an_error_ends_its_events(torch, profiler):
    with profiler.profile() as p:
        with pytest.raises(RuntimeError), profiler.record_function("fails"):
            torch.ones(2) + torch.ones(3)
        torch.ones(2) * 2
    assert {"fails", "aten::mul"} <= names(p.function_events)
    (event,) = [event for event in p.function_events if event.name == "aten::mul" and event.cpu_parent is None]
    assert event.cpu_time_total > 0


def test_a_profile_is_entered_once(profiler):
    p = profiler.profile()
    assert repr(p) == str(p) == "<unfinished torch.autograd.profile>"
    with p, pytest.raises(RuntimeError, match="Profiler context manager is not reentrant"):
        p.__enter__()
    with pytest.raises(RuntimeError, match="Profiler context manager is not reentrant"):
        p.__enter__()


def test_tables(torch, profiler, work):
    with profiler.profile(record_shapes=True) as p:
        work()
    head = [
        "Name",
        "Self",
        "CPU",
        "%",
        "Self",
        "CPU",
        "CPU",
        "total",
        "%",
        "CPU",
        "total",
        "CPU",
        "time",
        "avg",
        "#",
        "of",
        "Calls",
    ]
    lines = p.key_averages().table(sort_by="self_cpu_time_total").split("\n")
    assert lines[1].split() == head and lines[-2].startswith("Self CPU time total: ")
    by_shape = p.key_averages(group_by_input_shape=True)
    assert by_shape.table().split("\n")[1].split() == [*head, "Input", "Shapes"]
    assert [[3], [3]] in [average.input_shapes for average in by_shape if average.key == "aten::mul"]
    assert len(p.table(row_limit=2).split("\n")) == len(p.table(row_limit=3).split("\n")) - 1
    with pytest.raises(AttributeError):
        p.key_averages().table(sort_by="beauty")
    assert profiler.EventList([]).table() == ""
    event = profiler.FunctionEvent(id=0, name="n", thread=1, start_us=0, end_us=1500)
    assert event.cpu_time_total == 1500 and event.cpu_time_total_str == event.self_cpu_time_total_str == "1.500ms"


def test_traces(torch, profiler, work, tmp_path):
    with profiler.profile() as p, profiler.record_function("mine"):
        work()
    p.export_chrome_trace(str(tmp_path / "trace.json"))
    trace = json.loads((tmp_path / "trace.json").read_text())
    rows = trace if isinstance(trace, list) else trace["traceEvents"]
    assert {"mine", "aten::mul"} <= {row["name"] for row in rows if row["ph"] == "X"}


def test_named_functions(torch, profiler):
    @profiler.record_function("named")
    def double(x):
        return x * 2

    with profiler.profile() as p:
        double(torch.ones(2))
        double(torch.ones(2))
    assert [average.count for average in p.key_averages() if average.key == "named"] == [2]


def test_memory_and_flops(torch):
    with torch.profiler.profile(profile_memory=True) as p, torch.profiler.record_function("allocates"):
        kept = torch.empty(1000, 1000)
    assert [average.cpu_memory_usage >= 4_000_000 for average in p.key_averages() if average.key == "allocates"] == [True]
    assert "CPU Mem" in p.key_averages().table() and kept.numel() == 1_000_000
    with torch.profiler.profile(with_flops=True) as p:
        torch.mm(torch.ones(4, 5), torch.ones(5, 6)) * 2
    flops = {average.key: average.flops for average in p.key_averages()}
    assert flops["aten::mm"] == 240 and flops["aten::mul"] == 24


def test_emitters(torch, profiler):
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"):
        profiler.emit_nvtx().__enter__()


def test_schedules(torch):
    schedule = torch.profiler.schedule
    steps = schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    cycle = ["NONE", "WARMUP", "RECORD", "RECORD_AND_SAVE"]
    assert [steps(i).name for i in range(12)] == ["NONE", *cycle, *cycle, "NONE", "NONE", "NONE"]
    with pytest.warns(UserWarning, match="Profiler won't be using warmup, this can skew profiler results"):
        steps = schedule(wait=1, warmup=0, active=1, repeat=1, skip_first=2, skip_first_wait=1)
    assert [steps(i).name for i in range(6)] == ["NONE", "NONE", "RECORD_AND_SAVE", "NONE", "NONE", "NONE"]
    with pytest.raises(AssertionError, match=r"Invalid profiler schedule arguments. Got wait=-1 \(need >= 0\)"):
        schedule(wait=-1, warmup=0, active=1)
    with pytest.raises(AssertionError, match=r"Step must be non-negative. Got -1."):
        steps(-1)


def test_steps(torch, work):
    found = []

    def ready(p):
        found.append((p.step_num, {"ProfilerStep*", "aten::mul"} <= names(p.key_averages())))

    steps = torch.profiler.schedule(wait=1, warmup=1, active=2, repeat=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch says that earlier cycles are forgotten.
        with torch.profiler.profile(schedule=steps, on_trace_ready=ready) as p:
            for _ in range(9):
                work()
                p.step()
    assert found == [(4, True), (8, True)]


def test_profiles_without_steps(torch, work, tmp_path):
    activity = torch.profiler.ProfilerActivity.CPU
    assert torch.profiler.supported_activities() == {activity}
    handler = torch.profiler.tensorboard_trace_handler(str(tmp_path))
    with torch.profiler.profile(activities=[activity], on_trace_ready=handler) as p:
        work()
    assert "aten::mul" in names(p.events())
    assert [path.name.endswith(".pt.trace.json") for path in tmp_path.iterdir()] == [True]
    p = torch.profiler.profile()
    with pytest.raises(AssertionError, match="Profiler must be initialized before getting key averages"):
        p.key_averages()
    p.start()
    work()
    p.stop()
    assert p.events()
    with pytest.raises(AssertionError, match="No valid profiler activities found"):
        torch.profiler.profile(activities=[])


def test_a_range_that_outlives_its_profile(torch, profiler, work):
    p = profiler.profile()
    p.__enter__()
    named = profiler.record_function("open")
    named.__enter__()
    work()
    p.__exit__(None, None, None)
    named.__exit__(None, None, None)
    assert all(event.cpu_time_total >= 0 for event in p.function_events)
    work()


def test_optimizers_name_what_they_do(torch, profiler):
    class Mine(torch.optim.SGD):
        pass

    weight = torch.ones(2, requires_grad=True)
    optimizers = Mine([weight], lr=0.1), torch.optim.Adam([weight], lr=0.1)
    weight.sum().backward()
    with profiler.profile() as profile:
        for optimizer in optimizers:
            optimizer.step()
            optimizer.step()
        optimizer.zero_grad()
    counts = {event.key: event.count for event in profile.key_averages() if event.key.startswith("Optimizer")}
    assert counts == {"Optimizer.step#Mine.step": 2, "Optimizer.step#Adam.step": 2, "Optimizer.zero_grad#Adam.zero_grad": 1}
