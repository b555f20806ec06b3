"""Averaged stochastic gradient descent (Polyak and Juditsky, 1992)."""

from rushlight.optim._description import DescribedOptimizer, as_real, number, with_decay
from rushlight.optim._forms import step_each

__all__ = ["ASGD", "asgd"]


class ASGD(DescribedOptimizer):
    """Averaged stochastic gradient descent: gradient steps that grow shorter, and the mean of the parameters from step `t0` on.

    The mean is `ax` in the state (Polyak and Juditsky, 1992); the steps' size is lr / (1 + lambd * lr * t) ** alpha.

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: learning rate, a number or a tensor of one element.
        lambd: how fast parameters and step size shrink.
        alpha: the power by which the step size shrinks.
        t0: the step from which on means are taken.
        weight_decay: factor of an L2 penalty.
        foreach: accepted; there is one implementation.
        maximize: ascend.
        differentiable: record the step, so that it can be differentiated.
        capturable: accepted for other devices' sake; the CPU does not support it.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.ASGD([w], lr=0.1, t0=0.0)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (w**2).sum().backward()
    ...     optimizer.step()
    >>> w.item() < optimizer.state[w]["ax"].item()
    True
    """

    options = ("lr", "lambd", "alpha", "t0", "weight_decay", "foreach", "maximize", "differentiable", "capturable")
    checked = ("lr", "weight_decay")
    captured = ("params, mus, etas, and state_steps", True)

    def __init__(
        self,
        params,
        lr=1e-2,
        lambd=1e-4,
        alpha=0.75,
        t0=1e6,
        weight_decay=0,
        foreach=None,
        maximize=False,
        differentiable=False,
        capturable=False,
    ):
        self.describe(params, locals())

    def scalars(self, group):
        return {"step": 0.0, "eta": number(group.get("lr", 0.0)), "mu": 1.0}

    def state_names(self, group):
        return ("ax",)

    def update(self, param, grad, state, *, lr, lambd, alpha, t0, weight_decay):
        grad = with_decay(grad, param, weight_decay)
        param, grad, mean = as_real(param, grad, state["ax"])
        step, eta, mu = state["step"].item(), state["eta"].item(), state["mu"]
        param.mul_(1 - lambd * eta)
        param.add_(grad, alpha=-eta)
        if mu.item() != 1:
            mean.add_(param.sub(mean).mul_(mu))
        else:
            mean.copy_(param)
        state["eta"].fill_(lr / ((1 + lambd * lr * step) ** alpha))
        mu.fill_(1 / max(1, step - t0))


def asgd(
    params,
    grads,
    axs,
    mus,
    etas,
    state_steps,
    foreach=None,
    maximize=False,
    differentiable=False,
    capturable=False,
    has_complex=False,
    *,
    lambd,
    lr,
    t0,
    alpha,
    weight_decay,
):
    """A step of ASGD of each parameter, given lists of what is kept of them; in place.

    Args:
        params: The parameters, a list of tensors, which are written to.
        grads: Their gradients, a list.
        axs, mus, etas: Averages of the parameters, their weights, and the lengths of steps, a list each.
        state_steps: How many steps were taken, a tensor for each.
        foreach: Which is not looked at.
        maximize: Whether to climb.
        differentiable: Whether the step is recorded.
        capturable: Whether steps could be captured on a device: an error where they are asked for.
        has_complex: Whether some are complex.
        lambd: How fast weights decay.
        lr: The length of steps.
        t0: At which step averaging begins.
        alpha: How fast the means forget, or by which power steps get shorter.
        weight_decay: How much of the weights is taken away.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.asgd import asgd
    >>> asgd([w], [torch.ones(2)], [torch.zeros(2)], [torch.ones(())], [torch.tensor(0.5)], [torch.zeros(())], lambd=1e-4, lr=0.5, t0=1e6, alpha=0.75, weight_decay=0)
    >>> w
    tensor([0.4999, 0.4999])
    """
    step_each(
        ASGD,
        params,
        grads,
        {"ax": axs, "mu": mus, "eta": etas},
        state_steps,
        lambd=lambd,
        lr=lr,
        t0=t0,
        alpha=alpha,
        weight_decay=weight_decay,
        maximize=maximize,
        differentiable=differentiable,
    )
