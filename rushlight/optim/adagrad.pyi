# Made by tools/make_stubs.py from the op table: change that, or the types in tools/stub_types.py.
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, overload

from rushlight.optim.optimizer import Optimizer as Optimizer
from rushlight.optim.optimizer import ParamsT
from rushlight.core import Tensor, _bool, _float

class Adagrad(Optimizer):
    def __init__(self, params: ParamsT, lr: _float | Tensor = 0.01, lr_decay: _float = 0, weight_decay: _float = 0, initial_accumulator_value: _float = 0, eps: _float = 1e-10, foreach: _bool | None = None, *, maximize: _bool = False, differentiable: _bool = False, fused: _bool | None = None) -> None: ...
    def share_memory(self) -> Any: ...
    def step(self, closure: Callable[[], Any] | None = None) -> Any: ...


def __getattr__(name: str) -> Any: ...
