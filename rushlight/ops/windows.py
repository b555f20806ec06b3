"""Window functions: the weights of samples in a stretch of a signal."""

import math

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite
from rushlight.ops._rules import c_name

WINDOW = "int window_length, *, factory | int window_length, bool periodic, *, factory"
NUMBER = " | int window_length, bool periodic, float {}, *, factory"


def places(name, window_length, periodic, dtype, layout, device, pin_memory):
    """The samples 0, 1, …, and the length of a period; no samples give the length 0."""
    dtype = torch.get_default_dtype() if dtype is None else dtype
    if not (dtype.is_floating_point or dtype.is_complex):
        raise RuntimeError(
            f"{name} expects floating point dtypes, got: TensorOptions(dtype={c_name(dtype)}, device=cpu, layout=Strided (default), "
            "requires_grad=false (default), pinned_memory=false, memory_format=(nullopt))"
        )
    if window_length < 0:
        raise RuntimeError(f"{name} requires non-negative window_length, got window_length={window_length}")
    samples = torch.arange(window_length, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory)
    return samples, window_length if periodic or window_length < 2 else window_length - 1


def cosines(name, weights, window_length, periodic, requires_grad, *about):
    """weights[0] - weights[1] cos(x) + weights[2] cos(2x) - … over one turn."""
    samples, period = places(name, window_length, periodic, *about)
    if window_length == 1:
        return torch.ones_like(samples, requires_grad=requires_grad)
    # From the highest order down, each step rounded, as PyTorch has it.
    window = None
    for order in range(len(weights) - 1, 0, -1):
        term = (samples * (2 * order * math.pi / max(period, 1))).cos_().mul_(weights[order] * (-1) ** order)
        window = term if window is None else window.add_(term)
    return made(window.add_(weights[0]), requires_grad)


def made(window, requires_grad):
    return core.require_grad_of_new(window) if requires_grad else window


@composite(method=False, signature=WINDOW)
def hann_window(
    window_length, periodic=True, *, dtype=None, layout=torch.strided, device=None, pin_memory=False, requires_grad=False
):
    """sin²(πn/N): falls to 0 at both ends; N is the length (`periodic`) or one less.

    >>> import rushlight
    >>> rushlight.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return cosines("hann_window", (0.5, 0.5), window_length, periodic, requires_grad, dtype, layout, device, pin_memory)


@composite(method=False, signature=WINDOW + NUMBER.format("alpha") + NUMBER.format("alpha, float beta"))
def hamming_window(
    window_length,
    periodic=True,
    alpha=0.54,
    beta=0.46,
    *,
    dtype=None,
    layout=torch.strided,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """alpha - beta cos(2πn/N).

    >>> import rushlight
    >>> rushlight.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return cosines("hamming_window", (alpha, beta), window_length, periodic, requires_grad, dtype, layout, device, pin_memory)


@composite(method=False, signature=WINDOW)
def blackman_window(
    window_length, periodic=True, *, dtype=None, layout=torch.strided, device=None, pin_memory=False, requires_grad=False
):
    """0.42 - 0.5 cos(2πn/N) + 0.08 cos(4πn/N).

    >>> import rushlight
    >>> rushlight.blackman_window(4).round(decimals=2)[1:]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return cosines(
        "blackman_window", (0.42, 0.5, 0.08), window_length, periodic, requires_grad, dtype, layout, device, pin_memory
    )


@composite(method=False, signature=WINDOW)
def bartlett_window(
    window_length, periodic=True, *, dtype=None, layout=torch.strided, device=None, pin_memory=False, requires_grad=False
):
    """1 - |2n/N - 1|: a triangle.

    >>> import rushlight
    >>> rushlight.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    samples, period = places("bartlett_window", window_length, periodic, dtype, layout, device, pin_memory)
    if window_length == 1:
        return torch.ones_like(samples, requires_grad=requires_grad)
    return made(1 - (samples * (2 / max(period, 1)) - 1).abs(), requires_grad)


@composite(method=False, signature=WINDOW + NUMBER.format("beta"))
def kaiser_window(
    window_length,
    periodic=True,
    beta=12.0,
    *,
    dtype=None,
    layout=torch.strided,
    device=None,
    pin_memory=False,
    requires_grad=False,
):
    """I₀(beta √(1 - (2n/N - 1)²)) / I₀(beta), with the modified Bessel function I₀: the greater `beta`, the narrower.

    >>> import rushlight
    >>> rushlight.kaiser_window(3, False, 2.0)
    tensor([0.4387, 1.0000, 0.4387])
    """
    samples, period = places("kaiser_window", window_length, periodic, dtype, layout, device, pin_memory)
    if window_length == 1:
        return torch.ones_like(samples, requires_grad=requires_grad)
    kind = samples.dtype if samples.dtype.itemsize > 2 else torch.float32  # halves compute in float32
    middle = max(period, 1) / 2
    at = (samples.to(kind) - middle) / middle
    window = ((1 - at * at).sqrt() * beta).i0() / torch.tensor(beta, dtype=kind).i0()
    return made(window.to(samples.dtype), requires_grad)
