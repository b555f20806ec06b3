"""Functions of `torch.nn.functional` under the names that PyTorch's pickles have."""

from rushlight.nn import functional as _functional


def __getattr__(name):
    return getattr(_functional, name)
