"""A library that Rushlight does not use, its own kernels standing in its place: what programs set is remembered."""

from rushlight.backends import _Setting, _within

VERBOSE_OFF = 0
VERBOSE_ON = 1
VERBOSE_ON_CREATION = 2
enabled = True
deterministic = False
allow_tf32 = None
fp32_precision = "none"
matmul = _Setting(fp32_precision="none")
conv = _Setting(fp32_precision="none")
rnn = _Setting(fp32_precision="none")


def is_available() -> bool:
    """False."""
    return False


is_acl_available = is_available


class verbose:
    """A context in which the library would tell what it does."""

    def __init__(self, level):
        self.level = level

    def __enter__(self):
        return None if self.level == VERBOSE_OFF else self

    def __exit__(self, exc_type, exc_val, exc_tb):
        return False


def set_flags(_enabled=None, _deterministic=None, _allow_tf32=None, _fp32_precision="none"):
    """Sets those that are given, and returns what all were before."""
    names = globals()
    given = {"enabled": _enabled, "deterministic": _deterministic, "allow_tf32": _allow_tf32}
    before = tuple(names[name] for name in given)
    names.update({name: value for name, value in given.items() if value is not None})
    return (*before, fp32_precision)


def flags(enabled=False, deterministic=False, allow_tf32=True, fp32_precision="none"):
    """Sets them all for a `with` block."""
    return _within(globals(), dict(locals()))
