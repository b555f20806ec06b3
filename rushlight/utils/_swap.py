"""Two tensors that change places."""

import weakref

from rushlight import core


def swap_tensors(t1, t2):
    """Swaps two tensors `t1` and `t2`, values, types and attributes: what has held one holds the other.

    >>> import rushlight as torch
    >>> a, b = torch.zeros(2), torch.ones(3)
    >>> torch.utils.swap_tensors(a, b)
    >>> a, b
    (tensor([1., 1., 1.]), tensor([0., 0.]))
    """
    for tensor, name in ((t1, "t1"), (t2, "t2")):
        if weakref.getweakrefs(tensor):
            raise RuntimeError(f"Cannot swap {name} because it has weakref associated with it")
    for tensor in (t1, t2):
        if tensor.grad_fn is not None:
            raise RuntimeError("Cannot swap a tensor that has a history")
    if type(t1) is not type(t2):
        raise RuntimeError(f"Cannot swap t1 and t2 if they have different classes, got {type(t1)} and {type(t2)}")
    states = [(t.data, t.grad, t.requires_grad, dict(getattr(t, "__dict__", {}))) for t in (t1, t2)]
    for tensor, (data, grad, requires_grad, attributes) in zip((t1, t2), reversed(states)):
        tensor.grad = None
        core.show_memory(tensor, data)
        tensor.requires_grad_(requires_grad)
        tensor.grad = grad
        if attributes or getattr(tensor, "__dict__", None):
            tensor.__dict__.clear()
            tensor.__dict__.update(attributes)
