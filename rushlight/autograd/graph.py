"""The graph: nodes, edges, hooks on what is saved."""

import threading
from typing import NamedTuple

from rushlight import core
from rushlight.core import Node, RemovableHandle

__all__ = [
    "GradientEdge",
    "Node",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
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


class MultiHandle(RemovableHandle):
    """Removes the hooks that one registration put on several tensors."""

    def __init__(self, handles):
        self.handles = tuple(handles)

    def remove(self):
        """Removes all of them."""
        for handle in self.handles:
            handle.remove()

    def __getstate__(self):
        return self.handles

    def __setstate__(self, state):
        self.handles = state


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Calls `fn` with the gradients of several tensors.

    Args:
        tensors: The tensors; those that a backward does not reach are passed over.
        fn: With mode "all", called once a backward, when all gradients are there, with a list (None for those not computed). With mode
            "any", called with the first gradient alone.
        mode: "all" or "any".
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    lock = threading.Lock()
    nodes = [core.edge_pair(tensor)[0] for tensor in tensors]
    if mode == "any":
        ran = set()

        def first(gradient):
            run = core.current_run()
            with lock:
                if run in ran:
                    return
                ran.clear()
                ran.add(run)
            fn(gradient)

        return MultiHandle(tensor.register_hook(first) for tensor in tensors)
    pending = {}

    def hook_of(place):
        def collect(gradient):
            run = core.current_run()
            with lock:
                if run not in pending:
                    pending[run] = [sum(map(core.current_run_reaches, nodes)), [None] * len(tensors)]
                state = pending[run]
                state[0] -= 1
                state[1][place] = gradient
                complete = state[0] == 0
                if complete:
                    del pending[run]
            if complete:
                fn(state[1])

        return collect

    return MultiHandle(tensor.register_hook(hook_of(place)) for place, tensor in enumerate(tensors))


class _unsafe_preserve_version_counter:
    """Inside, in-place writes to `tensors` do not count: for writes that are known not to matter to backward."""

    def __init__(self, tensors):
        self.tensors = (tensors,) if isinstance(tensors, core.Tensor) else tuple(tensors)
        self.versions = tuple(tensor._version for tensor in self.tensors)

    def __enter__(self):
        return None

    def __exit__(self, *exception):
        for tensor, version in zip(self.tensors, self.versions, strict=True):
            core.set_version(tensor, version)
