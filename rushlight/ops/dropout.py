"""Dropout: random zeroing of elements or feature maps, and the kind that keeps selu's mean and variance."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import draw
from rushlight.ops._declare import composite, op
from rushlight.ops.random import BERNOULLI, shown


def check_dropout(p):
    """The probability of dropping lies in [0, 1]."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {shown(p)}")


def noise_for(x, p, feature):
    """0 and 1, 1 with probability 1 - p; one number for each feature map where `feature`."""
    if feature:
        if x.dim() < 2:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        noise = core.empty_tensor((*x.shape[:2], *[1] * (x.dim() - 2)), x.dtype)
    else:
        noise = core.empty_like_layout(x)
    return draw(noise, BERNOULLI, None, 1.0 - p)


SELU_LIMIT = 1.7580993408473766
"""Minus the value that selu tends to: what alpha dropout sets units to."""


def dropout_of(x, p, train, inplace, feature=False, alpha=False):
    """The dropout family: zeroes (or, with `alpha`, saturates) units with probability p and rescales the rest."""
    check_dropout(p)
    if p == 0 or not train or x.numel() == 0:
        return x
    if p == 1:
        nothing = core.filled("zeros", ((),), 0, x.dtype)
        return x.mul_(nothing) if inplace else x * nothing
    noise = noise_for(x, p, feature)
    if not alpha:
        noise = noise.div_(1.0 - p)
        return x.mul_(noise) if inplace else x * noise
    scale = 1.0 / math.sqrt((SELU_LIMIT * SELU_LIMIT * p + 1) * (1 - p))
    shift = noise.add(-1).mul_(SELU_LIMIT * scale).add_(SELU_LIMIT * scale * p)
    noise = noise.mul_(scale)
    return x.mul_(noise).add_(shift) if inplace else x * noise + shift


def dropout_pair(name, about, **kind):
    """One member of the family, with its in-place form."""

    def forward(input, p, train):
        return dropout_of(input, p, train, False, **kind)

    def inplace(input, p, train):
        return dropout_of(input, p, train, True, **kind)

    for function, suffix in ((forward, ""), (inplace, "_")):
        function.__name__ = function.__qualname__ = name + suffix
        function.__doc__ = about
        composite(function, method=False)
    return forward, inplace


dropout, dropout_ = dropout_pair("dropout", "Zeroes elements with probability `p` and scales the rest by 1 / (1 - p).")
feature_dropout, feature_dropout_ = dropout_pair(
    "feature_dropout", "Zeroes whole feature maps (dimension 1) with probability `p`.", feature=True
)
alpha_dropout, alpha_dropout_ = dropout_pair(
    "alpha_dropout", "Dropout that keeps mean and variance of selu's outputs (Klambauer et al. 2017).", alpha=True
)
feature_alpha_dropout, feature_alpha_dropout_ = dropout_pair(
    "feature_alpha_dropout", "Alpha dropout of whole feature maps.", feature=True, alpha=True
)


@op(
    vjp=lambda g, mask, scale, backward: g * (mask.to(g.dtype) * scale),
    linear=True,
    inputs=("x",),
    name=("NativeDropoutBackward0", "NativeDropoutBackwardBackward0"),
    variant=lambda x, mask, scale, backward: int(backward),
    real=True,
    function=False,
    method=False,
    out=False,
    batch="elementwise.composed",
)
def kept_units(x, mask, scale, backward):
    """`x` where `mask` is 1, times `scale`: dropout with a mask that is at hand, and its derivative."""
    return x.mul(mask).mul_(scale)


@composite(method=False, signature="Tensor input, float p, bool? train")
def native_dropout(input, p, train):
    """Dropout, and the mask of what it kept; all is kept where `train` is False.

    >>> import rushlight
    >>> rushlight.native_dropout(rushlight.ones(2), 0.5, False)
    (tensor([1., 1.]), tensor([True, True]))
    """
    if input.numel() == 0:
        return input, torch.empty_like(input)
    if train is False:
        mask = torch.ones_like(input, dtype=torch.bool)
        return kept_units(input, mask, 1, False), mask
    kept = 1 - p
    mask = torch.empty_like(input, dtype=torch.bool).bernoulli_(kept)
    return kept_units(input, mask, 1 / kept if kept else 0.0, False), mask


@composite(namespace="aten", method=False, signature="Tensor grad_output, Tensor mask, float scale")
def native_dropout_backward(grad_output, mask, scale):
    """The cotangent of native_dropout's input."""
    return kept_units(grad_output, mask, scale, True)
