"""A library of a device that is not there: what programs set is remembered, and nothing depends on it."""

import rushlight as _torch
from rushlight.backends import _Setting, _within

enabled = True
deterministic = False
benchmark = False
benchmark_limit = None
allow_tf32 = True
fp32_precision = "none"
conv = _Setting(fp32_precision="tf32")
rnn = _Setting(fp32_precision="tf32")
CUDNN_TENSOR_DTYPES = {_torch.half, _torch.float, _torch.double}


def is_available() -> bool:
    """False."""
    return False


def version():
    """None."""
    return None


def is_acceptable(tensor) -> bool:
    """False: no tensor lies on such a device."""
    return False


def set_flags(
    _enabled=None,
    _benchmark=None,
    _benchmark_limit=None,
    _deterministic=None,
    _allow_tf32=None,
    _fp32_precision="none",
    _rnn_backend=None,
):
    """Sets those that are given, and returns what all were before."""
    names = globals()
    given = {
        "enabled": _enabled,
        "benchmark": _benchmark,
        "benchmark_limit": _benchmark_limit,
        "deterministic": _deterministic,
        "allow_tf32": _allow_tf32,
    }
    before = tuple(names[name] for name in given)
    names.update({name: value for name, value in given.items() if value is not None})
    return (*before, fp32_precision, "auto")


def flags(
    enabled=False,
    benchmark=False,
    benchmark_limit=10,
    deterministic=False,
    allow_tf32=True,
    fp32_precision="none",
    rnn_backend=None,
):
    """Sets them all for a `with` block."""
    given = dict(locals())
    del given["rnn_backend"]
    return _within(globals(), given)
