"""A profiler of ops, of backward, and of ranges that the program names.

It is an interpreter of ops: while it is on the core's stack, every op goes through it, and the engine tells it of every node. While it is
not, it costs nothing.
"""

import contextlib
import math
import os
import threading
import time
import traceback
from typing import ClassVar

import rushlight as torch
from rushlight import core
from rushlight.autograd.profiler_util import (
    MEMORY_EVENT_NAME,
    OUT_OF_MEMORY_EVENT_NAME,
    EventList,
    FunctionEvent,
    FunctionEventAvg,
    Kernel,
    MemRecordsAcc,
    StringTable,
)

__all__ = [
    "MEMORY_EVENT_NAME",
    "OUT_OF_MEMORY_EVENT_NAME",
    "EnforceUnique",
    "EventList",
    "FunctionEvent",
    "FunctionEventAvg",
    "Kernel",
    "KinetoStepTracker",
    "MemRecordsAcc",
    "StringTable",
    "emit_itt",
    "emit_nvtx",
    "kineto_available",
    "load_nvprof",
    "profile",
    "record_function",
]

_SCOPE_OP, _SCOPE_BACKWARD, _SCOPE_USER = 0, 1, 7


class _Profiling(threading.local):
    """The innermost recorder of this thread, or None, and whether it takes note of anything."""

    recorder = None
    enabled = True


_profiling = _Profiling()
_is_profiler_enabled = False  # in any thread


def _profiler_enabled():
    """Whether this thread is being profiled."""
    return _profiling.recorder is not None


def _enable_record_function(enabled):
    """Whether profiles of this thread take note of anything."""
    _profiling.enabled = bool(enabled)


def _set_is_profiler_enabled(enabled):
    """Says whether a profile is being taken, to optimizers too."""
    from rushlight.optim import optimizer

    global _is_profiler_enabled
    _is_profiler_enabled = enabled
    optimizer.named_in_profiles = _range_of if enabled else None


def _range_of(optimizer, method):
    """What names an optimizer's method in profiles of this thread."""
    if not _profiler_enabled():
        return contextlib.nullcontext()
    return record_function(f"Optimizer.{method}#{type(optimizer).__name__}.{method}")


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
        self.outer, _profiling.recorder = _profiling.recorder, self
        _set_is_profiler_enabled(True)
        core.push_interpreter(self)

    def leave(self):
        """Ends watching; ranges that are still open end here."""
        if self.running:
            self.end(self.running[0])
        _profiling.recorder = self.outer
        _set_is_profiler_enabled(self.outer is not None)
        core.pop_interpreter()

    def begin(self, name, scope, arguments=(), sequence=-1):
        """Opens an event within the one that is open."""
        thread = threading.get_native_id()
        event = FunctionEvent(
            id=len(self.events) + 1,
            name="ProfilerStep*" if name.startswith("ProfilerStep#") else name,
            trace_name=name,
            thread=thread,
            start_us=0.0,
            end_us=0.0,
            overload_name="",
            fwd_thread=0,
            input_shapes=shapes_of(arguments) if self.record_shapes else [],
            concrete_inputs=[],
            kwinputs={},
            stack=stack_of_user() if self.with_stack else [],
            scope=scope,
            sequence_nr=sequence,
            device_index=os.getpid(),
            flops=flops_of(name.removeprefix("aten::"), arguments) if self.with_flops else None,
            is_user_annotation=scope == _SCOPE_USER,
            activity_type="user_annotation" if scope == _SCOPE_USER else "cpu_op",
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
        """Closes an event, and those within it that an error left open; ranges that the program named may overlap."""
        if event not in self.running:
            return  # something around it has ended, and so it
        now = self.now()
        if event.scope == _SCOPE_USER and event is not self.running[-1]:
            self.running[self.running.index(event) + 1].leave_cpu_parent()
            self.running.remove(event)
            self.running.append(event)
        while self.running:
            last = self.running.pop()
            last.time_range.end = now
            if self.profile_memory:
                last.cpu_memory_usage += core.memory_stats()["allocated"]
            if last is event:
                break

    def process(self, op, arguments, keywords):
        """One op, and within it the ops that it is made of."""
        if not _profiling.enabled:
            return core.run(op, arguments, keywords)
        sequence = core.sequence_number() if torch.is_grad_enabled() and any_tensor(arguments) else -1
        event = self.begin(name_of(op) + ("_" if keywords.get("mode") == 1 else ""), _SCOPE_OP, arguments, sequence)
        try:
            if keywords or core.interpreters():
                return core.run(op, arguments, keywords)
            core.push_interpreter(self)
            try:
                return op.apply(*arguments)
            finally:
                core.pop_interpreter()
        finally:
            self.end(event)

    def enter_node(self, node):
        """The engine begins to run a node."""
        if not _profiling.enabled:
            return None
        sequence = node._sequence_nr()
        sequence = sequence if sequence < 1 << 63 else -1  # a leaf's
        outer = self.begin(f"autograd::engine::evaluate_function: {node.name()}", _SCOPE_OP, sequence=sequence)
        self.begin(node.name(), _SCOPE_BACKWARD, sequence=sequence)
        return outer

    def exit_node(self, event):
        """The node is done."""
        self.end(event)


def any_tensor(arguments):
    """Is there a tensor among an op's arguments, or in a list there?"""
    return any(isinstance(x, torch.Tensor) or (isinstance(x, (list, tuple)) and any_tensor(x)) for x in arguments)


_PUBLIC = {
    "_index": "index",
    "_where": "where",
    "_max_all": "max",
    "_min_all": "min",
    "_nll_loss": "nll_loss_nd",
    "_batch_norm": "batch_norm",
}


def name_of(op):
    """An op as profiles call it: parts of the table that stand for a public function by its name."""
    return "aten::" + _PUBLIC.get(op.name, op.name)


def stack_of_user():
    """The lines of the program that lead to a call, innermost first."""
    folder = torch.__file__.rpartition("/")[0] + "/"
    return [
        f"{frame.filename}({frame.lineno}): {frame.name}"
        for frame in reversed(traceback.extract_stack())
        if not frame.filename.startswith(folder)
    ]


class record_function(contextlib.ContextDecorator):
    """Names a range of the program (or, as a decorator, a function) in profiles.

    Args:
        name: Its name.
        args: A text that goes with it.

    >>> import rushlight as torch
    >>> with torch.autograd.profiler.profile() as p:
    ...     with torch.autograd.profiler.record_function("doubling"):
    ...         _ = torch.ones(3) * 2
    >>> [average.count for average in p.key_averages() if average.key == "doubling"]
    [1]
    """

    def __init__(self, name, args=None):
        self.name, self.args = name, args
        self.run_callbacks_on_exit = True
        self.record = None

    def __enter__(self):
        for value, what, place in ((self.name, "name", 0), (self.args, "args", 1)):
            if not isinstance(value, str) and not (place and value is None):
                kind = "Optional[str]" if place else "str"
                raise RuntimeError(
                    f"profiler::_record_function_enter_new() Expected a value of type '{kind}' for argument '{what}' but instead found type "
                    f"'{type(value).__name__}'.\nPosition: {place}\nValue: {value}"
                )
        self.record, recorder = [], _profiling.recorder if _profiling.enabled else None
        while recorder is not None:
            self.record.append((recorder, recorder.begin(self.name, _SCOPE_USER)))
            recorder = recorder.outer
        return self

    def __exit__(self, *exception):
        if not self.run_callbacks_on_exit:
            return
        if self.record is None:
            raise AssertionError("Expected record to be set")
        for recorder, event in self.record:
            recorder.end(event)


class profile:
    """Inside, this thread's ops, nodes and named ranges are timed.

    Args:
        enabled: False: do nothing.
        record_shapes: Keep the sizes of the ops' inputs.
        with_flops: Count the multiplications and additions of common ops.
        profile_memory: Keep how much memory each call took.
        with_stack: Keep the lines of the program that led to each call.
        use_cuda, use_device, use_cpu, use_kineto, with_modules, experimental_config, acc_events, custom_trace_id_callback:
            Accepted; only
            the CPU is profiled.
        post_processing_timeout_s, activity_filters: Which are not looked at.

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
    """For NVIDIA's profilers, which have nothing to see here: entering it is an error.

    Args:
        enabled: False does nothing.
        record_shapes: Taken for other programs' sake.

    >>> import rushlight as torch
    >>> with torch.autograd.profiler.emit_nvtx(enabled=False):
    ...     pass
    """

    def __init__(self, enabled=True, record_shapes=False):
        self.enabled = enabled

    def __enter__(self):
        if self.enabled:
            raise AssertionError("Torch not compiled with CUDA enabled")
        return self

    def __exit__(self, *exception):
        return False


class emit_itt:
    """For Intel's profilers, for which this build has no hooks: entering it is an error.

    Args:
        enabled: False does nothing.
        record_shapes: Taken for other programs' sake.

    >>> import rushlight as torch
    >>> with torch.autograd.profiler.emit_itt(enabled=False):
    ...     pass
    """

    def __init__(self, enabled=True, record_shapes=False):
        self.enabled = enabled

    def __enter__(self):
        if self.enabled:
            raise RuntimeError("emit_itt: built without Intel's ITT; use torch.profiler.profile")
        return self

    def __exit__(self, *exception):
        return False


def load_nvprof(path):
    """For traces of NVIDIA's profilers, which cannot come from a program on the CPU: an error.

    Args:
        path: The trace.

    >>> import rushlight as torch
    >>> torch.autograd.profiler.load_nvprof("traces/one.sql")
    Traceback (most recent call last):
        ...
    RuntimeError: load_nvprof: traces/one.sql cannot hold a trace of Rushlight, which runs on the CPU only
    """
    raise RuntimeError(f"load_nvprof: {path} cannot hold a trace of Rushlight, which runs on the CPU only")


def kineto_available():
    """Whether torch.profiler works: always.

    >>> import rushlight as torch
    >>> torch.autograd.profiler.kineto_available()
    True
    """
    return True


class EnforceUnique:
    """Refuses a key that it has seen.

    >>> import rushlight as torch
    >>> keys = torch.autograd.profiler.EnforceUnique()
    >>> keys.see("a", 1)
    >>> keys.see("a", 2)
    """

    def __init__(self):
        self.seen = set()

    def see(self, *key):
        """Takes note of a key; RuntimeError the second time."""
        if key in self.seen:
            raise RuntimeError("duplicate key: " + str(key))
        self.seen.add(key)


class KinetoStepTracker:
    """A count of steps that several parts of a program share: it is as far as the one that is furthest.

    >>> import rushlight as torch
    >>> from rushlight.autograd.profiler import KinetoStepTracker
    >>> KinetoStepTracker.init_step_count("mine")
    >>> before = KinetoStepTracker.current_step()
    >>> KinetoStepTracker.increment_step("mine") - before
    1
    >>> KinetoStepTracker.erase_step_count("mine")
    True
    """

    _current_step: ClassVar[int] = 0
    _step_dict: ClassVar[dict] = {}

    @classmethod
    def init_step_count(cls, requester):
        """A part of the program begins to count, from where the count is."""
        cls._step_dict[requester] = cls._current_step

    @classmethod
    def erase_step_count(cls, requester):
        """A part of the program counts no more; whether it did."""
        return cls._step_dict.pop(requester, None) is not None

    @classmethod
    def increment_step(cls, requester):
        """One more step of a part of the program; the common count."""
        if requester not in cls._step_dict:
            cls.init_step_count(requester)
        cls._step_dict[requester] += 1
        cls._current_step = max([cls._current_step, *cls._step_dict.values()])
        return cls._current_step

    @classmethod
    def current_step(cls):
        """The common count."""
        return cls._current_step
