"""Helpers around tensors, as PyTorch names them."""

from rushlight._late import late as _late
from rushlight.utils import dlpack, hooks

_LATE = {
    **{
        name: f"rushlight.utils.{name}"
        for name in ("_device", "_python_dispatch", "_pytree", "checkpoint", "data", "deterministic")
    },
    "swap_tensors": "rushlight.utils._swap:swap_tensors",
}
__getattr__ = _late(__name__, _LATE)


def __dir__():
    return sorted({*globals(), *_LATE})
