"""The graph: nodes, edges, hooks on what is saved."""

from typing import NamedTuple

from rushlight import core
from rushlight.core import Node

__all__ = [
    "GradientEdge",
    "Node",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "save_on_cpu",
    "saved_tensors_hooks",
]


class GradientEdge(NamedTuple):
    """One output of a node: where a gradient goes."""

    node: Node
    output_nr: int


def get_gradient_edge(tensor):
    """The edge to which the gradient of `tensor` goes."""
    return GradientEdge(*core.edge_pair(tensor))


class saved_tensors_hooks:
    """Inside, backward keeps `pack_hook(tensor)` instead of each saved tensor, and uses `unpack_hook` of it."""

    def __init__(self, pack_hook, unpack_hook):
        self.pack_hook, self.unpack_hook = pack_hook, unpack_hook

    def __enter__(self):
        core.push_saved_tensor_hooks(self.pack_hook, self.unpack_hook)

    def __exit__(self, *exception):
        core.pop_saved_tensor_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Saved tensors are copied (they are on the CPU already)."""

    def __init__(self, pin_memory=False, device_type="cuda"):
        super().__init__(lambda tensor: tensor.clone(), lambda packed: packed)


class disable_saved_tensors_hooks:
    """Inside, saved_tensors_hooks raises with `error_message`."""

    def __init__(self, error_message):
        self.error_message = error_message

    def __enter__(self):
        self.before = core.disable_saved_tensor_hooks(self.error_message)

    def __exit__(self, *exception):
        core.disable_saved_tensor_hooks(self.before)


def increment_version(tensor):
    """Says that `tensor` (or each of several) was written to behind autograd's back."""
    for one in (tensor,) if isinstance(tensor, core.Tensor) else tensor:
        core.mark_written(one)
