"""Losses of real-valued predictions. `reduction` is "none", "mean" or "sum"."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import warn_user
from rushlight.ops import layers

from .._reduction import REDUCTIONS, checked, reduced

__all__ = ["gaussian_nll_loss", "huber_loss", "kl_div", "l1_loss", "mse_loss", "poisson_nll_loss", "smooth_l1_loss"]


check_kl_div = core.Parser("kl_div", "Tensor input, Tensor target, int reduction=1, *, bool log_target=False")
check_poisson = core.Parser("poisson_nll_loss", "Tensor input, Tensor target, bool log_input, bool full, float eps")
check_smooth = core.Parser("smooth_l1_loss")


def _same_shape(input, target):
    """Both, broadcast against each other with a warning where their shapes differ."""
    if target.size() == input.size():
        return input, target
    warn_user(
        f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). This will likely lead to incorrect "
        "results due to broadcasting. Please ensure they have the same size."
    )
    return torch.broadcast_tensors(input, target)


def _weighted(loss, weight, reduction):
    """The sum of loss * weight, for the mean over the sum of the weights."""
    loss = loss * weight
    if reduction == "none":
        return loss
    return loss.sum() if reduction == "sum" else loss.sum() / weight.sum()


def _check_weight(weight, input):
    if weight.size() != input.size():
        raise ValueError("Weights and input must have the same size.")


def mse_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """(input - target)², and the mean, or by `reduction` "sum" or "none", of it.

    Shapes: input and target any, both the same (others broadcast, with a warning). With `weight`, of that shape too, losses are
    multiplied by it, and the mean is over its sum.

    >>> import rushlight as torch
    >>> torch.nn.functional.mse_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """
    if target.size() != input.size():
        input, target = _same_shape(input, target)
    if size_average is not None or reduce is not None or reduction not in REDUCTIONS:
        reduction = checked(reduction, size_average, reduce, weight is not None)
    if weight is None:
        return layers.mse_loss(input, target, reduction)
    _check_weight(weight, input)
    return _weighted((input - target) ** 2, weight, reduction)


def l1_loss(input, target, size_average=None, reduce=None, reduction="mean", weight=None):
    """|input - target|, and the mean, or by `reduction` "sum" or "none", of it. Shapes and `weight` as in `mse_loss`.

    >>> import rushlight as torch
    >>> torch.nn.functional.l1_loss(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0]))
    tensor(1.5000)
    """
    if core.is_wanted_whole("l1_loss"):
        return core.interpret_whole(l1_loss, input, target, size_average, reduce, reduction, weight)
    input, target = _same_shape(input, target)
    reduction = checked(reduction, size_average, reduce, weight is not None)
    if weight is None:
        return reduced((input - target).abs(), reduction)
    _check_weight(weight, input)
    return _weighted((input - target).abs(), weight, reduction)


def smooth_l1_loss(input, target, size_average=None, reduce=None, reduction="mean", beta=1.0):
    """d² / (2 beta) where d = |input - target| < beta, and d - beta / 2 elsewhere (Girshick, 2015).

    Shapes and `reduction` as in `mse_loss`; `beta` is not negative.

    >>> import rushlight as torch
    >>> torch.nn.functional.smooth_l1_loss(torch.tensor([0.5, 3.0]), torch.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    input, target = _same_shape(input, target)
    reduction = checked(reduction, size_average, reduce)
    check_smooth(input, target, reduction, beta)
    if beta == 0.0:
        return reduced((input - target).abs(), reduction)
    return layers.smooth_l1_loss(input, target, reduction, beta)


def huber_loss(input, target, reduction="mean", delta=1.0, weight=None):
    """d² / 2 where d = |input - target| <= delta, and delta * (d - delta / 2) elsewhere (Huber, 1964).

    Shapes and `reduction` as in `mse_loss`; `delta` is positive. With `weight` losses are multiplied by it.

    >>> import rushlight as torch
    >>> torch.nn.functional.huber_loss(torch.tensor([1.0, 3.0]), torch.zeros(2), reduction="none", delta=2.0)
    tensor([0.5000, 4.0000])
    """
    input, target = _same_shape(input, target)
    reduction = checked(reduction, weighted=weight is not None)
    if weight is None:
        return layers.huber_loss(input, target, reduction, delta)
    _check_weight(weight, input)
    return reduced(layers.huber_loss(input, target, "none", delta) * weight, reduction)


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target * (log(target) - input), where the input is a logarithm, and with `log_target` the target too.

    The `reduction` "batchmean" divides the sum by the batch size, as the definition has it; "mean", the default, divides by the
    number of elements, with a warning. "sum" and "none" are the others.

    >>> import rushlight as torch
    >>> target = torch.tensor([[0.5, 0.5]])
    >>> torch.nn.functional.kl_div(torch.tensor([[0.25, 0.75]]).log(), target, reduction="batchmean")
    tensor(0.1438)
    """
    if core.is_wanted_whole("kl_div"):
        return core.interpret_whole(kl_div, input, target, size_average, reduce, reduction, log_target)
    if size_average is not None or reduce is not None:
        reduction = checked(reduction, size_average, reduce)
    elif reduction == "mean":
        warn_user(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release."
        )
    elif reduction != "batchmean":
        reduction = checked(reduction)
    check_kl_div(input, target, log_target=log_target)
    for kind, found in (("Complex", "is_complex"), ("Integral", "is_floating_point")):
        if any(getattr(value, found)() is (kind == "Complex") for value in (input, target)):
            raise RuntimeError(f"kl_div: {kind} inputs not supported.")
    loss = target.exp() * (target - input) if log_target else torch.xlogy(target, target) - target * input
    if reduction == "batchmean":
        return loss.sum() / input.size(0) if input.dim() else loss.sum()
    return reduced(loss, reduction)


def poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, reduction="mean"):
    """exp(input) - target * input, or for `log_input=False`, input - target * log(input + eps).

    With `full`, Stirling's approximation of log(target!) is added where target > 1. Shapes and `reduction` as in `mse_loss`.

    >>> import rushlight as torch
    >>> torch.nn.functional.poisson_nll_loss(torch.tensor([2.0]), torch.tensor([2.0]), log_input=False)
    tensor(0.6137)
    """
    if core.is_wanted_whole("poisson_nll_loss"):
        return core.interpret_whole(poisson_nll_loss, input, target, log_input, full, size_average, eps, reduce, reduction)
    reduction = checked(reduction, size_average, reduce, older_word=False)
    check_poisson(input, target, log_input, full, eps)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, reduction)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """(log(var) + (input - target)² / var) / 2, plus log(2 π) / 2 with `full`; `var` is at least `eps` (Nix and Weigend, 1994).

    Shapes: input and target any, both the same; var too, or without (or with 1 for) the last dimension, or a number. `reduction`
    is "mean", "sum" or "none".

    Raises:
        ValueError: `var` has a negative entry, or fits the input neither as it is nor broadcast over some dimension.

    >>> import rushlight as torch
    >>> torch.nn.functional.gaussian_nll_loss(torch.tensor([0.0]), torch.tensor([2.0]), torch.tensor([4.0]))
    tensor(1.1931)
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * torch.ones_like(input)
    elif torch.any(var < 0):
        raise ValueError("var has negative entry/entries")
    if var.size() != input.size():
        if input.size()[:-1] == var.size():
            var = var.unsqueeze(-1)
        elif input.ndim != var.ndim or sum(v for i, v in zip(input.size(), var.size(), strict=True) if i != v) != 1:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    # The limit is no part of the graph.
    var = var.clone()
    with torch.no_grad():
        var.clamp_(min=eps)
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    if full:
        loss = loss + 0.5 * math.log(2 * math.pi)
    return reduced(loss, reduction)
