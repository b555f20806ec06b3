"""Losses of predicted classes. `reduction` is "none", "mean" or "sum"."""

import rushlight as torch
from rushlight import core
from rushlight.core import Parser, unwrapped, warn_user
from rushlight.ops import layers, losses

from .._reduction import checked, get_enum, reduced
from .linear import linear

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "ctc_loss",
    "linear_cross_entropy",
    "nll_loss",
]


def nll_loss(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
    """-input[target] * weight[target], where the input holds logarithms of probabilities.

    Shapes: input (N, C, *) or (C), target (N, *) or (), weight (C). Targets that are `ignore_index` count for nothing.
    `reduction` is "mean", over the sum of the weights, "sum" or "none".

    >>> import rushlight as torch
    >>> log_probabilities = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    >>> torch.nn.functional.nll_loss(log_probabilities, torch.tensor([0, 1]), reduction="none")
    tensor([1.3863, 0.6931])
    """
    return layers.nll_loss(input, target, weight, checked(reduction, size_average, reduce), ignore_index)


check_cross_entropy = Parser(
    "cross_entropy_loss",
    "Tensor input, Tensor target, Tensor? weight=None, int reduction=1, index ignore_index=-100, float label_smoothing=0.0",
)
check_with_logits = Parser("binary_cross_entropy_with_logits")


def cross_entropy(
    input,
    target,
    weight=None,
    size_average=None,
    ignore_index=-100,
    reduce=None,
    reduction="mean",
    label_smoothing=0.0,
):
    """-log(softmax(input))[target] * weight[target]: `log_softmax` and `nll_loss` in one. Input are scores, not probabilities.

    Shapes: input (N, C, *) or (C); target (N, *) or (), integers that name the class, or of the shape of the input, probabilities
    of the classes; weight (C).

    Args:
        ignore_index: Targets of this value count for nothing.
        reduction: "mean" (over the sum of the targets' weights, or over N for probabilities), "sum" or "none".
        label_smoothing: How much of the target is the uniform distribution (Szegedy et al., 2016).

    Raises:
        RuntimeError: `label_smoothing` is not between 0 and 1, or the target has neither form.

    >>> import rushlight as torch
    >>> scores = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> torch.nn.functional.cross_entropy(scores, torch.tensor([0, 2]))
    tensor(0.6691)
    """
    if core.is_wanted_whole("cross_entropy"):
        return core.interpret_whole(
            cross_entropy, input, target, weight, size_average, ignore_index, reduce, reduction, label_smoothing
        )
    reduction = checked(reduction, size_average, reduce)
    if type(input) is not torch.Tensor or type(target) is not torch.Tensor or label_smoothing != 0.0:
        check_cross_entropy(input, target, weight, 1, ignore_index, label_smoothing)
    class_dim = 0 if input.dim() == 1 else 1
    if input.shape == target.shape:
        return _with_probabilities(input, target, weight, ignore_index, reduction, label_smoothing, class_dim)
    if label_smoothing > 0.0:
        _check_smoothing(label_smoothing)
        return _smoothed(input, target, weight, ignore_index, reduction, label_smoothing, class_dim)
    return layers.nll_loss(layers.log_softmax(input, class_dim), target, weight, reduction, ignore_index)


def _check_smoothing(label_smoothing):
    if label_smoothing > 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing:g}")


def _along_classes(weight, input, class_dim):
    return weight.view([-1 if d == class_dim else 1 for d in range(input.dim())])


def _with_probabilities(input, target, weight, ignore_index, reduction, label_smoothing, class_dim):
    if not target.is_floating_point():
        name = torch.typename(target).removeprefix("torch.").removesuffix("Tensor")
        raise RuntimeError(f"Expected floating point type for target with class probabilities, got {name}")
    if ignore_index >= 0:
        raise RuntimeError("ignore_index is not supported for floating point target")
    classes = input.shape[class_dim]
    if weight is not None and not (weight.dim() == 1 and weight.numel() == classes):
        raise RuntimeError(
            f"cross_entropy: weight tensor should be defined either for all {classes} classes or no classes "
            f"but got weight tensor of shape: {list(weight.shape)}"
        )
    log_probabilities = layers.log_softmax(input, class_dim)
    if label_smoothing > 0.0:
        _check_smoothing(label_smoothing)
        with unwrapped:
            target = target * (1 - label_smoothing) + label_smoothing / classes
    terms = log_probabilities * target
    if weight is not None:
        terms = terms * _along_classes(weight, input, class_dim)
    if reduction == "none":
        return -terms.sum(class_dim)
    if reduction == "sum":
        return -terms.sum()
    with unwrapped:
        return -terms.sum() / (input.numel() / classes if classes else float("nan"))


def _smoothed(input, target, weight, ignore_index, reduction, label_smoothing, class_dim):
    log_probabilities = layers.log_softmax(input, class_dim)
    nll = layers.nll_loss(log_probabilities, target, weight, reduction, ignore_index)
    terms = log_probabilities if weight is None else log_probabilities * _along_classes(weight, input, class_dim)
    ignored = target == ignore_index
    uniform = (-terms.sum(class_dim)).masked_fill(ignored, 0.0)
    if reduction == "mean" and weight is not None:
        uniform = uniform.sum() / weight.gather(0, target.masked_select(~ignored)).sum()
    elif reduction == "mean":
        uniform = uniform.sum() / (~ignored).sum()
    else:
        uniform = reduced(uniform, reduction)
    with unwrapped:
        return nll * (1 - label_smoothing) + uniform * (label_smoothing / input.shape[class_dim])


def binary_cross_entropy(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """-(target * log(input) + (1 - target) * log(1 - input)) * weight; the logarithms are limited to -100 from below.

    Shapes: input and target any, both the same; weight broadcasts. `reduction` is "mean", "sum" or "none".

    Raises:
        ValueError: The shapes of input and target differ.
        RuntimeError: An element of the input is not between 0 and 1.

    >>> import rushlight as torch
    >>> torch.nn.functional.binary_cross_entropy(torch.tensor([0.5, 0.9]), torch.tensor([1.0, 0.0]), reduction="none")
    tensor([0.6931, 2.3026])
    """
    reduction = checked(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is deprecated. "
            "Please ensure they have the same size."
        )
    if weight is not None:
        weight = weight.expand(torch.broadcast_shapes(target.shape, weight.shape))
    return layers.binary_cross_entropy(input, target, weight, reduction)


def binary_cross_entropy_with_logits(
    input, target, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None
):
    """`binary_cross_entropy` of sigmoid(input), exact where that is 0 or 1.

    Args:
        weight: A factor for each element, broadcast.
        pos_weight: A factor for the positive part, often of each class: how many negative samples there are for a positive one.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: The shapes of input and target differ.

    >>> import rushlight as torch
    >>> torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor([0.0]), torch.tensor([1.0]))
    tensor(0.6931)
    """
    reduction = checked(reduction, size_average, reduce)
    if target.shape != input.shape:
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    check_with_logits(input, target, weight, pos_weight)
    return losses.binary_cross_entropy_with_logits(input, target, weight, pos_weight, reduction)


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """-log of the probability that log-probabilities give to labels, over all ways to place them (Graves et al., 2006).

    Shapes: log_probs (T, N, C) or (T, C); targets (N, S), or the labels of all samples one after the other; input_lengths and
    target_lengths (N), as tensors or tuples.

    Args:
        blank: The class that stands for no label.
        reduction: "mean" (of losses divided by their numbers of labels), "sum" or "none".
        zero_infinity: Whether losses that are infinite, as there are too few steps, count as zero.

    >>> import rushlight as torch
    >>> log_probs = torch.zeros(4, 1, 3).log_softmax(2)
    >>> torch.nn.functional.ctc_loss(log_probs, torch.tensor([[1, 2]]), (4,), (2,), reduction="sum")
    tensor(1.6864)
    """
    return torch.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, get_enum(reduction), zero_infinity)


def linear_cross_entropy(
    input,
    linear_weight,
    target,
    *,
    linear_bias=None,
    weight=None,
    reduction="mean",
    ignore_index=None,
    label_smoothing=0.0,
    options=None,
):
    """`cross_entropy` of `linear(input, linear_weight, linear_bias)`.

    Shapes: input (N, D) or (D), linear_weight (C, *, D), linear_bias (C, *), target (N, *) or (*), integers, or probabilities (N,
    C, *). `weight`, `reduction`, `ignore_index` and `label_smoothing` are as there. With `options`, an
    `nn.LinearCrossEntropyOptions`, it is computed in pieces of the batch, with less memory and once differentiable.

    Raises:
        RuntimeError: Shapes do not fit.

    >>> import rushlight as torch
    >>> torch.nn.functional.linear_cross_entropy(torch.zeros(4, 8), torch.zeros(100, 8), torch.arange(4))
    tensor(4.6052)
    """
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}")
    if input.shape[-1] != linear_weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {linear_weight.shape[-1]}, respectively"
        )
    outputs = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != outputs:
        raise RuntimeError(f"expected linear_bias shape {outputs}, got {tuple(linear_bias.shape)}")
    if len(outputs) > 1 and input.dim() == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched input, "
            f"(N, {input.shape[0]}), got unbatched input with shape {tuple(input.shape)}"
        )
    if ignore_index is None:
        ignore_index = -100
    elif tuple(target.shape) == (*input.shape[:-1], *outputs):
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    if options is not None:
        if len(outputs) == 1 and reduction in ("mean", "sum", "none") and label_smoothing == 0 and target.dtype == torch.int64:
            from ..modules.linear_cross_entropy import in_pieces

            return in_pieces(input, linear_weight, target, linear_bias, weight, reduction, ignore_index, options)
        warn_user(
            "linear_cross_entropy: ``options`` ignored; chunked path needs reduction in {'mean','sum','none'}, label_smoothing == 0, "
            f"target.dtype == int64, out_features == (). Got reduction={reduction!r}, label_smoothing={label_smoothing}, "
            f"target.dtype={target.dtype}, out_features={outputs[1:]}, tracing=False, "
            f"linear_bias.shape={None if linear_bias is None else outputs}."
        )
    scores = linear(input, linear_weight.flatten(0, -2), None if linear_bias is None else linear_bias.flatten())
    scores = scores.view(*scores.shape[:-1], *outputs)
    return cross_entropy(scores, target, weight, ignore_index=ignore_index, reduction=reduction, label_smoothing=label_smoothing)
