"""RAdam (Liu et al., 2020): Adam whose first steps, of which too little is known, are not adaptive."""

from rushlight.optim._description import DescribedOptimizer, KernelStep, as_real, root, with_decay
from rushlight.optim._forms import step_each

__all__ = ["RAdam", "radam"]


class RAdam(DescribedOptimizer):
    """RAdam: `Adam` with steps rectified by how much is known of the variance of their denominators (Liu et al., 2020).

    In the first steps, where that is too little, param -= lr * m̂.

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: learning rate, a number or a tensor of one element.
        betas: decay rates of the means of the gradient and of its square.
        eps: added to the root, against division by zero.
        weight_decay: factor of an L2 penalty, or of decoupled weight decay.
        decoupled_weight_decay: shrink parameters directly in place of a penalty.
        foreach: accepted; there is one implementation.
        maximize: ascend.
        capturable: accepted for other devices' sake; the CPU does not support it.
        differentiable: record the step, so that it can be differentiated.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.RAdam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    options = (
        *("lr", "betas", "eps", "weight_decay", "maximize", "foreach", "capturable", "decoupled_weight_decay"),
        "differentiable",
    )
    checked = ("lr", "eps", "betas", "weight_decay")

    by_kernel = KernelStep(
        *("radam_step", ("exp_avg", "exp_avg_sq"), ("lr", "betas", "eps", "weight_decay")),
        flags=("decoupled_weight_decay", "maximize"),
    )

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
    ):
        self.describe(params, locals())

    def state_names(self, group):
        return ("exp_avg", "exp_avg_sq")

    def update(self, param, grad, state, *, lr, betas, eps, weight_decay, decoupled_weight_decay, differentiable):
        (beta1, beta2), step = betas, state["step"].item()
        if decoupled_weight_decay and weight_decay != 0:
            param.mul_(1 - lr * weight_decay)
        else:
            grad = with_decay(grad, param, weight_decay)
        param, grad, exp_avg, exp_avg_sq = as_real(param, grad, state["exp_avg"], state["exp_avg_sq"])
        exp_avg.lerp_(grad, 1 - beta1)
        exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        correction = 1 - beta2**step
        move = exp_avg / (1 - beta1**step) * lr
        # The length of the moving average, and what it tends to.
        length_at_last = 2 / (1 - beta2) - 1
        length = length_at_last - 2 * step * (beta2**step) / correction
        if length > 5.0:
            shorter, longer = (x_ * y_ for x_, y_ in ((length - 4, length - 2), (length_at_last - 4, length_at_last - 2)))
            rectified = (shorter * length_at_last / (longer * length)) ** 0.5
            move = move * ((correction**0.5) / root(exp_avg_sq, eps, differentiable)) * rectified
        param.add_(move, alpha=-1.0)


def radam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    state_steps,
    decoupled_weight_decay=False,
    foreach=None,
    differentiable=False,
    capturable=False,
    has_complex=False,
    maximize=False,
    *,
    beta1,
    beta2,
    lr,
    weight_decay,
    eps,
):
    """A step of RAdam of each parameter, given lists of what is kept of them; in place.

    Args:
        params: The parameters, a list of tensors, which are written to.
        grads: Their gradients, a list.
        exp_avgs, exp_avg_sqs: Means of gradients and of their squares, a list each.
        state_steps: How many steps were taken, a tensor for each.
        decoupled_weight_decay: Whether the weights are shrunk beside the step.
        foreach: Which is not looked at.
        differentiable: Whether the step is recorded.
        capturable: Whether steps could be captured on a device: an error where they are asked for.
        has_complex: Whether some are complex.
        maximize: Whether to climb.
        beta1: How fast the means of gradients forget.
        beta2: How fast those of their squares do.
        lr: The length of steps.
        weight_decay: How much of the weights is taken away.
        eps: What keeps the quotient finite.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.radam import radam
    >>> radam([w], [torch.ones(2)], [torch.zeros(2)], [torch.zeros(2)], [torch.zeros(())], beta1=0.9, beta2=0.999, lr=0.5, weight_decay=0, eps=1e-8)
    >>> w
    tensor([0.5000, 0.5000])
    """
    step_each(
        RAdam,
        params,
        grads,
        {"exp_avg": exp_avgs, "exp_avg_sq": exp_avg_sqs},
        state_steps,
        decoupled_weight_decay=decoupled_weight_decay,
        betas=(beta1, beta2),
        lr=lr,
        weight_decay=weight_decay,
        eps=eps,
        maximize=maximize,
        differentiable=differentiable,
    )
