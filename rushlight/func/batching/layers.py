"""Losses of labels and the normalizations: where parameters are the same for all examples, one larger batch."""

from rushlight import core
from rushlight.core import lined_up
from rushlight.func.batching._table import NoRule, examples, refusal, repeated, side_by_side, torch
from rushlight.func.batching.elementwise import folded

run = torch.core.run


# ---- negative log-likelihood ----------------------------------------------------------------------------------------------
def as_samples(x, target, weight, weight_batched, size):
    """The samples of all examples as one batch: x [S, C, …], target [S, …], and what each sample's class weighs, where that differs
    from example to example."""
    if x.ndim == 2:
        rows, labels = x, target.reshape(size)
    else:
        rows, labels = x.flatten(0, 1), target.flatten(0, 1)
    weights = None
    if weight_batched:
        classes = weight.shape[1]
        valid = target.clamp(0, classes - 1).reshape(size, -1)
        weights = weight.gather(1, valid.to(torch.int64)).view(labels.shape)
    return rows, labels, weights


def check_labels(x, target, weight, weight_batched):
    """Errors are the op's own, on an example."""
    ndim, labels = x.ndim - 1, target.ndim - 1
    fits = labels == ndim - 1 and (x.shape[1], *x.shape[3:]) == tuple(target.shape[1:])
    if not (fits if ndim > 1 else ndim == 1 and target.numel() == target.shape[0]):
        raise RuntimeError("the target does not fit the input")
    classes = x.shape[1] if ndim == 1 else x.shape[2]
    if weight is not None and examples(weight, weight_batched) != (classes,):
        raise RuntimeError("there is one weight for each class")


def total_weight(labels, weight, weights, ignore_index, dtype, size):
    """The sum of the weights of each example's labels."""
    counted = labels.ne(ignore_index)
    if weights is None and weight is not None:
        weights = weight.index_select(0, labels.clamp(0, weight.shape[0] - 1).reshape(-1).to(torch.int64)).view(labels.shape)
    counted = counted.to(dtype) if weights is None else torch.where(counted, weights, 0)
    return counted.reshape(size, -1).sum(1)


def nll_loss(op, arguments, batched, size):
    x, target, weight, reduction, ignore_index = arguments
    x, target = repeated(x, batched[0], size), repeated(target, batched[1], size)
    check_labels(x, target, weight, batched[2])
    rows, labels, weights = as_samples(x, target, weight, batched[2], size)
    loss = run(op, (rows, labels, None if weights is not None else weight, "none", ignore_index))[0]
    loss = loss if weights is None else loss * weights
    total = total_weight(labels, weight, weights, ignore_index, x.dtype, size)
    if reduction == "none":
        return loss.view(target.shape), x.new_zeros(size)
    loss = loss.view(size, -1).sum(1)
    return (loss / total if reduction == "mean" else loss), total


def multi_margin_loss(op, arguments, batched, size, several=False):
    x, target, *rest = arguments
    if any(batched[2:]) or size == 0:
        raise NoRule
    reduction = rest.pop()
    x, target = repeated(x, batched[0], size), repeated(target, batched[1], size)
    if x.ndim == 1:
        x = x.unsqueeze(1)
    rows = x.flatten(0, 1) if x.ndim > 2 else x
    labels = target.reshape(rows.shape if several else rows.shape[:1])
    loss = run(op, (rows, labels, *rest, "none"))
    return folded(loss if x.ndim == 2 else loss.view(size, -1), reduction)


def multilabel_margin_loss(op, arguments, batched, size):
    return multi_margin_loss(op, arguments, batched, size, several=True)


# ---- normalizations -------------------------------------------------------------------------------------------------------
def scaled_and_shifted(out, weight, bias):
    """out * weight + bias, as far as these are there."""
    if weight is not None:
        out = out * weight
    return out if bias is None else out + bias


def layer_norm(op, arguments, batched, size):
    x, normalized_shape, weight, bias, eps = arguments
    if x.ndim - batched[0] < len(normalized_shape):
        raise RuntimeError("the input has too few dimensions")
    x = repeated(x, batched[0], size)
    if not batched[2] and not batched[3]:
        return run(op, (x, normalized_shape, weight, bias, eps))
    parameters = []
    for given, is_batched in ((weight, batched[2]), (bias, batched[3])):
        if given is not None and examples(given, is_batched) != tuple(normalized_shape):
            raise RuntimeError("the parameters have another shape")
        parameters.append(lined_up(given, True, x.ndim - 1) if is_batched else given)
    out, mean, rstd = run(op, (x, normalized_shape, None, None, eps))
    return scaled_and_shifted(out, *parameters).to(x.dtype), mean, rstd


def group_norm(op, arguments, batched, size):
    x, weight, bias, samples, channels, positions, group, eps = arguments
    x = repeated(x, batched[0], size)
    per_example, behind = batched[1] or batched[2], (1,) * (x.ndim - 3)
    parameters = (None, None) if per_example else (weight, bias)
    out, mean, rstd = run(op, (x.flatten(0, 1), *parameters, samples * size, channels, positions, group, eps))
    out = out.view(x.shape)
    if per_example:
        # One for each channel, of each example or of all.
        of_channels = [
            p if p is None else p.view(size if flag else 1, 1, -1, *behind) for p, flag in zip((weight, bias), batched[1:3])
        ]
        out = scaled_and_shifted(out, *of_channels)
    return out, mean.view(size, samples, group), rstd.view(size, samples, group)


UNBATCHED_STATISTICS = (
    "Batch norm got a batched tensor as input while the running_mean or running_var, which will be updated in place, were not "
    "batched.\nIf you are using a module and do not need eval mode, please set `track_running_stats` to be False.If you are using a "
    "prebuilt module and do not need eval mode, please see the functorch website for resources on how to patch your module to work "
    "with vmap"
)


def batch_norm(op, arguments, batched, size):
    """The channels of all examples side by side."""
    x, weight, bias, mean, var, training, momentum, eps, called = arguments
    if training and batched[0] and ((mean is not None and not batched[3]) or (var is not None and not batched[4])):
        raise refusal(UNBATCHED_STATISTICS)
    x = repeated(x, batched[0], size)
    channels = x.shape[2]

    def all_channels(parameter, is_batched):
        return None if parameter is None else parameter.reshape(-1) if is_batched else parameter.repeat(size)

    # Running statistics of every example in one row; written back where that is no view.
    weight, bias, *running = map(all_channels, (weight, bias, mean, var), batched[1:5])
    out, used_mean, rstd = run(op, (side_by_side(x), weight, bias, *running, training, momentum, eps, called))
    if training:
        for kept, is_batched, updated in zip((mean, var), batched[3:5], running, strict=True):
            if kept is not None and core.storage_of(updated) is not core.storage_of(kept):
                updated = updated.view(size, channels)
                kept.copy_(updated if is_batched else updated[0])
    out = out.unflatten(1, (size, channels)).movedim(1, 0)
    return out, used_mean.view(size, channels), rstd.view(size, channels)


def weight_norm(op, arguments, batched, size):
    v, scale, dim = arguments
    v, scale = repeated(v, batched[0], size), repeated(scale, batched[1], size)
    norms = torch.linalg.vector_norm(v, 2, [d for d in range(1, v.ndim) if d != dim + 1], keepdim=True)
    return v * (scale / norms), norms.detach()
