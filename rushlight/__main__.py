"""`python -m rushlight script.py`: runs a program written for PyTorch, unmodified, as `python script.py` would; alone, it is Python's prompt."""

import builtins
import importlib.machinery
import importlib.util
import io
import os
import pkgutil
import re
import sys
import types
from typing import Any

from rushlight import _alias, version
from rushlight.core import Tensor

_USAGE = """\
usage: python -m rushlight [-i] script.py [argument ...]
       python -m rushlight [-i] -m module [argument ...]
       python -m rushlight [-i] -c code [argument ...]
       python -m rushlight [-i] - [argument ...]
       python -m rushlight
       python -m rushlight --install-torch-stubs | --remove-torch-stubs

Runs a program as Python would, with `torch` and all its submodules meaning Rushlight. Without a program it is
Python's prompt, or runs what comes from standard input; with -i the prompt follows the program. --version tells
the version. --install-torch-stubs lets editors and type checkers of this environment take `import torch` for
Rushlight; nothing is installed that a program could import.
"""
_MORE = "\n`python -m rushlight --help` tells what there is."
_PACKAGE = os.path.dirname(__file__) + os.sep
_HIDDEN = (__file__, _alias.__file__)


class _Refused(SystemExit):
    """What was asked for is no program."""


def _fail(text: str, status: int):
    print(text, file=sys.stderr)
    raise _Refused(status)


def _set_first_path(entry: str) -> None:
    # Python has put the current directory there for `-m`, unless it was told to trust no such place.
    if not sys.flags.safe_path:
        sys.path[0] = entry


def _from_path(path: str):
    path = os.path.abspath(path)
    if pkgutil.get_importer(path) is not None:
        # A directory or an archive, whose program is the module __main__ in it.
        sys.path[0 : 0 if sys.flags.safe_path else 1] = [path]
        importlib.invalidate_caches()
        spec: Any = importlib.machinery.PathFinder.find_spec("__main__", [path])
        if spec is None:
            _fail(f"{sys.executable}: can't find '__main__' module in {sys.argv[0]!r}", 1)
        return spec.loader.get_code("__main__"), dict(_described(spec), __package__="")
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        _fail(f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}", 2)
    _set_first_path(os.path.dirname(os.path.realpath(path)))
    loader = importlib.machinery.SourceFileLoader("__main__", path)
    return (source, path), dict(__file__=path, __cached__=None, __loader__=loader)


def _described(spec: Any) -> dict:
    return dict(__file__=spec.origin, __cached__=spec.cached, __loader__=spec.loader, __package__=spec.parent, __spec__=spec)


def _from_module(name: str):
    try:
        spec: Any = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(name + ".__main__")
            if spec is None:
                _fail(
                    f"{sys.executable}: No module named {name}.__main__; {name!r} is a package and cannot be directly executed",
                    1,
                )
    except ModuleNotFoundError as error:
        # A parent package is missing; what fails inside one is the program's own error.
        if error.name is None or not (name + ".").startswith(error.name + "."):
            raise
        _fail(f"{sys.executable}: Error while finding module specification for {name!r} (ModuleNotFoundError: {error})", 1)
    code = None if spec is None or spec.loader is None else spec.loader.get_code(spec.name)
    if code is None:
        _fail(f"{sys.executable}: No module named {name}", 1)
    sys.argv[0] = spec.origin
    return code, _described(spec)


def _prepare(arguments: list[str]):
    """The program's code, or source and file name, and the globals that Python would give it."""
    kind, rest = arguments[0], arguments[1:]
    if kind in ("-m", "-c") and not rest:
        _fail(f"Argument expected for the {kind} option{_MORE}", 2)
    if kind == "-m":
        sys.argv = ["-m", *rest[1:]]
        return _from_module(rest[0])
    if kind == "-c":
        sys.argv = ["-c", *rest[1:]]
        _set_first_path("")
        return (rest[0], "<string>"), {}
    sys.argv = arguments
    if kind == "-":
        _set_first_path("")
        return (sys.stdin.read(), "<stdin>"), {}
    if kind.startswith("-"):
        _fail(f"Unknown option: {kind}{_MORE}", 2)
    return _from_path(kind)


def _start() -> types.ModuleType:
    """The program's module, in a process where torch is Rushlight."""
    _alias.as_torch()
    _alias.take_names_of_torch()
    _alias.be_torch_in_children()
    return types.ModuleType("__main__")


def _converse(names: dict, banner: str = "") -> None:
    """Python's prompt, with the names of a program. It keeps the source of what was typed, for tracebacks and for `explain`, as Python's own
    does from 3.13 on; errors are reported as those of programs are."""
    import code
    import linecache

    class Console(code.InteractiveConsole):
        inputs = 0

        def runsource(self, source: str, filename: str = "", symbol: str = "single") -> bool:
            name = f"<python-input-{self.inputs}>"
            linecache.cache[name] = len(source), None, [line + "\n" for line in source.splitlines()], name
            if super().runsource(source, name, symbol):
                return True  # more lines follow
            self.inputs += 1
            return False

        def showtraceback(self) -> None:
            error: Any = sys.exc_info()[1]
            _explain(error)
            _without_runner(error.__traceback__)
            super().showtraceback()

    # Completion, and the lines of earlier sessions, where Python has them.
    getattr(sys, "__interactivehook__", lambda: None)()
    Console(names).interact(banner, exitmsg="")


def _run(module: types.ModuleType, code: Any, names: dict) -> None:
    vars(module).update(__builtins__=builtins, **{"__loader__": importlib.machinery.BuiltinImporter, **names})
    sys.modules["__main__"] = module
    if isinstance(code, tuple):
        source, path = code
        code = compile(source, path, "exec", dont_inherit=True)
    exec(code, vars(module))


def _is_runner(trace, is_last: bool) -> bool:
    code = trace.tb_frame.f_code
    # The last frames of a missing name are those of `__getattr__` of a module of ours.
    asked = is_last and code.co_name == "__getattr__" and code.co_filename.startswith(_PACKAGE)
    return asked or code.co_filename in _HIDDEN


def _without_runner(trace):
    """A traceback without the frames of the runner, which stand around those of the program."""
    traces = []
    while trace is not None:
        traces.append(trace)
        trace = trace.tb_next
    for last in reversed(traces):
        if not _is_runner(last, trace is None):
            last.tb_next = trace
            trace = last
    return trace


def _explain(error: BaseException) -> None:
    """Gives errors our text where Python asks nobody: `from torch.x import name` where x is no package, and attributes of tensors."""
    found = re.match(r"cannot import name '(\w+)' from '(rushlight[\w.]*)' \(", str(error))
    if isinstance(error, AttributeError) and (type(error.obj) is Tensor or error.obj is Tensor):
        hint = _alias._hint(error.name, "rushlight.Tensor")
        if hint and hint not in str(error):
            error.args = (str(error) + hint,)
            error.obj = None
    if type(error) is ImportError and found and found[2] in sys.modules:
        text = str(_alias._missing_import(*found.groups()))
        error.msg, error.args = text, (text,)
        if sys.version_info >= (3, 12):
            error.name_from = None  # for which the report would append a suggestion of its own


def _prompt_alone() -> None:
    module = _start()
    sys.argv = [""]
    _set_first_path("")
    vars(module).update(__builtins__=builtins, __loader__=importlib.machinery.BuiltinImporter, __package__=None, __spec__=None)
    sys.modules["__main__"] = module
    shown = f"Rushlight {version.rushlight} (torch {version.__version__}), Python {sys.version}"
    _converse(vars(module), f"{shown}\n`import torch` gives Rushlight.")


def _run_and_converse(arguments: list[str]) -> None:
    """With -i, the prompt follows the program, however that ended."""
    module = _start()
    try:
        _run(module, *_prepare(arguments))
    except _Refused:
        raise
    except BaseException as error:
        _explain(error)
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error, _without_runner(error.__traceback__)
        sys.excepthook(sys.last_type, error.with_traceback(sys.last_traceback), sys.last_traceback)
    _converse(vars(module))


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[:1] in (["-h"], ["--help"]):
        print(_USAGE, end="")
        return
    if arguments[:1] in (["-V"], ["--version"]):
        print(f"Rushlight {version.rushlight} (torch {version.__version__})")
        return
    if arguments in (["--install-torch-stubs"], ["--remove-torch-stubs"]):
        from rushlight import _torch_stubs

        raise SystemExit(_torch_stubs.main(arguments[0]))
    if not arguments:
        if sys.stdin.isatty():
            _prompt_alone()
            return
        arguments = ["-"]
    if arguments[0] == "-i":
        if len(arguments) == 1:
            _prompt_alone()
        else:
            _run_and_converse(arguments[1:])
        return
    try:
        _run(_start(), *_prepare(arguments))
    except SystemExit:
        raise
    except BaseException as error:
        _explain(error)
        trace, program_hook = _without_runner(error.__traceback__), sys.excepthook

        def hook(kind, value, _):
            program_hook(kind, value.with_traceback(trace), trace)

        # Python itself reports the error and chooses the exit status (an interrupt has one of its own).
        sys.excepthook = hook
        raise


if __name__ == "__main__":
    main()
