"""Affine and bilinear maps."""

import rushlight as torch
from rushlight.core import written_out
from rushlight.ops import neural

__all__ = ["bilinear", "linear"]

bilinear = neural.bilinear


def linear(input, weight, bias=None, *, out=None):
    """x @ weight.T + bias; `out` is written where it is given.

    Shapes: input (*, in), weight (out, in) or (in), bias (out) or (), result (*, out).

    >>> import rushlight as torch
    >>> torch.nn.functional.linear(torch.ones(1, 2), torch.ones(3, 2), torch.ones(3))
    tensor([[3., 3., 3.]])
    """
    if out is not None:
        return written_out("linear", out, linear(input, weight, bias))
    transposed = weight.t()
    if bias is None:
        return torch.matmul(input, transposed)
    dim = input.dim()
    if dim == 2:
        return torch.addmm(bias, input, transposed)
    if dim and weight.dim() == 2 and input.is_contiguous():
        # One product with the bias in it beats a batched product and an addition.
        shape = input.shape
        rows = torch.addmm(bias, input.view(input.numel() // shape[-1] if shape[-1] else -1, shape[-1]), transposed)
        return rows.view(*shape[:-1], rows.shape[1])
    return torch.matmul(input, transposed).add_(bias)
