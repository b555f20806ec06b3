"""Functions for programs that are written as ONNX: they compute as they are."""

import rushlight as torch


def shape_as_tensor(x):
    """The sizes as a tensor."""
    return torch.tensor(x.shape, dtype=torch.int64)


def reshape_from_tensor_shape(x, shape):
    """x.reshape, with sizes from a tensor."""
    return x.reshape(shape.tolist())
