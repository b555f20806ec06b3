"""A device as a context: tensors are made on it, where a program says nothing else."""

from rushlight import core
from rushlight.core import device as _device
from rushlight.overrides import TorchFunctionMode

__all__ = ["DeviceContext", "set_device"]

CURRENT_DEVICE = None
_entered: list = []  # contexts, the innermost last; None for one of the CPU where tensors are made there anyway
_default = None
MAKERS = frozenset(
    [
        "empty",
        "empty_strided",
        "empty_permuted",
        "ones",
        "arange",
        "bartlett_window",
        "blackman_window",
        "eye",
        "full",
        "fill",
        "hamming_window",
        "hann_window",
        "kaiser_window",
        "linspace",
        "logspace",
        "nested_tensor",
        "normal",
        "ones",
        "rand",
        "randn",
        "randint",
        "randperm",
        "range",
        "sparse_coo_tensor",
        "sparse_compressed_tensor",
        "sparse_csr_tensor",
        "sparse_csc_tensor",
        "sparse_bsr_tensor",
        "sparse_bsc_tensor",
        "tril_indices",
        "triu_indices",
        "zeros",
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
        "rand_like",
        "randn_like",
        "randint_like",
        "asarray",
        "tensor",
        "as_tensor",
        "scalar_tensor",
    ]
)


class DeviceContext(TorchFunctionMode):
    """A mode in which functions that make tensors get `device`, where a call does not say one."""

    def __init__(self, device):
        self.device = _device(device)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in MAKERS and kwargs.get("device") is None:
            kwargs["device"] = self.device
        return func(*args, **kwargs)


def set_device(device):
    """A decorator: the function runs in the context of a device."""

    def decorate(function):
        def wrapped(*args, **kwargs):
            with DeviceContext(device):
                return function(*args, **kwargs)

        return wrapped

    return decorate


def current():
    """The device on which tensors are made now, where it is not the CPU by default; else None."""
    for context in reversed(_entered):
        if context is not None:
            return context.device
    return _default and _default.device


def enter(device):
    """Makes tensors on `device`, until `leave`."""
    context = None if device.type == "cpu" and current() is None else DeviceContext(device)
    _entered.append(context)
    if context is not None:
        context.__enter__()


def leave():
    """Undoes the last `enter`."""
    context = _entered.pop()
    if context is not None:
        context.__exit__(None, None, None)


def set_default(device):
    """Makes tensors on `device` (None: the CPU) from now on."""
    global _default
    device = None if device is None else _device(device)
    if _default is not None:
        core.use_function_modes([mode for mode in core.function_modes() if mode is not _default])
    _default = None if device is None or device.type == "cpu" else DeviceContext(device)
    if _default is not None:
        core.use_function_modes([_default, *core.function_modes()])
        core.ask_subclasses()
