"""Batch normalization, and the functions that give its statistics besides."""

import math

import rushlight as torch
from rushlight import core
from rushlight.core import Preparation, empty_tensor, written_out
from rushlight.ops._declare import composite, op
from rushlight.ops._normalizing import (
    affine_jvp,
    are_vectors,
    channel_gradients,
    channel_norm,
    fit_kernel,
    parameter_dtype,
    project,
    scaled,
    standardized,
    statistics_dtype,
    widened,
)
from rushlight.ops._rules import not_implemented, require_floating
from rushlight.ops.conversion import suggested_format, unmade
from rushlight.ops.losses import refuse_gradient
from rushlight.ops.steps import tracked_with


def other_dims(x):
    """All dimensions but that of the channels."""
    return (0, *range(2, x.dim()))


def channels_of(parameter, x):
    """A parameter of each channel, shaped to broadcast against x."""
    return None if parameter is None else parameter.reshape(1, -1, *(1,) * (x.dim() - 2))


BATCH_NORMS = {
    "native_batch_norm": "NativeBatchNormBackward0",
    "_native_batch_norm_legit": "NativeBatchNormLegitBackward0",
    "_native_batch_norm_legit.no_stats": "NativeBatchNormLegitBackward1",
    "_native_batch_norm_legit_no_training": "NativeBatchNormLegitNoTrainingBackward0",
    "_batch_norm_with_update": "BatchNormWithUpdateBackward0",
    "_batch_norm_no_update": "BatchNormNoUpdateBackward0",
}
"""The functions that give statistics besides, and the names of their nodes: they compute the same."""

NODES = tuple(BATCH_NORMS)


def batch_norm_vjp(g, x, mean, rstd, weight, training, eps, wanted):
    if not training:
        scale = channels_of(rstd, x)
        normal = (widened(x) - channels_of(mean, x)) * scale if wanted[1] else None
        return batch_norm_gradients(g, x, weight, training, wanted, normal, scale)
    return batch_norm_gradients(g, x, weight, True, wanted, *standardized(widened(x), other_dims(x), eps))


def batch_norm_fused(g, x, mean, rstd, weight, training, eps, wanted):
    return channel_gradients(g, x, mean, rstd, weight, 1, x.shape[1], training, wanted)


def batch_norm_gradients(g, x, weight, training, wanted, normal, scale):
    """The gradients of input, weight and bias, where `normal` is the standardized input and `scale` 1 / its standard deviation."""
    g, dims = widened(g), other_dims(x)
    dx = None
    if wanted[0]:
        h = scaled(g, channels_of(weight, x))
        dx = tracked_with(project(h, normal, scale, dims) if training else h * scale, x, weight)
    dweight = tracked_with((g * normal).sum(dims), weight) if wanted[1] else None
    return dx, dweight, tracked_with(g.sum(dims), x, weight) if wanted[2] else None


def batch_norm_jvp(x_t, weight_t, bias_t, x, mean, rstd, weight, training, eps):
    dims = other_dims(x)
    if training:
        normal, scale = standardized(x, dims, eps)
        normal_t = None if x_t is None else project(x_t, normal, scale, dims)
    else:
        scale = channels_of(rstd, x)
        normal = (x - channels_of(mean, x)) * scale
        normal_t = None if x_t is None else x_t * scale
    return affine_jvp(normal, normal_t, channels_of(weight, x), channels_of(weight_t, x), channels_of(bias_t, x))


def format_of(x):
    """How the result of batch_norm lies: row by row where its input does, whatever its strides speak for besides."""
    if x.is_contiguous():
        return torch.contiguous_format
    last = {4: torch.channels_last, 5: torch.channels_last_3d}.get(x.dim())
    return last if last is not None and x.is_contiguous(memory_format=last) else suggested_format(x)


def batch_norm_prepared(x, weight, bias, running_mean, running_var, training, momentum, eps, called="native_batch_norm"):
    parameters = weight, bias, running_mean, running_var
    if not fit_kernel(x, *parameters) or not are_vectors(x.shape[1], *parameters):
        return None
    if not training and (running_mean is None or running_var is None):
        return None
    statistics, format = (x.shape[1:2], x.dtype), format_of(x)
    return Preparation(
        {"out": unmade(x.shape, x.dtype, format), "mean": statistics, "rstd": statistics},
        ("out", "mean", "rstd"),
        (
            channel_norm,
            ("out", "mean", "rstd", "running_mean", "running_var", "x", "weight", "bias"),
            (1, x.shape[1], format is not torch.contiguous_format, training, float(momentum), float(eps)),
        ),
    )


@op(
    joint=batch_norm_vjp,
    fused=batch_norm_fused,
    inputs=("x", "weight", "bias"),
    jvp=batch_norm_jvp,
    outputs=("out", "mean", "rstd"),
    differentiable=("out",),
    name=tuple(BATCH_NORMS.values()),
    variant=lambda *arguments: NODES.index(arguments[-1]),
    gradient="NativeBatchNormBackwardBackward0",
    entry="native_batch_norm",
    function=False,
    method=False,
    out=False,
    batch="layers.batch_norm",
    public="batch_norm",
    prepare=batch_norm_prepared,
)
def _batch_norm(x, weight, bias, running_mean, running_var, training, momentum, eps, called="native_batch_norm"):
    """batch_norm with the mean and 1 / standard deviation that were used for each channel."""
    require_floating("batch_norm", x.dtype)
    statistics_dtype(x, weight, bias, running_mean, running_var)
    given, x = x.dtype, widened(x)
    if training:
        dims = other_dims(x)
        count = x.numel() // (x.shape[1] or 1)
        statistics = x if running_mean is None or running_mean.dtype.itemsize <= x.dtype.itemsize else x.to(running_mean.dtype)
        var, mean = (
            torch.var_mean(statistics, dims, correction=0) if count else (torch.zeros(x.shape[1]), torch.zeros(x.shape[1]))
        )
        rstd = (var + eps).rsqrt()
        # (Whoever keeps running statistics for backward is not told that they changed, as in PyTorch.)
        if running_mean is not None:
            running_mean.data.mul_(1 - momentum).add_(mean, alpha=momentum)
        if running_var is not None:
            running_var.data.mul_(1 - momentum).add_(var, alpha=momentum * count / (count - 1) if count > 1 else math.inf)
        kept = parameter_dtype(given, weight, bias, running_mean, running_var)
        if kept.itemsize == 2:
            mean, rstd = mean.to(kept).to(x.dtype), rstd.to(kept).to(x.dtype)
    else:
        mean, rstd = widened(running_mean).clone(), (widened(running_var) + eps).rsqrt()
    scale = rstd if weight is None else rstd * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    out = torch.empty(x.shape, dtype=given, device=x.device, memory_format=format_of(x))
    return out.copy_((x * channels_of(scale, x)).add_(channels_of(shift, x))), mean, rstd


@composite(
    method=False,
    signature="Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, *, tensors[3] out=None",
)
def native_batch_norm(
    input, weight, bias, running_mean, running_var, training, momentum, eps, *, out=None
) -> "tuple[torch.Tensor, torch.Tensor, torch.Tensor]":
    """batch_norm with the mean and 1 / standard deviation of each channel in the batch; these are empty in evaluation.

    >>> import rushlight
    >>> x = rushlight.tensor([[1.], [3.]])
    >>> rushlight.native_batch_norm(x, None, None, None, None, True, 0.1, 0.0)[1:]
    (tensor([2.]), tensor([1.]))
    """
    return with_statistics("native_batch_norm", input, weight, bias, running_mean, running_var, training, momentum, eps, out=out)


def is_dual(given):
    """Whether a tensor has a tangent in forward mode."""
    return core.is_wrapped(given) and isinstance(given.level, core.DualLevel)


def require_channels(name, given, channels):
    """Refuses a parameter that does not have a number for each channel."""
    if given.numel() != channels:
        raise RuntimeError(f"{name} should contain {channels} elements not {given.numel()}")


def with_statistics(called, input, weight, bias, running_mean, running_var, training, momentum, eps, *, out=None):
    """batch_norm with the statistics of the batch, as one of BATCH_NORMS."""
    for name, given in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        if given is not None:
            require_channels(name, given, input.shape[1] if input.dim() > 1 else 0)
    made, mean, rstd = _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, called)
    kept = parameter_dtype(input.dtype, weight, bias, running_mean, running_var)
    results = (made, mean.to(kept), rstd.to(kept)) if training else (made, empty_tensor((0,), kept), empty_tensor((0,), kept))
    if out is None:
        return results
    return tuple(written_out("native_batch_norm", given, value) for given, value in zip(out, results, strict=True))


STATISTICS = "Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var"


@composite(
    method=False,
    signature=(
        f"{STATISTICS}, bool training, float momentum, float eps, *, tensors[3] out=None | "
        "Tensor input, Tensor? weight, Tensor? bias, bool training, float momentum, float eps, *, tensors[3] out=None"
    ),
)
def _native_batch_norm_legit(
    input, weight, bias, running_mean=None, running_var=None, training=None, momentum=None, eps=None, *, out=None
):
    """native_batch_norm with running statistics that it says it writes, or without."""
    called = "_native_batch_norm_legit"
    if isinstance(running_mean, bool):
        # The other signature, whose arguments stand two places before these.
        momentum = momentum if running_var is None else running_var
        running_mean, running_var, training, eps = None, None, running_mean, eps if training is None else training
    if running_mean is None:
        called += ".no_stats"
        if not training:
            raise RuntimeError("running_mean must be defined in evaluation mode")
    return with_statistics(called, input, weight, bias, running_mean, running_var, training, momentum, eps, out=out)


@composite(method=False, signature=f"{STATISTICS}, float momentum, float eps")
def _native_batch_norm_legit_no_training(input, weight, bias, running_mean, running_var, momentum, eps):
    """native_batch_norm in evaluation."""
    called = "_native_batch_norm_legit_no_training"
    return with_statistics(called, input, weight, bias, running_mean, running_var, False, momentum, eps)


def declare_reserving(name, training):
    """A function that has an empty reserve for its gradient besides, which devices other than the CPU use."""

    def normalize(input, weight, bias, running_mean, running_var, momentum, eps):
        found = with_statistics(name, input, weight, bias, running_mean, running_var, training, momentum, eps)
        return *found, empty_tensor((0,), torch.uint8)

    normalize.__doc__ = f"native_batch_norm in {'training' if training else 'evaluation'}, and an empty reserve."
    normalize.__name__ = normalize.__qualname__ = name
    composite(namespace="aten", method=False, signature=f"{STATISTICS}, float momentum, float eps")(normalize)


declare_reserving("_batch_norm_with_update", True)
declare_reserving("_batch_norm_no_update", False)


@composite(
    method=False,
    signature="Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled",
)
def batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled=False):
    """Standardizes each channel over the batch (or with the running statistics), then scales and shifts (Ioffe & Szegedy 2015)."""
    if input.numel() == 0:
        made = input.clone()
        made = made if weight is None else made * weight.select(0, 0)
        return made if bias is None else made + bias.select(0, 0)
    channels = input.shape[1] if input.dim() > 1 else 0
    refuse_gradient("native_batch_norm", "running_mean", running_mean)
    refuse_gradient("native_batch_norm", "running_var", running_var)
    for name, given in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        if given is not None:
            if given.numel() != channels:
                require_channels(name, given, channels)
            if name[0] == "r" and given.dim() != 1:
                raise RuntimeError(f"TensorAccessor expected 1 dims but tensor has {given.dim()}")
        elif not training and name[0] == "r":
            raise RuntimeError(f"{name} must be defined in evaluation mode")
    if is_dual(running_mean) or is_dual(running_var):
        if not training and is_dual(input):
            raise RuntimeError(
                "batch_norm is not differentiable wrt running_mean and running_var, they cannot have forward grad defined"
            )
        statistics = running_mean, running_var
        running_mean, running_var = (core.unpack_dual(x.level, x)[0] if is_dual(x) else x for x in statistics)
    return _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


@composite(method=False, signature="Tensor input, Tensor? running_mean, Tensor? running_var, float momentum")
def batch_norm_update_stats(input, running_mean, running_var, momentum) -> "tuple[torch.Tensor, torch.Tensor]":
    """The mean and variance of each channel in the batch, which move the running ones.

    >>> import rushlight
    >>> mean, var = rushlight.zeros(1), rushlight.ones(1)
    >>> rushlight.batch_norm_update_stats(rushlight.tensor([[1.], [3.]]), mean, var, 0.5)
    (tensor([2.]), tensor([1.]))
    >>> mean, var
    (tensor([1.]), tensor([1.5000]))
    """
    input.size(1)  # IndexError for missing dimensions
    if not input.numel():
        raise RuntimeError(f"input tensor must have at least one element, but got input_sizes = {list(input.shape)}")
    if not input.is_floating_point():
        raise not_implemented("batch_norm_update_stats_cpu", input.dtype)
    var, mean = torch.var_mean(input, other_dims(input), correction=0)
    count = input.numel() // input.shape[1]
    with torch.no_grad():
        for running, value, scale in (
            (running_mean, mean, 1),
            (running_var, var, count / (count - 1) if count > 1 else math.inf),
        ):
            if running is not None:
                require_channels("running_mean" if value is mean else "running_var", running, input.shape[1])
                running.mul_(1 - momentum).add_(value * scale, alpha=momentum)
    return mean, var
