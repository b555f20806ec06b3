"""Names for annotations that a compiler would read."""

from typing import Any, Dict, List, Optional, Tuple, Union  # noqa: UP035 (programs import them from here)

from rushlight._jit_internal import (
    BroadcastingList1,
    BroadcastingList2,
    BroadcastingList3,
    is_dict,
    is_list,
    is_optional,
    is_tuple,
    is_union,
)
from rushlight.futures import Future

__all__ = ["Any", "BroadcastingList1", "BroadcastingList2", "BroadcastingList3", "Dict", "Future", "List", "Optional", "Tuple", "Union",
           "is_dict", "is_list", "is_optional", "is_tuple", "is_union"]  # fmt: skip
