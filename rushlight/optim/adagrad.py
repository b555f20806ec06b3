"""Adagrad (Duchi, Hazan and Singer, 2011)."""

import rushlight as torch
from rushlight.optim._description import (
    DescribedOptimizer,
    KernelStep,
    as_real,
    number,
    root,
    step_dtype,
    with_decay,
)
from rushlight.optim._forms import step_each

__all__ = ["Adagrad", "adagrad"]


class Adagrad(DescribedOptimizer):
    """Adagrad: s += grad² and param -= lr / (1 + lr_decay * t) * grad / (sqrt(s) + eps) (Duchi, Hazan and Singer, 2011).

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: learning rate, a number or a tensor of one element.
        lr_decay: the learning rate is `lr / (1 + lr_decay * t)` after t steps.
        weight_decay: factor of an L2 penalty.
        initial_accumulator_value: what the sum starts from.
        eps: added to the root, against division by zero.
        maximize: ascend.
        differentiable: record the step, so that it can be differentiated.
        foreach, fused: accepted; there is one implementation.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([w], lr=0.1)
    >>> for _ in range(2):
    ...     w.grad = torch.tensor([3.0])
    ...     optimizer.step()
    >>> w
    tensor([0.8293], requires_grad=True)
    """

    takes_sparse = True
    options = (
        *("lr", "lr_decay", "eps", "weight_decay", "initial_accumulator_value", "foreach", "maximize", "differentiable"),
        "fused",
    )
    checked = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps")

    by_kernel = KernelStep("adagrad_step", ("sum",), ("lr", "lr_decay", "eps", "weight_decay"), flags=("maximize",))

    def __init__(
        self,
        params,
        lr=1e-2,
        lr_decay=0,
        weight_decay=0,
        initial_accumulator_value=0,
        eps=1e-10,
        foreach=None,
        *,
        maximize=False,
        differentiable=False,
        fused=None,
    ):
        self.describe(params, locals())
        for group in self.param_groups:
            for param in group["params"]:
                self.first_state(param, group)

    def state_names(self, group):
        return ("sum",)

    def first_state(self, param, group):
        initial = group["initial_accumulator_value"]
        # The sums of real and imaginary parts are apart, and start alike.
        value = complex(initial, initial) if param.is_complex() else initial
        state = self.state[param]
        state["step"] = torch.zeros((), dtype=step_dtype(group["fused"]))
        state["sum"] = torch.full_like(param, value, memory_format=torch.preserve_format)
        return state

    def share_memory(self) -> None:
        """Moves the sums to shared memory."""
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param]["sum"].share_memory_()

    def update(self, param, grad, state, *, lr, lr_decay, weight_decay, eps, differentiable):
        step_size = lr / (1 + (state["step"].item() - 1) * lr_decay)
        if grad.is_sparse:
            if weight_decay != 0:
                raise RuntimeError("weight_decay option is not compatible with sparse gradients")
            grad = grad.coalesce()
            places, values = tuple(grad.indices()), grad.values()
            state["sum"].index_put_(places, values.pow(2), accumulate=True)
            param.index_put_(places, values / (state["sum"][places].sqrt() + eps) * -step_size, accumulate=True)
            return
        grad = with_decay(grad, param, weight_decay)
        param, grad, total = as_real(param, grad, state["sum"])
        total.addcmul_(grad, grad, value=1)
        param.addcdiv_(grad, root(total, eps, differentiable), value=-number(step_size))


def adagrad(
    params,
    grads,
    state_sums,
    state_steps,
    fused=None,
    grad_scale=None,
    found_inf=None,
    has_sparse_grad=False,
    foreach=None,
    differentiable=False,
    has_complex=False,
    *,
    lr,
    weight_decay,
    lr_decay,
    eps,
    maximize,
):
    """A step of Adagrad of each parameter, given lists of what is kept of them; in place.

    Args:
        params: The parameters, a list of tensors, which are written to.
        grads: Their gradients, a list.
        state_sums: Sums of the squares of gradients.
        state_steps: How many steps were taken, a tensor for each.
        fused: Whether a fused step is asked for. There is one implementation; parameters that PyTorch's fused steps refuse are refused.
        grad_scale: What gradients were multiplied by; None is nothing.
        found_inf: 1 where the step is to be left out.
        has_sparse_grad: Whether some gradients are sparse.
        foreach: Which is not looked at.
        differentiable: Whether the step is recorded.
        has_complex: Whether some are complex.
        lr: The length of steps.
        weight_decay: How much of the weights is taken away.
        lr_decay: How fast steps get shorter.
        eps: What keeps the quotient finite.
        maximize: Whether to climb.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.adagrad import adagrad
    >>> adagrad([w], [torch.ones(2)], [torch.zeros(2)], [torch.zeros(())], lr=0.5, weight_decay=0, lr_decay=0, eps=1e-10, maximize=False)
    >>> w
    tensor([0.5000, 0.5000])
    """
    step_each(
        Adagrad,
        params,
        grads,
        {"sum": state_sums},
        state_steps,
        fused=fused,
        grad_scale=grad_scale,
        found_inf=found_inf,
        lr=lr,
        weight_decay=weight_decay,
        lr_decay=lr_decay,
        eps=eps,
        maximize=maximize,
        differentiable=differentiable,
    )
