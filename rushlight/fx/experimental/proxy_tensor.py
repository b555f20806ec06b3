"""Graphs of what tensors compute, which Rushlight does not make: `torch.fx.symbolic_trace` makes graphs of programs."""

__all__ = ["get_proxy_mode", "make_fx"]


def get_proxy_mode():
    """None."""
    return None


def make_fx(f, *args, **kwargs):
    """Raises."""
    raise RuntimeError(
        "torch.fx.experimental.proxy_tensor.make_fx: Rushlight makes graphs of programs alone, by torch.fx.symbolic_trace"
    )
