"""CUDA as a program meets it where there is none: nothing is available, and asking for a device is an error."""

from rushlight.core import device as _device

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "is_available",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


def is_available():
    """False: Rushlight computes on the CPU.

    >>> import rushlight
    >>> rushlight.cuda.is_available()
    False
    """
    return False


def is_initialized():
    """False."""
    return False


def device_count():
    """0."""
    return 0


def current_device():
    """Raises, as PyTorch built without CUDA does."""
    raise AssertionError("Torch not compiled with CUDA enabled")


def synchronize(device=None):
    """Raises, as PyTorch built without CUDA does."""
    raise AssertionError("Torch not compiled with CUDA enabled")


def manual_seed(seed):
    """Does nothing: there is no CUDA generator to seed."""
    int(seed)


manual_seed_all = manual_seed


def empty_cache():
    """Does nothing: there is no CUDA memory."""


def is_bf16_supported(including_emulation=True):
    """False."""
    return False


device = _device
