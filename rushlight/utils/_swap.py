"""Two tensors that change places."""

import weakref

import rushlight as torch
from rushlight import core


def swap_tensors(t1, t2):
    """Swaps two tensors `t1` and `t2`, values, types and attributes: what has held one holds the other.

    >>> import rushlight as torch
    >>> a, b = torch.zeros(2), torch.ones(3)
    >>> torch.utils.swap_tensors(a, b)
    >>> a, b
    (tensor([1., 1., 1.]), tensor([0., 0.]))
    """
    with core.DisableTorchFunction():  # (the tensors themselves, whatever their classes say)
        for tensor, name in ((t1, "t1"), (t2, "t2")):
            if weakref.getweakrefs(tensor):
                raise RuntimeError(f"Cannot swap {name} because it has weakref associated with it")
        for tensor in (t1, t2):
            if tensor.grad_fn is not None:
                raise RuntimeError("Cannot swap a tensor that has a history")
        # (what is not in a tensor's own memory, as of a sparse one, stays with its class)
        if type(t1) is not type(t2) and not (t1.layout is t2.layout is torch.strided):
            raise RuntimeError(f"Cannot swap t1 and t2 if they have different layouts, got {t1.layout} and {t2.layout}")
        states = [(t.data, t.grad, t.requires_grad, dict(getattr(t, "__dict__", {}))) for t in (t1, t2)]
        if type(t1) is not type(t2) and not core.exchange_classes(t1, t2):
            raise RuntimeError("Cannot swap t1 and t2 if they have different slots")
        for tensor, (data, grad, requires_grad, attributes) in zip((t1, t2), reversed(states)):
            tensor.grad = None
            core.show_memory(tensor, data)
            tensor.requires_grad_(requires_grad)
            tensor.grad = grad
            if attributes or getattr(tensor, "__dict__", None):
                tensor.__dict__.clear()
                tensor.__dict__.update(attributes)
