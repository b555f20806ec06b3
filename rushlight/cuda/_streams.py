"""Streams and events of devices that are not there."""

from rushlight._absent import Dummy


class Stream:
    """A queue of a device: there is none.

    Args:
        device: The device, by its number, name or `torch.device`.
        priority: The lower, the sooner.

    >>> import rushlight as torch
    >>> torch.cuda.Stream()
    Traceback (most recent call last):
        ...
    RuntimeError: torch.cuda.Stream requires CUDA support
    """

    def __init__(self, device=None, priority=0, **kwargs):
        raise RuntimeError("torch.cuda.Stream requires CUDA support")


class ExternalStream(Stream):
    """A queue that was made elsewhere.

    Args:
        stream_ptr: Its address.
        device: The device.

    >>> import rushlight as torch
    >>> torch.cuda.ExternalStream(0)
    Traceback (most recent call last):
        ...
    RuntimeError: torch.cuda.Stream requires CUDA support
    """

    def __init__(self, stream_ptr, device=None, **kwargs):
        raise RuntimeError("torch.cuda.Stream requires CUDA support")


class Event(Dummy):
    """A mark in a queue.

    >>> import rushlight as torch
    >>> torch.cuda.Event()
    Traceback (most recent call last):
        ...
    RuntimeError: Tried to instantiate dummy base class Event
    """

    _dummy_name = "Event"


class StreamContext:
    """A context in which a stream is the current one: with None, as there is no other, it changes nothing.

    Args:
        stream: A stream, or None.

    >>> import rushlight as torch
    >>> with torch.cuda.StreamContext(None): torch.ones(2).sum()
    tensor(2.)
    """

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        return None

    def __exit__(self, type, value, traceback):
        return None


def stream(stream):
    """`StreamContext(stream)`.

    Args:
        stream: A stream, or None.

    >>> import rushlight as torch
    >>> with torch.cuda.stream(None): torch.ones(2).sum()
    tensor(2.)
    """
    return StreamContext(stream)
