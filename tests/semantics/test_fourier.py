"""Fourier transforms: against their sums, there and back, derivatives, and what is refused."""

import math

import pytest


def as_sum(torch, x, sign=-1):
    """The transform of the last dimension, by its definition."""
    n = x.shape[-1]
    angle = sign * 2 * math.pi / n * torch.outer(torch.arange(n), torch.arange(n)).double()
    return x.to(torch.complex128) @ torch.complex(angle.cos(), angle.sin())


def test_transforms_are_their_sums(torch):
    torch.manual_seed(0)
    x = torch.randn(2, 6, dtype=torch.float64)
    z = torch.complex(x, torch.randn(2, 6, dtype=torch.float64))
    near = torch.testing.assert_close
    near(torch.fft.fft(z), as_sum(torch, z))
    near(torch.fft.fft(x), as_sum(torch, x))
    near(torch.fft.ifft(z), as_sum(torch, z, 1) / 6)
    near(torch.fft.ifft(z, norm="ortho"), as_sum(torch, z, 1) / math.sqrt(6))
    near(torch.fft.fft(z, norm="forward"), as_sum(torch, z) / 6)
    near(torch.fft.rfft(x), as_sum(torch, x)[:, :4])
    near(torch.fft.fft(z, 4), as_sum(torch, z[:, :4]))
    near(torch.fft.fft2(z), as_sum(torch, as_sum(torch, z).T).T)
    near(torch.fft.fft(z.T, dim=0), as_sum(torch, z).T)


@pytest.mark.parametrize("n", [5, 6])
def test_there_and_back(torch, n):
    x = torch.arange(2.0 * n, dtype=torch.float64).view(2, n).sin()
    near = torch.testing.assert_close
    near(torch.fft.irfft(torch.fft.rfft(x), n), x)
    near(torch.fft.hfft(torch.fft.ihfft(x), n), x)
    near(torch.fft.irfftn(torch.fft.rfftn(x), x.shape), x)
    near(torch.fft.irfft2(torch.fft.rfft2(x, norm="ortho"), x.shape, norm="ortho"), x)
    near(torch.fft.hfftn(torch.fft.ihfftn(x), x.shape), x)
    near(torch.fft.ifftn(torch.fft.fftn(x)).real, x)
    near(torch.fft.ifftshift(torch.fft.fftshift(x)), x)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft", "fft2", "rfft2", "irfft2", "ihfft2"])
def test_derivatives(torch, name):
    x = torch.arange(12.0, dtype=torch.float64).view(3, 4).sin()
    if name not in ("rfft", "ihfft", "rfft2", "ihfft2"):
        x = torch.complex(x, x.flip(0).cos())
    function = getattr(torch.fft, name)
    arguments = ((x.requires_grad_(),),)
    for given in arguments:
        assert torch.autograd.gradcheck(function, given, check_forward_ad=True, check_batched_grad=True)
        assert torch.autograd.gradgradcheck(function, given)


def test_frequencies(torch):
    assert torch.fft.fftfreq(5, 0.5).tolist() == pytest.approx([0.0, 0.4, 0.8, -0.8, -0.4])
    assert torch.fft.rfftfreq(4, dtype=torch.float64).dtype is torch.float64
    assert torch.fft.fftshift(torch.fft.fftfreq(4)).tolist() == [-0.5, -0.25, 0.0, 0.25]


def test_what_is_refused(torch):
    x = torch.ones(3, 4)
    refusals = [
        (lambda: torch.fft.fft(x, 0), r"Invalid number of data points \(0\) specified"),
        (lambda: torch.fft.fft(x, norm="x"), 'Invalid normalization mode: "x"'),
        (lambda: torch.fft.fft(x.half()), "Unsupported dtype Half"),
        (lambda: torch.fft.rfft(x.to(torch.complex64)), "rfft expects a real input tensor, but got ComplexFloat"),
        (lambda: torch.fft.fftn(x, dim=(0, 0)), "FFT dims must be unique"),
        (lambda: torch.fft.fftn(x, (2, 2, 2)), "Got shape with 3 values but input tensor only has 2 dimensions"),
        (lambda: torch.fft.fftn(x, (2,), (0, 1)), "When given, dim and shape arguments must have the same length"),
        (lambda: torch.fft.irfft(x, out=torch.empty(0, dtype=torch.complex64)), "irfft expects a floating point output tensor"),
        (lambda: torch.stft(x[0], 2, window=torch.ones(2)), "stft requires the return_complex parameter be given"),
        (lambda: torch.istft(x, 2, window=torch.ones(2)), "istft requires a complex-valued input tensor"),
    ]
    for call, text in refusals:
        with pytest.raises(RuntimeError, match=text):
            call()


@pytest.mark.parametrize("options", [{}, {"center": False}, {"normalized": True}, {"onesided": False}, {"hop_length": 3}])
def test_signals_and_their_frames(torch, options):
    torch.manual_seed(0)
    x, window = torch.randn(2, 60, dtype=torch.float64), torch.hamming_window(12, dtype=torch.float64)
    spectra = torch.stft(x, 12, window=window, return_complex=True, **options)
    step, pad = options.get("hop_length", 3), 0 if options.get("center", True) is False else 6
    assert spectra.shape == (2, 12 if "onesided" in options else 7, 1 + (60 + 2 * pad - 12) // step)
    torch.testing.assert_close(torch.istft(spectra, 12, window=window, **options), x)
    torch.testing.assert_close(torch.stft(x[0], 12, window=window, return_complex=True, **options), spectra[0])


def test_frequencies_into_other_sizes(torch):
    out = torch.ones(3)
    with pytest.warns(UserWarning, match="which does not match the computed number of elements 5"):
        torch.fft.fftfreq(5, out=out)
    assert torch.equal(out, torch.fft.fftfreq(5)) and torch.equal(torch.fft.rfftfreq(5, out=torch.ones(0)), torch.fft.rfftfreq(5))
