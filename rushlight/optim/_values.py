"""What the algorithms share: checks of options, the count of steps, and which tensors the fused kernels take."""

import rushlight as torch
from rushlight import core

_FUSED_DEVICES = ["mps", "cuda", "xpu", "hpu", "cpu", "mtia", "privateuseone"]
_CAPTURABLE_DEVICES = ["cuda", "xpu", "hpu", "privateuseone", "xla"]


def check_single(name: str, value, *, foreach_allowed: bool = True) -> None:
    """A tensor in place of a number must have one element, and may bar the foreach implementation."""
    if isinstance(value, torch.Tensor):
        if not foreach_allowed:
            raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
        if value.numel() != 1:
            raise ValueError(f"Tensor {name} must be 1-element")


def check_not_negative(**options) -> None:
    """Raises ValueError for the first option that is negative or NaN."""
    for name, value in options.items():
        if not value >= 0.0:
            what = {"lr": "learning rate", "eps": "epsilon value"}.get(name, f"{name} value")
            raise ValueError(f"Invalid {what}: {value}")


def check_fused(fused: bool | None, differentiable: bool, foreach: bool | None) -> None:
    """`fused` excludes both other ways to run a step."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def check_param(param, *, fused: bool | None = False, capturable: bool = False) -> None:
    """Raises for a parameter that the group's options cannot be applied to; both options were made for other devices."""
    if capturable:
        raise AssertionError(f"If capturable=True, params and state_steps must be on supported devices: {_CAPTURABLE_DEVICES}.")
    if fused and not param.is_floating_point():
        raise RuntimeError(
            "`fused=True` requires all the params to be floating point Tensors of supported devices: "
            f"{_FUSED_DEVICES} but {param.dtype} and {param.device.type}"
        )


def step_dtype(fused: bool | None = False):
    """The dtype of the count of steps: it follows a default of float64, but for fused updates."""
    return torch.float64 if not fused and torch.get_default_dtype() == torch.float64 else torch.float32


def counts_to_tensors(optimizer, fused: bool | None = False) -> None:
    """Makes counts of steps tensors, which old checkpoints hold as numbers."""
    for state in optimizer.state.values():
        if isinstance(state, dict) and "step" in state and not isinstance(state["step"], torch.Tensor):
            state["step"] = torch.tensor(float(state["step"]), dtype=step_dtype(fused))


def scalar(value):
    """A tensor of one element without its dimensions; a number as it is."""
    return value.squeeze() if isinstance(value, torch.Tensor) and value.dim() else value


def number(value):
    """The number that an op takes as `alpha` or `value`."""
    return value.item() if isinstance(value, torch.Tensor) else value


def with_decay(grad, param, weight_decay):
    """The gradient with that of the L2 penalty; a penalty that needs a gradient itself reads the parameter as it is now."""
    if isinstance(weight_decay, torch.Tensor) and weight_decay.requires_grad:
        return grad.addcmul(param.clone(), weight_decay)
    return grad.add(param, alpha=number(weight_decay))


def as_real(param, grad, *state):
    """A complex parameter and what belongs to it as real views with one more dimension: the averages of real and imaginary part are apart.

    (PyTorch refuses a gradient that is a lazy conjugate.)
    """
    tensors = (param, grad.resolve_conj(), *state) if param.is_complex() else (param, grad, *state)
    return tuple(x if x is None or not x.is_complex() else torch.view_as_real(x) for x in tensors)


kernel_takes = core.are_alike
"""Whether a fused kernel applies: dense float32 or float64 tensors, alike in dtype and shape."""
