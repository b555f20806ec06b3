"""Copies of a module on several devices."""

import copy

__all__ = ["replicate"]


def replicate(network, devices, detach=False):
    """A copy of a module for each device: raises where it has parameters or buffers, as there are no devices.

    Args:
        network: The module.
        devices: The devices.
        detach: Whether copies have no history.

    >>> import rushlight as torch
    >>> torch.nn.parallel.replicate(torch.nn.ReLU(), [0])
    [ReLU()]
    """
    if any(True for _ in (*network.parameters(), *network.buffers())):
        raise AssertionError("Broadcast function not implemented for CPU tensors")
    return [copy.deepcopy(network) for _ in devices]
