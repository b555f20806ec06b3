"""functional_call under its older name."""

from contextlib import contextmanager

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
    warn_user(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be removed in a future version of PyTorch. "
        "Please use `torch.func.functional_call` instead which is a drop-in replacement.",
        FutureWarning,
    )
    return _functional_call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


def _functional_call(module, parameters_and_buffers, args=None, kwargs=None, *, tie_weights=True, strict=False):
    """`rushlight.func.functional_call`, without a word."""
    from rushlight.func import functional_call as call

    return call(module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict)


@contextmanager
def _reparametrize_module(module, parameters_and_buffers, tie_weights=False, strict=False, stack_weights=False):
    """Within it, the module has the given tensors instead of its own."""
    from rushlight.func.modules import put_back, replace

    replaced = []
    try:
        replace(module, parameters_and_buffers, replaced, tie_weights, strict)
        yield
    finally:
        put_back(replaced, parameters_and_buffers)
