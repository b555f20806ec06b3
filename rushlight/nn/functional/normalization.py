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
    """(x - mean) / sqrt(var + eps) * weight + bias, with the statistics of each channel (Ioffe and Szegedy, 2015).

    Shapes: input (N, C, *); all others (C), or None.

    Args:
        running_mean, running_var: What mean and variance are, unless `training`: then they are the batch's, and these move
            towards them.
        weight, bias: What the normalized input is multiplied by, and what is added.
        momentum: How far they move: running = (1 - momentum) * running + momentum * batch's.
        eps: Added to the variance.

    Raises:
        ValueError: There is only one value per channel in training.

    >>> import rushlight as torch
    >>> mean, var = torch.zeros(1), torch.ones(1)
    >>> torch.nn.functional.batch_norm(torch.tensor([[1.0], [3.0]]), mean, var, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    >>> mean, var
    (tensor([0.2000]), tensor([1.1000]))
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
    """(x - mean) / sqrt(var + eps) * weight + bias, with the statistics of the last dimensions (Ba et al., 2016).

    Shapes: input (*, *normalized_shape); weight and bias normalized_shape, or None.

    >>> import rushlight as torch
    >>> torch.nn.functional.layer_norm(torch.tensor([[1.0, 3.0], [10.0, 0.0]]), (2,))
    tensor([[-1.0000,  1.0000],
            [ 1.0000, -1.0000]])
    """
    return layers.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """x / sqrt(mean(x²) + eps) * weight, with the mean over the last dimensions (Zhang and Sennrich, 2019).

    Shapes: input (*, *normalized_shape); weight normalized_shape, or None.
    `eps` is by default the smallest step from 1 in the input's dtype.

    >>> import rushlight as torch
    >>> torch.nn.functional.rms_norm(torch.tensor([3.0, 4.0]), (2,))
    tensor([0.8485, 1.1314])
    """
    return layers.rms_norm(input, normalized_shape, weight, eps)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    """(x - mean) / sqrt(var + eps) * weight + bias,
    with the statistics of each group of channels of each sample (Wu and He, 2018).

    Shapes: input (N, C, *), where `num_groups` divides C; weight and bias (C), or None.

    >>> import rushlight as torch
    >>> torch.nn.functional.group_norm(torch.tensor([[1.0, 3.0, 0.0, 50.0]]), 2)
    tensor([[-1.0000,  1.0000, -1.0000,  1.0000]])
    """
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
    """(x - mean) / sqrt(var + eps) * weight + bias, with the statistics of each channel of each sample (Ulyanov et al., 2016).

    Shapes: input (N, C, *); all others (C), or None. `running_mean` and `running_var`, where given, move by `momentum` towards
    the mean of the samples' statistics; without `use_input_stats` they are the statistics.

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
    """x / (k + alpha * m) ** beta, where m is the mean of x² over `size` neighbouring channels (Krizhevsky et al., 2012).

    Shapes: input (N, C, *), of three dimensions or more.

    >>> import rushlight as torch
    >>> torch.nn.functional.local_response_norm(torch.ones(1, 3, 1), 3, alpha=3.0, beta=1.0).flatten()
    tensor([0.3333, 0.2500, 0.3333])
    """
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
    """x / max(|x|, eps), with the p-norm over `dim`: vectors of length 1.

    Args:
        input: x, of any shape.
        p, dim: The norm's degree, and its dimension or dimensions.
        eps: What norms are at least, against division by zero.
        out: A tensor that takes the result.

    >>> import rushlight as torch
    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    norm = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / norm if out is None else torch.div(input, norm, out=out)
