"""Stochastic gradient descent, with momentum as in Sutskever et al. (2013)."""

import rushlight as torch
from rushlight.core import kernel, mark_written
from rushlight.optim._values import check_fused, check_param, check_single, kernel_takes, number, scalar, with_decay
from rushlight.optim.optimizer import Optimizer, _evaluate, _use_grad_for_differentiable

__all__ = ["SGD"]

_sgd_step = kernel("sgd_step")


def _update(param, grad, buffer, *, lr, momentum, dampening, weight_decay, nesterov, maximize):
    """One step of `param` in place; returns the momentum buffer, made from the gradient where there was none."""
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = with_decay(grad, param, weight_decay)
    if momentum != 0:
        if buffer is None:
            buffer = grad.detach().clone()
        else:
            buffer.mul_(momentum).add_(grad, alpha=1 - dampening)
        grad = grad.add(buffer, alpha=momentum) if nesterov else buffer
    if isinstance(lr, torch.Tensor) and lr.requires_grad:
        param.addcmul_(grad, lr, value=-1)
    else:
        param.add_(grad, alpha=-number(lr))
    return buffer


class SGD(Optimizer):
    """Stochastic gradient descent: `buffer = momentum * buffer + (1 - dampening) * grad`, `param -= lr * buffer`.

    Args:
        lr: learning rate, a number or a tensor of one element.
        momentum: the part of the last direction that is kept.
        dampening: the part of the gradient that is left out of the direction.
        weight_decay: factor of an L2 penalty.
        nesterov: look ahead along the direction; needs momentum and no dampening.
        maximize: ascend.
        differentiable: record the step, so that it can be differentiated.
        foreach, fused: accepted; there is one implementation.
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0,
        dampening=0,
        weight_decay=0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        check_single("lr", lr)
        if lr < 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = dict(
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
            foreach=foreach,
            differentiable=differentiable,
            fused=fused,
        )
        super().__init__(params, defaults)
        check_fused(fused, differentiable, foreach)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            for name, default in dict(nesterov=False, maximize=False, foreach=None, differentiable=False, fused=False).items():
                group.setdefault(name, default)

    @_use_grad_for_differentiable
    def step(self, closure=None):
        loss = _evaluate(closure)
        for group in self.param_groups:
            lr, momentum, dampening = scalar(group["lr"]), group["momentum"], group["dampening"]
            weight_decay, nesterov, maximize = group["weight_decay"], group["nesterov"], group["maximize"]
            fused = group["fused"]
            plain = not (group["differentiable"] or isinstance(lr, torch.Tensor) or isinstance(weight_decay, torch.Tensor))
            if plain:
                # Kernels tell numbers by their type.
                numbers = (float(lr), float(momentum), float(dampening), float(weight_decay), bool(nesterov), bool(maximize))
            for param in group["params"]:
                grad = param.grad
                if grad is None:
                    continue
                if fused:
                    check_param(param, fused=True)
                buffer = self.state[param].get("momentum_buffer") if momentum != 0 else None
                first = buffer is None
                if plain and (kernel_takes(param, grad) if first else kernel_takes(param, grad, buffer)):
                    if first and momentum != 0:
                        buffer = torch.empty_like(param)
                    _sgd_step(param, grad, buffer, *numbers, first)
                    mark_written(param)
                    if buffer is not None:
                        mark_written(buffer)
                else:
                    buffer = _update(
                        param,
                        grad,
                        buffer,
                        lr=lr,
                        momentum=momentum,
                        dampening=dampening,
                        weight_decay=weight_decay,
                        nesterov=nesterov,
                        maximize=maximize,
                    )
                if first and momentum != 0:
                    self.state[param]["momentum_buffer"] = buffer
        return loss
