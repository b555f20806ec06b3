"""Parts of a tensor: views of them, what sends a cotangent back to one, and writes into one."""

import rushlight as torch
from rushlight import core
from rushlight.core import wrap_dim
from rushlight.ops._declare import composite, kernel, op
from rushlight.ops._rules import warn_of_real_part
from rushlight.ops._views import copying_function, may_overlap, zeros
from rushlight.ops._views import view as shares_memory


@shares_memory(flat="selecting", complex_copies=False, signature="Tensor input, int dim, index index", overload="int")
def select(x, dim, index):
    """One slice of `x` along `dim`, without that dimension."""


@shares_memory(method=False, function=False, complex_copies=False, flat="selecting", overload="Tensor")
def slice(x, dim=0, start=None, end=None, step=1):
    """x[start:end:step] along `dim`."""


@composite(signature="Tensor input, int dim, Tensor|index start, index length")
def narrow(input, dim, start, length):
    """`length` slices of `input` along `dim`, from `start` on."""
    if input.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    size = input.size(dim)
    if isinstance(start, torch.Tensor) and (
        start.ndim or start.is_floating_point() or start.is_complex() or start.dtype is torch.bool
    ):
        raise RuntimeError("start must be an 0-dim integral Tensor.")
    start = int(start)
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [{-size}, {size}], but got {start})")
    first = start + size if start < 0 else start
    if first + length > size:
        raise RuntimeError(f"start ({first}) + length ({length}) exceeds dimension size ({size}).")
    return slice(input, dim, first, first + length, 1)


@shares_memory()
def diagonal(x, offset=0, dim1=0, dim2=1):
    """The diagonal over two dimensions, as the last dimension."""


@shares_memory(
    vjp=lambda g, x_shape, dimension, size, step: unfold_backward(g, x_shape, dimension, size, step),
    function=False,
    method="int dimension, int size, int step",
)
def unfold(x, dimension, size, step):
    """Windows of `size` elements, `step` apart, along `dimension`; the window is the new last dimension."""


# ---------------------------------------------------------------------------------------------------------- any window
@shares_memory(
    vjp=lambda g, x_shape, size, stride, storage_offset, x_stride, x_offset: _as_strided_gradient(
        g, x_shape, x_stride, size, stride, 0 if storage_offset is None else storage_offset - x_offset
    ),
    name=("AsStridedBackward0", "AsStridedBackward1"),
    copies=False,
    function=False,
    method=False,
    batch="views.as_strided",
)
def window(x, size, stride, storage_offset, x_stride, x_offset):
    """The elements of x's storage at the given places; the last two parameters are where x itself lies, for the rule."""


window_ = core.InPlace(window)


@copying_function("as_strided", "Tensor input, sizes size, sizes stride, index? storage_offset=None")
def as_strided_copy(input, size, stride, storage_offset=None):
    return window.copy(input, size, stride, storage_offset, input.stride(), input.storage_offset())


@composite
def as_strided(input, size, stride, storage_offset=None):
    """A view of the storage of `input` with any sizes, strides and (counted from the storage's start) offset."""
    return window(input, size, stride, storage_offset, input.stride(), input.storage_offset())


@composite
def as_strided_(input, size, stride, storage_offset=None):
    """In-place version of `as_strided`."""
    return window_(input, size, stride, storage_offset, input.stride(), input.storage_offset())


def extent(size, stride):
    """How many elements of memory a geometry spans."""
    return 1 + sum((n - 1) * step for n, step in zip(size, stride)) if 0 not in size else 0


@composite(function=False)
def _as_strided_gradient(g, base_size, base_stride, view_size, view_stride, offset):
    """The cotangent of a base whose window (`offset` elements behind the base's first) has the cotangent `g`.

    Where elements of the window share memory their cotangents add up; where elements of the base do, they divide what is there.
    """
    if 0 in base_size or 0 in view_size:
        return g.new_zeros(base_size)
    base_start, view_start = max(0, -offset), max(0, offset)
    count = max(base_start + extent(base_size, base_stride), view_start + extent(view_size, view_stride))
    view_overlaps, base_overlaps = may_overlap(view_size, view_stride), may_overlap(base_size, base_stride)
    if not view_overlaps and not base_overlaps:
        return _window_gradient(g, count, base_size, base_stride, base_start, view_size, view_stride, view_start)
    places = torch.arange(count)
    view_places = places.as_strided(view_size, view_stride, view_start).reshape(-1)
    base_places = places.as_strided(base_size, base_stride, base_start).reshape(-1)
    memory = g.new_zeros(count).index_add(0, view_places, g.reshape(-1))
    if base_overlaps:
        memory = memory / torch.bincount(base_places, minlength=count).clamp(min=1)
    return memory.index_select(0, base_places).reshape(base_size)


# ---------------------------------------------------------------------------------------------------------- cotangents of views
@op(
    vjp=lambda g, dim, size, step: g.unfold(dim, size, step),
    linear=True,
    function=False,
    method=False,
    batch="rearranging.unfold_backward",
)
def unfold_backward(x, input_sizes, dim, size, step):
    """The windows `x` added up where they lay: the cotangent of `unfold`."""
    if not len(input_sizes):
        return x.reshape(())
    dim = wrap_dim(dim, len(input_sizes))
    places = torch.arange(input_sizes[dim]).unfold(0, size, step).reshape(-1)
    return zeros(input_sizes, x.dtype).index_add_(dim, places, x.movedim(-1, dim + 1).flatten(dim, dim + 1))


def window_of(g, count, base_size, base_stride, base_start, view_size, view_stride, view_start):
    places = torch.arange(count)
    base_places = places.as_strided(base_size, base_stride, base_start).reshape(-1)
    memory = g.new_zeros(count).index_copy(0, base_places, g.reshape(-1))
    return memory.index_select(0, places.as_strided(view_size, view_stride, view_start).reshape(-1)).reshape(view_size)


@op(vjp=window_of, linear=True, function=False, method=False, batch="rearranging.window_gradient")
def _window_gradient(x, count, base_size, base_stride, base_start, view_size, view_stride, view_start):
    """`x` laid into `count` zeros in one geometry and read in another; neither overlaps itself."""
    memory = zeros((count,), x.dtype)
    kernel("copy")(memory.as_strided(view_size, view_stride, view_start), x)
    out = memory.as_strided(base_size, base_stride, base_start)
    return (
        out.clone()
        if out.storage_offset()
        else core.tensor_on_storage(core.storage_of(memory), x.dtype, 0, base_size, base_stride)
    )


# ---------------------------------------------------------------------------------------------------------- written into a part
def scattering(part):
    """The body of a `…_scatter` op: a copy of `x` with one part of it replaced by `src`."""

    def scatter(x, src, *where):
        out = core.copy_of_memory(x)
        target = part(out, *where)
        if target.shape != src.shape:
            raise RuntimeError(
                f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(target.shape)}"
            )
        core.check_no_overlap(target)
        warn_of_real_part(src, x.dtype)
        core.copy_elements(target, src)
        return out

    return scatter


scatter_diagonal = scattering(diagonal)
scatter_select = scattering(select)
scatter_slice = scattering(slice)
scatter_window = scattering(as_strided)


@op(
    vjp={
        "x": lambda g, src_shape, offset, dim1, dim2: torch.diagonal_scatter(g, g.new_zeros(src_shape), offset, dim1, dim2),
        "src": lambda g, offset, dim1, dim2: g.diagonal(offset, dim1, dim2),
    },
    linear=True,
    batch="rearranging.scatter",
    real_part=False,
    out=False,
    fills_copy=True,
)
def diagonal_scatter(x, src, offset=0, dim1=0, dim2=1):
    """A copy of `x` whose diagonal is `src`."""
    return scatter_diagonal(x, src, offset, dim1, dim2)


@op(
    real=True,
    vjp={
        "x": lambda g, src_shape, dim, index: torch.select_scatter(g, g.new_zeros(src_shape), dim, index),
        "src": lambda g, dim, index: g.select(dim, index),
    },
    linear=True,
    batch="rearranging.scatter",
    signature="Tensor input, Tensor src, int dim, index index",
    fills_copy=True,
)
def select_scatter(x, src, dim, index):
    """A copy of `x` in which one slice along `dim` is `src`."""
    return scatter_select(x, src, dim, index)


@op(
    real=True,
    vjp={
        "x": lambda g, src_shape, dim, start, end, step: torch.slice_scatter(g, g.new_zeros(src_shape), dim, start, end, step),
        "src": lambda g, dim, start, end, step: slice(g, dim, start, end, step),
    },
    linear=True,
    batch="rearranging.scatter",
    fills_copy=True,
)
def slice_scatter(x, src, dim=0, start=None, end=None, step=1):
    """A copy of `x` in which [start:end:step] along `dim` is `src`."""
    return scatter_slice(x, src, dim, start, end, step)


@op(
    vjp={
        "x": lambda g, src_shape, size, stride, storage_offset: torch.as_strided_scatter(
            g.contiguous(), g.new_zeros(src_shape), size, stride, storage_offset
        ),
        "src": lambda g, size, stride, storage_offset: g.contiguous().as_strided(size, stride, storage_offset),
    },
    linear=True,
    batch="rearranging.as_strided_scatter",
    out=False,
    fills_copy=True,
)
def as_strided_scatter(x, src, size, stride, storage_offset=None):
    """A copy of `x` in which a window of any geometry is `src`."""
    return scatter_window(x, src, size, stride, storage_offset)
