"""Functions of autograd under their old names."""

from rushlight.autograd._functions import tensor, utils
from rushlight.autograd._functions.tensor import Resize, Type

__all__ = ["Resize", "Type", "tensor", "utils"]
