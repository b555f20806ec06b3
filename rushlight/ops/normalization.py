"""Layer, root-mean-square and group normalization, and that of weights."""

import functools
import math

import rushlight as torch
from rushlight.core import Preparation, empty_like_layout, empty_tensor, unwrapped
from rushlight.ops._declare import composite, kernel, op, prepared, short_way
from rushlight.ops._normalizing import (
    affine_jvp,
    are_vectors,
    channel_gradients,
    channel_norm,
    fit_kernel,
    is_channels_last,
    parameter_dtype,
    plain,
    project,
    refuse_mixture,
    scaled,
    standardized,
    statistics_dtype,
    widened,
)
from rushlight.ops._rules import not_implemented, require_floating
from rushlight.ops.conversion import suggested_format, unmade
from rushlight.ops.steps import tracked_with

layer_norm_kernel, layer_norm_gradient_kernel = kernel("layer_norm"), kernel("layer_norm_gradient")


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
    with unwrapped:
        normal = x * (x.pow(2).mean(last_dims(normalized_shape), keepdim=True) + eps).rsqrt()
    if weight is not None:
        normal = normal * weight
    return normal.to(input.dtype).contiguous(memory_format=suggested_format(input))


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
