"""A device that is not there; products of float32 matrices are exact on the CPU whatever is set."""

import contextlib
import enum

from rushlight import _settings
from rushlight._absent_words import example
from rushlight.backends import _Setting
from rushlight.core import warn_user
from rushlight.cuda._answers import NO_CUDA, no_binding

__all__ = [
    "SDPAParams", "allow_fp16_bf16_reduction_math_sdp", "cuBLASModule", "cuFFTPlanCache", "cuFFTPlanCacheManager", "cudnn_sdp_enabled",
    "cufft_plan_cache", "enable_cudnn_sdp", "enable_flash_sdp", "enable_math_sdp", "enable_mem_efficient_sdp", "flash_sdp_enabled",
    "fp16_bf16_reduction_math_sdp_allowed", "is_built", "is_ck_sdpa_available", "is_flash_attention_available", "math_sdp_enabled",
    "matmul", "mem_efficient_sdp_enabled", "preferred_blas_library", "preferred_linalg_library", "preferred_rocm_fa_library", "sdp_kernel",
]  # fmt: skip


def is_built() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.cuda.is_built()
    False
    """
    return False


def is_flash_attention_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.cuda.is_flash_attention_available()
    False
    """
    return False


def is_ck_sdpa_available() -> bool:
    """False.

    >>> import rushlight as torch
    >>> torch.backends.cuda.is_ck_sdpa_available()
    False
    """
    return False


class cuBLASModule(_Setting):
    """How exact products of matrices are on the device.

    >>> import rushlight as torch
    >>> torch.backends.cuda.matmul.allow_tf32
    False
    """

    def __init__(self):
        super().__init__(
            allow_fp16_reduced_precision_reduction=True,
            allow_bf16_reduced_precision_reduction=True,
            allow_fp16_accumulation=False,
            fp32_precision="none",
        )

    def __getattr__(self, name):
        if name == "allow_tf32":
            return _settings.get_float32_matmul_precision() != "highest"
        return super().__getattr__(name)

    def __setattr__(self, name, value):
        if name == "allow_tf32":
            _settings.set_float32_matmul_precision("high" if value else "highest")
        else:
            super().__setattr__(name, value)


matmul = cuBLASModule()


class cuFFTPlanCache:
    """Plans of Fourier transforms that a device keeps.

    Args:
        device_index: The device, by its number.

    >>> import rushlight as torch
    >>> torch.backends.cuda.cuFFTPlanCache(0).device_index
    0
    """

    def __init__(self, device_index):
        self.device_index = device_index


class cuFFTPlanCacheManager:
    """The plans of all devices, of which there are none.

    >>> import rushlight as torch
    >>> torch.backends.cuda.cufft_plan_cache[0]
    Traceback (most recent call last):
        ...
    RuntimeError: cufft_plan_cache: expected 0 <= device index < 0, but got device with index 0
    """

    @property
    def size(self):
        """Raises: no device keeps plans."""
        raise AssertionError(*NO_CUDA.args)

    max_size = size

    def clear(self):
        """Raises: no device keeps plans."""
        raise AssertionError(*NO_CUDA.args)

    def __getitem__(self, device):
        raise RuntimeError(f"cufft_plan_cache: expected 0 <= device index < 0, but got device with index {device}")


cufft_plan_cache = cuFFTPlanCacheManager()


class SDPAParams:
    """What a call of scaled_dot_product_attention is, for the question which kernel serves it.

    Args:
        query: The query.
        key: The key.
        value: The value.
        attn_mask: The mask, or None.
        dropout: The probability of dropout.
        is_causal: Whether no position sees those behind it.
        enable_gqa: Whether several heads of the query share one of the key.

    >>> import rushlight as torch
    >>> x = torch.ones(1, 1, 2, 4)
    >>> torch.backends.cuda.SDPAParams(x, x, x, None, 0.0, True, False).is_causal
    True
    """

    def __init__(self, query, key, value, attn_mask, dropout, is_causal, enable_gqa):
        self.query, self.key, self.value, self.attn_mask = query, key, value, attn_mask
        self.dropout, self.is_causal, self.enable_gqa = dropout, is_causal, enable_gqa


def can_use_flash_attention(params, debug=False) -> bool:
    """False: there is no such kernel.

    Args:
        params: The call, as `SDPAParams`.
        debug: Whether a warning says why not.

    >>> import rushlight as torch
    >>> x = torch.ones(1, 1, 2, 4)
    >>> torch.backends.cuda.can_use_flash_attention(torch.backends.cuda.SDPAParams(x, x, x, None, 0.0, True, False))
    False
    """
    return False


def can_use_efficient_attention(params, debug=False) -> bool:
    """False: there is no such kernel.

    Args:
        params: The call, as `SDPAParams`.
        debug: Whether a warning says why not.

    >>> import rushlight as torch
    >>> x = torch.ones(1, 1, 2, 4)
    >>> torch.backends.cuda.can_use_efficient_attention(torch.backends.cuda.SDPAParams(x, x, x, None, 0.0, True, False))
    False
    """
    return False


def can_use_cudnn_attention(params, debug=False) -> bool:
    """False: there is no such kernel.

    Args:
        params: The call, as `SDPAParams`.
        debug: Whether a warning says why not.

    >>> import rushlight as torch
    >>> x = torch.ones(1, 1, 2, 4)
    >>> torch.backends.cuda.can_use_cudnn_attention(torch.backends.cuda.SDPAParams(x, x, x, None, 0.0, True, False))
    False
    """
    return False


_sdp = _settings.attention_kernels


def _declare_switch(kind, enabled_name, enable_name, complaint):
    def is_enabled():
        return _sdp[kind]

    def enable(enabled):
        if type(enabled) is not bool:
            raise RuntimeError(f"{complaint}{type(enabled).__name__}")
        _sdp[kind] = enabled

    is_enabled.__name__, enable.__name__ = enabled_name, enable_name
    is_enabled.__doc__ = f"What `{enable_name}` has set.\n\n{example(f'torch.backends.cuda.{enabled_name}()', _sdp[kind])}"
    enable.__doc__ = f"""Sets what `{enabled_name}` tells, and nothing else: one kernel serves every call.

Args:
    enabled: A bool; RuntimeError with anything else.

{example(f"torch.backends.cuda.{enable_name}({_sdp[kind]})", None)}"""
    globals().update({enabled_name: is_enabled, enable_name: enable})


_COMPLAINT = "set_sdp_use_math expects a bool, but got "
for _kind in ("flash", "mem_efficient", "math", "cudnn"):
    _declare_switch(
        _kind,
        f"{_kind}_sdp_enabled",
        f"enable_{_kind}_sdp",
        _COMPLAINT if _kind != "cudnn" else "set_sdp_use_cudnn expects a bool, but got %s",
    )
_declare_switch("reduction", "fp16_bf16_reduction_math_sdp_allowed", "allow_fp16_bf16_reduction_math_sdp", _COMPLAINT)


@contextlib.contextmanager
def sdp_kernel(enable_flash=True, enable_math=True, enable_mem_efficient=True, enable_cudnn=True):
    """Allows kinds of attention kernels within a block.

    Args:
        enable_flash: Whether flash attention may serve a call.
        enable_math: Whether the formula may, which is what there is here.
        enable_mem_efficient: Whether memory-efficient attention may.
        enable_cudnn: Whether cuDNN may.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> with torch.backends.cuda.sdp_kernel(enable_flash=False): torch.backends.cuda.flash_sdp_enabled()
    False
    """
    warn_user(
        "`torch.backends.cuda.sdp_kernel()` is deprecated. In the future, this context manager will be removed. Please see "
        "`torch.nn.attention.sdpa_kernel()` for the new context manager, with updated signature.",
        FutureWarning,
    )
    before = dict(_sdp)
    _sdp.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn)
    try:
        yield {}
    finally:
        _sdp.update(before)


def _declare_library(function_name, kind, names, default):
    choices = enum.Enum(kind, {name: number for number, name in enumerate(names)}, module="torch._C")
    by_name = {name.lower(): choice for name, choice in zip(names, choices)}
    chosen = [choices[default]]

    def prefer(backend=None):
        if isinstance(backend, str):
            if backend not in by_name:
                raise RuntimeError(f"Unknown input value. Choose from: {', '.join(by_name)}.")
            chosen[0] = by_name[backend]
        elif isinstance(backend, choices):
            chosen[0] = backend
        elif backend is not None:
            raise RuntimeError("Unknown input value type.")
        return chosen[0]

    prefer.__name__ = function_name
    prefer.__doc__ = f"""Chooses a library, which is remembered, and returns the choice.

Args:
    backend: {", ".join(map(repr, by_name))}, or a choice that was returned; None chooses nothing.

{example(f"torch.backends.cuda.{function_name}()", chosen[0])}"""
    globals()[function_name] = prefer


_declare_library("preferred_blas_library", "_BlasBackend", ("Default", "Cublas", "Cublaslt", "Ck"), "Cublas")
_declare_library("preferred_linalg_library", "_LinalgBackend", ("Default", "Cusolver", "Magma"), "Default")
_declare_library("preferred_rocm_fa_library", "_ROCmFABackend", ("Default", "AOTriton", "Ck"), "Default")


def blas_workspace_size(size=None, backend=None):
    """Raises: there is no workspace.

    Args:
        size: How many bytes it should have; None asks.
        backend: Of which library.

    >>> import rushlight as torch
    >>> torch.backends.cuda.blas_workspace_size()
    Traceback (most recent call last):
        ...
    AttributeError: module 'torch._C' has no attribute '_cuda_getCublasWorkspaceSize'
    """
    raise no_binding("_cuda_getCublasWorkspaceSize")
