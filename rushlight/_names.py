"""Where a program finds what this package has: the places that pickles and printed functions name."""

import functools
import sys
from importlib import import_module

from rushlight import core
from rushlight.core import Tensor
from rushlight.ops import connected

PLACES = ("", ".nn.functional", ".linalg", ".special", ".fft", ".autograd", ".func", ".serialization")
"""Modules of public functions, those first where a function that has several names is at home."""


@functools.cache
def functions_of(modules, count):
    """Every function in the given modules by its identity: the place of its module in the package and its name there, or (None, name) of
    a method of Tensor. (Modules grow: `count` tells how many functions were declared.)"""
    found: dict = {}
    for place in modules:
        for name, value in vars(sys.modules[__package__ + place]).items():
            if callable(value) and not isinstance(value, type):
                found.setdefault(id(value), (place, name))
    for name, value in vars(Tensor).items():
        if callable(value):
            found.setdefault(id(value), (None, name))
    return found


def public_functions():
    """Every public function that is there by now."""
    return functions_of(tuple(place for place in PLACES if __package__ + place in sys.modules), sum(connected.values()))


def find_public(function):
    """The module (None: Tensor) and the name under which a function of this package is found."""
    place, name = public_functions().get(id(function)) or ("", function.__name__)
    return None if place is None else core.package_name() + place, name


def in_package(module):
    """The module of this package that a program knows as torch, or as a part of it; None for every other name."""
    for package in ("torch", __package__):
        if module == package or module.startswith(package + "."):
            return __package__ + module[len(package) :]
    return None


def in_torch(obj, name):
    """The module and name of PyTorch's that a file calls an object of this package by; None for what is not the package's."""
    module = in_package(getattr(obj, "__module__", None) or "")
    if module is None:
        return None
    place, public = public_functions().get(id(obj)) or (None, None)
    if place is not None:
        return "torch" + place, public
    try:
        found = import_module(module)
    except ImportError:
        return None
    for part in name.split("."):
        found = getattr(found, part, None)
    return ("torch" + module[len(__package__) :], name) if found is obj else None
