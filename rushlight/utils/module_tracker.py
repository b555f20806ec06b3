"""Which modules are running, forward or backward."""

import weakref

from rushlight._C import _current_graph_task_id
from rushlight.autograd import Variable
from rushlight.autograd.graph import register_multi_grad_hook
from rushlight.core import Tensor
from rushlight.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from rushlight.utils._pytree import tree_leaves

__all__ = ["ModuleTracker"]


class ModuleTracker:
    """A context in which `parents` has the names of the modules that are running, forward or backward, and "Global".

    A module that is called first is named after its class, what is in it by its place there.

    >>> import rushlight as torch
    >>> from rushlight.utils.module_tracker import ModuleTracker
    >>> class Shown(torch.nn.Module):
    ...     def forward(self, x):
    ...         print(sorted(tracker.parents))
    ...         return x
    >>> with ModuleTracker() as tracker:
    ...     y = torch.nn.Sequential(Shown())(torch.ones(1))
    ['Global', 'Sequential', 'Sequential.0']
    """

    def __init__(self):
        self.parents = {"Global"}
        self._names = weakref.WeakKeyDictionary()
        self._walked = weakref.WeakSet()
        self._hooks = []
        self._will_forget = False

    @property
    def is_bw(self):
        """Whether a backward is running."""
        return _current_graph_task_id() != -1

    def _name_of(self, module):
        name = self._names.setdefault(module, type(module).__name__)
        if module not in self._walked:
            for inner_name, inner in module.named_children():
                self._names[inner] = f"{name}.{inner_name}"
                self._name_of(inner)
            self._walked.add(module)
        return name

    def _forget_after_backward(self):
        """What is left of a backward that ended inside a module is forgotten with it."""

        def forget():
            self.parents = {"Global"}
            self._will_forget = False

        if not self._will_forget:
            Variable._execution_engine.queue_callback(forget)
            self._will_forget = True

    def _enter_backward(self, name):
        self._forget_after_backward()
        self.parents.add(name)

    def _on_gradients(self, values, do):
        tensors = [value for value in tree_leaves(values) if isinstance(value, Tensor) and value.requires_grad]
        if tensors:
            self._hooks.append(register_multi_grad_hook(tensors, do))

    def _before(self, module, args):
        name = self._name_of(module)
        self.parents.add(name)
        self._on_gradients(args, lambda _: self.parents.discard(name))

    def _after(self, module, args, output):
        name = self._name_of(module)
        self.parents.discard(name)
        self._on_gradients(output, lambda _: self._enter_backward(name))

    def __enter__(self):
        self._handles = [register_module_forward_pre_hook(self._before), register_module_forward_hook(self._after)]
        return self

    def __exit__(self, *exc):
        for handle in (*self._handles, *self._hooks):
            handle.remove()
        self._hooks.clear()
