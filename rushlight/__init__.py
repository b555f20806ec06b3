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
    get_default_dtype,
    jagged,
    layout,
    memory_format,
    preserve_format,
    promote_types,
    sparse_bsc,
    sparse_bsr,
    sparse_coo,
    sparse_csc,
    sparse_csr,
    strided,
    tensor,
)
from rushlight.core import is_grad_enabled, is_inference_mode_enabled

from rushlight._tensor_types import tensor_types as _tensor_types
from rushlight.version import __version__

legacy_contiguous_format = contiguous_format
newaxis = None
_names = globals()
_names.update(_core.dtype_by_name)
_names.update(
    {_dtype.short_name: _dtype for _dtype in _core.dtype_by_name.values() if _dtype.short_name not in ("", "byte", "char")}
)
_names.update({_type.__name__: _type for _dtype, _type in _tensor_types.items() if not _dtype.is_complex})

from rushlight import ops as _table  # (`_ops` is a module that programs import)

_table.connect()

from rushlight import storage as _storage

_names.update(_storage.STORAGES)
from rushlight.storage import TypedStorage, UntypedStorage, is_storage
from rushlight import _tensor
from rushlight import autograd, functional, linalg, random, special, utils
from rushlight.autograd.anomaly_mode import is_anomaly_check_nan_enabled, is_anomaly_enabled
from rushlight.autograd import enable_grad, inference_mode, no_grad, set_grad_enabled
from rushlight._alias import as_torch, missing as _missing
from rushlight._finfo import finfo, iinfo
from rushlight._settings import (
    are_deterministic_algorithms_enabled,
    get_default_device,
    get_deterministic_debug_mode,
    get_float32_matmul_precision,
    get_num_threads,
    is_deterministic_algorithms_warn_only_enabled,
    is_warn_always_enabled,
    set_default_device,
    set_default_dtype,
    set_default_tensor_type,
    set_deterministic_debug_mode,
    set_float32_matmul_precision,
    set_num_threads,
    set_warn_always,
    use_deterministic_algorithms,
)

_table.add_parsers(_names)
from rushlight._printing import get_printoptions, set_printoptions, typename
from rushlight._late import late as _late
from rushlight._names import find_public as _find_public
from rushlight._dlpack import from_dlpack, to_dlpack

_core.asked.find_public = _find_public

_MODULES = (
    "_C",
    "_VF",
    "__config__",
    "__future__",
    "_dynamo",
    "_export",
    "_functorch",
    "_guards",
    "_inductor",
    "_jit_internal",
    "_linalg_utils",
    "_logging",
    "_ops",
    "_prims",
    "_prims_common",
    "_refs",
    "_subclasses",
    "_tensor_str",
    "_utils",
    "_utils_internal",
    "_vendor",
    "_weights_only_unpickler",
    "accelerator",
    "amp",
    "ao",
    "backends",
    "compiler",
    "cpu",
    "cuda",
    "distributed",
    "distributions",
    "explain",
    "export",
    "fft",
    "func",
    "futures",
    "fx",
    "hub",
    "jit",
    "library",
    "masked",
    "mps",
    "mtia",
    "multiprocessing",
    "nn",
    "onnx",
    "optim",
    "overrides",
    "profiler",
    "quantization",
    "quasirandom",
    "return_types",
    "serialization",
    "signal",
    "sparse",
    "testing",
    "types",
    "xpu",
)
_AUTOCAST = (
    "autocast", "autocast_decrement_nesting", "autocast_increment_nesting", "clear_autocast_cache", "get_autocast_dtype",
    "is_autocast_cache_enabled", "is_autocast_enabled", "set_autocast_cache_enabled", "set_autocast_dtype", "set_autocast_enabled",
    *(f"{what}_autocast_{kind}_{of}" for kind in ("cpu", "ipu", "xla") for what, of in
      (("is", "enabled"), ("set", "enabled"), ("get", "dtype"), ("set", "dtype"))),
    "get_autocast_gpu_dtype", "set_autocast_gpu_dtype",
)  # fmt: skip
_SYMBOLIC = (
    "SymBool", "SymFloat", "SymInt", "_assert", "_check", "_check_index", "_check_is_size", "_check_not_implemented", "_check_type",
    "_check_tensor_all", "_check_tensor_all_with", "_check_value", "_check_with", "sym_float", "sym_fresh_size",
    "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not", "sym_sum",
)  # fmt: skip
_NAMED_DTYPES = (
    "bit", "bits16", "bits1x8", "bits2x4", "bits4x2", "bits8", "float4_e2m1fn_x2", "int1", "int2", "int3", "int4", "int5", "int6", "int7",
    "qint32", "qint8", "quint2x4", "quint4x2", "quint8", "uint1", "uint2", "uint3", "uint4", "uint5", "uint6", "uint7",
)  # fmt: skip
_SCRIPT_TYPES = (
    "AnyType", "AwaitType", "BoolType", "ClassType", "ComplexType", "DeviceObjType", "DictType", "EnumType", "FloatType", "FutureType",
    "IntType", "InterfaceType", "ListType", "NoneType", "NumberType", "OptionalType", "PyObjectType", "RRefType", "StreamObjType",
    "StringType", "SymBoolType", "SymIntType", "TensorType", "TupleType", "UnionType",
)  # fmt: skip
_SCHEMES = (
    "per_channel_affine", "per_channel_affine_float_qparams", "per_channel_symmetric", "per_tensor_affine", "per_tensor_symmetric",
    "qscheme",
)  # fmt: skip
_BUILD = (
    "compiled_with_cxx11_abi", "get_num_interop_threads", "has_lapack", "has_mkl", "has_openmp", "has_spectral", "is_vulkan_available",
    "set_num_interop_threads", "_nnpack_available",
)  # fmt: skip
_LATE = {
    **{name: f"rushlight.{name}" for name in _MODULES},
    **{name: f"rushlight._build:{name}" for name in _BUILD},
    **{name: f"rushlight.amp.autocast_mode:{name}" for name in _AUTOCAST},
    **{name: f"rushlight._symbolic:{name}" for name in _SYMBOLIC},
    **{name: f"rushlight._absent:{name}" for name in (*_SCHEMES, *_NAMED_DTYPES, *_SCRIPT_TYPES)},
    **{name: f"rushlight.amp._scaling:{name}" for name in ("_amp_foreach_non_finite_check_and_unscale_", "_amp_update_scale_")},
    "AcceleratorError": "rushlight._absent:AcceleratorError",
    "Event": "rushlight._streams:Event",
    "Future": "rushlight.futures:Future",
    "GradScaler": "rushlight.amp:GradScaler",
    "OutOfMemoryError": "rushlight._absent:OutOfMemoryError",
    "StorageBase": "rushlight.storage:UntypedStorage",
    "PyTorchFileReader": "rushlight.serialization._reader:PyTorchFileReader",
    "PyTorchFileWriter": "rushlight.serialization._reader:PyTorchFileWriter",
    "ScriptModule": "rushlight._jit_internal:ScriptModule",
    "Stream": "rushlight._streams:Stream",
    "classes": "rushlight._classes:classes",
    "_disable_dynamo": "rushlight.compiler:disable",
    "_mkldnn": "rushlight._absent:_mkldnn",
    "_native_multi_head_attention": "rushlight.nn.functional.attention:_native_multi_head_attention",
    "_transformer_encoder_layer_fwd": "rushlight.nn.functional.attention:_transformer_encoder_layer_fwd",
    "compile": "rushlight._compile:compile",
    "cosine_similarity": "rushlight.nn.functional:cosine_similarity",
    "get_device_module": "rushlight._streams:get_device_module",
    "load": "rushlight.serialization:load",
    "lobpcg": "rushlight._lobpcg:lobpcg",
    **{name: f"rushlight._linalg_utils:{name}" for name in ("eig", "lstsq", "matrix_rank", "solve")},
    "pairwise_distance": "rushlight.nn.functional:pairwise_distance",
    "pca_lowrank": "rushlight._lowrank:pca_lowrank",
    "save": "rushlight.serialization:save",
    **{
        name: f"rushlight.sparse:{name}"
        for name in ("sparse_compressed_tensor", "sparse_coo_tensor", "sparse_csc_tensor", "sparse_csr_tensor")
    },
    "torch": "rushlight",  # (kornia says torch.torch)
    "svd_lowrank": "rushlight._lowrank:svd_lowrank",
    "symeig": "rushlight._linalg_utils:_symeig",
    "vmap": "rushlight.func:vmap",
}
_find_late = _late(__name__, _LATE, _missing, "torch")


def __getattr__(name: str):
    if name == "Storage":  # which follows the default dtype
        from rushlight.storage import STORAGES, storage_name

        return STORAGES[storage_name(get_default_dtype())]
    return _find_late(name)


def __dir__():
    _table.declare_all()
    return sorted({*globals(), *_table.namespaces["torch"], *_LATE})
