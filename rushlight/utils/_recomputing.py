"""Checkpoints without re-entrance, by saved-tensor hooks: holders of what is saved, and the second forward that fills them."""

import contextlib
import functools
import threading
import weakref

import rushlight as torch
from rushlight import core
from rushlight.autograd.function import Function
from rushlight.autograd.graph import saved_tensors_hooks

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


# ---------------------------------------------------------------------------------------------------------------- as it was in the first forward
def _get_autocast_kwargs(device_type="cuda"):
    """What autocast is set to, for a type of devices and for the CPU: keywords of `torch.autocast`."""

    def settings(kind):
        return {
            "enabled": torch.is_autocast_enabled(kind),
            "dtype": torch.get_autocast_dtype(kind),
            "cache_enabled": torch.is_autocast_cache_enabled(),
        }

    return settings(device_type), settings("cpu")


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
