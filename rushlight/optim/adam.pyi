# Made by tools/make_stubs.py from the op table: change that, or the types in tools/stub_types.py.
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, overload

from rushlight.optim.optimizer import Optimizer as Optimizer
from rushlight.optim.optimizer import ParamsT
from rushlight.core import Tensor, _bool, _float

class Adam(Optimizer):
    def __init__(self, params: ParamsT, lr: _float | Tensor = 0.001, betas: tuple[_float | Tensor, _float | Tensor] = (0.9, 0.999), eps: _float = 1e-08, weight_decay: _float = 0, amsgrad: _bool = False, *, foreach: _bool | None = None, maximize: _bool = False, capturable: _bool = False, differentiable: _bool = False, fused: _bool | None = None, decoupled_weight_decay: _bool = False) -> None: ...
    def step(self, closure: Callable[[], Any] | None = None) -> Any: ...


def __getattr__(name: str) -> Any: ...
