"""What programs ask of modes."""

from rushlight.utils._python_dispatch import _disable_current_modes

__all__ = ["all_same_mode", "no_dispatch"]


def no_dispatch():
    """A context inside of which no mode sees the ops."""
    return _disable_current_modes()


def all_same_mode(modes) -> bool:
    """Whether all of `modes` are one.

    >>> from rushlight.utils._mode_utils import all_same_mode
    >>> all_same_mode([None, None])
    True
    """
    return all(mode == modes[0] for mode in modes)
