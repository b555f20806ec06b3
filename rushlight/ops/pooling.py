"""Pooling: the largest number of each window of positions; windows of one size, or as many as are wanted, or at random places; and back.

The ops get what windows are as tuples with a number for each dimension; the functions before them have read and checked it.
"""

import functools
import math

import rushlight as torch
from rushlight.core import Preparation, written_out
from rushlight.ops._declare import composite, kernel, op, prepared
from rushlight.ops._rules import alert_not_deterministic, c_name, may_be_differentiated, not_implemented
from rushlight.ops._windows import (
    adaptive,
    format_of,
    frozen,
    into,
    loop_dtype,
    mean_format,
    of_each_dimension,
    one_int,
    pooled_sizes,
    prepared_pooling,
    read_windows,
    require_dims,
    require_full_cotangent,
    require_lengths,
    require_output,
    require_positions,
    run_pooling,
    window_count,
)
from rushlight.ops.conversion import unmade
from rushlight.ops.steps import depending_on

# ---- the largest number ---------------------------------------------------------------------------------------------------


def scattered(g, x, indices, size):
    """The cotangent of each window at the position that was the largest."""
    count = len(size)
    lead, positions = x.shape[: x.dim() - count], math.prod(x.shape[x.dim() - count :])
    zeros = torch.zeros((*lead, positions), dtype=g.dtype)
    made = zeros.scatter_add(-1, indices.flatten(-count), g.flatten(-count)).reshape(x.shape)
    return depending_on(made.contiguous(memory_format=format_of(indices, count)), x)


def scattered_prepared(g, x, indices, size):
    format, dtype = format_of(indices, len(size)), x.dtype
    fits = dtype is loop_dtype(x) and dtype is g.dtype and indices.dtype is torch.int64 and g.shape == indices.shape
    if not fits or not x.numel() or not g.numel() or not all(given.is_contiguous(memory_format=format) for given in (g, indices)):
        return None
    numbers = len(size), int(format is not torch.contiguous_format)
    made = {"made": unmade(x.shape, dtype, format)}
    return Preparation(made, "made", (kernel("max_pool_gradient"), ("made", "g", "indices"), numbers))


@prepared(scattered_prepared)
def scattered_fused(g, x, indices, size):
    format, dtype = format_of(indices, len(size)), loop_dtype(g)
    made = torch.empty(x.shape, dtype=dtype, memory_format=format)
    g, indices = g.to(dtype).contiguous(memory_format=format), indices.contiguous(memory_format=format)
    if made.numel():
        kernel("max_pool_gradient")(made, g, indices, len(size), int(format is not torch.contiguous_format))
    return made.to(x.dtype)


def chosen(x_t, indices, size):
    count = len(size)
    return x_t.flatten(-count).gather(-1, indices.flatten(-count)).view(indices.shape)


def maximum(title):
    """What the ops that choose the largest of each window declare; `title` is the name of their nodes."""
    return dict(
        vjp=scattered,
        fused=scattered_fused,
        jvp=chosen,
        gradient=True,
        outputs=("out", "indices"),
        differentiable=("out",),
        name=tuple(title.format(count) for count in (2, 3)),
        variant=lambda x, size, *rest: len(size) - 2,
        function=False,
        method=False,
        out=False,
        batch="pooling.windows",
    )


def check_maximum(x, count):
    if x.dtype.name == "bool" or x.is_complex() or x.dtype in (torch.uint16, torch.uint32, torch.uint64):
        raise not_implemented(f"max_pool{count}d", x.dtype)


def stands_alone(x, count):
    """Is it a volume without a batch that lies as one of a batch in channels_last_3d?"""
    if count != 3 or x.dim() != 4:
        return False
    batch = x.unsqueeze(0)
    return not batch.is_contiguous() and batch.is_contiguous(memory_format=torch.channels_last_3d)


def max_pool_prepared(x, size, *windows):
    if stands_alone(x, len(size)):
        return None
    return prepared_pooling("max_pool", x, size, windows, format_of(x, len(size)))


@op(**maximum("MaxPool{}DWithIndicesBackward0"), prepare=max_pool_prepared)
def _max_pool(x, size, kernel_size, stride, padding, dilation):
    """The largest number of each window, and its position in the plane."""
    check_maximum(x, len(size))
    windows = kernel_size, stride, padding, dilation
    if stands_alone(x, len(size)):
        return tuple(each.squeeze_(0) for each in run_pooling("max_pool", x.unsqueeze(0), size, windows, torch.channels_last_3d))
    return run_pooling("max_pool", x, size, windows, format_of(x, len(size)))


@prepared(lambda x, size, *windows: prepared_pooling("greatest", x, size, windows, torch.contiguous_format, indices=False))
def _greatest(x, size, kernel_size, stride, padding, dilation):
    """The largest number of each window, where nobody asks for its place: of plain tensors that are not differentiated."""
    return run_pooling("greatest", x, size, (kernel_size, stride, padding, dilation), torch.contiguous_format, indices=False)


@functools.lru_cache(1024)
def max_pool_plan(shape, windows, ceil_mode):
    """The positions of the result of max_pool2d or max_pool3d, and the windows."""
    count = len(windows[0])
    if len(shape) not in (count + 1, count + 2):
        raise RuntimeError(f"non-empty {count + 1}D or {count + 2}D (batch mode) tensor expected for input")
    found = pooled_sizes(shape, windows, ceil_mode)
    require_positions("max_pool3d_with_indices_out_cpu_template()", shape, count)
    require_output(shape, found)
    return found, *windows


@functools.lru_cache(1024)
def read_max_pool(name, count, shape, kernel_size, stride, padding, dilation, ceil_mode):
    return max_pool_plan(shape, read_windows(name, count, kernel_size, stride, padding, dilation), ceil_mode)


def max_pool(name, count, x, kernel_size, stride, padding, dilation, ceil_mode):
    """(values, indices) of max_pool2d and max_pool3d."""
    given = map(frozen, (kernel_size, stride, padding, dilation))
    return _max_pool(x, *read_max_pool(name, count, x.shape, *given, ceil_mode))


MAX_POOL = "Tensor input, ints[1] kernel_size, ints[1] stride=None, ints[1] padding=0, ints[1] dilation=1, bool ceil_mode=False"


@functools.lru_cache(1024)
def max_pool1d_windows(shape, kernel_size, stride, padding, dilation, ceil_mode):
    """What max_pool1d checks, in its order; the windows as those of one line of height 1."""
    if len(shape) not in (2, 3) or 0 in shape[len(shape) - 2 :]:
        raise RuntimeError(
            f"max_pool1d: Expected 2D or 3D (batch mode) tensor with optional 0 dim batch size for input, but got:{list(shape)}"
        )
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    for name, value in given.items():
        given[name] = list(value) if isinstance(value, tuple | list) else [] if value is None else [value]
    for name, value in given.items():
        if len(value) != 1 and (name != "stride" or len(value)):
            kinds = (
                "None, an int, list of ints, or"
                if name == "stride"
                else "an int, list of ints or"
                if name != "padding"
                else "an int, list of ints, or"
            )
            raise RuntimeError(f"max_pool1d() {name} must be {kinds} tuple of ints of size 1 but got size {len(value)}")
    given["stride"] = given["stride"] or given["kernel_size"]
    k, s, p, d = (int(value[0]) for value in given.values())
    for name, value, least in (("kernel_size", k, 1), ("stride", s, 1), ("padding", p, 0)):
        if value < least:
            raise RuntimeError(f"max_pool1d() {name} must be {'greater than zero' if least else 'non-negative'}, but got {value}")
    if p > k // 2:
        raise RuntimeError(f"max_pool1d() padding should be at most half of kernel size, but got padding={p} and kernel_size={k}")
    if d < 1:
        raise RuntimeError(f"max_pool1d() dilation must be greater than zero, but got {d}")
    found = window_count(shape[-1], k, s, p, d, ceil_mode)
    if found < 1:
        raise RuntimeError(f"max_pool1d() Invalid computed output size: {found}")
    return (1, k), (1, s), (0, p), (1, d)


@composite(method=False, signature=MAX_POOL)
def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The largest number of each window of the last dimension: [N, C, L] or [C, L]."""
    windows = max_pool1d_windows(input.shape, *map(frozen, (kernel_size, stride, padding, dilation)), ceil_mode)
    if not input.dtype.is_floating_point:
        raise not_implemented("max_pool1d_impl", input.dtype)
    x = input.unsqueeze(-2)
    plan = max_pool_plan(x.shape, windows, ceil_mode)
    made = _max_pool(x, *plan)[0] if may_be_differentiated(input) else _greatest(x, *plan)
    return made.squeeze(-2)


@composite(method=False, signature=MAX_POOL)
def max_pool1d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """max_pool1d, and where in its line each number was."""
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    require_dims("max_pool1d", input)
    k, s, p, d = (one_int("max_pool1d", name, value) for name, value in given.items())
    windows = (1, k), (1, k if s is None else s), (0, p), (1, d)
    x = input.unsqueeze(-2)
    made, indices = _max_pool(x, *max_pool_plan(x.shape, windows, ceil_mode))
    return made.squeeze(-2), indices.squeeze(-2)


@composite(method=False, signature=MAX_POOL)
def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The largest number of each window of the last two dimensions: [N, C, H, W] or [C, H, W].

    >>> import rushlight
    >>> rushlight.max_pool2d(rushlight.arange(8.0).view(1, 2, 4), 2)
    tensor([[[5., 7.]]])
    """
    return max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode)[0]


@composite(method=False, namespace="nn", signature=f"{MAX_POOL}, *, tensors[2] out=None")
def max_pool2d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, *, out=None):
    """max_pool2d, and where in its plane each number was."""
    made = max_pool("max_pool2d", 2, input, kernel_size, stride, padding, dilation, ceil_mode)
    return into("max_pool2d_with_indices", out, made)


@op(
    vjp=lambda g, indices: g.flatten(-2).gather(-1, indices.flatten(-2)).view(indices.shape),
    jvp=lambda grad_output_t, x, indices: _max_pool2d_gradient(grad_output_t, x, indices),
    inputs=("grad_output",),
    name="MaxPool2DWithIndicesBackwardBackward0",
    function=False,
    method=False,
    out=False,
    batch="elementwise.composed",
)
def _max_pool2d_gradient(grad_output, x, indices):
    """The cotangent of each window at its position, which a program named: it is checked."""
    return scattered(grad_output, x, indices, tuple(indices.shape[-2:]))


@composite(
    namespace="aten",
    method=False,
    signature=(
        "Tensor grad_output, Tensor input, ints[2] kernel_size, ints[2] stride, ints[2] padding, ints[2] dilation, bool ceil_mode, "
        "Tensor indices, *, Tensor grad_input=None"
    ),
)
def max_pool2d_with_indices_backward(
    grad_output, input, kernel_size, stride, padding, dilation, ceil_mode, indices, *, grad_input=None
):
    """The cotangent of max_pool2d's input: that of each window, at the position of its largest number."""
    if grad_output.dtype is not input.dtype:
        kinds = c_name(input.dtype), c_name(grad_output.dtype)
        raise RuntimeError(f"expected dtype {kinds[0]} for `gradOutput` but got dtype {kinds[1]}")
    windows = read_windows("max_pool2d", 2, kernel_size, stride or None, padding, dilation)
    if input.dim() not in (3, 4):
        raise RuntimeError("non-empty 3D or 4D (batch mode) tensor expected for input")
    expected = (*input.shape[:-2], *pooled_sizes(input.shape, windows, ceil_mode))
    for given in (grad_output, indices):
        for place, size in enumerate(expected):
            if given.dim() != len(expected) or given.size(place) != size:
                raise RuntimeError(
                    f"Expected a tensor of dimension {len(expected)} and tensor.size[{place}] == {size} but got: dimension "
                    f"{given.dim()} and tensor.size[{place}] = {given.shape[place]}"
                )
    if input.dtype is torch.bool or input.is_complex():
        raise not_implemented("max_pool2d_backward", input.dtype)
    if indices.dtype is not torch.int64:
        raise RuntimeError(f"expected scalar type Long but found {indices.dtype.legacy_name}")
    made = _max_pool2d_gradient(grad_output, input.detach(), indices)
    return made if grad_input is None else written_out("max_pool2d_with_indices_backward", grad_input, made)


@composite(method=False, signature=MAX_POOL)
def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False):
    """The largest number of each window of the last three dimensions: [N, C, D, H, W] or [C, D, H, W]."""
    return max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode)[0]


@composite(method=False, namespace="nn", signature=f"{MAX_POOL}, *, tensors[2] out=None")
def max_pool3d_with_indices(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, *, out=None):
    """max_pool3d, and where in its volume each number was."""
    made = max_pool("max_pool3d", 3, input, kernel_size, stride, padding, dilation, ceil_mode)
    return into("max_pool3d_with_indices", out, made)


def adaptive_max_pool_prepared(x, size):
    count = len(size)
    if not x.is_floating_point():
        return None
    format = format_of(x, count) if count == 2 else torch.contiguous_format
    return prepared_pooling("max_pool", x, size, adaptive(count), format)


def adaptive_scattered(g, x, indices, size):
    require_full_cotangent("adaptive_max_pool", g, size)
    return scattered(g, x, indices, size)


@prepared(scattered_prepared)
def adaptive_scattered_fused(g, x, indices, size):
    require_full_cotangent("adaptive_max_pool", g, size)
    return scattered_fused(g, x, indices, size)


ADAPTIVE = maximum("AdaptiveMaxPool{}DBackward0") | dict(vjp=adaptive_scattered, fused=adaptive_scattered_fused)


@op(**ADAPTIVE, prepare=adaptive_max_pool_prepared)
def _adaptive_max_pool(x, size):
    """The largest number of each of `size` windows that share out the positions, and where it is."""
    count = len(size)
    if not x.is_floating_point():
        raise not_implemented("adaptive_max_pool2d" if count == 2 else "adaptive_max_pool3d_cpu", x.dtype)
    format = format_of(x, count) if count == 2 else torch.contiguous_format
    return run_pooling("max_pool", x, size, adaptive(count), format)


def adaptive_max_pool(name, x, output_size):
    return _adaptive_max_pool(x, read_adaptive_max_pool(name, x.shape, frozen(output_size)))


@functools.lru_cache(1024)
def read_adaptive_max_pool(name, shape, output_size):
    """The positions of the result, after the checks."""
    count = int(name[-2])
    if len(shape) not in (count + 1, count + 2):
        raise RuntimeError(f"{name}(): Expected {count + 1}D or {count + 2}D tensor, but got: {list(shape)}")
    require_lengths(name, shape, len(shape) - count - 1)
    size = tuple(map(int, output_size)) if isinstance(output_size, tuple | list) else (int(output_size),) * count
    if len(size) != count:
        raise RuntimeError(f"{name}(): internal error: output_size.size() must be {count}")
    if min(size) < 0:
        made = [*shape[: len(shape) - count], *size]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(size)}: {made}")
    return size


@composite(method=False, signature="Tensor input, ints[1] output_size")
def adaptive_max_pool1d(input, output_size):
    """The largest of each of `output_size` windows that share out the last dimension, and where in its line it was."""
    require_dims("adaptive_max_pool1d", input)
    size = one_int("adaptive_max_pool1d", "output_size", output_size)
    require_lengths("adaptive_max_pool1d", input.shape, input.dim() - 2)
    made, indices = adaptive_max_pool("adaptive_max_pool2d", input.unsqueeze(-2), (1, size))
    return made.squeeze(-2), indices.squeeze(-2)


@composite(method=False, namespace="nn", signature="Tensor input, ints[1] output_size, *, tensors[2] out=None")
def adaptive_max_pool2d(input, output_size, *, out=None):
    """As adaptive_max_pool1d, over the last two dimensions."""
    return into("adaptive_max_pool2d", out, adaptive_max_pool("adaptive_max_pool2d", input, output_size))


@composite(method=False, namespace="nn", signature="Tensor input, ints[1] output_size, *, tensors[2] out=None")
def adaptive_max_pool3d(input, output_size, *, out=None):
    """As adaptive_max_pool1d, over the last three dimensions."""
    return into("adaptive_max_pool3d", out, adaptive_max_pool("adaptive_max_pool3d", input, output_size))


@op(**maximum("FractionalMaxPool{}DBackward0"))
def _fractional_max_pool(x, size, kernel_size, samples):
    """The largest number of each of `size` windows whose places follow from `samples`, and where it is."""
    count = len(size)
    if not x.is_floating_point():
        raise not_implemented(f"fractional_max_pool{count}d_out_frame", x.dtype)
    samples = samples[: x.shape[0]].to(loop_dtype(x)).contiguous()
    windows = kernel_size, *((1,) * count,) * 3
    return run_pooling("fractional_max_pool", x, size, windows, torch.contiguous_format, arrays=(samples,))


def fractional_max_pool(name, x, kernel_size, output_size, samples):
    """What PyTorch checks of a pooling by windows at random places."""
    count, title = (2, "fractional_max_pool2d") if name[-2] == "2" else (3, "fractional_max_pool3d_out")
    texts = [
        f"{name}: {what} must either be a single Int or tuple of {'three ' * (count == 3)}Ints"
        for what in ("kernel_size", "output_size")
    ]
    kernel_size, size = (of_each_dimension(*each) for each in zip((kernel_size, output_size), (count, count), texts, strict=True))
    if x.dim() not in (count + 1, count + 2):
        raise RuntimeError(f"{title}(): Expected {count + 1}D or {count + 2}D tensor, but got: {list(x.shape)}")
    for place in range(x.dim() - count - 1, x.dim()):
        if x.shape[place] == 0:
            raise RuntimeError(
                f"{title}(): Expected input to have non-zero size for non-batch dimensions, but got{list(x.shape)} with dimension {place} "
                "being empty."
            )
    axes, sizes = ("time", "height", "width")[3 - count :], x.shape[x.dim() - count :]
    for axis, given, wanted, k in zip(axes, sizes, size, kernel_size, strict=True):
        if wanted + k - 1 > given - (count == 3):  # (in volumes windows must have room to move)
            raise RuntimeError(f"{title}(): pool {axis} {k} too large relative to input {axis} {given}")
    check_samples(x, samples, count)
    if min(size) < 0:
        shape = [*x.shape[: x.dim() - count], *size]
        raise RuntimeError(f"Trying to create tensor with negative dimension {min(size)}: {shape}")
    return _fractional_max_pool(x, size, kernel_size, samples)


def check_samples(x, samples, count):
    """Refuses random numbers that are not `count` for each plane of `x`."""
    if samples.dtype is not x.dtype:
        raise RuntimeError("Expect _random_samples to have the same dtype as input")
    if samples.dim() != 3:
        raise RuntimeError(f"Expect _random_samples to have 3 dimensions, got {samples.dim()}")
    if samples.shape[0] < (1 if x.dim() == count + 1 else x.shape[0]):
        raise RuntimeError("Expect _random_samples.size(0) no less then input batch size.")
    if samples.shape[1] != x.shape[x.dim() - count - 1]:
        raise RuntimeError("Expect _random_samples.size(1) equals to input channel size.")
    if samples.shape[2] != count:
        raise RuntimeError(f"Expect _random_samples.size(2) equals to {count}; got {samples.shape[2]}.")


FRACTIONAL = "Tensor input, ints[1] kernel_size, ints[1] output_size, Tensor random_samples, *, tensors[2] out=None"


@composite(method=False, namespace="nn", signature=FRACTIONAL)
def fractional_max_pool2d(input, kernel_size, output_size, random_samples, *, out=None):
    """The largest of each of `output_size` windows at places that `random_samples` [N, C, 2] decide (Graham 2015)."""
    made = fractional_max_pool("fractional_max_pool2d", input, kernel_size, output_size, random_samples)
    return into("fractional_max_pool2d", out, made)


@composite(method=False, namespace="nn", signature=FRACTIONAL)
def fractional_max_pool3d(input, kernel_size, output_size, random_samples, *, out=None):
    """As fractional_max_pool2d, over the last three dimensions."""
    made = fractional_max_pool("fractional_max_pool3d", input, kernel_size, output_size, random_samples)
    return into("fractional_max_pool3d", out, made)


# ---- and back -------------------------------------------------------------------------------------------------------------


@op(
    vjp=lambda g, places, size: chosen(g, places, size),
    jvp=lambda x_t, places, size: _max_unpool(x_t, places, size),
    name=("MaxUnpool2DBackward0", "MaxUnpool3DBackward0"),
    variant=lambda x, places, size: len(size) - 2,
    function=False,
    method=False,
    out=False,
    batch="pooling.windows",
)
def _max_unpool(x, places, size):
    """Zeros but for `x` at the positions that `places` name."""
    count, dtype = len(size), loop_dtype(x)
    if not x.is_floating_point():
        raise not_implemented(f"max_unpool{count}d", x.dtype)
    format = mean_format(x, count)
    made = torch.empty((*x.shape[: x.dim() - count], *size), dtype=dtype, memory_format=format)
    if x.numel() and made.numel():
        given, places = x.to(dtype).contiguous(memory_format=format), places.contiguous(memory_format=format)
        kernel("max_unpool")(made, given, places, count, int(format is not torch.contiguous_format))
    return made.to(x.dtype)


def max_unpool(x, indices, size):
    count = len(size)
    if x.dim() not in (count + 1, count + 2):
        raise RuntimeError(
            f"Input to max_unpooling{count}d should be a {count + 1}d or {count + 2}d Tensor, but got a tensor with {x.dim()} dimensions."
        )
    if x.shape != indices.shape:
        raise RuntimeError(
            f"Expected shape of indices to be same as that of the input tensor ({list(x.shape)}) but got indices tensor with shape: "
            f"{list(indices.shape)}"
        )
    for place in range(1 if x.dim() == count + 2 else 0, x.dim()):
        if x.shape[place] == 0:
            raise RuntimeError(
                f"max_unpooling{count}d_forward_out_cpu(): Expected input to have non-zero size for non-batch dimensions, but got "
                f"{list(x.shape)} with dimension {place} being empty."
            )
    return _max_unpool(x, indices, size)


@composite(method=False, namespace="nn", signature="Tensor input, Tensor indices, ints[1] output_size, *, Tensor out=None")
def max_unpool2d(input, indices, output_size, *, out=None):
    """Zeros [N, C, *output_size] but for the numbers of `input` at the positions in each plane that `indices` name."""
    alert_not_deterministic("max_unpooling2d_forward_out")
    if indices.dtype is not torch.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {indices.dtype.legacy_name}")
    size = tuple(map(int, output_size)) if isinstance(output_size, tuple | list) else (int(output_size),) * 2
    if len(size) != 2:
        raise RuntimeError(f"There should be exactly two elements (height, width) in output_size, but got {len(size)} elements.")
    if min(size) < 0:
        raise RuntimeError(
            f"max_unpooling2d(): output_size must contain non-negative spatial dimensions, but got output_size={size}"
        )
    return into("max_unpool2d", out, max_unpool(input, indices, size))


@composite(
    method=False,
    namespace="nn",
    signature="Tensor input, Tensor indices, ints[1] output_size, ints[1] stride, ints[1] padding, *, Tensor out=None",
)
def max_unpool3d(input, indices, output_size, stride, padding, *, out=None):
    """As max_unpool2d, in volumes."""
    alert_not_deterministic("max_unpooling3d_forward_out")
    if indices.dtype is not torch.int64:
        raise RuntimeError("elements in indices should be type int64")
    size, stride, padding = (
        tuple(map(int, given)) if isinstance(given, tuple | list) else (int(given),) * 3
        for given in (output_size, stride, padding)
    )
    for name, given, word in (("output_size", size, "got"), ("stride", stride, "got:"), ("padding", padding, "got:")):
        if len(given) != 3:
            raise RuntimeError(
                f"There should be exactly three elements (depth, height, width) in {name}, but {word} {len(given)} elements."
            )
    if min(size) < 0:
        raise RuntimeError(
            f"max_unpooling3d(): output_size must contain non-negative spatial dimensions, but got output_size={size}"
        )
    if min(stride) <= 0:
        raise RuntimeError(f"strides should be greater than zero, but got stride: {list(stride)}")
    return into("max_unpool3d", out, max_unpool(input, indices, size))
