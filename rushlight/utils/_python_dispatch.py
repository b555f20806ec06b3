"""What programs ask of subclasses of tensors that hold other tensors."""

from rushlight.core import Tensor

__all__ = [
    "TorchDispatchMode",
    "is_traceable_wrapper_subclass",
    "is_traceable_wrapper_subclass_type",
    "return_and_correct_aliasing",
]


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


class TorchDispatchMode:
    """A context in which each call of a kernel goes through a function of the program: there is none, a program may only have its class."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("torch.utils._python_dispatch.TorchDispatchMode: Rushlight has no __torch_dispatch__")


def return_and_correct_aliasing(func, args, kwargs, out):
    """Raises: nothing calls it, as there is no `__torch_dispatch__`."""
    raise RuntimeError("torch.utils._python_dispatch.return_and_correct_aliasing: Rushlight has no __torch_dispatch__")
