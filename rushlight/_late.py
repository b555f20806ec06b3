"""Parts that a program may never ask for: they are imported when it does, so that importing the package stays quick."""

import sys
from importlib import import_module


def late(package, places, missing=None):
    """A `__getattr__` for `package`: `places` has, for each name, the module that it is, or that module and its name there.

    What is in none of the places goes to `missing(name, package)`, which returns the error to raise.
    """

    def attribute(name):
        place = places.get(name)
        if place is None:
            raise missing(name, package) if missing else AttributeError(f"module '{package}' has no attribute '{name}'")
        module, _, inner = place.partition(":")
        value = import_module(module)
        if inner:
            value = getattr(value, inner)
        setattr(sys.modules[package], name, value)
        return value

    return attribute
