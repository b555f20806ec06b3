"""Window functions: the weights of samples in a stretch of a signal."""

import functools
import math

import rushlight as torch
from rushlight import core
from rushlight.ops._declare import composite
from rushlight.ops._rules import c_name
from rushlight.ops._signatures import parameters_of


def window(weights):
    """Declares a window: `weights(samples, period, …)` are those of the samples 0, 1, … of a turn; what they depend on besides are numbers,
    which calls may give behind `periodic`."""
    name, numbers = weights.__name__, parameters_of(weights)[2:]
    signature = "int window_length, *, factory | int window_length, bool periodic, *, factory"
    for count in range(len(numbers)):
        given = ", float ".join(numbers[: count + 1])
        signature += f" | int window_length, bool periodic, float {given}, *, factory"

    @functools.wraps(weights)
    def function(window_length, periodic=True, *more, dtype=None, requires_grad=False, **factory):
        more_by_name = {number: factory.pop(number) for number in numbers if number in factory}
        dtype = torch.get_default_dtype() if dtype is None else dtype
        layout = factory.get("layout")
        if layout is not None and layout is not torch.strided:
            kind = layout.name.removeprefix("sparse_").capitalize() if layout is not torch.sparse_coo else ""
            raise RuntimeError(
                f"{name} is not implemented for sparse types, got: TensorOptions(dtype={c_name(dtype)}, device=cpu, "
                f"layout=Sparse{kind}, requires_grad=false (default), pinned_memory=false, memory_format=(nullopt))"
            )
        if not (dtype.is_floating_point or dtype.is_complex):
            raise RuntimeError(
                f"{name} expects floating point dtypes, got: TensorOptions(dtype={c_name(dtype)}, device=cpu, layout=Strided (default), "
                "requires_grad=false (default), pinned_memory=false, memory_format=(nullopt))"
            )
        if window_length < 0:
            raise RuntimeError(f"{name} requires non-negative window_length, got window_length={window_length}")
        if window_length <= 1:
            return torch.ones(window_length, dtype=dtype, requires_grad=requires_grad, **factory)
        samples = torch.arange(window_length, dtype=dtype, **factory)
        made = weights(samples, max(window_length if periodic else window_length - 1, 1), *more, **more_by_name)
        return core.require_grad_of_new(made) if requires_grad else made

    return composite(function, method=False, signature=signature)


def cosines(samples, period, *weights):
    """weights[0] - weights[1] cos(x) + weights[2] cos(2x) - … over one turn."""
    # From the highest order down, each step rounded, as PyTorch has it.
    made = None
    for order in range(len(weights) - 1, 0, -1):
        term = (samples * (2 * order * math.pi / period)).cos_().mul_(weights[order] * (-1) ** order)
        made = term if made is None else made.add_(term)
    return made.add_(weights[0])


@window
def hann_window(samples, period):
    """sin²(πn/N): falls to 0 at both ends; N is the length (`periodic`) or one less.

    >>> import rushlight
    >>> rushlight.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return cosines(samples, period, 0.5, 0.5)


@window
def hamming_window(samples, period, alpha=0.54, beta=0.46):
    """alpha - beta cos(2πn/N).

    >>> import rushlight
    >>> rushlight.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    return cosines(samples, period, alpha, beta)


@window
def blackman_window(samples, period):
    """0.42 - 0.5 cos(2πn/N) + 0.08 cos(4πn/N).

    >>> import rushlight
    >>> rushlight.blackman_window(4).round(decimals=2)[1:]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return cosines(samples, period, 0.42, 0.5, 0.08)


@window
def bartlett_window(samples, period):
    """1 - |2n/N - 1|: a triangle.

    >>> import rushlight
    >>> rushlight.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return 1 - (samples * (2 / period) - 1).abs()


@window
def kaiser_window(samples, period, beta=12.0):
    """I₀(beta √(1 - (2n/N - 1)²)) / I₀(beta), with the modified Bessel function I₀: the greater `beta`, the narrower.

    >>> import rushlight
    >>> rushlight.kaiser_window(3, False, 2.0)
    tensor([0.4387, 1.0000, 0.4387])
    """
    kind = samples.dtype if samples.dtype.itemsize > 2 else torch.float32  # halves compute in float32
    middle = period / 2
    at = (samples.to(kind) - middle) / middle
    made = ((1 - at * at).sqrt() * beta).i0() / torch.tensor(beta, dtype=kind).i0()
    return made.to(samples.dtype)
