"""NAdam (Dozat, 2016): Adam with Nesterov's momentum."""

from rushlight.optim._description import DescribedOptimizer, as_real, number, with_decay
from rushlight.optim._forms import step_each

__all__ = ["NAdam", "nadam"]


class NAdam(DescribedOptimizer):
    """NAdam: `Adam` that looks one step ahead along its mean of gradients,
    with a momentum that grows towards `betas[0]` (Dozat, 2016).

    At step t that is beta1 * (1 - 0.96 ** (t * momentum_decay) / 2).

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: learning rate, a number or a tensor of one element.
        betas: decay rates of the means of the gradient and of its square.
        eps: added to the root, against division by zero.
        weight_decay: factor of an L2 penalty, or of decoupled weight decay.
        momentum_decay: how fast the momentum grows.
        decoupled_weight_decay: shrink parameters directly in place of a penalty.
        foreach: accepted; there is one implementation.
        maximize: ascend.
        capturable: accepted for other devices' sake; the CPU does not support it.
        differentiable: record the step, so that it can be differentiated.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.NAdam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8944], requires_grad=True)
    """

    options = (
        *("lr", "betas", "eps", "weight_decay", "momentum_decay", "decoupled_weight_decay", "maximize", "foreach", "capturable"),
        "differentiable",
    )
    checked = ("lr", "eps", "betas", "weight_decay", "momentum_decay")
    captured = ("params, mu_products and state_steps", True)

    def __init__(
        self,
        params,
        lr=2e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        momentum_decay=4e-3,
        decoupled_weight_decay=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
    ):
        self.describe(params, locals())

    def scalars(self, group):
        return {"step": 0.0, "mu_product": 1.0}

    def state_names(self, group):
        return ("exp_avg", "exp_avg_sq")

    def update(self, param, grad, state, *, lr, betas, eps, weight_decay, momentum_decay, decoupled_weight_decay, differentiable):
        (beta1, beta2), step = betas, state["step"].item()
        if decoupled_weight_decay and weight_decay != 0:
            param.mul_(1 - lr * weight_decay)
        else:
            grad = with_decay(grad, param, weight_decay)
        param, grad, exp_avg, exp_avg_sq = as_real(param, grad, state["exp_avg"], state["exp_avg_sq"])
        mu, mu_next = (beta1 * (1.0 - 0.5 * (0.96 ** (at * momentum_decay))) for at in (step, step + 1))
        state["mu_product"] *= mu
        exp_avg.lerp_(grad, 1 - beta1)
        exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        denominator = exp_avg_sq.div(1 - beta2**step).sqrt()
        if differentiable:
            # The factors stay tensors, as the product is one.
            denominator, product = denominator.add(eps), state["mu_product"]
            param.addcdiv_(grad * (-lr * (1.0 - mu) / (1.0 - product)), denominator)
            param.addcdiv_(exp_avg * (-lr * mu_next / (1.0 - product * mu_next)), denominator)
            return
        denominator, product = denominator.add_(eps), state["mu_product"].item()
        param.addcdiv_(grad, denominator, value=number(-lr * (1.0 - mu) / (1.0 - product)))
        param.addcdiv_(exp_avg, denominator, value=number(-lr * mu_next / (1.0 - product * mu_next)))


def nadam(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    mu_products,
    state_steps,
    decoupled_weight_decay=False,
    foreach=None,
    capturable=False,
    differentiable=False,
    has_complex=False,
    maximize=False,
    *,
    beta1,
    beta2,
    lr,
    weight_decay,
    momentum_decay,
    eps,
):
    """A step of NAdam of each parameter, given lists of what is kept of them; in place.

    Args:
        params: The parameters, a list of tensors, which are written to.
        grads: Their gradients, a list.
        exp_avgs, exp_avg_sqs, mu_products: Means of gradients and of their squares, and products of the momenta, a list each.
        state_steps: How many steps were taken, a tensor for each.
        decoupled_weight_decay: Whether the weights are shrunk beside the step.
        foreach: Which is not looked at.
        capturable: Whether steps could be captured on a device: an error where they are asked for.
        differentiable: Whether the step is recorded.
        has_complex: Whether some are complex.
        maximize: Whether to climb.
        beta1: How fast the means of gradients forget.
        beta2: How fast those of their squares do.
        lr: The length of steps.
        weight_decay: How much of the weights is taken away.
        momentum_decay: How fast the momentum grows.
        eps: What keeps the quotient finite.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.nadam import nadam
    >>> nadam([w], [torch.ones(2)], [torch.zeros(2)], [torch.zeros(2)], [torch.ones(())], [torch.zeros(())], beta1=0.9, beta2=0.999, lr=0.5, weight_decay=0, momentum_decay=4e-3, eps=1e-8)
    >>> w
    tensor([0.4718, 0.4718])
    """
    step_each(
        NAdam,
        params,
        grads,
        {"exp_avg": exp_avgs, "exp_avg_sq": exp_avg_sqs, "mu_product": mu_products},
        state_steps,
        decoupled_weight_decay=decoupled_weight_decay,
        betas=(beta1, beta2),
        lr=lr,
        weight_decay=weight_decay,
        momentum_decay=momentum_decay,
        eps=eps,
        maximize=maximize,
        differentiable=differentiable,
    )
