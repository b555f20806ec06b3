"""Muon (Jordan et al., 2024): momentum made orthogonal."""

import math

import rushlight as torch
from rushlight.optim._description import DescribedOptimizer, check_single, number

__all__ = ["Muon"]


class Muon(DescribedOptimizer):
    """Muon: for matrices; the momentum's singular values are all brought close to one by Newton and Schulz's iteration.

    Args:
        params: parameters of two dimensions, or groups of them, as `Optimizer` takes them; others are a ValueError.
        lr: learning rate.
        weight_decay: factor by which parameters shrink directly.
        momentum: the part of the last mean of gradients that is kept.
        nesterov: look ahead along the mean.
        ns_coefficients: those of the polynomial that is iterated.
        eps: the least norm that a matrix is divided by.
        ns_steps: how often it is iterated, fewer than 100.
        adjust_lr_fn: how the learning rate follows from a matrix's shape: "original" (also for None) or "match_rms_adamw".

    >>> import rushlight as torch
    >>> w = torch.zeros(2, 2, requires_grad=True)
    >>> w.grad = torch.diag(torch.tensor([100.0, 1.0]))
    >>> torch.optim.Muon([w], lr=1.0, weight_decay=0.0).step()
    >>> w.detach().diag().round(decimals=1)
    tensor([-0.7000, -0.7000])
    """

    options = ("lr", "weight_decay", "momentum", "nesterov", "ns_coefficients", "eps", "ns_steps", "adjust_lr_fn")

    def __init__(
        self,
        params,
        lr=1e-3,
        weight_decay=0.1,
        momentum=0.95,
        nesterov=True,
        ns_coefficients=(3.4445, -4.7750, 2.0315),
        eps=1e-7,
        ns_steps=5,
        adjust_lr_fn=None,
    ):
        self.describe(params, locals())
        for group in self.param_groups:
            for param in group["params"]:
                if param.ndim != 2:
                    raise ValueError(f"Muon only supports 2D parameters whereas we found a parameter with size: {param.size()}")

    def check(self, options):
        check_single("lr", options["lr"])
        for name, text in (("lr", "Learning rate"), ("momentum", "momentum"), ("weight_decay", "weight decay")):
            if not options[name] >= 0.0:
                raise ValueError(f"{text} should be >= 0 but is: {options[name]}")
        if options["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {options['adjust_lr_fn']} is not supported")

    def scalars(self, group):
        return {}

    def state_names(self, group):
        return ("momentum_buffer",)

    def first_state(self, param, group):
        if param.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        return super().first_state(param, group)

    def update(self, param, grad, state, *, lr, weight_decay, momentum, nesterov, ns_coefficients, eps, ns_steps, adjust_lr_fn):
        lr, mean = number(lr), state["momentum_buffer"]
        mean.lerp_(grad, 1 - momentum)
        move = grad.lerp(mean, momentum) if nesterov else mean
        move = made_orthogonal(move, ns_coefficients, ns_steps, eps)
        rows, columns = param.shape
        if adjust_lr_fn == "match_rms_adamw":
            step_size = lr * 0.2 * math.sqrt(max(rows, columns))
        else:
            step_size = lr * math.sqrt(max(1, rows / columns))
        param.mul_(1 - lr * weight_decay)
        param.add_(move, alpha=-step_size)


def made_orthogonal(matrix, coefficients, steps, eps):
    """A matrix with the singular vectors of `matrix`, whose singular values are near one, in bfloat16."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if matrix.ndim != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    linear, cubic, quintic = coefficients
    x = matrix.bfloat16()
    tall = matrix.size(0) > matrix.size(1)
    if tall:
        x = x.T
    x = x.div(x.norm().clamp(min=eps))
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=cubic, alpha=quintic), x, beta=linear)
    return x.T if tall else x
