"""The archive that `torch.save` writes, as programs that read it themselves see it."""

import zipfile

from rushlight import core

__all__ = ["PyTorchFileReader"]


class PyTorchFileReader:
    """The records of a file: `get_record("data.pkl")` and the like, without the name of the folder that they lie in."""

    __module__ = "torch._C"

    def __init__(self, name):
        self._archive = zipfile.ZipFile(name)
        names = self._archive.namelist()
        if not names:
            raise RuntimeError("PytorchStreamReader failed reading zip archive: no file in it")
        self._folder = names[0].partition("/")[0]

    def archive_name(self):
        """The name of the folder."""
        return self._folder

    def has_record(self, name):
        """Whether there is such a record."""
        return f"{self._folder}/{name}" in self._archive.NameToInfo

    def get_record(self, name):
        """The bytes of a record."""
        if not self.has_record(name):
            raise RuntimeError(f"PytorchStreamReader failed locating file {name}: file not found")
        return self._archive.read(f"{self._folder}/{name}")

    def get_all_records(self):
        """The names of all records."""
        return [name.partition("/")[2] for name in self._archive.namelist()]

    def get_record_offset(self, name):
        """Where the bytes of a record begin in the file."""
        info = self._archive.NameToInfo[f"{self._folder}/{name}"]
        with open(self._archive.filename or "", "rb") as file:
            file.seek(info.header_offset + 26)
            lengths = file.read(4)
        return info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")

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
