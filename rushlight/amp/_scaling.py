"""What a scaler of gradients does with numbers: takes the scale off, and changes it."""

import rushlight as torch

__all__ = ["_amp_foreach_non_finite_check_and_unscale_", "_amp_update_scale_"]


@torch.no_grad()
def _amp_foreach_non_finite_check_and_unscale_(self, found_inf, inv_scale):
    """Multiplies the gradients by `inv_scale`, and fills `found_inf` with 1 where one of them was not finite."""
    for grad in self:
        values = grad._values() if grad.is_sparse else grad
        if not bool(torch.isfinite(values).all()):
            found_inf.fill_(1.0)
        grad.mul_(inv_scale.to(grad.dtype))


@torch.no_grad()
def _amp_update_scale_(self, growth_tracker, found_inf, scale_growth_factor, scale_backoff_factor, growth_interval):
    """Makes the scale smaller where something was not finite, and larger after `growth_interval` steps without; returns it."""
    if found_inf.item():
        self.mul_(scale_backoff_factor)
        growth_tracker.fill_(0)
    elif growth_tracker.item() + 1 == growth_interval:
        grown = self * scale_growth_factor
        if bool(torch.isfinite(grown)):
            self.copy_(grown)
        growth_tracker.fill_(0)
    else:
        growth_tracker.add_(1)
    return self
