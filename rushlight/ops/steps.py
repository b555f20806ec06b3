"""Derivatives that are constant piece by piece, yet depend on their input.

A program that differentiates them again gets zeros, as with PyTorch, and no error.
"""

import rushlight as torch
from rushlight.ops._declare import op


@op(
    vjp={"value": lambda g: g, "source": lambda g, source_shape: g.new_zeros(source_shape)},
    jvp=lambda value_t, source_t, value: torch.zeros_like(value) if value_t is None else value_t,
    function=False,
    method=False,
    out=False,
)
def _depends(value, source):
    """`value` as a function of `source` whose derivative is 0."""
    return value.detach()


def tracked_with(value, *sources):
    """`value`, which requires grad wherever one of `sources` does."""
    if torch.is_grad_enabled() and not value.requires_grad:
        for source in sources:
            if source is not None and source.requires_grad:
                return _depends(value, source)
    return value
