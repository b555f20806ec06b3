"""Graphs of what tensors compute, which Rushlight does not make: `torch.fx.symbolic_trace` makes graphs of programs."""

__all__ = ["get_proxy_mode", "make_fx"]


def get_proxy_mode():
    """None.

    >>> import rushlight as torch
    >>> import rushlight.fx.experimental.proxy_tensor
    >>> torch.fx.experimental.proxy_tensor.get_proxy_mode()
    """
    return None


def make_fx(f, *args, **kwargs):
    """Raises.

    Args:
        f: A function.

    >>> import rushlight as torch
    >>> from rushlight.fx.experimental.proxy_tensor import make_fx
    >>> make_fx(torch.sin)
    Traceback (most recent call last):
        ...
    RuntimeError: torch.fx.experimental.proxy_tensor.make_fx: Rushlight makes graphs of programs alone, by torch.fx.symbolic_trace
    """
    raise RuntimeError(
        "torch.fx.experimental.proxy_tensor.make_fx: Rushlight makes graphs of programs alone, by torch.fx.symbolic_trace"
    )
