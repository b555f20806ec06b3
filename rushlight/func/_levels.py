"""Levels: what a transform of functions (forward mode, vmap) is made of.

A transform enters a `Level`, wraps the inputs with `wrap`, calls the function and takes the outputs apart. Meanwhile the core hands
every op that has an argument wrapped at this level to `process`; within it, `run` computes at the level below. Recording for backward
on the wrappers, grad mode of what is within, and ops that do not concern the level, are the core's business.

>>> import rushlight as torch
>>> class Doubling(Level):
...     def process(self, op, arguments, keywords):
...         return self.wrap(run(op, tuple(within(self, a) for a in arguments), keywords) * 2)
>>> with Doubling() as level:
...     result = level.wrap(torch.tensor([1., 2.])) + 1
>>> within(level, result)
tensor([4., 6.])
"""

from rushlight import core
from rushlight.core import run

__all__ = ["Level", "aspect_of", "is_wrapped_at", "run", "within"]


class Level(core.Level):
    """A transform; subclasses say in `process` what an op does."""

    def wrap(self, value, aspect=None):
        """`value` as this level's program sees it; an int as `aspect` is the dimension that it does not see."""
        return core.wrap(self, value, aspect)


def is_wrapped_at(level, value):
    """Whether `value` is a tensor of this level."""
    return type(value) is core.Wrapped and value.level is level


def within(level, value):
    """What is within a tensor of this level; anything else as it is. Lists and tuples are looked through."""
    if type(value) is core.Wrapped:
        return value.value if value.level is level else value
    if type(value) is list or type(value) is tuple:
        return type(value)([within(level, item) for item in value])
    return value


def aspect_of(level, value):
    """What this level adds to `value` (a batch dimension, a tangent), or None."""
    return value.aspect if is_wrapped_at(level, value) else None
