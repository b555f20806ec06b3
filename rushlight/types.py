"""Names for annotations: what functions take for a size, a number, a device, a file."""

import builtins
import os
from collections.abc import Sequence
from typing import IO, Union

from rushlight.core import Size, Tensor, device, dtype, layout
from rushlight.storage import TypedStorage, UntypedStorage

__all__ = ["Device", "FileLike", "Number", "Storage"]

_int, _float, _bool, _complex = builtins.int, builtins.float, builtins.bool, builtins.complex
_dtype, _device, _layout = dtype, device, layout
_size = Union[Size, list[int], tuple[int, ...]]  # noqa: UP007
_symsize = _size
Number = int | float | bool
Device = device | str | int | None
FileLike = Union[str, os.PathLike[str], IO[bytes]]  # noqa: UP007
Storage = UntypedStorage | TypedStorage
_TensorOrTensors = Tensor | Sequence[Tensor]
_TensorOrOptionalTensors = Tensor | Sequence[Tensor | None]
IntLikeType, FloatLikeType, BoolLikeType = int, float, bool
