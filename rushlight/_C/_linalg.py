"""Functions of `torch.linalg` under the names that PyTorch's pickles have: `linalg_svd`."""

from rushlight import linalg as _linalg


def __getattr__(name):
    return getattr(_linalg, name.removeprefix("linalg_"))
