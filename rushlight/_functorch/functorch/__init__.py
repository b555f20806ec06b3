"""The package `functorch`, which programs import beside `torch`."""

from rushlight._functorch import deprecated
from rushlight._functorch.deprecated import *
from rushlight._functorch.make_functional import FunctionalModule, FunctionalModuleWithBuffers
from rushlight.fx.experimental.proxy_tensor import make_fx

__all__ = ["make_fx", "FunctionalModule", "FunctionalModuleWithBuffers", *deprecated.__all__]
