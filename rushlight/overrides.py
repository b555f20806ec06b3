"""Functions and subclasses that take calls over: the protocol of `__torch_function__`."""

import contextlib
import functools

from rushlight import core
from rushlight.core import Tensor, has_torch_function

__all__ = [
    "BaseTorchFunctionMode",
    "TorchFunctionMode",
    "get_default_nowrap_functions",
    "handle_torch_function",
    "has_torch_function",
    "has_torch_function_unary",
    "has_torch_function_variadic",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "resolve_name",
    "wrap_torch_function",
]


def has_torch_function_unary(value):
    """Whether the type of `value` is to be asked."""
    return has_torch_function((value,))


def has_torch_function_variadic(*values):
    """Whether a type among the arguments is to be asked."""
    return has_torch_function(values)


class TorchFunctionMode:
    """A context in which a mode is asked about every call of a public function: a subclass defines `__torch_function__`.

    Within it the mode itself is off. Modes may stand in each other; the innermost is asked first.

    >>> import rushlight as torch
    >>> class Names(torch.overrides.TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Names():
    ...     x = torch.ones(2) + 1
    ones
    add
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        _push_mode(self)
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        _pop_mode()

    @classmethod
    def push(cls, *args, **kwargs):
        """A new mode, to be entered."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that changes nothing."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


def _push_mode(mode):
    core.push_function_mode(mode)


def _pop_mode():
    return core.pop_function_mode()


def _get_current_function_mode():
    stack = core.function_modes()
    return stack[-1] if stack else None


def _get_current_function_mode_stack():
    return list(core.function_modes())


def _len_torch_function_stack():
    return len(core.function_modes())


@contextlib.contextmanager
def _pop_mode_temporarily():
    mode = _pop_mode()
    try:
        yield mode
    finally:
        _push_mode(mode)


def is_tensor_like(inp):
    """Whether functions of tensors take `inp`: a tensor, or anything with a `__torch_function__`.

    >>> import rushlight as torch
    >>> torch.overrides.is_tensor_like(torch.ones(1)), torch.overrides.is_tensor_like(1)
    (True, False)
    """
    return type(inp) is Tensor or hasattr(inp, "__torch_function__")


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """What the types among `relevant_args` make of `public_api(*args, **kwargs)`, subclasses first; TypeError where none takes it.

    >>> import rushlight as torch
    >>> class Length:
    ...     @classmethod
    ...     def __torch_function__(cls, func, types, args=(), kwargs=None):
    ...         return func.__name__
    >>> def double(x):
    ...     if torch.overrides.has_torch_function((x,)):
    ...         return torch.overrides.handle_torch_function(double, (x,), x)
    ...     return 2 * x
    >>> double(Length())
    'double'
    """
    values = core.torch_function_types(relevant_args)
    types = tuple(map(type, values))
    if core.function_modes():
        with _pop_mode_temporarily() as mode:
            result = mode.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    for value in values:
        result = value.__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = f"{public_api.__module__}.{public_api.__name__}"
    raise TypeError(
        f"no implementation found for '{name}' on types that implement __torch_function__: {list(types)}"
        if values
        else f"no type among the arguments of '{name}' implements __torch_function__"
    )


def wrap_torch_function(dispatcher):
    """Decorates a function so that the types of what `dispatcher` gives for its arguments can take it over.

    >>> import rushlight as torch
    >>> @torch.overrides.wrap_torch_function(lambda a: (a,))
    ... def double(a):
    ...     return a + a
    >>> double(torch.ones(1))
    tensor([2.])
    """

    def decorate(function):
        @functools.wraps(function)
        def wrapped(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped

    return decorate


def get_default_nowrap_functions():
    """The attributes of Tensor whose values `Tensor.__torch_function__` gives as they are, in no subclass."""
    return {Tensor._base.__get__, Tensor.grad.__get__, Tensor._grad.__get__}


def is_tensor_method_or_property(func):
    """Whether `func` is a method of Tensor, or reads one of its attributes."""
    return getattr(Tensor, getattr(func, "__name__", ""), None) is func or getattr(func, "__name__", "") == "__get__"


def resolve_name(f):
    """The name of a function as programs write it, such as "torch.Tensor.add_"; None where it has none."""
    name = getattr(f, "__name__", None)
    if name is None:
        return None
    if getattr(Tensor, name, None) is f and getattr(f, "__module__", "") != "torch":
        return f"torch.Tensor.{name}"
    module = getattr(f, "__module__", None) or "torch"
    return f"{module.replace('rushlight', 'torch', 1)}.{name}"
