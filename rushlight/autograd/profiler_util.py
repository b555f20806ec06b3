"""What a profiler found: events, averages over events of one name, and tables of them."""

import bisect
import json
import os
from collections import defaultdict, namedtuple
from operator import attrgetter

import rushlight as torch
from rushlight.core import warn_user

__all__ = [
    "EventList",
    "FormattedTimesMixin",
    "FunctionEvent",
    "FunctionEventAvg",
    "Interval",
    "Kernel",
    "MemRecordsAcc",
    "StringTable",
]

MEMORY_EVENT_NAME = "[memory]"
OUT_OF_MEMORY_EVENT_NAME = "[OutOfMemory]"

Kernel = namedtuple("Kernel", ["name", "device", "duration"])
Kernel.__doc__ = """What ran on a device: its `name`, the number of the `device`, and its `duration` in microseconds.

>>> from rushlight.autograd.profiler_util import Kernel
>>> Kernel("copy", 0, 12).duration
12
"""

_UNITS = {"s": 1e6, "ms": 1e3, "us": 1}


def _format_time(time_us, unit=None):
    """Microseconds in a unit, by default one that suits."""
    if unit in _UNITS:
        return f"{time_us / _UNITS[unit]:.3f}{unit}"
    if time_us >= 1e6:
        return f"{time_us / 1e6:.3f}s"
    return f"{time_us / 1e3:.3f}ms" if time_us >= 1e3 else f"{time_us:.3f}us"


def _format_time_share(time_us, total_time_us):
    """A time as a percentage."""
    if total_time_us == 0:
        if time_us != 0:
            raise AssertionError(f"Expected time_us == 0 but got {time_us}")
        return "NaN"
    return f"{time_us * 100 / total_time_us:.2f}%"


def _format_memory(nbytes):
    """Bytes with a unit that suits."""
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
        if abs(nbytes) >= size:
            return f"{nbytes / size:.2f} {unit}"
    return f"{nbytes} B"


class Interval:
    """From `start` to `end`, in microseconds.

    >>> import rushlight as torch
    >>> torch.autograd.profiler_util.Interval(1, 4).elapsed_us()
    3
    """

    def __init__(self, start, end):
        self.start, self.end = start, end

    def elapsed_us(self):
        """Its length."""
        return self.end - self.start


class StringTable(defaultdict):
    """Names, each kept once.

    >>> import rushlight as torch
    >>> torch.autograd.profiler_util.StringTable()["name"]
    'name'
    """

    def __missing__(self, key):
        self[key] = key
        return key


class MemRecordsAcc:
    """Records of memory, found by their time (`start_ns()`).

    Args:
        mem_records: The records, pairs whose first has `start_ns()`.

    >>> import rushlight as torch
    >>> list(torch.autograd.profiler_util.MemRecordsAcc([]).in_interval(0, 1))
    []
    """

    def __init__(self, mem_records):
        self._mem_records = sorted(mem_records, key=lambda record: record[0].start_ns())
        self._starts = [record[0].start_ns() for record in self._mem_records]

    def in_interval(self, start_us, end_us):
        """The records between two times in microseconds."""
        first = bisect.bisect_left(self._starts, start_us * 1000)
        last = bisect.bisect_right(self._starts, end_us * 1000)
        yield from self._mem_records[first:last]


def renamed(instead, text):
    """A time under the name that it had when there was one kind of device."""

    def get(self):
        warn_user(text, FutureWarning)
        return getattr(self, instead)

    return property(get, doc=f"`{instead}`. Deprecated.")


class FormattedTimesMixin:
    """Times as text. Nothing runs on a device here, so those times are 0.

    >>> import rushlight as torch
    >>> with torch.autograd.profiler.profile() as prof: x = torch.ones(2).sum()
    >>> isinstance(prof.function_events[0].cpu_time_str, str)
    True
    """

    cuda_time = renamed("device_time", "`cuda_time` is deprecated, please use `device_time` instead.")

    @property
    def device_time(self):
        """The mean time of a call on the device, in microseconds."""
        return 0.0 if self.count == 0 else 1.0 * self.device_time_total / self.count

    @property
    def device_time_str(self):
        """The mean time of a call on the device."""
        return _format_time(self.device_time)

    @property
    def device_time_total_str(self):
        """The time of all calls on the device."""
        return _format_time(self.device_time_total)

    @property
    def self_device_time_total_str(self):
        """The time of all calls on the device without what they called."""
        return _format_time(self.self_device_time_total)

    @property
    def cpu_time(self):
        """The mean time of a call, in microseconds."""
        return 0.0 if self.count == 0 else 1.0 * self.cpu_time_total / self.count

    @property
    def cpu_time_str(self):
        """The mean time of a call."""
        return _format_time(self.cpu_time)

    @property
    def cpu_time_total_str(self):
        """The time of all calls."""
        return _format_time(self.cpu_time_total)

    @property
    def self_cpu_time_total_str(self):
        """The time of all calls without what they called."""
        return _format_time(self.self_cpu_time_total)


class FunctionEvent(FormattedTimesMixin):
    """One call: an op, the backward of a node, or a range that the user named.

    Args:
        id, name, thread, start_us, end_us: Its number, name and thread, and the time from when to when, in microseconds.
        overload_name, sequence_nr, fwd_thread, scope: Of an op: which signature; the number of its node; the thread that recorded
            that; 1 in backward.
        input_shapes, concrete_inputs, kwinputs: What it was given.
        stack, trace_name, is_user_annotation: The lines that led to it; its name in a trace; whether the user gave it.
        cpu_memory_usage, flops: How many bytes it took, how many operations it counts.
        use_device, device_memory_usage, device_type, device_index, device_resource_id: Where it ran.
        is_async, is_remote, node_id, is_legacy, activity_type, external_id, linked_correlation_id: Of devices and other
            processes, which there are none of.

    >>> import rushlight as torch
    >>> torch.autograd.profiler.FunctionEvent(0, "work", 1, 10, 25).cpu_time_total
    15
    """

    def __init__(
        self,
        id,
        name,
        thread,
        start_us,
        end_us,
        overload_name=None,
        fwd_thread=None,
        input_shapes=None,
        stack=None,
        scope=0,
        use_device=None,
        cpu_memory_usage=0,
        device_memory_usage=0,
        is_async=False,
        is_remote=False,
        sequence_nr=-1,
        node_id=-1,
        device_type=None,
        device_index=0,
        device_resource_id=None,
        is_legacy=False,
        flops=None,
        trace_name=None,
        concrete_inputs=None,
        kwinputs=None,
        is_user_annotation=False,
        activity_type=None,
        external_id=None,
        linked_correlation_id=0,
    ):
        self.id, self.name, self.thread, self.overload_name, self.fwd_thread = id, name, thread, overload_name, fwd_thread
        self.time_range = Interval(start_us, end_us)
        self.count = 1
        self.cpu_children = []
        self.cpu_parent = None
        self.input_shapes, self.concrete_inputs, self.kwinputs = input_shapes, concrete_inputs, kwinputs
        self.stack = stack
        self.scope, self.use_device, self.node_id, self.sequence_nr = scope, use_device, node_id, sequence_nr
        self.cpu_memory_usage, self.device_memory_usage = cpu_memory_usage, device_memory_usage
        self.is_async, self.is_remote, self.is_legacy = is_async, is_remote, is_legacy
        self.is_user_annotation, self.activity_type = is_user_annotation, activity_type
        self.device_type = torch.profiler.DeviceType.CPU if device_type is None else device_type
        self.device_index = device_index
        self.device_resource_id = thread if device_resource_id is None else device_resource_id
        self.trace_name = name if trace_name is None else trace_name
        self.external_id = id if external_id is None else external_id
        self.linked_correlation_id = linked_correlation_id
        self.flops = flops
        self.kernels = []
        self.self_cpu_percent = self.total_cpu_percent = self.total_device_percent = -1

    device_time_total = self_device_time_total = self_device_memory_usage = 0
    cuda_time_total = renamed("device_time_total", "`cuda_time_total` is deprecated. Use `device_time_total` instead.")

    def append_kernel(self, name, device, duration):
        """Notes what the call ran on a device."""
        self.kernels.append(Kernel(name, device, duration))

    def append_cpu_child(self, child):
        """Adds a call that this one made."""
        if not isinstance(child, FunctionEvent):
            raise AssertionError("Expected child to be a FunctionEvent")
        child.cpu_parent = self
        self.cpu_children.append(child)

    def leave_cpu_parent(self):
        """The call within which this one began has ended before it: it belongs to the next around."""
        before, self.cpu_parent = self.cpu_parent, None
        if before is not None:
            before.cpu_children.remove(self)
            if before.cpu_parent is not None:
                before.cpu_parent.append_cpu_child(self)

    @property
    def key(self):
        """What averages go by."""
        return self.name

    @property
    def cpu_time_total(self):
        """The time of the call, in microseconds."""
        return self.time_range.elapsed_us()

    @property
    def self_cpu_time_total(self):
        """The time of the call without the calls that it made."""
        return self.cpu_time_total - sum(child.cpu_time_total for child in self.cpu_children)

    @property
    def self_cpu_memory_usage(self):
        """The memory that the call took without the calls that it made."""
        return self.cpu_memory_usage - sum(child.cpu_memory_usage for child in self.cpu_children)

    def __repr__(self):
        return (
            f"<FunctionEvent id={self.id} name={self.name} overload_name={self.overload_name} device_type={self.device_type} "
            f"node_id={self.node_id} cpu_time={self.cpu_time_str} start_us={self.time_range.start} end_us={self.time_range.end} "
            f"cpu_children={[child.id for child in self.cpu_children]} {self.use_device}_time=0.000us name={self.name} thread={self.thread} "
            f"input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage} {self.use_device}_memory_usage=0 "
            f"is_async={self.is_async} is_remote={self.is_remote} seq_nr={self.sequence_nr} is_legacy={self.is_legacy}>"
        )


_ALIKE = (
    "node_id",
    "is_async",
    "is_remote",
    "cpu_parent",
    "cpu_children",
    "overload_name",
    "input_shapes",
    "stack",
    "scope",
    "device_type",
    "is_legacy",
    "use_device",
    "is_user_annotation",
)
_SUMMED = (
    "cpu_time_total",
    "self_cpu_time_total",
    "device_time_total",
    "self_device_time_total",
    "cpu_memory_usage",
    "self_cpu_memory_usage",
    "device_memory_usage",
    "self_device_memory_usage",
    "count",
)


class FunctionEventAvg(FormattedTimesMixin):
    """All calls of one name.

    >>> import rushlight as torch
    >>> with torch.autograd.profiler.profile() as prof: x = torch.ones(2).sum()
    >>> [each.count for each in prof.key_averages() if each.key == 'aten::sum']
    [1]
    """

    def __init__(self):
        self.key = None
        self.count = self.node_id = 0
        self.cpu_time_total = self.self_cpu_time_total = self.device_time_total = self.self_device_time_total = 0
        self.cpu_memory_usage = self.self_cpu_memory_usage = self.device_memory_usage = self.self_device_memory_usage = 0
        self.input_shapes = self.stack = self.scope = self.overload_name = self.use_device = None
        self.device_type = torch.profiler.DeviceType.CPU
        self.cpu_parent = None
        self.cpu_children = None
        self.is_async = self.is_remote = self.is_legacy = False
        self.flops = 0

    def add(self, other):
        """Counts one more event, or the events of another average."""
        if self.key is None:
            self.key = other.key
            for name in _ALIKE:
                setattr(self, name, getattr(other, name))
        if not isinstance(other, (FunctionEvent, FunctionEventAvg)):
            raise AssertionError("Expected other to be a FunctionEvent or FunctionEventAvg")
        if other.key != self.key:
            raise AssertionError(f"Expected keys to match, but got {other.key} vs {self.key}")
        for name in _SUMMED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.flops = (self.flops or 0) + (other.flops or 0)
        return self

    __iadd__ = add

    def __repr__(self):
        return (
            f"<FunctionEventAvg key={self.key} self_cpu_time={self.self_cpu_time_total_str} cpu_time={self.cpu_time_str}  "
            f"self_cuda_time=0.000us cuda_time=0.000us input_shapes={self.input_shapes} cpu_memory_usage={self.cpu_memory_usage} "
            "cuda_memory_usage=0>"
        )


class EventList(list):
    """A list of events, or of averages over them.

    Args:
        use_device: A type of device whose times are shown: none has any.
        profile_memory: Whether memory is shown.
        with_flops: Whether operations are counted.

    >>> import rushlight as torch
    >>> with torch.autograd.profiler.profile() as prof: x = torch.ones(2).sum()
    >>> type(prof.function_events).__name__
    'EventList'
    """

    def __init__(self, *args, use_device=None, profile_memory=False, with_flops=False, **kwargs):
        super().__init__(*args)
        self._use_device, self._profile_memory, self._with_flops = use_device, profile_memory, with_flops

    def __str__(self):
        return self.table()

    @property
    def self_cpu_time_total(self):
        """The time of all events, in microseconds, each counted once."""
        return sum(event.self_cpu_time_total for event in self)

    def _populate_cpu_children(self):
        """Finds by time and thread which event called which, for events that do not know."""
        threads = defaultdict(list)
        for event in self:
            if not event.is_async:
                threads[event.thread, event.node_id].append(event)
        for events in threads.values():
            open_events = []
            for event in sorted(events, key=lambda e: (e.time_range.start, -e.time_range.end)):
                start, end = event.time_range.start, event.time_range.end
                while open_events and (start >= open_events[-1].time_range.end or end > open_events[-1].time_range.end):
                    open_events.pop()
                if open_events:
                    open_events[-1].append_cpu_child(event)
                open_events.append(event)

    def table(
        self,
        sort_by=None,
        row_limit=100,
        max_src_column_width=75,
        max_name_column_width=55,
        max_shapes_column_width=80,
        header=None,
        top_level_events_only=False,
        time_unit=None,
    ):
        """The events as a table.

        Args:
            sort_by: An attribute of the events, largest first: "cpu_time", "cpu_time_total", "self_cpu_time_total", "count", ….
            row_limit: How many rows at most.
            header: A line above.
            top_level_events_only: Leave out what others called.
            time_unit: "s", "ms" or "us" for all times; by default each has the unit that suits it.
        """
        if not self:
            return ""
        return _build_table(
            self,
            sort_by,
            row_limit,
            (max_name_column_width, max_shapes_column_width, max_src_column_width),
            header,
            top_level_events_only,
            time_unit,
        )

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0, group_by_overload_name=False):
        """Averages over the events of one name (and, if asked for, of one choice of input shapes, or one way to the call)."""
        groups = {}
        for event in self:
            key = [event.key]
            if group_by_input_shape:
                key.append(str(event.input_shapes))
            if group_by_overload_name:
                key.append(event.overload_name)
            if group_by_stack_n > 0:
                key += (event.stack or [])[:group_by_stack_n]
            groups.setdefault(tuple(key), FunctionEventAvg()).add(event)
        averages = EventList(groups.values(), profile_memory=self._profile_memory, with_flops=self._with_flops)
        for average in averages:
            average.stack = (average.stack or [])[:group_by_stack_n]
            if not group_by_input_shape:
                average.input_shapes = ""
            if not group_by_overload_name:
                average.overload_name = ""
        return averages

    def total_average(self):
        """One average over everything."""
        total = FunctionEventAvg()
        for event in self:
            total += event
            total.key = None
        total.key = "Total"
        return total

    def export_chrome_trace(self, path, metadata=None):
        """Writes the events, and what `metadata` says of them, as JSON for chrome://tracing and Perfetto."""
        process = os.getpid()
        rows = [
            {
                "ph": "X",
                "cat": "user_annotation" if event.is_user_annotation else "cpu_op",
                "name": event.trace_name,
                "pid": process,
                "tid": event.thread,
                "ts": event.time_range.start,
                "dur": event.cpu_time_total,
                "args": {"External id": event.id, "Ev Idx": place, "Sequence number": event.sequence_nr}
                | ({"Input Dims": event.input_shapes} if event.input_shapes else {})
                | ({"Call stack": ";".join(event.stack)} if event.stack else {}),
            }
            for place, event in enumerate(self)
        ]
        with open(path, "w") as file:
            json.dump(
                {"schemaVersion": 1, **(metadata or {}), "displayTimeUnit": "ms", "traceEvents": rows, "traceName": str(path)},
                file,
            )

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """Writes one line for each event with a stack: the stack, outermost first, and the metric. For flame graphs."""
        with open(path, "w") as file:
            for event in self:
                value = int(getattr(event, metric))
                if event.stack and value > 0:
                    file.write(";".join(reversed(event.stack)).replace(" ", "_") + f" {value}\n")

    def supported_export_stacks_metrics(self):
        """What export_stacks can write."""
        return ["self_cpu_time_total"]


def _build_table(events, sort_by, row_limit, widths, header, top_level_only, unit):
    """Columns of equal width under a line, above it the names."""
    name_width, shapes_width, source_width = widths
    total = sum(event.self_cpu_time_total for event in events)
    rows = [event for event in events if not top_level_only or event.cpu_parent is None]
    if sort_by is not None:
        value = attrgetter(sort_by)
        rows.sort(key=lambda event: value(event) or 0, reverse=True)
    rows = rows[:row_limit] if row_limit >= 0 else rows
    columns = [
        ("Name", lambda e: shortened(e.key, name_width)),
        ("Self CPU %", lambda e: _format_time_share(e.self_cpu_time_total, total)),
        ("Self CPU", lambda e: _format_time(e.self_cpu_time_total, unit)),
        ("CPU total %", lambda e: _format_time_share(e.cpu_time_total, total)),
        ("CPU total", lambda e: _format_time(e.cpu_time_total, unit)),
        ("CPU time avg", lambda e: _format_time(e.cpu_time, unit)),
    ]
    if events._profile_memory:
        columns += [
            ("CPU Mem", lambda e: _format_memory(e.cpu_memory_usage)),
            ("Self CPU Mem", lambda e: _format_memory(e.self_cpu_memory_usage)),
        ]
    columns.append(("# of Calls", lambda e: str(e.count)))
    if any(event.input_shapes for event in events):
        columns.append(("Input Shapes", lambda e: shortened(str(e.input_shapes), shapes_width)))
    if any(event.stack for event in events):
        columns.append(("Source Location", lambda e: shortened(e.stack[0] if e.stack else "", source_width)))
    if events._with_flops:
        columns.append(("Total FLOPs", lambda e: str(e.flops) if e.flops else "--"))
    cells = [[name for name, _ in columns]] + [[value(event) for _, value in columns] for event in rows]
    wide = [max(12, *(len(row[place]) for row in cells)) for place in range(len(columns))]
    line = "".join("-" * width + "  " for width in wide)
    lines = ["".join(cell.rjust(width) + "  " for cell, width in zip(row, wide)) for row in cells]
    top = [] if header is None else ["=" * len(line), header]
    return "\n".join([*top, line, lines[0], line, *lines[1:], line, f"Self CPU time total: {_format_time(total, unit)}", ""])


def shortened(text, width):
    """The text, cut to a width."""
    return text if width is None or len(text) <= width else text[: width - 3] + "..."
