"""What deterministic algorithms do besides: new memory that nothing is written to is filled, with NaN or the greatest integer.

>>> import rushlight as torch
>>> torch.utils.deterministic.fill_uninitialized_memory
True
"""

import sys
import types

from rushlight import _settings


class _Deterministic(types.ModuleType):
    @property
    def fill_uninitialized_memory(self):
        """Whether new memory is filled where `torch.use_deterministic_algorithms` is on."""
        return _settings.is_filling()

    @fill_uninitialized_memory.setter
    def fill_uninitialized_memory(self, fills):
        if type(fills) is not bool:
            raise RuntimeError(f"expected a bool, but got {type(fills).__name__}")
        _settings.set_filling(fills)


sys.modules[__name__].__class__ = _Deterministic
