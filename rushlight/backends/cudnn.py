"""A library of a device that is not there: what programs set is remembered, and nothing depends on it."""

import contextlib

enabled = True
deterministic = False
benchmark = False
benchmark_limit = 10
allow_tf32 = True


def is_available() -> bool:
    """False."""
    return False


def version():
    """None."""
    return None


def is_acceptable(tensor) -> bool:
    """False: no tensor lies on such a device."""
    return False


@contextlib.contextmanager
def flags(enabled=False, benchmark=False, benchmark_limit=10, deterministic=False, allow_tf32=True):
    """Sets them all for a `with` block."""
    given = dict(locals())
    before = {name: globals()[name] for name in given}
    globals().update(given)
    try:
        yield
    finally:
        globals().update(before)
