"""The package `functorch`, which programs import beside `torch`."""

from rushlight._functorch import deprecated
from rushlight._functorch.deprecated import *
from rushlight._functorch.make_functional import FunctionalModule, FunctionalModuleWithBuffers

__all__ = ["FunctionalModule", "FunctionalModuleWithBuffers", *deprecated.__all__]
