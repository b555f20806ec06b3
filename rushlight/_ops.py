"""Ops as objects, by the path under which packages ask what kind of thing they have."""

from rushlight import ops
from rushlight.library import OpOverload, OpOverloadPacket

__all__ = ["HigherOrderOperator", "OpOverload", "OpOverloadPacket", "ops"]


class HigherOrderOperator:
    """An op that takes functions, which a compiler would know: Rushlight has none."""

    def __init__(self, name, *, cacheable=False):
        self._name = name

    def name(self):
        """What the op is called."""
        return self._name

    def __call__(self, *args, **kwargs):
        raise NotImplementedError(f"There was no rule registered for HigherOrderOperator {self._name}")
