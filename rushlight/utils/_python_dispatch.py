"""Modes below `__torch_function__`, which PyTorch has between its ops and their kernels: there is nothing between them here."""

import contextlib

__all__ = ["TorchDispatchMode", "is_traceable_wrapper_subclass", "is_traceable_wrapper_subclass_type"]


class TorchDispatchMode:
    """A mode that would see every op of PyTorch's: it cannot be entered. `torch.overrides.TorchFunctionMode` sees every public function."""

    def __init__(self, _dispatch_key=None):
        pass

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        raise NotImplementedError(
            "torch.utils._python_dispatch.TorchDispatchMode: Rushlight has no dispatcher; torch.overrides.TorchFunctionMode sees public functions"
        )

    def __exit__(self, exc_type, exc_val, exc_tb):
        return None


def is_traceable_wrapper_subclass(t) -> bool:
    """Whether an object is a tensor that wraps others, and can be taken apart."""
    return is_traceable_wrapper_subclass_type(type(t))


def is_traceable_wrapper_subclass_type(t) -> bool:
    """Whether a class is that of tensors that wrap others, and can be taken apart."""
    from rushlight.core import Tensor

    return (
        isinstance(t, type) and issubclass(t, Tensor) and hasattr(t, "__tensor_flatten__") and hasattr(t, "__tensor_unflatten__")
    )


def transform_subclass(t, callback, outer_size=None, outer_stride=None):
    """The same wrapper around what `callback(name, tensor)` makes of the tensors in it."""
    names, context = t.__tensor_flatten__()
    inner = {name: callback(name, getattr(t, name)) for name in names}
    return type(t).__tensor_unflatten__(inner, context, outer_size or t.size(), outer_stride or t.stride())


def _get_current_dispatch_mode():
    return None


def _get_current_dispatch_mode_stack():
    return []


def is_in_torch_dispatch_mode(include_infra_modes=True) -> bool:
    """False."""
    return False


def any_torch_dispatch_mode_on_stack() -> bool:
    """False."""
    return False


@contextlib.contextmanager
def _disable_current_modes():
    yield []
