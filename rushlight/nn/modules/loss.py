"""Losses as modules. `reduction` is "none", "mean" or "sum"; `size_average` and `reduce` are its older forms."""

import math

from rushlight.core import warn_user

from .. import _reduction
from .. import functional as F
from .distance import PairwiseDistance
from .linear import Linear
from .linear_cross_entropy_options import LinearCrossEntropyOptions
from .module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "GaussianNLLLoss", "HingeEmbeddingLoss", "HuberLoss",
    "KLDivLoss", "L1Loss", "LinearCrossEntropyLoss", "LinearCrossEntropyOptions", "MSELoss", "MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss",
    "NLLLoss", "NLLLoss2d", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss", "TripletMarginLoss", "TripletMarginWithDistanceLoss",
]  # fmt: skip


class _Loss(Module):
    """A loss, and what is made of the losses of all elements.

    Args:
        reduction: "none" for the loss of each element, "mean" or "sum".
        size_average, reduce: The older form of `reduction`, deprecated: `reduce=False` is "none", `size_average=False` is "sum".
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean"):
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = _reduction.legacy_get_string(size_average, reduce)
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with weights.

    Args:
        weight: A factor for each class (C), which becomes a buffer.
        size_average, reduce, reduction: What is made of the losses, as in `_Loss`.
    """

    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """|input - target|: the mean absolute error, whose minimum is the median.

    Shapes: input and target any, both the same (others broadcast, with a warning).

    Args:
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> torch.nn.L1Loss()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0]))
    tensor(1.5000)
    >>> torch.nn.L1Loss(reduction="none")(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 5.0]))
    tensor([0., 3.])
    """

    def forward(self, input, target):
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """(input - target)²: the mean squared error, whose minimum is the mean.

    Shapes: input and target any, both the same (others broadcast, with a warning).

    Args:
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> torch.nn.MSELoss()(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input, target):
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """d² / (2 beta) where d = |input - target| < beta, and d - beta / 2 elsewhere (Girshick, 2015). It is `HuberLoss` / beta.

    Shapes: input and target any, both the same.

    Args:
        reduction: "none", "mean" or "sum".
        beta: Where the parabola ends and the line begins, not negative; 0 is `L1Loss`.

    >>> import rushlight as torch
    >>> torch.nn.SmoothL1Loss(reduction="none")(torch.tensor([0.5, 3.0]), torch.zeros(2))
    tensor([0.1250, 2.5000])
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean", beta=1.0):
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input, target):
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """d² / 2 where d = |input - target| <= delta, and delta * (d - delta / 2) elsewhere (Huber, 1964).

    Shapes: input and target any, both the same.

    Args:
        reduction: "none", "mean" or "sum".
        delta: Where the parabola ends and the line begins, positive.

    Raises:
        TypeError: `delta` is no number.

    >>> import rushlight as torch
    >>> torch.nn.HuberLoss(reduction="none", delta=2.0)(torch.tensor([1.0, 3.0]), torch.zeros(2))
    tensor([0.5000, 4.0000])
    """

    def __init__(self, reduction="mean", delta=1.0):
        if not isinstance(delta, float | int):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input, target):
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class NLLLoss(_WeightedLoss):
    """-input[target] * weight[target], where the input holds logarithms of probabilities, as from `LogSoftmax`.

    Shapes: input (N, C, *) or (C); target (N, *) or (), integers from 0 to C - 1.

    Args:
        weight: A factor for each class (C).
        ignore_index: Targets of this value count for nothing.
        reduction: "none", "mean" (over the sum of the targets' weights) or "sum".

    >>> import rushlight as torch
    >>> log_probabilities = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    >>> torch.nn.NLLLoss(reduction="none")(log_probabilities, torch.tensor([0, 1]))
    tensor([1.3863, 0.6931])
    """

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input, target):
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class NLLLoss2d(NLLLoss):
    """The older name of `NLLLoss`, deprecated: (N, C, H, W) and (N, H, W) are shapes like others.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     loss = torch.nn.NLLLoss2d()
    >>> loss(torch.zeros(1, 2, 3, 3).log_softmax(1), torch.zeros(1, 3, 3, dtype=torch.int64))
    tensor(0.6931)
    """

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean"):
        warn_user(
            "`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement and see "
            "https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more details.",
            FutureWarning,
        )
        super().__init__(weight, size_average, ignore_index, reduce, reduction)


class CrossEntropyLoss(_WeightedLoss):
    """-log(softmax(input))[target] * weight[target]: `LogSoftmax` and `NLLLoss` in one. Input are scores, not probabilities.

    Shapes: input (N, C, *) or (C); target (N, *) or () of class indices, or of the input's shape, of probabilities.

    Args:
        weight: A factor for each class (C).
        ignore_index: Targets of this value count for nothing.
        reduction: "none", "mean" (over the sum of the targets' weights, or over N for probabilities) or "sum".
        label_smoothing: How much of the target is the uniform distribution, from 0 to 1 (Szegedy et al., 2016).

    >>> import rushlight as torch
    >>> scores = torch.tensor([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> torch.nn.CrossEntropyLoss(reduction="none")(scores, torch.tensor([0, 2]))
    tensor([0.2395, 1.0986])
    >>> torch.nn.CrossEntropyLoss(label_smoothing=0.3)(scores, torch.tensor([0, 2]))
    tensor(0.8691)
    """

    def __init__(self, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0):
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input, target):
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class BCELoss(_WeightedLoss):
    """-(target * log(input) + (1 - target) * log(1 - input)) * weight, of probabilities. The logarithms are at least -100.

    Shapes: input and target any, both the same, between 0 and 1; weight broadcasts. Scores go into `BCEWithLogitsLoss`.

    Args:
        weight: A factor for each element.
        reduction: "none", "mean" or "sum".

    Raises:
        ValueError: The shapes of input and target differ.
        RuntimeError: An element of the input is not between 0 and 1.

    >>> import rushlight as torch
    >>> torch.nn.BCELoss(reduction="none")(torch.tensor([0.5, 0.9]), torch.tensor([1.0, 0.0]))
    tensor([0.6931, 2.3026])
    """

    def forward(self, input, target):
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """`BCELoss` of sigmoid(input), exact where that is 0 or 1.

    -(pos_weight * target * log(sigmoid(input)) + (1 - target) * log(1 - sigmoid(input))) * weight.

    Shapes: input and target any, both the same; weights broadcast.

    Args:
        weight: A factor for each element.
        pos_weight: A factor for the positive part, often of each class (C): the number of negative samples over that of positive
            ones.
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> torch.nn.BCEWithLogitsLoss(reduction="none")(torch.tensor([0.0, 200.0]), torch.tensor([1.0, 0.0]))
    tensor([  0.6931, 200.0000])
    >>> torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor([3.0]))(torch.tensor([0.0]), torch.tensor([1.0]))
    tensor(2.0794)
    """

    def __init__(self, weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None):
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input, target):
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class KLDivLoss(_Loss):
    """target * (log(target) - input): the divergence of Kullback and Leibler of input, a logarithm, from target.

    Shapes: input and target any, both the same.

    Args:
        reduction: "batchmean" for the sum over the batch size, the divergence as it is defined; "mean" (over all elements, with a
            warning), "sum" or "none".
        log_target: Whether the target is a logarithm too.

    >>> import rushlight as torch
    >>> target = torch.tensor([[0.5, 0.5]])
    >>> torch.nn.KLDivLoss(reduction="batchmean")(torch.tensor([[0.25, 0.75]]).log(), target)
    tensor(0.1438)
    """

    def __init__(self, size_average=None, reduce=None, reduction="mean", log_target=False):
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input, target):
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """exp(input) - target * input: the negative log-likelihood of counts, of whose rate the input is the logarithm.

    Shapes: input and target any, both the same.

    Args:
        log_input: False where the input is the rate itself: input - target * log(input + eps).
        full: Whether Stirling's approximation of log(target!) is added where target > 1.
        eps: Against log(0).
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> torch.nn.PoissonNLLLoss(log_input=False)(torch.tensor([2.0]), torch.tensor([2.0]))
    tensor(0.6137)
    """

    def __init__(self, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input, target):
        return F.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(_Loss):
    """(log(var) + (input - target)² / var) / 2: -log of the likelihood of a predicted mean and variance (Nix and Weigend, 1994).

    Called with input, target and var. Shapes: input and target any, both the same;
    var too, or without (or with 1 for) the last dimension, or a number.

    Args:
        full: Whether the constant log(2 π) / 2 is added.
        eps: What `var` is at least; the limit has no part in the gradient.
        reduction: "none", "mean" or "sum".

    Raises:
        ValueError: A variance is negative, or its shape does not fit.

    >>> import rushlight as torch
    >>> torch.nn.GaussianNLLLoss()(torch.tensor([0.0]), torch.tensor([2.0]), torch.tensor([4.0]))
    tensor(1.1931)
    """

    def __init__(self, *, full=False, eps=1e-6, reduction="mean"):
        super().__init__(None, None, reduction)
        self.full = full
        self.eps = eps

    def forward(self, input, target, var):
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class HingeEmbeddingLoss(_Loss):
    """input where target is 1, and max(0, margin - input) where it is -1; input is a distance.

    Shapes: input and target any, both the same.

    Args:
        margin: The distance that unlike pairs shall have.
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> torch.nn.HingeEmbeddingLoss(reduction="none")(torch.tensor([0.25, 0.25]), torch.tensor([1.0, -1.0]))
    tensor([0.2500, 0.7500])
    """

    def __init__(self, margin=1.0, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input, target):
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class _LossOfPairs(_Loss):
    """A loss of two inputs, with a margin.

    Args:
        margin: What is asked for between them.
        size_average, reduce, reduction: What is made of the losses, as in `_Loss`.
    """

    def __init__(self, margin=0.0, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        self.margin = margin


class MarginRankingLoss(_LossOfPairs):
    """max(0, -target * (input1 - input2) + margin): with target 1, input1 should be the larger one, with -1 the smaller one.

    Shapes: all three (N) or (), the same.

    Args:
        margin: By how much.
        reduction: "none", "mean" or "sum".

    Raises:
        RuntimeError: The numbers of dimensions differ.

    >>> import rushlight as torch
    >>> loss = torch.nn.MarginRankingLoss(margin=0.5, reduction="none")
    >>> loss(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]))
    tensor([0.0000, 1.5000])
    """

    def forward(self, input1, input2, target):
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_LossOfPairs):
    """1 - cos(input1, input2) where target is 1, and max(0, cos(input1, input2) - margin) where it is -1.

    Shapes: inputs (N, D), target (N); or (D) and ().

    Args:
        margin: The cosine that unlike pairs may have, from -1 to 1.
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> x = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    >>> loss = torch.nn.CosineEmbeddingLoss(reduction="none")
    >>> loss(x, torch.tensor([[0.0, 1.0], [2.0, 0.0]]), torch.tensor([1.0, -1.0]))
    tensor([1., 1.])
    """

    def forward(self, input1, input2, target):
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """log(1 + exp(-target * input)), where target is 1 or -1: logistic regression.

    Shapes: input and target any, both the same.

    Args:
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> torch.nn.SoftMarginLoss(reduction="none")(torch.tensor([0.0, 2.0]), torch.tensor([1.0, -1.0]))
    tensor([0.6931, 2.1269])
    """

    def forward(self, input, target):
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """sum over i ≠ target of max(0, margin - input[target] + input[i])ᵖ / C * weight[target]: the hinge loss of several classes.

    Shapes: input (N, C) or (C); target (N) or (), integers.

    Args:
        p: 1 or 2.
        margin: By how much the right class should be ahead.
        weight: A factor for each class (C).
        reduction: "none", "mean" or "sum".

    Raises:
        ValueError: `p` is neither 1 nor 2, or `weight` is no vector.

    >>> import rushlight as torch
    >>> torch.nn.MultiMarginLoss()(torch.tensor([[0.0, 2.0, 1.5]]), torch.tensor([1]))
    tensor(0.1667)
    """

    def __init__(self, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
        super().__init__(weight, size_average, reduce, reduction)
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.dim()}D instead")
        self.p = p
        self.margin = margin

    def forward(self, input, target):
        return F.multi_margin_loss(input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction)


class MultiLabelMarginLoss(_Loss):
    """sum of max(0, 1 - input[j] + input[i]) / C over the targets j and all i that are no targets.

    Shapes: input (N, C) or (C), and target the same: the classes of each sample as integers, up to the first -1.

    Args:
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> torch.nn.MultiLabelMarginLoss()(torch.tensor([0.0, 2.0, 0.5]), torch.tensor([1, 2, -1]))
    tensor(0.1667)
    """

    def forward(self, input, target):
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """The mean over the classes of the binary cross entropy of sigmoid(input): each class is there or not by itself.

    Shapes: input and target (N, C), the target 0 or 1.

    Args:
        weight: A factor for each class (C).
        reduction: "none", "mean" or "sum", of the losses of the samples (N).

    >>> import rushlight as torch
    >>> torch.nn.MultiLabelSoftMarginLoss()(torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, 1.0]]))
    tensor(0.4100)
    """

    def forward(self, input, target):
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    """max(0, margin + |anchor - positive| - |anchor - negative|) in the p-norm (Balntas et al., 2016).

    Shapes: anchor, positive and negative (N, D) or (D).

    Args:
        margin: How much farther the negative should be; positive.
        p: The norm's degree.
        eps: Added to differences, against a norm of 0 without a gradient.
        swap: Whether |positive - negative| stands for |anchor - negative| where it is smaller.
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> anchor, positive, negative = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.5]]).split(1)
    >>> torch.nn.TripletMarginLoss()(anchor, positive, negative)
    tensor(0.5000)
    """

    def __init__(self, margin=1.0, p=2.0, eps=1e-6, swap=False, size_average=None, reduce=None, reduction="mean"):
        super().__init__(size_average, reduce, reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead")
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor, positive, negative):
        return F.triplet_margin_loss(
            anchor, positive, negative, self.margin, self.p, self.eps, self.swap, reduction=self.reduction
        )


class TripletMarginWithDistanceLoss(_Loss):
    """max(0, margin + d(anchor, positive) - d(anchor, negative)) with any function d as the distance.

    Shapes: whatever d takes; the losses are of the shape that it returns.

    Args:
        distance_function: A function of two tensors; by default the distance of `PairwiseDistance`.
        margin, swap: As in `TripletMarginLoss`.
        reduction: "none", "mean" or "sum".

    >>> import rushlight as torch
    >>> loss = torch.nn.TripletMarginWithDistanceLoss(margin=1.5, distance_function=lambda x, y: (x - y).abs().sum(1))
    >>> loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]), torch.tensor([[-1.0, 0.0]]))
    tensor(1.5000)
    """

    def __init__(self, *, distance_function=None, margin=1.0, swap=False, reduction="mean"):
        super().__init__(None, None, reduction)
        if margin <= 0:
            raise ValueError(f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead")
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor, positive, negative):
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class CTCLoss(_Loss):
    """Connectionist temporal classification (Graves et al., 2006): labels without a word on when they come.

    Shapes: log-probabilities (T, N, C) or (T, C); targets (N, S), or the labels of all samples one after the other; lengths (N).

    Args:
        blank: the class that stands for no label.
        reduction: "none", "mean" (of losses divided by their numbers of labels) or "sum".
        zero_infinity: count losses as zero that are infinite, as there are too few steps.

    >>> import rushlight as torch
    >>> log_probs = torch.zeros(4, 1, 3).log_softmax(2)
    >>> torch.nn.CTCLoss()(log_probs, torch.tensor([[1, 2]]), torch.tensor([4]), torch.tensor([2]))
    tensor(0.8432)
    """

    def __init__(self, blank=0, reduction="mean", zero_infinity=False):
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs, targets, input_lengths, target_lengths):
        return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity)


class LinearCrossEntropyLoss(_WeightedLoss):
    """`CrossEntropyLoss` of the outputs of a linear layer of its own, (N, num_classes, *out_features).

    Shapes: input (N, in_features) or (in_features); target (N, *out_features) of integers, or (N, num_classes, *out_features).

    Args:
        in_features, num_classes: the sizes of input and output.
        out_features: further dimensions of output and target.
        bias: whether the layer has one.
        reduction, weight, ignore_index, label_smoothing: those of `CrossEntropyLoss`.
        options: how to compute in pieces of the batch, a `LinearCrossEntropyOptions`.

    >>> import rushlight as torch
    >>> loss = torch.nn.LinearCrossEntropyLoss(8, 100)
    >>> loss(torch.zeros(4, 8), torch.arange(4)).item()
    4.605170249938965
    """

    def __init__(
        self,
        in_features,
        num_classes,
        *,
        out_features=(),
        bias=False,
        device=None,
        dtype=None,
        reduction="mean",
        weight=None,
        ignore_index=None,
        label_smoothing=0.0,
        options=None,
    ):
        if weight is not None and weight.shape != (num_classes,):
            raise RuntimeError(f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}")
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(f"expected label_smoothing to be in range [0, 1], got {label_smoothing}")
        super().__init__(weight, None, None, reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        self.linear = Linear(in_features, num_classes * math.prod(out_features), bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input, target):
        shape, bias = (self.num_classes, *self.out_features), self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.view(*shape, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.view(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self):
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, out_features={self.out_features}, "
            f"bias={self.linear.bias is not None}, reduction={self.reduction}, ignore_index={self.ignore_index}, "
            f"label_smoothing={self.label_smoothing}, options={self.options}"
        )
