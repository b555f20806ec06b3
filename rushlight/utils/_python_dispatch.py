"""Modes that see each op of a program, and what programs ask of subclasses of tensors that hold other tensors."""

import contextlib
import warnings

import rushlight as torch
from rushlight import core
from rushlight.core import Tensor
from rushlight.ops._names import overload_of

__all__ = [
    "BaseTorchDispatchMode",
    "TorchDispatchMode",
    "is_in_torch_dispatch_mode",
    "is_traceable_wrapper_subclass",
    "is_traceable_wrapper_subclass_type",
    "return_and_correct_aliasing",
]


class _Dispatching:
    """The interpreter of a mode: gives it each op as PyTorch's op of that name, with the arguments that are not at their defaults."""

    def __init__(self, mode):
        self.mode = mode

    def process(self, op, arguments, keywords):
        """One op."""
        function, args, kwargs = as_called(op, arguments, keywords)
        # (Called with these arguments, the op is this one: the function of its name may take others.)
        packet = function.overloadpacket
        before, packet._within = packet._within, None if keywords else op
        try:
            return self.mode.__torch_dispatch__(function, (), args, kwargs)
        finally:
            packet._within = before


def as_called(op, arguments, keywords):
    """A call that an interpreter is given, as a program would write it: (op of `torch.ops.aten`, arguments, keywords)."""
    in_place = keywords.get("mode") == core.MODE_IN_PLACE
    args = list(arguments)
    while len(args) > 1 and args[-1] is op.defaults[len(args) - 1]:
        args.pop()
    kwargs = {name: value for name, value in keywords.items() if name == "out"}
    while len(args) > op.positional:
        value = args.pop()
        if value is not op.defaults[len(args)]:
            kwargs[op.parameters[len(args)]] = value
    if op.name == "_to_copy":
        kwargs |= dict(zip(("dtype", "memory_format"), args[1:]))
        del args[1:]
    name, overload = overload_of(op, args, kwargs, in_place)
    return getattr(getattr(torch.ops.aten, name), overload), tuple(args), kwargs


class TorchDispatchMode:
    """A context inside of which each op calls `__torch_dispatch__(func, types, args, kwargs)` of the mode, to be written by a subclass;
    what that returns is the op's result. While it runs, ops go to the mode outside of this one.

    What makes a tensor of no other, such as `torch.zeros`, is not seen.

    >>> import rushlight as torch
    >>> from rushlight.utils._python_dispatch import TorchDispatchMode
    >>> class Printing(TorchDispatchMode):
    ...     def __torch_dispatch__(self, func, types, args=(), kwargs=None):
    ...         print(func)
    ...         return func(*args, **(kwargs or {}))
    >>> x = torch.ones(2)
    >>> with Printing():
    ...     y = x.sin() * 2
    aten.sin.default
    aten.mul.Tensor
    """

    supports_higher_order_operators = False

    def __init__(self, _dispatch_key=None):
        self._interpreters = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """What the mode makes of an op."""
        raise NotImplementedError

    def __enter__(self):
        _push_mode(self)
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        core.remove_interpreter(vars(self)["_interpreters"].pop())

    @classmethod
    def push(cls, *args, **kwargs):
        """The older way to make a mode."""
        warnings.warn(
            "`Mode.push()` is no longer necessary and can be replaced with just `with Mode()`", stacklevel=2, category=UserWarning
        )
        return cls(*args, **kwargs)

    @classmethod
    def is_infra_mode(cls):
        """Whether the mode is a compiler's: it is not."""
        return False

    @classmethod
    def ignore_compile_internals(cls):
        """Whether a compiler does not mind the mode."""
        return False


class BaseTorchDispatchMode(TorchDispatchMode):
    """A mode that does nothing."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Calls the op."""
        return func(*args, **(kwargs or {}))


def _push_mode(mode):
    """Makes `mode` the innermost one."""
    interpreter = _Dispatching(mode)
    # (A subclass may have an __init__ that does not call this class's.)
    vars(mode).setdefault("_interpreters", []).append(interpreter)
    core.push_interpreter(interpreter)


def _pop_mode(k=None):
    """Takes the innermost mode away, and returns it."""
    mode = _get_current_dispatch_mode()
    mode.__exit__(None, None, None)
    return mode


@contextlib.contextmanager
def _pop_mode_temporarily(k=None):
    """Inside, the innermost mode is away."""
    mode = _pop_mode(k)
    try:
        yield mode
    finally:
        _push_mode(mode)


@contextlib.contextmanager
def _disable_current_modes():
    """Inside, no mode is there; gives those that there were."""
    modes = _get_current_dispatch_mode_stack()
    for mode in reversed(modes):
        mode.__exit__(None, None, None)
    try:
        yield modes
    finally:
        for mode in modes:
            _push_mode(mode)


def _get_current_dispatch_mode_stack():
    """The modes, the innermost last."""
    return [interpreter.mode for interpreter in core.interpreters() if isinstance(interpreter, _Dispatching)]


def _get_current_dispatch_mode():
    """The innermost mode, or None."""
    modes = _get_current_dispatch_mode_stack()
    return modes[-1] if modes else None


def _len_torch_dispatch_stack():
    """How many modes there are."""
    return len(_get_current_dispatch_mode_stack())


def is_in_torch_dispatch_mode(include_infra_modes=True) -> bool:
    """Whether a mode is there.

    >>> from rushlight.utils._python_dispatch import is_in_torch_dispatch_mode
    >>> is_in_torch_dispatch_mode()
    False
    """
    return bool(_get_current_dispatch_mode_stack())


def is_in_any_mode_without_ignore_compile_internals() -> bool:
    """Whether a mode is there that a compiler minds."""
    return any(not mode.ignore_compile_internals() for mode in _get_current_dispatch_mode_stack())


def return_and_correct_aliasing(func, args, kwargs, out):
    """`out`, the result of an op of a subclass: here tensors share memory as they do anyway."""
    return out


def is_traceable_wrapper_subclass_type(t) -> bool:
    """Whether a class of tensors says how it is taken apart and put together."""
    return issubclass(t, Tensor) and t is not Tensor and hasattr(t, "__tensor_flatten__") and hasattr(t, "__tensor_unflatten__")


def is_traceable_wrapper_subclass(t) -> bool:
    """Whether a tensor says how it is taken apart and put together.

    >>> import rushlight
    >>> from rushlight.utils._python_dispatch import is_traceable_wrapper_subclass
    >>> is_traceable_wrapper_subclass(rushlight.ones(2))
    False
    """
    return isinstance(t, Tensor) and is_traceable_wrapper_subclass_type(type(t))
