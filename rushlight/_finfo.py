"""The limits of the number formats: `finfo` and `iinfo`."""

import math

import rushlight as torch
from rushlight import core

__all__ = ["finfo", "iinfo"]

# By dtype: bits, bits of the significand without the leading one, the largest exponent, decimal digits that survive.
_FORMATS = {
    "float16": (16, 10, 15, 3),
    "bfloat16": (16, 7, 127, 2),
    "float32": (32, 23, 127, 6),
    "float64": (64, 52, 1023, 15),
}
_REAL_OF = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}


def _name(kind: str, dtype) -> str:
    found = core.dtype_of(dtype)
    if found is None:
        raise TypeError(f"{kind}(): argument 'type' (position 1) must be torch.dtype, not {type(dtype).__name__}")
    return found.name


class _Limits:
    """Limits of one dtype: read only, and equal where the dtypes are."""

    __slots__ = ("_values",)
    _shown: tuple[str, ...] = ()

    def __init__(self, **values) -> None:
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str):
        if name in type(self).__slots__ or name.startswith("__") or name not in self._values:
            raise AttributeError(f"'torch.{type(self).__name__}' object has no attribute '{name}'")
        return self._values[name]

    def __setattr__(self, name: str, value) -> None:
        if name in self._values:
            raise AttributeError(f"attribute '{name}' of 'torch.{type(self).__name__}' objects is not writable")
        raise AttributeError(f"'torch.{type(self).__name__}' object has no attribute '{name}'")

    def __dir__(self):
        return [*super().__dir__(), *self._values]

    def __eq__(self, other) -> bool:
        return type(self) is type(other) and self.dtype == other.dtype

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol):
        raise TypeError(f"cannot pickle 'torch.{type(self).__name__}' object")

    def __repr__(self) -> str:
        numbers = [f"{name}={self._values[name]:g}" for name in self._shown]
        return f"{type(self).__name__}({', '.join(numbers)}, dtype={self.dtype})"


class finfo(_Limits):
    """Limits of a floating point dtype, or of the parts of a complex one; of the default dtype where none is given.

    Attributes: bits, eps (the gap after 1), max, min, smallest_normal, tiny (the same), resolution, dtype (a text).
    """

    __slots__ = ()
    _shown = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")

    def __init__(self, type=...) -> None:
        name = _name("finfo", torch.get_default_dtype() if type is ... else type)
        name = _REAL_OF.get(name, name)
        if name not in _FORMATS:
            raise TypeError("torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'")
        bits, fraction, exponent, digits = _FORMATS[name]
        largest = math.ldexp(2.0 - math.ldexp(1.0, -fraction), exponent)
        smallest = math.ldexp(1.0, 1 - exponent)
        super().__init__(
            bits=bits,
            eps=math.ldexp(1.0, -fraction),
            max=largest,
            min=-largest,
            smallest_normal=smallest,
            tiny=smallest,
            resolution=float(f"1e-{digits}"),
            dtype=name,
        )


class iinfo(_Limits):
    """Limits of an integer dtype. Attributes: bits, max, min, dtype (a text)."""

    __slots__ = ()
    _shown = ("min", "max")

    def __init__(self, type) -> None:
        name = _name("iinfo", type)
        if name == "bool":
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if "int" not in name:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        bits = int(name.removeprefix("u").removeprefix("int"))
        low, high = (0, 2**bits - 1) if name.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        super().__init__(bits=bits, max=high, min=low, dtype=name)


for _class in (finfo, iinfo):
    _class.__module__ = "torch"
