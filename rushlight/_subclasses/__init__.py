"""Tensors without values, which a compiler would compute with: there are none."""

from rushlight._subclasses.fake_tensor import FakeTensor, FakeTensorMode, UnsupportedFakeTensorException

__all__ = ["FakeTensor", "FakeTensorMode", "UnsupportedFakeTensorException"]
