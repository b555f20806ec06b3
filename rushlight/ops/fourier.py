"""Discrete Fourier transforms, on NumPy's: three ops (complex numbers to complex ones, real to complex, complex to real), and the functions
of torch.fft made of them."""

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite, op
from rushlight.ops.creation import into
from rushlight.ops.ranges import warn_of_resizing

NONE, ROOT, COUNT = range(3)
"""What a transform is divided by: nothing, the root of the number of points, or that number."""

FORWARD = {NONE: "backward", ROOT: "ortho", COUNT: "forward"}
BACKWARD = {NONE: "forward", ROOT: "ortho", COUNT: "backward"}
"""NumPy's words for that."""


def numpy_fft():
    """numpy.fft; the one thing here that needs NumPy."""
    try:
        import numpy.fft
    except ImportError as error:
        raise RuntimeError("torch.fft needs NumPy, which is not installed") from error
    return numpy.fft


def transform(x, dim, dtype, last, compute):
    """`compute(array, axes)` of the dimensions `dim` of x, as a tensor of `dtype`.

    The array's last axes are those dimensions, so the result has their elements together in memory: first by the other dimensions, then by
    these, each in the order of x's strides; but where `last`, the one that stands last in `dim` is innermost.
    """
    import numpy

    def outermost_first(dims):
        return sorted(dims, key=lambda d: -x.stride(d))

    kept = [dim[-1]] if last else []
    order = outermost_first(d for d in range(x.ndim) if d not in dim) + outermost_first(d for d in dim if d not in kept) + kept
    axes = tuple(order.index(d) for d in dim)
    seen = x.permute(order)
    # (Of what has no memory: numpy tells the shape, of zeros.)
    array = core.numpy_of(torch.zeros((), dtype=x.dtype, device="cpu").expand(seen.shape) if x.is_meta else seen)
    made = compute(array, axes)
    made = torch.from_numpy(numpy.ascontiguousarray(made, dtype=str(dtype).partition(".")[2]).reshape(made.shape))
    return made.to(x.device).permute([order.index(d) for d in range(x.ndim)])


def complex_of(dtype):
    return torch.complex128 if dtype in (torch.float64, torch.complex128) else torch.complex64


def real_of(dtype):
    return torch.float64 if dtype in (torch.float64, torch.complex128) else torch.float32


def require_complex(x):
    if x.dtype not in (torch.complex64, torch.complex128):
        raise RuntimeError(f"Only supports complex dtypes, but found: {x.dtype.legacy_name}")


@op(
    linear=True,
    vjp=lambda g, dim, normalization, forward: torch._fft_c2c(g, dim, normalization, not forward),
    name="FftC2CBackward0",
    method=False,
    batch="fourier.transformed",
    signature="Tensor input, ints dim, int normalization, bool forward, *, out",
)
def _fft_c2c(x, dim, normalization, forward):
    """The transform of complex numbers over the dimensions `dim`, `forward` (exponents with a minus) or back."""
    require_complex(x)
    if not dim:
        return x.clone()
    function = numpy_fft().fftn if forward else numpy_fft().ifftn
    norm = (FORWARD if forward else BACKWARD)[normalization]
    return transform(x, dim, x.dtype, False, lambda array, axes: function(array, axes=axes, norm=norm))


def real_to_complex_vjp(g, x_shape, dim, normalization, onesided):
    if onesided:
        missing = x_shape[dim[-1]] - g.shape[dim[-1]]
        if missing:
            g = torch.cat([g, g.new_zeros([missing if d == dim[-1] % g.ndim else n for d, n in enumerate(g.shape)])], dim[-1])
    return torch._fft_c2c(g, dim, normalization, False).real


@op(
    linear=True,
    vjp=real_to_complex_vjp,
    name="FftR2CBackward0",
    method=False,
    batch="fourier.transformed",
    signature="Tensor input, ints dim, int normalization, bool onesided, *, out",
)
def _fft_r2c(x, dim, normalization, onesided):
    """The forward transform of real numbers; `onesided`: without what mirrors the rest, in the last of the dimensions."""
    if not x.is_floating_point():
        raise RuntimeError(f"Only supports floating-point dtypes, but found: {x.dtype.legacy_name}")
    if x.dtype not in (torch.float32, torch.float64):
        raise RuntimeError(f"MKL FFT doesn't support tensors of type: {x.dtype.legacy_name}")
    function = numpy_fft().rfftn if onesided else numpy_fft().fftn
    norm = FORWARD[normalization]
    return transform(x, dim, complex_of(x.dtype), True, lambda array, axes: function(array, axes=axes, norm=norm))


def complex_to_real_vjp(g, dim, normalization, last_dim_size):
    made = torch._fft_r2c(g, dim, normalization, True)
    # What has a mirrored twin counts twice.
    twins = last_dim_size - made.shape[dim[-1]]
    return torch.cat(
        [
            made.narrow(dim[-1], 0, 1),
            made.narrow(dim[-1], 1, twins) * 2,
            made.narrow(dim[-1], 1 + twins, made.shape[dim[-1]] - 1 - twins),
        ],
        dim[-1],
    )


@op(
    linear=True,
    vjp=complex_to_real_vjp,
    name="FftC2RBackward0",
    method=False,
    batch="fourier.transformed",
    signature="Tensor input, ints dim, int normalization, int last_dim_size, *, out",
)
def _fft_c2r(x, dim, normalization, last_dim_size):
    """The transform back to real numbers, of which there are `last_dim_size` in the last of the dimensions."""
    require_complex(x)
    function, norm = numpy_fft().irfftn, BACKWARD[normalization]
    sizes = [x.shape[d] for d in dim[:-1]] + [last_dim_size]
    return transform(x, dim, real_of(x.dtype), True, lambda array, axes: function(array, s=sizes, axes=axes, norm=norm))


# ----------------------------------------------------------------------------------------------------------------- arguments
def scaling(norm, forward):
    """The normalization that a word means; None is "backward"."""
    if norm not in (None, "backward", "ortho", "forward"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    if norm == "ortho":
        return ROOT
    return COUNT if (norm == "forward") == forward else NONE


def promoted(x, want_complex):
    """In a dtype that transforms are computed in."""
    dtype = x.dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        dtype = torch.get_default_dtype()
    if dtype not in (torch.float32, torch.float64, torch.complex64, torch.complex128):
        raise RuntimeError(f"Unsupported dtype {dtype.legacy_name}")
    return x.to(complex_of(dtype) if want_complex else dtype)


def wrapped(dim, ndim):
    if ndim == 0:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    if not -ndim <= dim < ndim:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-ndim}, {ndim - 1}], but got {dim})")
    return dim % ndim


def check_points(n):
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")


def resized(x, dims, sizes):
    """Cut, and then filled with zeros, to these sizes of these dimensions."""
    padding = [0] * (2 * x.ndim)
    for dim, size in zip(dims, sizes):
        if size < x.shape[dim]:
            x = x.narrow(dim, 0, size) if core.in_vmap() else x[(slice(None),) * dim + (slice(size),)]
        padding[2 * (x.ndim - 1 - dim) + 1] = size - x.shape[dim]
    return torch.constant_pad_nd(x, padding) if any(padding) else x


def dims_and_sizes(x, s, dim):
    """The dimensions to transform and their sizes."""
    dims = None if dim is None else [wrapped(each, x.ndim) for each in listed(dim)]
    if dims is not None and len(set(dims)) < len(dims):
        raise RuntimeError("FFT dims must be unique")
    if s is None:
        dims = list(range(x.ndim)) if dims is None else dims
        sizes = [x.shape[d] for d in dims]
    else:
        s = listed(s)
        if dims is not None and len(dims) != len(s):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
        if len(s) > x.ndim:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {x.ndim} dimensions.")
        dims = list(range(x.ndim - len(s), x.ndim)) if dims is None else dims
        sizes = [x.shape[d] if size == -1 else size for d, size in zip(dims, s)]
    for size in sizes:
        check_points(size)
    return dims, sizes


def listed(value):
    return [value] if isinstance(value, int) else list(value)


def finished(name, kind, made, out, real=False):
    """The result, or `out=` that takes it; `kind` is the transform that made it."""
    if out is None:
        return made
    if real and not out.is_floating_point():
        raise RuntimeError(f"{name} expects a floating point output tensor, but got {out.dtype.legacy_name}")
    if not real and not out.is_complex():
        raise RuntimeError(f"{name} expects a complex output tensor, but got {out.dtype.legacy_name}")
    return core.written_out(kind, out, made)


# ----------------------------------------------------------------------------------------------------------- of one dimension
def of_one(body):
    signature = "Tensor input, int? n=None, int dim=-1, str? norm=None, *, out"
    return composite(method=False, namespace="fft", signature=signature)(body)


def complex_transform(name, x, n, dim, norm, forward, out):
    """fft and ifft."""
    x = promoted(x, False)
    dim = wrapped(dim, x.ndim)
    n = x.shape[dim] if n is None else n
    check_points(n)
    x = resized(x, [dim], [n])
    mode = scaling(norm, forward)
    if x.is_complex():
        made = _fft_c2c(x, (dim,), mode, forward)
    else:
        made = _fft_r2c(x, (dim,), mode, False)
        made = made if forward else made.conj()
    return finished(name, "_fft_c2c" if x.is_complex() else "_fft_r2c", made, out)


def to_half(name, x, n, dim, norm, forward, out):
    """rfft and ihfft: half of a transform of real numbers."""
    if x.is_complex():
        raise RuntimeError(f"{name} expects a real input tensor, but got {x.dtype.legacy_name}")
    x = promoted(x, False)
    dim = wrapped(dim, x.ndim)
    n = x.shape[dim] if n is None else n
    check_points(n)
    made = _fft_r2c(resized(x, [dim], [n]), (dim,), scaling(norm, forward), True)
    return finished(name, "_fft_r2c", made if forward else made.conj(), out)


def from_half(name, x, n, dim, norm, forward, out):
    """irfft and hfft: real numbers of half a transform."""
    x = promoted(x, True)
    dim = wrapped(dim, x.ndim)
    n = 2 * (x.shape[dim] - 1) if n is None else n
    check_points(n)
    x = resized(x, [dim], [n // 2 + 1])
    made = _fft_c2r(x.conj() if forward else x, (dim,), scaling(norm, forward), n)
    return finished(name, "_fft_c2r", made, out, real=True)


@of_one
def fft(input, n=None, dim=-1, norm=None, *, out=None):
    """The discrete Fourier transform over the dimension `dim`, cut or filled with zeros to `n` points.

    `norm` says which way is divided: "backward" (the way back by n; also None), "ortho" (each by √n) or "forward" (this way by n).

    >>> import rushlight
    >>> rushlight.fft.fft(rushlight.tensor([1.0, 0.0, 0.0]))
    tensor([1.+0.j, 1.+0.j, 1.+0.j])
    """
    return complex_transform("fft", input, n, dim, norm, True, out)


@of_one
def ifft(input, n=None, dim=-1, norm=None, *, out=None):
    """The inverse of fft."""
    return complex_transform("ifft", input, n, dim, norm, False, out)


@of_one
def rfft(input, n=None, dim=-1, norm=None, *, out=None):
    """fft of real numbers: the first n // 2 + 1 of its numbers, of which the others are the conjugates.

    >>> import rushlight
    >>> rushlight.fft.rfft(rushlight.ones(4))
    tensor([4.+0.j, 0.+0.j, 0.+0.j])
    """
    return to_half("rfft", input, n, dim, norm, True, out)


@of_one
def irfft(input, n=None, dim=-1, norm=None, *, out=None):
    """The inverse of rfft: `n` real numbers (2 (m - 1) of m without)."""
    return from_half("irfft", input, n, dim, norm, False, out)


@of_one
def hfft(input, n=None, dim=-1, norm=None, *, out=None):
    """fft of numbers of which the others are the conjugates: `n` real numbers (2 (m - 1) of m without)."""
    return from_half("hfft", input, n, dim, norm, True, out)


@of_one
def ihfft(input, n=None, dim=-1, norm=None, *, out=None):
    """The inverse of hfft."""
    return to_half("ihfft", input, n, dim, norm, False, out)


# ------------------------------------------------------------------------------------------------------ of several dimensions
def of_several(body):
    signature = "Tensor input, ints[1]? s=None, ints[1]? dim=None, str? norm=None, *, out"
    return composite(method=False, namespace="fft", signature=signature)(body)


def of_two(body):
    signature = "Tensor input, ints[1]? s=None, ints[1] dim=(-2,-1), str? norm=None, *, out"
    return composite(method=False, namespace="fft", signature=signature)(body)


def complex_transforms(x, s, dim, norm, forward, out):
    dims, sizes = dims_and_sizes(x, s, dim)
    x = resized(promoted(x, True), dims, sizes)
    return finished("fftn", "_fft_c2c", _fft_c2c(x, tuple(dims), scaling(norm, forward), forward), out)


def half_sizes(name, x, s, dim):
    """The dimensions of which the last one has just half of the numbers, and the sizes of what is real."""
    dims, sizes = dims_and_sizes(x, s, dim)
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")
    if s is None or listed(s)[-1] == -1:
        sizes[-1] = 2 * (x.shape[dims[-1]] - 1)
        check_points(sizes[-1])
    return dims, sizes, [*sizes[:-1], sizes[-1] // 2 + 1]


@of_several
def fftn(input, s=None, dim=None, norm=None, *, out=None):
    """fft over several dimensions: `dim`, or the last ones that `s` has sizes of, or all."""
    return complex_transforms(input, s, dim, norm, True, out)


@of_several
def ifftn(input, s=None, dim=None, norm=None, *, out=None):
    """The inverse of fftn."""
    return complex_transforms(input, s, dim, norm, False, out)


@of_several
def rfftn(input, s=None, dim=None, norm=None, *, out=None):
    """fftn of real numbers: half of it along the last dimension."""
    if input.is_complex():
        raise RuntimeError(f"rfftn expects a real-valued input tensor, but got {input.dtype.legacy_name}")
    x = promoted(input, False)
    dims, sizes = dims_and_sizes(x, s, dim)
    if not dims:
        raise RuntimeError("rfftn must transform at least one axis")
    return finished("rfftn", "_fft_r2c", _fft_r2c(resized(x, dims, sizes), tuple(dims), scaling(norm, True), True), out)


@of_several
def irfftn(input, s=None, dim=None, norm=None, *, out=None):
    """The inverse of rfftn."""
    dims, sizes, halves = half_sizes("irfftn", input, s, dim)
    x = resized(promoted(input, True), dims, halves)
    return finished("irfftn", "_fft_c2r", _fft_c2r(x, tuple(dims), scaling(norm, False), sizes[-1]), out, real=True)


@of_several
def hfftn(input, s=None, dim=None, norm=None, *, out=None):
    """fftn of numbers of which, along the last dimension, the others are the conjugates."""
    dims, sizes, halves = half_sizes("hfftn", input, s, dim)
    x, mode = resized(promoted(input, True), dims, halves), scaling(norm, True)
    if len(dims) > 1:
        x = _fft_c2c(x, tuple(dims[:-1]), mode, True)
    return finished("hfftn", "_fft_c2r", _fft_c2r(x.conj(), (dims[-1],), mode, sizes[-1]), out, real=True)


@of_several
def ihfftn(input, s=None, dim=None, norm=None, *, out=None):
    """The inverse of hfftn."""
    if input.is_complex():
        raise RuntimeError(f"Only supports floating-point dtypes, but found: {input.dtype.legacy_name}")
    dims, sizes = dims_and_sizes(input, s, dim)
    if not dims:
        raise RuntimeError("ihfftn must transform at least one axis")
    x, mode = resized(promoted(input, False), dims, sizes), scaling(norm, False)
    made = _fft_r2c(x, (dims[-1],), mode, True)
    made = made.conj() if len(dims) == 1 else _fft_c2c(torch.conj_physical(made), tuple(dims[:-1]), mode, False)
    return finished("ihfftn", "_fft_c2c", made, out)


@of_two
def fft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """fftn over the last two dimensions."""
    return fftn(input, s, dim, norm, out=out)


@of_two
def ifft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """ifftn over the last two dimensions."""
    return ifftn(input, s, dim, norm, out=out)


@of_two
def rfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """rfftn over the last two dimensions."""
    return rfftn(input, s, dim, norm, out=out)


@of_two
def irfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """irfftn over the last two dimensions."""
    return irfftn(input, s, dim, norm, out=out)


@of_two
def hfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """hfftn over the last two dimensions."""
    return hfftn(input, s, dim, norm, out=out)


@of_two
def ihfft2(input, s=None, dim=(-2, -1), norm=None, *, out=None):
    """ihfftn over the last two dimensions."""
    return ihfftn(input, s, dim, norm, out=out)


# ----------------------------------------------------------------------------------------------------------------- frequencies
def frequencies(name, n, d, out, dtype, factory, index):
    dtype = dtype or (torch.get_default_dtype() if out is None else out.dtype)
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(f"{name} requires a floating point or complex dtype")
    requires_grad = factory.pop("requires_grad", False)
    made = index(dtype, factory).mul_(1 / (n * d) if n * d else torch.inf)
    if out is not None:
        warn_of_resizing(out, made.numel())
        return into(f"aten::fft_{name}", out, made)
    return core.require_grad_of_new(made) if requires_grad else made


@composite(method=False, namespace="fft", signature="int n, float d=1.0, *, out, factory")
def fftfreq(n, d=1.0, *, out=None, dtype=None, **factory):
    """The frequencies of fft's numbers, of `n` samples at distances `d`: from 0 up, then the negative ones.

    >>> import rushlight
    >>> rushlight.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """

    def index(dtype, factory):
        if n < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
        made = torch.arange(n, dtype=dtype, **factory)
        made[(n + 1) // 2 :] -= n
        return made

    return frequencies("fftfreq", n, d, out, dtype, factory, index)


@composite(method=False, namespace="fft", signature="int n, float d=1.0, *, out, factory")
def rfftfreq(n, d=1.0, *, out=None, dtype=None, **factory):
    """The frequencies of rfft's numbers, of `n` samples at distances `d`."""
    return frequencies(
        "rfftfreq", n, d, out, dtype, factory, lambda dtype, factory: torch.arange(n // 2 + 1, dtype=dtype, **factory)
    )


def shifted(x, dim, share):
    """Each dimension turned by `share(size)` places."""
    dims = [wrapped(each, x.ndim) for each in (range(x.ndim) if dim is None else listed(dim))]
    return torch.roll(x, [share(x.shape[d]) for d in dims], dims)


@composite(method=False, namespace="fft", signature="Tensor input, ints[1]? dim=None")
def fftshift(input, dim=None):
    """fft's numbers with the frequency 0 in the middle."""
    return shifted(input, dim, lambda size: size // 2)


@composite(method=False, namespace="fft", signature="Tensor input, ints[1]? dim=None")
def ifftshift(input, dim=None):
    """The inverse of fftshift."""
    return shifted(input, dim, lambda size: (size + 1) // 2)
