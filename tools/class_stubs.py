"""Stubs of classes written in Python without annotations: layers and optimizers.

Constructors have the parameters of the source; attributes are those that the source sets from them.
"""

import ast
import dataclasses
import inspect
import re
import textwrap

import stub_types as known

PARAMETERS = {
    **known.each(
        "num_features num_channels num_embeddings embedding_dim in_features out_features in1_features in2_features", "_int"
    ),
    **known.each("params", "ParamsT"),
    **known.each("lr", "_float | Tensor"),
    **known.each("betas", "tuple[_float | Tensor, _float | Tensor]"),
    **known.each("alpha weight_decay dampening lr_decay initial_accumulator_value value p", "_float"),
    **known.each("foreach fused", "_bool"),
    **known.each("embeddings", "Tensor"),
    **known.each("normalized_shape kernel_size stride dilation output_padding", "_int | Sequence[_int]"),
    "padding": "_int | str | Sequence[_int]",
    "unflattened_size": "Sequence[Any]",
    "dim": "_int | str",
    "closure": "Callable[[], Any]",
    "module": "Module | None",
    "tensor": "Tensor | None",
    **known.each("target name key", "str"),
    "hook": known.HOOK,
    "device": "Any",
    **known.each("state_dict", "Mapping[str, Any]"),
    "index": "_int | slice",
}
"""Types of parameters without annotations, where those of functions of the same name are others."""

RESULTS = {
    "__init__": "None",
    "forward": "Tensor",
    "extra_repr": "str",
    "reset_parameters": "None",
    "reset_running_stats": "None",
    "__len__": "_int",
    "__contains__": "_bool",
    "__setitem__": "None",
    "__delitem__": "None",
    "from_pretrained": "Self",
    "state_dict": "dict[str, Any]",
}
SPECIAL = {"__getitem__", "__iter__", "__len__", "__contains__", "__setitem__", "__delitem__"}

MODULE = """
    training: _bool
    call_super_init: _bool
    dump_patches: _bool
    __call__: Callable[..., Any]
    forward: Callable[..., Any]
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def __setattr__(self, name: str, value: Any) -> None: ...
    def __delattr__(self, name: str) -> None: ...
    @overload
    def to(self, device: _device | str | _int | None = None, dtype: _dtype | None = None, non_blocking: _bool = False) -> Self: ...
    @overload
    def to(self, dtype: _dtype, non_blocking: _bool = False) -> Self: ...
    @overload
    def to(self, tensor: Tensor, non_blocking: _bool = False) -> Self: ...
"""
"""What its functions do not say of Module."""


def parameter(p, type_of):
    """One parameter's text; a plain default says more than the name."""
    if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
        return f"{'*' if p.kind is p.VAR_POSITIONAL else '**'}{p.name}: Any"
    own = (
        known.as_written(p.annotation)
        if p.annotation is not p.empty
        else "tuple[_int, ...]"
        if p.default == ()
        else PARAMETERS.get(p.name)
    )
    if p.default is p.empty:
        return f"{p.name}: {own or type_of('', p.name, ...).removesuffix(' | None')}"
    kind = {bool: "_bool", str: "str"}.get(type(p.default)) or own or type_of("", p.name, p.default)
    kind += " | None" if p.default is None and kind != "Any" and "None" not in kind else ""
    shown = repr(p.default) if type(p.default) in (bool, int, float, str, tuple, type(None)) else "..."
    return f"{p.name}: {kind} = {shown}"


def parameters(function, type_of):
    texts = []
    for i, p in enumerate(inspect.signature(function).parameters.values()):
        if p.kind is p.KEYWORD_ONLY and "*" not in texts and not any(text.startswith("*") for text in texts):
            texts.append("*")
        texts.append(p.name if i == 0 and p.name in ("self", "cls") else parameter(p, type_of))
    return ", ".join(texts)


def attributes(kind, type_of):
    """Name -> type of what a constructor puts on the object: its parameters, new parameters, buffers."""
    constructor = kind.__init__
    given = {
        p.name: parameter(p, type_of).partition(": ")[2].partition(" = ")[0]
        for p in inspect.signature(constructor).parameters.values()
    }
    if dataclasses.is_dataclass(kind):
        return {name: text for name, text in sorted(given.items()) if name != "self"}
    found = {}
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(constructor)))):
        match node:
            case ast.Assign([ast.Attribute(ast.Name(), name), *_], ast.Name(source)) if source in given and source != "weight":
                found.setdefault(name, given[source])
            case ast.Assign([ast.Attribute(ast.Name(), name), *_], ast.Call(ast.Name("Parameter"))):
                found[name] = "Parameter"
            case ast.Call(ast.Attribute(attr="register_buffer"), [ast.Constant(name), value, *_]):
                # (What is surely a tensor in every way through the constructor.)
                surely = isinstance(value, ast.Call) and found.get(name) != "Tensor | None"
                found[name] = "Tensor" if surely else "Tensor | None"
    return {name: kind for name, kind in sorted(found.items()) if not name.startswith("_")}


def answers_base(function, base):
    """Is it what a base that programs never name asks of its classes?"""
    asked = getattr(base, function.__name__, None)
    return not function.__doc__ and getattr(asked, "__doc__", None) and base.__module__.rpartition(".")[2].startswith("_")


def class_stub(kind, type_of):
    is_module = kind.__name__ == "Module"
    lines = [f"class {kind.__name__}{'' if is_module else '(' + ', '.join(base.__name__ for base in kind.__bases__) + ')'}:\n"]
    lines += MODULE[1:] if is_module else ""
    # (What Module is made of is told as its own.)
    for name, value in (vars(kind) if not is_module else {name: getattr(kind, name) for name in dir(kind)}).items():
        function = value.__func__ if isinstance(value, (classmethod, staticmethod)) else value
        if (
            not inspect.isfunction(function)
            or (is_module and re.search(rf"\b{name}(: |\()", MODULE))
            or (name.startswith("_") and name not in {"__init__", *SPECIAL})
        ):
            continue
        if answers_base(function, kind.__base__):
            continue
        if name == "__init__":
            lines[1:1] = [f"    {own}: {text}\n" for own, text in attributes(kind, type_of).items()]
        if isinstance(value, (classmethod, staticmethod)):
            lines.append(f"    @{type(value).__name__}\n")
        texts = parameters(function, type_of)
        asked = getattr(kind.__base__, name, None)
        # (Schedules of metrics and L-BFGS take another step than their base.)
        differs = name == "step" and inspect.isfunction(asked) and parameters(asked, type_of) != texts
        ignored = "  # type: ignore[override]" if differs else ""
        result = known.annotated(function) or (
            "RemovableHandle" if re.fullmatch(r"register_\w+_hook", name) else RESULTS.get(name, "Any")
        )
        lines.append(f"    def {name}({texts}) -> {result}: ...{ignored}\n")
    return "".join(lines) + ("    ...\n" if len(lines) == 1 else "") + "\n"


def module_stub(module, type_of, home_of):
    """The stub of a file of classes: those that it defines (not its own), and what it imports for them to stand on."""
    own = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__]
    own = [value for value in own if value is not type(module)]
    bases = {base for kind in own for base in kind.__bases__ if base.__module__ != module.__name__ and base is not object}
    imports = [f"from {home_of(base, base.__name__)} import {base.__name__} as {base.__name__}\n" for base in bases]
    return "".join(sorted(imports)), "".join(class_stub(kind, type_of) for kind in own)
