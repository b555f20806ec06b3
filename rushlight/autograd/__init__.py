"""Automatic differentiation: backward, grad, the modes that switch recording, and operations of one's own."""

from rushlight import core
from rushlight._late import late as _late
from rushlight.autograd import anomaly_mode, forward_ad, function, grad_mode, graph
from rushlight.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from rushlight.autograd.engine import _calculate_shape, backward, grad
from rushlight.autograd.function import Function, NestedIOFunction
from rushlight.autograd.gradcheck import gradcheck, gradgradcheck
from rushlight.autograd.graph import _unsafe_preserve_version_counter
from rushlight.autograd.grad_mode import (
    _force_original_view_tracking,
    enable_grad,
    enforce_grad_layout_policy,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from rushlight.autograd.variable import Variable, variable
from rushlight.core import SavedTensor


def is_multithreading_enabled():
    """What `set_multithreading_enabled` has set."""
    return core.set_multithreading(None)


def is_view_replay_enabled():
    """What programs were told of how histories of views are made anew."""
    return grad_mode.view_replay.enabled


_is_checkpoint_valid = Variable._execution_engine.is_checkpoint_valid

__all__ = [
    "Function",
    "NestedIOFunction",
    "Variable",
    "anomaly_mode",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "enforce_grad_layout_policy",
    "forward_ad",
    "function",
    "functional",
    "grad",
    "grad_mode",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "no_grad",
    "profiler",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
    "variable",
]

_LATE = {
    "functional": "rushlight.autograd.functional",
    "profiler": "rushlight.autograd.profiler",
    "profiler_util": "rushlight.autograd.profiler_util",
    **{
        name: f"rushlight.autograd.profiler:{name}"
        for name in ("_enable_record_function", "_profiler_enabled", "kineto_available")
    },
    **{name: f"rushlight.profiler:{name}" for name in ("DeviceType", "ProfilerActivity", "ProfilerState")},
}
__getattr__ = _late(__name__, _LATE)


def __dir__():
    return sorted({*globals(), *_LATE})
