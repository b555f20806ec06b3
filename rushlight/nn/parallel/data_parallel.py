"""A module whose batches would be spread over devices."""

from rushlight.nn.modules.module import Module

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """Calls the module, which is its child `module`: there are no devices to spread a batch over.

    Args:
        module: The module.
        device_ids, output_device, dim: Taken for other programs' sake: devices, and the dimension that is shared out among them.

    >>> import rushlight as torch
    >>> torch.nn.DataParallel(torch.nn.Linear(2, 3))(torch.zeros(4, 2)).shape
    torch.Size([4, 3])
    """

    def __init__(self, module, device_ids=None, output_device=None, dim=0):
        super().__init__()
        self.module = module
        self.device_ids = []

    def forward(self, *inputs, **kwargs):
        """What the module gives."""
        return self.module(*inputs, **kwargs)


def data_parallel(module, inputs, device_ids=None, output_device=None, dim=0, module_kwargs=None):
    """Raises: there are no devices."""
    raise RuntimeError("device type could not be determined")
