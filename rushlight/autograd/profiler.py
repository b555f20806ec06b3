"""A profiler of ops, of backward, and of ranges that the program names.

It is an interpreter of ops: while it is on the core's stack, every op goes through it, and the engine tells it of every node. While it is
not, it costs nothing.
"""

import functools
import math
import threading
import time
import traceback

import rushlight as torch
from rushlight import core
from rushlight.autograd.profiler_util import EventList, FunctionEvent, FunctionEventAvg

__all__ = [
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "emit_itt",
    "emit_nvtx",
    "kineto_available",
    "load_nvprof",
    "profile",
    "record_function",
]

_SCOPE_OP, _SCOPE_BACKWARD, _SCOPE_USER = 0, 1, 7


class _Profiling(threading.local):
    """The recorder of this thread, or None."""

    recorder = None


_profiling = _Profiling()


def shapes_of(arguments):
    """The sizes of the tensors among an op's arguments; [] for anything else."""
    return [
        list(x.shape)
        if isinstance(x, torch.Tensor)
        else [list(y.shape) for y in x if isinstance(y, torch.Tensor)]
        if isinstance(x, (list, tuple))
        else []
        for x in arguments
    ]


def flops_of(name, arguments):
    """How many multiplications and additions an op does, for those that take most of the time of most programs."""
    tensors = [x for x in arguments if isinstance(x, torch.Tensor)]
    if name in ("mm", "matmul") and len(tensors) == 2 and tensors[0].ndim == tensors[1].ndim == 2:
        return 2 * tensors[0].shape[0] * tensors[0].shape[1] * tensors[1].shape[1]
    if name == "addmm" and len(tensors) == 3:
        return 2 * tensors[1].shape[0] * tensors[1].shape[1] * tensors[2].shape[1]
    if name == "bmm" and len(tensors) == 2:
        return 2 * math.prod(tensors[0].shape) * tensors[1].shape[2]
    if name in ("mul", "add") and tensors:
        return math.prod(torch.broadcast_shapes(*(x.shape for x in tensors)))
    return None


class Recorder:
    """The interpreter: makes an event of every op, node and range of one thread."""

    def __init__(self, record_shapes=False, with_flops=False, profile_memory=False, with_stack=False):
        self.record_shapes, self.with_flops = record_shapes, with_flops
        self.profile_memory, self.with_stack = profile_memory, with_stack
        self.events, self.running = [], []
        self.started = time.perf_counter_ns()

    def enter(self):
        """Begins to watch this thread."""
        if _profiling.recorder is not None:
            raise RuntimeError("Profiler is already enabled on this thread.")
        _profiling.recorder = self
        core.push_interpreter(self)

    def leave(self):
        """Ends watching; ranges that are still open end here."""
        if self.running:
            self.end(self.running[0])
        _profiling.recorder = None
        core.pop_interpreter()

    def begin(self, name, scope, arguments=(), sequence=-1):
        """Opens an event within the one that is open."""
        event = FunctionEvent(
            id=len(self.events) + 1,
            name=name,
            thread=threading.get_native_id(),
            start_us=0.0,
            end_us=0.0,
            input_shapes=shapes_of(arguments) if self.record_shapes and arguments else None,
            stack=stack_of_user() if self.with_stack else None,
            scope=scope,
            sequence_nr=sequence,
            flops=flops_of(name.removeprefix("aten::"), arguments) if self.with_flops else None,
            is_user_annotation=scope == _SCOPE_USER,
        )
        if self.running:
            self.running[-1].append_cpu_child(event)
        self.events.append(event)
        self.running.append(event)
        if self.profile_memory:
            event.cpu_memory_usage = -core.memory_stats()["allocated"]
        event.time_range.start = self.now()
        return event

    def now(self):
        """Microseconds since the profile began."""
        return (time.perf_counter_ns() - self.started) / 1000

    def end(self, event):
        """Closes an event, and those within it that an error left open."""
        now = self.now()
        while self.running:
            last = self.running.pop()
            last.time_range.end = now
            if self.profile_memory:
                last.cpu_memory_usage += core.memory_stats()["allocated"]
            if last is event:
                break

    def process(self, op, arguments, keywords):
        """One op, and within it the ops that it is made of."""
        event = self.begin("aten::" + op.name + ("_" if keywords.get("mode") == 1 else ""), _SCOPE_OP, arguments)
        try:
            if keywords or core.interpreters():
                return core.call_through(op, arguments, keywords)
            core.push_interpreter(self)
            try:
                return op.apply(*arguments)
            finally:
                core.pop_interpreter()
        finally:
            self.end(event)

    def enter_node(self, node):
        """The engine begins to run a node."""
        outer = self.begin(f"autograd::engine::evaluate_function: {node.name()}", _SCOPE_BACKWARD, sequence=node._sequence_nr())
        self.begin(node.name(), _SCOPE_BACKWARD, sequence=node._sequence_nr())
        return outer

    def exit_node(self, event):
        """The node is done."""
        self.end(event)


def stack_of_user():
    """The lines of the program that lead to a call, innermost first."""
    folder = torch.__file__.rpartition("/")[0] + "/"
    return [
        f"{frame.filename}({frame.lineno}): {frame.name}"
        for frame in reversed(traceback.extract_stack())
        if not frame.filename.startswith(folder)
    ]


class record_function:
    """Names a range of the program (or, as a decorator, a function) in profiles.

    >>> import rushlight as torch
    >>> with torch.autograd.profiler.profile() as p:
    ...     with torch.autograd.profiler.record_function("doubling"):
    ...         _ = torch.ones(3) * 2
    >>> [average.count for average in p.key_averages() if average.key == "doubling"]
    [1]
    """

    def __init__(self, name, args=None):
        self.name, self.args = name, args
        self.event = self.recorder = None

    def __enter__(self):
        self.recorder = _profiling.recorder
        if self.recorder is not None:
            self.event = self.recorder.begin(self.name, _SCOPE_USER)
        return self

    def __exit__(self, *exception):
        if self.recorder is not None:
            self.recorder.end(self.event)

    def __call__(self, function):
        @functools.wraps(function)
        def named(*args, **kwargs):
            with record_function(self.name, self.args):
                return function(*args, **kwargs)

        return named


class profile:
    """Inside, this thread's ops, nodes and named ranges are timed.

    Args:
        enabled: False: do nothing.
        record_shapes: Keep the sizes of the ops' inputs.
        with_flops: Count the multiplications and additions of common ops.
        profile_memory: Keep how much memory each call took.
        with_stack: Keep the lines of the program that led to each call.
        use_cuda, use_device, use_cpu, use_kineto, with_modules, experimental_config, acc_events, custom_trace_id_callback: Accepted; only
            the CPU is profiled.

    >>> import rushlight as torch
    >>> x = torch.ones(3, requires_grad=True)
    >>> with torch.autograd.profiler.profile() as p:
    ...     (x * 2).sum().backward()
    >>> "MulBackward0" in p.key_averages().table(sort_by="self_cpu_time_total")
    True
    """

    def __init__(
        self,
        enabled=True,
        *,
        use_cuda=False,
        use_device=None,
        record_shapes=False,
        with_flops=False,
        profile_memory=False,
        with_stack=False,
        with_modules=False,
        use_kineto=False,
        use_cpu=True,
        experimental_config=None,
        acc_events=False,
        custom_trace_id_callback=None,
        post_processing_timeout_s=None,
        activity_filters=None,
    ):
        self.enabled = enabled
        self.record_shapes = record_shapes or with_flops
        self.with_flops, self.profile_memory, self.with_stack = with_flops, profile_memory, with_stack
        self.entered = False
        self._recorder = None
        self._events = None

    def __enter__(self):
        if not self.enabled:
            return None
        if self.entered:
            raise RuntimeError("Profiler context manager is not reentrant")
        recorder = Recorder(self.record_shapes, self.with_flops, self.profile_memory, self.with_stack)
        recorder.enter()
        self.entered, self._recorder = True, recorder
        return self

    def __exit__(self, *exception):
        if not self.enabled:
            return False
        self._recorder.leave()
        self._events = EventList(self._recorder.events, profile_memory=self.profile_memory, with_flops=self.with_flops)
        return False

    @property
    def function_events(self):
        """The events, in the order in which they began; None before the profile's end."""
        return self._events

    def __repr__(self):
        return "<unfinished torch.autograd.profile>" if self._events is None else repr(self._events)

    def __str__(self):
        return "<unfinished torch.autograd.profile>" if self._events is None else self._events.table()

    def finished(self):
        """The events (none before the profile's end)."""
        return EventList() if self._events is None else self._events

    def table(self, *args, **kwargs):
        """EventList.table of the events."""
        return self.finished().table(*args, **kwargs)

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0, group_by_overload_name=False):
        """EventList.key_averages of the events."""
        return self.finished().key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def total_average(self):
        """EventList.total_average of the events."""
        return self.finished().total_average()

    def export_chrome_trace(self, path):
        """EventList.export_chrome_trace of the events."""
        self.finished().export_chrome_trace(path)

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """EventList.export_stacks of the events."""
        if not self.with_stack:
            raise AssertionError("export_stacks() requires with_stack=True")
        self.finished().export_stacks(path, metric)

    @property
    def self_cpu_time_total(self):
        """The time of all events, in microseconds, each counted once."""
        return self.finished().self_cpu_time_total


class emit_nvtx:
    """For NVIDIA's profilers, which have nothing to see here: entering it is an error."""

    def __init__(self, enabled=True, record_shapes=False):
        self.enabled = enabled

    def __enter__(self):
        if self.enabled:
            raise AssertionError("Torch not compiled with CUDA enabled")
        return self

    def __exit__(self, *exception):
        return False


class emit_itt:
    """For Intel's profilers, for which this build has no hooks: entering it is an error."""

    def __init__(self, enabled=True, record_shapes=False):
        self.enabled = enabled

    def __enter__(self):
        if self.enabled:
            raise RuntimeError("emit_itt: built without Intel's ITT; use torch.profiler.profile")
        return self

    def __exit__(self, *exception):
        return False


def load_nvprof(path):
    """For traces of NVIDIA's profilers, which cannot come from a program on the CPU: an error."""
    raise RuntimeError(f"load_nvprof: {path} cannot hold a trace of Rushlight, which runs on the CPU only")


def kineto_available():
    """Whether torch.profiler works: always."""
    return True
