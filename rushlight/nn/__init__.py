"""Neural networks: modules, the same as functions, and how parameters begin."""

from . import functional, init, modules, utils
from .modules import *
from .modules.module import Module
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter
from rushlight._late import late as _late

__getattr__ = _late(__name__, {"grad": "rushlight.nn.grad"})
