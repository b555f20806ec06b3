"""Adadelta (Zeiler, 2012)."""

from rushlight.optim._description import DescribedOptimizer, KernelStep, as_real, invalid, number, with_decay
from rushlight.optim._forms import step_each

__all__ = ["Adadelta", "adadelta"]


class Adadelta(DescribedOptimizer):
    """Adadelta: d = sqrt(u + eps) / sqrt(v + eps) * grad and param -= lr * d,
    with v the mean of grad² and u that of d² (Zeiler, 2012).

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: a factor of the step, a number or a tensor of one element.
        rho: decay rate of both means.
        eps: added under both roots.
        weight_decay: factor of an L2 penalty.
        foreach: accepted; there is one implementation.
        capturable: accepted for other devices' sake; the CPU does not support it.
        maximize: ascend.
        differentiable: record the step, so that it can be differentiated.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0, 100.0], requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([w], eps=1e-2)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.6877, 99.6838], requires_grad=True)
    """

    options = ("lr", "rho", "eps", "weight_decay", "maximize", "capturable", "foreach", "differentiable")
    checked = ("lr", "rho", "eps", "weight_decay")
    captured = ("params and state_steps", False)

    by_kernel = KernelStep(
        "adadelta_step", ("square_avg", "acc_delta"), ("lr", "rho", "eps", "weight_decay"), flags=("maximize",)
    )

    def __init__(
        self,
        params,
        lr=1.0,
        rho=0.9,
        eps=1e-6,
        weight_decay=0,
        foreach=None,
        *,
        capturable=False,
        maximize=False,
        differentiable=False,
    ):
        self.describe(params, locals())

    def check(self, options):
        super().check(options)
        if not options["rho"] <= 1.0:
            raise invalid("rho", options["rho"])

    def state_names(self, group):
        return ("square_avg", "acc_delta")

    def update(self, param, grad, state, *, lr, rho, eps, weight_decay, differentiable):
        grad = with_decay(grad, param, weight_decay)
        param, grad, square_avg, acc_delta = as_real(param, grad, state["square_avg"], state["acc_delta"])
        square_avg.mul_(rho).addcmul_(grad, grad, value=1 - rho)
        deviation = square_avg.add(eps).sqrt_()
        delta = acc_delta.add(eps).sqrt_()
        # (What is recorded of a root is its result.)
        delta = (delta.clone() if differentiable else delta).div_(deviation).mul_(grad)
        acc_delta.mul_(rho).addcmul_(delta, delta, value=1 - rho)
        param.add_(delta, alpha=-number(lr))


def adadelta(
    params,
    grads,
    square_avgs,
    acc_deltas,
    state_steps,
    capturable=False,
    foreach=None,
    differentiable=False,
    has_complex=False,
    *,
    lr,
    rho,
    eps,
    weight_decay,
    maximize,
):
    """A step of Adadelta of each parameter, given lists of what is kept of them; in place."""
    step_each(
        Adadelta,
        params,
        grads,
        {"square_avg": square_avgs, "acc_delta": acc_deltas},
        state_steps,
        lr=lr,
        rho=rho,
        eps=eps,
        weight_decay=weight_decay,
        maximize=maximize,
        differentiable=differentiable,
    )
