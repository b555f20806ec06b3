"""Names of `torch._C` that programs and pickles use; the modules of PyTorch's compiled part that they name lie beside this one."""

from rushlight import core as _core
from rushlight.core import Generator, Size, Tensor, device, dtype, layout, memory_format
from rushlight.core import Tensor as TensorBase
from rushlight.ops._declare import namespaces as _namespaces

_VariableFunctionsClass = type("_VariableFunctionsClass", (), dict(_namespaces["torch"]))
"""The class whose attributes the functions of `torch` are."""

_VariableFunctions = _VariableFunctionsClass
_TensorMeta = type(Tensor)
