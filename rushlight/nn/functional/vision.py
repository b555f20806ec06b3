"""Grids of positions: other sizes, other places, channels spread over positions."""

import rushlight as torch
from rushlight.core import warn_user
from rushlight.ops import layers

__all__ = [
    "GRID_SAMPLE_INTERPOLATION_MODES",
    "GRID_SAMPLE_PADDING_MODES",
    "affine_grid",
    "grid_sample",
    "interpolate",
    "upsample",
    "upsample_bilinear",
    "upsample_nearest",
]

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
    warn_user(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.")


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """`interpolate`, under its old name, with a warning.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.nn.functional.upsample(torch.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """`interpolate` with mode="nearest", under its old name, with a warning.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.nn.functional.upsample_nearest(torch.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    """`interpolate` with mode="bilinear" and aligned corners, under its old name, with a warning.

    >>> import rushlight as torch
    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     torch.nn.functional.upsample_bilinear(torch.tensor([[[[1.0, 2.0]]]]), size=(1, 3))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


GRID_SAMPLE_INTERPOLATION_MODES = {"bilinear": 0, "nearest": 1, "bicubic": 2}
GRID_SAMPLE_PADDING_MODES = {"zeros": 0, "border": 1, "reflection": 2}


def _corners(align_corners):
    if align_corners is None:
        warn_user(
            "Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0. Please specify align_corners=True "
            "if the old behavior is desired. See the documentation of grid_sample for details."
        )
        return False
    return align_corners


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """`input` (N, C, H, W) at the places of `grid` (N, h, w, 2): (N, C, h, w); or in volumes, (N, C, D, H, W) and (N, d, h, w, 3).

    Args:
        grid: Coordinates, that of the last dimension first; -1 and 1 are the ends of the input.
        mode: "bilinear" (in volumes trilinear), "nearest" or "bicubic" (in planes).
        padding_mode: What is outside: "zeros", the "border" or a "reflection".
        align_corners: Whether -1 and 1 are the first and last positions, rather than their outer edges.

    >>> import rushlight as torch
    >>> x, grid = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]), torch.tensor([[[[0.0, 0.0], [1.0, 1.0]]]])
    >>> torch.nn.functional.grid_sample(x, grid, align_corners=True)
    tensor([[[[2.5000, 4.0000]]]])
    """
    for name, value, known in (
        ("mode", mode, GRID_SAMPLE_INTERPOLATION_MODES),
        ("padding_mode", padding_mode, GRID_SAMPLE_PADDING_MODES),
    ):
        if value not in tuple(known):
            *first, last = map(repr, known)
            raise ValueError(
                f"nn.functional.grid_sample(): expected {name} to be {', '.join(first)}{',' * (name != 'mode')} or {last}, but got: '{value}'"
            )
    modes = GRID_SAMPLE_INTERPOLATION_MODES[mode], GRID_SAMPLE_PADDING_MODES[padding_mode]
    return torch.grid_sampler(input, grid, *modes, _corners(align_corners))


def affine_grid(theta, size, align_corners=None):
    """A grid for `grid_sample` of a result of `size` (N, C, H, W), moved by the affine maps `theta` (N, 2, 3); or (N, C, D, H, W), (N, 3, 4).

    >>> import rushlight as torch
    >>> torch.nn.functional.affine_grid(torch.tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]]), (1, 1, 2, 2), align_corners=True)
    tensor([[[[-1., -1.],
              [ 1., -1.]],
    <BLANKLINE>
             [[-1.,  1.],
              [ 1.,  1.]]]])
    """
    corners = _corners(align_corners)
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    rank = len(size)
    if rank not in (4, 5):
        raise NotImplementedError(
            f"affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. Got size {size}."
        )
    if theta.dim() != 3 or tuple(theta.shape[-2:]) != (rank - 2, rank - 1):
        raise ValueError(
            f"Expected a batch of {rank - 2}D affine matrices of shape Nx{rank - 2}x{rank - 1} for size {size}. Got {theta.shape}."
        )
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {size}")
    if corners and min(size[2:]) == 1:
        warn_user(
            "Since version 1.3.0, affine_grid behavior has changed for unit-size grids when align_corners=True. This is not an intended use "
            "case of affine_grid. See the documentation of affine_grid for details."
        )
    return torch.affine_grid_generator(theta, size, corners)
