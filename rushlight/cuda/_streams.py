"""Streams and events of devices that are not there."""

from rushlight._absent import Dummy


class Stream:
    """A queue of a device: there is none."""

    def __init__(self, device=None, priority=0, **kwargs):
        raise RuntimeError("torch.cuda.Stream requires CUDA support")


class ExternalStream(Stream):
    """A queue that was made elsewhere."""

    def __init__(self, stream_ptr, device=None, **kwargs):
        raise RuntimeError("torch.cuda.Stream requires CUDA support")


class Event(Dummy):
    """A mark in a queue."""

    _dummy_name = "Event"


class StreamContext:
    """A context in which a stream is the current one: with None, as there is no other, it changes nothing."""

    def __init__(self, stream):
        self.stream = stream

    def __enter__(self):
        return None

    def __exit__(self, type, value, traceback):
        return None


def stream(stream):
    """`StreamContext(stream)`."""
    return StreamContext(stream)
