"""Checkpointing: forward keeps only the inputs of a part of the graph, and backward computes the rest of it once more.

The variant without re-entrance works with saved-tensor hooks. Forward puts a `Holder` in the place of every saved tensor; when backward asks
for the first of them, the function runs again with hooks that catch, in the same order, the tensors that the holders stand for.
"""

import contextlib
import functools
import threading
from itertools import pairwise

import rushlight as torch
from rushlight import core
from rushlight.autograd.function import Function
from rushlight.core import warn_user
from rushlight.utils._pytree import tree_leaves
from rushlight.utils._recomputing import (  # noqa: F401
    CheckpointError,
    GraphExecGroup,
    _get_autocast_kwargs,
    _StopRecomputationError,
    autocast_as_now,
    random_numbers_from,
    run_with_hooks,
)
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


for _class in (CheckpointError, GraphExecGroup):
    _class.__module__ = __name__  # (messages and pickles name this place)
