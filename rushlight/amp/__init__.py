"""Mixed precision: autocast computes products in half of float32's width, GradScaler keeps gradients from vanishing there."""

from rushlight.amp.autocast_mode import _enter_autocast, _exit_autocast, autocast, custom_bwd, custom_fwd, is_autocast_available
from rushlight.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
