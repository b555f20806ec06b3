"""Tensors without values, which a compiler would compute with: there are none."""

import contextlib


class UnsupportedFakeTensorException(RuntimeError):
    """What cannot be done without values."""


class FakeTensor:
    """A tensor without values: there is none."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("torch._subclasses.FakeTensor: Rushlight compiles nothing and has no tensors without values")


class FakeTensorMode:
    """A context in which tensors would have no values."""

    def __init__(self, *args, **kwargs):
        raise RuntimeError("torch._subclasses.FakeTensorMode: Rushlight compiles nothing and has no tensors without values")


def is_fake(x) -> bool:
    """False."""
    return False


def maybe_get_fake_mode(t):
    """None: the mode that a tensor without values belongs to."""


@contextlib.contextmanager
def unset_fake_temporarily():
    """A context outside of the mode of tensors without values, which is None."""
    yield None
