"""Batches spread over devices, and put together again."""

from rushlight.core import Tensor
from rushlight.nn.parallel.comm import _scatter

__all__ = ["gather", "scatter", "scatter_kwargs"]


def is_namedtuple(obj):
    """Whether it is a tuple with names."""
    return isinstance(obj, tuple) and hasattr(obj, "_asdict") and hasattr(obj, "_fields")


def scatter(inputs, target_gpus, dim=0):
    """For each device its part of the tensors, and everything else. With tensors an error: there are no devices.

    Args:
        inputs: Tensors in tuples, lists and dictionaries within each other.
        target_gpus: The devices.
        dim: The dimension along which tensors are cut.

    >>> import rushlight as torch
    >>> torch.nn.parallel.scatter([1, 2], [0])
    [[1, 2]]
    """
    if isinstance(inputs, Tensor):
        return _scatter()
    if is_namedtuple(inputs):
        return [type(inputs)(*args) for args in zip(*(scatter(x, target_gpus, dim) for x in inputs))]
    if isinstance(inputs, (tuple, list)) and len(inputs) > 0:
        parts = zip(*(scatter(x, target_gpus, dim) for x in inputs))
        return list(parts) if isinstance(inputs, tuple) else [list(part) for part in parts]
    if isinstance(inputs, dict) and len(inputs) > 0:
        return [type(inputs)(items) for items in zip(*(scatter(x, target_gpus, dim) for x in inputs.items()))]
    return [inputs for _ in target_gpus]


def scatter_kwargs(inputs, kwargs, target_gpus, dim=0):
    """`scatter` of positional and named arguments.

    Args:
        inputs: Positional arguments.
        kwargs: Named ones.
        target_gpus: The devices.
        dim: The dimension along which tensors are cut.

    >>> import rushlight as torch
    >>> torch.nn.parallel.scatter_gather.scatter_kwargs((1,), {"scale": 2}, [0])
    (((1,),), ({'scale': 2},))
    """
    given = scatter(inputs, target_gpus, dim) if inputs else []
    named = scatter(kwargs, target_gpus, dim) if kwargs else []
    given.extend(() for _ in range(len(named) - len(given)))
    named.extend({} for _ in range(len(given) - len(named)))
    return tuple(given), tuple(named)


def gather(outputs, target_device, dim=0):
    """The outputs of all devices as one. With tensors an error: there are no devices.

    Args:
        outputs: A tensor, a dictionary or a list for each device.
        target_device: The device of the result.
        dim: The dimension along which tensors are put behind each other.

    >>> import rushlight as torch
    >>> torch.nn.parallel.gather([torch.ones(2)], 0)
    Traceback (most recent call last):
        ...
    AssertionError: Gather function not implemented for CPU tensors
    """
    first = outputs[0]
    if isinstance(first, Tensor):
        raise AssertionError("Gather function not implemented for CPU tensors")
    if first is None:
        return None
    if isinstance(first, dict):
        if not all(len(first) == len(other) for other in outputs):
            raise ValueError("All dicts must have the same number of keys")
        return type(first)((key, gather([other[key] for other in outputs], target_device, dim)) for key in first)
    if is_namedtuple(first):
        return type(first)._make(gather(values, target_device, dim) for values in zip(*outputs))
    return type(first)(gather(values, target_device, dim) for values in zip(*outputs))
