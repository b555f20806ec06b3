"""AdamW (Loshchilov and Hutter, 2019): Adam whose weight decay is no part of the gradient."""

from rushlight.optim.adam import Adam, adam

__all__ = ["AdamW", "adamw"]


class AdamW(Adam):
    """`Adam` with decoupled weight decay: param -= lr * weight_decay * param before each step (Loshchilov and Hutter, 2019).

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr, betas, eps, amsgrad, maximize, foreach, capturable, differentiable, fused: those of `Adam`.
        weight_decay: factor by which parameters shrink, times `lr`; 0.01 unless it is given.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> w.grad = torch.zeros(1)
    >>> torch.optim.AdamW([w], lr=0.1, weight_decay=0.5).step()
    >>> w
    tensor([0.9500], requires_grad=True)
    """

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=1e-2,
        amsgrad=False,
        *,
        maximize=False,
        foreach=None,
        capturable=False,
        differentiable=False,
        fused=None,
    ):
        self.describe(params, {**locals(), "decoupled_weight_decay": True})

    def __setstate__(self, state):
        super().__setstate__(state)
        # Checkpoints from before the option existed hold no word of it, or Adam's default.
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True


def adamw(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    max_exp_avg_sqs,
    state_steps,
    foreach=None,
    capturable=False,
    differentiable=False,
    fused=None,
    grad_scale=None,
    found_inf=None,
    has_complex=False,
    *,
    amsgrad,
    beta1,
    beta2,
    lr,
    weight_decay,
    eps,
    maximize,
):
    """`adam` with decoupled weight decay.

    Args:
        params: The parameters, a list of tensors, which are written to.
        grads: Their gradients, a list.
        exp_avgs, exp_avg_sqs, max_exp_avg_sqs: Means of gradients and of their squares, and the greatest of these, a list each.
        state_steps: How many steps were taken, a tensor for each.
        foreach: Which is not looked at.
        capturable: Whether steps could be captured on a device: an error where they are asked for.
        differentiable: Whether the step is recorded.
        fused: Whether a fused step is asked for. There is one implementation; parameters that PyTorch's fused steps refuse are refused.
        grad_scale: What gradients were multiplied by; None is nothing.
        found_inf: 1 where the step is to be left out.
        has_complex: Whether some are complex.
        amsgrad: Whether the greatest mean counts.
        beta1: How fast the means of gradients forget.
        beta2: How fast those of their squares do.
        lr: The length of steps.
        weight_decay: How much of the weights is taken away.
        eps: What keeps the quotient finite.
        maximize: Whether to climb.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.adamw import adamw
    >>> adamw([w], [torch.ones(2)], [torch.zeros(2)], [torch.zeros(2)], [], [torch.zeros(())], amsgrad=False, beta1=0.9, beta2=0.999, lr=0.5, weight_decay=0, eps=1e-8, maximize=False)
    >>> w
    tensor([0.5000, 0.5000])
    """
    adam(
        params,
        grads,
        exp_avgs,
        exp_avg_sqs,
        max_exp_avg_sqs,
        state_steps,
        foreach,
        capturable,
        differentiable,
        fused,
        grad_scale,
        found_inf,
        has_complex,
        True,
        amsgrad=amsgrad,
        beta1=beta1,
        beta2=beta2,
        lr=lr,
        weight_decay=weight_decay,
        eps=eps,
        maximize=maximize,
    )
