"""Losses, each one node of the graph. `reduction` is "none", "mean" or "sum" and has been checked by the caller."""

import rushlight as torch
from rushlight import core
from rushlight.core import empty_tensor, unwrapped
from rushlight.ops._declare import composite, kernel, op, short_way
from rushlight.ops._rules import conjugate, not_implemented, require_floating, require_wide
from rushlight.ops.activation import log_sigmoid
from rushlight.ops.arithmetic import refuse_bool_sub
from rushlight.ops.scan import contiguous_like
from rushlight.ops.steps import depending_on, underived_with

REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}
NUMBERED = {number: name for name, number in REDUCTIONS.items()}


def reduced(loss, reduction):
    """The loss of each element folded as `reduction` says."""
    return loss.mean() if reduction == "mean" else loss.sum() if reduction == "sum" else loss


def shared_out(g, slope, reduction):
    """g times the derivative of each element's loss."""
    return g / slope.numel() * slope if reduction == "mean" else g * slope


def divided(g, slope, reduction):
    """As `shared_out`, in the order in which compositions do it."""
    with unwrapped:
        return g * slope / slope.numel() if reduction == "mean" else g * slope


def difference_of(x, target, kernel=None):
    """x - target in the dtype of both, which a kernel that is named must know: a real floating one."""
    dtype = x.dtype
    if target.dtype is not dtype:
        dtype = torch.result_type(x, target)
        x, target = x.to(dtype), target.to(dtype)
    if kernel is not None:
        require_floating(kernel, dtype)
    return x - target


def require_castable(x, target, floats=False):
    """The dtype of x, which a loss of both (one that makes `floats` of integers) must fit."""
    dtype = torch.result_type(x, target)
    if floats and not (dtype.is_floating_point or dtype.is_complex):
        dtype = torch.get_default_dtype()
    if not core.can_cast(dtype, x.dtype):
        raise RuntimeError(f"result type {dtype.legacy_name} can't be cast to the desired output type {x.dtype.legacy_name}")
    return x.dtype


def tangent_of_difference(x_t, target_t):
    return x_t if target_t is None else -target_t if x_t is None else x_t - target_t


def mse_slope(x, target):
    return 2 * difference_of(x, target)


def mse_cotangent(g, x, target, reduction):
    difference = difference_of(x, target)
    return difference * (2 / difference.numel() if reduction == "mean" and difference.numel() else 2.0) * g


@op(
    gradient=True,
    vjp={
        "x": mse_cotangent,
        "target": lambda g, x, target, reduction: -mse_cotangent(g, x, target, reduction),
    },
    jvp=lambda x_t, target_t, x, target, reduction: reduced(
        mse_slope(x, target) * tangent_of_difference(x_t, target_t), reduction
    ),
    namespace="nn",
    method=False,
    out=False,
    batch="elementwise.element_loss",
    signature="Tensor input, Tensor target, str reduction=mean",
)
def mse_loss(x, target, reduction="mean"):
    """(x - target)²"""
    difference = difference_of(x, target, "mse_cpu")
    return reduced(difference * difference, reduction)


def smooth_l1_slope(x, target, beta):
    difference = difference_of(x, target)
    # (What is NaN is beyond no bound, and stays so.)
    return difference.sgn() if beta == 0 else torch.where(difference.abs() >= beta, difference.sgn(), difference / beta)


@op(
    gradient=True,
    vjp={
        "x": lambda g, x, target, reduction, beta: shared_out(g, smooth_l1_slope(x, target, beta), reduction),
        "target": lambda g, x, target, reduction, beta: -shared_out(g, smooth_l1_slope(x, target, beta), reduction),
    },
    jvp=lambda x_t, target_t, x, target, reduction, beta: reduced(
        smooth_l1_slope(x, target, beta) * tangent_of_difference(x_t, target_t), reduction
    ),
    namespace="nn",
    method=False,
    out=False,
    name="SmoothL1LossBackward0",
    batch="elementwise.element_loss",
    signature="Tensor input, Tensor target, str reduction=mean, float beta=1.0",
)
def smooth_l1_loss(x, target, reduction="mean", beta=1.0):
    """Half the squared difference over `beta` where that is below `beta`, else the absolute difference less beta / 2."""
    if beta < 0:
        raise RuntimeError("smooth_l1_loss does not support negative values for beta.")
    size = difference_of(x, target, "smooth_l1_cpu").abs()
    if beta == 0:
        return reduced(size, reduction)
    return reduced(torch.where(size < beta, 0.5 * size * size / beta, size - 0.5 * beta), reduction)


def huber_slope(x, target, delta):
    difference = difference_of(x, target)
    return torch.where(difference.abs() >= delta, difference.sgn() * delta, difference)


def huber_cotangent(g, by, other, reduction, delta):
    if by.dtype is not other.dtype:
        raise RuntimeError(f"Found dtype {other.dtype.legacy_name} but expected {by.dtype.legacy_name}")
    return shared_out(g, huber_slope(by, other, delta), reduction)


@op(
    gradient=True,
    vjp={
        "x": lambda g, x, target, reduction, delta: huber_cotangent(g, x, target, reduction, delta),
        "target": lambda g, x, target, reduction, delta: huber_cotangent(g, target, x, reduction, delta),
    },
    jvp=lambda x_t, target_t, x, target, reduction, delta: reduced(
        huber_slope(x, target, delta) * tangent_of_difference(x_t, target_t), reduction
    ),
    namespace="nn",
    method=False,
    out=False,
    batch="elementwise.element_loss",
    signature="Tensor input, Tensor target, str reduction=mean, float delta=1.0",
)
def huber_loss(x, target, reduction="mean", delta=1.0):
    """Half the squared difference where that is below `delta`, else linear."""
    if delta <= 0:
        raise RuntimeError("huber_loss does not support non-positive values for delta.")
    given = require_castable(x, target)
    size = difference_of(x, target, "huber_cpu").abs()
    return reduced(torch.where(size < delta, 0.5 * size * size, delta * (size - 0.5 * delta)).to(given), reduction)


def soft_margin_slope(x, target):
    target = target.to(torch.result_type(x, target))
    return -target * (-target * x).sigmoid()


@op(
    real=True,
    gradient=True,
    vjp=lambda g, x, target, reduction: shared_out(g, conjugate(soft_margin_slope(x, target)), reduction),
    jvp=lambda x_t, x, target, reduction: reduced(soft_margin_slope(x, target) * x_t, reduction),
    namespace="nn",
    method=False,
    out=False,
    batch="elementwise.element_loss",
    signature="Tensor input, Tensor target, str reduction=mean",
)
def soft_margin_loss(x, target, reduction="mean"):
    """log(1 + exp(-target x))"""
    negated = -x
    given, dtype = require_castable(x, target, True), torch.result_type(x, target)
    return reduced((negated.to(dtype) * target.to(dtype)).exp().log1p().to(given), reduction)


# ---- cross entropies ------------------------------------------------------------------------------------------------------


def weighted(value, weight):
    return value if weight is None else value * weight


def bce_slope(x, target, weight):
    return weighted((x - target) / (x * (1 - x)).clamp(min=1e-12), weight)


def bce_target_slope(x, weight):
    return weighted((-x).log1p() - x.log(), weight)


def bce_jvp(x_t, target_t, x, target, weight, reduction):
    moved = 0 if x_t is None else x_t * bce_slope(x, target, weight)
    return reduced(moved if target_t is None else moved + target_t * bce_target_slope(x, weight), reduction)


def refuse_gradient(function, name, given):
    """Some parameters are constants in PyTorch, and are refused where a gradient would be recorded."""
    if isinstance(given, torch.Tensor) and given.requires_grad and torch.is_grad_enabled():
        raise RuntimeError(
            f"The function '{function}' is not differentiable with respect to argument '{name}'. This input cannot have "
            "requires_grad True."
        )


@op(
    gradient={"x": True},
    vjp={
        "x": lambda g, x, target, weight, reduction: shared_out(g, bce_slope(x, target, weight), reduction),
        "target": lambda g, x, weight, reduction: divided(g, bce_target_slope(x, weight), reduction),
    },
    jvp=bce_jvp,
    method=False,
    out=False,
    batch="elementwise.element_loss",
)
def _binary_cross_entropy(x, target, weight, reduction):
    """The op of binary_cross_entropy."""
    for name, value in (("input", x), ("target", target)):
        if not value.is_meta and not bool(((value >= 0) & (value <= 1)).all()):
            raise RuntimeError(f"all elements of {name} should be between 0 and 1")
    loss = (target - 1) * (-x).log1p().clamp(min=-100) - target * x.log().clamp(min=-100)
    return reduced(weighted(loss, weight).to(x.dtype), reduction)


@composite(namespace="nn", method=False, signature="Tensor input, Tensor target, Tensor? weight=None, str reduction=mean")
def binary_cross_entropy(x, target, weight=None, reduction="mean"):
    """-target log(x) - (1 - target) log(1 - x), with logarithms of at least -100."""
    refuse_gradient("binary_cross_entropy", "weight", weight)
    if target.dtype is not x.dtype:
        raise RuntimeError(f"Found dtype {target.dtype.legacy_name} but expected {x.dtype.legacy_name}")
    require_floating("binary_cross_entropy", x.dtype)
    return _binary_cross_entropy(x, target, weight, reduction)


def bce_logits_slope(x, target, weight, pos_weight):
    share = x.sigmoid()
    if pos_weight is None:
        return weighted(share - target, weight)
    positive = pos_weight * target
    return weighted((positive + 1 - target) * share - positive, weight)


def bce_logits_target_slope(x, weight, pos_weight):
    return weighted(-x if pos_weight is None else log_sigmoid(-x) - pos_weight * log_sigmoid(x), weight)


def bce_logits_jvp(x_t, target_t, x, target, weight, pos_weight, reduction):
    moved = 0 if x_t is None else x_t * bce_logits_slope(x, target, weight, pos_weight)
    return reduced(moved if target_t is None else moved + target_t * bce_logits_target_slope(x, weight, pos_weight), reduction)


@op(
    vjp={
        "x": lambda g, x, target, weight, pos_weight, reduction: divided(
            g, bce_logits_slope(x, target, weight, pos_weight), reduction
        ),
        "target": lambda g, x, weight, pos_weight, reduction: divided(
            g, bce_logits_target_slope(x, weight, pos_weight), reduction
        ),
    },
    jvp=bce_logits_jvp,
    method=False,
    out=False,
    batch="elementwise.element_loss",
)
def _binary_cross_entropy_with_logits(x, target, weight, pos_weight, reduction):
    """The op of binary_cross_entropy_with_logits."""
    # Each step has the dtype of the target, into which PyTorch writes.
    refuse_bool_sub(target.dtype)
    dtype = require_castable(target, x)
    positive = log_sigmoid(x) if pos_weight is None else (1 + (pos_weight - 1) * target) * log_sigmoid(x)
    loss = (((1 - target) * x).to(dtype) - positive).to(dtype)
    return reduced(weighted(loss, weight).to(dtype), reduction)


@composite(
    method=False,
    signature="Tensor input, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=at::Reduction::Mean",
)
def binary_cross_entropy_with_logits(x, target, weight=None, pos_weight=None, reduction=0):
    """The binary cross entropy of sigmoid(x), without overflow; `pos_weight` multiplies the positive part."""
    refuse_gradient("binary_cross_entropy_with_logits", "weight", weight)
    refuse_gradient("binary_cross_entropy_with_logits", "pos_weight", pos_weight)
    require_floating("log_sigmoid_cpu", x.dtype)
    return _binary_cross_entropy_with_logits(x, target, weight, pos_weight, NUMBERED.get(reduction, reduction))


# ---- negative log-likelihood ----------------------------------------------------------------------------------------------


nll_loss_kernel, nll_loss_gradient_kernel = kernel("nll_loss"), kernel("nll_loss_gradient")
scalars = {}


def scalar_of(dtype):
    """An unfilled 0-d tensor."""
    like = scalars.get(dtype)
    if like is None:
        like = scalars[dtype] = empty_tensor((), dtype)
    return contiguous_like(like)


def as_positions(x, target):
    """Input and target as the kernels want them: [N, C] and [N], or [N, C, L] and [N, L]."""
    dims = x.ndim
    target = target if target.dtype is torch.int64 else target.to(torch.int64)
    if dims == 2:
        return x, target
    return (x.unsqueeze(0), target.reshape(1)) if dims == 1 else (x.flatten(2), target.flatten(1))


def nll_loss_vjp(g, x, target, weight, total_weight, reduction, ignore_index):
    counted = target != ignore_index
    labels = torch.where(counted, target, 0).to(torch.int64)
    share = 1 if weight is None else weight.index_select(0, labels.reshape(-1)).reshape(labels.shape)
    part = torch.where(counted, -(g / total_weight if reduction == "mean" else g) * share, 0)
    if x.ndim != 1 or target.ndim != 1:
        dim = min(x.ndim - 1, 1)
        labels, part = labels.unsqueeze(dim), part.unsqueeze(dim)
    return depending_on(torch.zeros_like(x).scatter(min(x.ndim - 1, 1), labels, part), x)


@op(derives=nll_loss_vjp, inputs=("g", "x"), name="NllLossBackwardBackward0")
def nll_loss_backward(g, x, target, weight, total_weight, reduction, ignore_index):
    """What the loss's cotangent becomes."""
    dx = empty_tensor(x.shape, g.dtype)
    positions, labels = as_positions(dx, target)
    if reduction == "none" and g.shape != labels.shape:
        g = g.reshape(labels.shape)
    nll_loss_gradient_kernel(positions, g, labels, weight, total_weight, REDUCTIONS[reduction], ignore_index)
    return dx


def run_nll_loss(x, target, weight, reduction, ignore_index):
    check_nll(x, target, weight)
    positions, labels = as_positions(x, target)
    total_weight = scalar_of(x.dtype)
    loss = empty_tensor(labels.shape, x.dtype) if reduction == "none" else scalar_of(x.dtype)
    nll_loss_kernel(loss, total_weight, positions, labels, weight, REDUCTIONS[reduction], ignore_index)
    return loss if reduction != "none" or loss.shape == target.shape else loss.reshape(target.shape), total_weight


nll_rules = dict(
    vjp=nll_loss_vjp,
    fused=nll_loss_backward,
    jvp=lambda x_t, target, weight, reduction, ignore_index: torch._nll_loss(x_t, target, weight, reduction, ignore_index)[0],
    outputs=("loss", "total_weight"),
    differentiable=("loss",),
    method=False,
    out=False,
)


@op(**nll_rules, gradient=True, batch="layers.nll_loss", plain=short_way("flFri", "labelled", "nll_loss"))
def _nll_loss(x, target, weight, reduction, ignore_index):
    """The loss, and the sum of the weights that it is the mean over; x is [C], [N, C] or [N, C, ...]."""
    return run_nll_loss(x, target, weight, reduction, ignore_index)


@op(**nll_rules, name="NllLoss2DBackward0", gradient=True, batch="layers.nll_loss")
def _nll_loss2d(x, target, weight, reduction, ignore_index):
    """As _nll_loss, for images [N, C, H, W]."""
    return run_nll_loss(x, target, weight, reduction, ignore_index)


def check_nll(x, target, weight):
    shape, places = x.shape, target.shape
    dims = len(shape)
    if dims < 1:
        raise ValueError(f"Expected 1 or more dimensions (got {dims})")
    if dims != 1 and (not places or shape[0] != places[0]):
        raise ValueError(f"Expected input batch_size ({shape[0]}) to match target batch_size ({places[0] if places else 0}).")
    if dims <= 2 and len(places) > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if dims == 4 and len(places) != 3:
        raise RuntimeError(f"only batches of spatial targets supported (3D tensors) but got targets of dimension: {len(places)}")
    if dims > 2 and dims != 4 and shape[2:] != places[1:]:
        raise RuntimeError(f"Expected target size {[shape[0], *shape[2:]]}, got {list(places)}")
    if target.dtype is not torch.int64 and target.dtype is not torch.uint8:
        raise RuntimeError(f"expected target dtype to be Long or Byte, but got {target.dtype.legacy_name}")
    if dims == 1 and places and places[0] != 1:
        raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {places[0]}")
    if dims == 4 and shape[2:] != places[1:]:
        raise RuntimeError(f"size mismatch (got input: {list(shape)} , target: {list(places)}")
    classes = shape[0] if dims == 1 else shape[1]
    if weight is not None and (weight.dim() != 1 or weight.shape[0] != classes):
        raise RuntimeError(
            "weight tensor should be defined either for all or no classes"
            if dims > 2
            else f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor of "
            f"shape: {list(weight.shape)}"
        )
    if not x.is_floating_point():
        raise not_implemented("nll_loss2d_forward_out_frame" if dims > 2 else "nll_loss_out_frame", x.dtype)
    if weight is not None and weight.dtype is not x.dtype:
        raise RuntimeError(f"expected scalar type {x.dtype.legacy_name} but found {weight.dtype.legacy_name}")


@composite(
    namespace="nn",
    method=False,
    signature="Tensor input, Tensor target, Tensor? weight=None, str reduction=mean, index ignore_index=-100",
)
def nll_loss(x, target, weight=None, reduction="mean", ignore_index=-100):
    """-weight[c] x[n, c] for each target c; log-probabilities [C], [N, C] or [N, C, ...], target [], [N] or [N, ...]."""
    refuse_gradient("nll_loss_forward", "weight", weight)
    dims = x.ndim
    if dims <= 2:
        return _nll_loss(x, target, weight, reduction, ignore_index)[0]
    if dims == 4:
        return _nll_loss2d(x, target, weight, reduction, ignore_index)[0]
    check_nll(x, target, weight)
    x, places = x.reshape(x.shape[0], x.shape[1], 1, -1), target.reshape(target.shape[0], 1, -1)
    loss = _nll_loss2d(x, places, weight, reduction, ignore_index)[0]
    return loss.reshape(target.shape) if reduction == "none" else loss


# ---- margins --------------------------------------------------------------------------------------------------------------


def check_rows(x):
    """The margin losses take [C] or [N, C]; only N may be 0."""
    if x.dim() > 2 or 0 in x.shape[max(x.dim() - 1, 0) :]:
        raise RuntimeError(f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(x.shape)}")


def as_rows(x):
    return x.reshape(-1, x.shape[-1] if x.ndim else 1)


def above_zero(x):
    """x where it is positive, else 0: a NaN is not, as the kernels of PyTorch have it."""
    return torch.where(x > 0, x, 0)


def multi_margin_excess(x, target, margin):
    """By how much each wrong class comes within `margin` of the right one, where it does."""
    labels = target.reshape(-1, 1)
    excess = above_zero(margin - x.gather(1, labels) + x)
    return excess.scatter(1, labels, 0), labels


def multi_margin_slope(x, target, p, margin, weight):
    rows = as_rows(x)
    excess, labels = multi_margin_excess(rows, target, margin)
    part = (excess > 0).to(x.dtype) if p == 1 else 2 * excess
    if weight is not None:
        part = part * weight.index_select(0, labels.reshape(-1)).unsqueeze(1)
    part = part / rows.shape[1]
    return part.scatter_add(1, labels, -part.sum(1, keepdim=True)), rows


def row_vjp(g, slope, shape, reduction):
    """The vjp of losses that have one value for each row."""
    g = g / slope.shape[0] if reduction == "mean" else g.reshape(-1, 1) if reduction == "none" else g
    return (g * slope).reshape(shape)


@op(
    vjp=lambda g, x, target, p, margin, weight, reduction: underived_with(
        row_vjp(g, multi_margin_slope(x, target, p, margin, weight)[0], x.shape, reduction), x, "multi_margin_loss_backward"
    ),
    namespace="nn",
    method=False,
    out=False,
    batch="layers.multi_margin_loss",
    signature="Tensor input, Tensor target, Number p=1, Number margin=1, Tensor? weight=None, str reduction=mean",
)
def multi_margin_loss(x, target, p=1, margin=1.0, weight=None, reduction="mean"):
    """Mean over the wrong classes j of max(0, margin - x[target] + x[j])^p, for rows x [N, C] or one row [C]."""
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    check_rows(x)
    rows = as_rows(x)
    if target.dim() > 1 or target.numel() != rows.shape[0]:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch size). "
            f"Expected target size [{rows.shape[0]}], but got {list(target.shape)}. Input has shape {list(x.shape)}."
        )
    if weight is not None and (weight.dim() > 1 or weight.numel() != rows.shape[1]):
        raise RuntimeError(f"inconsistent weight size, expected {rows.shape[1]} but got {list(weight.shape)}")
    if x.numel():
        require_wide("multi_margin_loss_cpu_kernel", x.dtype)
    if target.dtype is not torch.int64:
        raise RuntimeError(f"expected scalar type Long but found {target.dtype.legacy_name}")
    if target.numel() and not bool(((target >= 0) & (target < rows.shape[1])).all()):
        raise RuntimeError("target out of range")
    excess, labels = multi_margin_excess(rows, target, margin)
    part = excess if p == 1 else excess * excess
    if weight is not None:
        part = part * weight.index_select(0, labels.reshape(-1)).unsqueeze(1)
    loss = part.sum(1) / rows.shape[1]
    if not rows.shape[0]:  # PyTorch leaves the mean of no losses unset; it is their sum here
        return reduced(loss.to(x.dtype), "sum" if reduction == "mean" else reduction)
    return reduced(loss if reduction != "none" else loss.reshape(target.shape), reduction)


def multilabel_pairs(x, target):
    """1 - x[label] + x[k] for each label of a row and each class k, where that is positive and k no label; and the labels."""
    valid = target.eq(-1).cumsum(1).eq(0)
    labels = torch.where(valid, target, 0)
    is_label = torch.zeros(x.shape, dtype=torch.int64).scatter_add(1, labels, valid.to(torch.int64)).gt(0)
    excess = above_zero(1 - x.gather(1, labels).unsqueeze(2) + x.unsqueeze(1))
    return torch.where(valid.unsqueeze(2) & is_label.logical_not().unsqueeze(1), excess, 0), labels


def multilabel_slope(x, target):
    rows = as_rows(x)
    excess, labels = multilabel_pairs(rows, target.reshape(rows.shape))
    close = (excess > 0).to(x.dtype)
    return close.sum(1).scatter_add(1, labels, -close.sum(2)) / rows.shape[1]


@op(
    vjp=lambda g, x, target, reduction: underived_with(
        row_vjp(g, multilabel_slope(x, target), x.shape, reduction), x, "multilabel_margin_loss_backward"
    ),
    namespace="nn",
    method=False,
    out=False,
    name="MultilabelMarginLossBackward0",
    batch="layers.multilabel_margin_loss",
    signature="Tensor input, Tensor target, str reduction=mean",
)
def multilabel_margin_loss(x, target, reduction="mean"):
    """Σ max(0, 1 - x[label] + x[k]) / C over a row's labels (up to the first -1 in target) and its other classes k."""
    check_rows(x)
    rows = as_rows(x)
    if target.shape != x.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(x.shape)}")
    if target.is_complex():
        raise not_implemented("min_all", target.dtype)
    if target.numel() and not bool(((target >= -1) & (target < rows.shape[1])).all()):
        raise RuntimeError("argument #2 'target' is out of range")
    require_wide("multilabel_margin_loss_forward_out_frame", x.dtype)
    if target.dtype is not torch.int64:
        raise RuntimeError(f"expected scalar type Long but found {target.dtype.legacy_name}")
    excess, _ = multilabel_pairs(rows, target.reshape(rows.shape))
    loss = excess.sum((1, 2)) / rows.shape[1]
    return reduced(loss if x.dim() > 1 or reduction != "none" else loss.reshape(()), reduction)
