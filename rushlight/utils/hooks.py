"""Handles of registered hooks, and what hooks on modules and on tensors that are saved are made of."""

from rushlight._late import late as _late
from rushlight._tensor import warn_of_hooks
from rushlight.core import RemovableHandle as RemovableHandle

__getattr__ = _late(__name__, {"BackwardHook": "rushlight.nn.modules._hooks:BackwardHook"})


def unserializable_hook(f):
    """Marks a backward hook `f` that pickling may leave out without a warning.

    >>> import rushlight as torch
    >>> from rushlight.utils.hooks import unserializable_hook
    >>> @unserializable_hook
    ... def double(gradient):
    ...     return gradient * 2
    """
    f.__torch_unserializable__ = True
    return f


def warn_if_has_hooks(tensor):
    """Warns of each backward hook of a `tensor` that pickling would lose.

    >>> import rushlight as torch
    >>> torch.utils.hooks.warn_if_has_hooks(torch.ones(2, requires_grad=True))
    """
    warn_of_hooks(tensor)
