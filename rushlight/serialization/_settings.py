"""What can be set about saving and loading, for the process, the thread or a `with` block."""

import threading
from enum import Enum


class LoadEndianness(Enum):
    """The byte order of files that do not tell theirs.

    >>> import rushlight as torch
    >>> torch.serialization.LoadEndianness.LITTLE.name
    'LITTLE'
    """

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class Settings:
    """What `set_crc32_options` and its kin set."""

    crc32 = True
    endianness: LoadEndianness | None = None
    mmap = False
    mmap_flags = 2  # mmap.MAP_PRIVATE
    alignment = 64  # of the storages in a file, so that it may be mapped into memory
    calculated_offsets = pinned = False  # (of the ways in which others read and write)


class ThreadSettings(threading.local):
    skip_data = False


within = ThreadSettings()


def get_crc32_options() -> bool:
    """Whether `save` notes a checksum of each record.

    >>> import rushlight as torch
    >>> torch.serialization.get_crc32_options()
    True
    """
    return Settings.crc32


def set_crc32_options(compute_crc32: bool):
    """Says whether `save` notes a checksum of each record (`compute_crc32`); without, damage goes unnoticed.

    >>> import rushlight as torch
    >>> torch.serialization.set_crc32_options(True)
    """
    Settings.crc32 = compute_crc32


def get_default_load_endianness():
    """The byte order of files that do not tell theirs; None is little.

    >>> import rushlight as torch
    >>> print(torch.serialization.get_default_load_endianness())
    None
    """
    return Settings.endianness


def set_default_load_endianness(endianness):
    """Sets the byte order of files that do not tell theirs: `endianness`, a `LoadEndianness`, or None.

    >>> import rushlight as torch
    >>> torch.serialization.set_default_load_endianness(None)
    """
    if not isinstance(endianness, LoadEndianness) and endianness is not None:
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    Settings.endianness = endianness


def get_default_mmap_options():
    """The flags with which `load(mmap=True)` maps files.

    >>> import rushlight as torch
    >>> import mmap
    >>> torch.serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
    True
    """
    return Settings.mmap_flags


class set_default_mmap_options:
    """Sets, as a function or for a `with` block, the `flags` with which `load(mmap=True)` maps files:
    mmap.MAP_PRIVATE or MAP_SHARED.

    >>> import rushlight as torch
    >>> import mmap
    >>> with torch.serialization.set_default_mmap_options(mmap.MAP_SHARED):
    ...     torch.serialization.get_default_mmap_options() == mmap.MAP_SHARED
    True
    """

    def __init__(self, flags: int) -> None:
        if flags not in (1, 2):
            raise ValueError(
                f"Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, but got {flags}"
            )
        self.before, Settings.mmap_flags = Settings.mmap_flags, flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception) -> None:
        Settings.mmap_flags = self.before


class skip_data:
    """In its `with` block `save` leaves holes where the bytes of storages would be, and `load` leaves storages zero.

    `materialize_fake_tensors` is for tensors of a compiler.

    >>> import rushlight as torch
    >>> import io
    >>> file = io.BytesIO()
    >>> with torch.serialization.skip_data():
    ...     torch.save(torch.ones(2), file)
    >>> file.tell() > 0
    True
    """

    def __init__(self, materialize_fake_tensors: bool = False):
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self):
        self.before, within.skip_data = within.skip_data, True

    def __exit__(self, *exception):
        within.skip_data = self.before
