"""Fourier transforms under the names of `torch.fft`. They are computed by NumPy, which is imported when the first is."""

from rushlight import ops as _ops
from rushlight._late import late as _late
from rushlight.ops._declare import namespaces as _namespaces

_ops.declare("fourier")
globals().update(_namespaces["fft"])
__getattr__ = _late(__name__, {})
__all__ = [*_namespaces["fft"]]
