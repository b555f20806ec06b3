"""The version of Rushlight, which has nothing of other devices' libraries."""

from rushlight.torch_version import TorchVersion

__all__ = ["__version__", "cuda", "debug", "hip", "rocm", "xpu"]

rushlight = "0.1.0"
__version__ = TorchVersion(f"2.13.0+rushlight{rushlight}")
debug = False
cuda = None
hip = None
rocm = None
xpu = None
