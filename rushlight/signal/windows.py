"""Windows: weights of the samples in a stretch of a signal, symmetric (`sym=True`) or one period of a longer one.

All take `M`, the number of samples, `dtype`, a floating one, `layout` (strided), `device` (the CPU) and `requires_grad`.
"""

import rushlight as torch

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def _checked(name, M, dtype, layout):
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    if layout is not torch.strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")


def _window(name, M, sym, dtype, layout, device, requires_grad, weights):
    """A window from `weights(steps, options)`: how many steps lead from its first sample to its last, or to the next period's first."""
    dtype = torch.get_default_dtype() if dtype is None else dtype
    _checked(name, M, dtype, layout)
    options = dict(dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)
    if M == 0:
        return torch.empty((0,), **options)
    return weights(M if not sym and M > 1 else M - 1, options)


def exponential(M, *, center=None, tau=1.0, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """exp(-|n - center| / tau): falls on both sides of the middle.

    Args:
        M: The number of samples.
        center: Another middle, if not `sym`.
        tau: How fast it falls.
        sym: Whether the window is symmetric, or one period of a longer one.
        dtype, layout, device, requires_grad: As for any new tensor.

    >>> import rushlight as torch
    >>> torch.signal.windows.exponential(3, tau=1.0)
    tensor([0.3679, 1.0000, 0.3679])
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")

    def weights(steps, options):
        middle = steps / 2.0 if center is None else center
        scale = 1 / tau
        return torch.exp(-torch.abs(torch.linspace(-middle * scale, (-middle + (M - 1)) * scale, M, **options)))

    return _window("exponential", M, sym, dtype, layout, device, requires_grad, weights)


def cosine(M, *, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """Half a period of a sine, between its zeros. Arguments are those of `hann`.

    >>> import rushlight as torch
    >>> torch.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """

    def weights(steps, options):
        start, scale = 0.5, torch.pi / (steps + 1)
        return torch.sin(torch.linspace(start * scale, (start + (M - 1)) * scale, M, **options))

    return _window("cosine", M, sym, dtype, layout, device, requires_grad, weights)


def gaussian(M, *, std=1.0, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """exp(-(n - middle)² / (2 std²)), where `std` is the standard deviation. The other arguments are those of `hann`.

    >>> import rushlight as torch
    >>> torch.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")

    def weights(steps, options):
        start, scale = -steps / 2.0, 1 / (std * 2**0.5)
        return torch.exp(-(torch.linspace(start * scale, (start + (M - 1)) * scale, M, **options) ** 2))

    return _window("gaussian", M, sym, dtype, layout, device, requires_grad, weights)


def kaiser(M, *, beta=12.0, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """I0(beta sqrt(1 - x²)) / I0(beta), x from -1 to 1: nearly the most that a window can gather around frequency 0.

    `beta` is not negative; the larger, the narrower. The other arguments are those of `hann`.

    >>> import rushlight as torch
    >>> torch.signal.windows.kaiser(5, beta=4.0)
    tensor([0.0885, 0.6334, 1.0000, 0.6334, 0.0885])
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def weights(steps, options):
        if M == 1:
            return torch.ones((1,), **options)
        # In the dtype of the window, so that the last place does not leave the interval.
        beta_of = torch.tensor(beta, dtype=options["dtype"])
        step = 2.0 * beta / steps
        places = torch.linspace(-beta, torch.minimum(beta_of, -beta_of + (M - 1) * step).item(), M, **options)
        return torch.i0(torch.sqrt(beta_of * beta_of - torch.pow(places, 2))) / torch.i0(beta_of)

    return _window("kaiser", M, sym, dtype, layout, device, requires_grad, weights)


def bartlett(M, *, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """A triangle from 0 over 1 to 0. Arguments are those of `hann`.

    >>> import rushlight as torch
    >>> torch.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """

    def weights(steps, options):
        if M == 1:
            return torch.ones((1,), **options)
        scale = 2 / steps
        return 1 - torch.abs(torch.linspace(-1, -1 + (M - 1) * scale, M, **options))

    return _window("bartlett", M, sym, dtype, layout, device, requires_grad, weights)


def general_cosine(M, *, a, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """a[0] - a[1] cos(x) + a[2] cos(2x) - …, x over a turn. `a` are the weights; the other arguments are those of `hann`.

    >>> import rushlight as torch
    >>> torch.signal.windows.general_cosine(5, a=[0.5, 0.5])
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    if not hasattr(a, "__iter__"):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")

    def weights(steps, options):
        if M == 1:
            return torch.ones((1,), **options)
        turn = torch.linspace(0, (M - 1) * (2 * torch.pi / steps), M, **options)
        signed = torch.tensor([(-1) ** i * weight for i, weight in enumerate(a)], dtype=options["dtype"])
        orders = torch.arange(signed.shape[0], dtype=options["dtype"])
        return (signed.unsqueeze(-1) * torch.cos(orders.unsqueeze(-1) * turn)).sum(0)

    return _window("general_cosine", M, sym, dtype, layout, device, requires_grad, weights)


def general_hamming(M, *, alpha=0.54, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """alpha - (1 - alpha) cos(x), x over a turn. `alpha` is between 0 and 1; the other arguments are those of `hann`.

    >>> import rushlight as torch
    >>> torch.signal.windows.general_hamming(5, alpha=0.75)
    tensor([0.5000, 0.7500, 1.0000, 0.7500, 0.5000])
    """
    options = dict(sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)
    return general_cosine(M, a=[alpha, 1.0 - alpha], **options)


def hamming(M, *, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """`general_hamming` with alpha 0.54. Arguments are those of `hann`.

    >>> import rushlight as torch
    >>> torch.signal.windows.hamming(5)
    tensor([0.0800, 0.5400, 1.0000, 0.5400, 0.0800])
    """
    return general_hamming(M, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def hann(M, *, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """`general_hamming` with alpha 0.5: sin² over half a turn.

    Args:
        M: The number of samples.
        sym: Whether the window is symmetric, or one period of a longer one.
        dtype, layout, device, requires_grad: As for any new tensor.

    >>> import rushlight as torch
    >>> torch.signal.windows.hann(5), torch.signal.windows.hann(4, sym=False)
    (tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000]), tensor([0.0000, 0.5000, 1.0000, 0.5000]))
    """
    return general_hamming(M, alpha=0.5, sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)


def blackman(M, *, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """`general_cosine` with the weights 0.42, 0.5, 0.08. Arguments are those of `hann`.

    >>> import rushlight as torch
    >>> torch.signal.windows.blackman(5).abs().round(decimals=2)
    tensor([0.0000, 0.3400, 1.0000, 0.3400, 0.0000])
    """
    _checked("blackman", M, torch.get_default_dtype() if dtype is None else dtype, layout)
    options = dict(sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)
    return general_cosine(M, a=[0.42, 0.5, 0.08], **options)


def nuttall(M, *, sym=True, dtype=None, layout=torch.strided, device=None, requires_grad=False):
    """`general_cosine` with Nuttall's four weights (1981). Arguments are those of `hann`.

    >>> import rushlight as torch
    >>> torch.signal.windows.nuttall(5)
    tensor([3.6280e-04, 2.2698e-01, 1.0000e+00, 2.2698e-01, 3.6280e-04])
    """
    options = dict(sym=sym, dtype=dtype, layout=layout, device=device, requires_grad=requires_grad)
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], **options)
