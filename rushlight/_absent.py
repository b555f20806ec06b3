"""What is not there, a device or a library: its functions in a table of signatures and of what each answers."""

import contextlib
import copy
import sys

from rushlight import _absent_words
from rushlight.core import dtype, get_default_dtype, layout

__all__ = [
    "AcceleratorError", "Dummy", "OutOfMemoryError", "answering", "dtypes", "dummies", "no_range", "per_channel_affine",
    "per_channel_affine_float_qparams", "per_channel_symmetric", "per_tensor_affine", "per_tensor_symmetric", "qscheme",
]  # fmt: skip


class OutOfMemoryError(RuntimeError):
    """A device has no memory left.

    >>> import rushlight as torch
    >>> issubclass(torch.OutOfMemoryError, RuntimeError)
    True
    >>> torch.cuda.OutOfMemoryError is torch.OutOfMemoryError
    True
    """

    __module__ = "torch"


class AcceleratorError(RuntimeError):
    """A device reports an error.

    >>> import rushlight as torch
    >>> issubclass(torch.AcceleratorError, RuntimeError)
    True
    """

    __module__ = "torch"


class qscheme:
    """How a tensor would be quantized: none is.

    >>> import rushlight as torch
    >>> torch.per_tensor_affine
    torch.per_tensor_affine
    >>> isinstance(torch.per_tensor_affine, torch.qscheme)
    True
    """

    __module__ = "torch"

    def __new__(cls):
        raise TypeError("cannot create 'torch.qscheme' instances")

    def __repr__(self):
        return f"torch.{self._name}"

    def __reduce__(self):
        return self._name


def _scheme(name):
    made = object.__new__(qscheme)
    made._name = name
    return made


per_channel_affine = _scheme("per_channel_affine")
per_channel_affine_float_qparams = _scheme("per_channel_affine_float_qparams")
per_channel_symmetric = _scheme("per_channel_symmetric")
per_tensor_affine = _scheme("per_tensor_affine")
per_tensor_symmetric = _scheme("per_tensor_symmetric")


class _NamedDtype:
    """A dtype in name alone: programs have it as a key and compare with it, and no tensor can be of it."""

    is_floating_point = is_complex = False
    __class__ = property(lambda self: dtype)  # (so that it is an instance)

    def __init__(self, name, itemsize, is_signed):
        self.name, self.itemsize, self._is_signed = name, itemsize, is_signed

    @property
    def is_signed(self):
        """Whether its numbers have a sign; RuntimeError where that is not said."""
        if isinstance(self._is_signed, str):
            raise RuntimeError(self._is_signed)
        return self._is_signed

    def to_real(self):
        """The dtype itself."""
        return self

    def __repr__(self):
        return f"torch.{self.name}"

    def __reduce__(self):
        return self.name


def _named_dtypes():
    quantized = {"qint8": 1, "qint32": 4, "quint8": 1, "quint2x4": 1, "quint4x2": 1}
    bits = {"bits1x8": 1, "bits2x4": 1, "bits4x2": 1, "bits8": 1, "bits16": 2}
    rows = [(name, size, "isSignedType not supported for quantized types") for name, size in quantized.items()]
    rows += [(name, size, "Bits types are undefined") for name, size in bits.items()]
    rows += [(f"{kind}{width}", 1, kind == "int") for width in range(1, 8) for kind in ("int", "uint")]
    rows.append(("float4_e2m1fn_x2", 1, True))
    # (Errors say "must be torch.dtype, not qint8".)
    found = {
        name: type(name, (_NamedDtype,), {"__module__": property(lambda self: get_default_dtype().__module__)})(name, *facts)
        for name, *facts in rows
    }
    found["float4_e2m1fn_x2"].is_floating_point = True
    return found | {"bit": found["uint1"]}


_mkldnn = layout("_mkldnn")  # type: ignore[call-arg]

dtypes = _named_dtypes()
"""The dtypes of PyTorch that Rushlight has no numbers of: quantized ones, bits, and whole numbers of a few bits."""
globals().update(dtypes)


class Dummy:
    """Base of classes that stand for what a device would have: no object of them can be made."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError(f"Tried to instantiate dummy base class {self._dummy_name}")


def dummies(module, *names):
    """A class for each name, of which no object can be made."""
    made = {}
    for name in names:
        error = RuntimeError(f"Tried to instantiate dummy base class {name}")
        doc = _absent_words.of_class(module, name, error) or "Stands for what is not there."
        made[name] = type(name, (Dummy,), {"_dummy_name": name, "__module__": module, "__doc__": doc})
    return made


def __getattr__(name):
    """The types of TorchScript, which programs name in annotations."""
    if name not in sys.modules["rushlight"]._SCRIPT_TYPES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = dummies("torch", name)[name]
    made.__doc__ = _absent_words.of_script_type(name)
    return globals().setdefault(name, made)


def _answered(answer):
    if isinstance(answer, BaseException):
        raise type(answer)(*answer.args)
    if isinstance(answer, (dict, list)):
        return copy.copy(answer)
    return answer


def answering(module, table):
    """A function for each signature, such as `"get_device_name(device=None)"`: it raises its answer where that is an error, or returns it."""
    made: dict = {}
    for signature, answer in table.items():
        name = signature.partition("(")[0]
        names = {"_answered": _answered, "_answer": answer, "__name__": module}
        exec(f"def {signature}:\n return _answered(_answer)", names)
        function = made[name] = names[name]
        shown = f"Raises {type(answer).__name__}: {answer}" if isinstance(answer, BaseException) else f"{answer!r}."
        words = None if name[0] == "_" else _absent_words.of_function(module, signature, answer)
        function.__doc__ = words or shown + ("" if shown.endswith(".") else ".")
    return made


def no_range(module, error):
    """The function `range` of a profiler that is not there."""

    @contextlib.contextmanager
    def range(msg, *args, **kwargs):
        _answered(error)
        yield

    range.__module__, range.__qualname__ = module, "range"
    range.__doc__ = f"""A range around a block; raises when it is entered.

    Args:
        msg: The name of the range; further arguments are put into it, as `str.format` does.

    >>> import rushlight as torch
    >>> with {module.replace("rushlight", "torch")}.range("forward"): pass
    Traceback (most recent call last):
        ...
    RuntimeError: {error}
    """
    return range
