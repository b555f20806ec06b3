"""What a profile says of a program: events, their numbers, ranges by name, averages, steps."""

import json

import pytest


def test_a_forward_op_has_the_number_of_its_node(torch):
    x = torch.rand(3, requires_grad=True)
    with torch.autograd.profiler.profile() as p:
        (x + x).exp().sum().backward()
    numbers = {}
    for event in p.function_events:
        numbers.setdefault(event.name, event.sequence_nr)
    assert numbers["aten::add"] == numbers["AddBackward0"] == numbers["aten::exp"] - 1
    assert numbers["aten::exp"] == numbers["ExpBackward0"]
    assert numbers["torch::autograd::AccumulateGrad"] == -1
    with torch.autograd.profiler.profile() as p, torch.no_grad():
        x + x
    assert [e.sequence_nr for e in p.function_events if e.name == "aten::add"] == [-1]


def test_ranges_may_overlap(torch):
    with torch.autograd.profiler.profile() as p:
        outer = torch.profiler.record_function("outer")
        outer.__enter__()
        with torch.profiler.record_function("inner"):
            outer.__exit__(None, None, None)
            torch.ones(1) + 1
        torch.ones(1) * 1
    parents = {e.name: e.cpu_parent and e.cpu_parent.name for e in p.function_events}
    assert (parents["outer"], parents["inner"], parents["aten::add"], parents["aten::mul"]) == (None, None, "inner", None)


def test_what_record_function_takes(torch):
    record_function = torch.profiler.record_function
    again = record_function("again", "with arguments")
    for _ in range(2):
        with again:
            pass
    assert (again.name, again.args, again.run_callbacks_on_exit) == ("again", "with arguments", True)
    with pytest.raises(RuntimeError, match="Expected a value of type 'str' for argument 'name' but instead found type 'int'"):
        record_function(3).__enter__()
    with pytest.raises(RuntimeError, match=r"Expected a value of type 'Optional\[str\]' for argument 'args'"):
        record_function("a", 3).__enter__()
    with pytest.raises(AssertionError, match="Expected record to be set"):
        record_function("never entered").__exit__(None, None, None)


def test_profiles_within_profiles(torch):
    with torch.profiler.profile(), torch.profiler.profile() as inner:
        torch.ones(1) + 1
    assert "aten::add" in [event.name for event in inner.events()]


def test_whether_a_profile_is_taken(torch):
    profiler = torch.autograd.profiler
    assert not torch.autograd._profiler_enabled() and not profiler._is_profiler_enabled
    with profiler.profile():
        assert torch.autograd._profiler_enabled() and profiler._is_profiler_enabled
    assert not profiler._is_profiler_enabled
    torch.autograd._enable_record_function(False)
    try:
        with profiler.profile() as p, torch.profiler.record_function("outer"):
            torch.ones(1) + 1
    finally:
        torch.autograd._enable_record_function(True)
    assert not p.function_events


def test_events_made_by_hand(torch):
    from importlib import import_module

    util = import_module(torch.autograd.profiler.FunctionEvent.__module__)
    average = util.FunctionEventAvg()
    average.add(util.FunctionEvent(id=0, name="f", thread=0, start_us=10, end_us=15))
    average.add(util.FunctionEvent(id=1, name="f", thread=0, start_us=20, end_us=30))
    average.add(average)
    assert (average.key, average.count, average.cpu_time_total, average.device_time_total, average.cpu_time) == (
        "f",
        4,
        30,
        0,
        7.5,
    )
    with pytest.raises(AssertionError, match="Expected keys to match, but got g vs f"):
        average.add(util.FunctionEvent(id=2, name="g", thread=0, start_us=0, end_us=1))
    with pytest.raises(AssertionError, match="Expected other to be a FunctionEvent or FunctionEventAvg"):
        average.add(3)
    with pytest.warns(FutureWarning, match="`cuda_time` is deprecated"):
        assert average.cuda_time == 0.0

    events = util.EventList()
    for thread, ranges in (
        (1, [(0, 1), (1, 2)]),
        (0, [(0, 2), (1, 2), (1, 3)]),
        (2, [(0, 10), (1, 4), (4, 5), (5, 10), (6, 7), (12, 13)]),
    ):
        for start, end in ranges:
            events.append(util.FunctionEvent(id=len(events), node_id=0, name="", thread=thread, start_us=start, end_us=end))
    events._populate_cpu_children()
    assert [[child.id for child in event.cpu_children] for event in events] == [
        [],
        [],
        [],
        [],
        [3],
        [6, 7, 8],
        [],
        [],
        [9],
        [],
        [],
    ]


def test_a_common_count_of_steps(torch):
    tracker = torch.profiler.KinetoStepTracker
    tracker.init_step_count("one")
    start = tracker.current_step()
    assert tracker.increment_step("one") == start + 1
    tracker.increment_step("other")
    assert tracker.increment_step("other") == start + 3
    assert (tracker.erase_step_count("one"), tracker.erase_step_count("one"), tracker.erase_step_count("other")) == (
        True,
        False,
        True,
    )
    assert tracker.current_step() == start + 3


@pytest.mark.filterwarnings("ignore:Warning. Profiler clears events:UserWarning")
def test_steps_of_a_schedule(torch):
    seen = []

    def ready(p):
        seen.append((p.step_num, [e.name for e in p.events() if "Step" in e.name]))

    schedule = torch.profiler.schedule(wait=1, warmup=1, active=2)
    with torch.profiler.profile(schedule=schedule, on_trace_ready=ready) as p:
        for _ in range(8):
            torch.ones(1) + 1
            p.step()
    assert seen == [(4, ["ProfilerStep*"] * 2), (8, ["ProfilerStep*"] * 2)]
    with torch.profiler.profile() as p:
        assert p.current_action is torch.profiler.ProfilerAction.RECORD


def test_a_trace_has_what_the_program_says_of_it(torch, tmp_path):
    with torch.profiler.profile(record_shapes=True, custom_trace_id_callback=lambda: "mine") as p:
        p.add_metadata("who", "me")
        p.add_metadata_json("what", '{"a": 1}')
        torch.ones(2) + 1
    path = tmp_path / "trace.json"
    p.export_chrome_trace(str(path))
    trace = json.loads(path.read_text())
    assert (trace["who"], trace["what"], trace["schemaVersion"], p.get_trace_id()) == ("me", {"a": 1}, 1, "mine")
    (event,) = (e for e in trace["traceEvents"] if e["name"] == "aten::add")
    assert (event["ph"], event["cat"], event["args"]["Input Dims"]) == ("X", "cpu_op", [[2], [], []])


def test_a_profile_by_hand(torch):
    p = torch.profiler._KinetoProfile(activities=[torch.profiler.ProfilerActivity.CPU])
    p.prepare_trace()
    p.start_trace()
    torch.ones(1) + 1
    p.stop_trace()
    assert "aten::add" in [event.name for event in p.events()]
    for activities in ([], ["cpu"]):
        with pytest.raises(AssertionError, match="No valid profiler activities found"):
            torch.profiler.profile(activities=activities)
    with pytest.raises(TypeError, match=r"profile.__init__\(\) got an unexpected keyword argument 'other'"):
        torch.profiler.profile(other=1)
    with pytest.raises(AssertionError, match="Profiler must be initialized before accessing events"):
        torch.profiler.profile().events()


def test_one_unit_for_all_times(torch):
    with torch.profiler.profile(with_flops=True) as p:
        torch.ones(2, 3) @ torch.ones(3, 2)
    assert p.key_averages().table(time_unit="s").splitlines()[-1].endswith("s")
    assert "us" not in p.key_averages().table(time_unit="s").splitlines()[-1]
    assert p.events().table(sort_by="flops")
