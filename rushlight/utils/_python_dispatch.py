"""What programs ask of subclasses of tensors that hold other tensors."""

from rushlight.core import Tensor

__all__ = ["is_traceable_wrapper_subclass", "is_traceable_wrapper_subclass_type"]


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
