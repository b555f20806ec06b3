"""Pooling by means: of windows of one size, or as many as are wanted. See pooling.py."""

import functools

import rushlight as torch
from rushlight.core import Preparation
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._rules import not_implemented
from rushlight.ops._windows import (
    adaptive,
    frozen,
    into,
    kernel_numbers,
    loop_dtype,
    mean_format,
    one_int,
    pooled_sizes,
    prepared_pooling,
    read_windows,
    require_cotangent,
    require_dims,
    require_full_cotangent,
    require_lengths,
    require_output,
    require_positions,
    run_pooling,
)
from rushlight.ops.conversion import suggested_format, unmade

# ---- the mean -------------------------------------------------------------------------------------------------------------


def mean_names(title, gradient=""):
    return dict(
        name=tuple(f"{title.format(count)}Backward{gradient}0" for count in (2, 3)),
        function=False,
        method=False,
        out=False,
        batch="pooling.windows",
    )


@op(
    vjp={
        "g": lambda g, size, kernel_size, stride, padding, counts_padding, divisor: _avg_pool(
            g, size, kernel_size, stride, padding, counts_padding, divisor
        ),
        "x": lambda g, x: torch.zeros_like(x),
    },
    jvp=lambda g_t, x_t, x, size, kernel_size, stride, padding, counts_padding, divisor: (
        torch.zeros_like(x)
        if g_t is None
        else _avg_pool_gradient(g_t, x.detach(), size, kernel_size, stride, padding, counts_padding, divisor)
    ),
    variant=lambda g, x, size, *rest: len(size) - 2,
    prepare=lambda g, x, size, kernel_size, stride, padding, counts_padding, divisor: prepared_mean_gradient(
        g, x, size, (kernel_size, stride, padding, (1,) * len(size)), int(counts_padding), divisor
    ),
    **mean_names("AvgPool{}D", "Backward"),
)
def _avg_pool_gradient(g, x, size, kernel_size, stride, padding, counts_padding, divisor):
    """The cotangent of each window shared by its positions."""
    windows = kernel_size, stride, padding, (1,) * len(size)
    return run_mean_gradient(g, x, size, windows, int(counts_padding), divisor)


def run_mean_gradient(g, x, size, windows, counts_padding, divisor):
    require_cotangent(g, x, size)
    format, dtype = mean_format(x, len(size)), loop_dtype(g)
    made = torch.empty(x.shape, dtype=dtype, memory_format=format)
    if made.numel():
        given = g.to(dtype).contiguous(memory_format=format)
        kernel("avg_pool_gradient")(made, given, *kernel_numbers(windows, format), counts_padding, divisor)
    return made.to(x.dtype)


def prepared_mean_gradient(g, x, size, windows, counts_padding, divisor):
    """run_mean_gradient as core.Prepared has it."""
    require_cotangent(g, x, size)
    format, dtype = mean_format(x, len(size)), x.dtype
    if (
        not x.numel()
        or not g.numel()
        or dtype is not loop_dtype(x)
        or dtype is not g.dtype
        or not g.is_contiguous(memory_format=format)
    ):
        return None
    numbers = *kernel_numbers(windows, format), counts_padding, divisor
    return Preparation({"made": unmade(x.shape, dtype, format)}, "made", (kernel("avg_pool_gradient"), ("made", "g"), numbers))


@op(
    vjp=lambda g, x, size, kernel_size, stride, padding, counts_padding, divisor: _avg_pool_gradient(
        g, x, size, kernel_size, stride, padding, counts_padding, divisor
    ),
    linear=True,
    variant=lambda x, size, *rest: len(size) - 2,
    prepare=lambda x, size, kernel_size, stride, padding, counts_padding, divisor: prepared_pooling(
        *("avg_pool", x, size, (kernel_size, stride, padding, (1,) * len(size)), mean_format(x, len(size))),
        *(int(counts_padding), divisor),
        indices=False,
    ),
    **mean_names("AvgPool{}D"),
)
def _avg_pool(x, size, kernel_size, stride, padding, counts_padding, divisor):
    """The mean of each window; `divisor` stands for the number of its positions where it is not 0."""
    windows = kernel_size, stride, padding, (1,) * len(size)
    return run_pooling("avg_pool", x, size, windows, mean_format(x, len(size)), int(counts_padding), divisor, indices=False)


@functools.lru_cache(1024)
def avg_pool_plan(shape, windows, ceil_mode, divisor_override):
    """The positions of the result of a mean over windows, and the windows."""
    count = len(windows[0])
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    if count == 3 and len(shape) not in (4, 5):
        raise RuntimeError("non-empty 4D or 5D (batch mode) tensor expected for input")
    if len(shape) < 3:
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-max(len(shape), 1)}, {max(len(shape), 1) - 1}], but got -3)"
        )
    found = pooled_sizes(shape, windows, ceil_mode)
    require_positions("avg_pool3d()", shape, count)
    if count == 3:
        sizes, kernel_size = shape[len(shape) - 3 :], windows[0]
        if any(size < k for size, k in zip(sizes, kernel_size, strict=True)):
            given, wanted = (
                " ".join(f"{letter}{axis}: {value}" for axis, value in zip("THW", values, strict=True))
                for letter, values in (("", sizes), ("k", kernel_size))
            )
            raise RuntimeError(f"input image ({given}) smaller than kernel size ({wanted})")
    require_output(shape, found)
    return found, *windows[:3]


@functools.lru_cache(1024)
def read_avg_pool(name, count, shape, kernel_size, stride, padding, ceil_mode, divisor_override):
    return avg_pool_plan(shape, read_windows(name, count, kernel_size, stride, padding), ceil_mode, divisor_override)


def avg_pool(x, plan, count_include_pad, divisor_override):
    dtype, count = x.dtype, len(plan[0])
    if not (dtype.is_floating_point or dtype is torch.int64) or (count == 3 and dtype in (torch.float16, torch.bfloat16)):
        raise not_implemented("avg_pool2d" if count == 2 else "avg_pool3d_out_frame", dtype)
    return _avg_pool(x, *plan, bool(count_include_pad), divisor_override or 0)


AVG_POOL = (
    "Tensor input, ints[1] kernel_size, ints[1] stride=None, ints[1] padding=0, bool ceil_mode=False, bool count_include_pad=True"
)


@composite(method=False, signature=AVG_POOL)
def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each window of the last dimension: [N, C, L] or [C, L].

    >>> import rushlight
    >>> rushlight.avg_pool1d(rushlight.tensor([[1., 3., 5., 7.]]), 2)
    tensor([[2., 6.]])
    """
    require_dims("avg_pool1d", input)
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    k, s, p = (one_int("avg_pool1d", name, value) for name, value in given.items())
    windows = (1, k), (1, k if s is None else s), (0, p), (1, 1)
    x = input.unsqueeze(-2)
    return avg_pool(x, avg_pool_plan(x.shape, windows, ceil_mode, None), count_include_pad, None).squeeze(-2)


@composite(method=False, namespace="nn", signature=f"{AVG_POOL}, index? divisor_override=None, *, Tensor out=None")
def avg_pool2d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None, *, out=None
):
    """The mean of each window of the last two dimensions: [N, C, H, W] or [C, H, W].

    Padding counts as zeros unless `count_include_pad` is False; `divisor_override` stands for the number of positions of a window.
    """
    given = map(frozen, (kernel_size, stride, padding))
    plan = read_avg_pool("avg_pool2d", 2, input.shape, *given, ceil_mode, divisor_override)
    return into("avg_pool2d", out, avg_pool(input, plan, count_include_pad, divisor_override))


@composite(method=False, namespace="nn", signature=f"{AVG_POOL}, index? divisor_override=None, *, Tensor out=None")
def avg_pool3d(
    input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None, *, out=None
):
    """As avg_pool2d, over the last three dimensions: [N, C, D, H, W] or [C, D, H, W]."""
    given = map(frozen, (kernel_size, stride, padding))
    plan = read_avg_pool("avg_pool3d", 3, input.shape, *given, ceil_mode, divisor_override)
    return into("avg_pool3d", out, avg_pool(input, plan, count_include_pad, divisor_override))


@op(
    vjp={"g": lambda g, size: _adaptive_avg_pool(g, size), "x": lambda g, x: torch.zeros_like(x)},
    jvp=lambda g_t, x_t, x, size: torch.zeros_like(x) if g_t is None else _adaptive_avg_pool_gradient(g_t, x.detach(), size),
    variant=lambda g, x, size: len(size) - 2,
    prepare=lambda g, x, size: prepared_mean_gradient(g, x, size, adaptive(len(size)), 0, 0),
    **mean_names("AdaptiveAvgPool{}D", "Backward"),
)
def _adaptive_avg_pool_gradient(g, x, size):
    """The cotangent of each window shared by its positions."""
    require_full_cotangent("adaptive_avg_pool", g, size)
    return run_mean_gradient(g, x, size, adaptive(len(size)), 0, 0)


def adaptive_avg_pool_prepared(x, size):
    if not x.is_floating_point():
        return None
    return prepared_pooling("avg_pool", x, size, adaptive(len(size)), mean_format(x, len(size)), 0, 0, indices=False)


@op(
    vjp=lambda g, x, size: _adaptive_avg_pool_gradient(g, x, size),
    linear=True,
    variant=lambda x, size: len(size) - 2,
    prepare=adaptive_avg_pool_prepared,
    **mean_names("AdaptiveAvgPool{}D"),
)
def _adaptive_avg_pool(x, size):
    """The mean of each of `size` windows that share out the positions."""
    count = len(size)
    if not x.is_floating_point():
        raise not_implemented("adaptive_avg_pool2d" if count == 2 else "adaptive_avg_pool3d_cpu", x.dtype)
    return run_pooling("avg_pool", x, size, adaptive(count), mean_format(x, count), 0, 0, indices=False)


@functools.lru_cache(1024)
def read_adaptive_avg_pool(name, output_size):
    """The positions of the result."""
    count = int(name[-2])
    size = tuple(map(int, output_size)) if isinstance(output_size, tuple | list) else (int(output_size),) * count
    if len(size) != count:
        raise RuntimeError(f"{name}: output_size must be {count}")
    if min(size) < 0:
        got = f"{size[0]}, {','.join(map(str, size[1:]))}"
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but received {{{got}}}")
    return size


def adaptive_avg_pool(name, x, output_size):
    """One mean of everything is a mean; more are the op's."""
    size = read_adaptive_avg_pool(name, frozen(output_size))
    count = len(size)
    if size == (1,) * count and x.dim() >= count:
        made = x.mean(tuple(range(-count, 0)), keepdim=True)
        if x.dim() == count + 2 and suggested_format(x) is not torch.contiguous_format:
            samples, channels = x.shape[:2]
            made.as_strided_((samples, channels, *size), (channels, 1, *(channels,) * count))
        return made
    return adaptive_means(name, x, size)


def adaptive_means(name, x, size):
    count = len(size)
    if x.dim() not in (count + 1, count + 2):
        raise RuntimeError(f"{name}(): Expected {count + 1}D or {count + 2}D tensor, but got {list(x.shape)}")
    require_lengths(name, x.shape, x.dim() - count)
    return _adaptive_avg_pool(x, size)


@composite(method=False, signature="Tensor input, ints[1] output_size")
def adaptive_avg_pool1d(input, output_size):
    """The mean of each of `output_size` windows that share out the last dimension."""
    require_dims("adaptive_avg_pool1d", input)
    size = one_int("adaptive_avg_pool1d", "output_size", output_size)
    return adaptive_avg_pool("adaptive_avg_pool2d", input.unsqueeze(-2), (1, size)).squeeze(-2)


@composite(method=False, namespace="nn", signature="Tensor input, ints[1] output_size, *, Tensor out=None")
def adaptive_avg_pool2d(input, output_size, *, out=None):
    """As adaptive_avg_pool1d, over the last two dimensions."""
    return into("adaptive_avg_pool2d", out, adaptive_avg_pool("adaptive_avg_pool2d", input, output_size))


@composite(method=False, namespace="nn", signature="Tensor input, ints[1] output_size, *, Tensor out=None")
def adaptive_avg_pool3d(input, output_size, *, out=None):
    """As adaptive_avg_pool1d, over the last three dimensions."""
    return into("adaptive_avg_pool3d", out, adaptive_avg_pool("adaptive_avg_pool3d", input, output_size))
