"""RMSprop (Hinton, lecture 6 of "Neural networks for machine learning"), centred as in Graves (2013)."""

from rushlight.optim._description import DescribedOptimizer, KernelStep, as_real, number, root, with_decay
from rushlight.optim._forms import step_each

__all__ = ["RMSprop", "rmsprop"]


class RMSprop(DescribedOptimizer):
    """RMSprop: v = alpha * v + (1 - alpha) * grad² and param -= lr * grad / (sqrt(v) + eps) (Hinton, 2012).

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
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

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0, 100.0], requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([w], lr=0.01)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, 99.9000], requires_grad=True)
    """

    options = (
        *("lr", "momentum", "alpha", "eps", "centered", "weight_decay", "capturable", "foreach", "maximize"),
        "differentiable",
    )
    checked = ("lr", "eps", "momentum", "weight_decay", "alpha")
    later = ("momentum",)

    by_kernel = KernelStep(
        *("rmsprop_step", ("square_avg", "grad_avg", "momentum_buffer"), ("lr", "alpha", "eps", "weight_decay", "momentum")),
        flags=("centered", "maximize"),
    )

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
        self.describe(params, locals())

    def state_names(self, group):
        names = ["square_avg"]
        names += ["momentum_buffer"] if group["momentum"] > 0 else []
        names += ["grad_avg"] if group["centered"] else []
        return tuple(names)

    def update(self, param, grad, state, *, lr, alpha, eps, weight_decay, momentum, centered, differentiable):
        grad = with_decay(grad, param, weight_decay)
        averages = (
            state["square_avg"],
            state["grad_avg"] if centered else None,
            state["momentum_buffer"] if momentum > 0 else None,
        )
        param, grad, square_avg, grad_avg, buffer = as_real(param, grad, *averages)
        square_avg.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
        variance = square_avg
        if centered:
            grad_avg.lerp_(grad, 1 - alpha)
            variance = square_avg.addcmul(grad_avg, grad_avg, value=-1)
        if momentum > 0:
            buffer.mul_(momentum).addcdiv_(grad, root(variance, eps, differentiable))
            param.add_(buffer, alpha=-number(lr))
        else:
            param.addcdiv_(grad, root(variance, eps, differentiable), value=-number(lr))


def rmsprop(
    params,
    grads,
    square_avgs,
    grad_avgs,
    momentum_buffer_list,
    state_steps,
    foreach=None,
    maximize=False,
    differentiable=False,
    capturable=False,
    has_complex=False,
    *,
    lr,
    alpha,
    eps,
    weight_decay,
    momentum,
    centered,
):
    """A step of RMSprop of each parameter, given lists of what is kept of them; in place.

    Args:
        params: The parameters, a list of tensors, which are written to.
        grads: Their gradients, a list.
        square_avgs, grad_avgs, momentum_buffer_list: Means of the squares of gradients, means of gradients, and momenta, a list
            each.
        state_steps: How many steps were taken, a tensor for each.
        foreach: Which is not looked at.
        maximize: Whether to climb.
        differentiable: Whether the step is recorded.
        capturable: Whether steps could be captured on a device: an error where they are asked for.
        has_complex: Whether some are complex.
        lr: The length of steps.
        alpha: How fast the means forget, or by which power steps get shorter.
        eps: What keeps the quotient finite.
        weight_decay: How much of the weights is taken away.
        momentum: How much of the last step is kept.
        centered: Whether the mean of gradients is taken away.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.rmsprop import rmsprop
    >>> rmsprop([w], [torch.ones(2)], [torch.zeros(2)], [], [], [torch.zeros(())], lr=0.5, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False)
    >>> w
    tensor([-4.0000, -4.0000])
    """
    step_each(
        RMSprop,
        params,
        grads,
        {
            "square_avg": square_avgs,
            **({"grad_avg": grad_avgs} if centered else {}),
            **({"momentum_buffer": momentum_buffer_list} if momentum > 0 else {}),
        },
        state_steps,
        lr=lr,
        alpha=alpha,
        eps=eps,
        weight_decay=weight_decay,
        momentum=momentum,
        centered=centered,
        maximize=maximize,
        differentiable=differentiable,
    )
