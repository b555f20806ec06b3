# Made by tools/make_stubs.py from the op table: change that, or the types in tools/stub_types.py.
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, overload

from rushlight.optim._description import DescribedOptimizer as DescribedOptimizer
from rushlight.optim.optimizer import ParamsT
from rushlight.core import Tensor, _bool, _float, _int

class RMSprop(DescribedOptimizer):
    def __init__(self, params: ParamsT, lr: _float | Tensor = 0.01, alpha: _float = 0.99, eps: _float = 1e-08, weight_decay: _float = 0, momentum: _float = 0, centered: _bool = False, capturable: _bool = False, foreach: _bool | None = None, maximize: _bool = False, differentiable: _bool = False) -> None: ...
    def state_names(self, group: _int) -> Any: ...
    def update(self, param: Any, grad: Any, state: Any, *, lr: _float | Tensor, alpha: _float, eps: _float, weight_decay: _float, momentum: _float, centered: Any, differentiable: Any) -> None: ...


def __getattr__(name: str) -> Any: ...
