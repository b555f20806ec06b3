"""The memory of devices, of which there are none."""

from rushlight._absent import answering as _answering

__all__ = [
    "empty_cache", "empty_host_cache", "get_memory_info", "max_memory_allocated", "max_memory_reserved", "memory_allocated",
    "memory_reserved", "memory_stats", "reset_accumulated_memory_stats", "reset_peak_memory_stats",
]  # fmt: skip

NO_DEVICE = RuntimeError("Cannot access accelerator device when none is available.")
globals().update(
    _answering(__name__, {name + ("()" if name.startswith("empty") else "(device_index=None, /)"): NO_DEVICE for name in __all__})
)
