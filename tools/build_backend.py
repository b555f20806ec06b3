"""The build backend: meson-python, with metadata that need no build.

Without that pip compiles everything where it says "Preparing metadata", and then has nothing left to do where it says "Building wheel".
"""

import tomllib
from pathlib import Path

from mesonpy import (  # noqa: F401
    build_editable,
    build_sdist,
    build_wheel,
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
