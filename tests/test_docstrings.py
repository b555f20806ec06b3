"""Every public class and function that PyTorch has too says what its arguments are, and has an example (test_doctests.py runs it).

An argument is named where its docstring, one of a base class, or one that it refers to (`Name`, in backticks) has its name as a word. Ops and the
functions of torch are test_manual.py's.
"""

import enum
import importlib
import inspect
import re
import types
from pathlib import Path

import pytest

import rushlight as torch
from rushlight._pytorch_names import TEXT

ROOT = Path(torch.__file__).parent

EXCEPTIONS = {
    "rushlight.jit.annotations": {"Any"},  # Python's, as are the next
    "rushlight.multiprocessing": {
        "AuthenticationError", "BufferTooShort", "Process", "ProcessError", "TimeoutError", "active_children", "current_process",
        "parent_process",
    },
    "rushlight.multiprocessing.pool": {"Pool"},
    "rushlight.multiprocessing.queue": {"Queue", "SimpleQueue"},
    "rushlight.nn.attention.flex_attention": {"FlexKernelOptions"},
    "rushlight.nn.modules.module": {"register_module_backward_hook"},  # after it no other hooks may be registered
}  # fmt: skip
"""Of each namespace what cannot have one or the other."""

PYTORCH = {
    module.replace("torch", "rushlight", 1): names for module, _, names in (line.partition(":") for line in TEXT.splitlines())
}
NAMESPACES = [
    name
    for name, names in PYTORCH.items()
    if names.split() and any((ROOT.parent / name.replace(".", "/")).with_suffix(end).exists() for end in ("", ".py"))
]
"""Every module of PyTorch's that is here and has public names."""

UNSAID = {"device", "dtype", "input", "size_average", "reduce"}
"""What is the same everywhere: where a module's parameters lie and of which dtype, what comes in, the older form of `reduction`."""

CLASSES = (
    torch.nn.Module, torch.nn.Sequential, torch.nn.ModuleList, torch.nn.ModuleDict, torch.nn.ParameterList, torch.nn.ParameterDict,
    torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler, torch.distributions.Distribution,
    torch.distributions.Normal, torch.distributions.Transform, torch.autograd.Function,
)  # fmt: skip
"""Classes whose methods programs call or write, as those that derive from them."""

METHODS_WITHOUT_EXAMPLE = {"profile_hook_step"}
"""They may only leave."""


def public(namespace):
    """Pairs of name and class or function of a module that PyTorch's has too."""
    module = importlib.import_module(namespace)
    for name in sorted(PYTORCH[namespace].split()):
        value = getattr(module, name, None)
        if issubclass(type(value), (type, types.FunctionType)):
            yield name, value


def docstrings(value, namespace, seen):
    """Its docstring, those of its base classes, and those that they refer to."""
    if value in seen:
        return
    seen.add(value)
    values = [each for each in value.__mro__ if each is not object] if inspect.isclass(value) else [value]
    for doc in [doc for each in values for doc in (each.__doc__, getattr(vars(each).get("__init__"), "__doc__", None)) if doc]:
        yield doc
        for name in re.findall(r"`(?:[\w.]+\.)?(\w+)`", doc):
            for module in map(importlib.import_module, (namespace, "rushlight.nn")):
                named = getattr(module, name, None)
                if inspect.isclass(named) or inspect.isfunction(named):
                    yield from docstrings(named, namespace, seen)


def unnamed(value, namespace):
    """The arguments that nothing is said about."""
    if inspect.isclass(value) and issubclass(value, enum.Enum):
        return []
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:  # a class in Cython
        return []
    names = [p.name for p in parameters if p.name[0] != "_" and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    said = set(re.findall(r"\w+", "\n".join(docstrings(value, namespace, set()))))
    return [name for name in names if name not in UNSAID and name not in said]


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_arguments_are_named_and_there_is_an_example(namespace):
    lacking = {
        name: (["an example"] if ">>>" not in (value.__doc__ or "") else []) + unnamed(value, namespace)
        for name, value in public(namespace)
    }
    lacking = {name: what for name, what in lacking.items() if what}
    assert set(lacking) == set(EXCEPTIONS.get(namespace, ())), "\n".join(f"{name}: {what}" for name, what in lacking.items())


def methods(cls):
    """Pairs of name and docstring of the methods and properties of a class, which may be a base class's."""
    for name in sorted(
        {name for each in cls.__mro__ if each.__module__.partition(".")[0] in ("rushlight", "torch") for name in vars(each)}
    ):
        value = inspect.getattr_static(cls, name)
        if name[0] != "_" and isinstance(value, (types.FunctionType, staticmethod, classmethod, property)):
            yield (
                name,
                inspect.getdoc(value if isinstance(value, property) else getattr(cls, name)) or inspect.getdoc(value) or "",
            )


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_methods_have_examples(cls):
    assert {name for name, doc in methods(cls) if ">>>" not in doc} <= METHODS_WITHOUT_EXAMPLE


def test_exceptions_are_of_namespaces_looked_at():
    assert set(EXCEPTIONS) <= set(NAMESPACES)
