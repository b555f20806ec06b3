"""Limiting gradients, by their norm or by their values."""

from types import GeneratorType

import rushlight as torch
from rushlight import Tensor
from rushlight.core import warn_user

__all__ = ["clip_grad_norm", "clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_", "get_total_norm"]


def _as_list(tensors):
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


@torch.no_grad()
def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of all tensors together, as if they were one vector: the p-norm of their p-norms.

    Args:
        tensors: An iterable of tensors, or one.
        norm_type: p; infinity is the largest absolute number.
        error_if_nonfinite: Whether an infinite or NaN norm is a RuntimeError.
        foreach: Taken for other programs' sake; there is one implementation.

    >>> import rushlight as torch
    >>> torch.nn.utils.get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])])
    tensor(5.)
    """
    tensors = _as_list(tensors)
    norm_type = float(norm_type)
    if not tensors:
        return torch.tensor(0.0)
    norms = [torch.linalg.vector_norm(tensor, norm_type) for tensor in tensors]
    total = torch.linalg.vector_norm(torch.stack(norms), norm_type)
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be clipped. To disable "
            "this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total


@torch.no_grad()
def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scales the gradients of `parameters`, in place, by max_norm / (total_norm + 1e-6), where that is less than one.

    `total_norm` is a tensor, as `get_total_norm` returns it; `foreach` changes nothing.

    >>> import rushlight as torch
    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grads_with_norm_([weight], 1.0, torch.nn.utils.get_total_norm([weight.grad]))
    >>> weight.grad
    tensor([0.6000, 0.8000])
    """
    # Multiplying by one costs less than waiting for the answer whether it is needed.
    factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
    for parameter in _as_list(parameters):
        if parameter.grad is not None:
            parameter.grad.mul_(factor)


@torch.no_grad()
def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scales the gradients, in place, so that their norm, all together, is at most `max_norm`; returns the norm before.

    Args:
        parameters: An iterable of parameters, or one; those without a gradient are passed over.
        max_norm: The limit.
        norm_type: The norm's degree; infinity is the largest absolute number.
        error_if_nonfinite: Whether an infinite or NaN norm is a RuntimeError; otherwise all gradients become NaN or zero.
        foreach: Taken for other programs' sake; there is one implementation.

    >>> import rushlight as torch
    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> torch.nn.utils.clip_grad_norm_([weight], 1.0)
    tensor(5.)
    >>> weight.grad
    tensor([0.6000, 0.8000])
    """
    if not isinstance(parameters, Tensor):
        is_generator = isinstance(parameters, GeneratorType)
        parameters = list(parameters)
        if is_generator and not parameters:
            warn_user("`parameters` is an empty generator, no gradient clipping will occur.")
    parameters = _as_list(parameters)
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    total_norm = get_total_norm(grads, norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(parameters, max_norm, total_norm, foreach)
    return total_norm


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The older name of `clip_grad_norm_`, which it warns of.

    >>> import rushlight as torch
    >>> import warnings
    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.nn.utils.clip_grad_norm(weight, 1.0)
    tensor(5.)
    """
    warn_user("`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.", FutureWarning)
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


@torch.no_grad()
def clip_grad_value_(parameters, clip_value, foreach=None):
    """Limits each element of the gradients of `parameters`, in place, to the range from -clip_value to clip_value.

    Unlike `clip_grad_norm_` that may change the direction. `foreach` changes nothing.

    >>> import rushlight as torch
    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> weight.grad = torch.tensor([3.0, -0.5])
    >>> torch.nn.utils.clip_grad_value_([weight], 1.0)
    >>> weight.grad
    tensor([ 1.0000, -0.5000])
    """
    clip_value = float(clip_value)
    for parameter in _as_list(parameters):
        if parameter.grad is not None:
            parameter.grad.clamp_(min=-clip_value, max=clip_value)
