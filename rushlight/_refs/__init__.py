"""Ops as PyTorch's reference implementations of them: here the ops themselves, under the names of `torch._refs`."""

import sys
import types

import rushlight as torch
from rushlight import fft, linalg, special
from rushlight.core import wrap_dim
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


def T(x):
    """The dimensions in the opposite order."""
    return x.T


def unfold(x, dimension, size, step):
    """Windows along a dimension (in torch.nn.functional the name is another function's)."""
    return x.unfold(dimension, size, step)


def prod(x, dim=None, keepdim=False, *, dtype=None):
    """The product over one dimension, several, or all."""
    several = range(x.dim()) if dim is None or dim in ((), []) else dim
    if isinstance(several, int) or (dim is None and not keepdim) or not x.dim():
        return torch.prod(x, dtype=dtype) if dim is None or dim in ((), []) else torch.prod(x, dim, keepdim, dtype=dtype)
    if len({wrap_dim(d, x.dim()) for d in several}) < len(several):
        raise RuntimeError("duplicate value in the list of dims")
    for d in sorted((wrap_dim(d, x.dim()) for d in several), reverse=True):
        x = torch.prod(x, d, keepdim, dtype=dtype)
    return x


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
