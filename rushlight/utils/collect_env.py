"""What a report of a mistake should tell of its machine: `python -m torch.utils.collect_env` prints it."""

import json
import locale
import os
import platform
import re
import subprocess
import sys
from collections import namedtuple

import rushlight as torch

TORCH_AVAILABLE = True

LINES = (
    ("PyTorch version", "torch_version"),
    ("Is debug build", "is_debug_build"),
    ("CUDA used to build PyTorch", "cuda_compiled_version"),
    ("ROCM used to build PyTorch", "hip_compiled_version"),
    None,
    ("OS", "os"),
    ("GCC version", "gcc_version"),
    ("Clang version", "clang_version"),
    ("CMake version", "cmake_version"),
    ("Libc version", "libc_version"),
    None,
    ("Python version", "python_version"),
    ("Python platform", "python_platform"),
    ("Is CUDA available", "is_cuda_available"),
    ("CUDA runtime version", "cuda_runtime_version"),
    ("CUDA_MODULE_LOADING set to", "cuda_module_loading"),
    ("GPU models and configuration", "nvidia_gpu_models"),
    ("Nvidia driver version", "nvidia_driver_version"),
    ("cuDNN version", "cudnn_version"),
    ("Is XPU available", "is_xpu_available"),
    ("HIP runtime version", "hip_runtime_version"),
    ("MIOpen runtime version", "miopen_runtime_version"),
    ("Is XNNPACK available", "is_xnnpack_available"),
    ("Caching allocator config", "caching_allocator_config"),
)
"""The report: what each line says, and of which field."""

SystemEnv = namedtuple(
    "SystemEnv",
    "torch_version is_debug_build cuda_compiled_version gcc_version clang_version cmake_version os libc_version python_version "
    "python_platform is_cuda_available cuda_runtime_version cuda_module_loading nvidia_driver_version nvidia_gpu_models cudnn_version "
    "is_xpu_available pip_version pip_packages conda_packages hip_compiled_version hip_runtime_version miopen_runtime_version "
    "caching_allocator_config is_xnnpack_available cpu_info",
)

SystemEnv.__doc__ = f"""What `get_env_info` found out: a tuple of {", ".join(SystemEnv._fields)}.

>>> from rushlight.utils.collect_env import SystemEnv
>>> SystemEnv._fields[0]
'torch_version'
"""

COMMON_PATTERNS = ("torch", "numpy", "triton", "optree")
PIP_PATTERNS = ("mypy", "flake8", "onnx", "rushlight")
CONDA_PATTERNS = ("cudatoolkit", "soumith", "mkl", "magma")


def run(command):
    """(return code, output, errors) of a command: a text for the shell, or a list.

    Args:
        command: The command.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import run
    >>> run("echo hello")
    (0, 'hello', '')
    """
    finished = subprocess.run(command, shell=isinstance(command, str), capture_output=True, check=False)
    encoding = locale.getpreferredencoding()
    return finished.returncode, finished.stdout.decode(encoding).strip(), finished.stderr.decode(encoding).strip()


def _output(run_lambda, command):
    """What a command prints; None where it fails or is not there."""
    try:
        code, out, _ = run_lambda(command)
    except OSError:
        return None
    return out if code == 0 else None


def run_and_read_all(run_lambda, command):
    """What a command prints, None where it fails.

    Args:
        run_lambda: What runs a command, such as `run`.
        command: The command.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import run, run_and_read_all
    >>> run_and_read_all(run, "echo hello")
    'hello'
    """
    return _output(run_lambda, command)


def run_and_parse_first_match(run_lambda, command, regex):
    """The first group of a pattern in what a command prints; None where it fails, or nothing fits.

    Args:
        run_lambda: What runs a command, such as `run`.
        command: The command.
        regex: The pattern.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import run, run_and_parse_first_match
    >>> run_and_parse_first_match(run, "echo version 3.2", r"version (.*)")
    '3.2'
    """
    match = re.search(regex, _output(run_lambda, command) or "")
    return match and match.group(1)


def run_and_return_first_line(run_lambda, command):
    r"""The first line of what a command prints, None where it fails.

    Args:
        run_lambda: What runs a command, such as `run`.
        command: The command.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import run, run_and_return_first_line
    >>> run_and_return_first_line(run, "printf 'one\\ntwo'")
    'one'
    """
    out = _output(run_lambda, command)
    return None if out is None else out.split("\n")[0]


def get_gcc_version(run_lambda):
    """The version of gcc.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_gcc_version
    >>> get_gcc_version(lambda command: (0, "gcc (Debian 12.2.0-14) 12.2.0", ""))
    '(Debian 12.2.0-14) 12.2.0'
    """
    return run_and_parse_first_match(run_lambda, "gcc --version", r"gcc (.*)")


def get_clang_version(run_lambda):
    """The version of clang.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_clang_version
    >>> get_clang_version(lambda command: (0, "clang version 17.0.6", ""))
    '17.0.6'
    """
    return run_and_parse_first_match(run_lambda, "clang --version", r"clang version (.*)")


def get_cmake_version(run_lambda):
    """The version of cmake.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_cmake_version
    >>> get_cmake_version(lambda command: (0, "cmake version 3.25.1", ""))
    'version 3.25.1'
    """
    return run_and_parse_first_match(run_lambda, "cmake --version", r"cmake (.*)")


def get_nvidia_driver_version(run_lambda):
    """The version of the driver, None without one.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_nvidia_driver_version
    >>> get_nvidia_driver_version(lambda command: (1, "", "not found"))
    """
    return run_and_parse_first_match(run_lambda, "nvidia-smi", r"Driver Version: (.*?) ")


def get_gpu_info(run_lambda):
    """The graphics cards, None without any.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_gpu_info
    >>> get_gpu_info(lambda command: (1, "", "not found"))
    """
    out = _output(run_lambda, "nvidia-smi -L")
    return None if out is None else re.sub(r" \(UUID: .+?\)", "", out)


def get_running_cuda_version(run_lambda):
    """The version of CUDA's compiler, None without one.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_running_cuda_version
    >>> get_running_cuda_version(lambda command: (1, "", "not found"))
    """
    return run_and_parse_first_match(run_lambda, "nvcc --version", r"release .+ V(.*)")


def get_cudnn_version(run_lambda):
    """None: there is no cuDNN to ask for.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_cudnn_version, run
    >>> get_cudnn_version(run)
    """
    return None


def get_intel_gpu_driver_version(run_lambda):
    """None: Intel's graphics cards are not asked for.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_intel_gpu_driver_version, run
    >>> get_intel_gpu_driver_version(run)
    """
    return None


def get_intel_gpu_onboard(run_lambda):
    """None: Intel's graphics cards are not asked for.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_intel_gpu_onboard, run
    >>> get_intel_gpu_onboard(run)
    """
    return None


def get_intel_gpu_detected(run_lambda):
    """None: Intel's graphics cards are not asked for.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_intel_gpu_detected, run
    >>> get_intel_gpu_detected(run)
    """
    return None


def get_nvidia_smi():
    """The name of the driver's program.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_nvidia_smi
    >>> "nvidia-smi" in get_nvidia_smi()
    True
    """
    return "nvidia-smi"


def get_linux_pkg_version(run_lambda, pkg_name):
    """The version of an installed Debian package, "N/A" where it is not.

    Args:
        run_lambda: What runs a command, such as `run`.
        pkg_name: The package.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_linux_pkg_version
    >>> get_linux_pkg_version(lambda command: (1, "", "not found"), "intel-opencl-icd")
    'N/A'
    """
    return run_and_parse_first_match(run_lambda, f"dpkg -s {pkg_name}", r"Version: (.*)") or "N/A"


def get_cpu_info(run_lambda):
    """What the system tells of the processor.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_cpu_info, run
    >>> isinstance(get_cpu_info(run), str)
    True
    """
    system = get_platform()
    command = {"linux": "lscpu", "darwin": "sysctl -n machdep.cpu.brand_string"}.get(system)
    return (command and _output(run_lambda, command)) or "None"


def get_platform():
    """ "linux", "darwin", "win32" or "cygwin".

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_platform
    >>> get_platform() in ("linux", "darwin", "win32", "cygwin")
    True
    """
    return next((name for name in ("linux", "win32", "cygwin", "darwin") if sys.platform.startswith(name)), sys.platform)


def get_mac_version(run_lambda):
    """The version of macOS.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_mac_version
    >>> get_mac_version(lambda command: (0, "14.2", ""))
    '14.2'
    """
    return run_and_parse_first_match(run_lambda, "sw_vers -productVersion", r"(.*)")


def get_windows_version(run_lambda):
    """The version of Windows.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_windows_version
    >>> isinstance(get_windows_version(lambda command: (0, "Microsoft Windows 11", "")), (str, type(None)))
    True
    """
    return platform.platform()


def get_lsb_version(run_lambda):
    """The name of the distribution, as lsb_release tells.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_lsb_version
    >>> get_lsb_version(lambda command: (0, "Description: Debian GNU/Linux 12", ""))
    """
    return run_and_parse_first_match(run_lambda, "lsb_release -a", r"Description:\t(.*)")


def check_release_file(run_lambda):
    """The name of the distribution, as a file in /etc tells.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import check_release_file
    >>> check_release_file(lambda command: (0, "Debian", ""))
    """
    return run_and_parse_first_match(run_lambda, "cat /etc/*-release", r'PRETTY_NAME="(.*)"')


def get_os(run_lambda):
    """The system, its version and the machine.

    Args:
        run_lambda: What runs a command, such as `run`.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_os, run
    >>> isinstance(get_os(run), str)
    True
    """
    name = get_platform()
    if name in ("win32", "cygwin"):
        return get_windows_version(run_lambda)
    if name == "darwin":
        version = get_mac_version(run_lambda)
        return None if version is None else f"macOS {version} ({platform.machine()})"
    found = check_release_file(run_lambda) or get_lsb_version(run_lambda)
    return f"{found} ({platform.machine()})" if found else name


def get_python_platform():
    """The platform, in the words of Python.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_python_platform
    >>> isinstance(get_python_platform(), str)
    True
    """
    return platform.platform()


def get_libc_version():
    """The C library; "N/A" where that is not Linux.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_libc_version
    >>> isinstance(get_libc_version(), str)
    True
    """
    return "-".join(platform.libc_ver()) if get_platform() == "linux" else "N/A"


def get_pip_packages(run_lambda, patterns=None):
    """("pip3", the packages of interest with their versions, a line each), of this Python.

    Args:
        run_lambda: What runs a command, such as `run`.
        patterns: What is of interest: parts of names.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_pip_packages
    >>> get_pip_packages(lambda command: (0, "numpy==2.1.0", ""))[0]
    'pip3'
    """
    from importlib.metadata import distributions

    wanted = patterns or PIP_PATTERNS + COMMON_PATTERNS
    found = {(each.metadata["Name"] or "", each.version) for each in distributions()}
    lines = [f"{name}=={version}" for name, version in sorted(found) if any(pattern in name for pattern in wanted)]
    return "pip3", "\n".join(lines)


def get_conda_packages(run_lambda, patterns=None):
    """The packages of interest of conda, None without it.

    Args:
        run_lambda: What runs a command, such as `run`.
        patterns: What is of interest: parts of names.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_conda_packages
    >>> get_conda_packages(lambda command: (1, "", "not found"))
    """
    out = _output(run_lambda, f"{os.environ.get('CONDA_EXE', 'conda')} list")
    if out is None:
        return None
    wanted = patterns or CONDA_PATTERNS + COMMON_PATTERNS
    return "\n".join(line for line in out.splitlines() if line[:1] != "#" and any(pattern in line for pattern in wanted))


def get_cachingallocator_config():
    """The settings of a device's allocator, as the environment has them.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_cachingallocator_config
    >>> isinstance(get_cachingallocator_config(), str)
    False
    """
    names = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF")
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def get_cuda_module_loading_config():
    """ "N/A": there is no CUDA.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_cuda_module_loading_config
    >>> get_cuda_module_loading_config()
    'N/A'
    """
    return "N/A"


def is_xnnpack_available():
    """ "False".

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import is_xnnpack_available
    >>> is_xnnpack_available()
    'False'
    """
    return "False"


def get_env_info() -> SystemEnv:
    """All of it.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_env_info
    >>> get_env_info().is_cuda_available
    'False'
    """
    pip_version, pip_packages = get_pip_packages(run)
    bits = sys.maxsize.bit_length() + 1
    return SystemEnv(
        torch_version=str(torch.__version__),
        is_debug_build="False",
        cuda_compiled_version=None,
        gcc_version=get_gcc_version(run),
        clang_version=get_clang_version(run),
        cmake_version=get_cmake_version(run),
        os=get_os(run),
        libc_version=get_libc_version(),
        python_version=f"{' '.join(sys.version.splitlines())} ({bits}-bit runtime)",
        python_platform=get_python_platform(),
        is_cuda_available="False",
        cuda_runtime_version=get_running_cuda_version(run),
        cuda_module_loading=get_cuda_module_loading_config(),
        nvidia_driver_version=get_nvidia_driver_version(run),
        nvidia_gpu_models=get_gpu_info(run),
        cudnn_version=get_cudnn_version(run),
        is_xpu_available="False",
        pip_version=pip_version,
        pip_packages=pip_packages,
        conda_packages=get_conda_packages(run),
        hip_compiled_version="N/A",
        hip_runtime_version="N/A",
        miopen_runtime_version="N/A",
        caching_allocator_config=json.dumps(get_cachingallocator_config()) if get_cachingallocator_config() else "N/A",
        is_xnnpack_available=is_xnnpack_available(),
        cpu_info=get_cpu_info(run),
    )


def pretty_str(envinfo) -> str:
    """The report, as text.

    Args:
        envinfo: What `get_env_info` gives.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_env_info, pretty_str
    >>> "OS: " in pretty_str(get_env_info())
    True
    """

    def packages(kind, text):
        lines = "Could not collect" if text is None else text or "No relevant packages"
        return "\n".join(f"[{kind}] {line}" for line in lines.splitlines())

    def shown(value):
        return "Could not collect" if value is None else f"\n{value}" if "\n" in value else value

    lines = ["" if line is None else f"{line[0]}: {shown(getattr(envinfo, line[1]))}" for line in LINES]
    kinds = packages(envinfo.pip_version, envinfo.pip_packages), packages("conda", envinfo.conda_packages)
    return "\n".join([*lines, "", "CPU:", envinfo.cpu_info, "", "Versions of relevant libraries:", *kinds])


def get_pretty_env_info() -> str:
    """The report on this machine, as text.

    >>> import rushlight as torch
    >>> from rushlight.utils.collect_env import get_pretty_env_info
    >>> get_pretty_env_info().startswith("PyTorch version: ")
    True
    """
    return pretty_str(get_env_info())


def main() -> None:
    """Prints the report.

    >>> import rushlight as torch
    >>> import contextlib, io
    >>> from rushlight.utils.collect_env import main
    >>> with contextlib.redirect_stdout(io.StringIO()) as out: main()
    >>> "OS: " in out.getvalue()
    True
    """
    print("Collecting environment information...")
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()
