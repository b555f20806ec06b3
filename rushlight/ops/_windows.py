"""Windows of positions, which poolings go by: read and checked, and a kernel that runs over them."""

import rushlight as torch
from rushlight.core import Preparation, written_out
from rushlight.ops._declare import kernel
from rushlight.ops.conversion import suggested_format, unmade

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


def of_each_dimension(given, count, text):
    """per_dimension for what takes no sequence of one number."""
    if isinstance(given, tuple | list) and len(given) != count:
        raise RuntimeError(text)
    return per_dimension(given, count, text)


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


def require_cotangent(g, x, size):
    """Refuses what is no cotangent of a result with the positions `size` of windows over `x`: kernels go by its shape."""
    count = len(size)
    if x.dim() not in (count + 1, count + 2) or g.shape != (*x.shape[: x.dim() - count], *size):
        raise RuntimeError(f"windows over {list(x.shape)} at {list(size)} positions have no cotangent of shape {list(g.shape)}")


def require_full_cotangent(name, g, size):
    """Refuses the cotangent of a pooling that has no positions, or planes."""
    for place in range(1, g.dim()):
        if not g.shape[place]:
            raise RuntimeError(
                f"{name}{len(size)}d_backward(): Expected grad_output to have non-zero size for non-batch dimensions, but grad_output has "
                f"sizes {list(g.shape)} with dimension {place} being empty"
            )


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


def require_lengths(name, shape, first):
    """Refuses a tensor that has nothing along a dimension from `first` on."""
    for place in range(first, len(shape)):
        if shape[place] == 0:
            raise RuntimeError(
                f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes {list(shape)} with "
                f"dimension {place} being empty"
            )


def mean_format(x, count):
    """Means over three dimensions are row-major."""
    return format_of(x, count) if count == 2 else torch.contiguous_format
