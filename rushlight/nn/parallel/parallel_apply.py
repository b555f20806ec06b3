"""Modules called on several devices at once."""

__all__ = ["get_a_var", "parallel_apply"]


def get_a_var(obj):
    """A tensor in a list, tuple or dict, or None.

    Args:
        obj: The list, tuple or dict.

    >>> import rushlight as torch
    >>> from rushlight.nn.parallel.parallel_apply import get_a_var
    >>> get_a_var({"x": [torch.ones(2)]})
    tensor([1., 1.])
    """
    from rushlight.core import Tensor

    if isinstance(obj, Tensor):
        return obj
    items = obj.items() if isinstance(obj, dict) else obj if isinstance(obj, (list, tuple)) else ()
    return next((found for found in map(get_a_var, items) if found is not None), None)


def parallel_apply(modules, inputs, kwargs_tup=None, devices=None):
    """Raises: there are no devices.

    Args:
        modules: A module for each device.
        inputs: Its input.
        kwargs_tup: Its named arguments.
        devices: The devices.

    >>> import rushlight as torch
    >>> torch.nn.parallel.parallel_apply([torch.nn.ReLU()], [torch.ones(2)])
    Traceback (most recent call last):
        ...
    RuntimeError: Cannot access accelerator device when none is available.
    """
    if len(modules) != len(inputs):
        raise AssertionError(f"The number of modules {len(modules)} is not equal to the number of inputs {len(inputs)}")
    raise RuntimeError("Cannot access accelerator device when none is available.")
