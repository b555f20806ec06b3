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
        for kind in (
            *(optim.ASGD, optim.Adadelta, optim.Adagrad, optim.Adam, optim.AdamW, optim.Adamax, optim.NAdam, optim.RAdam),
            *(optim.RMSprop, optim.Rprop, optim.SGD),
        )
    }
)
