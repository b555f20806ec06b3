"""`torch.amp.autocast("cpu")` under its old name."""

import rushlight as torch
from rushlight.amp import autocast_mode as _mode

__all__ = ["autocast"]


class autocast(_mode.autocast):
    """`torch.amp.autocast("cpu", ...)`.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> with torch.cpu.amp.autocast(): (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.bfloat16
    """

    def __init__(self, enabled=True, dtype=torch.bfloat16, cache_enabled=True):
        _mode.warn_deprecated("torch.cpu.amp.autocast(args...)", "torch.amp.autocast('cpu', args...)")
        super().__init__("cpu", enabled=enabled, dtype=dtype, cache_enabled=cache_enabled)
