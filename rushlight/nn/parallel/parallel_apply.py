"""Modules called on several devices at once."""

__all__ = ["get_a_var", "parallel_apply"]


def get_a_var(obj):
    """A tensor in a list, tuple or dict, or None."""
    from rushlight.core import Tensor

    if isinstance(obj, Tensor):
        return obj
    items = obj.items() if isinstance(obj, dict) else obj if isinstance(obj, (list, tuple)) else ()
    return next((found for found in map(get_a_var, items) if found is not None), None)


def parallel_apply(modules, inputs, kwargs_tup=None, devices=None):
    """Raises: there are no devices."""
    if len(modules) != len(inputs):
        raise AssertionError(f"The number of modules {len(modules)} is not equal to the number of inputs {len(inputs)}")
    raise RuntimeError("Cannot access accelerator device when none is available.")
