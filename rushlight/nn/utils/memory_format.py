"""The memory format of the weights of convolutions."""

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def _convert(module, memory_format, kinds):
    for each in module.modules():
        if any(kind.__name__ in kinds for kind in type(each).__mro__):
            each.weight.data = each.weight.detach().clone().contiguous(memory_format=memory_format)
    return module


def convert_conv2d_weight_memory_format(module, memory_format):
    """Lays out the weights of all 2-D convolutions of a `module`, transposed ones too, in a `memory_format`; returns the module.

    >>> import rushlight as torch
    >>> layer = torch.nn.Conv2d(4, 8, 3)
    >>> _ = torch.nn.utils.convert_conv2d_weight_memory_format(layer, torch.channels_last)
    >>> layer.weight.stride()
    (36, 1, 12, 4)
    """
    return _convert(module, memory_format, ("Conv2d", "ConvTranspose2d"))


def convert_conv3d_weight_memory_format(module, memory_format):
    """Lays out the weights of all 3-D convolutions of a `module`, transposed ones too, in a `memory_format`; returns the module.

    >>> import rushlight as torch
    >>> layer = torch.nn.Conv3d(4, 8, 3)
    >>> _ = torch.nn.utils.convert_conv3d_weight_memory_format(layer, torch.channels_last_3d)
    >>> layer.weight.stride()
    (108, 1, 36, 12, 4)
    """
    return _convert(module, memory_format, ("Conv3d", "ConvTranspose3d"))
