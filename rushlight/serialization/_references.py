"""Pickles of files: storages stand in them as references, and what is Rushlight's has PyTorch's names."""

import pickle
from types import FunctionType

from rushlight import _names, core
from rushlight._untyped_storage import elements_of, uint8
from rushlight._weights_only_unpickler import DamagedFile, StorageType
from rushlight.ops._return_types import ReturnType
from rushlight.storage import STORAGES, TypedStorage, UntypedStorage, storage_name

from ._places import location_tag

# Python's own pickler's ways, as libraries change them for their own (dill changes those of types and sets for every program that imports it).
OWN_WAYS = {
    kind: getattr(pickle._Pickler, f"save_{name}")
    for kind, name in {  # type: ignore[misc]  # (classes of several kinds)
        **{kind: kind.__name__ for kind in (bool, float, bytes, bytearray, str, tuple, list, dict, set, frozenset, type)},
        **{int: "long", type(None): "none", FunctionType: "global", pickle.PickleBuffer: "picklebuffer"},
    }.items()
}


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
        if base is pickle._Pickler:
            dispatch = OWN_WAYS

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
