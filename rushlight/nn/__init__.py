"""Neural networks: modules, the same as functions, and how parameters begin."""

from . import functional, init, modules, utils  # noqa: F401
from .modules import *
from .modules.module import Module  # noqa: F401
from .parameter import Buffer, Parameter  # noqa: F401
