"""Convolutions of one to three dimensions, and the transposed ones."""

import math

import rushlight as torch

from .. import functional as F
from .. import init
from ..parameter import Parameter, UninitializedParameter
from .lazy import LazyModuleMixin
from .module import Module
from .utils import _pair, _reverse_repeat_tuple, _single, _triple

__all__ = [
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]

CONSTANTS = "stride padding dilation groups padding_mode output_padding in_channels out_channels kernel_size"
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What all of them have: weight and bias, and one number for each dimension of kernel, stride, padding and dilation.

    Args:
        in_channels, out_channels: How many channels input and output have.
        kernel_size: How many positions a window has; as `stride`, `padding` and `dilation` one number, or one for each dimension.
        stride: How far the windows are apart.
        padding: What is added at both ends; "valid" is 0, and "same" what keeps the size.
        dilation: How far a window's elements are apart.
        groups: Channels are in so many groups, each with weights of its own.
        bias: Whether there is a bias.
        padding_mode: What is added: "zeros", "reflect", "replicate" or "circular".
        output_padding: Of a transposed one: by how much its output is longer at the end.
    """

    __constants__ = CONSTANTS.split()

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
        dilation,
        transposed,
        output_padding,
        groups,
        bias,
        padding_mode,
        device=None,
        dtype=None,
    ):
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups != 0:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            strings = {"same", "valid"}
            if padding not in strings:
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {strings}")
            if padding == "same" and any(step != 1 for step in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {set(PADDING_MODES)}, but got padding_mode='{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        # Padding as F.pad takes it: before and after, the last dimension first.
        if isinstance(padding, str):
            missing = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel_size)]
            self._reversed_padding_repeated_twice = [
                side for number in reversed(missing) for side in (number // 2, number - number // 2)
            ]
        else:
            self._reversed_padding_repeated_twice = _reverse_repeat_tuple(padding, 2)
        channels = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(torch.empty((*channels, *kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(torch.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        """Draws weight and bias anew."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in != 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, usual in (
            ("padding", (0,) * len(self.padding)),
            ("dilation", (1,) * len(self.dilation)),
            ("output_padding", (0,) * len(self.output_padding)),
            ("groups", 1),
        ):
            value = getattr(self, name)
            text += "" if value == usual else f", {name}={value}"
        if self.bias is None:
            text += ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"

    def __setstate__(self, state):
        super().__setstate__(state)
        if not hasattr(self, "padding_mode"):
            self.padding_mode = "zeros"

    def _convolve(self, convolve, input, weight, bias):
        """The function of nn.functional, behind a padding that is not of zeros."""
        padding = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._reversed_padding_repeated_twice, self.padding_mode), 0
        return convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class _Conv(_ConvNd):
    """A convolution: of a class with so many dimensions, for which `_each` makes numbers, one for each, of a single one."""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__(
            in_channels,
            out_channels,
            self._each(kernel_size),
            self._each(stride),
            padding if isinstance(padding, str) else self._each(padding),
            self._each(dilation),
            False,
            self._each(0),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input):
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """out[n, k, i] = bias[k] + sum over c, j of weight[k, c, j] * input[n, c, i * stride + j * dilation]:
    sums over windows of sequences.

    Shapes: input (N, in_channels, L) or (in_channels, L), output (N, out_channels, L') or (out_channels, L'), where
    L' = (L + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1, rounded down; weight (out_channels, in_channels / groups,
    kernel_size), bias (out_channels). Both are drawn uniformly from ±1 / sqrt(in_channels / groups * kernel_size).

    Args:
        in_channels, out_channels: How many channels input and output have.
        kernel_size: How many positions a window has.
        stride: How far the windows are apart.
        padding: What is added at both ends; "valid" is 0, and "same" what makes L' = L.
        dilation: How far a window's elements are apart.
        groups: Channels are in so many groups, each with weights of its own.
        bias: Whether there is a bias.
        padding_mode: What is added: "zeros", "reflect", "replicate" or "circular".

    Raises:
        ValueError: `groups` does not divide both numbers of channels, or "same" is asked for with a stride.

    >>> import rushlight as torch
    >>> layer = torch.nn.Conv1d(1, 1, 3, padding=1, bias=False)
    >>> _ = layer.weight.data.copy_(torch.tensor([-1.0, 0.0, 1.0]))
    >>> layer(torch.tensor([[1.0, 4.0, 9.0, 16.0]])).detach()
    tensor([[ 4.,  8., 12., -9.]])
    >>> torch.nn.Conv1d(16, 33, 3, stride=2)(torch.zeros(20, 16, 50)).shape
    torch.Size([20, 33, 24])
    """

    _each = staticmethod(_single)

    def _conv_forward(self, input, weight, bias):
        return self._convolve(F.conv1d, input, weight, bias)


class Conv2d(_Conv):
    """Weighted sums over windows of images: as `Conv1d`, in two dimensions.

    Shapes: input (N, in_channels, H, W) or (in_channels, H, W), each of the output's H and W as L' of `Conv1d`; weight
    (out_channels, in_channels / groups, height, width). `kernel_size`, `stride`, `padding` and `dilation` are one number, or a
    pair. `groups=in_channels` makes a depthwise convolution.

    >>> import rushlight as torch
    >>> torch.nn.Conv2d(16, 33, (3, 5), stride=(2, 1), padding=(4, 2))(torch.zeros(20, 16, 50, 100)).shape
    torch.Size([20, 33, 28, 100])
    >>> torch.nn.Conv2d(4, 8, 3, padding="same", groups=4).weight.shape
    torch.Size([8, 1, 3, 3])
    """

    _each = staticmethod(_pair)

    def _conv_forward(self, input, weight, bias):
        return self._convolve(F.conv2d, input, weight, bias)


class Conv3d(_Conv):
    """Weighted sums over windows of volumes: as `Conv1d`, in three dimensions.

    Shapes: input (N, in_channels, D, H, W) or (in_channels, D, H, W), sizes of the output as L' of `Conv1d`; weight
    (out_channels, in_channels / groups, depth, height, width).
    `kernel_size`, `stride`, `padding` and `dilation` are one number, or three.

    >>> import rushlight as torch
    >>> torch.nn.Conv3d(2, 4, 3, stride=(2, 1, 1), padding=(1, 0, 1))(torch.zeros(1, 2, 8, 8, 8)).shape
    torch.Size([1, 4, 4, 6, 8])
    """

    _each = staticmethod(_triple)

    def _conv_forward(self, input, weight, bias):
        return self._convolve(F.conv3d, input, weight, bias)


class _ConvTransposeNd(_ConvNd):
    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding,
        dilation,
        transposed,
        output_padding,
        groups,
        bias,
        padding_mode,
        device=None,
        dtype=None,
    ):
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            transposed,
            output_padding,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def _output_padding(self, input, output_size, stride, padding, kernel_size, num_spatial_dims, dilation=None):
        """The output padding that makes the result have `output_size`."""
        if output_size is None:
            return _single(self.output_padding)
        lead = 2 if input.dim() == num_spatial_dims + 2 else 1
        if len(output_size) == num_spatial_dims + lead:
            output_size = output_size[lead:]
        if len(output_size) != num_spatial_dims:
            raise ValueError(
                f"ConvTranspose{num_spatial_dims}D: for {input.dim()}D input, output_size must have {num_spatial_dims} or "
                f"{num_spatial_dims + lead} elements (got {len(output_size)})"
            )
        dilation = dilation or (1,) * num_spatial_dims
        least = [
            (input.size(d + lead) - 1) * stride[d] - 2 * padding[d] + dilation[d] * (kernel_size[d] - 1) + 1
            for d in range(num_spatial_dims)
        ]
        most = [size + step - 1 for size, step in zip(least, stride)]
        if any(not low <= size <= high for size, low, high in zip(output_size, least, most)):
            raise ValueError(
                f"requested an output size of {output_size}, but valid sizes range from {least} to {most} (for an input of "
                f"{input.size()[2:]})"
            )
        return [size - low for size, low in zip(output_size, least)]

    def _transposed(self, convolve, dims, input, output_size):
        """The function of nn.functional, with the output padding that `output_size` needs."""
        if self.padding_mode != "zeros":
            raise ValueError(f"Only `zeros` padding mode is supported for ConvTranspose{dims}d")
        output_padding = self._output_padding(
            input, output_size, self.stride, self.padding, self.kernel_size, dims, self.dilation
        )
        return convolve(input, self.weight, self.bias, self.stride, self.padding, output_padding, self.groups, self.dilation)


class _ConvTranspose(_ConvTransposeNd):
    """A transposed convolution, as `_Conv`."""

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__(
            in_channels,
            out_channels,
            self._each(kernel_size),
            self._each(stride),
            self._each(padding),
            self._each(dilation),
            True,
            self._each(output_padding),
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )


class ConvTranspose1d(_ConvTranspose):
    """The transposed map of `Conv1d`, which makes longer sequences of short ones: each element adds a multiple of the kernel.

    Shapes: input (N, in_channels, L) or (in_channels, L), output (N, out_channels, L') or (out_channels, L'), where
    L' = (L - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1; weight (in_channels, out_channels / groups,
    kernel_size), bias (out_channels). `output_size`, an argument of calls, stands for the output padding that gives it.

    Args:
        stride: How far the copies of the kernel are apart.
        padding: How much is cut off at both ends.
        output_padding: By how much the output is longer at its end, less than stride or dilation.
        in_channels, out_channels, kernel_size, dilation, groups, bias: As in `Conv1d`; `padding_mode` is "zeros".

    >>> import rushlight as torch
    >>> layer = torch.nn.ConvTranspose1d(1, 1, 2, stride=2, bias=False)
    >>> _ = layer.weight.data.copy_(torch.tensor([1.0, 10.0]))
    >>> layer(torch.tensor([[1.0, 2.0, 3.0]])).detach()
    tensor([[ 1., 10.,  2., 20.,  3., 30.]])
    """

    _each = staticmethod(_single)

    def forward(self, input, output_size=None):
        return self._transposed(F.conv_transpose1d, 1, input, output_size)


class ConvTranspose2d(_ConvTranspose):
    """The transposed map of `Conv2d`, which makes larger images of small ones: as `ConvTranspose1d`, in two dimensions.

    Shapes: input (N, in_channels, H, W) or (in_channels, H, W); weight (in_channels, out_channels / groups, height, width). Where
    several sizes shrink to one, `output_size` in the call says which it was.

    >>> import rushlight as torch
    >>> up = torch.nn.ConvTranspose2d(16, 33, 3, stride=2, padding=1)
    >>> up(torch.zeros(1, 16, 6, 6)).shape
    torch.Size([1, 33, 11, 11])
    >>> up(torch.zeros(1, 16, 6, 6), output_size=(12, 12)).shape
    torch.Size([1, 33, 12, 12])
    """

    _each = staticmethod(_pair)

    def forward(self, input, output_size=None):
        return self._transposed(F.conv_transpose2d, 2, input, output_size)


class ConvTranspose3d(_ConvTranspose):
    """The transposed map of `Conv3d`: as `ConvTranspose1d`, in three dimensions.

    Shapes: input (N, in_channels, D, H, W) or (in_channels, D, H, W);
    weight (in_channels, out_channels / groups, depth, height, width).

    >>> import rushlight as torch
    >>> torch.nn.ConvTranspose3d(4, 2, 2, stride=2)(torch.zeros(1, 4, 3, 4, 5)).shape
    torch.Size([1, 2, 6, 8, 10])
    """

    _each = staticmethod(_triple)

    def forward(self, input, output_size=None):
        return self._transposed(F.conv_transpose3d, 3, input, output_size)


class _LazyConvXdMixin(LazyModuleMixin):
    """What all lazy convolutions have: the number of input channels comes from the first input."""

    def _wait(self, out_channels, groups, bias, device, dtype):
        """Parameters without a shape, in place of those of no channel."""
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.out_channels, self.groups = out_channels, groups
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self):
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()

    def initialize_parameters(self, input, *args, **kwargs):
        if not self.has_uninitialized_params():
            return
        self.in_channels = self._get_in_channels(input)
        if self.in_channels % self.groups != 0:
            raise ValueError("in_channels must be divisible by groups")
        pair = (self.in_channels, self.out_channels) if self.transposed else (self.out_channels, self.in_channels)
        with torch.no_grad():
            self.weight.materialize((pair[0], pair[1] // self.groups, *self.kernel_size))
            if self.bias is not None:
                self.bias.materialize((self.out_channels,))
            self.reset_parameters()

    def _get_in_channels(self, input):
        dims = self._get_num_spatial_dims()
        if input.dim() not in (dims + 1, dims + 2):
            raise RuntimeError(
                f"Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {type(self).__name__}, but got input of size: "
                f"{input.shape}"
            )
        return input.shape[1] if input.dim() == dims + 2 else input.shape[0]

    def _get_num_spatial_dims(self):
        return len(self.kernel_size)


class _LazyConv(_LazyConvXdMixin):
    def __init__(
        self,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode, device, dtype)
        self._wait(out_channels, groups, bias, device, dtype)


class _LazyConvTranspose(_LazyConvXdMixin):
    def __init__(
        self,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        output_padding=0,
        groups=1,
        bias=True,
        dilation=1,
        padding_mode="zeros",
        device=None,
        dtype=None,
    ):
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode, device, dtype)
        self._wait(out_channels, groups, bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):
    """`Conv1d` whose `in_channels` are those of the first input, which makes it a `Conv1d`.

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyConv1d(6, 3)
    >>> layer(torch.zeros(1, 4, 8)).shape
    torch.Size([1, 6, 6])
    >>> layer.weight.shape
    torch.Size([6, 4, 3])
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):
    """`Conv2d` whose `in_channels` are those of the first input, which makes it a `Conv2d`.

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyConv2d(6, 3)
    >>> layer(torch.zeros(1, 4, 8, 8)).shape
    torch.Size([1, 6, 6, 6])
    >>> layer
    Conv2d(4, 6, kernel_size=(3, 3), stride=(1, 1))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):
    """`Conv3d` whose `in_channels` are those of the first input, which makes it a `Conv3d`.

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyConv3d(6, 3)
    >>> layer(torch.zeros(1, 4, 8, 8, 8)).shape
    torch.Size([1, 6, 6, 6, 6])
    >>> layer.in_channels
    4
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """`ConvTranspose1d` whose `in_channels` are those of the first input, which makes it a `ConvTranspose1d`.

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyConvTranspose1d(6, 2, stride=2)
    >>> layer(torch.zeros(1, 4, 8)).shape
    torch.Size([1, 6, 16])
    >>> layer.in_channels
    4
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """`ConvTranspose2d` whose `in_channels` are those of the first input, which makes it a `ConvTranspose2d`.

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyConvTranspose2d(6, 2, stride=2)
    >>> layer(torch.zeros(1, 4, 8, 8)).shape
    torch.Size([1, 6, 16, 16])
    >>> layer.in_channels
    4
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """`ConvTranspose3d` whose `in_channels` are those of the first input, which makes it a `ConvTranspose3d`.

    >>> import rushlight as torch
    >>> layer = torch.nn.LazyConvTranspose3d(6, 2, stride=2)
    >>> layer(torch.zeros(1, 4, 3, 3, 3)).shape
    torch.Size([1, 6, 6, 6, 6])
    >>> layer.in_channels
    4
    """

    cls_to_become = ConvTranspose3d
