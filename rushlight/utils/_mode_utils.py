"""What programs ask of modes."""

import contextlib

from rushlight.core import DisableTorchDispatch
from rushlight.utils._python_dispatch import _disable_current_modes

__all__ = ["all_same_mode", "no_dispatch"]


@contextlib.contextmanager
def no_dispatch():
    """A context inside of which no mode sees the ops, and no class of tensors computes them."""
    with _disable_current_modes(), DisableTorchDispatch():
        yield


def all_same_mode(modes) -> bool:
    """Whether all of `modes` are one.

    >>> from rushlight.utils._mode_utils import all_same_mode
    >>> all_same_mode([None, None])
    True
    """
    return all(mode == modes[0] for mode in modes)
