"""Functions and subclasses that take calls over: the protocol of `__torch_function__`."""

import functools

from rushlight import core
from rushlight.core import Tensor, has_torch_function

__all__ = [
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
