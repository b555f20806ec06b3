"""Grids of positions: other sizes, other places, channels spread over positions."""

import warnings

import rushlight as torch
from rushlight.ops import layers

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

INTERPOLATIONS = {
    ("nearest", 3): "upsample_nearest1d",
    ("nearest", 4): "upsample_nearest2d",
    ("nearest", 5): "upsample_nearest3d",
    ("nearest-exact", 3): "_upsample_nearest_exact1d",
    ("nearest-exact", 4): "_upsample_nearest_exact2d",
    ("nearest-exact", 5): "_upsample_nearest_exact3d",
    ("area", 3): "adaptive_avg_pool1d",
    ("area", 4): "adaptive_avg_pool2d",
    ("area", 5): "adaptive_avg_pool3d",
    ("linear", 3): "upsample_linear1d",
    ("bilinear", 4): "upsample_bilinear2d",
    ("trilinear", 5): "upsample_trilinear3d",
    ("bicubic", 4): "upsample_bicubic2d",
}
"""What each mode is for an input of so many dimensions."""

NEEDED = {"linear": 3, "bilinear": 4, "trilinear": 5}


def _per_dimension(input, value, name, word, short):
    """A value for each dimension behind the first two."""
    count = input.dim() - 2
    if not isinstance(value, list | tuple):
        return [value] * count
    if len(value) != count:
        raise ValueError(
            f"Input and {name} must have the same number of spatial dimensions, but got input with spatial dimensions of "
            f"{list(input.shape[2:])} and {word} {value}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            f"{word.split(' of ')[0].removesuffix(' of')} in ({short}1, {short}2, ...,{short}K) format."
        )
    return value


def interpolate(
    input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False
):
    """`input` (N, C, positions…) on a grid of `size`, or of its own size times `scale_factor`.

    Args:
        size: An int, or one for each dimension of positions.
        scale_factor: A number, or one for each dimension of positions; rounded down, sizes follow.
        mode: "nearest", "nearest-exact" or "area" for any number of dimensions; "linear" for one of them, "bilinear" and "bicubic" for two,
            "trilinear" for three; "lanczos" for two, with `antialias`.
        align_corners: Whether the first and last positions of both grids are the same points, rather than their edges.
        recompute_scale_factor: Whether the sizes that `scale_factor` makes say where positions are, instead of itself.
        antialias: Whether what is made smaller is smoothed ("bilinear", "bicubic", "lanczos").

    >>> import rushlight as torch
    >>> torch.nn.functional.interpolate(torch.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
            )
    elif align_corners is None:
        align_corners = False
    rank = input.dim()
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is None and scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = None
    if size is not None:
        size = _per_dimension(input, size, "output", "output size of", "o")
        if isinstance(size, tuple | list) and not all(_is_integer(each) for each in size):
            raise TypeError(
                "expected size to be one of int or Tuple[int] or Tuple[int, int] or Tuple[int, int, int], but got size with types "
                f"{[type(each) for each in size]}"
            )
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    else:
        factors = _per_dimension(input, scale_factor, "scale_factor", "scale_factor of shape", "s")
    if factors is not None and (mode == "area" or recompute_scale_factor):
        size, factors = [int(input.size(d + 2) * factor) for d, factor in enumerate(factors)], None
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and rank == 4):
        raise ValueError(
            "Anti-alias option is restricted to bilinear, bicubic, and lanczos modes and requires a 4-D tensor as input"
        )
    if mode == "lanczos" and rank == 4:
        if align_corners:
            raise ValueError("Lanczos mode does not support align_corners=True")
        if not antialias:
            raise ValueError("Lanczos mode requires antialias=True")
    name = f"_upsample_{mode}2d_aa" if antialias else INTERPOLATIONS.get((mode, rank))
    if name is None:
        if rank in (3, 4, 5) and mode in NEEDED:
            raise NotImplementedError(f"Got {rank}D input, but {mode} mode needs {NEEDED[mode]}D input")
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {rank}D) for the modes: nearest | linear | bilinear | bicubic | "
            f"trilinear | lanczos | area | nearest-exact (got {mode})"
        )
    if mode == "area":
        return getattr(layers, name)(input, size)
    corners = () if align_corners is None else (align_corners,)
    return getattr(layers, name)(input, size, *corners, factors)


def _is_integer(value):
    """Whether a value counts as a whole number: an int, or a tensor of one dtype of integers."""
    if isinstance(value, int):
        return True
    if isinstance(value, torch.Tensor):
        return not (value.dtype.is_floating_point or value.dtype.is_complex)
    return hasattr(value, "__index__")


def _deprecated(name):
    warnings.warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=3)


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """`interpolate`, under its old name."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """`interpolate` with mode="nearest"."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    """`interpolate` with mode="bilinear" and aligned corners."""
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
