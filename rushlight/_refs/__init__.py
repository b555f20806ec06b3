"""Ops as PyTorch's reference implementations of them: here the ops themselves, under the names of `torch._refs`."""

import sys
import types

import rushlight as torch
from rushlight import fft, linalg, special
from rushlight.nn import functional
from rushlight.ops import find

__all__: list[str] = []

# (A submodule of the references is the module of the ops.)
for _name, _module in (("fft", fft), ("linalg", linalg), ("special", special), ("nn", torch.nn), ("nn.functional", functional)):
    sys.modules[f"{__name__}.{_name}"] = _module
nn = torch.nn
_conversions = sys.modules[f"{__name__}._conversions"] = types.ModuleType(
    f"{__name__}._conversions", "Conversions to a dtype, as functions."
)
for _name in (
    "bfloat16",
    "bool",
    "byte",
    "cdouble",
    "cfloat",
    "chalf",
    "char",
    "double",
    "float",
    "half",
    "int",
    "long",
    "short",
):
    setattr(_conversions, _name, getattr(torch.Tensor, _name))
_conversions.__dict__.update(complex=torch.complex, polar=torch.polar)

_OTHERS = {
    "rpow": "__rpow__",
    "rtruediv": "__rtruediv__",
    "rfloordiv": "__rfloordiv__",
    "swap_axes": "swapaxes",
    "copy_to": "copy_",
}


def __getattr__(name):
    found = None if name.startswith("__") else find(name, "torch")
    for place in (torch, functional, torch.Tensor):
        found = found or place.__dict__.get(_OTHERS.get(name, name))
    if found is None and name[:1] != "_":
        found = getattr(torch.Tensor, name + "_", None)  # (such as `exponential`, which only fills in place)
    if found is None:
        raise AttributeError(f"module 'torch._refs' has no attribute '{name}'", name=name)
    globals()[name] = found
    return found
