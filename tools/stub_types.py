"""What the signatures of the op table do not say: the types of parameters, by their names, and of results that are no single tensor.

Everything is written with names that no function or method hides (`_int`, `_dtype`): see PREAMBLE.
"""

from rushlight import core


def each(names, value):
    """The same value for several names."""
    return dict.fromkeys(names.split(), value)


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
        "a b x1 x2 input input1 input2 tensor indices target anchor positive negative weight pos_weight var logits self new_state out",
        "Tensor",
    ),
    **each("dim num_groups seed padding_idx", "_int"),
    **each("eps momentum max_norm tau threshold", "_float"),
    **each("log_input size_average reduce", "_bool"),
    **each("dims split_size_or_sections", DIMS),
    "shape": SIZE,
    "distance_function": "Callable[[Tensor, Tensor], Tensor]",
    "dtype": "_dtype",
    "device": "_device | str | _int",
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
    **each("is_complex is_conj is_contiguous is_floating_point is_inference is_neg is_pinned is_signed", "_bool"),
    **each("data_ptr dim element_size get_device ndimension nelement numel storage_offset", "_int"),
    **each("unique unique_consecutive tolist numpy atleast_1d atleast_2d atleast_3d item", "Any"),
    "retain_grad": "None",
    "can_cast": "_bool",
    **each("promote_types result_type", "_dtype"),
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

MEMBERS = {
    "shape": "Size",
    "dtype": "_dtype",
    "device": "_device",
    "layout": "_layout",
    "data": "Tensor",
    "grad": "Tensor | None",
    "grad_dtype": "_dtype | None",
    "grad_fn": "Node | None",
    "_base": "Tensor | None",
    **each("T H mT mH real imag", "Tensor"),
    **each("ndim itemsize nbytes output_nr _version __array_priority__", "_int"),
    **each(
        "requires_grad is_leaf retains_grad is_cuda is_sparse is_quantized is_mkldnn is_meta is_mps is_nested is_xpu is_sparse_csr "
        "is_ipu is_maia is_mtia is_vulkan is_xla is_cpu",
        "_bool",
    ),
    "names": "tuple[None, ...]",
    "name": "None",
}
"""The properties of Tensor."""
WRITABLE = {"data", "grad", "grad_dtype", "requires_grad"}

METHODS = {
    "size": ["(self) -> Size", "(self, dim: _int) -> _int"],
    "stride": ["(self) -> tuple[_int, ...]", "(self, dim: _int) -> _int"],
    **each("is_shared _is_view", ["(self) -> _bool"]),
    "detach": ["(self) -> Tensor"],
    "detach_": ["(self) -> Self"],
    "register_hook": ["(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle"],
    "register_post_accumulate_grad_hook": ["(self, hook: Callable[[Tensor], None]) -> RemovableHandle"],
    "as_subclass": ["(self, cls: builtins.type[_T]) -> _T"],
    "_make_subclass": ["(cls: builtins.type[_T], data: Tensor, require_grad: _bool = False, **more: Any) -> _T"],
    "backward": [
        "(self, gradient: Tensor | None = None, retain_graph: _bool | None = None, create_graph: _bool = False, "
        "inputs: Tensor | Sequence[Tensor] | None = None) -> None"
    ],
    "is_distributed": ["(self) -> _bool"],
    "is_set_to": ["(self, tensor: Tensor) -> _bool"],
    "record_stream": ["(self, stream: Any) -> None"],
    "dim_order": ["(self, *, ambiguity_check: _bool | list[memory_format] = False) -> tuple[_int, ...]"],
    "module_load": ["(self, other: Tensor, assign: _bool = False) -> Tensor"],
    "reinforce": ["(self, reward: Any) -> None"],
    "resize": ["(self, *sizes: _int) -> Tensor"],
    "resize_as": ["(self, tensor: Tensor) -> Tensor"],
    **each("eig symeig", ["(self, eigenvectors: _bool = False) -> tuple[Tensor, Tensor]"]),
    **each("lstsq solve", ["(self, other: Tensor) -> tuple[Tensor, Tensor]"]),
    "untyped_storage": ["(self) -> Storage"],
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
    "__len__": ["(self) -> _int"],
    "__bool__": ["(self) -> _bool"],
    "__float__": ["(self) -> _float"],
    "__int__": ["(self) -> _int"],
    "__complex__": ["(self) -> _complex"],
    "__index__": ["(self) -> _int"],
    "__hash__": ["(self) -> _int"],
    "__iter__": ["(self) -> Iterator[Tensor]"],
    "__reversed__": ["(self) -> Tensor"],
    "__contains__": ["(self, element: Any) -> _bool"],
    "__getitem__": ["(self, index: Any) -> Tensor"],
    "__setitem__": [f"(self, index: Any, value: {VALUE}) -> None"],
    "__format__": ["(self, specification: str) -> str"],
    "__deepcopy__": ["(self, memo: dict[_int, Any]) -> Self"],
    "__dlpack__": ["(self, *, stream: Any = None, max_version: Any = None, dl_device: Any = None, copy: Any = None) -> Any"],
    "__dlpack_device__": ["(self) -> tuple[_int, _int]"],
    "__torch_function__": ["(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any"],
    **each("__neg__ __pos__ __abs__ __invert__", ["(self) -> Tensor"]),
    **{
        name: [f"(self, other: {VALUE}) -> {'Self' if name.startswith('__i') else 'Tensor'}"]
        for name, _ in core.operator_methods()
    },
    **each("__eq__ __ne__", ["(self, other: Any) -> Tensor:  # type: ignore[override]"]),
}
"""The methods of Tensor that are compiled in, or that a signature would not describe."""
CLASS_METHODS, STATIC_METHODS = {"__torch_function__"}, {"_make_subclass"}

PREAMBLE = """
import builtins
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, Self, TypeAlias, TypeVar, overload

_T = TypeVar("_T")
_int: TypeAlias = builtins.int
_float: TypeAlias = builtins.float
_bool: TypeAlias = builtins.bool
_complex: TypeAlias = builtins.complex
Number: TypeAlias = builtins.int | builtins.float | builtins.complex

class dtype:
    name: str
    itemsize: int
    is_floating_point: bool
    is_complex: bool
    is_signed: bool
    def to_real(self) -> dtype: ...
    def to_complex(self) -> dtype: ...
    def __getattr__(self, name: str) -> Any: ...

class device:
    type: str
    index: int | None
    def __new__(cls, type: str | device | int, index: int | None = None) -> device: ...
    def __enter__(self) -> device: ...
    def __exit__(self, *exception: object) -> None: ...

class layout: ...
class memory_format: ...

class Size(tuple[int, ...]):
    def numel(self) -> int: ...

class Storage:
    def __len__(self) -> int: ...
    def data_ptr(self) -> int: ...

class Generator:
    def __init__(self, device: device | str | None = None) -> None: ...
    device: _device
    def manual_seed(self, seed: int) -> Generator: ...
    def seed(self) -> int: ...
    def initial_seed(self) -> int: ...
    def get_state(self) -> Tensor: ...
    def set_state(self, new_state: Tensor) -> Generator: ...
    def __getattr__(self, name: str) -> Any: ...

class RemovableHandle:
    id: int
    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None: ...
    def remove(self) -> None: ...
    def __enter__(self) -> RemovableHandle: ...
    def __exit__(self, *exception: object) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Node:
    next_functions: tuple[tuple[Node | None, int], ...]
    metadata: dict[Any, Any]
    source_line: tuple[str, int] | None
    def name(self) -> str: ...
    def register_hook(self, hook: Callable[[Any, Any], Any]) -> RemovableHandle: ...
    def register_prehook(self, hook: Callable[[Any], Any]) -> RemovableHandle: ...
    def __call__(self, *gradients: Tensor | None) -> Any: ...
    def __getattr__(self, name: str) -> Any: ...

_dtype: TypeAlias = dtype
_device: TypeAlias = device
_layout: TypeAlias = layout
_memory_format: TypeAlias = memory_format

dtype_by_name: dict[str, dtype]

def from_numpy(array: Any) -> Tensor: ...
def from_dlpack(ext_tensor: Any, **more: Any) -> Tensor: ...
def get_default_dtype() -> dtype: ...
def set_default_dtype(d: dtype) -> None: ...
def get_num_threads() -> int: ...
def set_num_threads(count: int) -> None: ...
def is_grad_enabled() -> bool: ...
def is_inference_mode_enabled() -> bool: ...
def is_anomaly_enabled() -> bool: ...
def is_anomaly_check_nan_enabled() -> bool: ...
""".strip()
"""The compiled module's small nouns."""
