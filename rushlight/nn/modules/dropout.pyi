# Made by tools/make_stubs.py from the op table: change that, or the types in tools/stub_types.py.
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, overload

from rushlight.nn.modules.module import Module as Module
from rushlight.core import Tensor, _bool, _float

class _DropoutNd(Module):
    inplace: _bool
    p: _float
    def __init__(self, p: _float = 0.5, inplace: _bool = False) -> None: ...
    def extra_repr(self) -> str: ...

class Dropout(_DropoutNd):
    def forward(self, input: Tensor) -> Tensor: ...

class Dropout1d(_DropoutNd):
    def forward(self, input: Tensor) -> Tensor: ...

class Dropout2d(_DropoutNd):
    def forward(self, input: Tensor) -> Tensor: ...

class Dropout3d(_DropoutNd):
    def forward(self, input: Tensor) -> Tensor: ...

class AlphaDropout(_DropoutNd):
    def forward(self, input: Tensor) -> Tensor: ...

class FeatureAlphaDropout(_DropoutNd):
    def forward(self, input: Tensor) -> Tensor: ...


def __getattr__(name: str) -> Any: ...
