"""RMSprop (Hinton, lecture 6 of "Neural networks for machine learning"), centred as in Graves (2013)."""

import rushlight as torch
from rushlight.optim._values import (
    as_real,
    check_not_negative,
    check_param,
    check_single,
    counts_to_tensors,
    number,
    scalar,
    step_dtype,
    with_decay,
)
from rushlight.optim.optimizer import Optimizer, _evaluate, _use_grad_for_differentiable

__all__ = ["RMSprop"]


def _update(param, grad, square_avg, grad_avg, buffer, *, lr, alpha, eps, weight_decay, momentum, maximize, differentiable):
    """One step of `param` and its averages in place; `grad_avg` is None where it is not centred, `buffer` without momentum."""
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = with_decay(grad, param, weight_decay)
    param, grad, square_avg, grad_avg, buffer = as_real(param, grad, square_avg, grad_avg, buffer)
    square_avg.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
    variance = square_avg
    if grad_avg is not None:
        grad_avg.lerp_(grad, 1 - alpha)
        variance = square_avg.addcmul(grad_avg, grad_avg, value=-1)
    # sqrt's derivative needs its result, which must then stay as it is.
    deviation = variance.sqrt() + eps if differentiable else variance.sqrt().add_(eps)
    if buffer is not None:
        buffer.mul_(momentum).addcdiv_(grad, deviation)
        param.add_(buffer, alpha=-number(lr))
    else:
        param.addcdiv_(grad, deviation, value=-number(lr))


class RMSprop(Optimizer):
    """RMSprop: divides the gradient by the root of a running mean of its square.

    Args:
        lr: learning rate, a number or a tensor of one element.
        alpha: decay rate of the mean.
        eps: added to the root, against division by zero.
        weight_decay: factor of an L2 penalty.
        momentum: the part of the last direction that is kept.
        centered: divide by an estimate of the standard deviation instead.
        capturable: accepted for other devices' sake; the CPU does not support it.
        maximize: ascend.
        differentiable: record the step, so that it can be differentiated.
        foreach: accepted; there is one implementation.
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        alpha=0.99,
        eps=1e-8,
        weight_decay=0,
        momentum=0,
        centered=False,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        check_single("lr", lr)
        check_not_negative(lr=lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = dict(
            lr=lr,
            momentum=momentum,
            alpha=alpha,
            eps=eps,
            centered=centered,
            weight_decay=weight_decay,
            capturable=capturable,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
        )
        super().__init__(params, defaults)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("momentum", 0)
            group.setdefault("foreach", None)
            for name in ("centered", "maximize", "differentiable", "capturable"):
                group.setdefault(name, False)
        counts_to_tensors(self)

    def _new_state(self, param, group) -> dict:
        names = ["square_avg"]
        names += ["momentum_buffer"] if group["momentum"] > 0 else []
        names += ["grad_avg"] if group["centered"] else []
        state = {"step": torch.zeros((), dtype=step_dtype())}
        for name in names:
            state[name] = torch.zeros_like(param, memory_format=torch.preserve_format)
        return state

    @_use_grad_for_differentiable
    def step(self, closure=None):
        loss = _evaluate(closure)
        for group in self.param_groups:
            centered, momentum, capturable = group["centered"], group["momentum"], group["capturable"]
            options = {name: group[name] for name in ("alpha", "eps", "weight_decay", "momentum", "maximize", "differentiable")}
            lr = scalar(group["lr"])
            for param in group["params"]:
                grad = param.grad
                if grad is None:
                    continue
                if capturable:
                    check_param(param, capturable=True)
                state = self.state[param]
                if not state:
                    state.update(self._new_state(param, group))
                state["step"] += 1
                grad_avg = state["grad_avg"] if centered else None
                buffer = state["momentum_buffer"] if momentum > 0 else None
                _update(param, grad, state["square_avg"], grad_avg, buffer, lr=lr, **options)
        return loss
