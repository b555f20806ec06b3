"""Libraries and devices that PyTorch computes with, as programs ask for them. Settings of those that are not there are only remembered."""

import contextlib as _contextlib

from rushlight._late import late as _late

_PARTS = (
    "cpu", "cuda", "cudnn", "cusparselt", "kleidiai", "mha", "miopen", "mkl", "mkldnn", "mps", "nnpack", "openmp", "opt_einsum",
    "python_native", "quantized", "xnnpack",
)  # fmt: skip
__all__ = sorted(_PARTS)
fp32_precision = "none"
_frozen = False


def flags_frozen() -> bool:
    """Whether `disable_global_flags` was called."""
    return _frozen


def disable_global_flags() -> None:
    """Says that settings change within `flags()` alone; nothing here depends on it."""
    global _frozen
    _frozen = True


@_contextlib.contextmanager
def __allow_nonbracketed_mutation():
    """A context in which settings change for good even after `disable_global_flags`."""
    global _frozen
    before, _frozen = _frozen, False
    try:
        yield
    finally:
        _frozen = before


@_contextlib.contextmanager
def _within(names, given):
    """Gives module variables other values for a `with` block."""
    before = {name: names[name] for name in given}
    names.update(given)
    try:
        yield
    finally:
        names.update(before)


class _Setting:
    """A group of remembered settings; others are errors."""

    def __init__(self, **settings):
        vars(self).update(settings)

    def __getattr__(self, name):
        raise AttributeError("Unknown attribute " + name)

    def __setattr__(self, name, value):
        if name not in vars(self):
            raise AttributeError("Unknown attribute " + name)
        vars(self)[name] = value


__getattr__ = _late(__name__, {name: f"{__name__}.{name}" for name in _PARTS})
