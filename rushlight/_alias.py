"""Rushlight under the name `torch`, inside one process: nothing is installed under that name.

A finder on `sys.meta_path` answers every `import torch…` with the module of the same name in Rushlight: the same object,
so nothing is imported twice. What Rushlight does not have raises the error that Python would, and says whether PyTorch has it.
"""

import functools
import importlib
import importlib.machinery
import sys
import types

from rushlight import core

__all__ = ["as_torch", "missing"]

_OURS = __package__
# The names that a program imports, and what they mean here: functorch is a package beside torch.
_PACKAGES = {"torch": _OURS, "functorch": _OURS + "._functorch.functorch"}
_handles: list["Alias"] = []
_displaced: dict = {}


def _is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def _shown(module: str) -> str:
    """The name that the program knows a module of ours by."""
    return "torch" + module[len(_OURS) :] if _handles and _is_within(module, _OURS) else module


@functools.cache
def _public_names() -> dict[str, list[str]]:
    """Module or class -> its public names, without modules."""
    # (`from rushlight import …` would ask the package for the name first.)
    lines = importlib.import_module(_OURS + "._pytorch_names").TEXT.splitlines()
    return {module: names.split() for module, _, names in (line.partition(":") for line in lines)}


def listed(module: str) -> list[str]:
    """The `__all__` of a module that has names which come late: what PyTorch's module lists, as far as it is here."""
    names = _public_names().get("torch" + module[len(_OURS) :], [])
    left_out = importlib.import_module(_OURS + "._pytorch_names").NOT_LISTED.split() if module == _OURS else ()
    return [name for name in names if name not in left_out and hasattr(sys.modules[module], name)]


@functools.cache
def _pytorch_names() -> dict[str, set[str]]:
    """Module or class -> the set of its public names, modules in it among them."""
    found = {module: set(names) for module, names in _public_names().items()}
    for module in list(found):
        parent, _, child = module.rpartition(".")
        if parent in found:
            found[parent].add(child)
    return found


@functools.lru_cache(maxsize=256)
def _hint(name: str, module: str) -> str:
    """What an error says of a name that a module lacks: whether PyTorch has it, or what it may be a misspelling of. Kept, as programs probe
    again and again."""
    if name.startswith("__"):
        return ""
    place = "torch" + module[len(_OURS) :]
    theirs = _pytorch_names().get(place, set())
    if name in theirs:
        return f": {place}.{name} is part of PyTorch; Rushlight does not have it"
    from difflib import get_close_matches

    found = sys.modules.get(module)
    known = theirs.union(() if found is None else dir(found))
    alike = [x for x in known if x != name and x.startswith("_") == name.startswith("_")]
    near = get_close_matches(name, sorted(alike), n=1, cutoff=0.8)
    return f"; did you mean {near[0]!r}?" if near else ""


def missing(name: str, module: str) -> AttributeError:
    """The error for a name that a module lacks, for its `__getattr__` to raise: `raise missing(name, __name__)`."""
    text = f"module {_shown(module)!r} has no attribute {name!r}{_hint(name, module)}"
    # With an object given, Python would append a suggestion of its own.
    return AttributeError(text, name=name, obj=None)


def _missing_import(name: str, module: str) -> ImportError:
    return ImportError(f"cannot import name {name!r} from {_shown(module)!r}{_hint(name, module)}", name=module)


def _importing() -> set[str]:
    """The functions of the import system that are asking a finder; a plain look for a spec goes through fewer of them."""
    frame: types.FrameType | None = sys._getframe(2)
    found = set()
    while frame is not None and frame.f_code.co_filename == "<frozen importlib._bootstrap>":
        found.add(frame.f_code.co_name)
        frame = frame.f_back
    return found


def _adopt(ours: str, name: str) -> None:
    """Gives the loaded submodules of ours their names in the alias. (Imported by that name for the first time, the import system would put a
    module in the place of its namesake: `torch.autograd.gradcheck` is a function.)"""
    for loaded, module in list(sys.modules.items()):
        if loaded.startswith(ours + "."):
            sys.modules.setdefault(name + loaded[len(ours) :], module)


class _Loader:
    """Loads a name of `torch` by putting the module of Rushlight in its place."""

    def __init__(self, ours: str) -> None:
        self.ours = ours

    def create_module(self, spec):
        return None

    def exec_module(self, module) -> None:
        # Modules that import each other find here what ours has so far.
        vars(module)["__getattr__"] = lambda name: getattr(sys.modules[self.ours], name)
        # The import system takes what stands in sys.modules now, and drops the module that it made.
        sys.modules[module.__spec__.name] = importlib.import_module(self.ours)
        _adopt(self.ours, module.__spec__.name)


class _TorchFinder:
    """Finds `torch` and its submodules, and what `importlib.metadata` tells of it; asked before all others."""

    @staticmethod
    def find_distributions(context=None):
        """The metadata of an installed PyTorch, for programs that ask which version is there."""
        if context is not None and context.name is not None and context.name.lower() != "torch":
            return
        from importlib.metadata import Distribution

        from rushlight.version import __version__

        texts = {
            "METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {__version__}\nSummary: Rushlight under the name torch\n",
            "top_level.txt": "torch\nfunctorch\n",
            "INSTALLER": "rushlight\n",
        }

        class Torch(Distribution):
            def read_text(self, filename):
                return texts.get(filename)

            def locate_file(self, path):
                import os

                return os.path.join(os.path.dirname(__file__), path)

        yield Torch()

    @staticmethod
    def find_spec(name: str, path=None, target=None):
        package = name.partition(".")[0]
        if package not in _PACKAGES:
            return None
        from importlib.util import find_spec  # (it is slow to import)

        ours = _PACKAGES[package] + name[len(package) :]
        spec = sys.modules[ours].__spec__ if ours in sys.modules else find_spec(ours)
        if spec is not None:
            return importlib.machinery.ModuleSpec(
                name,
                _Loader(ours),  # type: ignore[arg-type] # no importlib.abc.Loader: that is slow to import, and not asked for
                origin=spec.origin,
                is_package=spec.submodule_search_locations is not None,
            )
        importing = _importing()
        if "_find_and_load" not in importing:
            return None
        parent, _, child = ours.rpartition(".")
        if "_handle_fromlist" in importing:  # (`from torch import name`, in the package's own name)
            raise _missing_import(child, parent)
        raise ModuleNotFoundError(f"No module named {name!r}{_hint(child, parent)}", name=name)


class _LastFinder:
    """Asked for what no other finder found: `from torch import name` tries `name` as a submodule before it gives up."""

    @staticmethod
    def find_spec(name: str, path=None, target=None):
        if not _is_within(name, _OURS) or "_handle_fromlist" not in _importing():
            return None
        parent, _, child = name.rpartition(".")
        raise _missing_import(child, parent)


class Alias:
    """What `as_torch` returns: ends the alias by `reset()`, or at the end of a `with` block."""

    def reset(self) -> None:
        """Gives the name `torch` back, with the modules that had it before; a second call does nothing."""
        if self not in _handles:
            return
        _handles.remove(self)
        if not _handles:
            sys.meta_path[:] = [finder for finder in sys.meta_path if finder not in (_TorchFinder, _LastFinder)]
            _take_modules()
            sys.modules.update(_displaced)
            _displaced.clear()
            sys.modules[_OURS].__name__ = _OURS

    def __enter__(self) -> "Alias":
        return self

    def __exit__(self, *exception) -> None:
        self.reset()


def _take_modules() -> dict:
    """Removes every module called torch or functorch, and returns them."""
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in _PACKAGES}


def as_torch() -> Alias:
    """Makes `import torch` and all its submodules mean Rushlight, until the returned handle is reset.

    Example:
        >>> import rushlight
        >>> with rushlight.as_torch():
        ...     import torch.nn.functional as F
        >>> F is rushlight.nn.functional
        True
    """
    handle = Alias()
    _handles.append(handle)
    if len(_handles) == 1:
        _displaced.update(_take_modules())
        sys.modules["torch"] = sys.modules[_OURS]
        sys.modules[_OURS].__name__ = "torch"  # programs look whether it is
        _adopt(_OURS, "torch")
        sys.meta_path.insert(0, _TorchFinder)
        sys.meta_path.append(_LastFinder)
    return handle


class _Renamer:
    """Asked for modules of ours, which it finds as others would; their classes and functions then say that they are of torch, where they can
    be found by who looks for them there."""

    @staticmethod
    def find_spec(name: str, path=None, target=None):
        if not _is_within(name, _OURS):
            return None
        others = [finder for finder in sys.meta_path if finder not in (_TorchFinder, _LastFinder, _Renamer)]
        spec = next(filter(None, (finder.find_spec(name, path, target) for finder in others)), None)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_rename(module) -> None:
                execute(module)
                _rename(module)
                _tell_missing(module)
                if _handles:
                    sys.modules.setdefault(_shown(name), module)

            spec.loader.exec_module = execute_and_rename  # type: ignore[method-assign]
        return spec


_HEAP_TYPE = 1 << 9  # flag of classes that are not compiled in


def _rename(module) -> None:
    """Puts torch for our package in what pickle and print call the module's classes and functions."""
    for value in list(vars(module).values()):
        if not (isinstance(value, types.FunctionType) or (isinstance(value, type) and value.__flags__ & _HEAP_TYPE)):
            continue
        home = value.__dict__.get("__module__") if isinstance(value, type) else value.__module__
        if isinstance(home, str) and _is_within(home, _OURS):
            value.__module__ = "torch" + home[len(_OURS) :]


def _tell_missing(module) -> None:
    """Has a module that says nothing itself of the names that it lacks raise our error."""
    if "__getattr__" not in vars(module):
        vars(module)["__getattr__"] = functools.partial(_raise_missing, module.__name__)


def _raise_missing(module: str, name: str):
    raise missing(name, module)


def take_names_of_torch() -> None:
    """For the rest of the process: our classes and functions are called torch's, where they are printed and in pickles."""
    core.set_package_name("torch")
    for name, module in list(sys.modules.items()):
        if _is_within(name, _OURS) and module is not None:
            _rename(module)
            _tell_missing(module)
    sys.meta_path.insert(0, _Renamer)


class _ChildrenFinder:
    """Asked for `multiprocessing.util`, which says how Python starts child processes: from then on, as runs of `-m rushlight` too."""

    @staticmethod
    def find_spec(name: str, path=None, target=None):
        if name != "multiprocessing.util":
            return None
        sys.meta_path.remove(_ChildrenFinder)
        from importlib.util import find_spec

        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_patch(module) -> None:
                execute(module)
                _start_with_alias(module)

            spec.loader.exec_module = execute_and_patch  # type: ignore[method-assign]
        return spec


def _start_with_alias(util) -> None:
    """Interpreters that multiprocessing starts get `-m rushlight` in front of their `-c`."""
    options = util._args_from_interpreter_flags
    util._args_from_interpreter_flags = lambda: [*options(), "-m", _OURS]


def be_torch_in_children() -> None:
    """For the rest of the process: what multiprocessing starts, by spawn or from a fork server, has the alias as well."""
    if "multiprocessing.util" in sys.modules:
        _start_with_alias(sys.modules["multiprocessing.util"])
    else:
        sys.meta_path.insert(0, _ChildrenFinder)
