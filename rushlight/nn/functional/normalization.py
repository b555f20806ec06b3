"""Normalization of activations, and of vectors to length one."""

import rushlight as torch
from rushlight.core import Parser
from rushlight.ops import layers

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "normalize", "rms_norm"]


def _verify_batch_size(size):
    count = size[0]
    for extent in size[2:]:
        count *= extent
    if count == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {size}")


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-05):
    """Normalizes each channel over the batch (Ioffe and Szegedy, 2015).

    Shapes: input (N, C, *); all others (C). In training the statistics are the batch's, and the running ones move towards
    them by `momentum`; otherwise the running ones are used.
    """
    if eps <= 0 and training:
        raise ValueError(f"batch_norm eps must be positive during training, but got {eps}")
    if eps < 0:
        raise ValueError(f"batch_norm eps must be non-negative, but got {eps}")
    if training:
        if input.dim() < 2 or input.numel() == input.shape[1]:
            _verify_batch_size(input.size())
        if (running_mean is None) != (running_var is None):
            raise ValueError("running_mean and running_var must either both be None or neither be None")
    return layers.batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, True)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05):
    """Normalizes over the last dimensions, which have the sizes `normalized_shape` (Ba et al., 2016).

    >>> import rushlight as torch
    >>> torch.nn.functional.layer_norm(torch.tensor([-1.0, 1.0]), (2,), eps=0.0)
    tensor([-1.,  1.])
    """
    return layers.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """Divides by the root of the mean square over the last dimensions (Zhang and Sennrich, 2019)."""
    return layers.rms_norm(input, normalized_shape, weight, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    """Normalizes each of `num_groups` groups of channels of each sample (Wu and He, 2018). Shapes: input (N, C, *)."""
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    if num_groups == 0 or input.numel() < 2 * abs(num_groups):  # (more have more than one value)
        shape = input.size()
        _verify_batch_size([shape[0] * shape[1] // num_groups, num_groups, *shape[2:]])
    return layers.group_norm(input, num_groups, weight, bias, eps)


check_instance_norm = Parser(
    "instance_norm",
    "Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps",
)


def instance_norm(
    input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-05
):
    """Normalizes each channel of each sample (Ulyanov et al., 2016). Shapes: input (N, C, *); all others (C).

    The running statistics, where given, move towards the mean of the samples' by `momentum`; without `use_input_stats` they are used.

    >>> import rushlight as torch
    >>> torch.nn.functional.instance_norm(torch.tensor([[[-1.0, 1.0]]]), eps=0.0)
    tensor([[[-1.,  1.]]])
    """
    shape = input.size()
    if use_input_stats:
        count = 1
        for extent in shape[2:]:
            count *= extent
        if count == 1:
            raise ValueError(f"Expected more than 1 spatial element when training, got input size {shape}")
    elif running_mean is None or running_var is None:
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    check_instance_norm(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps)
    samples, channels = shape[0], shape[1]
    # Every sample's channels are channels of one large sample.
    rows = [None if given is None else given.repeat(samples) for given in (running_mean, running_var, weight, bias)]
    mean, var = (given if given is None or given.dtype.itemsize < 8 else given.to(input.dtype) for given in rows[:2])
    scale, shift = rows[2:]
    flat = input.contiguous().view(1, samples * channels, *shape[2:])
    made = layers.batch_norm(flat, scale, shift, mean, var, use_input_stats, momentum, eps, True)
    if use_input_stats:
        for kept, updated in ((running_mean, mean), (running_var, var)):
            if kept is not None:
                kept.copy_(updated.view(samples, channels).mean(0))
    return made.view(shape)


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """Divides by (k + alpha · the mean square of `size` neighbouring channels) ** beta (Krizhevsky et al., 2012). Shapes: (N, C, *)."""
    if input.dim() < 3:
        raise ValueError(f"Expected 3D or higher dimensionality                          input (got {input.dim()} dimensions)")
    if input.numel() == 0:
        return input
    squares, around = input.mul(input), (size // 2, (size - 1) // 2)
    if input.dim() == 3:
        squares = torch.nn.functional.pad(squares.unsqueeze(1), (0, 0, *around))
        mean = layers.avg_pool2d(squares, (size, 1), stride=1).squeeze(1)
    else:
        shape = input.size()
        squares = squares.view(shape[0], 1, shape[1], shape[2], -1)
        squares = torch.nn.functional.pad(squares, (0, 0, 0, 0, *around))
        mean = layers.avg_pool3d(squares, (size, 1, 1), stride=1).squeeze(1).view(shape)
    return input / mean.mul(alpha).add(k).pow(beta)


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """Divides by the p-norm over `dim`, or by `eps` where the norm is smaller.

    >>> import rushlight as torch
    >>> torch.nn.functional.normalize(torch.tensor([3.0, 4.0]), dim=0)
    tensor([0.6000, 0.8000])
    """
    norm = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / norm if out is None else torch.div(input, norm, out=out)
