"""Adagrad (Duchi, Hazan and Singer, 2011)."""

import rushlight as torch
from rushlight.optim._values import (
    as_real,
    check_fused,
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

__all__ = ["Adagrad"]


def _update(param, grad, state_sum, step, *, lr, lr_decay, weight_decay, eps, maximize, differentiable):
    """One step of `param` and its sum of squares in place; `step` counts from 1."""
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = with_decay(grad, param, weight_decay)
    step_size = lr / (1 + (step - 1) * lr_decay)
    param, grad, state_sum = as_real(param, grad, state_sum)
    state_sum.addcmul_(grad, grad, value=1)
    # sqrt's derivative needs its result, which must then stay as it is.
    deviation = state_sum.sqrt() + eps if differentiable else state_sum.sqrt().add_(eps)
    param.addcdiv_(grad, deviation, value=-number(step_size))


class Adagrad(Optimizer):
    """Adagrad: divides the gradient by the root of the sum of its squares so far.

    Args:
        lr: learning rate, a number or a tensor of one element.
        lr_decay: the learning rate is `lr / (1 + lr_decay * t)` after t steps.
        weight_decay: factor of an L2 penalty.
        initial_accumulator_value: what the sum starts from.
        eps: added to the root, against division by zero.
        maximize: ascend.
        differentiable: record the step, so that it can be differentiated.
        foreach, fused: accepted; there is one implementation.
    """

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0,
        weight_decay=0,
        initial_accumulator_value=0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        check_single("lr", lr)
        check_not_negative(
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        defaults = dict(
            lr=lr,
            lr_decay=lr_decay,
            eps=eps,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            foreach=foreach,
            maximize=maximize,
            differentiable=differentiable,
            fused=fused,
        )
        super().__init__(params, defaults)
        check_fused(fused, differentiable, foreach)
        for group in self.param_groups:
            initial = group["initial_accumulator_value"]
            for param in group["params"]:
                if fused:
                    check_param(param, fused=True)
                # The sums of real and imaginary parts are apart, and start alike.
                value = complex(initial, initial) if param.is_complex() else initial
                self.state[param]["step"] = torch.zeros((), dtype=step_dtype(group["fused"]))
                self.state[param]["sum"] = torch.full_like(param, value, memory_format=torch.preserve_format)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("foreach", None)
            group.setdefault("maximize", False)
            group.setdefault("differentiable", False)
            counts_to_tensors(self, group.setdefault("fused", None))

    def share_memory(self) -> None:
        """Moves the sums to shared memory."""
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param]["sum"].share_memory_()

    @_use_grad_for_differentiable
    def step(self, closure=None):
        loss = _evaluate(closure)
        for group in self.param_groups:
            options = {name: group[name] for name in ("lr_decay", "weight_decay", "eps", "maximize", "differentiable")}
            lr = scalar(group["lr"])
            for param in group["params"]:
                grad = param.grad
                if grad is None:
                    continue
                state = self.state[param]
                count = state["step"]
                count += 1
                _update(param, grad, state["sum"], count.item(), lr=lr, **options)
        return loss
