"""Saving and loading: PyTorch's file formats, readable both ways. Loading runs nothing of a file, unless `weights_only=False` trusts it."""

import io
import os
import pickle
import re
import struct
import sys
import tarfile
import threading
import uuid
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from enum import Enum
from types import FunctionType, ModuleType

import rushlight
from rushlight import _names, _utils, _weights_only_unpickler, core
from rushlight._weights_only_unpickler import DamagedFile, StorageType, UnpicklingError
from rushlight.core import device
from rushlight.ops._return_types import ReturnType
from rushlight.storage import STORAGES, TypedStorage, UntypedStorage, elements_of, storage_name, storage_over, uint8

__all__ = [
    "LoadEndianness",
    "StorageType",
    "add_safe_globals",
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
_get_layout = core.layout_named  # (files name it so)
DEFAULT_PROTOCOL = 2
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
ALIGNMENT = 64
"""Of the storages in a file, so that it may be mapped into memory."""

MOST_COMPRESSION = 1032
"""How many bytes deflate makes of one, at most."""

UNSAFE_MESSAGE = (
    "In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load` from `False` to `True`. Re-running "
    "`torch.load` with `weights_only` set to `False` will likely succeed, but it can result in arbitrary code execution. Do it only if you "
    "got the file from a trusted source."
)
CORRUPTED = (
    "If you are seeing this error, there is a high likelihood that your checkpoint file is corrupted. This can happen if the checkpoint was "
    "not saved properly, was transferred incorrectly, or the file was modified after saving."
)


class LoadEndianness(Enum):
    """The byte order of files that do not tell theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


class Settings:
    """What `set_crc32_options` and its kin set."""

    crc32 = True
    endianness: LoadEndianness | None = None
    mmap_flags = 2  # mmap.MAP_PRIVATE


class ThreadSettings(threading.local):
    skip_data = False


within = ThreadSettings()


def get_crc32_options() -> bool:
    """Whether `save` notes a checksum of each record."""
    return Settings.crc32


def set_crc32_options(compute_crc32: bool):
    """Says whether `save` notes a checksum of each record; without, damage goes unnoticed."""
    Settings.crc32 = compute_crc32


def get_default_load_endianness():
    """The byte order of files that do not tell theirs; None is little."""
    return Settings.endianness


def set_default_load_endianness(endianness):
    """Sets the byte order of files that do not tell theirs."""
    if not isinstance(endianness, LoadEndianness) and endianness is not None:
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    Settings.endianness = endianness


def get_default_mmap_options():
    """The flags with which `load(mmap=True)` maps files."""
    return Settings.mmap_flags


class set_default_mmap_options:
    """Sets, as a function or for a `with` block, the flags with which `load(mmap=True)` maps files: mmap.MAP_PRIVATE or MAP_SHARED."""

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
    """In its `with` block `save` leaves holes where the bytes of storages would be, and `load` leaves storages zero."""

    def __init__(self, materialize_fake_tensors: bool = False):
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self):
        self.before, within.skip_data = within.skip_data, True

    def __exit__(self, *exception):
        within.skip_data = self.before


def add_safe_globals(safe_globals) -> None:
    """Allows functions and classes, or pairs of one and its full name in files, where `load` reads with `weights_only=True`.

    >>> import rushlight
    >>> rushlight.serialization.add_safe_globals([slice])
    >>> rushlight.serialization.get_safe_globals()
    [<class 'slice'>]
    >>> rushlight.serialization.clear_safe_globals()
    """
    _weights_only_unpickler.safe_globals.update(safe_globals)


def get_safe_globals() -> list:
    """What `add_safe_globals` has allowed."""
    return list(_weights_only_unpickler.safe_globals)


def clear_safe_globals() -> None:
    """Forgets what `add_safe_globals` has allowed."""
    _weights_only_unpickler.safe_globals.clear()


class safe_globals:
    """`add_safe_globals` for a `with` block."""

    def __init__(self, safe_globals):
        self.safe_globals = safe_globals

    def __enter__(self):
        add_safe_globals(self.safe_globals)

    def __exit__(self, *exception):
        _weights_only_unpickler.safe_globals.difference_update(self.safe_globals)


def get_unsafe_globals_in_checkpoint(f) -> list[str]:
    """The full names of what a file mentions that `weights_only=True` does not allow."""
    with opened(f) as file:
        if not is_zip(file):
            raise ValueError("Expected input to be a checkpoint returned by torch.save")
        with Archive(file) as archive:
            if "constants.pkl" in archive.records:
                raise ValueError("Expected input to be a checkpoint returned by torch.save but got a torchscript checkpoint")
            names = _weights_only_unpickler.GlobalsFinder(io.BytesIO(archive.read("data.pkl"))).names()
    return list(names - _weights_only_unpickler.allowed().keys() - _weights_only_unpickler.allowed_by_user().keys())


# ---------------------------------------------------------------------------------------------------------- where storages go
places: list = []


def register_package(priority, tagger, deserializer):
    """Adds a kind of place, asked in the order of priorities: `tagger(storage)` and `deserializer(storage, location)` return None where
    it is not theirs."""
    places.append((priority, tagger, deserializer))
    places.sort(key=lambda place: place[0])


def location_tag(storage):
    """What a file calls the place of a storage."""
    for _, tagger, _ in places:
        if location := tagger(storage):
            return location
    raise RuntimeError("don't know how to determine data location of " + rushlight.typename(storage))


def default_restore_location(storage, location):
    """The storage at the place that a file, or `map_location`, names."""
    for _, _, deserializer in places:
        restored = deserializer(storage, location)
        if restored is not None:
            return restored
    raise RuntimeError(f"don't know how to restore data location of {rushlight.typename(storage)} (tagged with {location})")


def refuse_place(storage, location):
    """Places that PyTorch knows and Rushlight, which has the CPU alone, does not."""
    found = re.match(r"(cuda|xpu|hpu|mtia|privateuseone)(:|[0-9]|$)", location)
    advice = "If you are running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to the CPU."
    if found and found[1] in ("cuda", "xpu", "mtia"):
        kind = found[1]
        raise RuntimeError(
            f"Attempting to deserialize object on a {kind.upper()} device but torch.{kind}.is_available() is False. {advice}"
        )
    if found:
        raise RuntimeError(f"The {found[1].upper()} device module is not registered. {advice}")
    if location.startswith("mps") or location == "meta":
        raise RuntimeError(f"torch.UntypedStorage(): Storage device not recognized: {location}")


register_package(10, lambda storage: "cpu", lambda storage, location: storage if location == "cpu" else None)
register_package(20, lambda storage: None, refuse_place)


def restorer(map_location):
    """`map_location` as a function of a storage and its location."""
    if map_location is None:
        return default_restore_location
    if isinstance(map_location, dict):
        return lambda storage, location: default_restore_location(storage, map_location.get(location, location))
    if isinstance(map_location, (str, device)):
        return lambda storage, location: default_restore_location(storage, str(map_location))

    def restore(storage, location):
        restored = map_location(storage, location)
        return default_restore_location(storage, location) if restored is None else restored

    return restore


def normalize_storage_type(storage_type):
    """The class of the package of the same name."""
    return getattr(rushlight, storage_type.__name__)


def storage_to_tensor_type(storage):
    """FloatTensor for a FloatStorage, and so on."""
    return core.tensor_types[storage.dtype]


# ---------------------------------------------------------------------------------------------------------- files
@contextmanager
def opened(f):
    """A file to read from, of a path or as it was given."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            yield file
        return
    try:
        f.seek(f.tell())
    except (io.UnsupportedOperation, AttributeError) as error:
        if "seek" not in str(error) and "tell" not in str(error):
            raise
        raise type(error)(
            f"{error}. You can only torch.load from a file that is seekable. Please pre-load the data into a buffer like io.BytesIO and try "
            "to load from it instead."
        ) from None
    yield f


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
        stem = self.names[0].partition("/")[0] if self.names else ""
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


def read_exactly(file, memory):
    """Fills a buffer from a file."""
    done, size = 0, memory.nbytes
    while done < size:
        if hasattr(file, "readinto"):
            count = file.readinto(memory[done:])
        else:
            content = file.read(size - done)
            count = len(content)
            memory[done : done + count] = content
        if not count:
            raise RuntimeError(f"unexpected EOF, expected {size - done} more bytes. The file might be corrupted.")
        done += count


# ---------------------------------------------------------------------------------------------------------- saving
def save(
    obj,
    f,
    pickle_module=pickle,
    pickle_protocol=DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization=True,
    _disable_byteorder_record=False,
):
    """Writes any object that pickles to a file that PyTorch reads too.

    `f` is a path or a file-like object open for writing. Tensors that share memory share it in the file, and after loading. Save the
    `state_dict()` of modules and optimizers, and numbers, strings and containers: `load` reads other objects only with
    `weights_only=False`, which runs what the file says.

    >>> import io, rushlight
    >>> file = io.BytesIO()
    >>> rushlight.save({"weight": rushlight.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> rushlight.load(file)
    {'weight': tensor([1., 1.])}
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


class SavedStorages:
    """The storages of one file, and the references by which its pickle names them."""

    def __init__(self, in_archive):
        self.in_archive = in_archive
        self.all = {}  # key -> storage and dtype
        self.keys = {}
        self.dtypes = {}
        self.modules = set()

    def reference(self, obj):
        """The persistent id of a storage; None for other objects."""
        if isinstance(obj, TypedStorage):
            storage, dtype, kind = obj._untyped_storage, obj.dtype, STORAGES[storage_name(obj.dtype)]
        elif isinstance(obj, UntypedStorage):
            storage, dtype, kind = obj, uint8, UntypedStorage
        else:
            return None
        if len(storage) and self.dtypes.setdefault(storage.data_ptr(), dtype) is not dtype:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        key = self.keys.setdefault(storage._cdata, str(len(self.keys)))
        self.all[key] = storage, dtype
        reference = "storage", kind, key, location_tag(storage), len(storage) // dtype.itemsize
        return reference if self.in_archive else (*reference, None)


def pickler_of(pickle_module):
    """A pickler that leaves storages to `reference`, and calls what is Rushlight's by PyTorch's names."""
    # Python's own pickler lets names be chosen; that in C does not.
    base = pickle._Pickler if pickle_module is pickle else pickle_module.Pickler
    others_override = getattr(base, "reducer_override", lambda self, obj: NotImplemented)

    class Pickler(base):
        def __init__(self, file, protocol, reference):
            self.reference = reference
            super().__init__(file, protocol=protocol)

        def persistent_id(self, obj):
            return self.reference(obj)

        def reducer_override(self, obj):
            # (Functions have a way of their own in the pickler, unless a name is given for them here.)
            if type(obj) is FunctionType and _names.in_torch(obj, obj.__qualname__):
                return obj.__qualname__
            if isinstance(obj, ReturnType):
                return type(obj), (tuple(obj), {})
            return others_override(self, obj)

        def save_global(self, obj, name=None):
            found = _names.in_torch(obj, name or getattr(obj, "__qualname__", None) or obj.__name__)
            if found is None:
                return super().save_global(obj, name)
            self.write(pickle.GLOBAL + "".join(f"{part}\n" for part in found).encode())
            self.memoize(obj)
            return None

    return Pickler


def write_archive(file, stem, described, storages, with_byte_order):
    records = {"data.pkl": described, ".format_version": b"1", ".storage_alignment": str(ALIGNMENT).encode()}
    if with_byte_order:
        records["byteorder"] = sys.byteorder.encode()
    records |= {f"data/{key}": memoryview(storage) for key, (storage, _) in storages.items()}
    records |= {"version": b"3\n", ".data/serialization_id": f"{uuid.uuid4().int:040d}".encode()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in records.items():
            if within.skip_data and name.startswith("data/"):
                content = bytes(len(content))
            put(archive, f"{stem}/{name}", content)


def put(archive, name, content):
    """Adds a record whose content begins at a multiple of ALIGNMENT."""
    record = zipfile.ZipInfo(name)
    begin = archive.start_dir + zipfile.sizeFileHeader + len(name.encode()) + 4
    if len(content) >= zipfile.ZIP64_LIMIT:
        begin += 20
    padding = -begin % ALIGNMENT
    record.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
    archive.writestr(record, content)
    if not Settings.crc32:
        record.CRC = 0


def write_legacy(file, described, storages, pickle_module, protocol):
    sizes = {"short": struct.calcsize("=h"), "int": struct.calcsize("=i"), "long": struct.calcsize("=l")}
    about = {"protocol_version": PROTOCOL_VERSION, "little_endian": sys.byteorder == "little", "type_sizes": sizes}
    for value in (MAGIC_NUMBER, PROTOCOL_VERSION, about):
        pickle_module.dump(value, file, protocol=protocol)
    file.write(described)
    keys = sorted(storages)
    pickle_module.dump(keys, file, protocol=protocol)
    for key in keys:
        storage, dtype = storages[key]
        file.write(struct.pack("<q", len(storage) // dtype.itemsize))
        file.write(memoryview(storage))


# ---------------------------------------------------------------------------------------------------------- loading
def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Reads what `save` (or PyTorch's) has written.

    `f` is a path or a file-like object open for reading, which can seek. `map_location` says where storages go that were saved elsewhere:
    a place, a dict of places, or a function of a storage and its place in the file. Unless `weights_only` is False, nothing in the file
    runs, and objects other than tensors, parameters and Python's containers, numbers and strings are refused, but for those that
    `serialization.add_safe_globals` allows. With `weights_only=False` the file is trusted as a program is: any object may come, and
    `pickle_load_args` go to the unpickler. With `mmap` the bytes of tensors are read from the file when they are first used.
    """
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
        warnings.warn(
            "Environment variable TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected, since the`weights_only` argument was not explicitly passed to "
            "`torch.load`, forcing weights_only=False.",
            UserWarning,
            stacklevel=2,
        )
        weights_only = False
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if weights_only and pickle_load_args:
        warnings.warn("pickle_load_args only works if `weights_only=False`.", stacklevel=2)
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


def with_advice(message):
    """The text of an error of a file that is not of weights only."""
    if re.search(r"GLOBAL (\S+) was not an allowed global by default.", message):
        text = (
            "Weights only load failed. This file can still be loaded, to do so you have two options, \033[1mdo those steps only if you trust "
            f"the source of the checkpoint\033[0m. \n\t(1) {UNSAFE_MESSAGE}\n\t(2) Alternatively, to load with `weights_only=True` please "
            f"check the recommended steps in the following error message.\n\tWeightsUnpickler error: {message}"
        )
    else:
        text = f"Weights only load failed. {UNSAFE_MESSAGE}\n"
        if not re.search(r"whose module (\S+) is blocked", message):
            text += (
                "Please file an issue with the following so that we can make `weights_only=True` compatible with your use case: "
                "WeightsUnpickler error: "
            )
        text += f"\n\n{message}"
    return text + (
        "\n\nCheck the documentation of torch.load to learn more about types accepted by default with weights_only "
        "https://pytorch.org/docs/stable/generated/torch.load.html."
    )


def unpickler_of(reader, persistent_load):
    """An unpickler of a module such as pickle, that knows PyTorch's names."""

    class Unpickler(reader.Unpickler):
        def persistent_load(self, reference):
            return persistent_load(reference)

        def find_class(self, module, name):
            if name in STORAGES:
                return StorageType(name)
            if module == "torch.tensor":
                module = "torch._tensor"  # (until version 1.8)
            return super().find_class(_names.in_package(module) or module, name)

    return Unpickler


def text_of(value):
    """What Python 2 wrote as a string, and `encoding="bytes"` reads as bytes."""
    return value.decode("latin1") if isinstance(value, bytes) else value


def checked_reference(reference, length):
    """The members of a storage's persistent id: dtype, key, location, number of bytes, and the rest."""
    if not isinstance(reference, tuple):
        raise DamagedFile(f"saved_id must be a tuple, got {type(reference).__name__}")
    if len(reference) != length or text_of(reference[0]) != "storage":
        raise DamagedFile(f"Unknown typename for persistent_load, expected 'storage' but got {reference!r}")
    _, kind, key, location, count, *rest = reference
    dtype = uint8 if kind is UntypedStorage else getattr(kind, "dtype", None)
    key, location = text_of(key), text_of(location)
    if not isinstance(dtype, core.dtype) or type(key) is not str or type(location) is not str or type(count) is not int:
        raise DamagedFile(f"A storage of unknown type, place or size: {reference!r}")
    if not 0 <= count * dtype.itemsize < 2**63:
        raise DamagedFile(f"A storage of {count} elements")
    return dtype, key, location, count * dtype.itemsize, *rest


def checked_bools(storage, dtype):
    """A byte that is neither 0 nor 1 is no bool."""
    if dtype.name == "bool" and len(storage) and elements_of(storage).max() > 1:
        elements_of(storage).clamp_(max=1)


def restored(storage, dtype, location, restore):
    """A storage where `map_location` wants it, with its dtype."""
    place = restore(storage, location)
    if isinstance(place, TypedStorage):
        place = place._untyped_storage
    if not isinstance(place, UntypedStorage):
        raise TypeError(f"Argument 'wrap_storage' must be UntypedStorage, but got {type(place)}")
    return TypedStorage(wrap_storage=place, dtype=dtype, _internal=True)


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


def load_legacy(file, map_location, reader, arguments):
    """Reads the formats before version 1.6: pickles one behind another, then the bytes of each storage."""
    if hasattr(file, "fileno") and file.tell() == 0:
        try:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                return load_tar(archive, map_location, reader, arguments)
        except tarfile.TarError:
            file.seek(0)
    restore, loaded = restorer(map_location), {}
    start = file.tell()
    end = file.seek(0, io.SEEK_END)
    file.seek(start)

    def storage_of(reference):
        if type(reference) is tuple and reference and text_of(reference[0]) == "module":
            return reference[1]  # a class of modules, with its source
        dtype, key, location, nbytes, view = checked_reference(reference, 6)
        if key not in loaded:
            if nbytes > end:
                raise RuntimeError(f"unexpected EOF, expected a storage of {nbytes} bytes. The file might be corrupted.")
            loaded[key] = restored(UntypedStorage(nbytes).fill_(0), dtype, location, restore)
        if view is None:
            return loaded[key]
        if type(view) is not tuple or len(view) != 3 or not all(type(number) is int for number in view[1:]):
            raise RuntimeError(f"A view of a storage: {view!r}")
        view_key, offset, count = view
        if view_key not in loaded:
            whole, first, last = loaded[key]._untyped_storage, offset * dtype.itemsize, (offset + count) * dtype.itemsize
            if not 0 <= first <= last <= len(whole):
                raise RuntimeError(f"A view of a storage that reaches beyond it: {view!r}")
            loaded[view_key] = TypedStorage(wrap_storage=whole[first:last], dtype=dtype, _internal=True)
        return loaded[view_key]

    def next_value():
        return reader.load(file, **arguments)

    if next_value() != MAGIC_NUMBER:
        raise RuntimeError("Invalid magic number; corrupt file?")
    version = next_value()
    if version != PROTOCOL_VERSION:
        raise RuntimeError(f"Invalid protocol version: {version}")
    next_value()  # about the machine that wrote
    result = unpickler_of(reader, storage_of)(file, **arguments).load()
    keys = next_value()
    if within.skip_data:
        return result
    if type(keys) is not list:
        raise RuntimeError(f"The keys of storages are no list but {type(keys).__name__}")
    for key in map(text_of, keys):
        if type(key) is not str or key not in loaded:
            raise RuntimeError(f"storage key {key!r} not found in deserialized_objects")
        read_storage(file, loaded[key]._untyped_storage, loaded[key].dtype)
    return result


def read_storage(file, storage, dtype):
    """Fills a storage with the bytes that follow in the file."""
    count = bytearray(8)
    read_exactly(file, memoryview(count))
    count = struct.unpack("<q", count)[0]
    if count * dtype.itemsize != len(storage):
        raise RuntimeError(f"storage has wrong byte size: expected {len(storage)} got {count * dtype.itemsize}")
    read_exactly(file, memoryview(storage))
    checked_bools(storage, dtype)


def load_tar(archive, map_location, reader, arguments):
    """Reads the first format: a tar archive of storages, tensors and a pickle that names them."""
    if reader is _weights_only_unpickler:
        raise RuntimeError(f"Cannot use ``weights_only=True`` with files saved in the legacy .tar format. {UNSAFE_MESSAGE}")
    restore, loaded = restorer(map_location), {}
    Reader = unpickler_of(reader, lambda reference: reference[0] if isinstance(reference, tuple) else loaded[int(reference)])
    file = archive.extractfile("storages")
    for _ in range(Reader(file, **arguments).load()):
        key, location, kind = Reader(file, **arguments).load()
        storage = UntypedStorage(struct.unpack("<q", file.read(8))[0] * kind.dtype.itemsize)
        read_exactly(file, memoryview(storage))
        loaded[key] = restored(storage, kind.dtype, location, restore)
    for target, root, offset, count in Reader(file, **arguments).load():
        whole, size = loaded[root], loaded[root].dtype.itemsize
        part = whole._untyped_storage[offset * size : (offset + count) * size]
        loaded[target] = TypedStorage(wrap_storage=part, dtype=whole.dtype, _internal=True)
    file = archive.extractfile("tensors")
    for _ in range(Reader(file, **arguments).load()):
        key, storage, _ = Reader(file, **arguments).load()
        ndim = struct.unpack("<i4x", file.read(8))[0]
        size, stride = (struct.unpack(f"<{ndim}q", file.read(8 * ndim)) for _ in range(2))
        loaded[key] = _utils._rebuild_tensor(loaded[storage], struct.unpack("<q", file.read(8))[0], size, stride)
    return Reader(archive.extractfile("pickle"), **arguments).load()
