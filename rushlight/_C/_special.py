"""Functions of `torch.special` under the names that PyTorch's pickles have: `special_erf`."""

from rushlight import special as _special


def __getattr__(name):
    return getattr(_special, name.removeprefix("special_"))
