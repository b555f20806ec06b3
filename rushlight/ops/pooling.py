"""Pooling: one number for each window of positions, the largest or the mean; windows of one size, or as many as are wanted.

The ops get what windows are as tuples with a number for each dimension; the functions before them have read and checked it.
"""

import functools
import math

import rushlight as torch
from rushlight.core import Preparation, written_out
from rushlight.ops._declare import composite, kernel, op, prepared
from rushlight.ops._rules import c_name, may_be_differentiated, not_implemented
from rushlight.ops.conversion import suggested_format, unmade
from rushlight.ops.steps import tracked_with

COUNTS = {2: "two ints", 3: "three ints"}
AXES = {2: "HW", 3: "THW"}


# ---- what windows are -----------------------------------------------------------------------------------------------------


def per_dimension(given, count, text):
    """A number for each of `count` dimensions; `text` refuses another number of them."""
    values = tuple(map(int, given)) if isinstance(given, tuple | list) else (int(given),)
    if len(values) not in (1, count):
        raise RuntimeError(text)
    if any(abs(value) > (1 << 31) - 1 for value in values):
        raise RuntimeError("value cannot be converted to type int without overflow")
    return values if len(values) == count else values * count


def read_windows(name, count, kernel_size, stride, padding, dilation=1):
    """Kernel, stride, padding and dilation, a number for each dimension."""
    # (The texts of the mean over three dimensions have words of their own.)
    must, ints = "must" if name == "avg_pool3d" else "must either", COUNTS[count]
    kernel_size = per_dimension(kernel_size, count, f"{name}: kernel_size {must} be a single int, or a tuple of {ints}")
    text = f"{name}: stride {must} be omitted, a single int, or a tuple of {ints}"
    without = stride is None or (isinstance(stride, tuple | list) and not len(stride))
    return (
        kernel_size,
        kernel_size if without else per_dimension(stride, count, text),
        per_dimension(padding, count, f"{name}: padding {must} be a single int, or a tuple of {ints}"),
        per_dimension(dilation, count, f"{name}: dilation must be either a single int, or a tuple of {ints}"),
    )


def window_count(size, kernel_size, stride, padding, dilation, ceil_mode):
    """How many windows fit in one dimension; with `ceil_mode` also one that begins inside and ends behind."""
    if stride == 0:
        raise RuntimeError("stride should not be zero")
    if padding < 0:
        raise RuntimeError(f"pad must be non-negative, but got pad: {padding}")
    reach = (kernel_size - 1) * dilation + 1
    if padding > (reach // 2 if reach > 0 else -(-reach // 2)):
        raise RuntimeError(
            f"pad should be at most half of effective kernel size, but got pad={padding}, kernel_size={kernel_size} and "
            f"dilation={dilation}"
        )
    count = (size + 2 * padding - reach + (stride - 1 if ceil_mode else 0)) // stride + 1
    return count - 1 if ceil_mode and (count - 1) * stride >= size + padding else count


def frozen(given):
    """Numbers as a key has them."""
    return tuple(given) if type(given) is list else given


def pooled_sizes(shape, windows, ceil_mode):
    """The positions of the result, after what PyTorch checks of every pooling by windows of one size."""
    kernel_size, stride, _, dilation = windows
    count = len(kernel_size)
    sizes = tuple(shape[len(shape) - count :])
    found = tuple(window_count(*each, ceil_mode) for each in zip(sizes, *windows, strict=True))
    for word, letter, values in (("kernel size", "k", kernel_size), ("stride", "d", stride), ("dilation", "dilation", dilation)):
        if min(values) <= 0:
            got = " ".join(f"{letter}{axis}: {value}" for axis, value in zip(AXES[count], values, strict=True))
            raise RuntimeError(f"{word} should be greater than zero, but got {got}")
    return found


def require_output(shape, found):
    """Refuses a result without positions."""
    if min(found) < 1:
        count = len(found)
        planes = shape[len(shape) - count - 1]
        before, after = "x".join(map(str, shape[len(shape) - count :])), "x".join(map(str, found))
        raise RuntimeError(
            f"Given input size: ({planes}x{before}). Calculated output size: ({planes}x{after}). Output size is too small"
        )


def require_positions(name, shape, count):
    """Refuses a tensor without planes or positions; a batch may be empty."""
    if count == 2:
        if len(shape) not in (3, 4) or 0 in shape[len(shape) - 3 :]:
            raise RuntimeError(
                f"Expected 3D or 4D (batch mode) tensor with optional 0 dim batch size for input, but got:{list(shape)}"
            )
        return
    if 0 in shape[len(shape) - 4 :]:
        # (PyTorch's text has 0 for the dimension, whichever it is.)
        raise RuntimeError(
            f"{name}: Expected input's non-batch dimensions to have positive length, but input has a shape of {list(shape)} and "
            "non-batch dimension 0 has length zero!"
        )


def format_of(x, count):
    """The memory format that the result of a pooling over `count` dimensions shares with `x`."""
    return suggested_format(x) if x.dim() == count + 2 and count > 1 else torch.contiguous_format


def loop_dtype(x):
    """What the kernels compute in: halves are widened, integers are int64."""
    dtype = x.dtype
    if dtype.is_floating_point:
        return torch.float32 if dtype.itemsize == 2 else dtype
    return torch.int64


def run_pooling(name, x, size, windows, format, *more, indices=True, arrays=()):
    """A kernel of kernels/pooling.cpp: the result, with the indices where there are any."""
    count, dtype = len(size), loop_dtype(x)
    if x.dim() not in (count + 1, count + 2) or 0 in x.shape[x.dim() - count :]:
        raise RuntimeError(f"{name}: there are no windows of {count} dimensions in an input of shape {list(x.shape)}")
    shape = (*x.shape[: x.dim() - count], *size)
    out = torch.empty(shape, dtype=dtype, memory_format=format)
    where = (torch.empty(shape, dtype=torch.int64, memory_format=format),) if indices else ()
    if out.numel():
        given = x.to(dtype).contiguous(memory_format=format)
        kernel(name)(out, *where, given, *arrays, *kernel_numbers(windows, format), *more)
    out = out.to(x.dtype)
    return (out, *where) if indices else out


def prepared_pooling(name, x, size, windows, format, *more, indices=True):
    """run_pooling as core.Prepared has it, where the kernel reads `x` as it is."""
    count, dtype = len(size), x.dtype
    if dtype is not loop_dtype(x) or x.dim() not in (count + 1, count + 2) or not x.is_contiguous(memory_format=format):
        return None
    shape = (*x.shape[: x.dim() - count], *size)
    if not x.numel() or 0 in shape:
        return None
    made = {"out": unmade(shape, dtype, format)} | ({"indices": unmade(shape, torch.int64, format)} if indices else {})
    numbers = (*kernel_numbers(windows, format), *more)
    return Preparation(made, tuple(made) if indices else "out", (kernel(name), (*made, "x"), numbers))


def kernel_numbers(windows, format):
    """Dimensions, layout and windows as the kernels read them."""
    return (
        len(windows[0]),
        int(format is not torch.contiguous_format),
        *(number for dim in zip(*windows, strict=True) for number in dim),
    )


def adaptive(count):
    """Windows that share out each dimension."""
    return (0,) * count, (1,) * count, (0,) * count, (1,) * count


# ---- the largest number ---------------------------------------------------------------------------------------------------


def scattered(g, x, indices, size):
    """The cotangent of each window at the position that was the largest."""
    count = len(size)
    lead, positions = x.shape[: x.dim() - count], math.prod(x.shape[x.dim() - count :])
    zeros = torch.zeros((*lead, positions), dtype=g.dtype)
    made = zeros.scatter_add(-1, indices.flatten(-count), g.flatten(-count)).reshape(x.shape)
    return tracked_with(made.contiguous(memory_format=format_of(indices, count)), x)


def scattered_prepared(g, x, indices, size):
    format, dtype = format_of(indices, len(size)), x.dtype
    fits = dtype is loop_dtype(x) and dtype is g.dtype and indices.dtype is torch.int64 and g.shape == indices.shape
    if not fits or not x.numel() or not all(given.is_contiguous(memory_format=format) for given in (g, indices)):
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


def max_pool_prepared(x, size, *windows):
    return prepared_pooling("max_pool", x, size, windows, format_of(x, len(size)))


@op(**maximum("MaxPool{}DWithIndicesBackward0"), prepare=max_pool_prepared)
def _max_pool(x, size, kernel_size, stride, padding, dilation):
    """The largest number of each window, and its position in the plane."""
    check_maximum(x, len(size))
    return run_pooling("max_pool", x, size, (kernel_size, stride, padding, dilation), format_of(x, len(size)))


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


def into(name, out, made):
    """What a composition returns, or what `out=` of it becomes."""
    if out is None:
        return made
    if isinstance(made, tuple):
        return tuple(written_out(name, *pair) for pair in zip(out, made, strict=True))
    return written_out(name, out, made)


def require_dims(name, x):
    """Refuses what has other dimensions than [N, C, L] or [C, L]."""
    if x.dim() not in (2, 3):
        raise RuntimeError(
            f"Expected 2 to 3 dimensions, but got {x.dim()}-dimensional tensor for argument #1 'self' (while checking arguments for {name})"
        )


def one_int(function, name, value):
    """The number of a parameter for one dimension; None where an omitted stride is."""
    values = list(value) if isinstance(value, tuple | list) else [] if value is None else [value]
    if len(values) != 1 and (name != "stride" or values):
        raise RuntimeError(f"{function}() argument '{name}' should contain one int (got {len(values)})")
    return int(values[0]) if values else None


def adaptive_max_pool_prepared(x, size):
    count = len(size)
    if not x.is_floating_point():
        return None
    format = format_of(x, count) if count == 2 else torch.contiguous_format
    return prepared_pooling("max_pool", x, size, adaptive(count), format)


@op(**maximum("AdaptiveMaxPool{}DBackward0"), prepare=adaptive_max_pool_prepared)
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


def require_lengths(name, shape, first):
    """Refuses a tensor that has nothing along a dimension from `first` on."""
    for place in range(first, len(shape)):
        if shape[place] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes {list(shape)} with "
                f"dimension {place} being empty"
            )


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
    kernel_size, size = (per_dimension(*each) for each in zip((kernel_size, output_size), (count, count), texts, strict=True))
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
        if wanted + k - 1 > given:
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
    format, dtype = mean_format(x, len(size)), loop_dtype(g)
    made = torch.empty(x.shape, dtype=dtype, memory_format=format)
    if made.numel():
        given = g.to(dtype).contiguous(memory_format=format)
        kernel("avg_pool_gradient")(made, given, *kernel_numbers(windows, format), counts_padding, divisor)
    return made.to(x.dtype)


def prepared_mean_gradient(g, x, size, windows, counts_padding, divisor):
    """run_mean_gradient as core.Prepared has it."""
    format, dtype = mean_format(x, len(size)), x.dtype
    if dtype is not loop_dtype(x) or dtype is not g.dtype or not x.numel() or not g.is_contiguous(memory_format=format):
        return None
    numbers = *kernel_numbers(windows, format), counts_padding, divisor
    return Preparation({"made": unmade(x.shape, dtype, format)}, "made", (kernel("avg_pool_gradient"), ("made", "g"), numbers))


def mean_format(x, count):
    """Means over three dimensions are row-major."""
    return format_of(x, count) if count == 2 else torch.contiguous_format


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
