"""Pooling as modules: the largest number, the mean or a norm of each window, and back. Inputs are (N, C, positions…) or (C, positions…)."""

from .. import functional as F
from .module import Module
from .utils import _pair, _single, _triple

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _MaxPoolNd(Module):
    """The largest number of each window.

    Args:
        kernel_size: How many positions a window has; as the next three one number, or one for each dimension.
        stride: How far windows are apart; by default `kernel_size`.
        padding: How many positions (that are never the largest) there are besides at each end; at most half of `kernel_size`.
        dilation: How far the positions of a window are apart.
        return_indices: Whether the result is a pair, whose second part says where each number was (for `MaxUnpool1d` and its
            like).
        ceil_mode: Whether windows count that begin inside and end behind.
    """

    def __init__(self, kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def extra_repr(self):
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The largest number of each window of the last dimension.

    Shapes: (N, C, L) or (C, L), with L' = (L + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1,
    rounded down (up in `ceil_mode`).

    Args:
        kernel_size: How many positions a window has.
        stride: How far windows are apart; by default `kernel_size`.
        padding: How many positions (that are never the largest) there are besides at each end; at most half of `kernel_size`.
        dilation: How far the positions of a window are apart.
        return_indices: Whether the result is a pair, whose second part says where each number was (for `MaxUnpool1d`).
        ceil_mode: Whether windows count that begin inside and end behind.

    >>> import rushlight as torch
    >>> torch.nn.MaxPool1d(3, stride=2)(torch.tensor([[1.0, 2.0, 9.0, 4.0, 5.0]]))
    tensor([[9., 9.]])
    >>> torch.nn.MaxPool1d(3, stride=2)(torch.zeros(20, 16, 50)).shape
    torch.Size([20, 16, 24])
    """

    def forward(self, input):
        return F.max_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )


class MaxPool2d(_MaxPoolNd):
    """The largest number of each window of the last two dimensions: as `MaxPool1d`, whose arguments are here a number, or a pair.

    Shapes: (N, C, H, W) or (C, H, W), each size as L' of `MaxPool1d`.

    >>> import rushlight as torch
    >>> torch.nn.MaxPool2d(2)(torch.arange(16.0).view(1, 4, 4))
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    >>> torch.nn.MaxPool2d((3, 2), stride=(2, 1))(torch.zeros(20, 16, 50, 32)).shape
    torch.Size([20, 16, 24, 31])
    """

    def forward(self, input):
        return F.max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )


class MaxPool3d(_MaxPoolNd):
    """The largest number of each window of the last three dimensions:
    as `MaxPool1d`, whose arguments are here a number, or three.

    Shapes: (N, C, D, H, W) or (C, D, H, W), each size as L' of `MaxPool1d`.

    >>> import rushlight as torch
    >>> torch.nn.MaxPool3d(2)(torch.arange(16.0).view(1, 2, 2, 4))
    tensor([[[[13., 15.]]]])
    """

    def forward(self, input):
        return F.max_pool3d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )


class _MaxUnpoolNd(Module):
    """Puts what was pooled back to its place.

    Args:
        kernel_size, stride, padding: Those of the pooling.
    """

    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size = self._tuple(kernel_size)
        self.stride = self._tuple(kernel_size if stride is None else stride)
        self.padding = self._tuple(padding)

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts the results of `MaxPool1d` back where its indices say that they were, among zeros.

    Several sizes are pooled to the same one: the third argument of the call says which it was.

    >>> import rushlight as torch
    >>> pooled, indices = torch.nn.MaxPool1d(2, return_indices=True)(torch.tensor([[1.0, 2.0, 4.0, 3.0]]))
    >>> torch.nn.MaxUnpool1d(2)(pooled, indices)
    tensor([[0., 2., 4., 0.]])
    """

    _tuple = staticmethod(_single)

    def forward(self, input, indices, output_size=None):
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpoolNd):
    """As `MaxUnpool1d`, for `MaxPool2d`: (N, C, H, W) or (C, H, W).

    Args:
        kernel_size, stride, padding: Those of the pooling.

    >>> import rushlight as torch
    >>> pooled, indices = torch.nn.MaxPool2d(2, return_indices=True)(torch.tensor([[[1.0, 2.0], [4.0, 3.0]]]))
    >>> torch.nn.MaxUnpool2d(2)(pooled, indices)
    tensor([[[0., 0.],
             [4., 0.]]])
    """

    _tuple = staticmethod(_pair)

    def forward(self, input, indices, output_size=None):
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpoolNd):
    """As `MaxUnpool1d`, for `MaxPool3d`: (N, C, D, H, W) or (C, D, H, W).

    Args:
        kernel_size, stride, padding: Those of the pooling.

    >>> import rushlight as torch
    >>> pooled, indices = torch.nn.MaxPool3d(2, return_indices=True)(torch.arange(8.0).view(1, 2, 2, 2))
    >>> torch.nn.MaxUnpool3d(2)(pooled, indices).flatten()
    tensor([0., 0., 0., 0., 0., 0., 0., 7.])
    """

    _tuple = staticmethod(_triple)

    def forward(self, input, indices, output_size=None):
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class _AvgPoolNd(Module):
    """The mean of each window.

    Args:
        kernel_size: How many positions a window has; as the next two one number, or one for each dimension.
        stride: How far windows are apart; by default `kernel_size`.
        padding: How many zeros there are besides at each end.
        ceil_mode: Whether windows count that begin inside and end behind.
        count_include_pad: Whether these zeros count where the mean is taken.
        divisor_override: What sums are divided by instead of the number of positions.
    """

    def extra_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The mean of each window of the last dimension. Shapes: (N, C, L) or (C, L).

    Args:
        kernel_size: How many positions a window has.
        stride: How far windows are apart; by default `kernel_size`.
        padding: How many zeros there are besides at each end.
        ceil_mode: Whether windows count that begin inside and end behind.
        count_include_pad: Whether these zeros count where the mean is taken.

    >>> import rushlight as torch
    >>> torch.nn.AvgPool1d(3, stride=2)(torch.tensor([[[1.0, 2, 3, 4, 5, 6, 7]]]))
    tensor([[[2., 4., 6.]]])
    """

    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
        super().__init__()
        self.kernel_size = _single(kernel_size)
        self.stride = _single(kernel_size if stride is None else stride)
        self.padding = _single(padding)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input):
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class _AvgPoolOfPlanes(_AvgPoolNd):
    def __init__(self, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override


class AvgPool2d(_AvgPoolOfPlanes):
    """As `AvgPool1d`, over the last two dimensions: (N, C, H, W) or (C, H, W). `divisor_override` is divided by instead of counting.

    >>> import rushlight as torch
    >>> torch.nn.AvgPool2d((3, 2), stride=(2, 1))(torch.zeros(20, 16, 50, 32)).shape
    torch.Size([20, 16, 24, 31])
    """

    def forward(self, input):
        return F.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override
        )


class AvgPool3d(_AvgPoolOfPlanes):
    """The mean of each window of the last three dimensions: as `AvgPool2d`, with numbers or threes of them.

    Shapes: (N, C, D, H, W) or (C, D, H, W).

    >>> import rushlight as torch
    >>> torch.nn.AvgPool3d(2)(torch.arange(16.0).view(1, 2, 2, 4))
    tensor([[[[6.5000, 8.5000]]]])
    """

    def forward(self, input):
        return F.avg_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, self.divisor_override
        )


class _FractionalMaxPoolNd(Module):
    """The largest number of each window at random places.

    Args:
        kernel_size: How large a window is: a number, or one for each dimension.
        output_size: The size of the result; or
        output_ratio: that size as a part of the input's, between 0 and 1.
        return_indices: Whether the result is a pair, whose second part says where each number was.
    """

    def __init__(self, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        super().__init__()
        each = self._tuple
        self.kernel_size = each(kernel_size)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else each(output_size)
        self.output_ratio = None if output_ratio is None else each(output_ratio)
        if output_size is None and output_ratio is None:
            raise ValueError(f"{type(self).__name__} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The largest number of each of `output_size` windows at random places (Graham, 2015). Shapes: (N, C, H, W) or (C, H, W).

    Args:
        kernel_size: How large a window is: a number, or a pair.
        output_size: The size of the result; or
        output_ratio: that size as a part of the input's, between 0 and 1.
        return_indices: Whether the result is a pair, whose second part says where each number was (for `MaxUnpool2d`).

    >>> import rushlight as torch
    >>> torch.nn.FractionalMaxPool2d(3, output_ratio=(0.5, 0.5))(torch.zeros(20, 16, 50, 32)).shape
    torch.Size([20, 16, 25, 16])
    """

    _tuple = staticmethod(_pair)

    def forward(self, input):
        return F.fractional_max_pool2d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """As `FractionalMaxPool2d`, over the last three dimensions: (N, C, D, H, W) or (C, D, H, W).

    >>> import rushlight as torch
    >>> torch.nn.FractionalMaxPool3d(2, output_size=(3, 3, 4))(torch.zeros(2, 5, 6, 7, 8)).shape
    torch.Size([2, 5, 3, 3, 4])
    """

    _tuple = staticmethod(_triple)

    def forward(self, input):
        return F.fractional_max_pool3d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class _LPPoolNd(Module):
    """The norm of each window.

    Args:
        norm_type: The norm's degree; infinity is the largest absolute number.
        kernel_size: How many positions a window has: a number, or one for each dimension.
        stride: How far windows are apart; by default `kernel_size`.
        ceil_mode: Whether windows count that begin inside and end behind.
    """

    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self):
        return f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, ceil_mode={self.ceil_mode}"


class LPPool1d(_LPPoolNd):
    """(sum of xᵖ)^(1/p) over each window of the last dimension, where p is `norm_type`. Shapes: (N, C, L) or (C, L).

    Args:
        norm_type: p; 1 is a sum, infinity the largest absolute number.
        kernel_size: How many positions a window has.
        stride: How far windows are apart; by default `kernel_size`.
        ceil_mode: Whether windows count that begin inside and end behind.

    >>> import rushlight as torch
    >>> torch.nn.LPPool1d(2, 2)(torch.tensor([[3.0, 4.0, 5.0, 12.0]]))
    tensor([[ 5., 13.]])
    """

    def forward(self, input):
        return F.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPoolNd):
    """As `LPPool1d`, over windows of the last two dimensions. Shapes: (N, C, H, W) or (C, H, W).

    >>> import rushlight as torch
    >>> torch.nn.LPPool2d(1, 2)(torch.arange(8.0).view(1, 2, 4))
    tensor([[[10., 18.]]])
    """

    def forward(self, input):
        return F.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPoolNd):
    """As `LPPool1d`, over windows of the last three dimensions. Shapes: (N, C, D, H, W) or (C, D, H, W).

    >>> import rushlight as torch
    >>> torch.nn.LPPool3d(1, 2)(torch.arange(16.0).view(1, 2, 2, 4))
    tensor([[[[52., 68.]]]])
    """

    def forward(self, input):
        return F.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _AdaptiveMaxPoolNd(Module):
    """The largest number of each of a number of windows.

    Args:
        output_size: How many windows there are: a number, or one for each dimension, where None keeps the size.
        return_indices: Whether the result is a pair, whose second part says where each number was.
    """

    def __init__(self, output_size, return_indices=False):
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self):
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The largest number of each of `output_size` windows that share out the last dimension.

    Window i is from i L / output_size, rounded down, to (i + 1) L / output_size, rounded up. Shapes: (N, C, L) or (C, L).

    Args:
        output_size: How many windows there are.
        return_indices: Whether the result is a pair, whose second part says where each number was.

    >>> import rushlight as torch
    >>> torch.nn.AdaptiveMaxPool1d(2)(torch.tensor([[5.0, 1.0, 2.0, 3.0, 4.0]]))
    tensor([[5., 4.]])
    """

    def forward(self, input):
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """As `AdaptiveMaxPool1d`, over the last two dimensions; None keeps the size of one.

    >>> import rushlight as torch
    >>> torch.nn.AdaptiveMaxPool2d((None, 7))(torch.zeros(1, 64, 10, 9)).shape
    torch.Size([1, 64, 10, 7])
    """

    def forward(self, input):
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """As `AdaptiveMaxPool1d`, over the last three dimensions; None keeps the size of one.

    >>> import rushlight as torch
    >>> torch.nn.AdaptiveMaxPool3d((1, None, 2))(torch.arange(16.0).view(1, 2, 2, 4))
    tensor([[[[ 9., 11.],
              [13., 15.]]]])
    """

    def forward(self, input):
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _AdaptiveAvgPoolNd(Module):
    """The mean of each of a number of windows.

    Args:
        output_size: How many windows there are: a number, or one for each dimension, where None keeps the size.
    """

    def __init__(self, output_size):
        super().__init__()
        self.output_size = output_size

    def extra_repr(self):
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The mean of each of `output_size` windows that share out the last dimension, as those of `AdaptiveMaxPool1d`.

    Shapes: (N, C, L) or (C, L); output (N, C, output_size) or (C, output_size). With `output_size=1` a mean over all positions.

    >>> import rushlight as torch
    >>> torch.nn.AdaptiveAvgPool1d(2)(torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]))
    tensor([[2., 4.]])
    """

    def forward(self, input):
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """As `AdaptiveAvgPool1d`, over the last two dimensions; None keeps the size of one. Shapes: (N, C, H, W) or (C, H, W).

    >>> import rushlight as torch
    >>> torch.nn.AdaptiveAvgPool2d((1, 2))(torch.arange(16.0).view(1, 4, 4))
    tensor([[[6.5000, 8.5000]]])
    >>> torch.nn.AdaptiveAvgPool2d((5, None))(torch.zeros(1, 64, 8, 9)).shape
    torch.Size([1, 64, 5, 9])
    """

    def forward(self, input):
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """As `AdaptiveAvgPool1d`, over the last three dimensions; None keeps the size of one. Shapes:
    (N, C, D, H, W) or (C, D, H, W).

    >>> import rushlight as torch
    >>> torch.nn.AdaptiveAvgPool3d(1)(torch.arange(8.0).view(1, 2, 2, 2))
    tensor([[[[3.5000]]]])
    """

    def forward(self, input):
        return F.adaptive_avg_pool3d(input, self.output_size)
