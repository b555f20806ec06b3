"""Quantized layers of PyTorch: there are none, and the packages that would have them are empty."""

import sys
import types

from rushlight._late import late as _late
from rushlight.ao._functional_modules import FloatFunctional
from rushlight.nn import MaxPool2d

__all__ = ["nn"]


def _empty(name):
    """A package with nothing in it, which an import finds."""
    made = types.ModuleType(name, "There is nothing here.")
    made.__dict__.update(__all__=[], __path__=[])
    sys.modules[name] = made
    return made


nn = _empty(f"{__name__}.nn")
for _part in ("qat", "quantizable", "quantized"):
    _package = nn.__dict__[_part] = _empty(f"{nn.__name__}.{_part}")
    _package.__dict__["modules"] = _empty(f"{_package.__name__}.modules")
nn.quantized.MaxPool2d = MaxPool2d  # (which is the same in PyTorch)
nn.quantized.FloatFunctional = FloatFunctional
__getattr__ = _late(__name__, {"quantization": f"{__name__}.quantization"})
