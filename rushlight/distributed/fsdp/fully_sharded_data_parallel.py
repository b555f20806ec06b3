"""The same names in their own place."""

from rushlight.distributed import fsdp as _fsdp

globals().update({name: getattr(_fsdp, name) for name in _fsdp.__all__})
