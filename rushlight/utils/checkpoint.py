"""Checkpointing: forward keeps only the inputs of a part of the graph, and backward computes the rest of it once more.

The variant without re-entrance works with saved-tensor hooks. Forward puts a `Holder` in the place of every saved tensor; when backward asks
for the first of them, the function runs again with hooks that catch, in the same order, the tensors that the holders stand for.
"""

import contextlib
import functools
import threading
import weakref
from itertools import pairwise

import rushlight as torch
from rushlight import core
from rushlight.autograd.function import Function
from rushlight.autograd.graph import saved_tensors_hooks
from rushlight.core import warn_user
from rushlight.utils._pytree import tree_leaves
from rushlight.utils._selective import (
    SAC_IGNORED_OPS,
    CheckpointPolicy,
    SelectiveCheckpointContext,
    create_selective_checkpoint_contexts,
)

__all__ = [
    "SAC_IGNORED_OPS",
    "CheckpointError",
    "CheckpointFunction",
    "CheckpointPolicy",
    "DefaultDeviceType",
    "GraphExecGroup",
    "SelectiveCheckpointContext",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "create_selective_checkpoint_contexts",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]

_TIP = (
    "\n\nTip: To see a more detailed error message, either pass `debug=True` to\n`torch.utils.checkpoint.checkpoint(...)` or wrap the code "
    "block\nwith `with torch.utils.checkpoint.set_checkpoint_debug_enabled(True):` to\nenable checkpoint\u2011debug mode globally.\n\n"
    "If this error occurs under torch.compile with automatic_dynamic_shapes enabled,\nit may be because the recomputation selected a "
    "different compiled graph than the\nforward pass (e.g., a dynamic graph instead of the original static graph).\nTo fix this, either:\n"
    "  - Use torch._dynamo.mark_dynamic() to explicitly mark varying dimensions as\n    dynamic upfront, avoiding the static-to-dynamic "
    "transition.\n  - Call torch._C._dynamo.eval_frame._set_lru_cache(False) to disable LRU cache\n    reordering, which can change which "
    "graph is checked first between forward\n    and recompute.\nSee https://github.com/pytorch/pytorch/issues/166926 for more details and\n"
    "workaround examples.\n"
)


class CheckpointError(RuntimeError):
    """The second forward of a checkpoint did not do what the first one did.

    >>> import rushlight as torch
    >>> issubclass(torch.utils.checkpoint.CheckpointError, RuntimeError)
    True
    """


class _StopRecomputationError(Exception):
    """Ends a second forward once it has computed all that backward needs."""


class DefaultDeviceType:
    """The device type whose random numbers are kept when no argument tells; there is only the CPU here.

    >>> import rushlight as torch
    >>> isinstance(torch.utils.checkpoint.DefaultDeviceType.get_device_type(), str)
    True
    """

    _default_device_type = "cpu"

    @staticmethod
    def set_device_type(device="cuda"):
        """Sets the device type."""
        DefaultDeviceType._default_device_type = device

    @staticmethod
    def get_device_type():
        """The device type that was set."""
        return DefaultDeviceType._default_device_type


def _infer_device_type(*args):
    """The type of the first device other than the CPU that tensors among (containers in) the arguments are on, or the default one."""
    types = [x.device.type for x in tree_leaves(args) if isinstance(x, torch.Tensor) and x.device.type != "cpu"]
    return types[0] if types else DefaultDeviceType.get_device_type()


def _get_device_module(device="cuda"):
    """The package of a type of devices."""
    return torch.device("meta") if device == "meta" else getattr(torch, device)


def _get_autocast_kwargs(device_type="cuda"):
    """What autocast is set to, for a type of devices and for the CPU: keywords of `torch.autocast`."""

    def settings(kind):
        return {
            "enabled": torch.is_autocast_enabled(kind),
            "dtype": torch.get_autocast_dtype(kind),
            "cache_enabled": torch.is_autocast_cache_enabled(),
        }

    return settings(device_type), settings("cpu")


def get_device_states(*args):
    """(devices, states of their random numbers) of the arguments' devices other than the CPU: none.

    >>> import rushlight as torch
    >>> torch.utils.checkpoint.get_device_states(torch.ones(2))
    ([], [])
    """
    return [], []


def set_device_states(devices, states, *, device_type=None):
    """Puts back the `states` of `devices` that `get_device_states` gave, of the type `device_type`.

    >>> import rushlight as torch
    >>> torch.utils.checkpoint.set_device_states([], [])
    """


def noop_context_fn():
    """Two contexts that do nothing.

    >>> import rushlight as torch
    >>> first, second = torch.utils.checkpoint.noop_context_fn()
    >>> with first, second:
    ...     pass
    """
    return contextlib.nullcontext(), contextlib.nullcontext()


def detach_variable(inputs):
    """The tensors of a tuple `inputs`, cut off from their graphs but requiring grad as before; the rest as it is.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> torch.utils.checkpoint.detach_variable((x * 2, 3))
    (tensor([2., 2.], requires_grad=True), 3)
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}")
    return tuple(x.detach().requires_grad_(x.requires_grad) if isinstance(x, torch.Tensor) else x for x in inputs)


def check_backward_validity(inputs):
    """Warns if none of `inputs` requires grad: the re-entrant variant gives no gradients then, not even of parameters.

    >>> import rushlight as torch
    >>> torch.utils.checkpoint.check_backward_validity((torch.ones(2, requires_grad=True),))
    """
    if not any(x.requires_grad for x in inputs if isinstance(x, torch.Tensor)):
        warn_user("None of the inputs have requires_grad=True. Gradients will be None")


class _Switch(threading.local):
    """What set_checkpoint_early_stop and set_checkpoint_debug_enabled set (None: each checkpoint's own argument holds)."""

    early_stop = None
    debug = None


_switch = _Switch()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable):
    """Inside, whether checkpoints stop their second forward as soon as backward has what it needs,
    whatever their own arguments say.

    Args:
        enable: Whether they do.

    >>> import rushlight as torch
    >>> from rushlight.utils.checkpoint import checkpoint, set_checkpoint_early_stop
    >>> x = torch.tensor(0.0, requires_grad=True)
    >>> with set_checkpoint_early_stop(False):
    ...     checkpoint(torch.sin, x, use_reentrant=False).backward()
    >>> x.grad
    tensor(1.)
    """
    before, _switch.early_stop = _switch.early_stop, enable
    try:
        yield
    finally:
        _switch.early_stop = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled):
    """Inside, whether errors of checkpoints list the ops of both forwards.

    Args:
        enabled: True or False; None leaves it to each checkpoint's `debug`.

    >>> import rushlight as torch
    >>> with torch.utils.checkpoint.set_checkpoint_debug_enabled(True):
    ...     pass
    """
    before, _switch.debug = _switch.debug, enabled
    try:
        yield
    finally:
        _switch.debug = before


# ---------------------------------------------------------------------------------------------------------------- random numbers
@contextlib.contextmanager
def random_numbers_from(state):
    """Inside, the generator continues from `state`; afterwards from where it was. None: nothing is done."""
    if state is None:
        yield
        return
    before = torch.get_rng_state()
    torch.set_rng_state(state)
    try:
        yield
    finally:
        torch.set_rng_state(before)


def autocast_as_now():
    """What makes a context in which autocast is set for the CPU as it is now."""
    return functools.partial(torch.autocast, "cpu", **_get_autocast_kwargs("cpu")[1])


# ---------------------------------------------------------------------------------------------------------------- re-entrant
class CheckpointFunction(Function):
    """The re-entrant variant: forward unrecorded, and in backward a second, recorded forward with a backward of its own.

    >>> import rushlight as torch
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> torch.utils.checkpoint.CheckpointFunction.apply(torch.exp, True, x).backward()
    >>> x.grad
    tensor(7.3891)
    """

    @staticmethod
    def forward(ctx, run_function, preserve_rng_state, *args):
        """Runs `run_function(*args)` and keeps the arguments."""
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.rng_state = torch.get_rng_state() if preserve_rng_state else None
        ctx.autocast = autocast_as_now()
        ctx.places = [place for place, x in enumerate(args) if isinstance(x, torch.Tensor)]
        ctx.inputs = [None if isinstance(x, torch.Tensor) else x for x in args]
        ctx.save_for_backward(*[args[place] for place in ctx.places])
        return run_function(*args)

    @staticmethod
    def backward(ctx, *gradients):
        """Runs forward again, recorded, and backward through it."""
        if core.current_run_is_restricted():
            raise RuntimeError(
                "When use_reentrant=True, torch.utils.checkpoint is incompatible with .grad() or passing an `inputs` parameter to .backward(). "
                "To resolve this error, you can either set use_reentrant=False, or call .backward() without passing the `inputs` argument."
            )
        inputs = list(ctx.inputs)
        for place, x in zip(ctx.places, ctx.saved_tensors):
            inputs[place] = x
        inputs = detach_variable(tuple(inputs))
        with random_numbers_from(ctx.rng_state), torch.enable_grad(), ctx.autocast():
            outputs = ctx.run_function(*inputs)
        outputs = (outputs,) if isinstance(outputs, torch.Tensor) else outputs
        pairs = [(out, g) for out, g in zip(outputs, gradients) if isinstance(out, torch.Tensor) and out.requires_grad]
        if not pairs:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        torch.autograd.backward([out for out, _ in pairs], [g for _, g in pairs])
        return (None, None, *(x.grad if isinstance(x, torch.Tensor) else None for x in inputs))


# ---------------------------------------------------------------------------------------------------------------- with hooks
class GraphExecGroup(contextlib.ContextDecorator):
    """Inside, several backwards share one second forward of each checkpoint, instead of running it once each.

    >>> import rushlight as torch
    >>> from rushlight.utils.checkpoint import GraphExecGroup, checkpoint
    >>> x = torch.tensor(0.5, requires_grad=True)
    >>> y = checkpoint(lambda x: (x.sin(), x.cos()), x, use_reentrant=False)
    >>> with GraphExecGroup():
    ...     y[0].backward(retain_graph=True)
    ...     y[1].backward()
    >>> x.grad
    tensor(0.3982)
    """

    _of_thread = threading.local()

    def __enter__(self):
        if getattr(self._of_thread, "group", None) is not None:
            raise RuntimeError(f"GraphExecGroup contexts cannot be nested. Already inside group {self._of_thread.group}")
        self._of_thread.group = self
        return self

    def __exit__(self, *exception):
        self._of_thread.group = None

    @classmethod
    def current(cls):
        """This thread's group, or None."""
        return getattr(cls._of_thread, "group", None)


class Holder:
    """Stands in the graph for a tensor that forward did not keep."""

    __slots__ = ("__weakref__", "taken")

    def __init__(self):
        self.taken = set()  # the backwards that were given the tensor


class KeptInputs(Function):
    """A node that keeps tensors for a checkpoint. So the checkpoint around it, if there is one, may drop them in turn."""

    @staticmethod
    def forward(dummy, *tensors):
        return torch.empty((0,))

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx, g):
        raise AssertionError("nothing leads to this node")


class Frame:
    """One checkpointed call: what is needed to run it again, and what it is known to have saved."""

    def __init__(self, function, args, kwargs, settings):
        self.function, self.kwargs, self.settings = function, kwargs, settings
        tensors = [x for x in args if isinstance(x, torch.Tensor)]
        self.places = [place for place, x in enumerate(args) if isinstance(x, torch.Tensor)]
        self.args = [None if isinstance(x, torch.Tensor) else x for x in args]
        with torch.enable_grad():
            self.node = KeptInputs.apply(torch.empty((0,), requires_grad=True), *tensors).grad_fn
        self.rng_state = torch.get_rng_state() if settings["preserve_rng_state"] else None
        self.autocast = autocast_as_now()
        self.holders, self.facts = [], []
        self.recomputed = {}  # backward -> {holder: tensor}, weak in the holders
        self.completed = False  # the first forward is over
        self.differs = False  # a second forward ran before that, and to its end: it saved more
        self.logs = [], []
        forward_context, self.recompute_context = settings["context_fn"]()
        self.forward_context = forward_context

    def arguments(self):
        """The arguments of the call, from the node that keeps them."""
        args = list(self.args)
        for place, x in zip(self.places, self.node.saved_tensors):
            args[place] = x
        return args

    def facts_of(self, tensor):
        """What has to be the same in both forwards."""
        if self.settings["determinism_check"] == "none":
            return None
        return {"shape": tensor.shape, "dtype": tensor.dtype, "device": tensor.device}

    def pack(self, tensor):
        """The pack hook of the first forward."""
        holder = Holder()
        self.holders.append(weakref.ref(holder))
        self.facts.append(self.facts_of(tensor))
        return holder

    def unpack(self, holder):
        """The unpack hook of the first forward: runs the second one if this backward has not done so yet."""
        run = GraphExecGroup.current() or core.current_run()
        if not run:
            self.recomputed.pop(run, None)  # nothing to share with: somebody looks at a node's saved tensors
            holder.taken.discard(run)
        if run not in self.recomputed:
            try:
                self.recompute(run)
            except CheckpointError as error:
                self.explain(error)
        if holder in self.recomputed[run]:
            holder.taken.add(run)
            return self.recomputed[run].pop(holder)
        if run in holder.taken:
            raise CheckpointError(
                "torch.utils.checkpoint: Unpack is being triggered for a tensor that was already unpacked once. If you are calling "
                "ctx.saved_tensors in backward, make sure to do so only once. Otherwise please open an issue with details on your use case."
            )
        raise CheckpointError("torch.utils.checkpoint: the second forward did not compute a tensor that backward needs.")

    def recompute(self, run):
        """The second forward, and whether it saved what the first one did."""
        # Taken first: this may run the second forward of a checkpoint around this one.
        args = self.arguments()
        caught = weakref.WeakKeyDictionary()
        facts = []
        early_stop = self.settings["early_stop"]

        def catch(tensor):
            kept = tensor.detach() if tensor.requires_grad else tensor
            place = len(facts)
            facts.append(self.facts_of(tensor))
            if place >= len(self.holders):
                if early_stop:
                    raise AssertionError("a second forward went on beyond its end")
                if not self.completed:
                    self.differs = True
                    return kept
                raise CheckpointError(
                    "torch.utils.checkpoint: trying to save more tensors during recomputation than during the original forward pass."
                    + self.tip()
                )
            holder = self.holders[place]()
            if holder is not None:
                caught[holder] = kept
            if early_stop and place + 1 == len(self.holders):
                raise _StopRecomputationError
            return kept

        with contextlib.ExitStack() as stack:
            stack.enter_context(contextlib.suppress(_StopRecomputationError))
            stack.enter_context(self.recompute_context)
            stack.enter_context(saved_tensors_hooks(catch, same))
            stack.enter_context(random_numbers_from(self.rng_state))
            stack.enter_context(torch.enable_grad())
            stack.enter_context(self.autocast())
            stack.enter_context(self.logging(1))
            self.function(*args, **self.kwargs)
        self.recomputed[run] = caught
        self.compare(facts)

    def compare(self, facts):
        """An error if the forwards saved different tensors."""
        if self.differs:
            return
        if len(facts) != len(self.holders):
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and recomputation.\n"
                f"Number of tensors saved during forward: {len(self.holders)}\n"
                f"Number of tensors saved during recomputation: {len(facts)}.{self.tip()}"
            )
        if different := [place for place in range(len(facts)) if facts[place] != self.facts[place]]:
            listed = "".join(
                f"tensor at position {place}:\nsaved metadata: {self.facts[place]}\nrecomputed metadata: {facts[place]}\n"
                for place in different
            )
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than during the forward pass.\n"
                f"{listed}.{self.tip()}"
            )

    def tip(self):
        """How to learn more, for those who have not asked for it."""
        return "" if self.settings["debug"] else _TIP

    def logging(self, which):
        """With `debug`, a context that lists the ops of the first (0) or second (1) forward."""
        return Log(self.logs[which]) if self.settings["debug"] else contextlib.nullcontext()

    def explain(self, error):
        """Raises the error again, with `debug` with the ops of both forwards."""
        if not self.settings["debug"]:
            raise error
        forward, again = ("\n".join(log) for log in self.logs)
        raise CheckpointError(
            "An error happened while unpacking tensors; dumping logs of latest computation\nbecause you passed `debug=True` to "
            f"`torch.utils.checkpoint.checkpoint()`.\n\nOperations executed during the original forward:\n{forward}\n\nOperations executed during "
            f"recomputation:\n{again}\n\nDetected mismatch:\n{error}"
        ) from error


def same(tensor):
    """The unpack hook of a second forward, for backwards inside the function."""
    return tensor


class Log:
    """An interpreter that lists the ops that it sees."""

    def __init__(self, lines):
        self.lines = lines

    def __enter__(self):
        self.lines.clear()
        core.push_interpreter(self)

    def __exit__(self, *exception):
        core.pop_interpreter()

    def process(self, op, arguments, keywords):
        """Notes the op and passes it on."""
        shown = ", ".join(f"{x.dtype}{list(x.shape)}" if isinstance(x, torch.Tensor) else repr(x) for x in arguments)
        self.lines.append(f"  {op.name}({shown})")
        return core.run(op, arguments, keywords)


def run_with_hooks(function, args, kwargs, settings):
    """The variant without re-entrance."""
    with contextlib.ExitStack() as stack:
        frame = Frame(function, args, kwargs, settings)
        if not torch.is_grad_enabled():
            return function(*args, **kwargs)
        stack.enter_context(frame.forward_context)
        stack.enter_context(saved_tensors_hooks(frame.pack, frame.unpack))
        stack.enter_context(frame.logging(0))
        result = function(*args, **kwargs)
        frame.completed = True
        return result


# ---------------------------------------------------------------------------------------------------------------- entry points
def checkpoint(
    function,
    *args,
    use_reentrant=None,
    context_fn=noop_context_fn,
    determinism_check="default",
    debug=False,
    early_stop=True,
    **kwargs,
):
    """Runs `function(*args, **kwargs)` and keeps nothing of it for backward but the arguments; backward runs it again.

    Args:
        function: What to run. It has to do the same when it runs again.
        use_reentrant: False: by saved-tensor hooks (choose this). True: by a backward inside backward, which needs an input that requires
            grad, and cannot serve `autograd.grad`. To be passed explicitly.
        preserve_rng_state: Whether the second run gets the random numbers of the first (default: True).
        context_fn: Gives two contexts, for the first and the second run.
        determinism_check: "default" compares shapes and dtypes of what both runs save, "none" does not.
        debug: Whether errors list the ops of both runs.
        early_stop: Whether the second run ends as soon as backward has what it needs.

    >>> import rushlight as torch
    >>> from rushlight.utils.checkpoint import checkpoint
    >>> x = torch.tensor(1., requires_grad=True)
    >>> checkpoint(lambda x: x.exp().log(), x, use_reentrant=False).backward()
    >>> x.grad
    tensor(1.)
    """
    if use_reentrant is None:
        warn_user(
            "torch.utils.checkpoint: the use_reentrant parameter should be passed explicitly. Starting in PyTorch 2.9, calling checkpoint without "
            "use_reentrant will raise an exception. use_reentrant=False is recommended, but if you need to preserve the current default behavior, "
            "you can pass use_reentrant=True. Refer to docs for more details on the differences between the two variants."
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug is not False:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'], but got {determinism_check}")
    settings = {
        "preserve_rng_state": preserve,
        "context_fn": context_fn,
        "determinism_check": determinism_check,
        "debug": debug if _switch.debug is None else _switch.debug,
        "early_stop": early_stop if _switch.early_stop is None else _switch.early_stop,
    }
    return run_with_hooks(function, args, kwargs, settings)


def checkpoint_sequential(functions, segments, input, use_reentrant=None, **kwargs):
    """Runs modules or functions one after another, in `segments` parts of which all but the last are checkpoints.

    Args:
        functions: A Sequential or a list.
        segments: How many parts.
        input: What the first of them gets.
        use_reentrant: As in `checkpoint`.
        preserve_rng_state: As in `checkpoint`.

    >>> import rushlight as torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
    >>> x = torch.ones(1, 2)
    >>> y = torch.utils.checkpoint.checkpoint_sequential(model, 2, x, use_reentrant=False)
    >>> torch.equal(y, model(x))
    True
    """
    if use_reentrant is None:
        warn_user(
            "torch.utils.checkpoint.checkpoint_sequential: the use_reentrant parameter should be passed explicitly. In version 2.9 we will raise "
            "an exception if use_reentrant is not passed. use_reentrant=False is recommended, but if you need to preserve the current default "
            "behavior, you can pass use_reentrant=True. Refer to docs for more details on the differences between the two variants."
        )
        use_reentrant = True
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    if isinstance(functions, torch.nn.Sequential):
        functions = list(functions.children())
    size = len(functions) // segments
    last = size * (segments - 1)
    bounds = list(pairwise([*range(0, last, size), last]))

    def part(start, end):
        return lambda x: functools.reduce(lambda value, function: function(value), functions[start:end], x)

    for start, end in bounds:
        input = checkpoint(part(start, end), input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return part(last, len(functions))(input)
