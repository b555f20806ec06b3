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
    """A command of setuptools in PyTorch: an error when it is made."""

    def __init__(self, *args, **kwargs):
        refuse("BuildExtension")

    @classmethod
    def with_options(cls, **options):
        """The command with options: what `cmdclass` of a setup takes."""
        return type("BuildExtension", (cls,), {"options": options})


def CppExtension(name, sources, *args, **kwargs):
    """An error: nothing can be compiled."""
    refuse(f"CppExtension({name!r})")


def CUDAExtension(name, sources, *args, **kwargs):
    """PyTorch's error: there is no CUDA."""
    raise OSError("CUDA_HOME environment variable is not set. Please set it to your CUDA install root.")


def SyclExtension(name, sources, *args, **kwargs):
    """An error: nothing can be compiled."""
    refuse(f"SyclExtension({name!r})")


def load(name, sources, *args, **kwargs):
    """An error: nothing can be compiled."""
    refuse(f"load({name!r})")


def load_inline(name, cpp_sources, *args, **kwargs):
    """An error: nothing can be compiled."""
    refuse(f"load_inline({name!r})")


def include_paths(device_type="cpu", torch_include_dirs=True):
    """None: there are no headers."""
    return []


def library_paths(device_type="cpu", torch_include_dirs=True, cross_target_platform=None):
    """None: there are no libraries to link to."""
    return []


def get_cxx_compiler():
    """The compiler's name: $CXX, or c++."""
    return os.environ.get("CXX", "c++")


def check_compiler_is_gcc(compiler) -> bool:
    """Whether a compiler of this name is g++."""
    return os.path.basename(os.path.realpath(shutil.which(compiler) or compiler)).find("g++") >= 0


def check_compiler_ok_for_platform(compiler) -> bool:
    """Whether there is a compiler of this name."""
    return shutil.which(compiler) is not None


def get_compiler_abi_compatibility_and_version(compiler):
    """(False, the version 0.0.0): no compiler's objects can be linked."""
    from rushlight.torch_version import TorchVersion

    return False, TorchVersion("0.0.0")


def get_default_build_root() -> str:
    """Where extensions would be compiled."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.realpath(os.path.join(caches, "torch_extensions"))


def is_ninja_available() -> bool:
    """Whether the program ninja is there."""
    return shutil.which("ninja") is not None


def verify_ninja_availability() -> None:
    """An error without the program ninja."""
    if not is_ninja_available():
        raise RuntimeError("Ninja is required to load C++ extensions (pip install ninja to get it)")
