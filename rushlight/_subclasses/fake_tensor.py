"""Tensors without values, which a compiler would compute with: there are none."""


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
