"""Functions under the names of `torch.functional`."""

from rushlight._late import late as _late
from rushlight.ops._declare import namespaces as _namespaces

_names = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block_diag",
    "broadcast_shapes",
    "broadcast_tensors",
    "cartesian_prod",
    "cdist",
    "chain_matmul",
    "einsum",
    "istft",
    "lobpcg",
    "lu",
    "meshgrid",
    "norm",
    "pca_lowrank",
    "split",
    "stft",
    "svd_lowrank",
    "tensordot",
    "unique",
    "unique_consecutive",
    "unravel_index",
]
_torch = _namespaces["torch"]
globals().update({name: _torch[name] for name in _names if name in _torch})
__getattr__ = _late(__name__, {name: f"rushlight:{name}" for name in _names})
__all__ = sorted(_names)
