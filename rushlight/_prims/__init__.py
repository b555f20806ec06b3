"""What PyTorch's reference implementations are made of; here only what they ask of dtypes."""

from rushlight import _prims_common as utils

__all__ = ["utils"]
