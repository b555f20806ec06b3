"""Automatic differentiation: backward, grad, the modes that switch recording, and operations of one's own."""

from rushlight.autograd import forward_ad, function, grad_mode, graph
from rushlight.autograd.engine import backward, grad
from rushlight.autograd.function import Function
from rushlight.autograd.graph import _unsafe_preserve_version_counter
from rushlight.autograd.grad_mode import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
    set_multithreading_enabled,
)
from rushlight.autograd.variable import Variable

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "forward_ad",
    "function",
    "grad",
    "grad_mode",
    "graph",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]
