"""How the library was built, and threads between ops, as programs ask for them."""

has_lapack = has_mkl = has_openmp = has_spectral = True

_interop: dict = {"threads": None}


def compiled_with_cxx11_abi() -> bool:
    """True, as for PyTorch's own builds.

    >>> import rushlight as torch
    >>> torch.compiled_with_cxx11_abi()
    True
    """
    return True


def is_vulkan_available(*args) -> bool:
    """False, whatever is given.

    >>> import rushlight as torch
    >>> torch.is_vulkan_available()
    False
    """
    return False


def _nnpack_available() -> bool:
    """True, as for PyTorch's own builds: `torch._nnpack_spatial_convolution` is there.

    >>> import rushlight as torch
    >>> torch._nnpack_available()
    True
    """
    return True


def get_num_interop_threads() -> int:
    """The number of threads that run ops side by side in PyTorch: what was set, or one for each processor.
    Here they run one by one.

    >>> import rushlight as torch
    >>> torch.get_num_interop_threads() > 0
    True
    """
    import os

    return _interop["threads"] or os.cpu_count() or 1


def set_num_interop_threads(threads) -> None:
    """Sets what `get_num_interop_threads` tells, once.

    Args:
        threads: how many. RuntimeError where it is set a second time, or after work was done.

    >>> import rushlight as torch
    >>> torch.get_num_interop_threads() > 0
    True
    """
    if isinstance(threads, bool) or not isinstance(threads, int):
        raise RuntimeError(f"set_num_interop_threads expects an int, but got {type(threads).__name__}")
    if threads <= 0:
        raise RuntimeError("set_num_interop_threads expects a positive integer")
    if _interop["threads"] is not None:
        raise RuntimeError(
            "Error: cannot set number of interop threads after parallel work has started or set_num_interop_threads called"
        )
    _interop["threads"] = threads
