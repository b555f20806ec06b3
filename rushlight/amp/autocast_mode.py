"""Autocast: within it ops compute in the dtype that serves them best."""

import functools
from typing import Any

import rushlight as torch
from rushlight.amp import _casting
from rushlight.core import device as _device
from rushlight.core import dtype as _dtype
from rushlight.core import warn_user

__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]


def warn_deprecated(old, new):
    """Warns of a name that another one has replaced."""
    warn_user(f"`{old}` is deprecated. Please use `{new}` instead.", FutureWarning)


def _require(name, place, argument, kind, value):
    """Refuses an argument of another type, in the words of PyTorch's parsers."""
    if not isinstance(value, kind):
        wanted = "torch.dtype" if kind is _dtype else kind.__name__
        raise TypeError(f"{name}(): argument '{argument}' (position {place}) must be {wanted}, not {type(value).__name__}")


def _require_itself(argument, kind, value):
    """The same for what takes one argument."""
    if not isinstance(value, kind):
        wanted = "torch.dtype" if kind is _dtype else kind.__name__
        raise TypeError(f"{argument} must be a {wanted} (got {type(value).__name__})")


def _known(device_type, error="unknown device type for autocast in get_autocast_dispatch_key_from_device_type"):
    device_type = _device(device_type).type
    if device_type not in _casting.DEVICES:
        raise RuntimeError(error)
    return device_type


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast knows the type of devices `device_type`.

    >>> import rushlight as torch
    >>> torch.amp.is_autocast_available("cpu")
    True
    """
    return _device(device_type).type in _casting.DEVICES


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether autocast is on for devices of `device_type`.

    Args:
        device_type: the name of a type of devices.

    >>> import rushlight as torch
    >>> with torch.autocast("cpu"):
    ...     torch.is_autocast_enabled("cpu")
    True
    """
    _require("is_autocast_enabled", 1, "device_type", str, device_type)
    return _casting.is_enabled(_known(device_type))


def set_autocast_enabled(*arguments, device_type=None, enabled=None) -> None:
    """Switches autocast: `set_autocast_enabled(device_type, enabled)`, or for CUDA `set_autocast_enabled(enabled)`.

    Args:
        arguments: the two by position, or for CUDA `enabled` alone.
        device_type: the name of a type of devices.
        enabled: whether it is on.

    >>> import rushlight as torch
    >>> torch.set_autocast_enabled("cpu", False)
    """
    if len(arguments) == 2:
        device_type, enabled = arguments
    elif len(arguments) == 1 and enabled is None:
        device_type, enabled = device_type or "cuda", arguments[0]
    elif len(arguments) == 1:
        (device_type,) = arguments
    _require("set_autocast_enabled", 1, "device_type", str, device_type)
    _require("set_autocast_enabled", len(arguments) or 2, "enabled", bool, enabled)
    _casting.set_enabled(_known(device_type), enabled)


def get_autocast_dtype(device_type: str):
    """The dtype in which autocast multiplies on devices of `device_type`.

    >>> import rushlight as torch
    >>> torch.get_autocast_dtype("cpu")
    torch.bfloat16
    """
    _require("get_autocast_dtype", 1, "device_type", str, device_type)
    return _casting.state.dtypes[_known(device_type, "unsupported scalarType")]


def set_autocast_dtype(device_type: str, dtype) -> None:
    """Sets what `get_autocast_dtype` gives.

    Args:
        device_type: the name of a type of devices.
        dtype: bfloat16 or float16.

    >>> import rushlight as torch
    >>> torch.set_autocast_dtype("cpu", torch.bfloat16)
    """
    _require("set_autocast_dtype", 1, "device_type", str, device_type)
    _require("set_autocast_dtype", 2, "dtype", _dtype, dtype)
    _casting.state.dtypes[_known(device_type)] = dtype


def is_autocast_cache_enabled() -> bool:
    """Whether a parameter is cast once and not again until autocast ends.

    >>> import rushlight as torch
    >>> torch.is_autocast_cache_enabled()
    True
    """
    return _casting.state.cache_enabled


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Sets what `is_autocast_cache_enabled` gives: `enabled`.

    >>> import rushlight as torch
    >>> torch.set_autocast_cache_enabled(True)
    """
    _require_itself("enabled", bool, enabled)
    _casting.state.cache_enabled = enabled


def clear_autocast_cache() -> None:
    """Forgets what was cast.

    >>> import rushlight as torch
    >>> torch.clear_autocast_cache()
    """
    _casting.state.cached.clear()


def autocast_increment_nesting() -> int:
    """One level deeper; returns how deep.

    >>> import rushlight as torch
    >>> torch.autocast_increment_nesting(), torch.autocast_decrement_nesting()
    (1, 0)
    """
    _casting.state.nesting += 1
    return _casting.state.nesting


def autocast_decrement_nesting() -> int:
    """One level less deep; returns how deep.

    >>> import rushlight as torch
    >>> torch.autocast_increment_nesting(), torch.autocast_decrement_nesting()
    (1, 0)
    """
    _casting.state.nesting -= 1
    return _casting.state.nesting


DEFAULTS = {
    **{(True, device): False for device in ("cpu", "ipu", "xla", "cuda")},
    **{
        (False, "cpu"): "torch.bfloat16",
        (False, "ipu"): "torch.float16",
        (False, "xla"): "torch.bfloat16",
        (False, "cuda"): "torch.float16",
    },
}
"""What `is_autocast_enabled` (True) and `get_autocast_dtype` give for a type of devices at first."""


def _of_one_device(device, kind):
    """The four functions that the general ones have replaced."""

    def warn(name, general):
        warn_user(f"torch.{name} is deprecated. Please use torch.{general} instead.", DeprecationWarning)

    def is_enabled():
        warn(f"is_autocast_{kind}_enabled()", f"is_autocast_enabled('{device}')")
        return _casting.is_enabled(device)

    def set_enabled(enabled):
        warn(f"set_autocast_{kind}_enabled(enabled)", f"set_autocast_enabled('{device}', enabled)")
        _require_itself("enabled", bool, enabled)
        _casting.set_enabled(device, enabled)

    def get_dtype():
        warn(f"get_autocast_{kind}_dtype()", f"get_autocast_dtype('{device}')")
        return _casting.state.dtypes[device]

    def set_dtype(dtype):
        warn(f"set_autocast_{kind}_dtype(dtype)", f"set_autocast_dtype('{device}', dtype)")
        _require_itself("dtype", _dtype, dtype)
        _casting.state.dtypes[device] = dtype

    named = {
        f"is_autocast_{kind}_enabled": is_enabled,
        f"set_autocast_{kind}_enabled": set_enabled,
        f"get_autocast_{kind}_dtype": get_dtype,
        f"set_autocast_{kind}_dtype": set_dtype,
    }
    for name, function in named.items():
        function.__name__ = function.__qualname__ = name
        newer = name.replace(f"_{kind}_", "_") + f"('{device}'" + (", …)" if name.startswith("set") else ")")
        shown = f"is_autocast_enabled('{device}')" if "enabled" in name else f"get_autocast_dtype('{device}')"
        enabled = "\n\nArgs:\n    enabled: A bool." if name.endswith("enabled") and name.startswith("set") else ""
        function.__doc__ = (
            f"Deprecated: `torch.{newer}` is what to use.{enabled}\n\n>>> torch.{shown}\n{DEFAULTS['enabled' in name, device]}\n"
        )
    return named


_OLD: dict = _of_one_device("cpu", "cpu") | _of_one_device("ipu", "ipu") | _of_one_device("xla", "xla")
_OLD |= {name: function for name, function in _of_one_device("cuda", "gpu").items() if "dtype" in name}


def __getattr__(name: str) -> Any:
    if name in _OLD:
        return _OLD[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def autocast_decorator(autocast_instance, func):
    """The function `func`, run within an autocast, `autocast_instance`.

    >>> import rushlight as torch
    >>> from rushlight.amp.autocast_mode import autocast_decorator
    >>> product = autocast_decorator(torch.autocast("cpu"), torch.mm)
    >>> product(torch.ones(2, 2), torch.ones(2, 2)).dtype
    torch.bfloat16
    """

    @functools.wraps(func)
    def decorate_autocast(*args, **kwargs):
        with autocast_instance:
            return func(*args, **kwargs)

    decorate_autocast.__script_unsupported = "@autocast() decorator is not supported in script mode"
    return decorate_autocast


class autocast:
    """A context, or decorator, in which products are computed in bfloat16 or float16, and what needs range or sums much in float32.

    Args:
        device_type: "cpu"; autocast for other devices casts nothing here.
        dtype: bfloat16 (default) or float16.
        enabled: False switches autocast off within.
        cache_enabled: Whether a parameter is cast once.

    >>> import rushlight as torch
    >>> with torch.autocast("cpu"):
    ...     product = torch.ones(2, 2) @ torch.ones(2, 2)
    >>> product.dtype
    torch.bfloat16
    """

    def __init__(self, device_type, dtype=None, enabled=True, cache_enabled=None):
        if not isinstance(device_type, str):
            raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
        self.fast_dtype = get_autocast_dtype(device_type) if dtype is None else dtype
        if not is_autocast_available(device_type):
            raise RuntimeError(f"User specified an unsupported autocast device_type '{device_type}'")
        self.device = device_type
        self.custom_backend_name = "privateuseone"
        self._cache_enabled = is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        if device_type == "cuda" and enabled:
            warn_user("CUDA is not available or torch_xla is imported. Disabling autocast.")
            enabled = False
        elif device_type == "cpu" and enabled and self.fast_dtype not in (torch.bfloat16, torch.float16):
            warn_user(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently."
            )
            enabled = False
        self._enabled = enabled

    def __enter__(self):
        state = _casting.state
        self.prev_cache_enabled = state.cache_enabled
        self.prev = self.device in state.enabled
        self.prev_fastdtype = state.dtypes[self.device]
        _casting.set_enabled(self.device, self._enabled)
        state.dtypes[self.device] = self.fast_dtype
        state.cache_enabled = self._cache_enabled
        autocast_increment_nesting()
        return self

    def __exit__(self, exc_type, exc_val, exc_tb):
        if autocast_decrement_nesting() == 0:
            clear_autocast_cache()
        _casting.set_enabled(self.device, self.prev)
        _casting.state.dtypes[self.device] = self.prev_fastdtype
        _casting.state.cache_enabled = self.prev_cache_enabled
        return False

    def __call__(self, func):
        return autocast_decorator(self, func)


def _enter_autocast(*vals):
    mode = autocast(*vals)
    mode.__enter__()
    return mode


def _exit_autocast(mode):
    mode.__exit__(None, None, None)


def _check_device_type(device_type):
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")


def _cast(value: Any, device_type: str, dtype):
    """A tensor, and those in lists, tuples and dicts, in `dtype` where they are of another floating point dtype and not float64."""
    if isinstance(value, torch.Tensor):
        return value.to(dtype) if value.device.type == device_type and _casting.is_cast(value) else value
    if isinstance(value, (str, bytes)):
        return value
    if isinstance(value, dict):
        return {_cast(key, device_type, dtype): _cast(item, device_type, dtype) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_cast(item, device_type, dtype) for item in value])
    return value


def custom_fwd(fwd=None, *, device_type, cast_inputs=None):
    """Decorates the forward of an `autograd.Function`, whose backward `custom_bwd` decorates:
    that runs in the state of autocast of forward.

    Args:
        fwd: The forward; without it, this is a decorator with options.
        device_type: "cpu", or another type of devices.
        cast_inputs: Where given, the forward runs outside of autocast on inputs of this dtype.

    >>> import rushlight as torch
    >>> class Product(torch.autograd.Function):
    ...     @staticmethod
    ...     @torch.amp.custom_fwd(device_type="cpu")
    ...     def forward(ctx, a, b):
    ...         ctx.save_for_backward(a, b)
    ...         return a @ b
    ...     @staticmethod
    ...     @torch.amp.custom_bwd(device_type="cpu")
    ...     def backward(ctx, g):
    ...         a, b = ctx.saved_tensors
    ...         return g @ b.t(), a.t() @ g
    >>> with torch.autocast("cpu"):
    ...     print(Product.apply(torch.ones(2, 2), torch.ones(2, 2)).dtype)
    torch.bfloat16
    """
    _check_device_type(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def decorate_fwd(*args, **kwargs):
        context = args[0]
        context._dtype = get_autocast_dtype(device_type)
        active = is_autocast_enabled(device_type)
        if cast_inputs is None or not active:
            context._fwd_used_autocast = active and cast_inputs is None
            return fwd(*args, **kwargs)
        context._fwd_used_autocast = False
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return decorate_fwd


def custom_bwd(bwd=None, *, device_type):
    """Decorates the backward `bwd` of an `autograd.Function`, whose forward `custom_fwd` decorates:
    it runs in that one's state of autocast.

    `device_type` is as there, where an example stands.

    >>> import rushlight as torch
    >>> decorated = torch.amp.custom_bwd(lambda ctx, g: 2 * g, device_type="cpu")
    >>> callable(decorated)
    True
    """
    _check_device_type(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def decorate_bwd(*args, **kwargs):
        with autocast(device_type=device_type, enabled=args[0]._fwd_used_autocast, dtype=args[0]._dtype):
            return bwd(*args, **kwargs)

    return decorate_bwd
