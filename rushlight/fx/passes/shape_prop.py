"""Shapes, dtypes and layouts of the values in a graph."""

from typing import NamedTuple

import rushlight as torch
from rushlight.fx.interpreter import Interpreter
from rushlight.fx.node import map_aggregate

__all__ = ["ShapeProp", "TensorMetadata"]


class TensorMetadata(NamedTuple):
    """What is known of a tensor without its numbers.

    Args:
        shape, dtype, requires_grad, stride, memory_format: Those of the tensor.
        is_quantized, qparams: False, and nothing: no tensor is quantized.

    >>> import rushlight as torch
    >>> from rushlight.fx.passes.shape_prop import ShapeProp
    >>> module = torch.fx.symbolic_trace(torch.nn.ReLU())
    >>> ShapeProp(module).propagate(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    >>> list(module.graph.nodes)[0].meta["tensor_meta"].shape
    torch.Size([2, 3])
    """

    shape: torch.Size
    dtype: torch.dtype
    requires_grad: bool
    stride: "tuple[int, ...]"
    memory_format: "torch.memory_format | None"
    is_quantized: bool
    qparams: dict


def _extract_tensor_metadata(result, include_contiguity=True):
    """`TensorMetadata` of a tensor."""
    formats = (torch.contiguous_format, torch.channels_last, torch.channels_last_3d) if include_contiguity else ()
    ranks = {torch.channels_last: 4, torch.channels_last_3d: 5}
    fitting = [f for f in formats if ranks.get(f, result.ndim) == result.ndim and result.is_contiguous(memory_format=f)]
    return TensorMetadata(
        result.shape, result.dtype, result.requires_grad, result.stride(), fitting[0] if fitting else None, False, {}
    )


class ShapeProp(Interpreter):
    """Runs a module, and writes `meta["tensor_meta"]` and `meta["type"]` at each node.

    Args:
        gm: The module.
        fake_mode: Which is not looked at: tensors are real.

    >>> import rushlight as torch
    >>> module = torch.fx.symbolic_trace(lambda x: x.relu())
    >>> torch.fx.passes.shape_prop.ShapeProp(module).propagate(torch.ones(2, 3)).shape
    torch.Size([2, 3])
    >>> [node.meta["tensor_meta"].shape for node in module.graph.nodes][0]
    torch.Size([2, 3])
    """

    def __init__(self, gm, fake_mode=None):
        super().__init__(gm)

    def run_node(self, n):
        """What a node gives, which is looked at."""
        result = super().run_node(n)
        found = []

        def look(value):
            if isinstance(value, torch.Tensor):
                found.append(value)
                return _extract_tensor_metadata(value)
            return value

        meta = map_aggregate(result, look)
        if found:
            n.meta["tensor_meta"] = meta
        n.meta["type"] = type(result)
        return result

    def propagate(self, *args):
        """Runs the module with `args`; returns what it gives."""
        return super().run(*args)
