"""`torch.amp.GradScaler("cuda")` under its old name."""

from rushlight.amp import autocast_mode as _mode
from rushlight.amp import grad_scaler as _scaler

__all__ = ["GradScaler"]


class GradScaler(_scaler.GradScaler):
    """`torch.amp.GradScaler("cuda", ...)`: without CUDA it is off.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.cuda.amp.GradScaler().is_enabled()
    False
    """

    def __init__(self, init_scale=65536.0, growth_factor=2.0, backoff_factor=0.5, growth_interval=2000, enabled=True):
        _mode.warn_deprecated("torch.cuda.amp.GradScaler(args...)", "torch.amp.GradScaler('cuda', args...)")
        super().__init__("cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
