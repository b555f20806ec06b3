"""TorchScript as far as programs lean on it without it: functions and modules that would be compiled are returned as they are.

There are no compiled programs to save or load, and no graphs to look at.
"""

import contextlib
import functools
import warnings
from typing import Any, Final, NamedTuple

from rushlight.core import Tensor, warn_user
from rushlight._jit_internal import _drop, _isinstance, _overload, _overload_method, export, ignore, is_scripting, unused
from rushlight._late import late as _late
from rushlight.futures import Future, wait_all
from rushlight.nn import Module

__all__ = [
    "Attribute", "CompilationUnit", "Error", "Final", "Future", "RecursiveScriptModule", "ScriptFunction", "ScriptModule",
    "ScriptWarning", "TracerWarning", "TracingCheckError", "annotate", "enable_onednn_fusion", "export", "fork", "freeze", "fuser", "ignore",
    "interface", "is_scripting", "is_tracing", "isinstance", "load", "onednn_fusion_enabled", "optimize_for_inference",
    "optimized_execution", "save", "script", "script_if_tracing", "script_method", "set_fusion_strategy", "strict_fusion", "trace",
    "trace_module", "unused", "wait",
]  # fmt: skip


class Error(Exception):
    """An error of a compiled program.

    >>> import rushlight as torch
    >>> issubclass(torch.jit.Error, Exception)
    True
    """


class ScriptWarning(Warning):
    """What a compiler warns of."""


class TracerWarning(Warning):
    """What a trace would not show."""

    @staticmethod
    def ignore_lib_warnings():
        """Silences those of libraries."""
        warnings.filterwarnings("ignore", category=TracerWarning, module="torch.(?!jit)")


def _get_trace_graph(
    f, args=(), kwargs=None, strict=True, _force_outplace=False, return_inputs=False, _return_inputs_states=False
):
    """Refuses: a trace here is the function itself, without a graph."""
    raise RuntimeError("torch.jit._get_trace_graph: Rushlight has no graphs of programs")


class TracingCheckError(Exception):
    """A trace computes something else than its function."""

    def __init__(self, graph_diff_error, tensor_compare_error, extra_msg=None):
        super().__init__(extra_msg or "Tracing failed sanity checks!")


class ScriptFunction:
    """A compiled function: there is none.

    >>> import rushlight as torch
    >>> torch.jit.ScriptFunction()
    Traceback (most recent call last):
        ...
    TypeError: ScriptFunction: No constructor defined!
    """

    def __init__(self):
        raise TypeError("ScriptFunction: No constructor defined!")

    def __call__(self, *args, **kwargs):
        raise TypeError("torch._C.ScriptFunction: No constructor defined!")


class ScriptModule(Module):
    """A module whose methods would be compiled: they run as they are written.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> class Twice(torch.jit.ScriptModule):
    ...     def forward(self, x): return x * 2
    >>> isinstance(Twice(), torch.nn.Module)
    True
    """


class RecursiveScriptModule(ScriptModule):
    """A module that was compiled with its children: there is none."""

    def __init__(self, cpp_module=None):
        raise RuntimeError("torch.jit.RecursiveScriptModule: Rushlight has no TorchScript")


class CompilationUnit:
    """Functions that would be compiled of source text: there is no compiler.

    Args:
        lang: The text, which is an error.

    >>> import rushlight as torch
    >>> torch.jit.CompilationUnit() is not None
    True
    """

    def __init__(self, lang=None, _frames_up=0):
        if lang is not None:
            raise _no_script("CompilationUnit of source text")


class Attribute(NamedTuple):
    """A value with the type that a compiler should take it for.

    Args:
        value: The value.
        type: Its type, as an annotation.

    >>> import rushlight as torch
    >>> torch.jit.Attribute(2, int).value
    2
    """

    value: Any
    type: Any


def _no_script(what):
    return RuntimeError(f"torch.jit.{what}: Rushlight has no TorchScript; it runs functions and modules as they are written")


def _deprecated(name, instead="switch to `torch.compile` or `torch.export`"):
    warn_user(f"`torch.jit.{name}` is deprecated. Please {instead}.", DeprecationWarning)


def script(obj, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """The function, module or class itself: it runs as it is written.

    Args:
        obj: The function, module or class.
        optimize, example_inputs: What a compiler would look at.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.jit.script(torch.nn.ReLU())(torch.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """
    _deprecated("script")
    if type(obj) in (int, float, str, bool, complex, bytes):
        raise TypeError(f"{type(obj)} is a built-in class")
    if type(obj) is type(Module) and issubclass(obj, Module):
        raise RuntimeError(
            f"Type '{str(obj).replace('rushlight.', 'torch.', 1)}' cannot be compiled since it inherits from nn.Module, pass an instance instead"
        )
    return obj


def script_if_tracing(fn):
    """A function that would be compiled inside a trace: it calls `fn`.

    >>> import rushlight as torch
    >>> @torch.jit.script_if_tracing
    ... def double(x):
    ...     return 2 * x
    >>> double(torch.ones(2))
    tensor([2., 2.])
    """

    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        return fn(*args, **kwargs)

    wrapper.__dict__.update({"__original_fn": fn, "__script_if_tracing_wrapper": True})
    return wrapper


_script_if_tracing = script_if_tracing


def script_method(fn):
    """The method itself."""
    _deprecated("script_method")
    return fn


def interface(obj):
    """The class itself.

    Args:
        obj: The class.

    >>> import rushlight as torch
    >>> @torch.jit.interface
    ... class Shape: pass
    >>> Shape.__name__
    'Shape'
    """
    return obj


def _check_traced(value):
    """Refuses what a trace cannot give."""
    if value is None or type(value) in (tuple, list):
        for item in value or ():
            _check_traced(item)
    elif type(value) is dict:
        for item in value.values():
            _check_traced(item)
    elif not issubclass(type(value), Tensor) and not hasattr(value, "_fields"):
        raise RuntimeError("Only tensors, lists, tuples of tensors, or dictionary of tensors can be output from traced functions")


def _as_arguments(given) -> tuple:
    """Example inputs as the arguments of a call: a tensor or dictionary is the only one, anything else lists them."""
    return (given,) if issubclass(type(given), Tensor) or type(given) is dict else tuple(given)


def trace(
    func,
    example_inputs=None,
    optimize=None,
    check_trace=True,
    check_inputs=None,
    check_tolerance=1e-5,
    strict=True,
    _force_outplace=False,
    _module_class=None,
    _compilation_unit=None,
    example_kwarg_inputs=None,
    _store_inputs=True,
):
    """The function or module itself, after it has been called with the example inputs as a trace would: no graph is kept.

    Raises:
        RuntimeError: It gives something else than tensors.

    Args:
        func: The function or module.
        example_inputs: Its arguments, as a tuple; a tensor is one.
        example_kwarg_inputs: Named arguments, instead.
        optimize, check_trace, check_inputs, check_tolerance, strict: What a trace would be checked by; there is none.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.jit.trace(torch.sin, torch.ones(2))(torch.zeros(3))
    tensor([0., 0., 0.])
    """
    _deprecated("trace")
    if example_kwarg_inputs is not None:
        args, kwargs = (), example_kwarg_inputs
    else:
        args, kwargs = _as_arguments(example_inputs), {}
    _check_traced(func(*args, **kwargs))
    return func


def trace_module(
    mod,
    inputs,
    optimize=None,
    check_trace=True,
    check_inputs=None,
    check_tolerance=1e-5,
    strict=True,
    _force_outplace=False,
    _module_class=None,
    _compilation_unit=None,
    example_inputs_is_kwarg=False,
    _store_inputs=True,
):
    """The module itself, after the methods that `inputs` names have been called with the example inputs.

    Args:
        mod: The module.
        inputs: The arguments of its methods, by their names.
        optimize, check_trace, check_inputs, check_tolerance, strict: What a trace would be checked by; there is none.
        example_inputs_is_kwarg: Whether `inputs` has named arguments.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.jit.trace_module(torch.nn.ReLU(), {"forward": torch.ones(2)})(torch.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """
    _deprecated("trace_method")
    if type(inputs) is not dict:
        raise AttributeError("expected a dictionary of (method_name, input) pairs")
    for name, given in inputs.items():
        method = mod if name == "forward" else getattr(mod, name)
        _check_traced(method(**given) if example_inputs_is_kwarg else method(*_as_arguments(given)))
    return mod


def is_tracing() -> bool:
    """False: nothing is traced."""
    return False


def annotate(the_type, the_value):
    """The value `the_value`, which a compiler would take to be of the type `the_type`.

    >>> import rushlight as torch
    >>> torch.jit.annotate(list[int], [])
    []
    """
    return the_value


def isinstance(obj, target_type):  # the public name
    """isinstance(obj, target_type), for annotations such as list[int] too: their elements are looked at.

    >>> import rushlight as torch
    >>> torch.jit.isinstance([1, 2], list[int])
    True
    """
    return _isinstance(obj, target_type)


def _unwrap_optional(x):
    if x is None:
        raise AssertionError("Unwrapping null optional")
    return x


def freeze(mod, preserved_attrs=None, optimize_numerics=True):
    """The module itself, which has to be in evaluation mode.

    Args:
        mod: The module.
        preserved_attrs, optimize_numerics: What a compiler would look at.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.jit.freeze(torch.nn.ReLU().eval())
    ReLU()
    >>> torch.jit.freeze(torch.nn.ReLU())
    Traceback (most recent call last):
        ...
    RuntimeError: Freezing is currently only implemented for modules in eval mode. Please call .eval() on your module before
    freezing.
    """
    _deprecated("freeze", "use `torch.compile` instead")
    if mod.training:
        raise RuntimeError(
            "Freezing is currently only implemented for modules in eval mode. Please call .eval() on your module before freezing."
        )
    return mod


def optimize_for_inference(mod, other_methods=None):
    """The module itself.

    Args:
        mod: The module.
        other_methods: Further methods that a compiler would look at.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.jit.optimize_for_inference(torch.nn.ReLU().eval())
    ReLU()
    """
    _deprecated("optimize_for_inference", "use `torch.compile` instead")
    return mod


def run_frozen_optimizations(mod, optimize_numerics=True, preserved_methods=None) -> None:
    """Does nothing."""


def save(m, f, _extra_files=None) -> None:
    """Raises: a program cannot be saved, only its state (`torch.save(module.state_dict(), f)`).

    Args:
        m: The module.
        f: The file.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.jit.save(torch.nn.ReLU(), "relu.pt")
    Traceback (most recent call last):
        ...
    RuntimeError: torch.jit.save: Rushlight has no TorchScript; it runs functions and modules as they are written
    """
    _deprecated("save", "switch to `torch.export`")
    raise _no_script("save")


def load(f, map_location=None, _extra_files=None, _restore_shapes=False):
    """Raises: there is nothing that could run a saved program.

    Args:
        f: The file.
        map_location: Where its tensors would lie.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.jit.load("relu.pt")
    Traceback (most recent call last):
        ...
    ValueError: The provided filename relu.pt does not exist
    """
    import os

    _deprecated("load", "switch to `torch.export`")
    if type(f) is str or hasattr(f, "__fspath__"):
        if not os.path.exists(f):
            raise ValueError(f"The provided filename {f} does not exist")
        if os.path.isdir(f):
            raise ValueError(f"The provided filename {f} is a directory")
    raise _no_script("load")


def fork(func, *args, **kwargs):
    """A Future of what the function gives, which is called at once.

    Args:
        func: The function; further arguments are its.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> future = torch.jit.fork(torch.add, torch.ones(2), 1)
    >>> torch.jit.wait(future)
    tensor([2., 2.])
    """
    _deprecated("fork", "use `torch.compile` instead")
    future: Future = Future()
    try:
        future.set_result(func(*args, **kwargs))
    except Exception as error:
        future.set_exception(error)
    return future


def wait(future):
    """What a Future of `fork` holds.

    Args:
        future: The Future.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> torch.jit.wait(torch.jit.fork(torch.neg, torch.ones(2)))
    tensor([-1., -1.])
    """
    _deprecated("wait", "use `torch.compile` instead")
    return wait_all([future])[0]


_fork, _wait = fork, wait
_onednn_fusion = False
_fusion_strategy = [("STATIC", 2), ("DYNAMIC", 10)]


def enable_onednn_fusion(enabled: bool) -> None:
    """Remembers it.

    Args:
        enabled: Whether a compiler should merge ops.

    >>> import rushlight as torch
    >>> torch.jit.enable_onednn_fusion(False)
    """
    global _onednn_fusion
    _onednn_fusion = enabled


def onednn_fusion_enabled() -> bool:
    """What `enable_onednn_fusion` was given.

    >>> import rushlight as torch
    >>> torch.jit.onednn_fusion_enabled()
    False
    """
    return _onednn_fusion


def set_fusion_strategy(strategy):
    """Remembers it, and returns what was set before.

    Args:
        strategy: Pairs of "STATIC" or "DYNAMIC" and a number.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> before = torch.jit.set_fusion_strategy([("STATIC", 2)])
    >>> torch.jit.set_fusion_strategy(before)
    [('STATIC', 2)]
    """
    global _fusion_strategy
    _deprecated("set_fusion_strategy", "use `torch.compile` instead")
    before, _fusion_strategy = _fusion_strategy, strategy
    return before


@contextlib.contextmanager
def optimized_execution(should_optimize):
    """Changes nothing."""
    yield


@contextlib.contextmanager
def fuser(name):
    """Changes nothing. `name` is one of fuser0 to fuser3."""
    if name not in ("fuser0", "fuser1", "fuser2", "fuser3"):
        raise Exception(f"unrecognized fuser option (name: {name})")
    yield


class strict_fusion:
    """Changes nothing.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> with torch.jit.strict_fusion(): torch.ones(2).sum()
    tensor(2.)
    """

    def __enter__(self):
        pass

    def __exit__(self, type, value, tb):
        pass


_PARTS = ("_script", "_trace", "annotations")
__getattr__ = _late(__name__, {name: f"{__name__}.{name}" for name in _PARTS})
