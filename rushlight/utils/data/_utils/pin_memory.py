"""Copies of what a batch holds in pinned memory, which accelerators read from."""

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence

from rushlight.core import Tensor


def pin_memory(data, device=None):
    """`data` with every tensor in it pinned; what is not a tensor, a container, or something with `pin_memory` of its own stays."""
    if isinstance(data, Tensor):
        return data.pin_memory()
    if hasattr(data, "pin_memory"):
        return data.pin_memory()
    if isinstance(data, (str, bytes)):
        return data
    if isinstance(data, Mapping):
        pinned = {key: pin_memory(value, device) for key, value in data.items()}
        if isinstance(data, MutableMapping):
            made = copy.copy(data)
            made.update(pinned)
            return made
        try:
            return type(data)(pinned)
        except TypeError:
            return pinned
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return type(data)(*(pin_memory(value, device) for value in data))
    if isinstance(data, tuple):
        return [pin_memory(value, device) for value in data]
    if isinstance(data, Sequence):
        items = [pin_memory(value, device) for value in data]
        if isinstance(data, MutableSequence):
            made_sequence = copy.copy(data)
            for place, item in enumerate(items):
                made_sequence[place] = item
            return made_sequence
        try:
            return type(data)(items)
        except TypeError:
            return items
    return data
