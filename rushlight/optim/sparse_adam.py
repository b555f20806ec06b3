"""SparseAdam: Adam for gradients that are sparse, of which Rushlight has none."""

from rushlight.optim._description import DescribedOptimizer, check_single, invalid

__all__ = ["SparseAdam"]


class SparseAdam(DescribedOptimizer):
    """Adam that moves only the rows that a sparse gradient names.

    Rushlight has no sparse gradients, and a dense one is refused, as PyTorch refuses it: `step` raises for every parameter that has a gradient.

    Args:
        lr: learning rate, a number or a tensor of one element.
        betas: decay rates of the means of the gradient and of its square.
        eps: added to the root, against division by zero.
        maximize: ascend.
    """

    options = ("lr", "betas", "eps", "maximize")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        self.describe(params, locals())
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
        raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
