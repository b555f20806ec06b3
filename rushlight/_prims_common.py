"""What programs ask of PyTorch's decompositions: of dtypes, of layouts, and whether an op may be."""

from enum import Enum
from functools import reduce

import rushlight as torch
from rushlight.ops._rules import alert_not_deterministic

__all__ = [
    "ELEMENTWISE_TYPE_PROMOTION_KIND",
    "alert_not_deterministic",
    "dtype_to_type",
    "elementwise_dtypes",
    "is_contiguous_or_false",
]


def is_contiguous_or_false(a) -> bool:
    """Whether the elements of a tensor lie in row-major order.

    >>> import rushlight as torch
    >>> torch._prims_common.is_contiguous_or_false(torch.ones(2, 3).t())
    False
    """
    return a.is_contiguous()


class ELEMENTWISE_TYPE_PROMOTION_KIND(Enum):
    """What the dtype of an element-wise op's result is, by those of its arguments."""

    DEFAULT = (0,)
    NO_OPMATH = (1,)
    INT_TO_FLOAT = (2,)
    ALWAYS_BOOL = (3,)
    COMPLEX_TO_FLOAT = (4,)
    BOOL_TO_LONG = (5,)


_KINDS = (bool, int, float, complex)
_WIDER = {torch.float16: torch.float32, torch.bfloat16: torch.float32, torch.complex32: torch.complex64}


def dtype_to_type(dtype) -> type:
    """Python's type of the numbers of a dtype.

    >>> torch._prims_common.dtype_to_type(torch.float16)
    <class 'float'>
    """
    if not isinstance(dtype, torch.dtype):
        raise AssertionError(f"Expected a torch.dtype, got {type(dtype)}")
    return bool if dtype == torch.bool else float if dtype.is_floating_point else complex if dtype.is_complex else int


def _promoted(args):
    """The dtype of a result of tensors and numbers: tensors with dimensions come first, then those without, and then numbers."""
    default = {
        bool: torch.bool,
        int: torch.int64,
        float: torch.get_default_dtype(),
        complex: torch.get_default_dtype().to_complex(),
    }
    groups: tuple[list, list, list] = ([], [], [])
    for arg in args:
        if isinstance(arg, torch.Tensor):
            groups[arg.dim() == 0].append(arg.dtype)
        elif isinstance(arg, _KINDS):
            groups[2].append(default[type(arg)])
        else:
            raise ValueError(f"Unexpected type {type(arg)} when computing elementwise type promotion!")
    result = None
    for group in filter(None, groups):
        dtype = reduce(torch.promote_types, group)
        if result is None:
            result = dtype
        elif _KINDS.index(dtype_to_type(dtype)) > _KINDS.index(dtype_to_type(result)):
            # (A complex number leaves a tensor its precision.)
            result = result.to_complex() if dtype.is_complex and result.is_floating_point else dtype
    return torch.bool if result is None else result


def elementwise_dtypes(*args, type_promotion_kind):
    """(the dtype that an element-wise op computes in, the dtype of its result), for tensors, numbers and None.

    >>> kind = torch._prims_common.ELEMENTWISE_TYPE_PROMOTION_KIND
    >>> torch._prims_common.elementwise_dtypes(torch.ones(1).half(), 2, type_promotion_kind=kind.DEFAULT)
    (torch.float32, torch.float16)
    """
    kinds = ELEMENTWISE_TYPE_PROMOTION_KIND
    if not isinstance(type_promotion_kind, kinds):
        raise ValueError(f"Unknown type promotion kind {type_promotion_kind}")
    result = _promoted([arg for arg in args if arg is not None])
    if type_promotion_kind is kinds.NO_OPMATH:
        return result, result
    if type_promotion_kind is kinds.INT_TO_FLOAT and not (result.is_floating_point or result.is_complex):
        result = torch.get_default_dtype()
    elif type_promotion_kind is kinds.BOOL_TO_LONG and result == torch.bool:
        result = torch.int64
    computed = _WIDER.get(result, result)
    if type_promotion_kind is kinds.ALWAYS_BOOL:
        return computed, torch.bool
    return computed, result.to_real() if type_promotion_kind is kinds.COMPLEX_TO_FLOAT and result.is_complex else result
