"""Helpers around tensors, as PyTorch names them."""

from rushlight._late import late as _late
from rushlight.utils import dlpack, hooks

__all__ = ["checkpoint", "data", "dlpack", "hooks"]

_LATE = {"_pytree": "rushlight.utils._pytree", "checkpoint": "rushlight.utils.checkpoint", "data": "rushlight.utils.data"}
__getattr__ = _late(__name__, _LATE)


def __dir__():
    return sorted({*globals(), *_LATE})
