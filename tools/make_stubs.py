"""Writes the type stubs of what the op table makes at import: rushlight's functions, Tensor's methods, nn.functional, …

    python tools/make_stubs.py

Names, parameters and defaults come from the package itself; types from annotations (of what is compiled, in the sources of the core), from the
signatures of the op table, and where neither says them from stub_types.py. A build runs this when the compiled modules are there, and says where
(MODULE=FILE …), so that wheels and clones have stubs, and git has none.
"""

import functools
import inspect
import keyword
import re
import sys
import types
import warnings
from importlib.util import spec_from_file_location
from pathlib import Path

FILES = dict(argument.split("=", 1) for argument in sys.argv[1:]) if __name__ == "__main__" else {}
if FILES:
    finder = types.SimpleNamespace(find_spec=lambda name, *_: FILES.get(name) and spec_from_file_location(name, FILES[name]))
    sys.meta_path.insert(0, finder)
    sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))
import class_stubs
import stub_types as known

import rushlight as torch
import rushlight.nn.functional  # (its parsers are read)
from rushlight import core
from rushlight.ops import declare_all, namespaces
from rushlight.ops._manual import headline
from rushlight.ops._return_types import types as return_types
from rushlight.ops._signatures import GROUPS, METHODS, expanded, function_text, overloads

PACKAGE = Path(__file__).parents[1] / "rushlight"
declare_all()
HEADER = (
    "# Made by tools/make_stubs.py from the op table: change that, or the types in tools/stub_types.py.\n"
    '# mypy: disable-error-code="overload-cannot-match"\n'
)
COMPILED = ("as_tensor", "can_cast", "promote_types", "result_type", "tensor")
NOUNS = (core.layout, core.memory_format)
CLASSES = {"dtype": "", "Size": "(tuple[int, ...])", "Storage": "", "Generator": "", "Node": ""}
LITERALS = (bool, int, float, str, types.NoneType, tuple)
LITERAL = re.compile(r"-?[\d.e-]+$|None|True|False|\"")


# ---------------------------------------------------------------------------------------------------------- what sources declare
def parameter_of_core(text):
    """One parameter of a function of the core, whose type may stand before it, as in C, or behind it."""
    left, equals, default = text.partition("=")
    name, _, kind = left.strip().partition(": ")
    in_c, _, name = name.rpartition(" ")
    if name in ("self", "cls", "*", "/"):
        return name
    return f"{name}: {known.as_written(kind or in_c or 'Any')}{f' = {default.strip()}' if equals else ''}"


@functools.cache
def declared():
    """Class of the core ("" for functions) -> name -> (whether it is a property, parameters, result) of all whose result its sources declare,
    and the names of the properties that can be set."""
    found, writable = {}, set()
    for path in sorted((PACKAGE / "core").rglob("*.px[id]")):
        owner, mark = "", ""
        for line in path.read_text().splitlines():
            if line[:1] not in ("", " ", "@", ")"):
                opened = re.match(r"(?:cdef )?class (\w+)", line)
                owner = opened[1] if opened else ""
            function = re.match(r"(?:    )?def (\w+)\((.*)\) -> ([^:]*):", line)
            if function:
                texts = [parameter_of_core(text) for text in re.split(r", (?![^\[]*\])", function[2]) if text]
                name = "__init__" if function[1] == "__cinit__" else function[1]
                found.setdefault(owner, {})[name] = (mark == "    @property", ", ".join(texts), known.as_written(function[3]))
            elif member := re.match(r"    cdef (?:readonly|public) (bint|int|str) (\w+)$", line):
                found.setdefault(owner, {})[member[2]] = (True, "self", known.as_written(member[1]))
            elif mark.endswith(".setter"):
                writable.add((owner, mark.strip(" @").removesuffix(".setter")))
            mark = line
    return found, writable


def written_as_declared(owner, name, indent=""):
    """The lines of a function, method or property of the core whose types its source declares."""
    is_property, texts, result = declared()[0][owner][name]
    lines = f"{indent}@property\n" * is_property + f"{indent}def {name}({texts}) -> {result}: ...\n"
    if is_property and (owner, name) in declared()[1]:
        lines += f"{indent}@{name}.setter\n{indent}def {name}(self, value: {result}) -> None: ...\n"
    return lines


def classes_of_core():
    """The small classes of the core; what they have besides is not said."""
    found = declared()[0]
    return "".join(
        f"class {name}{base}:\n"
        + "".join(written_as_declared(name, member, "    ") for member in found[name])
        + ("" if base else "    def __getattr__(self, name: str) -> Any: ...\n")
        + "\n"
        for name, base in CLASSES.items()
    )


# ---------------------------------------------------------------------------------------------------------- parameters
def type_of(function, name, default):
    """The type of a parameter: by the signatures of its function, by its name, or by its default."""
    found = known.PARAMETERS_OF.get(function, {}).get(name) or of_signature(function, name, default) or known.PARAMETERS.get(name)
    if found is None:
        found = f"_{type(default).__name__}" if type(default) in (bool, int, float) else "str" if type(default) is str else "Any"
    return f"{found} | None" if default is None and found != "Any" and "None" not in found else found


@functools.cache
def inner_texts():
    """The signatures by which functions of Python check their arguments themselves."""
    modules = [vars(module) for name, module in sys.modules.items() if name.startswith("rushlight.")]
    return {value.name: value.text for module in modules for value in module.values() if isinstance(value, core.Parser)}


@functools.cache
def kinds_of(function):
    """Parameter -> its kinds in the signatures of a public function or method."""
    names = [prefix + function.removesuffix(end) for prefix in ("", "linalg_", "special_") for end in ("", "_")]
    texts = [function_text(name) for name in names] + [METHODS.get(function), inner_texts().get(function)]
    found = {}
    for signature in expanded(" | ".join(filter(None, texts))).split(" | "):
        for text in signature.removeprefix("deprecated ").removeprefix("function ").split(", "):
            kind, _, name = text.partition("=")[0].partition(" ")
            found.setdefault("input" if name == "self" else name, {})[kind] = None
    return found


def of_signature(function, name, default):
    """The type of a parameter by the signatures of its function; None where they do not say it."""
    kinds = kinds_of(function).get(name, {})
    found = known.type_of_kinds(kinds)
    if name == "out" or found in ("", "Any") or (type(default) is str and "str" not in found):
        return None
    return f"{found} | None" if default is ... and any(kind.endswith("?") for kind in kinds) else found


def shown(default):
    """A default in a stub: as it is where that is short."""
    return repr(default) if type(default) in LITERALS else "..."


def parameter(function, p, declares):
    """One parameter's text; `declares`: its annotation is a type (in the op table it is a mark)."""
    given = p.default is not p.empty
    text = (
        known.as_written(p.annotation)
        if declares and p.annotation is not p.empty
        else type_of(function, p.name, p.default if given else ...)
    )
    return f"{p.name}: {text}{f' = {shown(p.default)}' if given else ''}"


# ---------------------------------------------------------------------------------------------------------- what has a parser
def parser_signatures(parser, made, name):
    """Signatures of a function or method, from those by which its arguments are checked."""
    found = []
    for text, of_function in overloads(parser):
        if text.startswith("deprecated "):
            continue
        parts = text.split(", ") if text else []
        texts = ["self"] * parser.is_method + [
            typed(part, name) for group in parts for part in GROUPS.get(group, group).split(", ")
        ]
        end = f") -> {result_of(made, name, parser, of_function)}"
        found.append(f"({', '.join(texts)}{end}")
        loose = re.match(r"(?:sizes|ints) (\w+)(?:, \*, |$)", text)
        if loose:
            place = int(parser.is_method)
            texts[place : place + 2] = [f"*{loose[1]}: _int"]
            found.append(f"({', '.join(texts)}{end}")
    return found


def typed(part, function):
    """A parameter of a signature, as stubs write it."""
    left, equals, default = part.partition("=")
    kinds, _, name = left.partition(" ")
    if not name:
        return part
    kinds = kinds.split("|")
    text = known.PARAMETERS_OF.get(function, {}).get(name) or known.type_of_kinds(kind for kind in kinds if kind != "none")
    text = f"{name}{'_' * keyword.iskeyword(name)}: {text}"
    if default == "None" or any(kind.endswith("?") for kind in kinds):
        text += " | None"
    return (
        f"{text} = {'None' if 'none' in kinds else default if LITERAL.match(default) else '...'}"
        if equals or "none" in kinds
        else text
    )


def result_of(made, name, parser, signature):
    """What a call returns: one tensor, if nothing says otherwise."""
    if name.endswith("_") and made is not None:
        return "Self" if parser.is_method else "Tensor"
    several = re.search(r"tensors(?:\[(\d)\])? out=", signature)
    if several and several[1] is None:
        return known.TUPLE
    if several:
        title = parser.name if parser.name in return_types else ""
        return f"_ReturnOf_{title}" if title else f"tuple[{', '.join(['Tensor'] * int(several[1]))}]"
    if isinstance(made, core.Op):
        if type(made) is core.MultiViewOp:
            return known.TUPLE
        return "Tensor" if len(made.outputs) < 2 else f"tuple[{', '.join(['Tensor'] * len(made.outputs))}]"
    compiled = declared()[0]["Tensor"].get(name) or declared()[0][""].get(name)
    return known.annotated(made) or (compiled[2] if compiled else known.RESULTS.get(name, "Tensor"))


# ---------------------------------------------------------------------------------------------------------- functions
def own_signature(function):
    """The signature of a Python function; of one that hands on whatever it gets, that in the first line of its docstring."""
    found = inspect.signature(function)
    said = (function.__doc__ or "").partition("\n")[0]
    if list(found.parameters) == ["args", "kwargs"] and said.startswith(f"{function.__name__}("):
        names: dict = {}
        exec(f"def {said}: ...", names)
        return inspect.signature(names[function.__name__])
    return found


def function_signatures(function, name, method):
    """The signature of a Python function without a parser, from its own."""
    texts = []
    for i, p in enumerate(own_signature(function).parameters.values()):
        if i == 0 and method:
            texts.append("self")
        elif p.kind is p.VAR_POSITIONAL:
            kind = "Tensor | Sequence[Tensor]" if p.name in ("tensors", "matrices") else "Any"
            texts.append(f"*{p.name}: {kind if p.annotation is p.empty else known.as_written(p.annotation)}")
        elif not p.name.startswith("_") and p.kind is not p.VAR_KEYWORD and not (method and p.name == "out"):
            if p.kind is p.KEYWORD_ONLY and not any(text.startswith("*") for text in texts):
                texts.append("*")
            texts.append(parameter(name, p, not function.__module__.startswith("rushlight.ops")))
    result = known.annotated(function) or known.RESULTS.get(name)
    return [f"({', '.join(texts)}) -> {result or ('Self' if method and name.endswith('_') else 'Tensor')}"]


def behind(function):
    """What stands behind a parser, and behind short ways."""
    if isinstance(function, core.Function):
        function = function.target
    return function.function if isinstance(function, core.Overloaded) else function


def signatures_of(function, name, method=False, namespace="torch"):
    """All signatures of a public function or method."""
    if method and name in known.METHODS:
        return known.METHODS[name]
    if name in known.OVERLOADS and (method or namespace == "torch"):
        return known.OVERLOADS[name]
    parser = getattr(function, "parser", None)
    made = behind(function)
    if parser is not None:
        return parser_signatures(parser, made, name)
    return function_signatures(made, name, method)


# ---------------------------------------------------------------------------------------------------------- texts
def said_of(function, indent=""):
    """What an editor shows of a function, as the line of a stub."""
    text = headline(function).replace("\\", "\\\\").rstrip('"')
    return f'\n{indent}    """{text}"""' if text else " ..."


def written(name, signatures, indent="", decorator=None, said=" ..."):
    """The lines of a function with its overloads, the first of which has what is `said` of it."""
    lines = []
    for text in dict.fromkeys(signatures):
        if len(set(signatures)) > 1:
            lines.append(f"{indent}@overload\n")
        if decorator:
            lines.append(f"{indent}@{decorator}\n")
        body, colon, comment = text.partition(":  # ")
        comment = "  # " + comment if colon else ""
        lines.append(
            f"{indent}def {name}{body}:{said}{comment}\n" if said == " ..." else f"{indent}def {name}{body}:{comment}{said}\n"
        )
        said = " ..."
    return "".join(lines)


def named_results():
    """The named tuples of ops with several results."""
    return "".join(
        f"class _ReturnOf_{name}(NamedTuple):\n" + "".join(f"    {field}: Tensor\n" for field in kind._fields) + "\n"
        for name, kind in sorted(return_types.items())
    )


def members_of_tensor():
    """Every public name of Tensor, compiled or from the table."""
    compiled = declared()[0]["Tensor"]
    special = {*known.METHODS, *known.ANNOTATED, *compiled, "__array_priority__"}
    sample = torch.zeros(1, 1, dtype=torch.complex64)
    kinds = {bool: "_bool", int: "_int", torch.Tensor: "Tensor", tuple: "tuple[None, ...]", types.NoneType: "None"}
    lines = []
    for name in sorted(name for name in dir(torch.Tensor) if not name.startswith("_") or name in special):
        getattr(torch.Tensor, name, None)  # (puts a method in the place of what stands for it)
        value = inspect.getattr_static(torch.Tensor, name)
        if name in compiled and name not in {*namespaces["Tensor"], *known.METHODS} and not isinstance(value, core.Method):
            lines.append(written_as_declared("Tensor", name, "    "))
        elif isinstance(value, (property, int)):
            with warnings.catch_warnings(action="ignore"):  # (what PyTorch has given up is still read)
                kind = kinds[type(getattr(sample, name))]
            lines.append(f"    @property\n    def {name}(self) -> {kind}: ...\n")
        else:
            decorator = "classmethod" if name in known.CLASS_METHODS else "staticmethod" if name in known.STATIC_METHODS else None
            lines.append(written(name, signatures_of(value, name, method=True), "    ", decorator, said_of(value, "    ")))
    return "class Tensor:\n" + "".join(lines)


IMPORTS = (
    "from collections.abc import Callable, Sequence\n"
    "from contextlib import AbstractContextManager\n"
    "from typing import Any, Literal, overload\n\n"
)
ALIASES = ["_bool", "_device", "_dtype", "_float", "_int", "_layout", "_memory_format", "Generator", "Number", "Size", "Tensor"]


def core_imports(body, already=()):
    """The import of those types of the core that a stub uses."""
    names = ALIASES + [f"_ReturnOf_{name}" for name in return_types]
    used = sorted(name for name in names if re.search(rf"(?<![\w.]){name}\b", body) and name not in already)
    return f"from rushlight.core import {', '.join(used)}\n\n" if used else ""


def functions(names, namespace):
    """Functions by name: their definitions."""
    return "".join(
        written(name, signatures_of(f, name, namespace=namespace), said=said_of(f)) for name, f in sorted(names.items())
    )


def is_function(value):
    return isinstance(behind(value), (types.FunctionType, core.InPlace, core.Factory, core.Op))


def home_of(value, name):
    """The module of the package that defines a value."""
    if getattr(core, name, None) is value:
        return "rushlight.core"
    for module_name, module in sorted(sys.modules.items(), key=lambda item: -item[0].count(".")):
        if not module_name.startswith("rushlight.") or module_name.startswith("rushlight.core"):
            continue
        if getattr(value, "__module__", "") in (module_name, "torch") and vars(module).get(name) is value:
            # (A checker takes the name of a module for the module, also where the package has a function of that name.)
            inner = sys.modules.get(f"{module_name}.{name}")
            return inner.__name__ if getattr(inner, name, None) is value else module_name
    return "rushlight.core"


def import_of(value, name):
    """The line by which a stub has a value of another module."""
    return f"from {home_of(value, name)} import {name} as {name}\n"


def package_stub():
    """rushlight/__init__.pyi."""
    of_table = namespaces["torch"]
    imported, values, made = [], [], {}
    for name in dir(torch):
        value = getattr(torch, name)
        if name.startswith("_"):
            continue
        if isinstance(value, types.ModuleType):
            if value.__name__ == f"rushlight.{name}":
                imported.append(f"from rushlight import {name} as {name}\n")
        elif isinstance(value, core.dtype):
            values.append(f"{name}: _dtype\n")
        elif isinstance(value, core.Generator):
            values.append(f"{name}: Generator\n")
        elif name.endswith("Tensor") and name != "Tensor":
            values.append(f"{name}: Any\n")
        elif name in of_table and is_function(value):
            made[name] = value
        else:
            imported.append(import_of(value, name))
    body = functions(made, "torch")
    already = {"Generator", "Size", "Tensor"} & {line.split()[-1] for line in imported}
    values.insert(0, "__version__: str\n")
    return "".join(imported) + core_imports(body + "".join(values), already) + "".join(values) + "\n" + body


def namespace_stub(module):
    """A module whose functions are put there at import, beside what it imports."""
    made, imported = {}, []
    for name in dir(module):
        value = getattr(module, name)
        if name.startswith("_") or isinstance(value, types.ModuleType):
            continue
        if is_function(value):
            made[name] = value
        elif isinstance(value, type):
            imported.append(import_of(value, name))
    body = functions(made, module.__name__.rpartition(".")[2])
    return "".join(imported) + core_imports(body) + body


def exports_stub(module):
    """A package that only gathers names: which are its own."""
    lines = []
    for name, value in sorted(vars(module).items()):
        if isinstance(value, types.ModuleType) and value.__name__ == f"{module.__name__}.{name}":
            lines.append(f"from . import {name} as {name}\n")
        elif not name.startswith("_") and getattr(value, "__module__", "").startswith("rushlight."):
            lines.append(import_of(value, name))
    return "".join(lines)


def layer_stub(module):
    """A file of nn.modules or optim."""
    imports, body = class_stubs.module_stub(module, type_of, home_of)
    body += "".join(
        f"def {name}({class_stubs.parameters(value, type_of)}) -> {known.annotated(value) or 'Any'}: ...\n"
        for name, value in sorted(vars(module).items())
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    )
    if module is torch.nn.modules.module:
        imports = "".join(f"from ._call import {name} as {name}\n" for name in module.__all__ if name != "Module")
    if "Parameter" in body:
        imports += "from rushlight.nn.parameter import Parameter\n"
    if "ParamsT" in body:
        imports += "from rushlight.optim.optimizer import ParamsT\n"
    if "RemovableHandle" in body:
        imports += "from rushlight.core import RemovableHandle\n"
    header = "from collections.abc import Callable, Iterator, Mapping, Sequence\nfrom typing import Any, Self, overload\n\n"
    return header + imports + core_imports(body) + body + "\ndef __getattr__(name: str) -> Any: ...\n"


def stubs():
    """Path in the package -> text of every stub that is made."""
    ours = {
        "core/__init__.pyi": known.PREAMBLE
        + "\n\n"
        + classes_of_core()
        + "".join(written_as_declared("", name) for name in declared()[0][""] if name not in COMPILED)
        + "".join(f"{name}: {type(value).__name__}\n" for name, value in sorted(vars(core).items()) if isinstance(value, NOUNS))
        + functions({name: getattr(torch, name) for name in COMPILED}, "torch")
        + named_results()
        + members_of_tensor()
        + "\ndef __getattr__(name: str) -> Any: ...\n",
        "__init__.pyi": IMPORTS + package_stub(),
        "special/__init__.pyi": IMPORTS + namespace_stub(torch.special),
        "linalg/__init__.pyi": IMPORTS + namespace_stub(torch.linalg),
        "nn/functional/__init__.pyi": IMPORTS + namespace_stub(torch.nn.functional),
        "nn/__init__.pyi": exports_stub(torch.nn),
        "nn/utils/__init__.pyi": exports_stub(torch.nn.utils),
    }
    for package in (torch.nn.modules, torch.optim):
        for name, module in vars(package).items():
            if isinstance(module, types.ModuleType) and not name.startswith("_") and name != "optimizer":
                ours[f"{module.__name__.removeprefix('rushlight.').replace('.', '/')}.pyi"] = layer_stub(module)
    return {path: HEADER + text for path, text in ours.items()}


def write():
    """Writes every stub into the package's folder."""
    for path, text in stubs().items():
        (PACKAGE / path).write_text(text)


if __name__ == "__main__":
    write()
