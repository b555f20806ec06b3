"""torch.profiler.profile: a profiler that follows the steps of a program by a schedule."""

import enum
import gzip
import os
import shutil
import socket
import time
import warnings

from rushlight.autograd import profiler

__all__ = [
    "DeviceType",
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


class DeviceType(enum.Enum):
    """Where an event ran."""

    CPU = 0

    def __str__(self):
        return f"DeviceType.{self.name}"


class ProfilerActivity(enum.Enum):
    """What can be watched; there is only the CPU here."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5

    def __str__(self):
        return f"ProfilerActivity.{self.name}"


class ProfilerAction(enum.Enum):
    """What a schedule says of a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities():
    """The activities that can be watched here."""
    return {ProfilerActivity.CPU}


def schedule(*, wait, warmup, active, repeat=0, skip_first=0, skip_first_wait=0):
    """A schedule for `profile`: skip, then again and again wait, warm up, and record.

    Args:
        wait, warmup, active: How many steps of each make a cycle.
        repeat: How many cycles; 0: without end.
        skip_first: How many steps come before the first cycle.
        skip_first_wait: If not 0, the first cycle does not wait.

    >>> from rushlight.profiler import schedule
    >>> steps = schedule(wait=1, warmup=1, active=2)
    >>> [steps(i).name for i in range(4)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE']
    """
    if wait < 0 or warmup < 0 or active <= 0 or repeat < 0 or skip_first < 0:
        raise AssertionError(
            f"Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} (need >= 0), active={active} (need > 0), "
            f"repeat={repeat} (need >= 0), skip_first={skip_first} (need >= 0)."
        )
    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)

    def action(step):
        if step < 0:
            raise AssertionError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        step -= skip_first
        if skip_first_wait:
            step += wait
        cycle = wait + warmup + active
        if repeat and step // cycle >= repeat:
            return ProfilerAction.NONE
        place = step % cycle
        if place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < cycle - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(dir_name, worker_name=None, use_gzip=False, use_python_export=False):
    """A handler for `on_trace_ready` that writes each trace to a file in `dir_name`, named as TensorBoard expects."""

    def handle(prof):
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + (".gz" if use_gzip else "")
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return handle


class profile:
    """Profiles the steps of a program.

    Args:
        activities: What to watch: {ProfilerActivity.CPU}.
        schedule: What to do in each step (default: record everything).
        on_trace_ready: Called with the profiler at the end of each cycle, when its events can be read.
        record_shapes, profile_memory, with_stack, with_flops: As in torch.autograd.profiler.profile.
        acc_events: Keep the events of earlier cycles too.
        with_modules, experimental_config, execution_trace_observer, use_cuda, custom_trace_id_callback, post_processing_timeout_s:
            Accepted; only the CPU is profiled.

    >>> import rushlight as torch
    >>> with torch.profiler.profile() as p:
    ...     _ = torch.ones(3) * 2
    >>> "aten::mul" in [event.name for event in p.events()]
    True
    """

    def __init__(
        self,
        *,
        activities=None,
        schedule=None,
        on_trace_ready=None,
        record_shapes=False,
        profile_memory=False,
        with_stack=False,
        with_flops=False,
        with_modules=False,
        experimental_config=None,
        execution_trace_observer=None,
        acc_events=False,
        use_cuda=None,
        custom_trace_id_callback=None,
        post_processing_timeout_s=None,
    ):
        self.activities = set(supported_activities() if activities is None else activities)
        if not self.activities or not all(isinstance(activity, ProfilerActivity) for activity in self.activities):
            raise AssertionError("No valid profiler activities found")
        self.schedule, self.on_trace_ready, self.acc_events = schedule, on_trace_ready, acc_events
        self.record_shapes, self.profile_memory, self.with_stack, self.with_flops = (
            record_shapes,
            profile_memory,
            with_stack,
            with_flops,
        )
        self.step_num = 0
        self.current_action = schedule(0) if schedule else ProfilerAction.RECORD_AND_SAVE
        self.profiler = None
        self._recording = False
        self._step = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()

    def start(self):
        """Begins with step 0."""
        self.act(None)
        self.open_step()

    def stop(self):
        """Ends the step and whatever is being recorded."""
        self.close_step()
        if self._recording:
            self.finish(ready=self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE))

    def step(self):
        """The next step of the program begins."""
        self.close_step()
        before, self.step_num = self.current_action, self.step_num + 1
        self.current_action = self.schedule(self.step_num) if self.schedule else ProfilerAction.RECORD_AND_SAVE
        if self.schedule:
            self.act(before)
        self.open_step()

    def act(self, before):
        """Goes from one action of the schedule to the next."""
        if self._recording and before is ProfilerAction.RECORD_AND_SAVE:
            self.finish(ready=True)
        elif self._recording and self.current_action is ProfilerAction.NONE:
            self.finish(ready=False)
        if not self._recording and self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            earlier = self.profiler.function_events if self.acc_events and self.profiler is not None else None
            self.profiler = profiler.profile(
                record_shapes=self.record_shapes,
                profile_memory=self.profile_memory,
                with_stack=self.with_stack,
                with_flops=self.with_flops,
            )
            self.profiler.__enter__()
            self._earlier = earlier
            self._recording = True

    def finish(self, ready):
        """Ends recording; tells on_trace_ready."""
        self.profiler.__exit__(None, None, None)
        if self._earlier is not None:
            self.profiler.function_events[:0] = self._earlier
        self._recording = False
        if ready and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def open_step(self):
        """With a schedule, each step is a named range."""
        if self._recording and self.schedule:
            self._step = profiler.record_function(f"ProfilerStep#{self.step_num}")
            self._step.__enter__()

    def close_step(self):
        """Ends the step's range."""
        if self._step is not None:
            self._step.__exit__(None, None, None)
            self._step = None

    def set_custom_trace_id_callback(self, callback):
        """Accepted: traces have no numbers here."""

    def needed(self, doing):
        """The profiler of the last cycle, or an error if there was none."""
        if self.profiler is None:
            raise AssertionError(f"Profiler must be initialized before {doing}")
        return self.profiler

    def events(self):
        """The events of the last cycle."""
        return self.needed("accessing events").function_events

    def key_averages(self, group_by_input_shape=False, group_by_stack_n=0, group_by_overload_name=False):
        """Averages over the events of one name; all steps of a schedule are one name."""
        averages = self.needed("getting key averages").finished()
        renamed = profiler.EventList(averages, profile_memory=self.profile_memory, with_flops=self.with_flops)
        for event in renamed:
            if event.name.startswith("ProfilerStep#"):
                event.name = "ProfilerStep*"
        return renamed.key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def export_chrome_trace(self, path):
        """Writes the events as JSON for chrome://tracing and Perfetto; compressed if the name ends in .gz."""
        last = self.needed("exporting chrome trace")
        if not path.endswith(".gz"):
            last.export_chrome_trace(path)
            return
        plain = path.removesuffix(".gz")
        last.export_chrome_trace(plain)
        with open(plain, "rb") as read, gzip.open(path, "wb") as write:
            shutil.copyfileobj(read, write)
        os.remove(plain)

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """Writes the stacks of the events for flame graphs."""
        self.needed("exporting stacks").export_stacks(path, metric)
