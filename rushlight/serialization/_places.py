"""Where storages go: the places that files name, and `map_location`."""

import re

import rushlight
from rushlight import core
from rushlight._tensor_types import tensor_types
from rushlight.core import device

_package_registry: list = []


def register_package(priority, tagger, deserializer):
    """Adds a kind of place, asked in the order of `priority`.

    `tagger(storage)` and `deserializer(storage, location)` return None where it is not theirs.

    >>> import rushlight as torch
    >>> torch.serialization.register_package(30, lambda storage: None, lambda storage, location: None)
    """
    _package_registry.append((priority, tagger, deserializer))
    _package_registry.sort(key=lambda place: place[0])


def location_tag(storage):
    """What a file calls the place of a `storage`.

    >>> import rushlight as torch
    >>> torch.serialization.location_tag(torch.ones(2).untyped_storage())
    'cpu'
    """
    for _, tagger, _ in _package_registry:
        if location := tagger(storage):
            return location
    raise RuntimeError("don't know how to determine data location of " + rushlight.typename(storage))


def default_restore_location(storage, location):
    """The `storage` at the place `location` that a file, or `map_location`, names; RuntimeError where there is no such place.

    >>> import rushlight as torch
    >>> storage = torch.ones(2).untyped_storage()
    >>> torch.serialization.default_restore_location(storage, "cpu") is storage
    True
    """
    for _, _, deserializer in _package_registry:
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
    if location.startswith("mps"):
        raise RuntimeError(f"torch.UntypedStorage(): Storage device not recognized: {location}")


def without_memory(storage, location):
    """A storage without memory, for location "meta"."""
    return core.empty_storage(len(storage), "meta") if location == "meta" else None


register_package(10, lambda storage: str(storage.device), lambda storage, location: storage if location == "cpu" else None)
register_package(15, lambda storage: None, without_memory)
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
    """The class of the package of the same name as `storage_type`.

    >>> import rushlight as torch
    >>> torch.serialization.normalize_storage_type(torch.FloatStorage) is torch.FloatStorage
    True
    """
    return getattr(rushlight, storage_type.__name__)


def storage_to_tensor_type(storage):
    """FloatTensor for a `storage` that is a FloatStorage, and so on.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.serialization.storage_to_tensor_type(torch.FloatStorage([1.0])).__name__
    'FloatTensor'
    """
    return tensor_types[storage.dtype]
