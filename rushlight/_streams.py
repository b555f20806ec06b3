"""Queues of work and marks in them. On the CPU every call has finished when it returns: there is nothing to wait for."""

from rushlight.core import device as _device

__all__ = ["Event", "Stream"]

TYPES = {"cpu": 0, "cuda": 1, "meta": 14}


def device_of(given):
    """The device of a stream or an event; an error where the device has no queues here."""
    if isinstance(given, int) and not isinstance(given, bool):
        raise RuntimeError("Cannot access accelerator device when none is available.")
    found = _device("cpu" if given is None else given)
    if found.type not in ("cpu", "meta"):
        raise RuntimeError(f"PyTorch is not linked with support for {found.type} devices")
    return found


class Stream:
    """A queue of work on a device.

    Args:
        priority: The lower, the sooner.
        stream_id, device_index, device_type: A stream that is there, by its numbers.

    >>> import rushlight as torch
    >>> torch.Stream("cpu").query()
    True
    """

    __module__ = "torch"

    def __init__(self, device=None, *, priority=0, stream_id=0, device_index=-1, device_type=0):
        self.device = device_of(device)
        self.device_index, self.stream_id = device_index, stream_id
        self.device_type = TYPES[self.device.type]

    def __repr__(self):
        return f"torch.Stream device_type={self.device.type}, device_index={self.device_index}, stream_id={self.stream_id}"

    def _place(self):
        return self.device.type, self.device_index, self.stream_id

    def __eq__(self, other):
        return isinstance(other, Stream) and self._place() == other._place()

    def __hash__(self):
        return hash(self._place())

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None

    def query(self):
        """True: all work is done."""
        return True

    def synchronize(self):
        """Does nothing: all work is done."""

    def is_capturing(self):
        """False."""
        return False

    def wait_event(self, event):
        """Does nothing: what came before the event is done."""

    def wait_stream(self, stream):
        """PyTorch's error: it would mark a place in the other queue."""
        self.record_event()

    def record_event(self, event=None):
        """PyTorch's error: there are no marks to set on this device."""
        (Event(self.device) if event is None else event).record(self)

    @property
    def native_handle(self):
        """PyTorch's error: there is no handle."""
        raise RuntimeError("Backend doesn't support getting stream native handle.")


class Event:
    """A mark in a queue of work.

    Args:
        enable_timing: Whether it notes when it is reached.
        blocking: Whether who waits for it sleeps.
        interprocess: Whether other processes may wait for it.

    >>> import rushlight as torch
    >>> torch.Event().query()
    True
    """

    __module__ = "torch"

    def __init__(self, device=None, *, enable_timing=False, blocking=False, interprocess=False):
        self.device, self.event_id = device_of(device), 0
        self._is_timed = bool(enable_timing)

    def __repr__(self):
        return f"torch.Event device_type={self.device.type}, device_index=-1, event_flag={int(self._is_timed)}, event_id=0"

    def query(self):
        """True: what came before it is done."""
        return True

    def record(self, stream=None):
        """PyTorch's error: there are no marks to set on this device."""
        raise RuntimeError(f"{self.device.type} backend doesn't support events.")

    def synchronize(self):
        """Does nothing: what came before it is done."""

    def wait(self, stream=None):
        """Does nothing: what came before it is done."""

    def elapsed_time(self, other):
        """PyTorch's error: neither event was recorded."""
        if not (self._is_timed and other._is_timed):
            raise ValueError("Both events must be created with argument 'enable_timing=True'.")
        self.record()

    def ipc_handle(self):
        """PyTorch's error."""
        raise NotImplementedError("torch.Event ipc is not supported yet, please open an issue if you need this!")

    @classmethod
    def from_ipc_handle(cls, device, handle):
        """PyTorch's error."""
        raise NotImplementedError("torch.Event ipc is not supported yet, please open an issue if you need this!")


def get_device_module(device=None):
    """The module of a device's functions: `torch.cpu` where none is named.

    >>> import rushlight as torch
    >>> torch.get_device_module().is_available()
    True
    """
    import rushlight

    if not isinstance(device, _device | str | None):
        raise RuntimeError(f"Invalid value of device '{device}', expect torch.device, str, or None")
    name = _device("cpu" if device is None else device).type
    module = getattr(rushlight, name, None)
    if module is None:
        raise RuntimeError(f"Device '{name}' does not have a corresponding module registered as 'torch.{name}'.")
    return module
