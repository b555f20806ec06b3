"""Rushlight: PyTorch's eager tensors and autograd, written anew for the CPU.

>>> import rushlight as torch
>>> x = torch.tensor([1., 2.], requires_grad=True)
>>> (x * x).sum().backward()
>>> x.grad
tensor([2., 4.])
"""

import os as _os
from math import e, inf, nan, pi

from rushlight import core as _core
from rushlight.core import (
    Size,
    Tensor,
    as_tensor,
    can_cast,
    channels_last,
    channels_last_3d,
    contiguous_format,
    device,
    dtype,
    from_numpy,
    frombuffer,
    get_default_dtype,
    get_num_threads,
    jagged,
    layout,
    memory_format,
    preserve_format,
    promote_types,
    set_default_dtype,
    set_num_threads,
    sparse_bsc,
    sparse_bsr,
    sparse_coo,
    sparse_csc,
    sparse_csr,
    strided,
    tensor,
)
from rushlight.core import is_anomaly_check_nan_enabled, is_anomaly_enabled, is_grad_enabled, is_inference_mode_enabled
from rushlight.core import is_warn_always_enabled, set_warn_always

from rushlight.version import __version__

_core.set_package_folder(_os.path.dirname(__file__) + _os.sep)
_names = globals()
_names.update(_core.dtype_by_name)
_names.update(
    {_dtype.short_name: _dtype for _dtype in _core.dtype_by_name.values() if _dtype.short_name not in ("", "byte", "char")}
)
_names.update({_type.__name__: _type for _dtype, _type in _core.tensor_types.items() if not _dtype.is_complex})

from rushlight import ops as _ops

_ops.connect()

from rushlight import storage as _storage

_names.update(_storage.STORAGES)
from rushlight.storage import TypedStorage, UntypedStorage, is_storage
from rushlight import _tensor
from rushlight import autograd, cuda, functional, linalg, random, special, utils
from rushlight.autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from rushlight._alias import as_torch, missing as _missing
from rushlight._finfo import finfo, iinfo
from rushlight._settings import (
    are_deterministic_algorithms_enabled,
    get_default_device,
    get_deterministic_debug_mode,
    get_float32_matmul_precision,
    is_deterministic_algorithms_warn_only_enabled,
    set_default_device,
    set_default_tensor_type,
    set_deterministic_debug_mode,
    set_float32_matmul_precision,
    use_deterministic_algorithms,
)

_ops.add_parsers(_names)
from rushlight._printing import get_printoptions, set_printoptions, typename
from rushlight._late import late as _late
from rushlight._names import find_public as _find_public
from rushlight._dlpack import from_dlpack, to_dlpack

_core.set_find_public(_find_public)

_LATE = {
    **{name: f"rushlight.{name}" for name in ("accelerator", "backends", "compiler", "cpu", "mps", "types", "xpu")},
    "distributions": "rushlight.distributions",
    "explain": "rushlight.explain",
    "cosine_similarity": "rushlight.nn.functional:cosine_similarity",
    "func": "rushlight.func",
    "load": "rushlight.serialization:load",
    "multiprocessing": "rushlight.multiprocessing",
    "nn": "rushlight.nn",
    "optim": "rushlight.optim",
    "overrides": "rushlight.overrides",
    "pairwise_distance": "rushlight.nn.functional:pairwise_distance",
    "pca_lowrank": "rushlight._lowrank:pca_lowrank",
    "profiler": "rushlight.profiler",
    "return_types": "rushlight.return_types",
    "save": "rushlight.serialization:save",
    "serialization": "rushlight.serialization",
    "_C": "rushlight._C",
    "_utils": "rushlight._utils",
    "_weights_only_unpickler": "rushlight._weights_only_unpickler",
    "sparse": "rushlight.sparse",
    **{
        name: f"rushlight.sparse:{name}"
        for name in ("sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor")
    },
    "svd_lowrank": "rushlight._lowrank:svd_lowrank",
    "testing": "rushlight.testing",
    "vmap": "rushlight.func:vmap",
}
__getattr__ = _late(__name__, _LATE, _missing, "torch")


def __dir__():
    _ops.declare_all()
    return sorted({*globals(), *_ops.namespaces["torch"], *_LATE})
