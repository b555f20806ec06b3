"""Neural networks: modules, the same as functions, and how parameters begin."""

from rushlight._late import late as _late

from . import functional, init, modules, utils
from .modules import *
from .modules.module import Module
from .modules.utils import factory_kwargs
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

_LATE = {
    **{name: f"rushlight.nn.{name}" for name in ("attention", "common_types", "grad", "parallel", "quantized")},
    "DataParallel": "rushlight.nn.parallel:DataParallel",
}
__getattr__ = _late(__name__, _LATE)
