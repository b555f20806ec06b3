"""SparseAdam: Adam for gradients that are sparse, as `nn.Embedding(sparse=True)` has them."""

from rushlight.optim._description import DescribedOptimizer, check_single, invalid

__all__ = ["SparseAdam"]


class SparseAdam(DescribedOptimizer):
    """`Adam` that moves only the rows that a sparse gradient names.

    Averages of other rows stay as they are, too. A dense gradient is refused.

    Args:
        params: parameters, or groups of them, as `Optimizer` takes them.
        lr: learning rate, a number or a tensor of one element.
        betas: decay rates of the means of the gradient and of its square.
        eps: added to the root, against division by zero.
        maximize: ascend.

    >>> import rushlight as torch
    >>> table = torch.nn.Embedding.from_pretrained(torch.ones(3, 1), freeze=False, sparse=True)
    >>> optimizer = torch.optim.SparseAdam(table.parameters(), lr=0.1)
    >>> table(torch.tensor([1])).sum().backward()
    >>> optimizer.step()
    >>> table.weight.detach().flatten()
    tensor([1.0000, 0.9000, 1.0000])
    """

    takes_sparse = True
    options = ("lr", "betas", "eps", "maximize")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        self.describe(params, locals())
        sparse_ones = [
            [place, index]
            for place, group in enumerate(self.param_groups)
            for index, param in enumerate(group["params"])
            if param.is_sparse
        ]
        if sparse_ones:
            raise ValueError(f"Sparse params at indices {sparse_ones}: SparseAdam requires dense parameter tensors")
        complex_ones = [
            [number, index]
            for number, group in enumerate(self.param_groups)
            for index, param in enumerate(group["params"])
            if param.is_complex()
        ]
        if complex_ones:
            raise ValueError(f"Complex params at indices {complex_ones}: SparseAdam does not support complex parameters")

    def check(self, options):
        check_single("lr", options["lr"])
        for name in ("lr", "eps"):
            if not options[name] > 0.0:
                raise invalid(name, options[name])
        super().check(options)

    checked = ("betas",)

    def state_names(self, group):
        return ("exp_avg", "exp_avg_sq")

    def first_state(self, param, group):
        if not param.grad.is_sparse:
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        return super().first_state(param, group)

    def scalars(self, group):
        return {}  # (the count of steps is a plain number, in PyTorch too)

    def first_scalars(self, param, group):
        state = self.state[param]
        state["step"] = 0
        return state

    def update(self, param, grad, state, *, lr, betas, eps):
        if not grad.is_sparse:
            raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
        state["step"] += 1
        grad = grad.coalesce()
        places, values = tuple(grad.indices()), grad.values()
        if values.numel() == 0:
            return
        average, square = state["exp_avg"], state["exp_avg_sq"]
        mean, mean_square = average[places], square[places]
        change, change_of_square = (values - mean) * (1 - betas[0]), (values * values - mean_square) * (1 - betas[1])
        average.index_put_(places, change, accumulate=True)
        square.index_put_(places, change_of_square, accumulate=True)
        step = state["step"]
        size = lr * (1 - betas[1] ** step) ** 0.5 / (1 - betas[0] ** step)
        param.index_put_(places, -size * (mean + change) / ((mean_square + change_of_square).sqrt() + eps), accumulate=True)
