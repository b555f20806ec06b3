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
    """A step of Adadelta of each parameter, given lists of what is kept of them; in place.

    Args:
        params: The parameters, a list of tensors, which are written to.
        grads: Their gradients, a list.
        square_avgs, acc_deltas: Means of the squares of gradients, and of steps, a list each.
        state_steps: How many steps were taken, a tensor for each.
        capturable: Whether steps could be captured on a device: an error where they are asked for.
        foreach: Which is not looked at.
        differentiable: Whether the step is recorded.
        has_complex: Whether some are complex.
        lr: The length of steps.
        rho: How fast the means forget.
        eps: What keeps the quotient finite.
        weight_decay: How much of the weights is taken away.
        maximize: Whether to climb.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.adadelta import adadelta
    >>> adadelta([w], [torch.ones(2)], [torch.zeros(2)], [torch.zeros(2)], [torch.zeros(())], lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, maximize=False)
    >>> w
    tensor([0.9968, 0.9968])
    """
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
