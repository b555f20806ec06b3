"""Where files of the package are, and where files may be written."""

import os
import sys
import tempfile
import warnings

__all__ = ["deprecated", "get_file_path", "get_file_path_2", "get_writable_path"]

IS_FBSOURCE = False
_ROOT = os.path.dirname(os.path.realpath(__file__))


def get_file_path(*path_components: str) -> str:
    """The path of a file of the package."""
    return os.path.join(_ROOT, *path_components)


def get_file_path_2(*path_components: str) -> str:
    """The path that the components make."""
    return os.path.join(*path_components)


def get_writable_path(path: str) -> str:
    """`path`, or a new temporary directory where that may not be written to."""
    return path if os.access(path, os.W_OK) else tempfile.mkdtemp(suffix=os.path.basename(path))


def deprecated():
    """A decorator of a function whose name begins with `_`: beside it stands one without, which warns."""

    def decorate(function):
        if not function.__name__.startswith("_"):
            raise ValueError(
                "@deprecate must decorate a function whose name starts with a single leading underscore (e.g. '_foo') as the api should be "
                "considered internal for deprecation."
            )
        name = function.__name__[1:]

        def public(*args, **kwargs):
            warnings.warn(f"{name} is DEPRECATED, please consider using an alternative API(s). ", UserWarning, stacklevel=2)
            return function(*args, **kwargs)

        public.__name__, public.__module__ = name, function.__module__
        setattr(sys.modules[function.__module__], name, public)
        return function

    return decorate
