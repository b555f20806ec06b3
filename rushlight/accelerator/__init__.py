"""Devices beside the CPU, of which there are none."""

from rushlight.core import warn_user

from rushlight._absent import answering as _answering
from rushlight._absent_words import example as _example
from rushlight._utils import _get_device_index as _index_of
from rushlight.accelerator import memory
from rushlight.accelerator.memory import *

__all__ = [
    "Graph", "current_accelerator", "current_device_idx", "current_device_index", "current_stream", "device_count", "device_index",
    "empty_cache", "empty_host_cache", "get_device_capability", "get_memory_info", "is_available", "max_memory_allocated",
    "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats", "reset_accumulated_memory_stats",
    "reset_peak_memory_stats", "set_device_idx", "set_device_index", "set_stream", "synchronize",
]  # fmt: skip

globals().update(
    _answering(
        __name__,
        {
            "current_accelerator(check_available=False)": None,
            "current_device_index()": memory.NO_DEVICE,
            "current_stream(device=None, /)": memory.NO_DEVICE,
            "device_count()": 0,
            "get_device_capability(device=None, /)": memory.NO_DEVICE,
            "is_available()": False,
            "set_stream(stream)": memory.NO_DEVICE,
            "synchronize(device=None, /)": memory.NO_DEVICE,
        },
    )
)


def set_device_index(device, /):
    """Raises: there is no device to choose.

    Args:
        device: The device, by its number or `torch.device`.

    >>> import rushlight as torch
    >>> torch.accelerator.set_device_index(0)
    Traceback (most recent call last):
        ...
    RuntimeError: Cannot access accelerator device when none is available.
    """
    _index_of(device)
    raise RuntimeError(*memory.NO_DEVICE.args)


def _renamed(function, name, given=""):
    """The function under its old name, which warns."""

    def renamed(*args):
        warn_user(f"Use `{function.__name__}` instead.", FutureWarning)
        return function(*args)

    example = _example(f"torch.accelerator.{name}({given})", memory.NO_DEVICE, warns=True)
    renamed.__name__, renamed.__doc__ = name, f"`{function.__name__}` under its old name, which warns.\n\n{example}"
    return renamed


set_device_idx = _renamed(set_device_index, "set_device_idx", "0")
current_device_idx = _renamed(globals()["current_device_index"], "current_device_idx")


class device_index:
    """A context in which a device is the current one: none is, with None.

    Args:
        device: Its number, or None.

    >>> import rushlight as torch
    >>> with torch.accelerator.device_index(None): torch.accelerator.device_count()
    0
    """

    def __init__(self, device, /):
        self.idx, self.prev_idx = device, -1

    def __enter__(self):
        if self.idx is not None:
            raise RuntimeError(*memory.NO_DEVICE.args)

    def __exit__(self, type, value, traceback):
        return None


class Graph:
    """Captured work of a device: there is none.

    Args:
        keep_graph: Whether the graph is kept to be looked at.
        pool: Memory that other graphs share.
        capture_error_mode: Which calls of other threads are refused meanwhile.

    >>> import rushlight as torch
    >>> torch.accelerator.Graph()
    Traceback (most recent call last):
        ...
    RuntimeError: Cannot access accelerator device when none is available.
    """

    def __new__(cls, keep_graph=False, *, pool=None, capture_error_mode="default"):
        raise RuntimeError(*memory.NO_DEVICE.args)
