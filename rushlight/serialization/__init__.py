"""Saving and loading: PyTorch's file formats, readable both ways. Loading runs nothing of a file, unless `weights_only=False` trusts it."""

import io
import os
import pickle
import re
from collections.abc import Callable
from contextlib import contextmanager
from types import ModuleType

import rushlight
from rushlight import _weights_only_unpickler, core
from rushlight._weights_only_unpickler import DamagedFile, StorageType, UnpicklingError
from rushlight.core import device, warn_user
from rushlight.storage import UntypedStorage

from ._advice import with_advice
from ._archive import Archive, is_zip, load_archive, write_archive
from ._bytes import opened
from ._legacy import load_legacy, write_legacy
from ._places import (
    _package_registry,
    default_restore_location,
    location_tag,
    normalize_storage_type,
    register_package,
    storage_to_tensor_type,
)
from ._references import SavedStorages, pickler_of
from ._settings import (
    LoadEndianness,
    Settings,
    get_crc32_options,
    get_default_load_endianness,
    get_default_mmap_options,
    set_crc32_options,
    set_default_load_endianness,
    set_default_mmap_options,
    skip_data,
    within,
)

__all__ = [
    "LoadEndianness",
    "SourceChangeWarning",
    "StorageType",
    "add_safe_globals",
    "check_module_version_greater_or_equal",
    "clear_safe_globals",
    "default_restore_location",
    "get_crc32_options",
    "get_default_load_endianness",
    "get_default_mmap_options",
    "get_safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "load",
    "location_tag",
    "normalize_storage_type",
    "register_package",
    "safe_globals",
    "save",
    "set_crc32_options",
    "set_default_load_endianness",
    "set_default_mmap_options",
    "skip_data",
    "storage_to_tensor_type",
]

MAP_LOCATION = Callable[[UntypedStorage, str], UntypedStorage] | device | str | dict[str, str] | None
DEFAULT_PROTOCOL = 2
_get_layout = core.layout_named  # (files name it so)
_is_zipfile = is_zip


class SourceChangeWarning(Warning):
    """The source of a module is another than that of the one that was saved.

    >>> import rushlight as torch
    >>> issubclass(torch.serialization.SourceChangeWarning, Warning)
    True
    """


def check_module_version_greater_or_equal(module, req_version_tuple, error_if_malformed=True):
    """Whether the `__version__` of a module is at least this one.

    Args:
        module: The module.
        req_version_tuple: The version, as a tuple of numbers (or texts).
        error_if_malformed: Raise a RuntimeError for a version that is none; it counts as new enough otherwise.

    >>> import rushlight as torch
    >>> torch.serialization.check_module_version_greater_or_equal(torch, (2, 0))
    True
    """
    try:
        parts = module.__version__.split(".")
        found = tuple(type(wanted)(parts[place]) for place, wanted in enumerate(req_version_tuple))
        return found >= req_version_tuple
    except Exception as error:
        text = (
            f"'{module.__name__}' module version string is malformed '{module.__version__}' and cannot be compared with tuple "
            f"{req_version_tuple}"
        )
        if error_if_malformed:
            raise RuntimeError(text) from error
        warn_user(text + ", but continuing assuming that requirement is met", UserWarning)
        return True


def __getattr__(name):
    if name in ("_open_zipfile_writer", "_open_zipfile_reader"):
        from ._reader import open_reader, open_writer

        return open_writer if name.endswith("writer") else open_reader
    raise AttributeError(f"module 'torch.serialization' has no attribute '{name}'", name=name)


def save(
    obj,
    f,
    pickle_module=pickle,
    pickle_protocol=DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization=True,
    _disable_byteorder_record=False,
):
    """Writes any object that pickles to a file that PyTorch reads too.

    Args:
        obj: The object: the `state_dict()` of modules and optimizers, numbers, strings and containers. `load` reads others only
            with `weights_only=False`, which runs what the file says.
        f: A path, or a file-like object open for writing.
        pickle_module, pickle_protocol: What pickles, and how.

    Tensors that share memory share it in the file, and after loading.

    >>> import rushlight as torch
    >>> import io
    >>> model, file = torch.nn.Linear(2, 1), io.BytesIO()
    >>> torch.save({"model": model.state_dict(), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> saved = torch.load(file)
    >>> saved["epoch"], model.load_state_dict(saved["model"])
    (3, <All keys matched successfully>)
    """
    if isinstance(f, (str, os.PathLike)):
        path = os.fspath(f)
        folder = os.path.dirname(path)
        if folder and not os.path.isdir(folder):
            raise RuntimeError(f"Parent directory {folder} does not exist.")
        if os.path.isdir(path):
            raise RuntimeError(f"open file failed with strerror: Is a directory: {path}")
    elif not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    elif not callable(f.write):
        raise TypeError(f"Buffer of {str(type(f)).strip('<>')} has no callable attribute 'write'")
    else:
        path = None
    if not _use_new_zipfile_serialization and within.skip_data:
        raise RuntimeError("Cannot use skip_data=True with _use_new_zipfile_serialization=False")
    described, storages = io.BytesIO(), SavedStorages(_use_new_zipfile_serialization)
    pickler_of(pickle_module)(described, pickle_protocol, storages.reference).dump(obj)
    with open(path, "wb") if path is not None else not_closed(f) as file:
        if _use_new_zipfile_serialization:
            stem = "archive" if path is None else os.path.basename(path).rpartition(".")[0] or os.path.basename(path) or "archive"
            write_archive(file, stem, described.getvalue(), storages.all, not _disable_byteorder_record)
        else:
            write_legacy(file, described.getvalue(), storages.all, pickle_module, pickle_protocol)


@contextmanager
def not_closed(file):
    yield file
    file.flush()


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Reads what `save` (or PyTorch's) has written.

    Args:
        f: A path, or a file-like object open for reading, which can seek.
        map_location: Where storages go that were saved elsewhere: a place, a dict of places, or a function of a storage and its
            place in the file.
        pickle_module: What unpickles, where the file is trusted.
        weights_only: Unless it is False, nothing in the file runs, and objects other than tensors, parameters and Python's
            containers, numbers and strings are refused, but for those that `serialization.add_safe_globals` allows. With False
            the file is trusted as a program is: any object may come, and `pickle_load_args` go to the unpickler.
        mmap: Whether the bytes of tensors are read from the file when they are first used (default: what `torch.utils.serialization.config`
            says).

    >>> import rushlight as torch
    >>> import io
    >>> file = io.BytesIO()
    >>> torch.save({"weight": torch.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> torch.load(file, map_location="cpu")
    {'weight': tensor([1., 1.])}
    """
    mmap = Settings.mmap if mmap is None else mmap
    chosen = weights_only is not None
    if not chosen:
        weights_only = pickle_module is None
    force = [
        os.environ.get(name, "0").lower() in ("1", "y", "yes", "true")
        for name in ("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    ]
    if all(force):
        raise RuntimeError(
            "Only one of `TORCH_FORCE_WEIGHTS_ONLY_LOAD` or `TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD` should be set, but both were set."
        )
    if force[0]:
        weights_only = True
    elif force[1] and not chosen:
        warn_user(
            "Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected, since the`weights_only` argument was not explicitly passed to "
            "`torch.load`, forcing weights_only=False."
        )
        weights_only = False
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if weights_only and pickle_load_args:
        warn_user("pickle_load_args only works if `weights_only=False`.")
    pickle_load_args.setdefault("encoding", "utf-8")
    reader: ModuleType = _weights_only_unpickler if weights_only else pickle if pickle_module is None else pickle_module
    with opened(f) as file:
        try:
            if is_zip(file):
                with Archive(file) as archive:
                    return load_archive(archive, f, map_location, reader, mmap, pickle_load_args)
            if mmap:
                named = f"{f}, " if isinstance(f, str) else ""
                raise RuntimeError(
                    f"mmap can only be used with files saved with `torch.save({named}_use_new_zipfile_serialization=True), please torch.save "
                    "your checkpoint with this option in order to use mmap."
                )
            return load_legacy(file, map_location, reader, pickle_load_args)
        except UnpicklingError as error:
            if isinstance(error, DamagedFile):
                raise
            raise UnpicklingError(with_advice(str(error))) from None


def add_safe_globals(safe_globals) -> None:
    """Allows functions and classes where `load` reads with `weights_only=True`.

    Args:
        safe_globals: A list of them, or of pairs of one and its full name in files.

    >>> import rushlight as torch
    >>> with torch.serialization.safe_globals([]):
    ...     torch.serialization.add_safe_globals([slice])
    ...     print(slice in torch.serialization.get_safe_globals())
    True
    >>> torch.serialization.clear_safe_globals()
    """
    _weights_only_unpickler.safe_globals.update(safe_globals)


def get_safe_globals() -> list:
    """What `add_safe_globals` has allowed.

    >>> import rushlight as torch
    >>> with torch.serialization.safe_globals([complex]):
    ...     complex in torch.serialization.get_safe_globals()
    True
    """
    return list(_weights_only_unpickler.safe_globals)


def clear_safe_globals() -> None:
    """Forgets what `add_safe_globals` has allowed.

    >>> import rushlight as torch
    >>> torch.serialization.clear_safe_globals()
    >>> torch.serialization.get_safe_globals()
    []
    """
    _weights_only_unpickler.safe_globals.clear()


class safe_globals:
    """`add_safe_globals` for a `with` block.

    Args:
        safe_globals: A list of functions and classes.

    >>> import rushlight as torch
    >>> with torch.serialization.safe_globals([complex]):
    ...     complex in torch.serialization.get_safe_globals()
    True
    >>> complex in torch.serialization.get_safe_globals()
    False
    """

    def __init__(self, safe_globals):
        self.safe_globals = safe_globals

    def __enter__(self):
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exception):
        _weights_only_unpickler.safe_globals.difference_update(self.safe_globals)


def get_unsafe_globals_in_checkpoint(f) -> list[str]:
    """The full names of what a file `f` (a path, or an open file) mentions that `weights_only=True` does not allow.

    >>> import rushlight as torch
    >>> import fractions, io
    >>> file = io.BytesIO()
    >>> torch.save(fractions.Fraction(1, 2), file)
    >>> _ = file.seek(0)
    >>> torch.serialization.get_unsafe_globals_in_checkpoint(file)
    ['fractions.Fraction']
    """
    with opened(f) as file:
        if not is_zip(file):
            raise ValueError("Expected input to be a checkpoint returned by torch.save")
        with Archive(file) as archive:
            if "constants.pkl" in archive.records:
                raise ValueError("Expected input to be a checkpoint returned by torch.save but got a torchscript checkpoint")
            names = _weights_only_unpickler.GlobalsFinder(io.BytesIO(archive.read("data.pkl"))).names()
    return list(names - _weights_only_unpickler.allowed().keys() - _weights_only_unpickler.allowed_by_user().keys())


for _name in __all__:
    globals()[_name].__module__ = __name__  # (pickles and messages name this place)
