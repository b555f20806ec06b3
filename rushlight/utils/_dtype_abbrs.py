"""Short names of dtypes, as logs of tensors have them."""

import re

import rushlight as torch
from rushlight.core import dtype_by_name

__all__ = ["dtype_abbrs"]

_SHORT = {"uint": "u", "int": "i", "float": "f", "complex": "c", "bfloat": "bf", "bits": "b"}


def _short(dtype):
    """`f8e5m2` for float8_e5m2: the kind's letters, and the rest without underscores."""
    kind, rest = re.fullmatch(r"torch\.([a-z]+?)(\d.*)", str(dtype).replace("rushlight", "torch")).groups()
    if kind == "bits":
        return f"b{rest if 'x' in rest else rest + 'x1'}"
    return _SHORT[kind] + rest.replace("_", "")


_ABSENT = ("bits1x8", "bits2x4", "bits4x2", "bits8", "bits16", "float4_e2m1fn_x2")
_DTYPES = (*dtype_by_name.values(), *(getattr(torch, name) for name in _ABSENT))
dtype_abbrs = {dtype: "b8" if dtype is torch.bool else _short(dtype) for dtype in _DTYPES}
