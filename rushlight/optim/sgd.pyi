# Made by tools/make_stubs.py from the op table: change that, or the types in tools/stub_types.py.
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, overload

from rushlight.optim.optimizer import Optimizer as Optimizer
from rushlight.optim.optimizer import ParamsT
from rushlight.core import Tensor, _bool, _float

class SGD(Optimizer):
    def __init__(self, params: ParamsT, lr: _float | Tensor = 0.001, momentum: _float = 0, dampening: _float = 0, weight_decay: _float = 0, nesterov: _bool = False, *, maximize: _bool = False, foreach: _bool | None = None, differentiable: _bool = False, fused: _bool | None = None) -> None: ...
    def step(self, closure: Callable[[], Any] | None = None) -> Any: ...


def __getattr__(name: str) -> Any: ...
