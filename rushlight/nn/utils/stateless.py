"""functional_call under its older name."""

from rushlight.core import warn_user

__all__ = ["functional_call"]


def functional_call(module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """`rushlight.func.functional_call`, which this name is deprecated for.

    Args:
        module, parameters_and_buffers, args, kwargs, tie_weights, strict: Those of that function.

    >>> import rushlight as torch
    >>> import warnings
    >>> from rushlight.nn.utils import stateless
    >>> with warnings.catch_warnings(action="ignore"):
    ...     stateless.functional_call(torch.nn.Linear(1, 1), {"weight": torch.ones(1, 1), "bias": torch.ones(1)}, torch.ones(1))
    tensor([2.])
    """
    from rushlight.func import functional_call as call

    warn_user(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future version of PyTorch. "
        "Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
    )
    return call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)
