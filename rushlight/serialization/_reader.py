"""The archive that `torch.save` writes, as programs that read or write it themselves see it."""

import contextlib
import os
import sys
import uuid
import weakref
import zipfile

from rushlight import core
from rushlight.serialization._archive import Archive, put

__all__ = ["PyTorchFileReader", "PyTorchFileWriter"]


class PyTorchFileWriter:
    """Writes records to a file or a buffer, in a folder of the file's name; `write_end_of_file` ends it.

    Args:
        name: The file, or its name.
        compute_crc32: Whether records have checksums: they do.
        storage_alignment: At which multiples of bytes records begin.

    >>> import rushlight as torch
    >>> import io
    >>> writer = torch.PyTorchFileWriter(io.BytesIO())
    >>> writer.write_record("note", b"hello", 5); writer.write_end_of_file()
    >>> "note" in writer.get_all_written_records()
    True
    """

    __module__ = "torch"

    def __init__(self, name, compute_crc32=True, storage_alignment=64):
        is_path = isinstance(name, (str, os.PathLike))
        folder = os.path.dirname(os.path.abspath(name)) if is_path else ""
        if is_path and not os.path.isdir(folder):
            raise RuntimeError(f"Parent directory {folder} does not exist.")
        self._folder = os.path.splitext(os.path.basename(name))[0] if is_path else "archive"
        self._archive = zipfile.ZipFile(name, "w", zipfile.ZIP_STORED)
        self._id = f"{uuid.uuid4().int:040d}"
        self._written = set()

    def archive_name(self):
        """The name of the folder."""
        return self._folder

    def serialization_id(self):
        """The number that tells what was written; there is none before the end."""
        return self._id if ".data/serialization_id" in self._written else ""

    def get_all_written_records(self):
        """The names of the records so far."""
        return set(self._written)

    def write_record(self, name, data, size):
        """Writes the first `size` bytes of `data`: bytes, a text or a storage."""
        content = data.encode() if isinstance(data, str) else memoryview(data)
        self._written.add(name)
        put(self._archive, f"{self._folder}/{name}", bytes(content[:size]))

    def write_end_of_file(self):
        """Writes what every file has, and closes it."""
        for name, content in (
            ("version", b"3\n"),
            ("byteorder", sys.byteorder.encode()),
            (".data/serialization_id", self._id.encode()),
        ):
            if name not in self._written:
                self.write_record(name, content, len(content))
        self._archive.close()


@contextlib.contextmanager
def open_writer(name_or_buffer):
    """A writer in a `with` block, at whose end the file ends."""
    writer = PyTorchFileWriter(name_or_buffer)
    yield writer
    writer.write_end_of_file()


@contextlib.contextmanager
def open_reader(name_or_buffer):
    """A reader in a `with` block."""
    yield PyTorchFileReader(name_or_buffer)


class PyTorchFileReader:
    """The records of a file: `get_record("data.pkl")` and the like, without the name of the folder that they lie in.

    Args:
        name: The file, or its name.

    >>> import rushlight as torch
    >>> import io
    >>> file = io.BytesIO()
    >>> torch.save(torch.ones(2), file)
    >>> "data.pkl" in torch.PyTorchFileReader(file).get_all_records()
    True
    """

    __module__ = "torch._C"

    def __init__(self, name):
        if isinstance(name, (str, os.PathLike)):
            name = open(name, "rb")  # noqa: SIM115 # (closed with the reader)
            weakref.finalize(self, name.close)
        self._archive = Archive(name)
        if not self._archive.names:
            raise RuntimeError("PytorchStreamReader failed reading zip archive: no file in it")

    def archive_name(self):
        """The name of the folder."""
        return self._archive.stem

    def has_record(self, name):
        """Whether there is such a record."""
        return name in self._archive.records

    def get_record(self, name):
        """The bytes of a record."""
        return self._archive.read(name)

    def get_all_records(self):
        """The names of all records."""
        return list(self._archive.records)

    def get_record_offset(self, name):
        """Where the bytes of a record begin in the file."""
        return self._archive.span(name)[1]

    def get_storage_from_record(self, name, numel, dtype):
        """A tensor of the bytes of a record."""
        import rushlight as torch

        data = self.get_record(name)
        size = dtype.itemsize if isinstance(dtype, core.dtype) else 1
        return torch.frombuffer(bytearray(data), dtype=dtype, count=min(numel, len(data) // size))

    def serialization_id(self):
        """The number that tells what was written."""
        return self.get_record(".data/serialization_id").decode() if self.has_record(".data/serialization_id") else ""

    def version(self):
        """The version of the format."""
        return int(self.get_record("version"))
