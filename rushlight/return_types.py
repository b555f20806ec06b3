"""The named tuples that ops with several results return: `torch.return_types.max`."""

from rushlight.ops._return_types import types as _types

globals().update(_types)
