"""Pooling: the largest number, the mean or a norm of each window of positions; and back.

Inputs are (N, C, positions…) or (C, positions…). `kernel_size`, `stride` (by default the kernel's size), `padding` and `dilation` are a number for
each dimension, or one for all of them.
"""

import rushlight as torch
from rushlight.ops import layers

from ..modules.utils import _list_with_default, _pair, _single, _triple

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_with_indices",
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
    "max_unpool1d",
    "max_unpool2d",
    "max_unpool3d",
]


# ---- the largest number ---------------------------------------------------------------------------------------------------
def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest number of each window of the last dimension; with `return_indices` also where in its line it was.

    Shapes: (N, C, L) or (C, L). The other arguments are as in `max_pool2d`.

    >>> import rushlight as torch
    >>> torch.nn.functional.max_pool1d(torch.tensor([[1.0, 2.0, 9.0, 4.0, 5.0]]), 3, stride=2)
    tensor([[9., 9.]])
    """
    if return_indices:
        return max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return torch.max_pool1d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """`max_pool1d` with its indices, whatever `return_indices` is.

    >>> import rushlight as torch
    >>> torch.nn.functional.max_pool1d_with_indices(torch.tensor([[1.0, 2.0, 9.0, 4.0, 5.0]]), 3, stride=2)
    (tensor([[9., 9.]]), tensor([[2, 2]]))
    """
    return torch.max_pool1d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest number of each window of the last two dimensions. Shapes: (N, C, H, W) or (C, H, W).

    Args:
        kernel_size: How many positions a window has; as the next three one number, or one for each dimension.
        stride: How far windows are apart; by default `kernel_size`.
        padding: How many positions (that are never the largest) there are besides at each end; at most half of `kernel_size`.
        dilation: How far the positions of a window are apart.
        ceil_mode: Whether windows count that begin inside (or in the padding before) and end behind.
        return_indices: Whether the result is a pair, whose second part says where in its plane each number was.

    >>> import rushlight as torch
    >>> torch.nn.functional.max_pool2d(torch.arange(16.0).view(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    if return_indices:
        return max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return torch.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool2d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """`max_pool2d` with its indices, whatever `return_indices` is.

    >>> import rushlight as torch
    >>> torch.nn.functional.max_pool2d_with_indices(torch.arange(16.0).view(1, 4, 4), (2, 4))
    (tensor([[[ 7.],
             [15.]]]), tensor([[[ 7],
             [15]]]))
    """
    return layers.max_pool2d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """The largest number of each window of the last three dimensions; with `return_indices` also where in its volume it was.

    Shapes: (N, C, D, H, W) or (C, D, H, W). The other arguments are as in `max_pool2d`.

    >>> import rushlight as torch
    >>> torch.nn.functional.max_pool3d(torch.arange(16.0).view(1, 2, 2, 4), 2)
    tensor([[[[13., 15.]]]])
    """
    if return_indices:
        return max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
    return torch.max_pool3d(input, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool3d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """`max_pool3d` with its indices, whatever `return_indices` is.

    >>> import rushlight as torch
    >>> torch.nn.functional.max_pool3d_with_indices(torch.arange(16.0).view(1, 2, 2, 4), 2)
    (tensor([[[[13., 15.]]]]), tensor([[[[13, 15]]]]))
    """
    return layers.max_pool3d_with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """The largest of each of `output_size` windows that share out the last dimension; with `return_indices` also where it was.

    Window i is from i L / output_size, rounded down, to (i + 1) L / output_size, rounded up. Shapes: (N, C, L) or (C, L).

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_max_pool1d(torch.tensor([[5.0, 1.0, 2.0, 3.0, 4.0]]), 2)
    tensor([[5., 4.]])
    """
    made = adaptive_max_pool1d_with_indices(input, output_size)
    return made if return_indices else made[0]


def adaptive_max_pool1d_with_indices(input, output_size, return_indices=False):
    """`adaptive_max_pool1d` with its indices, whatever `return_indices` is.

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_max_pool1d_with_indices(torch.tensor([[5.0, 1.0, 2.0, 3.0, 4.0]]), 2)
    (tensor([[5., 4.]]), tensor([[0, 4]]))
    """
    return torch.adaptive_max_pool1d(input, output_size)


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """As `adaptive_max_pool1d`, over the last two dimensions; None in `output_size` keeps a dimension's size.

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_max_pool2d(torch.arange(16.0).view(1, 4, 4), (1, None))
    tensor([[[12., 13., 14., 15.]]])
    """
    made = adaptive_max_pool2d_with_indices(input, output_size)
    return made if return_indices else made[0]


def adaptive_max_pool2d_with_indices(input, output_size, return_indices=False):
    """`adaptive_max_pool2d` with its indices, whatever `return_indices` is.

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_max_pool2d_with_indices(torch.arange(16.0).view(1, 4, 4), 1)
    (tensor([[[15.]]]), tensor([[[15]]]))
    """
    return layers.adaptive_max_pool2d(input, _list_with_default(output_size, input.size()))


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """As `adaptive_max_pool1d`, over the last three dimensions; None in `output_size` keeps a dimension's size.

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_max_pool3d(torch.arange(16.0).view(1, 2, 2, 4), (1, 1, 2))
    tensor([[[[13., 15.]]]])
    """
    made = adaptive_max_pool3d_with_indices(input, output_size)
    return made if return_indices else made[0]


def adaptive_max_pool3d_with_indices(input, output_size, return_indices=False):
    """`adaptive_max_pool3d` with its indices, whatever `return_indices` is.

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_max_pool3d_with_indices(torch.arange(16.0).view(1, 2, 2, 4), 1)
    (tensor([[[[15.]]]]), tensor([[[[15]]]]))
    """
    return layers.adaptive_max_pool3d(input, _list_with_default(output_size, input.size()))


def _output_size(name, count, input, output_size, output_ratio):
    """The size that is asked for, or a part of the input's."""
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if output_size is not None:
        return output_size
    if count == 2 and len(output_ratio) > 2:
        raise ValueError(f"{name} requires output_ratio to either be a single Int or tuple of Ints.")
    ratios = (_pair if count == 2 else _triple)(output_ratio)
    return [int(input.size(d - count) * ratios[d]) for d in range(count)]


def _random_samples_for(input, count):
    samples = 1 if input.dim() == count + 1 else input.size(0)
    return torch.rand(samples, input.size(-count - 1), count, dtype=input.dtype, device=input.device)


def fractional_max_pool2d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
    """The largest number of each of `output_size` windows of `kernel_size` at random places (Graham, 2015).

    `output_ratio` gives the size as a part of the input's: two numbers between 0 and 1. With `return_indices` the result is a
    pair. Shapes: (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: Neither `output_size` nor `output_ratio` is given.

    >>> import rushlight as torch
    >>> torch.nn.functional.fractional_max_pool2d(torch.zeros(2, 3, 8, 9), 2, output_ratio=(0.5, 0.5)).shape
    torch.Size([2, 3, 4, 4])
    """
    made = fractional_max_pool2d_with_indices(input, kernel_size, output_size, output_ratio, return_indices, _random_samples)
    return made if return_indices else made[0]


def fractional_max_pool2d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """`fractional_max_pool2d` with its indices, whatever `return_indices` is.

    >>> import rushlight as torch
    >>> values, indices = torch.nn.functional.fractional_max_pool2d_with_indices(torch.zeros(3, 8, 8), 2, (5, 6))
    >>> indices.shape
    torch.Size([3, 5, 6])
    """
    size = _output_size("fractional_max_pool2d", 2, input, output_size, output_ratio)
    samples = _random_samples_for(input, 2) if _random_samples is None else _random_samples
    return layers.fractional_max_pool2d(input, kernel_size, size, samples)


def fractional_max_pool3d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
    """As `fractional_max_pool2d`, over the last three dimensions.

    >>> import rushlight as torch
    >>> torch.nn.functional.fractional_max_pool3d(torch.zeros(3, 8, 8, 8), 2, (4, 5, 6)).shape
    torch.Size([3, 4, 5, 6])
    """
    made = fractional_max_pool3d_with_indices(input, kernel_size, output_size, output_ratio, return_indices, _random_samples)
    return made if return_indices else made[0]


def fractional_max_pool3d_with_indices(
    input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None
):
    """`fractional_max_pool3d` with its indices, whatever `return_indices` is.

    >>> import rushlight as torch
    >>> values, indices = torch.nn.functional.fractional_max_pool3d_with_indices(torch.zeros(3, 8, 8, 8), 2, (4, 5, 6))
    >>> indices.shape
    torch.Size([3, 4, 5, 6])
    """
    size = _output_size("fractional_max_pool3d", 3, input, output_size, output_ratio)
    samples = _random_samples_for(input, 3) if _random_samples is None else _random_samples
    return layers.fractional_max_pool3d(input, kernel_size, size, samples)


# ---- and back -------------------------------------------------------------------------------------------------------------
def _unpooled_size(input, kernel_size, stride, padding, output_size):
    """The size before a pooling: `output_size` where it could be that, else the smallest that fits without a rest."""
    count = len(kernel_size)
    usual = [(input.shape[d - count] - 1) * stride[d] + kernel_size[d] - 2 * padding[d] for d in range(count)]
    size = usual
    if output_size is not None:
        size = output_size[2:] if len(output_size) == count + 2 else output_size
        if len(size) != count:
            raise ValueError(
                f"output_size should be a sequence containing {count} or {count + 2} elements, but it has a length of '{len(size)}'"
            )
        for d in range(count):
            low, high = usual[d] - stride[d], usual[d] + stride[d]
            if not low < size[d] < high:
                raise ValueError(f'invalid output_size "{size}" (dim {d} must be between {low} and {high})')
    for d in range(count):
        if not size[d] >= 0:  # (NaN, too)
            raise ValueError(
                f"max_unpooling: output_size must contain non-negative spatial dimensions, but got output_size[{d}]={size[d]}"
            )
    return size


def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Zeros, but for the numbers of `input` where `indices` (of `max_pool1d`) say that they were.

    `kernel_size`, `stride` and `padding` are those of the pooling. Several sizes are pooled to the same one:
    `output_size` says which it was.

    >>> import rushlight as torch
    >>> pooled, indices = torch.nn.functional.max_pool1d(torch.tensor([[1.0, 2.0, 4.0, 3.0]]), 2, return_indices=True)
    >>> torch.nn.functional.max_unpool1d(pooled, indices, 2)
    tensor([[0., 2., 4., 0.]])
    """
    kernel_size, padding = _single(kernel_size), _single(padding)
    stride = kernel_size if stride is None else _single(stride)
    size = _unpooled_size(input, kernel_size, stride, padding, output_size)
    return layers.max_unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), [*size, 1]).squeeze(-1)


def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """As `max_unpool1d`, in planes, for `max_pool2d`.

    >>> import rushlight as torch
    >>> pooled, indices = torch.nn.functional.max_pool2d(torch.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2, return_indices=True)
    >>> torch.nn.functional.max_unpool2d(pooled, indices, 2)
    tensor([[[0., 0.],
             [4., 0.]]])
    """
    kernel_size, padding = _pair(kernel_size), _pair(padding)
    stride = kernel_size if stride is None else _pair(stride)
    return layers.max_unpool2d(input, indices, _unpooled_size(input, kernel_size, stride, padding, output_size))


def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """As `max_unpool1d`, in volumes, for `max_pool3d`.

    >>> import rushlight as torch
    >>> x = torch.arange(8.0).view(1, 2, 2, 2)
    >>> pooled, indices = torch.nn.functional.max_pool3d(x, 2, return_indices=True)
    >>> torch.nn.functional.max_unpool3d(pooled, indices, 2).flatten()
    tensor([0., 0., 0., 0., 0., 0., 0., 7.])
    """
    kernel_size, padding = _triple(kernel_size), _triple(padding)
    stride = kernel_size if stride is None else _triple(stride)
    size = _unpooled_size(input, kernel_size, stride, padding, output_size)
    return layers.max_unpool3d(input, indices, size, stride, padding)


# ---- means and norms ------------------------------------------------------------------------------------------------------
def adaptive_avg_pool2d(input, output_size):
    """The mean of each of `output_size` windows that share out the last two dimensions; None keeps a dimension's size.

    Shapes: input (N, C, H, W) or (C, H, W). The windows are those of `adaptive_max_pool2d`.

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_avg_pool2d(torch.arange(16.0).view(1, 4, 4), (1, 2))
    tensor([[[6.5000, 8.5000]]])
    """
    return layers.adaptive_avg_pool2d(input, _list_with_default(output_size, input.size()))


def adaptive_avg_pool3d(input, output_size):
    """The mean of each of `output_size` windows that share out the last three dimensions; None keeps a dimension's size.

    Shapes: input (N, C, D, H, W) or (C, D, H, W).

    >>> import rushlight as torch
    >>> torch.nn.functional.adaptive_avg_pool3d(torch.arange(16.0).view(1, 2, 2, 4), (1, 1, 2))
    tensor([[[[6.5000, 8.5000]]]])
    """
    return layers.adaptive_avg_pool3d(input, _list_with_default(output_size, input.size()))


def _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, expanded, largest, mean):
    if isinstance(norm_type, int | float):
        if norm_type == float("inf"):
            return largest(input.abs(), kernel_size, stride, 0, 1, ceil_mode)
        if norm_type == -float("inf"):
            return -largest(-input.abs(), kernel_size, stride, 0, 1, ceil_mode)
    sizes = expanded(kernel_size)
    wanted = 2 if expanded is _pair else 3 if expanded is _triple else len(sizes)
    if len(sizes) != wanted:
        many = (
            "too many values to unpack (expected {})"
            if len(sizes) > wanted
            else "not enough values to unpack (expected {}, got {})"
        )
        raise ValueError(many.format(wanted, len(sizes)))
    count = 1
    for size in sizes:
        count *= size
    powers = input.pow(norm_type)
    made = (
        mean(powers, kernel_size, padding=0, ceil_mode=ceil_mode)
        if stride is None
        else mean(powers, kernel_size, stride, 0, ceil_mode)
    )
    return (torch.sign(made) * torch.relu(torch.abs(made))).mul(count).pow(1.0 / norm_type)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """(sum of xᵖ)^(1/p) over each window of the last dimension, where p is `norm_type`. Shapes: input (N, C, L) or (C, L).

    Args:
        norm_type: p; 1 is a sum, infinity the largest absolute number.
        kernel_size, stride: How many positions a window has, and how far windows are apart; by default the former.
        ceil_mode: Whether windows count that begin inside and end behind.

    >>> import rushlight as torch
    >>> torch.nn.functional.lp_pool1d(torch.tensor([[3.0, 4.0]]), 2, 2)
    tensor([[5.]])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, _single, max_pool1d, layers.avg_pool1d)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """As `lp_pool1d`, over windows of the last two dimensions; `kernel_size` and `stride` are a number, or a pair.

    >>> import rushlight as torch
    >>> torch.nn.functional.lp_pool2d(torch.arange(8.0).view(1, 2, 4), 1, 2)
    tensor([[[10., 18.]]])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, _pair, max_pool2d, layers.avg_pool2d)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """As `lp_pool1d`, over windows of the last three dimensions; `kernel_size` and `stride` are a number, or three.

    >>> import rushlight as torch
    >>> torch.nn.functional.lp_pool3d(torch.arange(16.0).view(1, 2, 2, 4), 1, 2)
    tensor([[[[52., 68.]]]])
    """
    return _lp_pool(input, norm_type, kernel_size, stride, ceil_mode, _triple, max_pool3d, layers.avg_pool3d)
