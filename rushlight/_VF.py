"""The functions of torch, by another name that programs have for them."""

from rushlight.ops import layers


def __getattr__(name):
    return getattr(layers, name)
