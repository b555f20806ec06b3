"""The formats before version 1.6: pickles one behind another, then the bytes of each storage; and a tar archive, before that."""

import io
import struct
import sys
import tarfile

from rushlight import _utils, _weights_only_unpickler
from rushlight.storage import TypedStorage, UntypedStorage

from ._advice import UNSAFE_MESSAGE
from ._bytes import read_exactly, read_numbers
from ._places import restorer
from ._references import checked_bools, checked_reference, restored, text_of, unpickler_of
from ._settings import within

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001


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
            whole = loaded[key]  # (of no bytes it may be named by several dtypes)
            return (
                whole if whole.dtype is dtype else TypedStorage(wrap_storage=whole._untyped_storage, dtype=dtype, _internal=True)
            )
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
    (count,) = read_numbers(file, 1)
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
        storage = UntypedStorage(read_numbers(file, 1)[0] * kind.dtype.itemsize)
        read_exactly(file, memoryview(storage))
        loaded[key] = restored(storage, kind.dtype, location, restore)
    for target, root, offset, count in Reader(file, **arguments).load():
        whole, size = loaded[root], loaded[root].dtype.itemsize
        part = whole._untyped_storage[offset * size : (offset + count) * size]
        loaded[target] = TypedStorage(wrap_storage=part, dtype=whole.dtype, _internal=True)
    file = archive.extractfile("tensors")
    for _ in range(Reader(file, **arguments).load()):
        key, storage, _ = Reader(file, **arguments).load()
        ndim = read_numbers(file, 1)[0] & 0xFFFFFFFF  # (4 bytes, and 4 that mean nothing)
        size, stride, (offset,) = read_numbers(file, ndim), read_numbers(file, ndim), read_numbers(file, 1)
        loaded[key] = _utils._rebuild_tensor(loaded[storage], offset, size, stride)
    return Reader(archive.extractfile("pickle"), **arguments).load()
