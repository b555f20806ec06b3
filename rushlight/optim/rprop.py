"""Rprop (Riedmiller and Braun, 1993)."""

import rushlight as torch
from rushlight.optim._description import DescribedOptimizer, KernelStep, as_real, number
from rushlight.optim._forms import step_each

__all__ = ["Rprop", "rprop"]


class Rprop(DescribedOptimizer):
    """Rprop: each element has a step size of its own, which grows while its gradient keeps its sign and shrinks when that turns.

    Only signs of gradients count, so it is for whole data sets, not batches (Riedmiller and Braun, 1993).

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: the first step size, a number or a tensor of one element.
        etas: the factors by which a step size shrinks and grows.
        step_sizes: the smallest and the largest step size.
        capturable: accepted for other devices' sake; the CPU does not support it.
        foreach: accepted; there is one implementation.
        maximize: ascend.
        differentiable: record the step, so that it can be differentiated.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Rprop([w], lr=0.1)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (w**2).sum().backward()
    ...     optimizer.step()
    >>> w
    tensor([0.6360], requires_grad=True)
    """

    options = ("lr", "etas", "step_sizes", "foreach", "maximize", "differentiable", "capturable")
    checked = ("lr",)

    by_kernel = KernelStep("rprop_step", ("prev", "step_size"), ("etas", "step_sizes"), flags=("maximize",))

    def __init__(
        self,
        params,
        lr=1e-2,
        etas=(0.5, 1.2),
        step_sizes=(1e-6, 50),
        *,
        capturable=False,
        foreach=None,
        maximize=False,
        differentiable=False,
    ):
        self.describe(params, locals())

    def check(self, options):
        super().check(options)
        etas = options["etas"]
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")

    def state_names(self, group):
        return ("prev", "step_size")

    def first_state(self, param, group):
        state = super().first_state(param, group)
        first = number(group["lr"])
        # Real and imaginary part have a step size each.
        state["step_size"] = torch.full_like(param.grad, complex(first, first) if param.is_complex() else first)
        return state

    def update(self, param, grad, state, *, etas, step_sizes, differentiable):
        param, grad, prev, step_size = as_real(param, grad, state["prev"], state["step_size"])
        sign = grad.mul(prev.clone() if differentiable else prev).sign()
        turned = sign < 0
        factor = torch.where(turned, etas[0], torch.where(sign > 0, etas[1], torch.ones_like(sign)))
        step_size.mul_(factor).clamp_(*step_sizes)
        grad = grad.masked_fill(turned, 0)
        param.addcmul_(grad.sign(), step_size, value=-1)
        prev.copy_(grad)


def rprop(
    params,
    grads,
    prevs,
    step_sizes,
    state_steps,
    foreach=None,
    capturable=False,
    maximize=False,
    differentiable=False,
    has_complex=False,
    *,
    step_size_min,
    step_size_max,
    etaminus,
    etaplus,
):
    """A step of Rprop of each parameter, given lists of what is kept of them; in place.

    Args:
        params: The parameters, a list of tensors, which are written to.
        grads: Their gradients, a list.
        prevs, step_sizes: The gradients before, and the lengths of steps, a list each.
        state_steps: How many steps were taken, a tensor for each.
        foreach: Which is not looked at.
        capturable: Whether steps could be captured on a device: an error where they are asked for.
        maximize: Whether to climb.
        differentiable: Whether the step is recorded.
        has_complex: Whether some are complex.
        step_size_min: The shortest step.
        step_size_max: The longest.
        etaminus: What a step is multiplied by where the sign turns.
        etaplus: What it is multiplied by where it does not.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.rprop import rprop
    >>> rprop([w], [torch.ones(2)], [torch.zeros(2)], [torch.full((2,), 0.5)], [torch.zeros(())], step_size_min=1e-6, step_size_max=50, etaminus=0.5, etaplus=1.2)
    >>> w
    tensor([0.5000, 0.5000])
    """
    step_each(
        Rprop,
        params,
        grads,
        {"prev": prevs, "step_size": step_sizes},
        state_steps,
        etas=(etaminus, etaplus),
        step_sizes=(step_size_min, step_size_max),
        maximize=maximize,
        differentiable=differentiable,
    )
