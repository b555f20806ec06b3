"""The functions of torch, by another name that programs have for them."""

import rushlight


def __getattr__(name):
    return getattr(rushlight, name)
