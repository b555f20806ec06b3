"""Modules whose parameters are not set."""

from rushlight.nn.modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls, *args, **kwargs):
    """A module whose parameters may have any values, made without drawing random numbers.

    Args:
        module_cls: Its class, which must know `device`.
        args, kwargs: What the class takes.

    Raises:
        RuntimeError: The class is no module, or knows no `device`.

    >>> import rushlight as torch
    >>> state = torch.get_rng_state()
    >>> layer = torch.nn.utils.skip_init(torch.nn.Linear, 3, 2)
    >>> torch.equal(torch.get_rng_state(), state)
    True
    """
    from inspect import signature

    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, **kwargs, device="meta").to_empty(device=device)
