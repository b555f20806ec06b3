"""The version of Rushlight, which has nothing of other devices' libraries."""

from rushlight.torch_version import TorchVersion

__all__ = ["__version__", "cuda", "debug", "hip", "xpu"]

__version__ = TorchVersion("2.13.0+rushlight0.1.0")
debug = False
cuda = None
hip = None
xpu = None
