"""What is not there, a device or a library: its functions in a table of signatures and of what each answers."""

import copy

__all__ = [
    "AcceleratorError", "Dummy", "OutOfMemoryError", "answering", "dummies", "per_channel_affine", "per_channel_affine_float_qparams",
    "per_channel_symmetric", "per_tensor_affine", "per_tensor_symmetric", "qscheme",
]  # fmt: skip


class OutOfMemoryError(RuntimeError):
    """A device has no memory left."""

    __module__ = "torch"


class AcceleratorError(RuntimeError):
    """A device reports an error."""

    __module__ = "torch"


class qscheme:
    """How a tensor would be quantized: none is."""

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


class Dummy:
    """Base of classes that stand for what a device would have: no object of them can be made."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError(f"Tried to instantiate dummy base class {self._dummy_name}")


def dummies(module, *names):
    """A class for each name, of which no object can be made."""
    return {
        name: type(name, (Dummy,), {"_dummy_name": name, "__module__": module, "__doc__": "Stands for what is not there."})
        for name in names
    }


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
        function.__doc__ = shown + ("" if shown.endswith(".") else ".")
    return made
