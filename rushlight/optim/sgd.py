"""Stochastic gradient descent, with momentum as in Sutskever et al. (2013)."""

import rushlight as torch
from rushlight.optim._description import DescribedOptimizer, KernelStep, check_single, invalid, number, with_decay
from rushlight.optim._forms import step_each

__all__ = ["SGD", "sgd"]


class SGD(DescribedOptimizer):
    """Stochastic gradient descent: buffer = momentum * buffer + (1 - dampening) * grad and param -= lr * buffer.

    The first buffer is the gradient; `nesterov` steps along grad + momentum * buffer (Sutskever et al., 2013).

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: learning rate, a number or a tensor of one element.
        momentum: the part of the last direction that is kept.
        dampening: the part of the gradient that is left out of the direction.
        weight_decay: factor of an L2 penalty: grad += weight_decay * param.
        nesterov: look ahead along the direction; needs momentum and no dampening.
        maximize: ascend.
        differentiable: record the step, so that it can be differentiated.
        foreach, fused: accepted; there is one implementation.

    >>> import rushlight as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(3):
    ...     optimizer.zero_grad()
    ...     (w**2).sum().backward()
    ...     optimizer.step()
    >>> w
    tensor([0.0620], requires_grad=True)
    """

    takes_sparse = True
    options = ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize", "foreach", "differentiable", "fused")

    by_kernel = KernelStep(
        *("sgd_step", ("momentum_buffer",), ("lr", "momentum", "dampening", "weight_decay")),
        flags=("nesterov", "maximize"),
        counts=False,
    )

    def __init__(
        self,
        params,
        lr=1e-3,
        momentum=0,
        dampening=0,
        weight_decay=0,
        nesterov=False,
        *,
        maximize=False,
        foreach=None,
        differentiable=False,
        fused=None,
    ):
        self.describe(params, locals())

    def check(self, options):
        check_single("lr", options["lr"])
        for name in ("lr", "momentum", "weight_decay"):
            if options[name] < 0.0:  # (NaN is taken)
                raise invalid(name, options[name])
        if options["nesterov"] and (options["momentum"] <= 0 or options["dampening"] != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")

    def state_names(self, group):
        return ("momentum_buffer",) if group["momentum"] != 0 else ()

    def first_state(self, param, group):
        return self.state[param]  # (the buffer is made from the first gradient)

    def update(self, param, grad, state, *, lr, momentum, dampening, weight_decay, nesterov):
        grad = with_decay(grad, param, weight_decay)
        if momentum != 0:
            buffer = state.get("momentum_buffer")
            if buffer is None:
                buffer = state["momentum_buffer"] = grad.detach().clone()
            else:
                buffer.mul_(momentum).add_(grad, alpha=1 - dampening)
            grad = grad.add(buffer, alpha=momentum) if nesterov else buffer
        if isinstance(lr, torch.Tensor) and lr.requires_grad:
            param.addcmul_(grad, lr, value=-1)
        else:
            param.add_(grad, alpha=-number(lr))


def sgd(
    params,
    d_p_list,
    momentum_buffer_list,
    has_sparse_grad=False,
    foreach=None,
    fused=None,
    grad_scale=None,
    found_inf=None,
    *,
    weight_decay,
    momentum,
    lr,
    dampening,
    nesterov,
    maximize,
):
    """A step of SGD of each parameter, given lists of what is kept of them; in place.

    Args:
        params: The parameters, a list of tensors, which are written to.
        d_p_list: Their gradients, a list.
        momentum_buffer_list: The momenta; None where there is none yet.
        has_sparse_grad: Whether some gradients are sparse.
        foreach: Which is not looked at.
        fused: Whether a fused step is asked for. There is one implementation; parameters that PyTorch's fused steps refuse are refused.
        grad_scale: What gradients were multiplied by; None is nothing.
        found_inf: 1 where the step is to be left out.
        weight_decay: How much of the weights is taken away.
        momentum: How much of the last step is kept.
        lr: The length of steps.
        dampening: How much of the gradient the momentum leaves out.
        nesterov: Whether it looks ahead.
        maximize: Whether to climb.

    >>> import rushlight as torch
    >>> w = torch.ones(2)
    >>> from rushlight.optim.sgd import sgd
    >>> sgd([w], [torch.ones(2)], [None], weight_decay=0, momentum=0, lr=0.5, dampening=0, nesterov=False, maximize=False)
    >>> w
    tensor([0.5000, 0.5000])
    """
    step_each(
        SGD,
        params,
        d_p_list,
        {"momentum_buffer": momentum_buffer_list} if momentum != 0 else {},
        fused=fused,
        grad_scale=grad_scale,
        found_inf=found_inf,
        weight_decay=weight_decay,
        momentum=momentum,
        lr=lr,
        dampening=dampening,
        nesterov=nesterov,
        maximize=maximize,
    )
