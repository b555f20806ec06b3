"""What registering a hook returns, and what keeps hooks: plain Python that the core imports."""

import weakref
from collections import OrderedDict

new_hooks = OrderedDict


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away again; also a context manager that does so at its end.

    Args:
        hooks_dict: Where the hooks are.
        extra_dict: Another dictionary to take it out of, or several.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with x.register_hook(lambda g: g * 2): x.sum().backward()
    >>> x.grad
    tensor([2., 2.])
    """

    next_id = 0
    __module__ = "rushlight.utils.hooks"

    def __init__(self, hooks_dict, *, extra_dict=None) -> None:
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1
        extras = [] if extra_dict is None else extra_dict if isinstance(extra_dict, (list, tuple)) else [extra_dict]
        self.extra_dict_ref = tuple([weakref.ref(d) for d in extras])

    def remove(self) -> None:
        """Removes the hook (once; again does nothing)."""
        for reference in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = reference()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        return (
            (self.hooks_dict_ref(), self.id)
            if not self.extra_dict_ref
            else (self.hooks_dict_ref(), self.id, tuple([r() for r in self.extra_dict_ref]))
        )

    def __setstate__(self, state):
        self.hooks_dict_ref = weakref.ref(OrderedDict() if state[0] is None else state[0])
        self.id = state[1]
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)
        self.extra_dict_ref = () if len(state) < 3 else tuple([weakref.ref(OrderedDict() if d is None else d) for d in state[2]])

    def __enter__(self) -> "RemovableHandle":
        return self

    def __exit__(self, *exc) -> None:
        self.remove()


def added_hook(hooks, hook):
    """The handle of a hook that is added to those that are kept."""
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle
