"""Parts that a program may never ask for: they are imported when it does, so that importing the package stays quick."""

import sys
from importlib import import_module
from types import ModuleType

from rushlight.core import find_names_first
from rushlight.ops import find

TYPE_CHECKING = False  # (checkers take it for true; `typing` is slow to import)
if TYPE_CHECKING:
    from typing import Any


class Package(ModuleType):
    """A module with names that come late. Python is slow to find any name in a module that has a `__getattr__`; in these it looks first."""

    __slots__ = ()


find_names_first(Package)


def _missing(name, package):
    from rushlight._alias import missing

    return missing(name, package)


def late(package, places, missing=None, namespace=None):
    """A `__getattr__` for `package`: `places` has, for each name, the module that it is, or that module and its name there.

    `from package import *` takes what PyTorch's module lists. What is in none of the places may be a function of the op table's `namespace`, which is declared late; else it goes to
    `missing(name, package)`, which returns the error to raise.
    """

    sys.modules[package].__class__ = Package

    def __getattr__(name: str) -> "Any":
        place = places.get(name)
        if name == "__all__":  # (not kept: it is not all that the module has)
            from rushlight._alias import listed

            return listed(package)
        if place is None:
            value = None if namespace is None or name.startswith("__") else find(name, namespace)
            if value is None:
                raise (missing or _missing)(name, package)
        else:
            module, _, inner = place.partition(":")
            value = import_module(module)
            if inner:
                value = getattr(value, inner)
        setattr(sys.modules[package], name, value)
        return value

    return __getattr__
