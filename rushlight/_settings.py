"""Switches that programs set at their start. On the CPU most only have to remember what they were given."""

from rushlight import core
from rushlight._warned import set_warns_always
from rushlight.core import Tensor, device, dtype, warn_user

# Every kernel gives the same bits in every run and for any number of threads, so nothing depends on these two.
_deterministic = "default"
_warn_only = False
_fill = True
_matmul_precision = "highest"


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Asks for the same results in every run, which the CPU's kernels always give.

    Args:
        mode: On or off.
        warn_only: Whether what has no such way would warn instead of raising; nothing here.

    >>> import rushlight as torch
    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.use_deterministic_algorithms(False)
    """
    global _deterministic, _warn_only
    if not isinstance(mode, bool):
        raise TypeError(f"_set_deterministic_algorithms(): argument 'mode' (position 1) must be bool, not {type(mode).__name__}")
    if not isinstance(warn_only, bool):
        raise TypeError(f"_set_deterministic_algorithms(): argument 'warn_only' must be bool, not {type(warn_only).__name__}")
    _deterministic = ("warn" if warn_only else "error") if mode else "default"
    _warn_only = warn_only
    set_filling(_fill)


def set_filling(fill) -> None:
    """Whether new memory is filled while deterministic algorithms are asked for."""
    global _fill
    _fill = fill
    core.fills_unset(fill and _deterministic != "default")


def is_filling() -> bool:
    return _fill


def are_deterministic_algorithms_enabled() -> bool:
    """Whether `use_deterministic_algorithms(True)` was called.

    >>> import rushlight as torch
    >>> torch.are_deterministic_algorithms_enabled()
    False
    """
    return _deterministic != "default"


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether `use_deterministic_algorithms` was called with `warn_only=True`.

    >>> import rushlight as torch
    >>> torch.is_deterministic_algorithms_warn_only_enabled()
    False
    """
    return _warn_only


MODES = ("default", "warn", "error")


def set_deterministic_debug_mode(debug_mode) -> None:
    """`use_deterministic_algorithms` by a name or number `debug_mode`: "default" (0), "warn" (1) or "error" (2).

    >>> import rushlight as torch
    >>> torch.set_deterministic_debug_mode("warn")
    >>> torch.get_deterministic_debug_mode()
    1
    >>> torch.set_deterministic_debug_mode(0)
    """
    global _deterministic, _warn_only
    if not isinstance(debug_mode, (int, str)):
        raise TypeError(f"debug_mode must be str or int, but got {type(debug_mode)}")
    if isinstance(debug_mode, int):
        if not 0 <= debug_mode <= 2:
            raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
        debug_mode = MODES[debug_mode]
    if debug_mode not in MODES:
        raise RuntimeError(f"invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got {debug_mode}")
    _deterministic, _warn_only = debug_mode, debug_mode == "warn"
    set_filling(_fill)


def get_deterministic_debug_mode() -> int:
    """0 for "default", 1 for "warn", 2 for "error".

    >>> import rushlight as torch
    >>> torch.get_deterministic_debug_mode()
    0
    """
    return MODES.index(_deterministic)


def set_float32_matmul_precision(precision: str) -> None:
    """Allows less exact products of float32 matrices on hardware that has them; the CPU's stay exact.

    Args:
        precision: "highest", "high" or "medium"; others warn, and change nothing.

    >>> import rushlight as torch
    >>> torch.set_float32_matmul_precision("high")
    >>> torch.get_float32_matmul_precision()
    'high'
    >>> torch.set_float32_matmul_precision("highest")
    """
    global _matmul_precision
    if not isinstance(precision, str):
        raise RuntimeError(f"set_float32_matmul_precision expects a str, but got {type(precision).__name__}")
    if precision not in ("highest", "high", "medium"):
        warn_user(
            f"{precision} is not one of 'highest', 'high', or 'medium'; the current setFloat32MatmulPrecision call has no effect."
        )
        return
    _matmul_precision = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was given.

    >>> import rushlight
    >>> rushlight.get_float32_matmul_precision()
    'highest'
    """
    return _matmul_precision


def set_default_device(device) -> None:
    """Sets the `device` where tensors are made: on the CPU (None), or as "meta" without memory.

    >>> import rushlight as torch
    >>> torch.set_default_device("meta")
    >>> torch.zeros(2).device
    device(type='meta')
    >>> torch.set_default_device(None)
    """
    from rushlight.utils import _device

    _device.set_default(device)


def get_default_device() -> device:
    """Where tensors are made.

    >>> import rushlight
    >>> rushlight.get_default_device()
    device(type='cpu')
    """
    from rushlight.utils import _device

    return _device.current() or device("cpu")


def set_default_tensor_type(t) -> None:
    """Sets the default dtype by a tensor type `t` such as `torch.DoubleTensor`, or its name.
    `set_default_dtype` is the newer way.

    >>> import warnings, rushlight as torch
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.set_default_tensor_type("torch.FloatTensor")
    >>> torch.zeros(1).dtype
    torch.float32
    """
    core.warn_once(
        "torch.set_default_tensor_type() is deprecated as of PyTorch 2.1, please use torch.set_default_dtype() and "
        "torch.set_default_device() as alternatives."
    )
    found = {f"torch.{dtype.legacy_name}Tensor": dtype for dtype in core.dtype_by_name.values()}
    name = t if isinstance(t, str) else "torch.FloatTensor" if t is Tensor else f"torch.{getattr(t, '__name__', '')}"
    dtype = found.get(name)
    if getattr(t, "__module__", "") == "torch.cuda":
        raise TypeError(f"type {t.__module__}.{t.__name__} not available. Torch not compiled with CUDA enabled.")
    if dtype is None and not isinstance(t, str):
        raise TypeError("invalid type object: only floating-point types are supported as the default type")
    if dtype is None:
        raise TypeError(f"type {t} not available")
    set_default_dtype(dtype)


attention_kernels = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True, "overrideable": True, "reduction": False}
"""Which ways to compute attention are allowed, of which the CPU has "flash" and "math"; and whether halves may be added up as halves."""


_warns_always = False


def set_warn_always(b, /):
    """Whether warnings that come only once come every time.

    Args:
        b: whether they do.

    >>> import rushlight as torch
    >>> torch.set_warn_always(True)
    >>> torch.is_warn_always_enabled()
    True
    >>> torch.set_warn_always(False)
    """
    global _warns_always
    if type(b) is not bool:
        raise TypeError(f"setWarnOnlyOnce expects a bool, but got {type(b).__name__}")
    _warns_always = b
    set_warns_always(b)


def is_warn_always_enabled():
    """Whether warnings that come only once come every time, as `set_warn_always` was told.

    >>> import rushlight as torch
    >>> torch.is_warn_always_enabled()
    False
    """
    return _warns_always


def set_default_dtype(d: dtype) -> None:
    """Sets the dtype of tensors made from Python floats.

    Args:
        d: a floating dtype; TypeError for others.

    >>> import rushlight as torch
    >>> torch.set_default_dtype(torch.float64)
    >>> torch.tensor([1.5]).dtype
    torch.float64
    >>> torch.set_default_dtype(torch.float32)
    """
    if type(d) is not dtype:
        raise TypeError("invalid dtype object: only floating-point types are supported as the default type")
    if not d.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    core.use_default_dtype(d)


def get_num_threads() -> int:
    """The number of threads that large operations are split over.

    >>> import rushlight as torch
    >>> torch.get_num_threads() > 0
    True
    """
    return core.thread_total()


def set_num_threads(count: int) -> None:
    """Sets the number of threads that large operations are split over. Results do not depend on it.

    Args:
        count: how many; RuntimeError where it is not positive.

    >>> import rushlight as torch
    >>> before = torch.get_num_threads()
    >>> torch.set_num_threads(1)
    >>> torch.get_num_threads()
    1
    >>> torch.set_num_threads(before)
    """
    if type(count) is not int:
        raise RuntimeError(f"set_num_threads expects an int, but got {type(count).__name__}")
    if count <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    core.use_threads(count)
