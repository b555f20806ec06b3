# Made by tools/make_stubs.py from the op table: change that, or the types in tools/stub_types.py.
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self, overload

from rushlight.nn.modules.module import Module as Module
from rushlight.nn.parameter import Parameter
from rushlight.core import Tensor, _bool, _device, _dtype, _float, _int

class Embedding(Module):
    embedding_dim: _int
    max_norm: _float | None
    norm_type: _float
    num_embeddings: _int
    padding_idx: _int | None
    scale_grad_by_freq: _bool
    sparse: _bool
    weight: Parameter
    def __init__(self, num_embeddings: _int, embedding_dim: _int, padding_idx: _int | None = None, max_norm: _float | None = None, norm_type: _float = 2.0, scale_grad_by_freq: _bool = False, sparse: _bool = False, _weight: Any = None, _freeze: _bool = False, device: _device | str | _int | None = None, dtype: _dtype | None = None) -> None: ...
    def reset_parameters(self) -> None: ...
    def forward(self, input: Tensor) -> Tensor: ...
    def extra_repr(self) -> str: ...
    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: _bool = True, padding_idx: _int | None = None, max_norm: _float | None = None, norm_type: _float = 2.0, scale_grad_by_freq: _bool = False, sparse: _bool = False) -> Self: ...


def __getattr__(name: str) -> Any: ...
