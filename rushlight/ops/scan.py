"""Running sums, products and extrema along one dimension; differences, and numerical derivatives."""

import math

import rushlight as torch
from rushlight.core import Tensor, empty_tensor, unwrapped, wrap_dim, written_out
from rushlight.ops._declare import composite, kernel, op, short_way
from rushlight.ops._outputs import SCALAR_TYPE
from rushlight.ops._return_types import return_type
from rushlight.ops._rules import c_name, in_place


def scan_dtype(x, dtype):
    """What running sums and products come out in: integers and bools as int64."""
    if dtype is not None:
        return dtype
    return x.dtype if x.is_floating_point() or x.is_complex() else torch.int64


def contiguous_like(x):
    """An unfilled contiguous tensor of x's shape and dtype."""
    return empty_tensor(x.shape, x.dtype)


def refuse_unless(name, x, allowed):
    if not allowed:
        raise NotImplementedError(f"\"{name}\" not implemented for '{x.dtype.legacy_name}'")


def run_scan(name, x, dim, dtype):
    dim = wrap_dim(dim, x.ndim)
    wanted = scan_dtype(x, dtype)
    if x.dtype is not wanted:
        x = x.to(wanted)
    refuse_unless(f"{name}_out_cpu", x, wanted is not torch.bool or x.numel() == 0 or not x.dim())
    out = contiguous_like(x)
    if wanted is torch.bool:
        return out.copy_(x)
    kernel(name)(out, x, dim)
    return out


def sums_from_here(g, dim):
    """For each place the sum from there to the end."""
    return g.flip(dim).cumsum(dim).flip(dim) if g.dim() else g


@op(
    vjp=lambda g, dim: sums_from_here(g, dim),
    linear=True,
    plain=short_way("fd-", "along", "cumsum"),
    batch="reduction.along_one",
    out_text=None,
)
def cumsum(x, dim, *, dtype=None):
    """Running sums along `dim`.

    >>> import rushlight
    >>> rushlight.tensor([1, 2, 3]).cumsum(0)
    tensor([1, 3, 6])
    """
    return run_scan("cumsum", x, dim, dtype)


def scan_in_place(op, x, dim, dtype):
    """cumsum_ and cumprod_ compute in the dtype of their tensor."""
    if dtype is not None and dtype is not x.dtype:
        raise RuntimeError(
            f"Bad in-place call: input tensor dtype {c_name(x.dtype)} and output tensor dtype {c_name(dtype)} should match"
        )
    return in_place(op)(x, dim, dtype=x.dtype)


@composite(function=False)
def cumsum_(self, dim, *, dtype=None):
    """In-place version of `cumsum`."""
    return scan_in_place(cumsum, self, dim, dtype)


def shifted(x, dim, by, fill):
    """x with each place holding what is `by` places later; `fill` behind the end."""
    size = x.shape[dim]
    return torch.cat([x.narrow(dim, by, size - by), torch.full_like(x.narrow(dim, 0, by), fill)], dim)


def linear_recurrence(b, a, dim):
    """s[k] = b[k] + a[k] s[k + 1] along `dim`, from the end, by doubling: log2(n) passes, differentiable to any order."""
    by = 1
    while by < b.shape[dim]:
        b, a, by = b + a * shifted(b, dim, by, 0), a * shifted(a, dim, by, 1), by * 2
    return b


def preceding(x, dim, first):
    """x with each place holding what is one place earlier."""
    size = x.shape[dim]
    return torch.cat([torch.full_like(x.narrow(dim, 0, 1), first), x.narrow(dim, 0, size - 1)], dim)


def cumprod_vjp(g, x, dim, out):
    """Without a division, so zeros do no harm: the product of what precedes, times a recurrence over what follows."""
    g, x = (g, x.to(g.dtype)) if g.is_complex() else (g.to(x.dtype), x)
    if x.numel() <= 1 or x.shape[dim] == 1:
        return g
    return preceding(out, dim, 1).conj() * linear_recurrence(g, shifted(x, dim, 1, 0).conj(), dim)


def cumprod_jvp(x_t, x, dim, out):
    """out_t[k] = x[k] out_t[k - 1] + x_t[k] out[k - 1]"""
    x_t, x = x_t.to(out.dtype), x.to(out.dtype)
    if x.dim() == 0 or x.numel() == 0:
        return x_t
    return linear_recurrence((x_t * preceding(out, dim, 1)).flip(dim), x.flip(dim), dim).flip(dim)


@op(
    vjp=cumprod_vjp,
    jvp=lambda x_t, x, dim, out: cumprod_jvp(x_t, x, dim, out),
    plain=short_way("fd-", "along", "cumprod"),
    batch="reduction.along_one",
    out_text=None,
    real_part=False,
)
def cumprod(x, dim, *, dtype=None):
    """Running products along `dim`."""
    return run_scan("cumprod", x, dim, dtype)


@composite(function=False)
def cumprod_(self, dim, *, dtype=None):
    """In-place version of `cumprod`."""
    return scan_in_place(cumprod, self, dim, dtype)


def extremum_vjp(g, x_shape, indices, dim):
    return g if not x_shape else torch.zeros(x_shape, dtype=g.dtype).scatter_add(dim, indices, g)


def extremum_jvp(x_t, indices, dim):
    return x_t.gather(dim, indices) if x_t.dim() else x_t


def run_extremum(name, x, dim):
    if not x.dim() and dim not in (-1, 0):
        raise IndexError(f"{name}(): Expected reduction dim -1 or 0 for scalar but got {dim}")
    values, indices = contiguous_like(x), empty_tensor(x.shape, torch.int64)
    if not x.numel() or not x.dim():  # which need no order; of nothing any dimension will do
        return values.copy_(x), indices.zero_()
    dim = wrap_dim(dim, x.ndim)
    refuse_unless(f"{name}_cpu", x, not x.is_complex())
    kernel(name)(values, indices, x, dim)
    return values, indices


@op(
    real=True,
    vjp=extremum_vjp,
    jvp=extremum_jvp,
    outputs=("values", "indices"),
    differentiable=("values",),
    result_type=return_type("cummax", "values", "indices"),
    plain=short_way("fd", "along", "cummax", results="si"),
    batch="reduction.along_one",
    out_text=SCALAR_TYPE,
)
def cummax(x, dim):
    """The greatest element so far along `dim`, and where it is."""
    return run_extremum("cummax", x, dim)


@op(
    real=True,
    vjp=extremum_vjp,
    jvp=extremum_jvp,
    outputs=("values", "indices"),
    differentiable=("values",),
    result_type=return_type("cummin", "values", "indices"),
    plain=short_way("fd", "along", "cummin", results="si"),
    batch="reduction.along_one",
    out_text=SCALAR_TYPE,
)
def cummin(x, dim):
    """The least element so far along `dim`, and where it is."""
    return run_extremum("cummin", x, dim)


def decay(out, dim):
    """exp(out[k] - out[k + 1]), at most 1: what a recurrence over a running logsumexp multiplies with. 0 behind the end."""
    size = out.shape[dim]
    here, next_ = out.narrow(dim, 0, size - 1), out.narrow(dim, 1, size - 1)
    ratio = torch.where(here == next_, 0, here - next_).exp()
    return torch.cat([ratio, torch.zeros_like(out.narrow(dim, 0, 1))], dim)


def own_share(x, out):
    """exp(x - out), the part of the newest element; -inf has none of anything, and is not determined where that is all."""
    return (x - out).exp()


def logcumsumexp_vjp(g, x, dim, out):
    if x.dim() == 0 or x.numel() == 0:
        return g
    return own_share(x, out).conj() * linear_recurrence(g, decay(out, dim).conj(), dim)


def logcumsumexp_jvp(x_t, x, dim, out):
    """Elements of -inf move nothing; along a row of nothing else the tangent is not determined (NaN, as exp(-inf + inf) is)."""
    if x.dim() == 0 or x.numel() == 0:
        return x_t
    nothing = (out == -math.inf) & (x != -math.inf).any(dim, keepdim=True)
    own = torch.where(nothing, 0, own_share(x, out))
    return linear_recurrence((x_t * own).flip(dim), preceding(decay(out, dim), dim, 0).flip(dim), dim).flip(dim)


@op(
    vjp=logcumsumexp_vjp,
    jvp=logcumsumexp_jvp,
    batch="reduction.along_one",
    plain=short_way("fd", "along", "logcumsumexp"),
    out_text=SCALAR_TYPE,
)
def logcumsumexp(x, dim):
    """log(cumsum(exp(x))) along `dim`, without overflow."""
    dim = wrap_dim(dim, x.ndim)
    if x.is_complex() and x.dim() == 0:
        return x.clone()
    refuse_unless("logcumsumexp_out_cpu", x, x.is_floating_point() or x.is_complex())
    out = contiguous_like(x)
    kernel("logcumsumexp")(out, x, dim)
    return out


def check_continuations(x, dim, *given):
    """What diff prepends or appends has the sizes of `x`, but for the dimension `dim`."""
    for part in given:
        if part is None:
            continue
        if part.dim() != x.dim():
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
        for d in range(x.dim()):
            if d != wrap_dim(dim, x.dim()) and part.size(d) != x.size(d):
                raise RuntimeError(
                    "diff expects the shape of tensor to prepend or append to match that of input except along the differencing dimension; "
                    f"input.size({d}) = {x.size(d)}, but got tensor.size({d}) = {part.size(d)}"
                )


@composite
def diff(input, n=1, dim=-1, prepend=None, append=None, *, out=None):
    """The `n`-th differences of neighbours along `dim`."""
    if input.dim() == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    check_continuations(input, dim, prepend, append)
    if n == 0:
        if out is not None:
            return written_out("diff", out, input)
        return torch.zeros_like(input).copy_(input)
    parts = [part for part in (prepend, input, append) if part is not None]
    result = torch.cat(parts, dim) if len(parts) > 1 else input
    for _ in range(min(n, result.size(dim))):
        last = result.shape[dim] - 1
        left, right = result.narrow(dim, 0, last), result.narrow(dim, 1, last)
        result = right.logical_xor(left) if result.dtype == torch.bool else right - left
    return result if out is None else written_out("diff", out, result)


def gradient_along(x, dim, step, edge_order):
    """The derivative along `dim` by central differences, one-sided at the edges; `step` is a number or the sample points."""
    size = x.shape[dim]

    def part(start, count):
        return x.narrow(dim, start, count)

    if not isinstance(step, Tensor):
        inner = (part(2, size - 2) - part(0, size - 2)) / step / 2
        first, last = (part(1, 1) - part(0, 1)) / step, (part(size - 1, 1) - part(size - 2, 1)) / step
        if edge_order == 2:
            first = (-1.5 * part(0, 1) + 2 * part(1, 1) - 0.5 * part(2, 1)) / step
            last = (0.5 * part(size - 3, 1) - 2 * part(size - 2, 1) + 1.5 * part(size - 1, 1)) / step
        return torch.cat([first, inner, last], dim)
    steps = step[1:] - step[:-1]
    shape = [-1 if d == dim else 1 for d in range(x.dim())]
    before, after = steps[:-1].reshape(shape), steps[1:].reshape(shape)
    inner = (
        -after / (before * (before + after)) * part(0, size - 2)
        + (after - before) / (before * after) * part(1, size - 2)
        + before / (after * (before + after)) * part(2, size - 2)
    )
    first, last = (part(1, 1) - part(0, 1)) / steps[0], (part(size - 1, 1) - part(size - 2, 1)) / steps[-1]
    if edge_order == 2:
        h, k = steps[0], steps[1]
        first = -(2 * h + k) / (h * (h + k)) * part(0, 1) + (h + k) / (h * k) * part(1, 1) + -h / (k * (h + k)) * part(2, 1)
        h, k = steps[-2], steps[-1]
        last = (
            k / (h * (h + k)) * part(size - 3, 1)
            + -(h + k) / (h * k) * part(size - 2, 1)
            + (2 * k + h) / (k * (h + k)) * part(size - 1, 1)
        )
    return torch.cat([first, inner, last], dim)


@composite(
    method=False,
    signature=(
        "Tensor input, *, ints dim, int edge_order=1 | "
        "Tensor input, *, Number spacing, ints dim, int edge_order=1 | "
        "Tensor input, *, Number? spacing=None, int? dim=None, int edge_order=1 | "
        "Tensor input, *, numbers spacing, int? dim=None, int edge_order=1 | "
        "Tensor input, *, numbers spacing, ints dim, int edge_order=1 | "
        "Tensor input, *, tensors spacing, int? dim=None, int edge_order=1 | "
        "Tensor input, *, tensors spacing, ints dim, int edge_order=1"
    ),
)
def gradient(input, *, spacing=1, dim=None, edge_order=1) -> "tuple[torch.Tensor, ...]":
    """Numerical derivatives of the samples `input` along the dimensions `dim` (all by default), as a tuple.

    `spacing` is one step, a step for each dimension, or a tuple of tensors with the sample points of each.
    """
    if input.dtype is torch.uint8:
        raise RuntimeError("torch.gradient does not support uint8 input.")
    dims = tuple(range(input.dim())) if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    given, dims = dims, tuple(wrap_dim(d, input.ndim) for d in dims)
    for d in dims:
        if dims.count(d) > 1:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    spacing = 1 if spacing is None else spacing
    steps = (spacing,) * len(dims) if not isinstance(spacing, (tuple, list)) else tuple(spacing)
    if len(steps) != len(dims) and dim is not None:
        raise RuntimeError(
            "torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the same length, but "
            f"got a spacing argument of length {len(steps)} and a dim argument of length {len(dims)}."
        )
    if len(steps) != len(dims):
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = "
            f"{input.dim()}', but got a list of length {len(steps)}"
        )
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    if given and not input.dim():
        raise IndexError(f"Dimension specified as {given[0]} but tensor has no dimensions")
    for d in dims:
        if input.size(d) < edge_order + 1:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
    places = {tensor.device for tensor in (input, *steps) if isinstance(tensor, Tensor)}
    if len(places) > 1:
        names = " and ".join(map(str, sorted(places, key=str)))
        raise RuntimeError(f"torch.gradient expected each tensor to be on the same device, but got devices {names}!")
    with unwrapped:
        return tuple(gradient_along(input, d, step, edge_order) for d, step in zip(dims, steps))
