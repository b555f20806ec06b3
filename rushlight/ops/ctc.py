"""Connectionist temporal classification: the loss of all ways in which a sequence may be cut into labels (Graves et al., 2006)."""

import rushlight as torch
from rushlight.core import empty_tensor
from rushlight.ops._declare import composite, kernel, op, underived
from rushlight.ops._rules import not_implemented

CHECKED = "(while checking arguments for ctc_loss_allocate_outputs)"


def lengths_of(name, given, samples):
    """The lengths of the samples, as a list of integers."""
    if isinstance(given, torch.Tensor):
        if given.is_floating_point() or given.is_complex() or given.dtype is torch.bool:
            raise RuntimeError(f"{name} must be integral")
        given = given.reshape(-1).tolist()
    given = list(given)
    if len(given) != samples:
        raise RuntimeError(f"{name} must be of size batch_size")
    return given


def check_range(name, values, most=None):
    for value in values:
        if value < 0:
            raise RuntimeError(f"Expected {name} to have value at least 0, but got value {value} {CHECKED}")
        if most is not None and value > most:
            raise RuntimeError(f"Expected {name} to have value at most {most}, but got value {value} {CHECKED}")


def prepared(x, targets, input_lengths, target_lengths, blank):
    """Targets in one row, where each sample's begin, and the lengths, all as tensors of int64; raises for what does not fit."""
    if x.dim() != 3:
        raise RuntimeError(
            f"Expected 3-dimensional tensor, but got {x.dim()}-dimensional tensor for argument #1 'log_probs' {CHECKED}"
        )
    steps, samples, classes = x.shape
    if not x.numel():
        raise RuntimeError("log_probs tensor must not be empty")
    inputs, labels = lengths_of("input_lengths", input_lengths, samples), lengths_of("target_lengths", target_lengths, samples)
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    if not 1 <= targets.dim() <= 2:
        raise RuntimeError(
            f"Expected 1 to 2 dimensions, but got {targets.dim()}-dimensional tensor for argument #2 'targets' {CHECKED}"
        )
    check_range("target_lengths", labels)
    if targets.dim() == 1:
        offsets = [sum(labels[:sample]) for sample in range(samples)]
        if targets.numel() != sum(labels):
            raise RuntimeError(
                f"Expected tensor to have size {sum(labels)} at dimension 0, but got size {targets.numel()} for argument #2 'targets' {CHECKED}"
            )
    else:
        if targets.shape[0] != samples:
            raise RuntimeError(
                f"Expected tensor to have size {samples} at dimension 0, but got size {targets.shape[0]} for argument #2 'targets' {CHECKED}"
            )
        if targets.shape[1] < max(labels):
            raise RuntimeError(
                f"Expected tensor to have size at least {max(labels)} at dimension 1, but got size {targets.shape[1]} for argument #2 "
                f"'targets' {CHECKED}"
            )
        offsets = [sample * targets.shape[1] for sample in range(samples)]
    check_range("input_lengths", inputs, steps)
    row = targets.to(torch.int64).contiguous().reshape(-1)
    used = torch.cat([row[at : at + count] for at, count in zip(offsets, labels, strict=True)])
    if ((used < 0) | (used >= classes)).any():
        raise RuntimeError(f"ctc_loss: targets must be classes, from 0 to {classes - 1}")
    return (row, *(torch.tensor(values, dtype=torch.int64) for values in (offsets, labels, inputs)))


@op(
    vjp=dict.fromkeys(("g", "x"), underived("derivative for aten::_ctc_loss_backward is not implemented", RuntimeError)),
    name="CtcLossBackwardBackward0",
    function=False,
    method=False,
    out=False,
)
def _ctc_loss_backward(g, x, targets, offsets, label_counts, steps, loss, alpha, blank, zero_infinity):
    """The cotangent of log-probabilities, as those that a log_softmax made."""
    out = torch.zeros_like(x, memory_format=torch.contiguous_format)
    given = (g, x, alpha, loss, targets, offsets, label_counts, steps)
    kernel("ctc_loss_gradient")(out, *(each.contiguous() for each in given), blank, zero_infinity)
    return out


@op(
    vjp=lambda g, x, targets, offsets, label_counts, steps, loss, alpha, blank, zero_infinity: _ctc_loss_backward(
        g, x, targets, offsets, label_counts, steps, loss, alpha, blank, zero_infinity
    ),
    jvp=lambda x_t, x, targets, offsets, label_counts, steps, loss, alpha, blank, zero_infinity: (
        _ctc_loss_backward(torch.ones_like(loss), x, targets, offsets, label_counts, steps, loss, alpha, blank, zero_infinity)
        * x_t
    ).sum((0, 2)),
    outputs=("loss", "alpha"),
    differentiable=("loss",),
    name="CtcLossBackward0",
    public="ctc_loss",
    function=False,
    method=False,
    out=False,
)
def _ctc(x, targets, offsets, label_counts, steps, blank, zero_infinity):
    """The loss of each sample, and the log-probabilities of all beginnings of paths."""
    if x.dtype not in (torch.float32, torch.float64):
        raise not_implemented("ctc_loss_cpu", x.dtype)
    rows, samples, _ = x.shape
    width = 2 * int(label_counts.max()) + 1
    loss = empty_tensor((samples,), x.dtype)
    alpha = torch.full((samples, rows, width), -torch.inf, dtype=x.dtype)
    given = (x, targets, offsets, label_counts, steps)
    kernel("ctc_loss")(loss, alpha, *(each.contiguous() for each in given), blank)
    return loss, alpha


LENGTHS = "Tensor log_probs, Tensor targets, {0} input_lengths, {0} target_lengths, int blank=0, "


def with_lengths(rest):
    """Signatures for lengths as tuples and as tensors."""
    return " | ".join(LENGTHS.format(kind) + rest for kind in ("ints", "Tensor"))


@composite(method=False, signature=with_lengths("bool zero_infinity=False"))
def _ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, zero_infinity=False):
    """The loss of each sample, and the log-probabilities of all beginnings of paths."""
    return _ctc(log_probs, *prepared(log_probs, targets, input_lengths, target_lengths, blank), blank, zero_infinity)


@composite(method=False, signature=with_lengths("int reduction=at::Reduction::Mean, bool zero_infinity=False"))
def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction=0, zero_infinity=False):
    """-log of the probability that log-probabilities give to labels, over all ways to place them; `reduction` is 0, 1 (mean) or 2 (sum).

    Args:
        log_probs: of shape (T, N, C), or (T, C) for one sample.
        targets: the labels of all samples, as a matrix (N, S) or one after the other.
        input_lengths, target_lengths: how many steps and labels each sample has.
        blank: the class that stands for no label.
        zero_infinity: count losses as zero that are infinite, as there are too few steps.
    """
    alone = log_probs.dim() < 3
    if alone:
        log_probs = log_probs.unsqueeze(1)
    made = _ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, zero_infinity)[0]
    if zero_infinity:
        made = torch.where(made == torch.inf, 0.0, made)
    if reduction == 1:
        counts = torch.tensor(lengths_of("target_lengths", target_lengths, made.numel())).clamp(min=1)
        return (made / counts.to(made.dtype)).mean()
    return made.sum() if reduction == 2 else made.squeeze(0) if alone else made
