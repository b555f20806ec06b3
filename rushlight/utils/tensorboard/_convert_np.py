"""Values as NumPy's arrays."""

import numpy

import rushlight
from rushlight.core import Tensor


def make_np(x):
    """A tensor, an array or a number as an array."""
    if isinstance(x, numpy.ndarray):
        return x
    if numpy.isscalar(x):
        return numpy.array([x])
    if isinstance(x, Tensor):
        x = x.detach().cpu()
        return (x.float() if x.dtype is rushlight.bfloat16 else x).numpy()
    raise NotImplementedError(f"Got {type(x)}, but numpy array or torch tensor are expected.")
