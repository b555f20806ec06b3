"""Optimizers that take the parameters of a group together, by the names that they had when these were apart."""

import functools

from rushlight import optim


def _together(kind):
    return type(
        kind.__name__, (kind,), {"__init__": functools.partialmethod(kind.__init__, foreach=True), "__doc__": kind.__doc__}
    )


globals().update(
    {
        kind.__name__: _together(kind)
        for kind in (getattr(optim, name) for name in optim.__all__)
        if "foreach" in getattr(kind, "options", ()) and kind is not optim.Adafactor  # (which is newer)
    }
)
