"""The one device that there is."""

from rushlight._late import late as _late

__all__ = [
    "Event", "Stream", "StreamContext", "current_device", "current_stream", "device_count", "get_capabilities", "is_available",
    "is_initialized", "set_device", "stream", "synchronize",
]  # fmt: skip


def is_available() -> bool:
    """True.

    >>> import rushlight as torch
    >>> torch.cpu.is_available()
    True
    """
    return True


def is_initialized() -> bool:
    """True.

    >>> import rushlight as torch
    >>> torch.cpu.is_initialized()
    True
    """
    return True


def device_count() -> int:
    """1.

    >>> import rushlight as torch
    >>> torch.cpu.device_count()
    1
    """
    return 1


def current_device() -> str:
    """ "cpu".

    >>> import rushlight as torch
    >>> torch.cpu.current_device()
    'cpu'
    """
    return "cpu"


def set_device(device) -> None:
    """Does nothing: there is no choice.

    Args:
        device: Which is not looked at.

    >>> import rushlight as torch
    >>> torch.cpu.set_device("cpu")
    """


def synchronize(device=None) -> None:
    """Does nothing: every call has finished when it returns.

    Args:
        device: Which is not looked at.

    >>> import rushlight as torch
    >>> torch.cpu.synchronize()
    """


class Stream:
    """A queue of work, which is never waited for: every call has finished when it returns.

    Args:
        priority: Which is not looked at.

    >>> import rushlight as torch
    >>> with torch.cpu.stream(torch.cpu.Stream()): torch.ones(2).sum()
    tensor(2.)
    """

    def __init__(self, priority: int = -1) -> None:
        pass

    def wait_stream(self, stream) -> None:
        """Does nothing."""

    def record_event(self) -> None:
        """Does nothing."""

    def wait_event(self, event) -> None:
        """Does nothing."""


class Event:
    """A mark in a queue: everything before it has been done.

    >>> import rushlight as torch
    >>> torch.cpu.Event().query()
    True
    """

    def query(self) -> bool:
        """True."""
        return True

    def record(self, stream=None) -> None:
        """Does nothing."""

    def synchronize(self) -> None:
        """Does nothing."""

    def wait(self, stream=None) -> None:
        """Does nothing."""


_current = Stream()


def current_stream(device=None) -> Stream:
    """The stream of the innermost `StreamContext`.

    Args:
        device: Which is not looked at: there is one.

    >>> import rushlight as torch
    >>> isinstance(torch.cpu.current_stream(), torch.cpu.Stream)
    True
    """
    return _current


class StreamContext:
    """A context in which `stream` is the current one.

    Args:
        stream: A `torch.cpu.Stream`.

    >>> import rushlight as torch
    >>> mine = torch.cpu.Stream()
    >>> with torch.cpu.StreamContext(mine): torch.cpu.current_stream() is mine
    True
    """

    def __init__(self, stream):
        self.stream, self.before = stream, None

    def __enter__(self):
        global _current
        if self.stream is not None:
            self.before, _current = _current, self.stream

    def __exit__(self, type, value, traceback):
        global _current
        if self.stream is not None:
            _current = self.before


def stream(stream) -> StreamContext:
    """`StreamContext(stream)`.

    Args:
        stream: A `torch.cpu.Stream`.

    >>> import rushlight as torch
    >>> with torch.cpu.stream(torch.cpu.Stream()): torch.ones(2).sum()
    tensor(2.)
    """
    return StreamContext(stream)


def _has(*flags):
    from rushlight.backends.cpu import processor_flags

    return processor_flags().issuperset(flags)


def get_capabilities():
    """What the processor can do: for each set of instructions, as Linux names them, True.

    >>> import rushlight as torch
    >>> isinstance(torch.cpu.get_capabilities(), dict)
    False
    """
    from types import MappingProxyType

    from rushlight.backends.cpu import processor_flags

    return MappingProxyType(dict.fromkeys(sorted(processor_flags()), True))


def _is_avx2_supported() -> bool:
    """Whether the processor has AVX2."""
    return _has("avx2")


def _is_avx512_supported() -> bool:
    """Whether the processor has the parts of AVX-512 that kernels use."""
    return _has("avx512f", "avx512vl", "avx512bw", "avx512dq")


def _is_avx512_bf16_supported() -> bool:
    """Whether the processor multiplies bfloat16."""
    return _has("avx512_bf16")


def _is_vnni_supported() -> bool:
    """Whether the processor multiplies bytes."""
    return _has("avx512_vnni")


def _is_amx_tile_supported() -> bool:
    """Whether the processor multiplies tiles."""
    return _has("amx_tile")


__getattr__ = _late(__name__, {"amp": f"{__name__}.amp"})
