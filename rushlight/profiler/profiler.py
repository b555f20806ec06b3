"""torch.profiler.profile: a profiler that follows the steps of a program by a schedule."""

import enum
import functools
import gzip
import inspect
import json
import os
import shutil
import socket
import tempfile
import time

from rushlight.autograd import profiler
from rushlight.autograd.profiler import KinetoStepTracker
from rushlight.core import warn_user

__all__ = [
    "DeviceType",
    "ProfilerAction",
    "ProfilerActivity",
    "ProfilerState",
    "RecordScope",
    "profile",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]


_STEP = "ProfilerStep"


class DeviceType(enum.Enum):
    """Where an event ran.

    >>> import rushlight as torch
    >>> torch.profiler.DeviceType.CPU.name
    'CPU'
    """

    CPU = 0

    def __str__(self):
        return f"DeviceType.{self.name}"


class ProfilerActivity(enum.Enum):
    """What can be watched; there is only the CPU here.

    >>> import rushlight as torch
    >>> torch.profiler.ProfilerActivity.CPU.name
    'CPU'
    """

    CPU = 0
    XPU = 1
    MTIA = 4
    CUDA = 2
    HPU = 3
    PrivateUse1 = 5

    def __str__(self):
        return f"ProfilerActivity.{self.name}"


class ProfilerAction(enum.Enum):
    """What a schedule says of a step.

    >>> import rushlight as torch
    >>> schedule = torch.profiler.schedule(wait=1, warmup=1, active=1)
    >>> [schedule(step).name for step in range(3)]
    ['NONE', 'WARMUP', 'RECORD_AND_SAVE']
    """

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3
    DEVICE_STOPPED = 4


class RecordScope(enum.Enum):
    """What an event is: `scope` has the number."""

    FUNCTION = 0
    BACKWARD_FUNCTION = 1
    TORCHSCRIPT_FUNCTION = 2
    KERNEL_FUNCTION_DTYPE = 3
    CUSTOM_CLASS = 4
    BUILD_FEATURE = 5
    LITE_INTERPRETER = 6
    USER_SCOPE = 7
    STATIC_RUNTIME_OP = 8
    STATIC_RUNTIME_MODEL = 9

    def __str__(self):
        return f"RecordScope.{self.name}"


class ProfilerState(enum.Enum):
    """By what means a profile is taken."""

    Disabled = 0
    CPU = 1
    CUDA = 2
    NVTX = 3
    ITT = 4
    PRIVATEUSE1 = 5
    KINETO = 6
    KINETO_GPU_FALLBACK = 7
    KINETO_PRIVATEUSE1_FALLBACK = 8
    KINETO_PRIVATEUSE1 = 9


def supported_activities():
    """The activities that can be watched here.

    >>> import rushlight as torch
    >>> torch.profiler.ProfilerActivity.CPU in torch.profiler.supported_activities()
    True
    """
    return {ProfilerActivity.CPU}


def _default_schedule_fn(_):
    """The schedule of a profile without one: every step is recorded."""
    return ProfilerAction.RECORD


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
        warn_user("Profiler won't be using warmup, this can skew profiler results")

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
    """A handler for `on_trace_ready` that writes each trace to a file in `dir_name`, named as TensorBoard expects.

    Args:
        dir_name: The folder, which is made where it is not there.
        worker_name: What the file's name begins with; by default host and process.
        use_gzip: Whether the file is compressed.
        use_python_export: Taken for other programs' sake.

    >>> import rushlight as torch
    >>> import os, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with torch.profiler.profile(on_trace_ready=torch.profiler.tensorboard_trace_handler(folder, "me")):
    ...     x = torch.ones(2) * 2
    >>> [name.endswith(".pt.trace.json") for name in os.listdir(folder)]
    [True]
    """

    def handle(prof):
        try:
            os.makedirs(dir_name, exist_ok=True)
        except OSError as error:
            raise RuntimeError("Can't create directory: " + dir_name) from error
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + (".gz" if use_gzip else "")
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return handle


@functools.cache
def warn_of_clearing():
    """Says once that a new cycle begins without the events of the last."""
    warn_user(
        "Warning: Profiler clears events at the end of each cycle. Only events from the current cycle will be reported. To keep events across "
        "cycles, set acc_events=True."
    )


class _KinetoProfile:
    """A profile that the program starts and stops by hand; `profile` adds the steps.

    Args:
        activities: What to watch: {ProfilerActivity.CPU}.
        record_shapes, profile_memory, with_stack, with_flops: As in torch.autograd.profiler.profile.
        acc_events: Keep the events of earlier cycles too.
        custom_trace_id_callback: Gives each trace its name.
        with_modules, experimental_config, execution_trace_observer, post_processing_timeout_s, activity_filters: Accepted; only the CPU is
            profiled.
    """

    def __init__(
        self,
        *,
        activities=None,
        record_shapes=False,
        profile_memory=False,
        with_stack=False,
        with_flops=False,
        with_modules=False,
        experimental_config=None,
        execution_trace_observer=None,
        acc_events=False,
        custom_trace_id_callback=None,
        post_processing_timeout_s=None,
        activity_filters=None,
    ):
        self.activities = set(supported_activities() if activities is None else activities)
        if not self.activities or not all(isinstance(activity, ProfilerActivity) for activity in self.activities):
            raise AssertionError("No valid profiler activities found")
        self.record_shapes, self.profile_memory, self.with_stack, self.with_flops, self.with_modules = (
            record_shapes,
            profile_memory,
            with_stack,
            with_flops,
            with_modules,
        )
        self.acc_events, self.custom_trace_id_callback = acc_events, custom_trace_id_callback
        self.experimental_config, self.execution_trace_observer = experimental_config, execution_trace_observer
        self.profiler = None
        self.preset_metadata, self._metadata = {}, {}
        self._recording, self._earlier, self._trace_id = False, None, None

    def start(self):
        """Begins to watch."""
        self.prepare_trace()
        self.start_trace()

    def stop(self):
        """Ends watching."""
        self.stop_trace()

    def prepare_trace(self):
        """Makes a new profile, that start_trace begins."""
        if self.profiler is not None and not self.acc_events:
            warn_of_clearing()
        self._earlier = self.profiler.function_events if self.acc_events and self.profiler is not None else None
        self.profiler = profiler.profile(
            record_shapes=self.record_shapes,
            profile_memory=self.profile_memory,
            with_stack=self.with_stack,
            with_flops=self.with_flops,
        )
        self._metadata = dict(self.preset_metadata)
        self._trace_id = self.custom_trace_id_callback() if self.custom_trace_id_callback else os.urandom(16).hex().upper()

    def start_trace(self):
        """Begins to watch what prepare_trace made."""
        self.needed("starting trace").__enter__()
        self._recording = True

    def stop_trace(self):
        """Ends watching; the events can be read."""
        self.needed("stopping trace").__exit__(None, None, None)
        if self._earlier:
            self.profiler.function_events[:0] = self._earlier
        self._recording = False

    def set_custom_trace_id_callback(self, callback):
        """What gives the next traces their names."""
        self.custom_trace_id_callback = callback

    def get_trace_id(self):
        """The name of the last trace, or None."""
        return self._trace_id

    def toggle_collection_dynamic(self, enable, activities):
        """Goes on (or stops) taking note of ops while the profile is open."""
        if self.profiler is not None and ProfilerActivity.CPU in activities:
            profiler._enable_record_function(enable)

    def add_metadata(self, key, value):
        """Writes a text into the trace."""
        self._metadata[key] = str(value)

    def add_metadata_json(self, key, value):
        """Writes a value, given as JSON, into the trace."""
        self._metadata[key] = json.loads(value)

    def preset_metadata_json(self, key, value):
        """Writes a value, given as JSON, into each trace from now on."""
        self.preset_metadata[key] = json.loads(value)

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
        events = self.needed("getting key averages").finished()
        return events.key_averages(group_by_input_shape, group_by_stack_n, group_by_overload_name)

    def export_chrome_trace(self, path):
        """Writes the events as JSON for chrome://tracing and Perfetto; compressed if the name ends in .gz."""
        events = self.needed("exporting chrome trace").finished()
        options = {name: 1 for name in ("record_shapes", "profile_memory", "with_stack", "with_flops") if getattr(self, name)}
        metadata = {**options, "trace_id": self._trace_id, **self._metadata}
        if not path.endswith(".gz"):
            events.export_chrome_trace(path, metadata)
            return
        with tempfile.NamedTemporaryFile("rb", suffix=".json") as plain:
            events.export_chrome_trace(plain.name, metadata)
            with gzip.open(path, "wb") as write:
                shutil.copyfileobj(plain, write)

    def export_stacks(self, path, metric="self_cpu_time_total"):
        """Writes the stacks of the events for flame graphs."""
        self.needed("exporting stacks").export_stacks(path, metric)


class profile(_KinetoProfile):
    """Profiles the steps of a program.

    Args:
        schedule: What to do in each step (default: record everything).
        on_trace_ready: Called with the profiler at the end of each cycle, when its events can be read.
        activities, record_shapes, profile_memory, with_stack, with_flops, acc_events, …: As in _KinetoProfile.
        use_cuda: Which is not looked at, with a warning.

    >>> import rushlight as torch
    >>> with torch.profiler.profile() as p:
    ...     _ = torch.ones(3) * 2
    >>> "aten::mul" in [event.name for event in p.events()]
    True
    """

    def __init__(self, *, activities=None, schedule=None, on_trace_ready=None, use_cuda=None, **settings):
        known = inspect.signature(_KinetoProfile.__init__).parameters
        for name in settings:
            if name not in known:
                raise TypeError(f"profile.__init__() got an unexpected keyword argument '{name}'")
        if use_cuda is not None:
            warn_user("`use_cuda` is deprecated, use `activities` argument instead", FutureWarning)
        super().__init__(activities=activities, **settings)
        self.schedule, self.on_trace_ready = schedule, on_trace_ready
        self.step_num = 0
        self.current_action = schedule(0) if schedule else ProfilerAction.RECORD
        self._step = None
        KinetoStepTracker.init_step_count(_STEP)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()
        KinetoStepTracker.erase_step_count(_STEP)

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
        self.current_action = self.schedule(self.step_num) if self.schedule else ProfilerAction.RECORD
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
            super().start()

    def finish(self, ready):
        """Ends recording; tells on_trace_ready."""
        super().stop()
        if ready and self.on_trace_ready is not None:
            self.on_trace_ready(self)

    def open_step(self):
        """With a schedule, each step is a named range."""
        if self._recording and self.schedule:
            self._step = profiler.record_function(f"{_STEP}#{self.step_num}")
            self._step.__enter__()

    def close_step(self):
        """Ends the step's range."""
        if self._step is not None:
            self._step.__exit__(None, None, None)
            self._step = None
