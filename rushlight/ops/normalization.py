"""Layer, group, batch and root-mean-square normalization.

Each saves its statistics, which the fused rules use. The rules themselves are written with ordinary ops of the input, so that they can be
differentiated again.
"""

import functools
import math

import rushlight as torch
from rushlight.core import Preparation, empty_like_layout, empty_tensor, written_out
from rushlight.ops._declare import composite, kernel, op, prepared, short_way
from rushlight.ops._rules import not_implemented, require_floating
from rushlight.ops.conversion import suggested_format, unmade
from rushlight.ops.losses import refuse_gradient
from rushlight.ops.steps import tracked_with

layer_norm_kernel, layer_norm_gradient_kernel = kernel("layer_norm"), kernel("layer_norm_gradient")
channel_norm, channel_norm_gradient = kernel("channel_norm"), kernel("channel_norm_gradient")


def standardized(x, dims, eps):
    """`x` with mean 0 and variance 1 over `dims`, and 1 / its standard deviation."""
    centred = x - x.mean(dims, keepdim=True)
    rstd = ((centred * centred.conj()).mean(dims, keepdim=True) + eps).rsqrt()
    return centred * rstd, rstd


def project(h, normal, rstd, dims):
    """The transposed (and equal) Jacobian of `standardized` at `normal`, applied to h."""
    return rstd * (h - h.mean(dims, keepdim=True) - normal * (h * normal).mean(dims, keepdim=True))


def scaled(g, weight):
    return g if weight is None else g * weight


def affine_jvp(normal, normal_t, weight, weight_t, bias_t):
    """The tangent of normal * weight + bias."""
    total = 0 if normal_t is None else scaled(normal_t, weight)
    if weight_t is not None:
        total = total + normal * weight_t
    return total if bias_t is None else total + bias_t


# ---- over the last dimensions ---------------------------------------------------------------------------------------------


def last_dims(normalized_shape):
    return tuple(range(-len(normalized_shape), 0))


def layer_norm_vjp(g, x, mean, rstd, normalized_shape, weight, eps, wanted):
    dims = last_dims(normalized_shape)
    normal, scale = standardized(x, dims, eps)
    dx = project(scaled(g, weight), normal, scale, dims) if wanted[0] else None
    rows = tuple(range(g.dim() - len(dims)))
    dweight = tracked_with((g * normal).sum(rows) if rows else g * normal, weight) if wanted[1] else None
    return dx, dweight, tracked_with(g.sum(rows) if rows else g, x, weight) if wanted[2] else None


def layer_norm_prepared(g, x, mean, rstd, normalized_shape, weight, eps, wanted):
    dtype, columns = x.dtype, math.prod(normalized_shape)
    given = (g, x, mean, rstd) if weight is None else (g, x, mean, rstd, weight)
    if not x.numel() or any(each.dtype is not dtype or not each.is_contiguous() for each in given):
        return None
    parts = dict(zip(("dx", "dweight", "dbias"), ((x.shape, dtype), (normalized_shape, dtype), (normalized_shape, dtype))))
    made = {name: part for (name, part), is_wanted in zip(parts.items(), wanted) if is_wanted}
    outputs = tuple(name if name in made else None for name in parts)
    rows = (mean.numel(), columns)
    return Preparation(
        made,
        outputs,
        (layer_norm_gradient_kernel, (*outputs, ("g", rows), ("x", rows), "mean", "rstd", "weight"), ()),
    )


@prepared(layer_norm_prepared)
def layer_norm_fused(g, x, mean, rstd, normalized_shape, weight, eps, wanted):
    columns, dtype = math.prod(normalized_shape), mean.dtype
    dx = empty_tensor(x.shape, dtype) if wanted[0] else None
    dweight = empty_tensor(normalized_shape, dtype) if wanted[1] else None
    dbias = empty_tensor(normalized_shape, dtype) if wanted[2] else None
    rows = (mean.numel(), columns)
    layer_norm_gradient_kernel(
        dx,
        dweight,
        dbias,
        g.to(dtype).contiguous().reshape(rows),
        x.to(dtype).contiguous().reshape(rows),
        mean,
        rstd,
        plain(weight, dtype),
    )
    return dx, dweight, dbias


def layer_norm_jvp(x_t, weight_t, bias_t, x, normalized_shape, weight, eps):
    dims = last_dims(normalized_shape)
    normal, rstd = standardized(x, dims, eps)
    return affine_jvp(normal, None if x_t is None else project(x_t, normal, rstd, dims), weight, weight_t, bias_t)


@op(
    gradient=True,
    joint=layer_norm_vjp,
    fused=layer_norm_fused,
    inputs=("x", "weight", "bias"),
    jvp=layer_norm_jvp,
    outputs=("out", "mean", "rstd"),
    differentiable=("out",),
    plain=short_way("fsFFn", "normalized", "layer_norm"),
    method=False,
    out=False,
    batch="layers.layer_norm",
    public="layer_norm",
    signature="Tensor input, sizes normalized_shape, Tensor? weight, Tensor? bias, float eps",
)
def native_layer_norm(x, normalized_shape, weight, bias, eps):
    """layer_norm with the mean and 1 / standard deviation of each row."""
    refuse_mixture(x, weight, bias)
    check_normalized_shape(x, normalized_shape, weight, bias)
    shape, dtype = x.shape, statistics_dtype(x, weight, bias)
    kept = len(shape) - len(normalized_shape)
    statistics_shape = (*shape[:kept], *(1,) * len(normalized_shape))
    rows = plain(x, dtype)
    out, mean = empty_like_layout(rows), empty_tensor(statistics_shape, dtype)
    rstd = empty_like_layout(mean)
    if mean.numel():
        if kept != 1 or len(shape) != 2:
            rows = rows.view(mean.numel(), math.prod(normalized_shape))
        layer_norm_kernel(out, mean, rstd, rows, plain(weight, dtype), plain(bias, dtype), float(eps))
    return out if x.dtype is dtype else out.to(x.dtype), mean, rstd


def refuse_mixture(x, *parameters):
    """Refuses parameters of another dtype than the input's (which the first decides) that are not float32 beside a half; returns their dtypes."""
    given = [parameter.dtype for parameter in parameters if parameter is not None]
    if given and given[0] is not x.dtype:
        if any(dtype is not torch.float32 for dtype in given):
            raise RuntimeError("mixed dtype (CPU): expect parameter to have scalar type of Float")
        if x.dtype.itemsize != 2:
            raise RuntimeError("mixed dtype (CPU): all inputs must share same datatype.")
    return given


def statistics_dtype(x, *parameters):
    """What is computed in: float32 where a half tensor has float32 parameters; other mixtures are refused."""
    given = refuse_mixture(x, *parameters)
    if given and given[0] is not x.dtype:
        return torch.float32
    for dtype in given:
        if dtype is not x.dtype:
            raise RuntimeError(f"expected scalar type {x.dtype.legacy_name} but found {dtype.legacy_name}")
    return x.dtype


def plain(parameter, dtype):
    """A tensor as the kernels read it."""
    if parameter is None or (parameter.dtype is dtype and parameter.is_contiguous()):
        return parameter
    return parameter.to(dtype).contiguous()


def widened(x):
    """Halves as float32, in which they are computed; other tensors themselves."""
    return x.float() if x.dtype.itemsize == 2 else x


def parameter_dtype(dtype, *parameters):
    """What statistics are kept in: the parameters' dtype, or the input's `dtype` where there are none."""
    return next((parameter.dtype for parameter in parameters if parameter is not None), dtype)


def check_normalized_shape(x, normalized_shape, weight, bias):
    if len(normalized_shape) == 0:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and tuple(given.shape) != tuple(normalized_shape):
            raise RuntimeError(
                f"Expected {name} to be of same shape as normalized_shape, but got {name} of shape {list(given.shape)} "
                f"and normalized_shape = {list(normalized_shape)}"
            )
    count = len(normalized_shape)
    if x.dim() < count or tuple(x.shape[x.dim() - count :]) != tuple(normalized_shape):
        wanted = "".join(f", {size}" for size in normalized_shape)
        raise RuntimeError(
            f"Given normalized_shape={list(normalized_shape)}, expected input with shape [*{wanted}], but got input of "
            f"size{list(x.shape)}"
        )
    if not x.is_floating_point():
        raise NotImplementedError(f"\"LayerNormKernelImpl\" not implemented for '{x.dtype.legacy_name}'")


@composite(method=False)
def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5, cudnn_enable=True):
    """Standardizes over the last dimensions `normalized_shape`, then scales and shifts (Ba, Kiros, Hinton 2016)."""
    return native_layer_norm(input, normalized_shape, weight, bias, eps)[0]


@composite(method=False)
def rms_norm(input, normalized_shape, weight=None, eps=None):
    """`input` over its root mean square over the last dimensions, times `weight` (Zhang & Sennrich 2019)."""
    if len(normalized_shape) == 0:
        raise RuntimeError(
            "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
            "normalized_shape = []"
        )
    if weight is not None and tuple(weight.shape) != tuple(normalized_shape):
        raise RuntimeError(
            f"Expected weight to be of same shape as normalized_shape, but got weight of shape {list(weight.shape)} and "
            f"normalized_shape = {list(normalized_shape)}"
        )
    if input.dim() < len(normalized_shape):
        raise ValueError(f"Input tensor must have at least {len(normalized_shape)} dimensions, but got {input.dim()}")
    if tuple(input.shape[input.dim() - len(normalized_shape) :]) != tuple(normalized_shape):
        wanted = ", ".join(map(str, normalized_shape))
        raise RuntimeError(
            f"Given normalized_shape={list(normalized_shape)}, expected input with shape [*{wanted}], but got input of "
            f"size{list(input.shape)}"
        )
    if not (input.is_floating_point() or input.is_complex()):
        raise not_implemented("rms_norm", input.dtype)
    # Halves are computed in float32.
    x = input.to(torch.float32) if input.dtype.itemsize == 2 else input
    if eps is None:
        eps = torch.finfo(x.dtype).eps
    normal = x * (x.pow(2).mean(last_dims(normalized_shape), keepdim=True) + eps).rsqrt()
    if weight is not None:
        normal = normal * weight
    return normal.to(input.dtype)


# ---- of channels -----------------------------------------------------------------------------------------------------------


def is_channels_last(x):
    return suggested_format(x) is not torch.contiguous_format


def fit_kernel(x, *others):
    """Whether the kernels of channels read these as they are: `others` are contiguous where they are vectors, else laid out as `x`."""
    if x.dtype not in (torch.float32, torch.float64) or x.dim() < 2 or not x.numel():
        return False
    for given in (x, *others):
        if given is None:
            continue
        if given.dtype is not x.dtype:
            return False
        same = given.shape == x.shape
        if not (given.is_contiguous(memory_format=suggested_format(x)) if same else given.is_contiguous()):
            return False
    return True


def are_vectors(count, *given):
    return all(each is None or each.numel() == count for each in given)


def channel_gradients_prepared(g, x, mean, rstd, weight, sets, groups, training, wanted):
    if not fit_kernel(x, g, mean, rstd, weight) or g.shape != x.shape:
        return None
    vector = ((x.shape[1],), x.dtype)
    parts = {"dx": unmade(x.shape, x.dtype, suggested_format(x)), "dweight": vector, "dbias": vector}
    made = {name: part for (name, part), is_wanted in zip(parts.items(), wanted) if is_wanted}
    outputs = tuple(name if name in made else None for name in parts)
    numbers = sets, groups, is_channels_last(x), training
    return Preparation(made, outputs, (channel_norm_gradient, (*outputs, "g", "x", "mean", "rstd", "weight"), numbers))


@prepared(channel_gradients_prepared)
def channel_gradients(g, x, mean, rstd, weight, sets, groups, training, wanted):
    """The gradients of input, weight and bias of a norm over channels, of which each of `sets` of samples, and each of `groups` of channels, has
    a mean and 1 / standard deviation of its own."""
    format, dtype = suggested_format(x), widened(x).dtype
    channels = x.shape[1]
    dx = torch.empty(x.shape, dtype=dtype, memory_format=format) if wanted[0] else None
    dweight, dbias = (empty_tensor((channels,), dtype) if is_wanted else None for is_wanted in wanted[1:])
    given = (each.to(dtype).contiguous(memory_format=format) for each in (g, x))
    vectors = (plain(each, dtype) for each in (mean, rstd, weight))
    channel_norm_gradient(dx, dweight, dbias, *given, *vectors, sets, groups, is_channels_last(x), training)
    return dx, dweight, dbias


# ---- over groups of channels ----------------------------------------------------------------------------------------------


def by_channel(parameter, group):
    """A parameter of each channel, shaped for [N, group, channels of a group, L]."""
    return None if parameter is None else parameter.reshape(1, group, -1, 1)


def group_norm_vjp(g, x, mean, rstd, weight, N, C, HxW, group, eps, wanted):
    return group_norm_gradients(g, x, weight, (N, group, C // group, HxW), wanted, lambda x: standardized(x, (2, 3), eps))


def group_norm_fused(g, x, mean, rstd, weight, N, C, HxW, group, eps, wanted):
    if g[0] is not None and g[1] is None and g[2] is None:
        of_x = x if x.dim() > 1 and x.shape[0] == N and x.shape[1] == C else x.reshape(N, C, HxW)
        of_g = g[0] if of_x is x else g[0].reshape(N, C, HxW)
        dx, dweight, dbias = channel_gradients(of_g, of_x, mean, rstd, weight, N, group, True, wanted)
        return dx if dx is None or of_x is x else dx.reshape(x.shape), dweight, dbias
    mean, rstd = mean.reshape(N, group, 1, 1), rstd.reshape(N, group, 1, 1)
    return group_norm_gradients(g, x, weight, (N, group, C // group, HxW), wanted, lambda x: ((x - mean) * rstd, rstd))


def group_norm_gradients(g, x, weight, shape, wanted, standardize):
    """The gradients of input, weight and bias, from what `standardize` makes of the input as [N, group, channels of a group, L]."""
    g, mean_g, rstd_g = g
    if g is None:
        return None, None, None  # PyTorch ignores what comes for the statistics alone
    N, group, count = shape[0], shape[1], shape[2] * shape[3]
    grouped_g = widened(g).reshape(shape)
    normal, scale = standardize(widened(x).reshape(shape))
    dx = None
    if wanted[0]:
        dx = project(scaled(grouped_g, by_channel(weight, group)), normal, scale, (2, 3))
        if mean_g is not None:
            dx = dx + mean_g.reshape(N, group, 1, 1) / count
        if rstd_g is not None:
            dx = dx - rstd_g.reshape(N, group, 1, 1) * scale * scale * normal / count
        dx = dx.reshape(x.shape)
    dweight = (grouped_g * normal).sum((0, 3)).reshape(-1) if wanted[1] else None
    return dx, dweight, grouped_g.sum((0, 3)).reshape(-1) if wanted[2] else None


def group_norm_jvp(x_t, weight_t, bias_t, x, weight, N, C, HxW, group, eps):
    shape, dims = (N, group, C // group, HxW), (2, 3)
    normal, rstd = standardized(x.reshape(shape), dims, eps)
    normal_t, mean_t = None, torch.zeros((N, group), dtype=x.dtype)
    rstd_t = mean_t
    if x_t is not None:
        x_t = x_t.reshape(shape)
        normal_t = project(x_t, normal, rstd, dims)
        mean_t, rstd_t = x_t.mean(dims), (normal * x_t).mean(dims) * -(rstd * rstd).reshape(N, group)
    out_t = affine_jvp(normal, normal_t, by_channel(weight, group), by_channel(weight_t, group), by_channel(bias_t, group))
    return out_t.expand(shape).reshape(x.shape), mean_t, rstd_t


def group_norm_prepared(x, weight, bias, N, C, HxW, group, eps):
    if not fit_kernel(x, weight, bias) or not are_vectors(C, weight, bias) or group <= 0 or C % group:
        return None
    if tuple(x.shape[:2]) != (N, C) or x.numel() != N * C * HxW:
        return None
    statistics = ((N, group), x.dtype)
    return Preparation(
        {"out": unmade(x.shape, x.dtype, suggested_format(x)), "mean": statistics, "rstd": statistics},
        ("out", "mean", "rstd"),
        (
            channel_norm,
            ("out", "mean", "rstd", None, None, "x", "weight", "bias"),
            (N, group, is_channels_last(x), True, 0.0, float(eps)),
        ),
    )


@op(
    joint=group_norm_vjp,
    fused=group_norm_fused,
    inputs=("x", "weight", "bias"),
    jvp=group_norm_jvp,
    outputs=("out", "mean", "rstd"),
    differentiable=("out", "mean", "rstd"),
    method=False,
    out=False,
    batch="layers.group_norm",
    public="group_norm",
    prepare=group_norm_prepared,
    signature="Tensor input, Tensor? weight, Tensor? bias, index N, index C, index HxW, int group, float eps",
)
def native_group_norm(x, weight, bias, N, C, HxW, group, eps):
    """group_norm with the mean and 1 / standard deviation of each group, [N, group]."""
    refuse_mixture(x, weight, bias)
    require_floating("GroupNormKernelImpl", x.dtype)
    statistics_dtype(x, weight, bias)
    kept = parameter_dtype(x.dtype, weight, bias)
    rows = widened(x)
    out, mean, rstd = (
        empty_tensor(x.shape, rows.dtype),
        empty_tensor((N, group), rows.dtype),
        empty_tensor((N, group), rows.dtype),
    )
    if x.numel() == 0:
        return out.to(x.dtype), mean.zero_().to(kept), rstd.zero_().to(kept)
    layer_norm_kernel(out, mean, rstd, rows.contiguous().reshape(N * group, -1), None, None, float(eps))
    channels = out.reshape(N, C, HxW)
    if weight is not None:
        channels.mul_(weight.to(rows.dtype).reshape(C, 1))
    if bias is not None:
        channels.add_(bias.to(rows.dtype).reshape(C, 1))
    return out.to(x.dtype).contiguous(memory_format=suggested_format(x)), mean.to(kept), rstd.to(kept)


@composite(method=False)
def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5, cudnn_enabled=True):
    """Standardizes each group of channels of each sample, then scales and shifts each channel (Wu & He 2018)."""
    given = (None if parameter is None else parameter.shape for parameter in (weight, bias))
    return native_group_norm(input, weight, bias, *read_groups(input.shape, num_groups, *given), num_groups, eps)[0]


@functools.lru_cache(1024)
def read_groups(shape, num_groups, weight, bias):
    """The numbers of samples, channels and positions of an input of `shape`; `weight` and `bias` are the parameters' shapes."""
    if len(shape) < 2:
        low, high = -max(len(shape), 1), max(len(shape), 1) - 1
        raise IndexError(f"Dimension out of range (expected to be in range of [{low}, {high}], but got 1)")
    samples, channels = shape[:2]
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if channels % num_groups:
        raise RuntimeError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape)} and num_groups={num_groups}"
        )
    for name, given in (("weight", weight), ("bias", bias)):
        if given is not None and given != (channels,):
            named = given if weight is None else weight  # (PyTorch's text has the weight's shape for the bias too.)
            raise RuntimeError(
                f"Expected {name} to be a vector of size equal to the number of channels in input, but got {name} of shape "
                f"{list(named)} and input of shape {list(shape)}"
            )
    return samples, channels, math.prod(shape[2:])


# ---- over the batch -------------------------------------------------------------------------------------------------------


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


def batch_norm_prepared(x, weight, bias, running_mean, running_var, training, momentum, eps, called="native_batch_norm"):
    parameters = weight, bias, running_mean, running_var
    if not fit_kernel(x, *parameters) or not are_vectors(x.shape[1], *parameters):
        return None
    if not training and (running_mean is None or running_var is None):
        return None
    statistics = (x.shape[1:2], x.dtype)
    return Preparation(
        {"out": unmade(x.shape, x.dtype, suggested_format(x)), "mean": statistics, "rstd": statistics},
        ("out", "mean", "rstd"),
        (
            channel_norm,
            ("out", "mean", "rstd", "running_mean", "running_var", "x", "weight", "bias"),
            (1, x.shape[1], is_channels_last(x), training, float(momentum), float(eps)),
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
    out = (x * channels_of(scale, x)).add_(channels_of(shift, x)).contiguous(memory_format=suggested_format(x))
    return out.to(given), mean, rstd


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
    return _batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps)[0]


# ---- of weights --------------------------------------------------------------------------------------------------------------


@composite(method=False, signature="Tensor v, int pow=2, int dim=0")
def norm_except_dim(v, pow=2, dim=0):
    """The norm of order `pow` over all dimensions but `dim`, which are kept; that of the whole where `dim` is -1."""
    if not (v.is_floating_point() or v.is_complex()):
        raise RuntimeError(f"norm(): input dtype should be either floating point or complex. Got {v.dtype.legacy_name} instead.")
    if dim == -1:
        return v.norm(pow)
    others = (1,) * (v.dim() - 1)
    if dim == 0:
        return v.contiguous().view(v.size(0), -1).norm(pow, 1).view(-1, *others)
    if dim == v.dim() - 1:
        return v.contiguous().view(-1, v.size(dim)).norm(pow, 0).view(*others, -1)
    return norm_except_dim(v.transpose(0, dim), pow, 0).transpose(0, dim)


def dims_but(v, dim):
    return [d for d in range(v.dim()) if d != dim]


def weight_norm_vjp(g, v, scale, dim, wanted):
    norms = norm_except_dim(v, 2, dim)
    along = (g * v).sum(dims_but(v, dim), keepdim=True) / norms
    return (g - v * (along / norms)) * (scale / norms) if wanted[0] else None, along if wanted[1] else None


def weight_norm_jvp(v_t, scale_t, v, scale, dim):
    norms = norm_except_dim(v, 2, dim)
    total = 0 if scale_t is None else v * (scale_t / norms)
    if v_t is None:
        return total
    along = (v * v_t).sum(dims_but(v, dim), keepdim=True) / norms
    return total + (v_t - v * (along / norms)) * (scale / norms)


@op(
    joint=weight_norm_vjp,
    inputs=("v", "scale"),
    jvp=weight_norm_jvp,
    outputs=("out", "norms"),
    differentiable=("out",),
    name="WeightNormInterfaceBackward0",
    method=False,
    out=False,
    batch="layers.weight_norm",
    signature="Tensor v, Tensor g, int dim=0",
)
def _weight_norm_interface(v, scale, dim=0):
    """`v` with norms of `scale` over all dimensions but `dim`, the first or the last; and the norms that `v` has."""
    require_floating("weight_norm_kernel", v.dtype)
    norms = norm_except_dim(v, 2, dim)
    return v * (scale / norms), norms


@composite(method=False, signature="Tensor v, Tensor g, int dim=0")
def _weight_norm(v, g, dim=0):
    """`v` with norms of `g` over all dimensions but `dim`, or with one norm where that is -1."""
    v, g = v.contiguous(), g.contiguous()
    if dim in (0, v.dim() - 1):
        return _weight_norm_interface(v, g, dim)[0]
    return v * (g / norm_except_dim(v, 2, dim))
