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
    """Raises: there are no devices.

    Args:
        module: The module.
        inputs: Its input, or a tuple.
        device_ids: The devices; None is all.
        output_device: The device of the result.
        dim: The dimension along which the batch is cut.
        module_kwargs: Its named arguments.

    >>> import rushlight as torch
    >>> torch.nn.parallel.data_parallel(torch.nn.Linear(2, 1), torch.ones(3, 2)).shape
    Traceback (most recent call last):
        ...
    RuntimeError: device type could not be determined
    """
    raise RuntimeError("device type could not be determined")
