"""What a convolution has to be told, and what its result is like: sizes, checks, and how it lies in memory."""

import math

import rushlight as torch
from rushlight.ops._rules import not_implemented, type_text
from rushlight.ops.conversion import channels_last_strides, suggested_format


def for_each_dim(name, given, dims):
    """One number for each of `dims` dimensions, of a number or a list."""
    given = (given,) if isinstance(given, int) else tuple(given)
    if len(given) == 1:
        return given * dims
    if len(given) != dims:
        raise RuntimeError(
            f"expected {name} to be a single integer value or a list of {dims} values to match the convolution dimensions, but got "
            f"{name}={list(given)}"
        )
    return given


def for_dims(dims, stride, padding, dilation, output_padding):
    """The same of all numbers that a convolution has for each dimension."""
    given = ("stride", stride), ("padding", padding), ("dilation", dilation), ("output_padding", output_padding)
    return [for_each_dim(name, numbers, dims) for name, numbers in given]


def result_sizes(sizes, kernel, stride, padding, dilation, transposed, output_padding):
    """The sizes behind the channels."""
    if transposed:
        return tuple(
            (n - 1) * s - 2 * p + d * (k - 1) + o + 1
            for n, k, s, p, d, o in zip(sizes, kernel, stride, padding, dilation, output_padding, strict=True)
        )
    return tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    )


def by_sizes(sizes):
    return f"({' x '.join(map(str, sizes))})"


def check_shapes(x, weight, bias, stride, padding, dilation, transposed, output_padding, groups):
    """Refuses what no convolution has. The numbers are tuples, one for each dimension."""
    if min(dilation) < 0:
        raise RuntimeError("dilation should be greater than zero")
    for text, numbers, least in (
        ("negative padding", padding, 0),
        ("negative output_padding", output_padding, 0),
        ("non-positive stride", stride, 1),
        ("non-positive dilation", dilation, 1),
    ):
        if min(numbers) < least:
            raise RuntimeError(f"{text} is not supported")
    given, sizes, shape = list(weight.shape), x.shape, weight.shape
    if len(shape) != len(sizes):
        raise RuntimeError(
            f"Expected {len(shape)}-dimensional input for {len(shape)}-dimensional weight {given}, but got {len(sizes)}-dimensional input of "
            f"size {list(sizes)} instead"
        )
    if shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, but got weight of size {given} instead"
        )
    if shape[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got weight of size [{given}] instead"
        )
    channels, results = (shape[0], shape[1] * groups) if transposed else (shape[1] * groups, shape[0])
    if sizes[1] != channels:
        raise RuntimeError(
            f"Given {'transposed=1' if transposed else f'groups={groups}'}, weight of size {given}, expected input{list(sizes)} to have "
            f"{channels} channels, but got {sizes[1]} channels instead"
        )
    if bias is not None and (bias.dim() != 1 or bias.shape[0] != results):
        raise RuntimeError(
            f"Given {'transposed=1, ' * transposed}weight of size {given}, expected bias to be 1-dimensional with {results} elements, but got bias of size "
            f"{list(bias.shape)} instead"
        )
    if not transposed:
        padded = [n + 2 * p for n, p in zip(sizes[2:], padding)]
        spread = [d * (k - 1) + 1 for k, d in zip(shape[2:], dilation)]
        if any(map(int.__gt__, spread, padded)):
            raise RuntimeError(
                f"Calculated padded input size per channel: {by_sizes(padded)}. Kernel size: {by_sizes(spread)}. Kernel size can't be greater "
                "than actual input size"
            )


INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
DIMENSIONS = ("depth", "height", "width")


def check_kernel(x, weight, stride, padding, dilation, transposed, output_padding):
    """Refuses what PyTorch's kernels do not compute."""
    kernel, dims = weight.shape[2:], max(2, x.dim() - 2)
    if 0 in kernel:
        named = " ".join(f"kernel_{name}: {k}" for name, k in zip(DIMENSIONS[3 - len(kernel) :], kernel))
        raise RuntimeError(f"kernel size should be greater than zero, but got {named}")
    if transposed and any(o >= s and o >= d for o, s, d in zip(output_padding, stride, dilation)):
        named = " ".join(
            f"{word}_{name}: {number}"
            for word, numbers, missing in (
                ("output_padding", output_padding, 0),
                ("stride", stride, 1),
                ("dilation", dilation, 1),
            )
            for name, number in zip(DIMENSIONS[3 - dims :], (missing,) * (dims - len(numbers)) + numbers)
        )
        raise RuntimeError(f"output padding must be smaller than either stride or dilation, but got {named}")
    dtype, spread = x.dtype, max(dilation) > 1
    if not dtype.is_floating_point and (dtype not in INTEGERS or ((transposed or spread) and dtype is not torch.int64)):
        if transposed:
            raise not_implemented(f"slow_conv_transpose{dims}d_out_cpu", dtype)
        raise not_implemented("slow_conv_dilated<>" if spread else "slow_conv2d_cpu" if dims == 2 else "compute_columns3d", dtype)


def check_types(x, weight, bias):
    """Refuses weights, and biases, of another dtype than the input's."""
    single = x.dtype in (torch.float32, torch.bfloat16)
    for name, given in (("weight", weight), ("bias", bias)):
        if given is None or given.dtype is x.dtype:
            continue
        if single:
            raise RuntimeError(
                f"Input type ({type_text(x)}) and {name} type ({type_text(given)}) should be the same or input should be a MKLDNN tensor and "
                f"{name} is a dense tensor"
            )
        if name == "weight" and x.dtype is not torch.bool:  # (which the kernels lack)
            raise RuntimeError(f"expected scalar type {x.dtype.legacy_name} but found {given.dtype.legacy_name}")


def numbers_of(stride, padding, dilation, groups, transposed):
    """What the kernels ask for: three dimensions, the missing ones in front."""
    missing = 3 - len(stride)
    ones, zeros = (1,) * missing, (0,) * missing
    return (*ones, *stride, *zeros, *padding, *ones, *dilation, groups, transposed)


def laid_out(shape, dtype, x, weight, groups=None):
    """What is known of a tensor that is to be made: laid out channels last where PyTorch's would be, where input or weight is.

    With the `groups` of a convolution, it is its result: a single small volume gives a row-major one.
    """
    dims = len(shape)
    known = dims == 4 or (dims == 5 and dtype is not torch.float64 and dtype.is_floating_point)
    if known and dims == 5 and groups == 1 and x.shape[0] == 1 and dtype is torch.float32:
        known = min(weight.shape[3:]) > 3 or math.prod(x.shape[:4]) > 20480
    if known and any(suggested_format(given) is not torch.contiguous_format for given in (x, weight)):
        return shape, dtype, channels_last_strides(shape)
    return shape, dtype


def is_empty(x):
    """Whether there is nothing to sum up: no sample, or no channel."""
    if x.numel():
        return False
    if x.shape[0] and x.shape[1]:
        raise RuntimeError(f"Only zero batch or zero channel inputs are supported, but got input shape: {list(x.shape)}")
    return True
