"""How the package was built."""

import sys

import rushlight as _torch
from rushlight.backends.cpu import get_cpu_capability as _capability

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The version, and what kernels use."""
    return f"Rushlight {_torch.__version__}\n  - Python {sys.version.split()[0]}\n  - OpenBLAS\n  - CPU capability usage: {_capability()}\n"


def parallel_info() -> str:
    """The number of threads."""
    return f"Rushlight:\n\tget_num_threads() : {_torch.get_num_threads()}\n"
