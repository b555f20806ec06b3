"""AdamW (Loshchilov and Hutter, 2019): Adam whose weight decay is no part of the gradient."""

from rushlight.optim.adam import Adam

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam with decoupled weight decay: `param *= 1 - lr * weight_decay` before each step. Options are Adam's."""

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
