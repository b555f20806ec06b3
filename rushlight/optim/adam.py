"""Adam (Kingma and Ba, 2015), AMSGrad (Reddi et al., 2018), and weight decay of either kind."""

import rushlight as torch
from rushlight.core import kernel, mark_written
from rushlight.optim._values import (
    as_real,
    check_fused,
    check_not_negative,
    check_param,
    check_single,
    counts_to_tensors,
    kernel_takes,
    number,
    scalar,
    step_dtype,
    with_decay,
)
from rushlight.optim.optimizer import Optimizer, _evaluate, _use_grad_for_differentiable

__all__ = ["Adam"]

_adam_step = kernel("adam_step")


def _update(
    param,
    grad,
    exp_avg,
    exp_avg_sq,
    max_exp_avg_sq,
    step,
    *,
    lr,
    beta1,
    beta2,
    eps,
    weight_decay,
    decoupled,
    maximize,
    differentiable,
):
    """One step of `param` and its averages in place; `step` counts from 1, and is a tensor where it is to be differentiated."""
    if maximize:
        grad = -grad
    if weight_decay != 0:
        if decoupled:
            param.mul_(1 - lr * weight_decay)
        else:
            grad = with_decay(grad, param, weight_decay)
    param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq = as_real(param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq)
    exp_avg.lerp_(grad, 1 - (beta1.to(dtype=param.dtype) if isinstance(beta1, torch.Tensor) else beta1))
    if isinstance(beta2, torch.Tensor) and beta2.requires_grad:
        exp_avg_sq.lerp_(grad.square(), 1 - beta2)
    else:
        exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=number(1 - beta2))
    largest = exp_avg_sq
    if max_exp_avg_sq is not None:
        # What is recorded must not be overwritten by the maximum of the next step.
        before = max_exp_avg_sq.clone() if differentiable else max_exp_avg_sq
        largest = max_exp_avg_sq.copy_(torch.maximum(before, exp_avg_sq))
    step_size = lr / (1 - beta1**step)
    correction = (1 - beta2**step) ** 0.5
    if differentiable:
        # The step size stays a tensor, so it goes into the denominator instead of the op's number.
        denominator = (largest.sqrt() / (correction * -step_size)).add_(eps / -step_size)
        param.addcdiv_(exp_avg.clone(), denominator)
    else:
        param.addcdiv_(exp_avg, (largest.sqrt() / correction).add_(eps), value=-number(step_size))


class Adam(Optimizer):
    """Adam: steps along a running mean of the gradient, divided by the root of a running mean of its square.

    Args:
        lr: learning rate, a number or a tensor of one element.
        betas: decay rates of the two means, both numbers or both tensors of one element.
        eps: added to the root, against division by zero.
        weight_decay: factor of an L2 penalty, or of decoupled weight decay.
        amsgrad: divide by the largest mean of the square so far.
        maximize: ascend.
        capturable: accepted for other devices' sake; the CPU does not support it.
        differentiable: record the step, so that it can be differentiated.
        decoupled_weight_decay: shrink parameters directly (AdamW) in place of a penalty.
        foreach, fused: accepted; there is one implementation.
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        check_single("lr", lr, foreach_allowed=capturable or not foreach)
        check_not_negative(lr=lr, eps=eps)
        for index in (0, 1):
            if not 0.0 <= betas[index] < 1.0:
                raise ValueError(f"Invalid beta parameter at index {index}: {betas[index]}")
        check_not_negative(weight_decay=weight_decay)
        both = isinstance(betas[0], float) and isinstance(betas[1], float)
        if not both and not (isinstance(betas[0], torch.Tensor) and isinstance(betas[1], torch.Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        for index in (0, 1):
            check_single(f"betas[{index}]", betas[index], foreach_allowed=capturable or not foreach)
        defaults = dict(
            lr=lr,
            betas=tuple(betas),
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            foreach=foreach,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=decoupled_weight_decay,
        )
        super().__init__(params, defaults)
        check_fused(fused, differentiable, foreach)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            for name in ("amsgrad", "maximize", "capturable", "differentiable", "decoupled_weight_decay"):
                group.setdefault(name, False)
            group.setdefault("foreach", None)
            counts_to_tensors(self, group.setdefault("fused", None))

    def _new_state(self, param, group) -> dict:
        state = {
            "step": torch.zeros((), dtype=step_dtype(group["fused"])),
            "exp_avg": torch.zeros_like(param, memory_format=torch.preserve_format),
            "exp_avg_sq": torch.zeros_like(param, memory_format=torch.preserve_format),
        }
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = torch.zeros_like(param, memory_format=torch.preserve_format)
        return state

    @_use_grad_for_differentiable
    def step(self, closure=None):
        loss = _evaluate(closure)
        for group in self.param_groups:
            lr, beta1, beta2 = scalar(group["lr"]), scalar(group["betas"][0]), scalar(group["betas"][1])
            eps, weight_decay, decoupled = group["eps"], group["weight_decay"], group["decoupled_weight_decay"]
            amsgrad, maximize, differentiable = group["amsgrad"], group["maximize"], group["differentiable"]
            limited = group["fused"] or group["capturable"]
            plain = not (differentiable or any(isinstance(x, torch.Tensor) for x in (lr, beta1, beta2, weight_decay)))
            if plain:
                # Kernels tell numbers by their type.
                rates = (float(lr), float(beta1), float(beta2), float(eps), float(weight_decay))
                flags = (bool(decoupled), bool(maximize), bool(amsgrad))
            for param in group["params"]:
                grad = param.grad
                if grad is None:
                    continue
                if limited:
                    check_param(param, fused=group["fused"], capturable=group["capturable"])
                state = self.state[param]
                if not state:
                    state.update(self._new_state(param, group))
                exp_avg, exp_avg_sq, count = state["exp_avg"], state["exp_avg_sq"], state["step"]
                largest = state["max_exp_avg_sq"] if amsgrad else None
                if differentiable and count.requires_grad:
                    raise RuntimeError("`requires_grad` is not supported for `step` in differentiable mode")
                count += 1
                averages = (exp_avg, exp_avg_sq, largest) if amsgrad else (exp_avg, exp_avg_sq)
                if plain and kernel_takes(param, grad, *averages):
                    _adam_step(param, grad, exp_avg, exp_avg_sq, largest, *rates, int(count), *flags)
                    mark_written(param)
                    for average in averages:
                        mark_written(average)
                else:
                    _update(
                        param,
                        grad,
                        exp_avg,
                        exp_avg_sq,
                        largest,
                        count if differentiable else count.item(),
                        lr=lr,
                        beta1=beta1,
                        beta2=beta2,
                        eps=eps,
                        weight_decay=weight_decay,
                        decoupled=decoupled,
                        maximize=maximize,
                        differentiable=differentiable,
                    )
        return loss
