"""Saving and loading: PyTorch's file format, readable both ways. Loading never runs code that a file brings."""

import io
import os
import pickle
import sys
import zipfile

from rushlight import core
from rushlight._weights_pickle import STORAGE_TYPES, Reader, StorageType, StoredMemory, Writer
from rushlight.core import device

__all__ = ["load", "save"]

ALIGNMENT = 64
"""Of the storages in a file, so that it may be mapped into memory."""


def save(obj, f, pickle_module=pickle, pickle_protocol=2, _use_new_zipfile_serialization=True):
    """Writes tensors, and containers of them, to a file that PyTorch reads too.

    `f` is a path or a file-like object open for writing. Tensors that share memory share it in the file, and after loading. Of modules and
    optimizers save the `state_dict()`.

    >>> import io, rushlight
    >>> file = io.BytesIO()
    >>> rushlight.save({"weight": rushlight.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> rushlight.load(file)
    {'weight': tensor([1., 1.])}
    """
    if not _use_new_zipfile_serialization:
        raise RuntimeError("torch.save: only the zip format is written; leave _use_new_zipfile_serialization out")
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    storages, places = [], {}

    def reference(storage, dtype):
        """The persistent id of a storage."""
        address = storage.data_ptr(), len(storage)
        place = places.setdefault(address, len(storages))
        if place == len(storages):
            storages.append((storage, dtype))
        elif storages[place][1] is not dtype and len(storage):
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        return "storage", STORAGE_TYPES[dtype], str(place), "cpu", len(storage) // dtype.itemsize

    described = io.BytesIO()
    Writer(described, pickle_protocol, reference).dump(obj)
    stem = "archive" if hasattr(f, "write") else os.path.splitext(os.path.basename(os.fspath(f)))[0] or "archive"
    with zipfile.ZipFile(f, "w", zipfile.ZIP_STORED) as archive:
        put(archive, f"{stem}/data.pkl", described.getvalue())
        put(archive, f"{stem}/byteorder", sys.byteorder.encode())
        for place, (storage, _) in enumerate(storages):
            put(archive, f"{stem}/data/{place}", storage.__reduce__()[1][0])
        put(archive, f"{stem}/version", b"3\n")


def put(archive, name, content):
    """Adds a record whose content begins at a multiple of ALIGNMENT."""
    record = zipfile.ZipInfo(name)
    begin = archive.start_dir + zipfile.sizeFileHeader + len(name.encode()) + 4
    padding = -begin % ALIGNMENT
    record.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
    archive.writestr(record, content)


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Reads what `save` (or PyTorch's) has written.

    `f` is a path or a file-like object open for reading, which can seek. `map_location` says where tensors go that were saved elsewhere;
    there is only the CPU. Files with other objects than tensors, parameters and Python's containers, numbers and strings are refused,
    whatever `weights_only` says: nothing in a file is ever run.
    """
    unknown = pickle_load_args.keys() - {"encoding"}
    if unknown:
        raise TypeError(f"load() got an unexpected keyword argument '{min(unknown)}'")
    if mmap:
        raise RuntimeError("torch.load: files are read, not mapped into memory; leave mmap out")
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return load_archive(file, map_location)
    for method in ("read", "seek", "tell"):
        if not hasattr(f, method):
            raise AttributeError(
                f"'{type(f).__name__}' object has no attribute '{method}'. You can only torch.load from a file that is seekable. Please "
                "pre-load the data into a buffer like io.BytesIO and try to load from it instead."
            )
    return load_archive(f, map_location)


def load_archive(file, map_location):
    start = file.tell()
    first = file.read(4)
    file.seek(start)
    if not first:
        raise EOFError("Ran out of input")
    if first != b"PK\x03\x04":
        raise RuntimeError(
            "torch.load: the file is not in the zip format that torch.save writes since PyTorch 1.6; older files and plain pickles are not read"
        )
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise RuntimeError(f"PytorchStreamReader failed reading zip archive: {error}") from None
    with archive:
        return read_archive(archive, map_location)


def read_archive(archive, map_location):
    names = archive.namelist()
    stem = names[0].split("/", 1)[0] if names else ""
    records = {name[len(stem) + 1 :]: name for name in names if name.startswith(stem + "/")}
    if "constants.pkl" in records:
        raise RuntimeError("torch.load: the file is a TorchScript program, which is not supported")
    if "data.pkl" not in records:
        raise RuntimeError("PytorchStreamReader failed locating file data.pkl: file not found")

    def content(name):
        if name not in records:
            raise RuntimeError(f"PytorchStreamReader failed locating file {name}: file not found")
        if archive.getinfo(records[name]).compress_type != zipfile.ZIP_STORED:
            raise RuntimeError(f"torch.load: the record {name} is compressed")
        return archive.read(records[name])

    if "byteorder" in records and content("byteorder").decode() != sys.byteorder:
        raise RuntimeError(
            f"torch.load: the file was written on a machine of the other byte order ({content('byteorder').decode()})"
        )
    loaded = {}

    def memory_of(reference):
        """The storage that a persistent id names."""
        if type(reference) is not tuple or len(reference) != 5 or reference[0] != "storage":
            raise pickle.UnpicklingError(f"Weights only load failed. A persistent id that is no storage: {reference!r}")
        _, kind, key, location, count = reference
        if not isinstance(kind, StorageType) or type(key) is not str or type(count) is not int:
            raise pickle.UnpicklingError(f"Weights only load failed. A storage of unknown type: {reference!r}")
        if key not in loaded:
            raw = content(f"data/{key}")
            if len(raw) < count * kind.dtype.itemsize:
                raise RuntimeError(
                    f"torch.load: the record data/{key} has {len(raw)} bytes, not {count} elements of {kind.dtype}"
                )
            if kind.dtype.name == "bool":
                raw = raw.translate(AS_BOOLS)
            loaded[key] = core.storage_from_bytes(raw)
            check_location(map_location, StoredMemory(loaded[key], kind.dtype), location)
        return StoredMemory(loaded[key], kind.dtype)

    return Reader(memory_of).read(content("data.pkl"))


AS_BOOLS = bytes([0] + [1] * 255)
"""A byte that is neither 0 nor 1 is no bool."""


def check_location(map_location, memory, location):
    """Raises where a storage is to go elsewhere than to the CPU."""
    if callable(map_location):
        map_location(memory.storage, location)
        return
    if isinstance(map_location, dict):
        location = map_location.get(location, location)
    elif map_location is not None:
        location = map_location
    kind = location.type if isinstance(location, device) else str(location).split(":")[0]
    if kind == "cuda":
        raise RuntimeError(
            "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are running on a CPU-only "
            "machine, please use torch.load with map_location=torch.device('cpu') to map your storages to the CPU."
        )
    if kind != "cpu":
        raise RuntimeError(
            f"don't know how to restore data location of torch.storage.UntypedStorage (tagged with {location}): there is only the CPU"
        )
