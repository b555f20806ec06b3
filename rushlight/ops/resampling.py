"""Interpolation on a grid of another size: one op for all kinds, linear in its input, and its transpose, the gradient."""

import functools

import rushlight as torch
from rushlight.core import Preparation, written_out
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._rules import not_implemented
from rushlight.ops.conversion import suggested_format, unmade

MODES = {
    "nearest": (0, "Nearest"),
    "nearest_exact": (1, "NearestExact"),
    "linear": (2, "Linear"),
    "bilinear": (2, "Bilinear"),
    "trilinear": (2, "Trilinear"),
    "bicubic": (3, "Bicubic"),
    "bilinear_aa": (4, "Bilinear"),
    "bicubic_aa": (5, "Bicubic"),
    "lanczos_aa": (6, "Lanczos"),
}
"""What the kernel calls each kind of interpolation, and what its node is called."""

NODES = [
    (mode, count)
    for mode in MODES
    for count in (1, 2, 3)
    if "nearest" in mode or count == {"linear": 1, "trilinear": 3}.get(mode, 2)
]


def node_names(gradient=""):
    return tuple(f"Upsample{MODES[mode][1]}{count}D{'Aa' * mode.endswith('aa')}Backward{gradient}0" for mode, count in NODES)


def variant_of(mode, sizes):
    return NODES.index((mode, len(sizes)))


def run_resampling(name, out_shape, given, mode, corners, factors, format, dtype):
    """A kernel of kernels/resampling.cpp."""
    made = torch.empty(out_shape, dtype=dtype, memory_format=format)
    if made.numel():
        given = given.to(dtype).contiguous(memory_format=format)
        kernel(name)(made, given, *kernel_numbers(mode, corners, factors, format))
    return made


def kernel_numbers(mode, corners, factors, format):
    layout = int(format is not torch.contiguous_format)
    return len(factors), layout, MODES[mode][0], int(corners), *(float(factor or 0) for factor in factors)


def gradient_format(g, mode):
    """How PyTorch lays out the gradient of an interpolation."""
    return torch.contiguous_format if mode == "bicubic" else suggested_format(g)


def prepared_resampling(name, out_shape, x, mode, corners, factors, format):
    """run_resampling as core.Prepared has it, where the kernel reads `x` as it is."""
    dtype = x.dtype
    if dtype not in (torch.float32, torch.float64) or not x.numel() or 0 in out_shape:
        return None
    if not x.is_contiguous(memory_format=format):
        return None
    run = kernel(name), ("made", "x"), kernel_numbers(mode, corners, factors, format)
    return Preparation({"made": unmade(out_shape, dtype, format)}, "made", run)


def loop_dtype(dtype):
    return torch.float32 if dtype.itemsize <= 2 else dtype


@op(
    vjp=lambda g, mode, sizes, corners, factors: _upsample(g, mode, sizes, corners, factors),
    linear=True,
    name=node_names("Backward"),
    variant=lambda x, mode, sizes, *rest: variant_of(mode, sizes),
    prepare=lambda x, mode, sizes, corners, factors, shape: prepared_resampling(
        "resample_gradient", shape, x, mode, corners, factors, gradient_format(x, mode)
    ),
    function=False,
    method=False,
    out=False,
    batch="pooling.resampled",
)
def _upsample_gradient(x, mode, sizes, corners, factors, shape):
    """The transpose of `_upsample` of a tensor of `shape`."""
    expected = [*shape[:2], *sizes]
    if list(x.shape) != expected or len(shape) != len(sizes) + 2:
        raise RuntimeError(
            f"Expected grad_output to have the same shape as output; output.size({expected}) but got grad_output.size({list(x.shape)})"
        )
    dtype = loop_dtype(x.dtype)
    return run_resampling("resample_gradient", shape, x, mode, corners, factors, gradient_format(x, mode), dtype).to(x.dtype)


def check_resampled(x, mode, sizes):
    refuse_dtype(x, mode, len(sizes))
    if x.dim() != len(sizes) + 2 or 0 in x.shape[2:]:
        raise RuntimeError(f"Non-empty {len(sizes) + 2}D data tensor expected but got a tensor with sizes {list(x.shape)}")


def upsample_prepared(x, mode, sizes, corners, factors):
    check_resampled(x, mode, sizes)
    return prepared_resampling("resample", (*x.shape[:2], *sizes), x, mode, corners, factors, suggested_format(x))


@op(
    vjp=lambda g, x_shape, mode, sizes, corners, factors: _upsample_gradient(g, mode, sizes, corners, factors, tuple(x_shape)),
    linear=True,
    name=node_names(),
    variant=lambda x, mode, sizes, *rest: variant_of(mode, sizes),
    prepare=upsample_prepared,
    function=False,
    method=False,
    out=False,
    batch="pooling.resampled",
)
def _upsample(x, mode, sizes, corners, factors):
    """`x` on a grid of `sizes`; `factors` say by how much it is larger, where the sizes do not."""
    format = suggested_format(x)
    check_resampled(x, mode, sizes)
    shape = (*x.shape[:2], *sizes)
    if x.dtype is torch.uint8 and "nearest" not in mode:
        return run_resampling("resample_bytes", shape, x, mode, corners, factors, format, torch.uint8)
    return run_resampling("resample", shape, x, mode, corners, factors, format, loop_dtype(x.dtype)).to(x.dtype)


def refuse_dtype(x, mode, count):
    """PyTorch's error of a kernel without code for a dtype."""
    smoothed, nearest = mode.endswith("_aa"), "nearest" in mode
    if x.dtype is torch.uint8:
        if nearest or count == 2:
            return
    elif x.is_floating_point() and not (smoothed and x.dtype.itemsize == 2):
        return
    if smoothed:
        name = "compute_index_ranges_weights"
    elif mode == "bicubic":
        name = "compute_indices_weights_cubic"
    elif count == 2:
        name = f"upsample_{'nearest' if nearest else mode}2d_channels_last"
    else:
        name = f"compute_indices_weights_{'nearest' if nearest else 'linear'}"
    raise not_implemented(name, x.dtype)


LETTERS = {1: "W", 2: "HW", 3: "DHW"}


def upsample(name, mode, x, output_size, corners, factors, out):
    if type(output_size) is list:
        output_size = tuple(map(int, output_size))
    if len(factors) == 1 and type(factors[0]) is list:
        factors = (tuple(map(float, factors[0])),)
    made = _upsample(x, mode, *read_sizes(name, x.shape, output_size, bool(corners), tuple(factors)))
    return made if out is None else written_out(name, out, made)


def whole(size):
    """A size, rounded down."""
    if not abs(size) < 2**63:
        raise RuntimeError("value cannot be converted to type int64_t without overflow")
    return int(size)


@functools.lru_cache(1024)
def read_sizes(name, shape, output_size, corners, factors):
    """What PyTorch checks of an interpolation; the sizes that the factors make, where only those are given; corners, factors."""
    count = int(name.removesuffix("_aa")[-2])
    scales = (None,) * count
    if len(factors) == 1 and isinstance(factors[0], tuple):
        if output_size is not None:
            raise RuntimeError("Must specify exactly one of output_size and scale_factors")
        scales = tuple(float(factor) for factor in factors[0])
        sizes = tuple(whole(size * factor) for size, factor in zip(shape[2:], scales, strict=True))
    else:
        if output_size is None:
            raise RuntimeError("Must specify exactly one of output_size and scale_factors")
        sizes = tuple(map(int, output_size))
        if len(factors) == count:
            scales = factors
        if len(sizes) != count:
            raise RuntimeError(f"It is expected output_size equals to {count}, but got size {len(sizes)}")
    if len(shape) != count + 2:
        raise RuntimeError(f"It is expected input_size equals to {count + 2}, but got size {len(shape)}")
    given = tuple(shape[2:])
    if min(given) <= 0 or min(sizes) <= 0:
        before, after = (
            ", ".join(f"{axis}: {size}" for axis, size in zip(LETTERS[count], each, strict=True)) for each in (given, sizes)
        )
        raise RuntimeError(
            f"Input and output sizes should be greater than 0, but got input ({before}) {'and ' * (count == 1)}output ({after})"
        )
    if shape[1] == 0:
        raise RuntimeError(f"Non-empty {count + 2}D data tensor expected but got a tensor with sizes {list(shape)}")
    return sizes, corners, scales


def factors(scales, named):
    """The factors that a call names, in a row or by keywords."""
    if named.get("scale_factors") is not None:
        return (named["scale_factors"],)
    unknown = next((name for name in named if name not in ("scale_factors", *AXES)), None)
    if unknown is not None:
        raise TypeError(f"an interpolation got an unexpected keyword argument '{unknown}'")
    return (*scales, *(named[name] for name in AXES if name in named))


AXES = ("scales_d", "scales_h", "scales_w", "scales")
"""What PyTorch calls the factor of each dimension, and the only one."""


def declare_nearest(name, mode):
    def interpolate(input, output_size, *scales, out=None, **named):
        return upsample(name, mode, input, output_size, False, factors(scales, named), out)

    interpolate.__doc__ = (
        f"`input` on a grid of `output_size`, or larger by a tuple of factors: the {mode.replace('_', ' ')} position's number."
    )
    composite(interpolate, name=name, namespace="nn", method=False, signature=None)


def declare_smooth(name, mode):
    def interpolate(input, output_size, align_corners, *scales, out=None, **named):
        return upsample(name, mode, input, output_size, align_corners, factors(scales, named), out)

    interpolate.__doc__ = f"`input` on a grid of `output_size`, or larger by a tuple of factors: {mode.replace('_aa', ' and smoothed')} interpolation."
    composite(interpolate, name=name, namespace="nn", method=False, signature=None)


for dims in (1, 2, 3):
    declare_nearest(f"upsample_nearest{dims}d", "nearest")
    declare_nearest(f"_upsample_nearest_exact{dims}d", "nearest_exact")
declare_smooth("upsample_linear1d", "linear")
declare_smooth("upsample_trilinear3d", "trilinear")
for mode in ("bilinear", "bicubic"):
    declare_smooth(f"upsample_{mode}2d", mode)
for mode in ("bilinear", "bicubic", "lanczos"):
    declare_smooth(f"_upsample_{mode}2d_aa", f"{mode}_aa")
