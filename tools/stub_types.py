"""What the signatures of the op table do not say: the types of parameters, by their names, and of results that are no single tensor.

Everything is written with names that no function or method hides (`_int`, `_dtype`): see PREAMBLE.
"""

import re

from rushlight import core


def as_written(annotation):
    """The type that an annotation names, as stubs write it: by names that no function or method hides."""
    text = "None" if annotation is None else getattr(annotation, "__name__", None) or str(annotation)
    text = str(annotation) if "[" in str(annotation) else text
    text = re.sub(r"[\"']|\b(?!builtins\b)[a-z_]+\.", "", text).replace("bint", "bool")
    return re.sub(r"(?<![\w.])(bool|complex|dtype|device|float|int|layout|memory_format)\b", r"_\1", text)


def annotated(function):
    """What the annotation of a function says that it returns, as stubs write it; None where it says nothing."""
    annotations = getattr(function, "__annotations__", {})
    return as_written(annotations["return"]) if "return" in annotations else None


def type_of_kinds(kinds):
    """The type of a parameter of some kinds."""
    return " | ".join(dict.fromkeys(part for kind in kinds for part in KINDS[kind.rstrip("?")].split(" | ")))


def each(names, value):
    """The same value for several names."""
    return dict.fromkeys(names.split(), value)


HOOK = "Callable[..., Any] | Callable[[Tensor], Any]"
"""(Were it of one kind, mypy would look for the type of a list that a lambda fills, and know none.)"""
DIMS = "_int | Sequence[_int]"
SIZE = "Sequence[_int]"
VALUE = "Tensor | Number"

KINDS = {
    "Tensor": "Tensor",
    "Tensor/Number": VALUE,
    "Number": "Number",
    **each("int index", "_int"),
    **each("ints sizes", SIZE),
    **each("ints[1] sizes[1]", DIMS),
    **each("tensors tensors[2] tensors[3] tensors[4]", "Sequence[Tensor]"),
    "numbers": "Sequence[Number]",
    "floats": "Sequence[_float]",
    "pinned": "_bool",
    **each("float bool dtype layout memory_format", ""),
    "str": "str",
    "device": "_device | str | _int",
    "generator": "Generator",
    "storage": "Storage",
    "object": "Any",
}
"""The type of a kind of ops/_signatures.py."""
KINDS.update({kind: f"_{kind}" for kind, text in KINDS.items() if not text})

PARAMETERS = {
    **each(
        "a b x1 x2 input input1 input2 tensor indices target anchor positive negative weight pos_weight var logits new_state out",
        "Tensor",
    ),
    **each("dim num_groups seed padding_idx", "_int"),
    **each("eps momentum max_norm tau threshold", "_float"),
    **each("log_input size_average reduce", "_bool"),
    **each("dims split_size_or_sections", DIMS),
    "shape": SIZE,
    "distance_function": "Callable[[Tensor, Tensor], Tensor]",
    "dtype": "_dtype",
}
"""The type of a parameter by its name, where no signature says it; `| None` is added where that is the default. What is not here goes by its default."""

PARAMETERS_OF = {
    **each("norm", {"p": "_float | str", "dim": DIMS}),
    **each("index_put index_put_", {"indices": "Sequence[Tensor | None]"}),
    "matrix_norm": {"dim": "tuple[_int, _int]"},
    "gaussian_nll_loss": {"var": "Tensor | _float"},
}
"""By the name of the function, where its signatures do not say it."""

TUPLE = "tuple[Tensor, ...]"
RESULTS = {
    **each("ndimension nelement", "_int"),
    **each("unique unique_consecutive tolist numpy atleast_1d atleast_2d atleast_3d", "Any"),
    "_nnz": "_int",
    "is_pinned": "_bool",
    "is_contiguous": "_bool",
    "manual_seed": "Generator",
    "fork_rng": "AbstractContextManager[None]",
}
"""The result of functions that return no tensor, or several, and have no annotation that says so."""

OVERLOADS = {
    "where": [
        "(condition: Tensor) -> tuple[Tensor, ...]",
        f"(condition: Tensor, input: {VALUE}, other: {VALUE}, *, out: Tensor | None = None) -> Tensor",
    ],
    "nonzero": [
        "(input: Tensor, *, out: Tensor | None = None, as_tuple: Literal[False] = False) -> Tensor",
        "(input: Tensor, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]",
    ],
    "einsum": [
        "(equation: str, *operands: Tensor | Sequence[Tensor]) -> Tensor",
        "(operand: Tensor, sublist: Sequence[_int], *more: Tensor | Sequence[_int]) -> Tensor",
    ],
}
"""Functions whose arguments decide what they return, or that take their arguments in several orders."""

METHODS = {
    "size": ["(self) -> Size", "(self, dim: _int) -> _int"],
    "stride": ["(self) -> tuple[_int, ...]", "(self, dim: _int) -> _int"],
    "as_subclass": ["(self, cls: builtins.type[_T]) -> _T"],
    "_make_subclass": ["(cls: builtins.type[_T], data: Tensor, require_grad: _bool = False, **more: Any) -> _T"],
    **each("register_hook register_post_accumulate_grad_hook", [f"(self, hook: {HOOK}) -> RemovableHandle"]),
    "storage": ["(self) -> Any"],
    "storage_type": ["(self) -> builtins.type[Any]"],
    "where": [f"(self, condition: Tensor, other: {VALUE}) -> Tensor"],
    "nonzero": [
        "(self, *, as_tuple: Literal[False] = False) -> Tensor",
        "(self, *, as_tuple: Literal[True]) -> tuple[Tensor, ...]",
    ],
    "type": ["(self) -> str", "(self, dtype: _dtype | str, non_blocking: _bool = False, **keywords: Any) -> Self"],
    "new": ["(self, *arguments: Any, device: Any = None) -> Tensor"],
    "cuda": ["(self, device: Any = None, non_blocking: _bool = False, memory_format: _memory_format = ...) -> Tensor"],
    "__new__": ["(cls, *arguments: Any, device: Any = None) -> Self"],
    "__deepcopy__": ["(self, memo: dict[_int, Any]) -> Self"],
    "__dlpack_device__": ["(self) -> tuple[_int, _int]"],
    "__torch_function__": ["(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any"],
    **{
        name: [f"(self, other: {VALUE}) -> {'Self' if name.startswith('__i') else 'Tensor'}"]
        for name, _ in core.operator_methods()
    },
    **each("__eq__ __ne__", ["(self, other: Any) -> Tensor:  # type: ignore[override]"]),
}
"""The methods of Tensor that an annotation or signature would not describe."""
CLASS_METHODS, STATIC_METHODS = {"__torch_function__"}, {"_make_subclass"}
ANNOTATED = ("__dlpack__", "__format__", "__reversed__", "_indices", "_nnz", "_values")
"""Methods by which Python's own functions and other libraries ask for something, and those with an underscore that programs call."""

PREAMBLE = """
import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, Self, TypeAlias, TypeVar, overload

from rushlight._handles import RemovableHandle as RemovableHandle

_T = TypeVar("_T")
_int: TypeAlias = builtins.int
_float: TypeAlias = builtins.float
_bool: TypeAlias = builtins.bool
_complex: TypeAlias = builtins.complex
Number: TypeAlias = builtins.int | builtins.float | builtins.complex

class device:
    type: str
    index: int | None
    def __new__(cls, type: str | device | int, index: int | None = None) -> device: ...
    def __enter__(self) -> device: ...
    def __exit__(self, *exception: object) -> None: ...

class layout: ...
class memory_format: ...

_dtype: TypeAlias = dtype
_device: TypeAlias = device
_layout: TypeAlias = layout
_memory_format: TypeAlias = memory_format

dtype_by_name: dict[str, dtype]

def from_dlpack(ext_tensor: Any, **more: Any) -> Tensor: ...
""".strip()
"""The compiled module's small nouns."""
