"""Adam (Kingma and Ba, 2015), AMSGrad (Reddi et al., 2018), and weight decay of either kind."""

import rushlight as torch
from rushlight.optim._description import DescribedOptimizer, KernelStep, as_real, check_single, number, with_decay
from rushlight.optim._forms import step_each

__all__ = ["Adam", "adam"]


class Adam(DescribedOptimizer):
    """Adam: param -= lr * m̂ / (sqrt(v̂) + eps), with running means of the gradient and its square (Kingma and Ba, 2015).

    m = beta1 * m + (1 - beta1) * grad and v = beta2 * v + (1 - beta2) * grad²;
    m̂ = m / (1 - beta1ᵗ) and v̂ = v / (1 - beta2ᵗ) at step t.

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: learning rate, a number or a tensor of one element.
        betas: decay rates of the two means, both numbers or both tensors of one element.
        eps: added to the root, against division by zero.
        weight_decay: factor of an L2 penalty, or of decoupled weight decay.
        amsgrad: divide by the largest mean of the square so far (Reddi et al., 2018).
        maximize: ascend.
        capturable: accepted for other devices' sake; the CPU does not support it.
        differentiable: record the step, so that it can be differentiated.
        decoupled_weight_decay: shrink parameters directly (`AdamW`) in place of a penalty.
        foreach, fused: accepted; there is one implementation.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0, 100.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.9000, 99.9000], requires_grad=True)
    """

    no_sparse = "Adam does not support sparse gradients, please consider SparseAdam instead"
    options = (
        *("lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "foreach", "capturable", "differentiable", "fused"),
        "decoupled_weight_decay",
    )
    checked = ("lr", "eps", "betas", "weight_decay")

    by_kernel = KernelStep(
        *("adam_step", ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"), ("lr", "betas", "eps", "weight_decay")),
        flags=("decoupled_weight_decay", "maximize", "amsgrad"),
    )

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
        self.describe(params, locals())

    def check(self, options):
        betas, each = options["betas"], options["foreach"] and not options["capturable"]

        def check_foreach(name, value):
            if each and isinstance(value, torch.Tensor):
                raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
            check_single(name, value)

        check_foreach("lr", options["lr"])
        super().check(options)
        if not any(all(isinstance(beta, kind) for beta in betas) for kind in (float, torch.Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        for index in (0, 1):
            check_foreach(f"betas[{index}]", betas[index])

    def state_names(self, group):
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def update(self, param, grad, state, *, lr, betas, eps, weight_decay, amsgrad, differentiable, decoupled_weight_decay):
        (beta1, beta2), step = betas, state["step"] if differentiable else state["step"].item()
        if decoupled_weight_decay and weight_decay != 0:
            param.mul_(1 - lr * weight_decay)
        elif weight_decay != 0:
            grad = with_decay(grad, param, weight_decay)
        averages = state["exp_avg"], state["exp_avg_sq"], state["max_exp_avg_sq"] if amsgrad else None
        param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq = as_real(param, grad, *averages)
        exp_avg.lerp_(grad, 1 - (beta1.to(dtype=param.dtype) if isinstance(beta1, torch.Tensor) else beta1))
        if isinstance(beta2, torch.Tensor) and beta2.requires_grad:
            exp_avg_sq.lerp_(grad.square(), 1 - beta2)
        else:
            exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=number(1 - beta2))
        largest = exp_avg_sq
        if amsgrad:
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


def adam(
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
    decoupled_weight_decay=False,
    *,
    amsgrad,
    beta1,
    beta2,
    lr,
    weight_decay,
    eps,
    maximize,
):
    """A step of Adam of each parameter, given lists of what is kept of them; in place.

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
        decoupled_weight_decay: Whether the weights are shrunk beside the step.
        amsgrad: Whether the greatest mean counts.
        beta1: How fast the means of gradients forget.
        beta2: How fast those of their squares do.
        lr: The length of steps.
        weight_decay: How much of the weights is taken away.
        eps: What keeps the quotient finite.
        maximize: Whether to climb.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.adam import adam
    >>> adam([w], [torch.ones(2)], [torch.zeros(2)], [torch.zeros(2)], [], [torch.zeros(())], amsgrad=False, beta1=0.9, beta2=0.999, lr=0.5, weight_decay=0, eps=1e-8, maximize=False)
    >>> w
    tensor([0.5000, 0.5000])
    """
    step_each(
        Adam,
        params,
        grads,
        {"exp_avg": exp_avgs, "exp_avg_sq": exp_avg_sqs, **({"max_exp_avg_sq": max_exp_avg_sqs} if amsgrad else {})},
        state_steps,
        fused=fused,
        grad_scale=grad_scale,
        found_inf=found_inf,
        decoupled_weight_decay=decoupled_weight_decay,
        amsgrad=amsgrad,
        betas=(beta1, beta2),
        lr=lr,
        weight_decay=weight_decay,
        eps=eps,
        maximize=maximize,
        differentiable=differentiable,
    )
