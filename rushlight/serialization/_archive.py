"""The format of today: a zip archive of a pickle and the bytes of each storage."""

import io
import os
import struct
import sys
import uuid
import zipfile
import zlib

from rushlight import _weights_only_unpickler
from rushlight._untyped_storage import storage_over
from rushlight.storage import TypedStorage, UntypedStorage

from ._advice import CORRUPTED, UNSAFE_MESSAGE
from ._bytes import read_exactly
from ._places import restorer
from ._references import checked_bools, checked_reference, restored, unpickler_of
from ._settings import LoadEndianness, Settings, within

MOST_COMPRESSION = 1032
"""How many bytes deflate makes of one, at most."""


def is_zip(file):
    start = file.tell()
    first = file.read(4)
    file.seek(start)
    return first == b"PK\x03\x04"


class Archive:
    """A file in the zip format, read: records by the names that they have within its only folder."""

    def __init__(self, file):
        self.file = file
        end = file.seek(0, io.SEEK_END)
        try:
            self.zip = zipfile.ZipFile(file)
            self.names = self.zip.namelist()
        except (
            zipfile.BadZipFile,
            struct.error,
            ValueError,
            NotImplementedError,
            ArithmeticError,
            LookupError,
            OSError,
        ) as error:
            reason = "failed finding central directory" if "not a zip file" in str(error) else f"{error}"
            raise RuntimeError(f"PytorchStreamReader failed reading zip archive: {reason}. {CORRUPTED}") from None
        self.end = end
        self.stem = stem = self.names[0].partition("/")[0] if self.names else ""
        self.records = {name[len(stem) + 1 :]: name for name in self.names if name.startswith(stem + "/")}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.zip.close()

    def damaged(self, name, reason):
        return RuntimeError(f"PytorchStreamReader failed reading file {name}: {reason}. {CORRUPTED}")

    def span(self, name):
        """What the archive tells about a record, and where its content begins."""
        if name not in self.records:
            raise RuntimeError(f"PytorchStreamReader failed locating file {name}: file not found. {CORRUPTED}")
        record = self.zip.getinfo(self.records[name])
        if record.flag_bits & 1 or record.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise self.damaged(name, "it is encrypted, or compressed by an unknown method")
        if record.compress_type == zipfile.ZIP_STORED and record.compress_size != record.file_size:
            raise self.damaged(name, f"it has {record.compress_size} bytes, not {record.file_size}")
        if record.file_size > MOST_COMPRESSION * (record.compress_size + 1):
            raise self.damaged(name, f"{record.compress_size} bytes cannot unfold to {record.file_size}")
        if not 0 <= record.header_offset <= self.end - 30:
            raise self.damaged(name, "its header lies outside the file")
        self.file.seek(record.header_offset)
        header = self.file.read(30)
        if header[:4] != b"PK\x03\x04":
            raise self.damaged(name, "invalid header or archive is corrupted")
        begin = record.header_offset + 30 + sum(struct.unpack("<HH", header[26:30]))
        if begin + record.compress_size > self.end:
            raise self.damaged(name, "it reaches beyond the end of the file")
        return record, begin

    def read_into(self, name, memory):
        """Reads a record's content into a buffer of its size."""
        record, begin = self.span(name)
        self.file.seek(begin)
        if record.compress_type == zipfile.ZIP_STORED:
            read_exactly(self.file, memory)
        else:
            try:
                content = zlib.decompressobj(-15).decompress(self.file.read(record.compress_size), record.file_size + 1)
            except zlib.error as error:
                raise self.damaged(name, str(error)) from None
            if len(content) != record.file_size:
                raise self.damaged(name, f"{record.file_size} bytes are announced, and {len(content)} are there")
            memory[:] = content
        # (A checksum of 0 is that of a writer that was told to note none.)
        if record.CRC and zlib.crc32(memory) != record.CRC:
            raise self.damaged(name, "its content does not fit its checksum")

    def read(self, name):
        content = bytearray(self.span(name)[0].file_size)
        self.read_into(name, memoryview(content))
        return bytes(content)


def write_archive(file, stem, described, storages, with_byte_order):
    records = {"data.pkl": described, ".format_version": b"1", ".storage_alignment": str(Settings.alignment).encode()}
    if with_byte_order:
        records["byteorder"] = sys.byteorder.encode()
    records |= {f"data/{key}": memoryview(storage) for key, (storage, _) in storages.items()}
    records |= {"version": b"3\n", ".data/serialization_id": f"{uuid.uuid4().int:040d}".encode()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in records.items():
            left_out = within.skip_data and name.startswith("data/")
            # (Whoever fills it in later could not mend a checksum.)
            put(archive, f"{stem}/{name}", bytes(len(content)) if left_out else content, not left_out)


def put(archive, name, content, with_checksum=True):
    """Adds a record whose content begins at a multiple of the alignment."""
    record = zipfile.ZipInfo(name)
    begin = archive.start_dir + zipfile.sizeFileHeader + len(name.encode()) + 4
    if len(content) >= zipfile.ZIP64_LIMIT:
        begin += 20
    padding = -begin % Settings.alignment
    record.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
    archive.writestr(record, content)
    if not (with_checksum and Settings.crc32):
        record.CRC = 0


def load_archive(archive, f, map_location, reader, mmap, arguments):
    if "constants.pkl" in archive.records:
        if reader is _weights_only_unpickler:
            raise RuntimeError(
                f"Cannot use ``weights_only=True`` with TorchScript archives passed to ``torch.load``. {UNSAFE_MESSAGE}"
            )
        raise RuntimeError("torch.load: the file is a TorchScript program, which Rushlight does not run")
    if mmap and not isinstance(f, (str, os.PathLike)):
        raise ValueError("f must be a file path in order to use the mmap argument")
    order = archive.read("byteorder") if "byteorder" in archive.records else None
    if order not in (None, b"little", b"big"):
        raise RuntimeError(f"Unknown endianness type: {order!r}")
    if order is None:
        order = {LoadEndianness.BIG: b"big", LoadEndianness.NATIVE: sys.byteorder.encode()}.get(Settings.endianness, b"little")
    mapped = map_file(f) if mmap else None
    restore, loaded = restorer(map_location), {}

    def storage_of(reference):
        dtype, key, location, nbytes = checked_reference(reference, 5)
        if key in loaded:
            return TypedStorage(wrap_storage=loaded[key]._untyped_storage, dtype=dtype, _internal=True)
        record, begin = archive.span(f"data/{key}")
        if record.file_size != nbytes:
            raise RuntimeError(
                f"record size ({record.file_size} bytes) does not match expected size ({nbytes} bytes = {nbytes} elements * 1 bytes/element) "
                "for dtype Byte"
            )
        if within.skip_data:
            storage = UntypedStorage(nbytes).fill_(0)
        elif mapped is not None and record.compress_type == zipfile.ZIP_STORED:
            storage = storage_over(mapped[begin : begin + nbytes])
        else:
            storage = UntypedStorage(nbytes)
            archive.read_into(f"data/{key}", memoryview(storage))
        if order.decode() != sys.byteorder:
            storage.byteswap(dtype)
        checked_bools(storage, dtype)
        loaded[key] = restored(storage, dtype, location, restore)
        return loaded[key]

    return unpickler_of(reader, storage_of)(io.BytesIO(archive.read("data.pkl")), **arguments).load()


def map_file(path):
    """The bytes of a file, mapped into memory."""
    import mmap

    with open(path, "rb" if Settings.mmap_flags == mmap.MAP_PRIVATE else "r+b") as file:
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        return memoryview(mmap.mmap(file.fileno(), 0, flags=Settings.mmap_flags, prot=protection))
