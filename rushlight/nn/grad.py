"""Gradients of convolutions, by input and by weight, without a graph."""

from rushlight.ops.convolution import for_each_dim, input_gradient, weight_gradient

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _numbers(dims, stride, padding, dilation, groups):
    each = (for_each_dim(name, given, dims) for name, given in (("stride", stride), ("padding", padding), ("dilation", dilation)))
    return *each, False, (0,) * dims, groups


def conv1d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv1d` by an input of shape `input_size`."""
    return input_gradient(grad_output, weight, tuple(input_size), *_numbers(1, stride, padding, dilation, groups))


def conv1d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv1d` by a weight of shape `weight_size`."""
    return weight_gradient(grad_output, input, tuple(weight_size), *_numbers(1, stride, padding, dilation, groups))


def conv2d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv2d` by an input of shape `input_size`.

    >>> import rushlight as torch
    >>> torch.nn.grad.conv2d_input((1, 1, 2, 2), torch.ones(1, 1, 2, 2), torch.ones(1, 1, 1, 1))
    tensor([[[[1., 1.],
              [1., 1.]]]])
    """
    return input_gradient(grad_output, weight, tuple(input_size), *_numbers(2, stride, padding, dilation, groups))


def conv2d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv2d` by a weight of shape `weight_size`."""
    return weight_gradient(grad_output, input, tuple(weight_size), *_numbers(2, stride, padding, dilation, groups))


def conv3d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv3d` by an input of shape `input_size`."""
    return input_gradient(grad_output, weight, tuple(input_size), *_numbers(3, stride, padding, dilation, groups))


def conv3d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv3d` by a weight of shape `weight_size`."""
    return weight_gradient(grad_output, input, tuple(weight_size), *_numbers(3, stride, padding, dilation, groups))
