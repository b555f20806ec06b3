"""Adafactor (Shazeer and Stern, 2018)."""

import rushlight as torch
from rushlight.optim._description import DescribedOptimizer, check_single, number

__all__ = ["Adafactor"]


class Adafactor(DescribedOptimizer):
    """Adafactor: divides the gradient by the root of a mean of its square, of which only the sums of rows and columns are kept.

    For matrices of n by m that is n + m numbers in place of n * m (Shazeer and Stern, 2018).

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: learning rate, a number or a tensor of one element; the step size is at most `1 / sqrt(step)`, relative to the
            parameter's size.
        beta2_decay: the power by which the weight of a new square shrinks.
        eps: the least root of a square (of the dtype, where None), and the least size of a parameter.
        d: the largest root of the mean square of a step before it is scaled.
        weight_decay: factor by which parameters shrink directly.
        foreach: accepted; there is one implementation.
        maximize: ascend.

    >>> import rushlight as torch
    >>> w = torch.ones(2, 3, requires_grad=True)
    >>> optimizer = torch.optim.Adafactor([w], lr=0.1)
    >>> w.sum().backward()
    >>> optimizer.step()
    >>> {name: tuple(x.shape) for name, x in optimizer.state[w].items()}
    {'step': (), 'row_var': (2, 1), 'col_var': (1, 3)}
    """

    options = ("lr", "beta2_decay", "eps", "d", "weight_decay", "foreach", "maximize")

    def __init__(
        self, params, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, *, foreach=None, maximize=False
    ):
        self.describe(params, locals())

    def check(self, options):
        check_single("lr", options["lr"])
        least_root, least_size = options["eps"]
        for text, value, fits in (
            ("Learning rate should be >= 0", options["lr"], options["lr"] >= 0.0),
            ("beta2_decay should be <= 0", options["beta2_decay"], options["beta2_decay"] <= 0.0),
            ("epsilon1 should be >= 0", least_root, least_root is None or least_root >= 0.0),
            ("epsilon2 should be >= 0", least_size, least_size >= 0.0),
            ("Clipping threshold d should be >= 1", options["d"], options["d"] >= 1.0),
            ("weight_decay should be >= 0", options["weight_decay"], options["weight_decay"] >= 0.0),
        ):
            if not fits:
                raise ValueError(f"{text} but is: {value}")

    def state_names(self, group):
        return ("row_var", "col_var", "variance")  # (the first two or the last)

    def first_state(self, param, group):
        if param.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        state, grad = self.first_scalars(param, group), param.grad
        if grad.dim() > 1:
            rows, columns = list(grad.shape), list(grad.shape)
            rows[-1] = columns[-2] = 1
            state["row_var"], state["col_var"] = grad.new_zeros(rows), grad.new_zeros(columns)
        else:
            state["variance"] = torch.zeros_like(grad, memory_format=torch.preserve_format)
        return state

    def update(self, param, grad, state, *, lr, beta2_decay, eps, d, weight_decay):
        step = state["step"].item()
        least_root = torch.finfo(param.dtype).eps if eps[0] is None else eps[0]
        weight = step**beta2_decay
        size = param.norm(2).item() / (param.numel() ** 0.5)
        step_size = max(eps[1], size) * min(lr, 1 / (step**0.5))
        if weight_decay != 0:
            param.mul_(1 - lr * weight_decay)
        if grad.dim() > 1:
            for name, dim in (("row_var", -1), ("col_var", -2)):
                mean = torch.norm(grad, dim=dim, keepdim=True).square_().div_(grad.size(dim))
                state[name].lerp_(mean, weight)
            rows = state["row_var"]
            variance = (rows @ state["col_var"]).div_(rows.mean(dim=-2, keepdim=True).clamp_(min=least_root))
        else:
            variance = state["variance"].lerp_(grad * grad, weight).clone()
        move = variance.clamp_(min=least_root * least_root).rsqrt_().mul_(grad)
        excess = max(1.0, move.norm(2).item() / ((move.numel() ** 0.5) * d))
        param.add_(move, alpha=number(-step_size / excess))
