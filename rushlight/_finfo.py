"""The limits of the number formats: `finfo` and `iinfo`."""

import math

import rushlight as torch
from rushlight import core

__all__ = ["finfo", "iinfo"]


def _dtype(kind: str, given):
    found = core.dtype_of(given)
    if found is None:
        raise TypeError(f"{kind}(): argument 'type' (position 1) must be torch.dtype, not {type(given).__name__}")
    return found


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
    """Limits of a floating point dtype `type`, or of the parts of a complex one; of the default dtype where none is given.

    Attributes: bits, eps (the gap after 1), max, min, smallest_normal, tiny (the same), resolution, dtype (a text).

    >>> import rushlight as torch
    >>> torch.finfo(torch.bfloat16).eps, torch.finfo(torch.float16).max
    (0.0078125, 65504.0)
    """

    __slots__ = ()
    _shown = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")

    def __init__(self, type: object = ...) -> None:
        dtype = _dtype("finfo", torch.get_default_dtype() if type is ... else type)
        if not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError("torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'")
        dtype = dtype.to_real()
        digits, gap, least, smallest, largest = core.limits_of(dtype)
        super().__init__(
            bits=8 * dtype.itemsize,
            eps=gap,
            max=largest,
            min=smallest,
            smallest_normal=least,
            tiny=least,
            resolution=float(f"1e-{int((digits - 1) * math.log10(2))}"),
            dtype=dtype.name,
        )


class iinfo(_Limits):
    """Limits of an integer dtype `type`. Attributes: bits, max, min, dtype (a text).

    >>> import rushlight as torch
    >>> torch.iinfo(torch.int8)
    iinfo(min=-128, max=127, dtype=int8)
    """

    __slots__ = ()
    _shown = ("min", "max")

    def __init__(self, type: object = ...) -> None:
        if type is ...:
            raise TypeError('iinfo() missing 1 required positional arguments: "type"')
        dtype = _dtype("iinfo", type)
        if dtype.name == "bool":
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if dtype.is_floating_point or dtype.is_complex:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        *_, smallest, largest = core.limits_of(dtype)
        super().__init__(bits=8 * dtype.itemsize, max=largest, min=smallest, dtype=dtype.name)


for _class in (finfo, iinfo):
    _class.__module__ = "torch"
