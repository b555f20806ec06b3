"""Weights whose gradients are kept for each example of a batch."""

from rushlight.nn.utils._expanded_weights.expanded_weights_impl import ExpandedWeight

__all__ = ["ExpandedWeight"]
