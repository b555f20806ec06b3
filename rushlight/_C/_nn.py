"""Functions of `torch.nn.functional` under the names that PyTorch's pickles have; where that has a function of Python before one of C, the latter."""

from types import FunctionType

from rushlight.nn import functional as _functional
from rushlight.ops import layers as _layers


def __getattr__(name):
    found = vars(_functional).get(name)
    if found is None or type(found) is FunctionType:
        found = getattr(_layers, name, found)
    if found is None:
        raise AttributeError(f"module 'torch._C._nn' has no attribute '{name}'")
    return found


def _parse_to(*args, **kwargs):
    """The device, dtype, non_blocking and memory_format that arguments of `Module.to` name."""
    from rushlight import core
    from rushlight.nn.modules._convert import _parse_to as parsed

    handled = core.dispatch_torch_function(_parse_to, args, args, kwargs) if core.function_modes() else NotImplemented
    return parsed(args, kwargs) if handled is NotImplemented else handled
