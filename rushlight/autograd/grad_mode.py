"""Modes of the running thread: whether operations are recorded. Context managers, decorators and (some) functions."""

import functools
import threading

from rushlight import core
from rushlight.core import warn_user

__all__ = [
    "enable_grad",
    "enforce_grad_layout_policy",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, TypeVar, overload

    Decorated = TypeVar("Decorated", bound=Callable[..., Any])

GENERATOR = 0x20
"""The flag of the code of generator functions."""


class ModeDecorator:
    """A context manager that also decorates functions, generator functions and (with a warning) classes."""

    def clone(self):
        """A fresh context manager for each call of a decorated function."""
        return self.__class__()

    def __call__(self, function: "Decorated") -> "Decorated":
        if isinstance(function, type):
            warn_user(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate functions or methods. To "
                "preserve the current behavior of class decoration, you can directly decorate the `__init__` method and nothing else.",
                FutureWarning,
            )
            function.__init__ = self(function.__init__)  # type: ignore[misc]
            return function
        return decorate_generator(self, function) if makes_generators(function) else decorate(self, function)


def makes_generators(function):
    """What inspect.isgeneratorfunction tells; importing inspect is felt in every program."""
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and code.co_flags & GENERATOR != 0


def decorate(mode, function):
    """`function` run inside a clone of `mode`."""

    @functools.wraps(function)
    def decorated(*args, **kwargs):
        with mode.clone():
            return function(*args, **kwargs)

    return decorated


def decorate_generator(mode, function):
    """A generator function whose body (not its consumer) runs inside `mode`."""

    @functools.wraps(function)
    def decorated(*args, **kwargs):
        generator = function(*args, **kwargs)
        try:
            with mode.clone():
                response = generator.send(None)
            while True:
                try:
                    request = yield response
                except GeneratorExit:
                    with mode.clone():
                        generator.close()
                    raise
                except BaseException as error:
                    with mode.clone():
                        response = generator.throw(error)
                else:
                    with mode.clone():
                        response = generator.send(request)
        except StopIteration as stop:
            return stop.value

    return decorated


class OptionalCall(ModeDecorator):
    """A mode whose decorator may be written with or without parentheses: @no_grad or @no_grad()."""

    if TYPE_CHECKING:

        @overload
        def __new__(cls, function: Decorated) -> Decorated: ...  # type: ignore[misc]
        @overload
        def __new__(cls, function: None = None) -> Self: ...

    def __new__(cls, function=None):
        if function is None:
            return super().__new__(cls)
        return cls()(function)


class no_grad(OptionalCall):
    """Inside, operations are not recorded: results do not require grad, and backward keeps nothing for them.

    A context, or a decorator (`@torch.no_grad()`, also without parentheses) of a `function`.
    For evaluation, and for changing parameters.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     print((x * 2).requires_grad)
    False
    >>> @torch.no_grad()
    ... def double(x):
    ...     return x * 2
    >>> double(x).requires_grad
    False
    """

    def __enter__(self):
        self.before = core.set_grad_mode(False)

    def __exit__(self, *exception):
        core.set_grad_mode(self.before)


class enable_grad(OptionalCall):
    """Inside, operations are recorded, even within `no_grad`. A context, or a decorator of a `function`.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     with torch.enable_grad():
    ...         y = x * 2
    >>> y.requires_grad
    True
    """

    def __enter__(self):
        self.before = core.set_grad_mode(True)

    def __exit__(self, *exception):
        core.set_grad_mode(self.before)


class set_grad_enabled(ModeDecorator):
    """Sets recording on or off at once; as a context manager, puts back what was before at its end.

    Args:
        mode: On or off.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.set_grad_enabled(False):
    ...     print((x * 2).requires_grad)
    False
    >>> torch.is_grad_enabled()
    True
    """

    def __init__(self, mode):
        if not isinstance(mode, bool):
            raise TypeError(f"set_grad_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}")
        self.mode = mode
        self.before = core.set_grad_mode(mode)

    def __call__(self, function):
        core.set_grad_mode(self.before)
        return super().__call__(function)

    def __enter__(self):
        core.set_grad_mode(self.mode)

    def __exit__(self, *exception):
        core.set_grad_mode(self.before)

    def __str__(self):
        return f"torch.autograd.grad_mode.{type(self).__name__}(mode={self.mode})"

    __repr__ = __str__

    def clone(self):
        return self.__class__(self.mode)


class inference_mode(ModeDecorator):
    """Inside, nothing is recorded, and tensors are made without version counters: they can never take part in recording later.

    A context, or a decorator; a stricter `no_grad`.

    Args:
        mode: False switches it off within another one.

    >>> import rushlight as torch
    >>> with torch.inference_mode():
    ...     y = torch.ones(2) * 2
    >>> y.is_inference()
    True
    """

    if TYPE_CHECKING:

        @overload
        def __new__(cls, mode: Decorated) -> Decorated: ...  # type: ignore[misc]
        @overload
        def __new__(cls, mode: bool = True) -> Self: ...

    def __new__(cls, mode=True):
        if isinstance(mode, bool):
            return super().__new__(cls)
        return cls()(mode)

    def __init__(self, mode=True):
        self.mode = mode

    def __enter__(self):
        self.before = core.set_inference_mode(self.mode)

    def __exit__(self, *exception):
        core.restore_modes(*self.before)

    def clone(self):
        return self.__class__(self.mode)


class set_multithreading_enabled(ModeDecorator):
    """Sets what programs are told of multithreading, at once and as a context: backward runs on its caller's thread here.

    Args:
        mode: On or off.

    >>> import rushlight as torch
    >>> with torch.autograd.set_multithreading_enabled(False):
    ...     pass
    """

    def __init__(self, mode):
        if not isinstance(mode, bool):
            raise TypeError(
                f"set_multithreading_enabled(): argument 'enabled' (position 1) must be bool, not {type(mode).__name__}"
            )
        self.mode = mode
        self.before = core.set_multithreading(mode)

    def __enter__(self):
        return None

    def __exit__(self, *exception):
        core.set_multithreading(self.before)

    def clone(self):
        return self.__class__(self.mode)


class _ViewReplay(threading.local):
    """Whether programs are told that histories of views repeat the views."""

    enabled = False


view_replay = _ViewReplay()


class _force_original_view_tracking(ModeDecorator):
    """Sets what programs are told of how histories of views are made anew, at once and as a context: here they are windows always.

    Args:
        mode: On or off.
    """

    def __init__(self, mode):
        self.mode, self.before = mode, view_replay.enabled
        view_replay.enabled = mode

    def __enter__(self):
        return None

    def __exit__(self, *exception):
        view_replay.enabled = self.before

    def clone(self):
        return self.__class__(self.mode)


class enforce_grad_layout_policy(ModeDecorator):
    """Whether a first gradient that is taken over as `.grad` must have the leaf's strides; at once and as a context.

    Args:
        enable: True, which is the default, or False.

    >>> import rushlight as torch
    >>> x = torch.ones(2, 3, requires_grad=True)
    >>> with torch.autograd.enforce_grad_layout_policy(False):
    ...     (x.t() * 2).sum().backward()
    >>> x.grad
    tensor([[2., 2., 2.],
            [2., 2., 2.]])
    """

    def __init__(self, enable=True):
        if not isinstance(enable, bool):
            raise TypeError(
                f"set_grad_layout_enforcement_enabled(): argument 'enabled' (position 1) must be bool, not {type(enable).__name__}"
            )
        self.enable = enable
        self.before, core.asked.grad_layout = core.asked.grad_layout, enable

    def __enter__(self):
        core.asked.grad_layout = self.enable

    def __exit__(self, *exception):
        core.asked.grad_layout = self.before

    def clone(self):
        return self.__class__(self.enable)
