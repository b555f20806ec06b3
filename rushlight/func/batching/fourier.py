"""Fourier transforms: those of the examples are transforms of the batch over the dimensions behind the first."""

from rushlight.func.batching._table import torch


def transformed(op, arguments, batched, size):
    x, dims, *rest = arguments
    ndim = x.ndim - 1
    return torch.core.run(op, (x, tuple(dim % ndim + 1 for dim in dims), *rest))
