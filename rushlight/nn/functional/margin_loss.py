"""Losses that ask for a margin between scores or distances. `reduction` is "none", "mean" or "sum"."""

import rushlight as torch
from rushlight import core
from rushlight.core import Parser, unwrapped
from rushlight.ops import layers, losses
from rushlight.ops.broadcasting import broadcast_two

from .._reduction import checked, reduced
from .activation import logsigmoid
from .distance import pairwise_distance

__all__ = [
    "cosine_embedding_loss",
    "hinge_embedding_loss",
    "margin_ranking_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
]


check_hinge = Parser("hinge_embedding_loss", "Tensor input, Tensor target, float margin=1.0")
check_ranking = Parser("margin_ranking_loss", "Tensor input1, Tensor input2, Tensor target, float margin=0.0")
check_cosine = Parser("cosine_embedding_loss", "Tensor input1, Tensor input2, Tensor target, float margin=0.0")
check_triplet = Parser(
    "triplet_margin_loss",
    "Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, float eps=1e-06, bool swap=False",
)
check_soft_margin = Parser("soft_margin_loss")


def number_less(number, x):
    """number - x in the dtype of `x`, as compositions in C++ compute it."""
    return torch.full_like(x, number).sub_(x)


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """input where target is 1, and max(0, margin - input) where it is -1; input is a distance, of any shape.

    `reduction` is "mean", "sum" or "none".

    >>> import rushlight as torch
    >>> distances = torch.tensor([0.25, 0.25])
    >>> torch.nn.functional.hinge_embedding_loss(distances, torch.tensor([1.0, -1.0]), reduction="none")
    tensor([0.2500, 0.7500])
    """
    if core.is_wanted_whole("hinge_embedding_loss"):
        return core.interpret_whole(hinge_embedding_loss, input, target, margin, size_average, reduce, reduction)
    reduction = checked(reduction, size_average, reduce)
    check_hinge(input, target, margin)
    zeros = torch.zeros_like(input)
    apart = torch.where(target != 1, number_less(margin, input).clamp_min_(0), zeros)
    return reduced(apart + torch.where(target != -1, input, zeros), reduction)


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target * (input1 - input2) + margin), where target is 1 or -1. Shapes: (N) or () all three.

    `reduction` is "mean", "sum" or "none".

    >>> import rushlight as torch
    >>> ones = torch.ones(2)
    >>> torch.nn.functional.margin_ranking_loss(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 2.0]), ones, 0.5)
    tensor(0.7500)
    """
    if core.is_wanted_whole("margin_ranking_loss"):
        return core.interpret_whole(margin_ranking_loss, input1, input2, target, margin, size_average, reduce, reduction)
    reduction = checked(reduction, size_average, reduce)
    if input1.dim() != input2.dim() or input1.dim() != target.dim():
        raise RuntimeError(
            f"margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    check_ranking(input1, input2, target, margin)
    with unwrapped:
        difference = input1 - input2
        loss = (-target * difference + float(margin)).clamp_min_(0)
    return reduced(loss, reduction)


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos where target is 1, and max(0, cos - margin) where it is -1. Shapes: (N, D), (N, D), (N) or (D), (D), ().

    cos is the cosine of the angle between input1 and input2. `reduction` is "mean", "sum" or "none".

    >>> import rushlight as torch
    >>> x, y = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[0.0, 1.0], [2.0, 0.0]])
    >>> torch.nn.functional.cosine_embedding_loss(x, y, torch.tensor([1, -1]), margin=0.25, reduction="none")
    tensor([1.0000, 0.7500])
    """
    if core.is_wanted_whole("cosine_embedding_loss"):
        return core.interpret_whole(cosine_embedding_loss, input1, input2, target, margin, size_average, reduce, reduction)
    reduction = checked(reduction, size_average, reduce)
    check_cosine(input1, input2, target, margin)
    dim = target.dim()
    if dim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if input1.dim() != dim + 1 or input2.dim() != dim + 1:
        raise RuntimeError(
            f"{dim}D target tensor expects {dim + 1}D input tensors, but found inputs with sizes "
            f"{list(input1.shape)} and {list(input2.shape)}."
        )
    epsilon = 1e-12
    with unwrapped:
        squares = ((input1 * input1).sum(dim) + epsilon) * ((input2 * input2).sum(dim) + epsilon)
        cosine = (input1 * input2).sum(dim) / squares.sqrt()
        zeros = torch.zeros_like(cosine)
        alike = torch.where(target == 1, number_less(1, cosine), zeros)
        loss = alike + torch.where(target == -1, (cosine - margin).clamp_min_(0), zeros)
    return reduced(loss, reduction)


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target * input)), where target is 1 or -1. Shapes: any, both the same. `reduction` is "mean", "sum" or "none".

    >>> import rushlight as torch
    >>> torch.nn.functional.soft_margin_loss(torch.tensor([0.0, 2.0]), torch.tensor([1.0, -1.0]), reduction="none")
    tensor([0.6931, 2.1269])
    """
    reduction = checked(reduction, size_average, reduce)
    check_soft_margin(input, target)
    losses.refuse_gradient("soft_margin_loss", "target", target)
    shape = broadcast_two(tuple(input.shape), tuple(target.shape))
    if shape != tuple(input.shape):
        raise RuntimeError(f"output with shape {list(input.shape)} doesn't match the broadcast shape {list(shape)}")
    return layers.soft_margin_loss(input, target, reduction)


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """sum over i ≠ target of max(0, margin - input[target] + input[i])ᵖ / C * weight[target].

    Shapes: input (N, C) or (C), target (N) or () of integers, weight (C). `p` is 1 or 2, `reduction` "mean", "sum" or "none".

    >>> import rushlight as torch
    >>> torch.nn.functional.multi_margin_loss(torch.tensor([[0.0, 2.0, 1.5]]), torch.tensor([1]))
    tensor(0.1667)
    """
    reduction = checked(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    return layers.multi_margin_loss(input, target, p, margin, weight, reduction)


def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """sum of max(0, 1 - input[j] + input[i]) / C over targets j and non-targets i; the list of targets ends at the first -1.

    Shapes: input (N, C) or (C), and target the same, of integers. `reduction` is "mean", "sum" or "none".

    >>> import rushlight as torch
    >>> torch.nn.functional.multilabel_margin_loss(torch.tensor([0.0, 2.0, 0.5]), torch.tensor([1, 2, -1]))
    tensor(0.1667)
    """
    return layers.multilabel_margin_loss(input, target, checked(reduction, size_average, reduce))


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The mean over the last dimension of the binary cross entropy of sigmoid(input), times `weight` (C).

    Shapes: input and target (N, C), the target 0 or 1. `reduction` of the samples' losses is "mean", "sum" or "none".

    >>> import rushlight as torch
    >>> torch.nn.functional.multilabel_soft_margin_loss(torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 1.0]]))
    tensor(0.4100)
    """
    if size_average is not None or reduce is not None:
        reduction = checked(reduction, size_average, reduce)
    loss = -(target * logsigmoid(input) + (1 - target) * logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    classes = input.dim() - 1  # (also where the target has more dimensions)
    loss = loss.sum(dim=classes) / input.size(classes)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(reduction + " is not valid")
    return reduced(loss, reduction)


def triplet_margin_loss(
    anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None, reduce=None, reduction="mean"
):
    """max(0, margin + |anchor - positive| - |anchor - negative|) in the p-norm (Balntas et al., 2016).

    Shapes: all three (N, D) or (D). `eps` is added to differences. With `swap`, the distance of positive and negative replaces
    that of anchor and negative where it is smaller. `reduction` is "mean", "sum" or "none".

    >>> import rushlight as torch
    >>> anchor, positive, negative = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.5]]).split(1)
    >>> torch.nn.functional.triplet_margin_loss(anchor, positive, negative)
    tensor(0.5000)
    """
    if core.is_wanted_whole("triplet_margin_loss"):
        return core.interpret_whole(
            triplet_margin_loss, anchor, positive, negative, margin, p, eps, swap, size_average, reduce, reduction
        )
    reduction = checked(reduction, size_average, reduce)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    check_triplet(anchor, positive, negative, margin, p, eps, swap)
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )
    to_positive = pairwise_distance(anchor, positive, p, eps)
    to_negative = pairwise_distance(anchor, negative, p, eps)
    if swap:
        to_negative = torch.minimum(to_negative, pairwise_distance(positive, negative, p, eps))
    with unwrapped:
        return reduced((margin + to_positive - to_negative).clamp_min(0), reduction)


def triplet_margin_with_distance_loss(
    anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"
):
    """max(0, margin + d(anchor, positive) - d(anchor, negative)), where d is `distance_function`, by default `pairwise_distance`.

    `swap` and `reduction` are as in `triplet_margin_loss`.

    >>> import rushlight as torch
    >>> anchor, positive, negative = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.5]]).split(1)
    >>> distance = lambda x, y: (x - y).abs().max(-1).values
    >>> torch.nn.functional.triplet_margin_with_distance_loss(anchor, positive, negative, distance_function=distance)
    tensor(0.5000)
    """
    reduction = checked(reduction, older_word=False)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.dim()}D, positive {positive.dim()}D, and negative {negative.dim()}D inputs"
        )
    distance = pairwise_distance if distance_function is None else distance_function
    to_positive, to_negative = distance(anchor, positive), distance(anchor, negative)
    if swap:
        to_negative = torch.minimum(to_negative, distance(positive, negative))
    return reduced((margin + (to_positive - to_negative)).clamp_min(0), reduction)
