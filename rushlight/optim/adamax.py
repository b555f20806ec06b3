"""Adamax (Kingma and Ba, 2015): Adam with the infinity norm."""

import rushlight as torch
from rushlight.optim._description import DescribedOptimizer, KernelStep, as_real, number, with_decay
from rushlight.optim._forms import step_each

__all__ = ["Adamax", "adamax"]


class Adamax(DescribedOptimizer):
    """Adamax: param -= lr / (1 - beta1ᵗ) * m / u, with m the mean of gradients and u = max(beta2 * u, |grad| + eps) (Kingma and
    Ba, 2015).

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: learning rate, a number or a tensor of one element.
        betas: decay rates of mean and maximum.
        eps: added to absolute values, against division by zero.
        weight_decay: factor of an L2 penalty.
        foreach: accepted; there is one implementation.
        maximize: ascend.
        differentiable: record the step, so that it can be differentiated.
        capturable: accepted for other devices' sake; the CPU does not support it.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0, 100.0], requires_grad=True)
    >>> optimizer = torch.optim.Adamax([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, 99.9000], requires_grad=True)
    """

    options = ("lr", "betas", "eps", "weight_decay", "foreach", "maximize", "differentiable", "capturable")
    checked = ("lr", "eps", "betas", "weight_decay")

    by_kernel = KernelStep("adamax_step", ("exp_avg", "exp_inf"), ("lr", "betas", "eps", "weight_decay"), flags=("maximize",))

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        self.describe(params, locals())

    def state_names(self, group):
        return ("exp_avg", "exp_inf")

    def update(self, param, grad, state, *, lr, betas, eps, weight_decay, differentiable):
        (beta1, beta2), step = betas, state["step"].item()
        grad = with_decay(grad, param, weight_decay)
        param, grad, exp_avg, exp_inf = as_real(param, grad, state["exp_avg"], state["exp_inf"])
        exp_avg.lerp_(grad, 1 - beta1)
        largest = exp_inf.mul_(beta2)
        # What is recorded must not be overwritten by the maximum.
        exp_inf.copy_(torch.maximum(largest.clone() if differentiable else largest, grad.abs().add_(eps)))
        param.addcdiv_(exp_avg, exp_inf, value=-number(lr / (1 - beta1**step)))


def adamax(
    params,
    grads,
    exp_avgs,
    exp_infs,
    state_steps,
    foreach=None,
    maximize=False,
    differentiable=False,
    capturable=False,
    has_complex=False,
    *,
    eps,
    beta1,
    beta2,
    lr,
    weight_decay,
):
    """A step of Adamax of each parameter, given lists of what is kept of them; in place.

    Args:
        params: The parameters, a list of tensors, which are written to.
        grads: Their gradients, a list.
        exp_avgs, exp_infs: Means of gradients, and their greatest sizes, a list each.
        state_steps: How many steps were taken, a tensor for each.
        foreach: Which is not looked at.
        maximize: Whether to climb.
        differentiable: Whether the step is recorded.
        capturable: Whether steps could be captured on a device: an error where they are asked for.
        has_complex: Whether some are complex.
        eps: What keeps the quotient finite.
        beta1: How fast the means of gradients forget.
        beta2: How fast those of their squares do.
        lr: The length of steps.
        weight_decay: How much of the weights is taken away.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.adamax import adamax
    >>> adamax([w], [torch.ones(2)], [torch.zeros(2)], [torch.zeros(2)], [torch.zeros(())], eps=1e-8, beta1=0.9, beta2=0.999, lr=0.5, weight_decay=0)
    >>> w
    tensor([0.5000, 0.5000])
    """
    step_each(
        Adamax,
        params,
        grads,
        {"exp_avg": exp_avgs, "exp_inf": exp_infs},
        state_steps,
        betas=(beta1, beta2),
        lr=lr,
        weight_decay=weight_decay,
        eps=eps,
        maximize=maximize,
        differentiable=differentiable,
    )
