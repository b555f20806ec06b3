"""`torch.amp.autocast("cuda")` and its decorators under their old names."""

import rushlight as torch
from rushlight.amp import autocast_mode as _mode

__all__ = ["autocast", "custom_bwd", "custom_fwd"]


class autocast(_mode.autocast):
    """`torch.amp.autocast("cuda", ...)`.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> with torch.cuda.amp.autocast(): (torch.ones(2, 2) @ torch.ones(2, 2)).dtype
    torch.float32
    """

    def __init__(self, enabled=True, dtype=torch.float16, cache_enabled=True):
        _mode.warn_deprecated("torch.cuda.amp.autocast(args...)", "torch.amp.autocast('cuda', args...)")
        super().__init__("cuda", enabled=enabled, dtype=dtype, cache_enabled=cache_enabled)


def custom_fwd(fwd=None, *, cast_inputs=None):
    """`torch.amp.custom_fwd` for CUDA.

    Args:
        fwd: The `forward` of a Function; None makes a decorator.
        cast_inputs: The dtype that floating inputs on a device get where autocast is on.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> class Twice(torch.autograd.Function):
    ...     @staticmethod
    ...     @torch.cuda.amp.custom_fwd(cast_inputs=torch.float32)
    ...     def forward(ctx, x): return x * 2
    >>> Twice.apply(torch.ones(2))
    tensor([2., 2.])
    """
    _mode.warn_deprecated("torch.cuda.amp.custom_fwd(args...)", "torch.amp.custom_fwd(args..., device_type='cuda')")
    return _mode.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd):
    """`torch.amp.custom_bwd` for CUDA.

    Args:
        bwd: The `backward` of a Function.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> class Twice(torch.autograd.Function):
    ...     @staticmethod
    ...     @torch.cuda.amp.custom_fwd
    ...     def forward(ctx, x): return x * 2
    ...     @staticmethod
    ...     @torch.cuda.amp.custom_bwd
    ...     def backward(ctx, g): return g * 2
    >>> Twice.apply(torch.ones(2))
    tensor([2., 2.])
    """
    _mode.warn_deprecated("torch.cuda.amp.custom_bwd(args...)", "torch.amp.custom_bwd(args..., device_type='cuda')")
    return _mode.custom_bwd(bwd, device_type="cuda")
