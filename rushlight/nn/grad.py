"""Gradients of convolutions, by input and by weight, without a graph."""

from rushlight.ops.convolution import for_each_dim, input_gradient, weight_gradient

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def _numbers(dims, stride, padding, dilation, groups):
    each = (for_each_dim(name, given, dims) for name, given in (("stride", stride), ("padding", padding), ("dilation", dilation)))
    return *each, False, (0,) * dims, groups


def conv1d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv1d` by an input of shape `input_size`.

    Args:
        weight: The weight of the convolution.
        grad_output: The gradient of its output.
        stride, padding, dilation, groups: Those of the convolution.

    >>> import rushlight as torch
    >>> torch.nn.grad.conv1d_input((1, 1, 3), torch.ones(1, 1, 2), torch.ones(1, 1, 2))
    tensor([[[1., 2., 1.]]])
    """
    return input_gradient(grad_output, weight, tuple(input_size), *_numbers(1, stride, padding, dilation, groups))


def conv1d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv1d` by a weight of shape `weight_size`.

    Args:
        input: The input of the convolution.
        grad_output: The gradient of its output.
        stride, padding, dilation, groups: Those of the convolution.

    >>> import rushlight as torch
    >>> torch.nn.grad.conv1d_weight(torch.arange(3.0).view(1, 1, 3), (1, 1, 2), torch.ones(1, 1, 2))
    tensor([[[1., 3.]]])
    """
    return weight_gradient(grad_output, input, tuple(weight_size), *_numbers(1, stride, padding, dilation, groups))


def conv2d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv2d` by an input of shape `input_size`. Arguments are those of `conv1d_input`.

    >>> import rushlight as torch
    >>> torch.nn.grad.conv2d_input((1, 1, 2, 2), torch.ones(1, 1, 2, 2), torch.ones(1, 1, 1, 1))
    tensor([[[[1., 1.],
              [1., 1.]]]])
    """
    return input_gradient(grad_output, weight, tuple(input_size), *_numbers(2, stride, padding, dilation, groups))


def conv2d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv2d` by a weight of shape `weight_size`. Arguments are those of `conv1d_weight`.

    >>> import rushlight as torch
    >>> torch.nn.grad.conv2d_weight(torch.arange(4.0).view(1, 1, 2, 2), (1, 1, 2, 1), torch.ones(1, 1, 1, 2))
    tensor([[[[1.],
              [5.]]]])
    """
    return weight_gradient(grad_output, input, tuple(weight_size), *_numbers(2, stride, padding, dilation, groups))


def conv3d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv3d` by an input of shape `input_size`. Arguments are those of `conv1d_input`.

    >>> import rushlight as torch
    >>> torch.nn.grad.conv3d_input((1, 1, 2, 2, 2), torch.ones(1, 1, 2, 2, 2), torch.ones(1, 1, 1, 1, 1)).sum()
    tensor(8.)
    """
    return input_gradient(grad_output, weight, tuple(input_size), *_numbers(3, stride, padding, dilation, groups))


def conv3d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1):
    """The gradient of `conv3d` by a weight of shape `weight_size`. Arguments are those of `conv1d_weight`.

    >>> import rushlight as torch
    >>> torch.nn.grad.conv3d_weight(torch.ones(1, 1, 2, 2, 2), (1, 1, 2, 2, 1), torch.ones(1, 1, 1, 1, 2)).sum()
    tensor(8.)
    """
    return weight_gradient(grad_output, input, tuple(weight_size), *_numbers(3, stride, padding, dilation, groups))
