"""Extensions in C++: PyTorch compiles them against its own headers, so that there is none for Rushlight. Names are there; use is an error."""

import os
import shutil

__all__ = [
    "CUDA_HOME",
    "BuildExtension",
    "CUDAExtension",
    "CppExtension",
    "SyclExtension",
    "check_compiler_is_gcc",
    "check_compiler_ok_for_platform",
    "get_compiler_abi_compatibility_and_version",
    "get_cxx_compiler",
    "get_default_build_root",
    "include_paths",
    "is_ninja_available",
    "library_paths",
    "load",
    "load_inline",
    "verify_ninja_availability",
]  # fmt: skip

CUDA_HOME = ROCM_HOME = CUDNN_HOME = SYCL_HOME = None
IS_HIP_EXTENSION = False


def refuse(what):
    raise RuntimeError(
        f"{what}: extensions are compiled against PyTorch's C++ headers, which Rushlight does not have. Ops in Python can be defined with "
        "torch.library.custom_op."
    )


class BuildExtension:
    """A command of setuptools in PyTorch: an error when it is made.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.BuildExtension()
    Traceback (most recent call last):
        ...
    RuntimeError: BuildExtension: extensions are compiled against PyTorch's C++ headers, which Rushlight does not have. Ops in
    Python can be defined with torch.library.custom_op.
    """

    def __init__(self, *args, **kwargs):
        refuse("BuildExtension")

    @classmethod
    def with_options(cls, **options):
        """The command with options: what `cmdclass` of a setup takes."""
        return type("BuildExtension", (cls,), {"options": options})


def CppExtension(name, sources, *args, **kwargs):
    """An error: nothing can be compiled.

    Args:
        name: Its name.
        sources: Its files.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.CppExtension("mine", ["mine.cpp"])
    Traceback (most recent call last):
        ...
    RuntimeError: CppExtension('mine'): extensions are compiled against PyTorch's C++ headers, which Rushlight does not have. Ops
    in Python can be defined with torch.library.custom_op.
    """
    refuse(f"CppExtension({name!r})")


def CUDAExtension(name, sources, *args, **kwargs):
    """PyTorch's error: there is no CUDA.

    Args:
        name: Its name.
        sources: Its files.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.CUDAExtension("mine", ["mine.cu"])
    Traceback (most recent call last):
        ...
    OSError: CUDA_HOME environment variable is not set. Please set it to your CUDA install root.
    """
    raise OSError("CUDA_HOME environment variable is not set. Please set it to your CUDA install root.")


def SyclExtension(name, sources, *args, **kwargs):
    """An error: nothing can be compiled.

    Args:
        name: Its name.
        sources: Its files.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.SyclExtension("mine", ["mine.sycl"])
    Traceback (most recent call last):
        ...
    RuntimeError: SyclExtension('mine'): extensions are compiled against PyTorch's C++ headers, which Rushlight does not have. Ops
    in Python can be defined with torch.library.custom_op.
    """
    refuse(f"SyclExtension({name!r})")


def load(name, sources, *args, **kwargs):
    """An error: nothing can be compiled.

    Args:
        name: Its name.
        sources: Its files.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.load("mine", ["mine.cpp"])
    Traceback (most recent call last):
        ...
    RuntimeError: load('mine'): extensions are compiled against PyTorch's C++ headers, which Rushlight does not have. Ops in
    Python can be defined with torch.library.custom_op.
    """
    refuse(f"load({name!r})")


def load_inline(name, cpp_sources, *args, **kwargs):
    """An error: nothing can be compiled.

    Args:
        name: Its name.
        cpp_sources: Its text.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.load_inline("mine", "")
    Traceback (most recent call last):
        ...
    RuntimeError: load_inline('mine'): extensions are compiled against PyTorch's C++ headers, which Rushlight does not have. Ops
    in Python can be defined with torch.library.custom_op.
    """
    refuse(f"load_inline({name!r})")


def include_paths(device_type="cpu", torch_include_dirs=True):
    """None: there are no headers.

    Args:
        device_type: For which kind of device.
        torch_include_dirs: Whether PyTorch's own are among them.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.include_paths()
    []
    """
    return []


def library_paths(device_type="cpu", torch_include_dirs=True, cross_target_platform=None):
    """None: there are no libraries to link to.

    Args:
        device_type: For which kind of device.
        torch_include_dirs: Whether PyTorch's own are among them.
        cross_target_platform: For which system.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.library_paths()
    []
    """
    return []


def get_cxx_compiler():
    """The compiler's name: $CXX, or c++.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> isinstance(cpp_extension.get_cxx_compiler(), str)
    True
    """
    return os.environ.get("CXX", "c++")


def check_compiler_is_gcc(compiler) -> bool:
    """Whether a compiler of this name is g++.

    Args:
        compiler: The name.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.check_compiler_is_gcc("no-such-compiler")
    False
    """
    return os.path.basename(os.path.realpath(shutil.which(compiler) or compiler)).find("g++") >= 0


def check_compiler_ok_for_platform(compiler) -> bool:
    """Whether there is a compiler of this name.

    Args:
        compiler: The name.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.check_compiler_ok_for_platform("no-such-compiler")
    False
    """
    return shutil.which(compiler) is not None


def get_compiler_abi_compatibility_and_version(compiler):
    """(False, the version 0.0.0): no compiler's objects can be linked.

    Args:
        compiler: The name.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> cpp_extension.get_compiler_abi_compatibility_and_version("g++")[0]
    False
    """
    from rushlight.torch_version import TorchVersion

    return False, TorchVersion("0.0.0")


def get_default_build_root() -> str:
    """Where extensions would be compiled.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> isinstance(cpp_extension.get_default_build_root(), str)
    True
    """
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.realpath(os.path.join(caches, "torch_extensions"))


def is_ninja_available() -> bool:
    """Whether the program ninja is there.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> isinstance(cpp_extension.is_ninja_available(), bool)
    True
    """
    return shutil.which("ninja") is not None


def verify_ninja_availability() -> None:
    """An error without the program ninja.

    >>> import rushlight as torch
    >>> from rushlight.utils import cpp_extension
    >>> import unittest.mock
    >>> with unittest.mock.patch("shutil.which", lambda name: None): cpp_extension.verify_ninja_availability()
    Traceback (most recent call last):
        ...
    RuntimeError: Ninja is required to load C++ extensions (pip install ninja to get it)
    """
    if not is_ninja_available():
        raise RuntimeError("Ninja is required to load C++ extensions (pip install ninja to get it)")
