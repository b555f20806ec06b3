"""The names of all dtypes, from the narrowest kind to the widest."""

EARLY = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]

WIDE_UNSIGNED = ["uint16", "uint32", "uint64"]

FLOAT8 = ["float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"]

LATE = [*WIDE_UNSIGNED, "complex32", *FLOAT8]
"""Those that promote with few others, and that few ops compute with."""

NAMES = [*EARLY, *LATE]
