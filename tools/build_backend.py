"""The build backend: meson-python, with metadata that need no build, and a word on what is missing.

Without that pip compiles everything where it says "Preparing metadata", and then has nothing left to do where it says "Building wheel".
"""

import os
import shutil
import sysconfig
import tomllib
from pathlib import Path

import mesonpy
from mesonpy import (  # noqa: F401
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)
from pyproject_metadata import StandardMetadata


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    project = StandardMetadata.from_pyproject(tomllib.loads(Path("pyproject.toml").read_text()), Path())
    folder = Path(metadata_directory) / f"{project.canonical_name.replace('-', '_')}-{project.version}.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_bytes(bytes(project.as_rfc822()))
    return folder.name


prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel


def check_tools():
    """Ends the build where no compiler or no headers of Python are, and says what brings them."""
    missing = []
    if "CXX" not in os.environ and not any(map(shutil.which, ("c++", "g++", "clang++"))):
        missing.append("a C++ compiler")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing.append("Python's headers")
    if missing:
        raise SystemExit(
            f"Rushlight is compiled here, and that takes {' and '.join(missing)}. On Debian and Ubuntu:\n"
            "    apt-get install g++ python3-dev\n"
            "Or install a wheel (README.md, Set up), which takes neither."
        )


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    check_tools()
    return mesonpy.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    check_tools()
    return mesonpy.build_editable(wheel_directory, config_settings, metadata_directory)
