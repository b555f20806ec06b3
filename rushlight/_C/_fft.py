"""Functions of `torch.fft` under the names that PyTorch's pickles have: `fft_rfft`."""

from rushlight import fft as _fft


def __getattr__(name):
    return getattr(_fft, name.removeprefix("fft_"))
