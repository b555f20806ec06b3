"""Sampling at places that a grid says, and grids that affine maps make."""

import rushlight as torch
from rushlight.core import empty_tensor
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._rules import not_implemented
from rushlight.ops.steps import tracked_with


def loop_dtype(x):
    return torch.float32 if x.dtype.itemsize == 2 else x.dtype


# ---- the rules, in public ops ---------------------------------------------------------------------------------------------


def placed(x, size, edges, corners):
    """The places within a line that `edges` make of some that leave it, and by what they move with them: 1, -1 or 0."""
    y, slope = x, torch.ones_like(x)
    if edges == 2:
        low, span = (0.0, size - 1) if corners else (-0.5, size)
        if span <= 0:
            return torch.zeros_like(x), torch.zeros_like(x)
        slope, y = torch.where(x < low, -slope, slope), (x - low).abs()
        odd, rest = (y / span).floor().fmod(2) != 0, y.fmod(span)
        slope, y = torch.where(odd, -slope, slope), torch.where(odd, span - rest, rest) + low
    if edges:
        slope, y = torch.where((y > 0) & (y < size - 1), slope, 0), torch.where(y > 0, y, 0).clamp(max=size - 1)
    return y, slope


def line_taps(coordinate, size, mode, edges, corners):
    """(positions, weights, how weights move with the coordinate) of each tap of one dimension."""
    slope = (size - 1) / 2 if corners else size / 2
    x = (coordinate + 1) * slope - (0 if corners else 0.5)
    if mode != 2:
        place, sign = placed(x.detach(), size, edges, corners)
        x, slope = x * sign + (place - x.detach() * sign), sign * slope
    if mode == 1:
        return [(x.detach().round(), torch.ones_like(x), torch.zeros_like(x))]
    low = x.detach().floor()
    t = x - low
    if mode == 0:
        return [(low, 1 - t, -slope), (low + 1, t, slope)]
    a, taps = -0.75, []
    for k, distance in enumerate((t + 1, t, 1 - t, 2 - t)):
        d, sign = distance, slope if k < 2 else -slope
        if k in (1, 2):
            weight, moves = ((a + 2) * d - (a + 3)) * d * d + 1, (3 * (a + 2) * d - 2 * (a + 3)) * d
        else:
            weight, moves = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a, (3 * a * d - 10 * a) * d + 8 * a
        taps.append((placed(low - 1 + k, size, edges, corners)[0], weight, sign * moves))
    return taps


def taps_of(grid, sizes, mode, edges, corners):
    """(positions in a plane, weights, how they move with each coordinate), [N, places], of each tap."""
    found = [(0, 1, ())]
    for place, size in enumerate(sizes):
        coordinate = grid[..., len(sizes) - 1 - place].flatten(1)
        lines, combined = line_taps(coordinate, size, mode, edges, corners), []
        for at, weight, moves in lines:
            inside = (at >= 0) & (at <= size - 1)
            position = torch.where(inside, at, 0).to(torch.int64)
            weight, moves = torch.where(inside, weight, 0), torch.where(inside, moves, 0)
            for before, other, slopes in found:
                slopes = [each * weight for each in slopes]
                combined.append((before * size + position, other * weight, [other * moves, *slopes]))
        found = combined
    return found


def taken(x, at):
    """The numbers [N, C, places] at positions [N, places] of planes."""
    return x.flatten(2).gather(2, at.unsqueeze(1).expand(-1, x.shape[1], -1))


def grid_sample_vjp(g, x, grid, mode, edges, corners, wanted):
    dx, along, places = torch.zeros_like(x).flatten(2), 0, g.flatten(2)
    for at, weight, slopes in taps_of(grid, x.shape[2:], mode, edges, corners):
        if wanted[0]:
            dx = dx.scatter_add(2, at.unsqueeze(1).expand(places.shape), places * weight.unsqueeze(1))
        if wanted[1]:
            along = along + torch.stack(slopes, -1) * (places * taken(x, at)).sum(1).unsqueeze(-1)
    dx = tracked_with(dx.reshape(x.shape), x, grid) if wanted[0] else None
    return dx, tracked_with(along.reshape(grid.shape), x, grid) if wanted[1] else None


def grid_sample_fused(g, x, grid, mode, edges, corners, wanted):
    dtype = loop_dtype(x)
    made = [empty_tensor(each.shape, dtype) if is_wanted else None for each, is_wanted in zip((x, grid), wanted, strict=True)]
    given = [each.to(dtype).contiguous() for each in (g, x, grid)]
    kernel("grid_sample_gradient")(*made, *given, mode, edges, int(corners))
    return tuple(None if each is None else each.to(x.dtype) for each in made)


def grid_sample_jvp(x_t, grid_t, x, grid, mode, edges, corners):
    total = 0
    for at, weight, slopes in taps_of(grid, x.shape[2:], mode, edges, corners):
        if x_t is not None:
            total = total + taken(x_t, at) * weight.unsqueeze(1)
        if grid_t is not None:
            moved = (torch.stack(slopes, -1) * grid_t.flatten(1, -2)).sum(-1)
            total = total + taken(x, at) * moved.unsqueeze(1)
    return total.reshape(x.shape[0], x.shape[1], *grid.shape[1:-1])


@op(
    joint=grid_sample_vjp,
    fused=grid_sample_fused,
    gradient=True,
    inputs=("x", "grid"),
    jvp=grid_sample_jvp,
    name=("GridSampler2DBackward0", "GridSampler3DBackward0"),
    variant=lambda x, *rest: x.dim() - 4,
    function=False,
    method=False,
    out=False,
    batch="pooling.sampled",
)
def _grid_sample(x, grid, mode, edges, corners):
    """`x` at the places that `grid` says."""
    dtype = loop_dtype(x)
    made = empty_tensor((x.shape[0], x.shape[1], *grid.shape[1:-1]), dtype)
    if made.numel():
        kernel("grid_sample")(made, x.to(dtype).contiguous(), grid.to(dtype).contiguous(), mode, edges, int(corners))
    return made.to(x.dtype)


# ---- the functions --------------------------------------------------------------------------------------------------------


def check_sampling(x, grid, count, mode):
    """What PyTorch checks of every sampling."""
    given = f"but got input with sizes {list(x.shape)} and grid with sizes {list(grid.shape)}"
    if x.size(0) != grid.size(0):
        raise RuntimeError(f"grid_sampler(): expected grid and input to have same batch size, {given}")
    if grid.shape[-1] != x.dim() - 2:
        raise RuntimeError(
            f"grid_sampler(): expected grid to have size {x.dim() - 2} in last dimension, but got grid with sizes {list(grid.shape)}"
        )
    for place in range(2, x.dim()):
        if x.shape[place] == 0:
            raise RuntimeError(
                f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(x.shape)} with dimension "
                f"{place} being empty"
            )
    if x.dim() not in (4, 5) or x.dim() != grid.dim():
        expected = f"{x.dim()}D" if x.dim() in (4, 5) else "4D or 5D"
        raise RuntimeError(f"grid_sampler(): expected {expected} input and grid with same number of dimensions, {given}")
    if count is not None and x.dim() != count + 2:
        raise RuntimeError(f"grid_sampler(): expected {count + 2}D input and grid with same number of dimensions, {given}")
    if x.dim() == 5 and mode == 2:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")


def sample(x, grid, count, mode, edges, corners):
    check_sampling(x, grid, count, mode)
    if not x.is_floating_point():
        raise not_implemented("grid_sampler_2d_cpu_kernel_impl" if x.dim() == 4 else "grid_sampler3d_cpu", x.dtype)
    if x.dtype is not grid.dtype:
        raise RuntimeError(f"expected scalar type {x.dtype.legacy_name} but found {grid.dtype.legacy_name}")
    if mode not in (0, 1, 2) or edges not in (0, 1, 2):
        raise RuntimeError(f"grid_sampler(): there is no interpolation mode {mode} with padding mode {edges}")
    return _grid_sample(x, grid, mode, edges, bool(corners))


SIGNATURE = "Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners"


@composite(method=False, signature=SIGNATURE)
def grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners):
    """`input` [N, C, positions…] at the places that `grid` [N, places…, dimensions] says, in coordinates from -1 to 1.

    Modes are 0 (linear), 1 (nearest) and 2 (cubic); what is outside is 0 (zeros), 1 (the border) or 2 (a reflection).
    """
    return sample(input, grid, None, interpolation_mode, padding_mode, align_corners)


@composite(method=False, signature=SIGNATURE)
def grid_sampler_2d(input, grid, interpolation_mode, padding_mode, align_corners):
    """grid_sampler of planes."""
    return sample(input, grid, 2, interpolation_mode, padding_mode, align_corners)


@composite(method=False, signature=SIGNATURE)
def _grid_sampler_2d_cpu_fallback(input, grid, interpolation_mode, padding_mode, align_corners):
    """grid_sampler of planes, which takes tensors of any size as it is."""
    return sample(input, grid, 2, interpolation_mode, padding_mode, align_corners)


@composite(method=False, signature=SIGNATURE)
def grid_sampler_3d(input, grid, interpolation_mode, padding_mode, align_corners):
    """grid_sampler of volumes."""
    return sample(input, grid, 3, interpolation_mode, padding_mode, align_corners)


# ---- affine maps ----------------------------------------------------------------------------------------------------------


def base_grid(size, corners, dtype):
    """The places of a grid [positions, coordinates and 1] that the identity makes: the last dimension's coordinate first."""
    lines = []
    for length in reversed(size):
        line = torch.linspace(-1, 1, length, dtype=dtype) if length > 1 else torch.zeros(length, dtype=dtype)
        lines.append(line if corners or length <= 1 else line * (length - 1) / length)
    count = len(size)
    columns = [
        line.view(*(-1 if d == count - 1 - place else 1 for d in range(count))).expand(size) for place, line in enumerate(lines)
    ]
    return torch.stack([*columns, torch.ones(size, dtype=dtype)], -1).reshape(-1, count + 1)


@op(
    vjp=lambda g, size, align_corners: (base_grid(size[2:], align_corners, g.dtype).mT @ g.flatten(1, -2)).mT,
    linear=True,
    method=False,
    out=False,
    signature="Tensor theta, ints size, bool align_corners",
    batch="pooling.affine",
)
def affine_grid_generator(theta, size, align_corners):
    """The places that affine maps `theta` [N, dimensions, dimensions + 1] move those of a grid of `size` (N, C, positions…) to."""
    size = tuple(size)
    if size[0] != theta.shape[0]:
        columns = theta.shape[2]
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{size[0]}, {columns}] but got: [{theta.shape[0]}, {columns}]."
        )
    places = base_grid(size[2:], align_corners, theta.dtype) @ theta.mT
    return places.reshape(theta.shape[0], *size[2:], theta.shape[1])
