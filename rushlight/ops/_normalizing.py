"""What normalizations share: standardizing and its derivative, the dtypes of parameters and statistics, the kernels of channels.

Each op saves its statistics, which the fused rules use. The rules themselves are written with ordinary ops of the input, so that they can be
differentiated again.
"""

import rushlight as torch
from rushlight.core import Preparation, empty_tensor
from rushlight.ops._declare import kernel, prepared
from rushlight.ops.conversion import suggested_format, unmade

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
