# Made by tools/make_stubs.py from the op table: change that, or the types in tools/stub_types.py.
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, overload

from rushlight.nn.modules.module import Module as Module
from rushlight.nn.parameter import Parameter
from rushlight.core import Tensor, _bool, _device, _dtype, _float, _int

class _NormBase(Module):
    affine: _bool
    bias: Parameter
    eps: _float
    momentum: _float
    num_batches_tracked: Tensor | None
    num_features: _int
    running_mean: Tensor | None
    running_var: Tensor | None
    track_running_stats: _bool
    weight: Parameter
    def __init__(self, num_features: _int, eps: _float = 1e-05, momentum: _float = 0.1, affine: _bool = True, track_running_stats: _bool = True, device: _device | str | _int | None = None, dtype: _dtype | None = None, bias: _bool = True) -> None: ...
    def reset_running_stats(self) -> None: ...
    def reset_parameters(self) -> None: ...
    def extra_repr(self) -> str: ...

class _BatchNorm(_NormBase):
    def forward(self, input: Tensor) -> Tensor: ...

class BatchNorm1d(_BatchNorm):
    ...

class BatchNorm2d(_BatchNorm):
    ...

class BatchNorm3d(_BatchNorm):
    ...


def __getattr__(name: str) -> Any: ...
