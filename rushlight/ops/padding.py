"""Tensors with more at their edges: a constant, or copies of what is there."""

import functools

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite, kernel, op, prepared
from rushlight.ops.conversion import unmade
from rushlight.ops.joining import joined_format
from rushlight.ops.steps import depending_on


def check_constant_padding(x, pad):
    if len(pad) % 2:
        raise RuntimeError(f"Length of pad must be even but instead it equals {len(pad)}")
    if len(pad) > 2 * x.dim():
        raise RuntimeError(
            f"Length of pad should be no more than twice the number of dimensions of the input. Pad length is {len(pad)}while the "
            f"input has {x.dim()}dimensions."
        )


def padded_shape(x, pad):
    shape = list(x.shape)
    for place in range(len(pad) // 2):
        shape[x.dim() - 1 - place] += pad[2 * place] + pad[2 * place + 1]
    return tuple(shape)


def pad_numbers(x, pad, mode, value, format):
    """What the kernels of padding get: for each padded dimension, the first one first, how much more it has before and after."""
    pairs = [number for place in range(len(pad) - 2, -1, -2) for number in pad[place : place + 2]]
    return (len(pad) // 2, format is not torch.contiguous_format, MODES.index(mode), float(value), *pairs)


MODES = ("constant", "reflect", "replicate", "circular")


def prepared_padding(x, pad, mode, value=0):
    """How the kernel makes `x` with more at its edges; None where it does not."""
    format, shape, dims = joined_format([x]), padded_shape(x, pad), len(pad) // 2
    if not 0 < dims <= min(3, x.dim()) or 0 in x.shape or min(shape) < 1 or not x.is_contiguous(memory_format=format):
        return None
    if format is not torch.contiguous_format and (mode == "circular" or dims > x.dim() - 2):
        return None
    run = kernel("pad"), ("made", "x"), pad_numbers(x, pad, mode, value, format)
    return core.Preparation({"made": unmade(shape, x.dtype, format)}, "made", run)


def constant_pad_prepared(x, pad, value=0):
    check_constant_padding(x, pad)
    plain = type(value) in (int, float) and (value == 0 or x.dtype in (torch.float32, torch.float64))
    return (
        prepared_padding(x, pad, "constant", value) if plain and max(x.shape, default=0) + max(pad, default=0) < 1 << 62 else None
    )


@op(
    vjp=lambda g, pad: torch.constant_pad_nd(g, [-n for n in pad], 0),
    jvp=lambda x_t, pad: torch.constant_pad_nd(x_t, pad, 0),
    method=False,
    batch="rearranging.pad",
    prepare=constant_pad_prepared,
    signature="Tensor input, sizes pad, Number value=0",
)
def constant_pad_nd(x, pad, value=0):
    """`x` with `value` around it: pad = (before, after) for the last dimension, then the one before it, …; negative numbers cut off.

    >>> import rushlight
    >>> rushlight.constant_pad_nd(rushlight.tensor([1, 2]), (1, 2))
    tensor([0, 1, 2, 0, 0])
    """
    check_constant_padding(x, pad)
    shape, kept = list(x.shape), x
    windows = []
    for place in range(len(pad) // 2):
        d, before, after = x.dim() - 1 - place, pad[2 * place], pad[2 * place + 1]
        shape[d] += before + after
        cut = max(0, -before), max(0, -after)
        kept = kept.narrow(d, cut[0], kept.shape[d] - sum(cut))
        windows.append((d, max(0, before), kept.shape[d]))
    if max(shape, default=0) >= 1 << 63:
        raise RuntimeError(f"Storage size calculation overflowed with sizes={shape}")
    if all(n <= 0 for n in pad):
        return kept.clone(memory_format=joined_format([x]))
    out = torch.full(shape, value, dtype=x.dtype) if value else torch.zeros(shape, dtype=x.dtype)
    out = out.contiguous(memory_format=joined_format([x]))
    inside = out
    for d, start, length in windows:
        inside = inside.narrow(d, start, length)
    inside.copy_(kept)
    return out


# ---------------------------------------------------------------------------------------------------------- copies of the edges
def reflected(size, before, after):
    """The places of a line continued as in a mirror, which the edge lies on."""
    places = torch.arange(-before, size + after).abs()
    return size - 1 - (size - 1 - places).abs()


def replicated(size, before, after):
    """The places of a line whose ends are repeated."""
    return torch.arange(-before, size + after).clamp(0, max(size - 1, 0))


def wrapped_around(size, before, after):
    """The places of a line, cut by negative numbers first, that starts again where it ends."""
    low, high = max(0, -before), size - max(0, -after)
    return torch.arange(-before, size + after).sub(low).remainder(max(high - low, 1)).add(low)


PLACES = {"reflect": reflected, "replicate": replicated, "circular": wrapped_around}
KIND = {"reflect": "reflection", "replicate": "replication", "circular": "circular"}


def edges(x, pad, mode):
    """(dimension, where each element of the result comes from), for each padded dimension."""
    for place in range(len(pad) // 2):
        d = x.dim() - 1 - place
        yield d, PLACES[mode](x.shape[d], pad[2 * place], pad[2 * place + 1])


def edge_gradient(g, x, pad, mode):
    """Each element's cotangents are summed where the element came from."""
    for d, places in edges(x, pad, mode):
        shape = (*g.shape[:d], x.shape[d], *g.shape[d + 1 :])
        g = torch.zeros(shape, dtype=g.dtype).index_add(d, places, g)
    return g if mode == "circular" else depending_on(g.contiguous(memory_format=joined_format([x])), x)


def edge_gradient_prepared(g, x, pad, mode):
    format = torch.contiguous_format if mode == "circular" else joined_format([x])
    plain = g.dtype in (torch.float32, torch.float64) and g.dtype is x.dtype and g.is_contiguous(memory_format=format)
    # (A volume without a batch may lie as planes with one: its first padded dimension is where channels are.)
    if not plain or not g.numel() or not x.numel() or (format is not torch.contiguous_format and len(pad) // 2 > x.dim() - 2):
        return None
    run = kernel("pad_gradient"), ("made", "g"), pad_numbers(x, pad, mode, 0, format)
    return core.Preparation({"made": unmade(x.shape, x.dtype, format)}, "made", run)


@op(
    vjp=edge_gradient,
    fused=prepared(edge_gradient_prepared)(edge_gradient),
    linear=True,
    gradient=True,
    prepare=prepared_padding,
    name=tuple(
        f"{kind.capitalize()}Pad{dims}DBackward0" if kind != "circular" else "CircularPadBackward0"
        for kind in KIND.values()
        for dims in (1, 2, 3)
    ),
    variant=lambda x, pad, mode: 3 * list(KIND).index(mode) + len(pad) // 2 - 1,
    function=False,
    method=False,
    out=False,
    batch="rearranging.pad",
)
def _pad_edges(x, pad, mode):
    """`x` continued beyond its edges by its own elements."""
    out = x
    for d, places in edges(x, pad, mode):
        out = out.index_select(d, places)
    return out.contiguous(memory_format=torch.contiguous_format if mode == "circular" else joined_format([x]))


UNSUPPORTED = (
    "Supported combinations for non-constant padding:\n"
    "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
    "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
    "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
)


def unfit(dims, shape):
    return (
        f"Expected {dims + 1}D or {dims + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but "
        f"got: {list(shape)}"
    )


@functools.lru_cache(1024)
def check_edges(shape, pad, mode, is_bool):
    dims, ndim = len(pad) // 2, len(shape)
    if dims not in (1, 2, 3) or ndim not in (dims + 1, dims + 2):
        raise NotImplementedError(f"Padding size {len(pad)} is not supported for {ndim}D input tensor.\n{UNSUPPORTED}")
    if mode != "circular" and 0 in shape[ndim - dims - 1 :]:
        raise RuntimeError(unfit(dims, shape))
    for place in range(dims):
        d, before, after = ndim - 1 - place, pad[2 * place], pad[2 * place + 1]
        size = shape[d]
        if mode == "reflect" and (before >= size or after >= size):
            raise RuntimeError(
                f"Argument #{4 + 2 * place}: Padding size should be less than the corresponding input dimension, but got: padding "
                f"({before}, {after}) at dimension {d} of input {list(shape)}"
            )
        if mode == "circular" and (before > size or after > size):
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if mode == "circular" and size + before + after < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
    sizes = [size + pad[2 * place] + pad[2 * place + 1] for place, size in enumerate(reversed(shape[ndim - dims :]))]
    if mode != "circular" and min(sizes) < 1:
        given, made = (
            [f"{letter}: {size}" for letter, size in zip("DHW"[-dims:], all_)] for all_ in (shape[ndim - dims :], sizes[::-1])
        )
        given = " ".join(given[:-2] + [", ".join(given[-2:])]) + " " * (mode == "replicate" and dims == 2)
        raise RuntimeError(f"input ({given}) is too small. Calculated output {' '.join(made)}")
    if mode != "circular" and is_bool:
        raise NotImplementedError(f"\"{KIND[mode]}_pad{dims}d\" not implemented for 'Bool'")


def pads(mode, dims):
    """A function of PyTorch's that pads `dims` dimensions in one of the modes."""
    name = f"{KIND[mode]}_pad{dims}d"

    def padded(input, padding):
        if len(padding) != 2 * dims:
            given = f", but got: {len(padding)}" if mode == "reflect" else ""
            raise RuntimeError(f"padding size is expected to be {2 * dims}{given}")
        if input.dim() not in (dims + 1, dims + 2):
            raise RuntimeError(unfit(dims, input.shape))
        check_edges(input.shape, tuple(padding), mode, input.dtype is torch.bool)
        return _pad_edges(input, tuple(padding), mode)

    padded.__doc__ = f"nn.functional.pad with the mode {mode!r}."
    padded.__name__ = padded.__qualname__ = name
    composite(namespace="nn", method=False, signature="Tensor input, ints padding")(padded)


for _mode in ("reflect", "replicate"):
    for _dims in (1, 2, 3):
        pads(_mode, _dims)

check_pad = core.Parser("pad", "Tensor input, sizes pad, str mode=constant, float? value=None")


def pad(input, pad, mode="constant", value=None):
    """`input` with more at its edges: `pad` = (before, after) for the last dimension, then the one before it, …

    `mode` is "constant" (filled with `value`, 0 by default), "reflect", "replicate" or "circular"; negative numbers cut off.

    >>> import rushlight as torch
    >>> torch.nn.functional.pad(torch.tensor([[1., 2., 3.]]), (1, 1), "reflect")
    tensor([[2., 1., 2., 3., 2.]])
    """
    check_pad(input, pad, mode, value)
    pad = tuple(map(int, pad))
    if len(pad) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pad) > 2 * input.dim():
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pad)} and input of dimension {input.dim()}"
        )
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in PLACES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    check_edges(input.shape, pad, mode, input.dtype is torch.bool)
    return _pad_edges(input, pad, mode)


# ---------------------------------------------------------------------------------------------------------- channels and positions
def in_format_of(x, out):
    """`out`, laid out channels last where `x` is."""
    format = joined_format((x,))
    return out.contiguous() if format is torch.contiguous_format else out.clone(memory_format=format)


def require_channels(name, x, factor, which):
    if x.dim() < 3:
        raise RuntimeError(f"{name} expects input to have at least 3 dimensions, but got input with {x.dim()} dimension(s)")
    if factor <= 0:
        raise RuntimeError(f"{name} expects a positive {which}, but got {factor}")


@op(
    vjp=lambda g, upscale_factor: torch.pixel_unshuffle(g, upscale_factor),
    linear=True,
    method=False,
    out=False,
    batch="rearranging.pixels",
)
def pixel_shuffle(x, upscale_factor):
    """[…, C r², H, W] as […, C, H r, W r], where `upscale_factor` is r (Shi et al. 2016).

    >>> import rushlight
    >>> rushlight.pixel_shuffle(rushlight.arange(4).view(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    r = upscale_factor
    require_channels("pixel_shuffle", x, r, "upscale_factor")
    *batch, channels, height, width = x.shape
    if channels % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
            f"input.size(-3)={channels} is not divisible by {r * r}"
        )
    n = len(batch)
    split = x.reshape(*batch, channels // (r * r), r, r, height, width).permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return in_format_of(x, split.reshape(*batch, channels // (r * r), height * r, width * r))


@op(
    vjp=lambda g, downscale_factor: torch.pixel_shuffle(g, downscale_factor),
    linear=True,
    method=False,
    out=False,
    batch="rearranging.pixels",
)
def pixel_unshuffle(x, downscale_factor):
    """[…, C, H r, W r] as […, C r², H, W]: undoes `pixel_shuffle`.

    >>> import rushlight
    >>> rushlight.pixel_unshuffle(rushlight.arange(4).view(1, 2, 2), 2).flatten()
    tensor([0, 1, 2, 3])
    """
    r = downscale_factor
    require_channels("pixel_unshuffle", x, r, "downscale_factor")
    *batch, channels, height, width = x.shape
    for name, size, place in (("height", height, -2), ("width", width, -1)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({place})={size} is not divisible by {r}"
            )
    n = len(batch)
    split = x.reshape(*batch, channels, height // r, r, width // r, r).permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return in_format_of(x, split.reshape(*batch, channels * r * r, height // r, width // r))


def check_shuffle(x, groups):
    if x.dim() <= 2:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(x.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if x.shape[1] % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {x.shape[1]} channels and {groups} groups.")


def shuffled(x, groups):
    """The channels of `groups` in turn."""
    check_shuffle(x, groups)
    shape = x.shape
    split = x.reshape(shape[0], groups, shape[1] // groups, *shape[2:]).transpose(1, 2)
    return in_format_of(x, split.reshape(shape))


@op(
    vjp=lambda g, groups: torch.channel_shuffle(g, max(g.shape[1] // groups, 1)),
    linear=True,
    method=False,
    out=False,
    signature="Tensor input, index groups",
    batch="elementwise.composed",
)
def channel_shuffle(x, groups):
    """The first channel of each of `groups`, then the second of each, …: [N, C, *] (Zhang et al. 2018).

    >>> import rushlight
    >>> rushlight.channel_shuffle(rushlight.arange(4).view(1, 4, 1), 2).flatten()
    tensor([0, 2, 1, 3])
    """
    return shuffled(x, groups)


@op(
    no_derivative="native_channel_shuffle",
    name="NotImplemented",
    method=False,
    out=False,
    signature="Tensor input, index groups",
    batch="elementwise.composed",
)
def native_channel_shuffle(x, groups):
    """channel_shuffle, without a derivative."""
    return shuffled(x, groups)
