# Made by tools/make_stubs.py from the op table: change that, or the types in tools/stub_types.py.
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, overload

from rushlight.nn.modules.module import Module as Module
from rushlight.core import Tensor, _bool, _float, _int

class CosineSimilarity(Module):
    dim: _int | str
    eps: _float
    def __init__(self, dim: _int | str = 1, eps: _float = 1e-08) -> None: ...
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor: ...

class PairwiseDistance(Module):
    eps: _float
    keepdim: _bool
    norm: _float
    def __init__(self, p: _float = 2.0, eps: _float = 1e-06, keepdim: _bool = False) -> None: ...
    def forward(self, x1: Tensor, x2: Tensor) -> Tensor: ...


def __getattr__(name: str) -> Any: ...
