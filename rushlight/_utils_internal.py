"""Where files of the package are, and where files may be written."""

import os
import tempfile

__all__ = ["get_file_path", "get_writable_path"]

IS_FBSOURCE = False
_ROOT = os.path.dirname(os.path.realpath(__file__))


def get_file_path(*path_components: str) -> str:
    """The path of a file of the package."""
    return os.path.join(_ROOT, *path_components)


def get_writable_path(path: str) -> str:
    """`path`, or a new temporary directory where that may not be written to."""
    return path if os.access(path, os.W_OK) else tempfile.mkdtemp(suffix=os.path.basename(path))
