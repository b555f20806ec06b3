"""Short names of dtypes, as logs of tensors have them."""

import re

import rushlight as torch

__all__ = ["dtype_abbrs"]

_SHORT = {"uint": "u", "int": "i", "float": "f", "complex": "c", "bfloat": "bf", "bits": "b"}


def _short(dtype):
    """`f8e5m2` for float8_e5m2: the kind's letters, and the rest without underscores."""
    kind, rest = re.fullmatch(r"torch\.([a-z]+?)(\d.*)", str(dtype).replace("rushlight", "torch")).groups()
    if kind == "bits":
        return f"b{rest if 'x' in rest else rest + 'x1'}"
    return _SHORT[kind] + rest.replace("_", "")


dtype_abbrs = {
    getattr(torch, name): _short(getattr(torch, name))
    for name in (
        "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex32", "complex64", "complex128", "bfloat16",
        "bits1x8", "bits2x4", "bits4x2", "bits8", "bits16", "float8_e5m2", "float8_e4m3fn", "float8_e5m2fnuz", "float8_e4m3fnuz", "uint16",
        "uint32", "uint64", "float8_e8m0fnu", "float4_e2m1fn_x2",
    )
} | {torch.bool: "b8"}  # fmt: skip
