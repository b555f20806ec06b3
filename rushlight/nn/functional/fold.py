"""Images as columns of their patches, and the other way."""

from rushlight.ops import layers

__all__ = ["fold", "unfold"]


def _pair(given):
    return tuple(given) if hasattr(given, "__iter__") else (given, given)


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The patches of images, each as a column: (N, C, H, W) as (N, C kH kW, L), where L counts the places that patches have.

    `kernel_size`, `dilation`, `padding` (zeros around the image) and `stride` are one number, or a pair.

    >>> import rushlight as torch
    >>> torch.nn.functional.unfold(torch.arange(6.).view(1, 2, 3), 2)
    tensor([[0., 1.],
            [1., 2.],
            [3., 4.],
            [4., 5.]])
    """
    return layers.im2col(input, _pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride))


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The sum of patches, each at its place in images of size `output_size`: (N, C kH kW, L) as (N, C, H, W).

    The other arguments are those of `unfold`, whose transposed map it is.

    >>> import rushlight as torch
    >>> torch.nn.functional.fold(torch.ones(4, 2), (2, 3), 2)
    tensor([[[1., 2., 1.],
             [1., 2., 1.]]])
    """
    return layers.col2im(input, _pair(output_size), _pair(kernel_size), _pair(dilation), _pair(padding), _pair(stride))
