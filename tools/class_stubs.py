"""Stubs of classes written in Python without annotations: layers and optimizers.

Constructors have the parameters of the source; attributes are those that the source sets from them.
"""

import ast
import inspect
import textwrap

import stub_types as known

PARAMETERS = {
    **known.each(
        "num_features num_channels num_embeddings embedding_dim in_features out_features in1_features in2_features", "_int"
    ),
    **known.each("params", "ParamsT"),
    **known.each("lr", "_float | Tensor"),
    **known.each("betas", "tuple[_float | Tensor, _float | Tensor]"),
    **known.each("alpha beta weight_decay dampening lr_decay initial_accumulator_value init value margin p", "_float"),
    **known.each("foreach fused track_running_stats", "_bool"),
    **known.each("embeddings", "Tensor"),
    "normalized_shape": "_int | Sequence[_int]",
    "unflattened_size": "Sequence[Any]",
    "dim": "_int | str",
    "closure": "Callable[[], Any]",
    "modules": "Any",
    "module": "Module",
    "parameters": "Any",
    "values": "Any",
    "key": "str",
    "keys": "Any",
    "index": "_int | slice",
    "idx": "Any",
}
"""Types of parameters, where those of functions of the same name are others."""

RESULTS = {
    "forward": "Tensor",
    "extra_repr": "str",
    "reset_parameters": "None",
    "reset_running_stats": "None",
    "__len__": "_int",
    "__contains__": "_bool",
    "__setitem__": "None",
    "__delitem__": "None",
    "insert": "Any",
    "append": "Self",
    "extend": "Self",
    "clear": "None",
    "update": "None",
    "from_pretrained": "Self",
}
ITEMS = {
    "_Modules": "Module",
    "Sequential": "Module",
    "ModuleList": "Module",
    "ModuleDict": "Module",
    "ParameterList": "Any",
    "ParameterDict": "Any",
}
"""What containers contain."""
SPECIAL = {"__getitem__", "__iter__", "__len__", "__contains__", "__setitem__", "__delitem__"}

MODULE = """
class Module:
    training: _bool
    call_super_init: _bool
    dump_patches: _bool
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    __call__: Callable[..., Any]
    forward: Callable[..., Any]
    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any) -> None: ...
    def __delattr__(self, name: str) -> None: ...
    def parameters(self, recurse: _bool = True) -> Iterator[Parameter]: ...
    def named_parameters(
        self, prefix: str = "", recurse: _bool = True, remove_duplicate: _bool = True
    ) -> Iterator[tuple[str, Parameter]]: ...
    def buffers(self, recurse: _bool = True) -> Iterator[Tensor]: ...
    def named_buffers(
        self, prefix: str = "", recurse: _bool = True, remove_duplicate: _bool = True
    ) -> Iterator[tuple[str, Tensor]]: ...
    def children(self) -> Iterator[Module]: ...
    def named_children(self) -> Iterator[tuple[str, Module]]: ...
    def modules(self) -> Iterator[Module]: ...
    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: _bool = True
    ) -> Iterator[tuple[str, Module]]: ...
    def add_module(self, name: str, module: Module | None) -> None: ...
    def register_module(self, name: str, module: Module | None) -> None: ...
    def register_parameter(self, name: str, param: Parameter | None) -> None: ...
    def register_buffer(self, name: str, tensor: Tensor | None, persistent: _bool = True) -> None: ...
    def get_parameter(self, target: str) -> Parameter: ...
    def get_buffer(self, target: str) -> Tensor: ...
    def get_submodule(self, target: str) -> Module: ...
    def set_submodule(self, target: str, module: Module, strict: _bool = False) -> None: ...
    def apply(self, fn: Callable[[Module], None]) -> Self: ...
    def train(self, mode: _bool = True) -> Self: ...
    def eval(self) -> Self: ...
    def requires_grad_(self, requires_grad: _bool = True) -> Self: ...
    def zero_grad(self, set_to_none: _bool = True) -> None: ...
    @overload
    def to(self, device: _device | str | _int | None = None, dtype: _dtype | None = None, non_blocking: _bool = False) -> Self: ...
    @overload
    def to(self, dtype: _dtype, non_blocking: _bool = False) -> Self: ...
    @overload
    def to(self, tensor: Tensor, non_blocking: _bool = False) -> Self: ...
    def to_empty(self, *, device: Any, recurse: _bool = True) -> Self: ...
    def type(self, dst_type: _dtype | str) -> Self: ...
    def float(self) -> Self: ...
    def double(self) -> Self: ...
    def half(self) -> Self: ...
    def bfloat16(self) -> Self: ...
    def cpu(self) -> Self: ...
    def cuda(self, device: Any = None) -> Self: ...
    def share_memory(self) -> Self: ...
    def compile(self, *args: Any, **kwargs: Any) -> None: ...
    def state_dict(self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: _bool = False) -> dict[str, Any]: ...
    def load_state_dict(self, state_dict: Mapping[str, Any], strict: _bool = True, assign: _bool = False) -> Any: ...
    def get_extra_state(self) -> Any: ...
    def set_extra_state(self, state: Any) -> None: ...
    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: _bool = False, with_kwargs: _bool = False
    ) -> RemovableHandle: ...
    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: _bool = False, with_kwargs: _bool = False, always_call: _bool = False
    ) -> RemovableHandle: ...
    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle: ...
    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: _bool = False) -> RemovableHandle: ...
    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: _bool = False) -> RemovableHandle: ...
    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle: ...
    def register_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle: ...
    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle: ...
    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle: ...
    def extra_repr(self) -> str: ...
""".strip()


def parameter(p, type_of):
    """One parameter's text; a plain default says more than the name."""
    if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
        return f"{'*' if p.kind is p.VAR_POSITIONAL else '**'}{p.name}: Any"
    given = type(p.default) in (bool, str)
    kind = (
        f"_{type(p.default).__name__}".replace("_str", "str")
        if given
        else PARAMETERS.get(p.name) or type_of("", p.name, p.default)
    )
    if p.default is p.empty:
        return f"{p.name}: {PARAMETERS.get(p.name) or type_of('', p.name, ...).removesuffix(' | None')}"
    kind += " | None" if p.default is None and kind != "Any" and "None" not in kind else ""
    return (
        f"{p.name}: {kind} = {p.default!r}"
        if type(p.default) in (bool, int, float, str, tuple, type(None))
        else f"{p.name}: {kind} = ..."
    )


def parameters(function, type_of):
    texts = []
    for i, p in enumerate(inspect.signature(function).parameters.values()):
        if p.kind is p.KEYWORD_ONLY and "*" not in texts and not any(text.startswith("*") for text in texts):
            texts.append("*")
        texts.append(p.name if i == 0 and p.name in ("self", "cls") else parameter(p, type_of))
    return ", ".join(texts)


def attributes(constructor, type_of):
    """Name -> type of what a constructor puts on the object: its parameters, new parameters, buffers."""
    given = {
        p.name: parameter(p, type_of).partition(": ")[2].partition(" = ")[0]
        for p in inspect.signature(constructor).parameters.values()
    }
    found = {}
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(constructor)))):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Attribute)
            and isinstance(node.targets[0].value, ast.Name)
        ):
            name, value = node.targets[0].attr, node.value
            if isinstance(value, ast.Name) and value.id in given and value.id != "weight":
                found.setdefault(name, given[value.id])
            elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "Parameter":
                found[name] = "Parameter"
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", None) == "register_buffer"
            and isinstance(node.args[0], ast.Constant)
        ):
            found[node.args[0].value] = "Tensor | None"
    return {name: kind for name, kind in sorted(found.items()) if not name.startswith("_")}


def answers_base(function, base):
    """Is it what a base that programs never name asks of its classes?"""
    asked = getattr(base, function.__name__, None)
    return not function.__doc__ and getattr(asked, "__doc__", None) and base.__module__.rpartition(".")[2].startswith("_")


def class_stub(kind, type_of):
    lines = [f"class {kind.__name__}({', '.join(base.__name__ for base in kind.__bases__)}):\n"]
    item = ITEMS.get(kind.__name__, "Any")
    results = {
        **RESULTS,
        "__init__": "None",
        "__getitem__": item,
        "pop": item,
        "__iter__": f"Iterator[{'str' if 'Dict' in kind.__name__ else item}]",
    }
    for name, value in vars(kind).items():
        function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if not inspect.isfunction(function) or (name.startswith("_") and name not in {"__init__", *SPECIAL}):
            continue
        if answers_base(function, kind.__base__):
            continue
        if name == "__init__":
            lines[1:1] = [f"    {own}: {text}\n" for own, text in attributes(function, type_of).items()]
        if isinstance(value, (classmethod, staticmethod)):
            lines.append(f"    @{type(value).__name__}\n")
        texts = parameters(function, type_of)
        if kind.__name__ in ITEMS:
            texts = texts.replace("value: _float", f"value: {item}")
        asked = getattr(kind.__base__, name, None)
        # (Schedules of metrics and L-BFGS take another step than their base.)
        differs = name == "step" and inspect.isfunction(asked) and parameters(asked, type_of) != texts
        ignored = "  # type: ignore[override]" if differs else ""
        lines.append(f"    def {name}({texts}) -> {results.get(name, 'Any')}: ...{ignored}\n")
    return "".join(lines) + ("    ...\n" if len(lines) == 1 else "") + "\n"


def module_stub(module, type_of, home_of):
    """The stub of a file of classes: those that it defines, and what it imports for them to stand on."""
    own = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__]
    bases = {base for kind in own for base in kind.__bases__ if base.__module__ != module.__name__ and base is not object}
    imports = [f"from {home_of(base, base.__name__)} import {base.__name__} as {base.__name__}\n" for base in bases]
    return "".join(sorted(imports)), "".join(class_stub(kind, type_of) for kind in own)
