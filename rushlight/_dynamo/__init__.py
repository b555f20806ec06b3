"""Names of PyTorch's compiler that programs use; there is none, and every function runs as it is written."""

from rushlight._compile import OptimizedModule
from rushlight._late import late as _late
from rushlight.compiler import (
    allow_in_graph,
    assume_constant_result,
    disable,
    is_compiling,
    list_backends,
    nested_compile_region,
    reset,
    set_stance,
    substitute_in_graph,
)

__all__ = [
    "OptimizedModule", "allow_in_graph", "assume_constant_result", "config", "disable", "disallow_in_graph", "forbid_in_graph",
    "graph_break", "is_compiling", "is_dynamo_supported", "list_backends", "lookup_backend", "mark_dynamic", "mark_static",
    "mark_static_address", "maybe_mark_dynamic", "nonstrict_trace", "optimize", "optimize_assert", "register_backend", "reset", "run",
    "set_stance", "skip_frame", "substitute_in_graph",
]  # fmt: skip

forbid_in_graph = disallow_in_graph = nonstrict_trace = dont_skip_tracing = allow_in_graph


def is_dynamo_supported() -> bool:
    """False: there is no compiler."""
    return False


is_inductor_supported = is_dynamo_supported


def graph_break(msg="") -> None:
    """Does nothing: there is no graph."""


skip_frame = step_unsupported = graph_break


def mark_dynamic(t, index, *, hint_override=None, min=None, max=None, specialize_on=None) -> None:
    """Does nothing: no size is assumed."""


def maybe_mark_dynamic(t, index) -> None:
    """Does nothing."""


def mark_static(t, index=None) -> None:
    """Does nothing."""


def mark_static_address(t, guard=False) -> None:
    """Does nothing."""


def optimize(backend="inductor", *args, **kwargs):
    """A decorator that returns what `torch.compile` does."""
    from rushlight._compile import compile

    return lambda function: compile(function, backend=backend)


optimize_assert = optimize


def run(fn=None):
    """The function itself."""
    return (lambda function: function) if fn is None else fn


def register_backend(compiler_fn=None, name=None, tags=()):
    """Makes a name known that `torch.compile` then takes for `backend`."""
    from rushlight._compile import BACKENDS

    if compiler_fn is None:
        return lambda function: register_backend(function, name, tags)
    if not callable(compiler_fn):
        raise AssertionError("compiler_fn must be callable")
    BACKENDS[name or compiler_fn.__name__] = tuple(tags)
    return compiler_fn


def lookup_backend(compiler_fn):
    """The compiler of a name: for each name the function that gives a graph back as it is."""
    from rushlight._compile import BACKENDS, InvalidBackend

    if not isinstance(compiler_fn, str):
        return compiler_fn
    if compiler_fn not in BACKENDS:
        raise InvalidBackend(compiler_fn)
    return lambda graph, inputs, **kwargs: graph


def explain(f, *args, **kwargs):
    """Raises: nothing is compiled that could be explained."""
    raise RuntimeError("torch._dynamo.explain: Rushlight compiles nothing; every function runs as it is written")


export = explain
_PARTS = ("_trace_wrapped_higher_order_op", "config", "decorators", "eval_frame", "exc", "external_utils", "utils")
__getattr__ = _late(__name__, {name: f"{__name__}.{name}" for name in _PARTS})
