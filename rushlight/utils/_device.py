"""A device as a context: tensors are made on it, where a program says nothing else."""

from rushlight.core import device as _device
from rushlight.overrides import TorchFunctionMode

__all__ = ["DeviceContext", "set_device"]

CURRENT_DEVICE = None
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
