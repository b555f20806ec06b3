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
    batch="elementwise.depends",
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


def depending_on(value, source):
    """`value`, which has the derivative 0 by `source` whatever it depends on besides."""
    return _depends(value, source) if torch.is_grad_enabled() and source.requires_grad else value


def no_further(g, name):
    raise RuntimeError(f"derivative for aten::{name} is not implemented")


@op(
    vjp={"value": no_further, "source": no_further},
    jvp=lambda value_t, source_t, value, name: torch.zeros_like(value) if value_t is None else value_t,
    name="NotImplemented",
    function=False,
    method=False,
    out=False,
    batch="elementwise.depends",
)
def _ends(value, source, name):
    """`value` as a function of `source` that PyTorch does not differentiate."""
    return value.detach()


def underived_with(value, source, name):
    """The gradient `value`, whose own derivative is refused as that of PyTorch's op `name` is."""
    if torch.is_grad_enabled() and (value.requires_grad or source.requires_grad):
        return _ends(value, source, name)
    return value
