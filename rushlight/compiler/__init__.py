"""How compiled functions run: see docs/replay.md. Nothing is compiled: calls are recorded, and their kernels run again."""

from collections import defaultdict as _defaultdict
from dataclasses import dataclass as _dataclass
from dataclasses import field as _field

from rushlight._late import late as _late

__all__ = [
    "CacheInfo", "allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable", "get_default_backend",
    "is_compiling", "is_dynamo_compiling", "is_exporting", "keep_portable_guards_unsafe", "keep_tensor_guards_unsafe", "list_backends",
    "load_cache_artifacts", "load_compiled_function", "nested_compile_region", "reset", "save_cache_artifacts", "set_default_backend",
    "set_enable_guard_collectives", "set_stance", "skip_all_guards_unsafe", "skip_guard_on_all_nn_modules_unsafe",
    "skip_guard_on_globals_unsafe", "skip_guard_on_inbuilt_nn_modules_unsafe", "substitute_in_graph", "wrap_numpy",
]  # fmt: skip


def compile(*args, **kwargs):
    """`torch.compile`.

    >>> import rushlight as torch
    >>> @torch.compiler.compile
    ... def double(x):
    ...     return 2 * x
    >>> double(torch.ones(1))
    tensor([2.])
    """
    from rushlight._compile import compile

    return compile(*args, **kwargs)


def is_compiling() -> bool:
    """False: nothing is being compiled.

    >>> import rushlight as torch
    >>> torch.compiler.is_compiling()
    False
    """
    return False


def is_dynamo_compiling() -> bool:
    """False: nothing is being compiled.

    >>> import rushlight as torch
    >>> torch.compiler.is_dynamo_compiling()
    False
    """
    return False


def is_exporting() -> bool:
    """False: nothing is being exported.

    >>> import rushlight as torch
    >>> torch.compiler.is_exporting()
    False
    """
    return False


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself, or a decorator that returns it: `torch.compile` leaves it as it is.

    Args:
        fn: The function.
        recursive: Whether what it calls is left, too.
        reason: A text for whoever asks.

    >>> import rushlight as torch
    >>> torch.compiler.disable(len)([1, 2])
    2
    """
    if fn is None:
        return lambda function: function
    if not callable(fn):
        raise AssertionError("fn must be callable")
    try:
        fn._torchdynamo_disable = True
    except (AttributeError, TypeError):  # (of what has no attributes nothing is compiled)
        return fn
    return fn


def allow_in_graph(fn):
    """The function `fn` itself, or the list of functions.

    >>> import rushlight as torch
    >>> def double(x):
    ...     return 2 * x
    >>> torch.compiler.allow_in_graph(double) is double
    True
    """
    if isinstance(fn, (list, tuple)):
        return [allow_in_graph(x) for x in fn]
    if not callable(fn):
        raise AssertionError("allow_in_graph expects a callable")
    return fn


def assume_constant_result(fn):
    """The function `fn` itself.

    >>> import rushlight as torch
    >>> @torch.compiler.assume_constant_result
    ... def factor():
    ...     return 2
    >>> factor()
    2
    """
    fn._dynamo_marked_constant = True
    return fn


def list_backends(exclude_tags=("debug", "experimental")) -> list[str]:
    """The names that `torch.compile` takes for `backend`, without those of the kinds in `exclude_tags`.

    >>> import rushlight as torch
    >>> "inductor" in torch.compiler.list_backends()
    True
    """
    from rushlight._compile import BACKENDS

    tags = set(exclude_tags or ())
    return sorted(name for name, marks in BACKENDS.items() if not tags & set(marks))


def reset() -> None:
    """Forgets every recorded call.

    >>> import rushlight as torch
    >>> torch.compiler.reset()
    """
    from rushlight.compiler import _capture

    _capture.forget_all()


def cudagraph_mark_step_begin() -> None:
    """Does nothing.

    >>> import rushlight as torch
    >>> torch.compiler.cudagraph_mark_step_begin()
    """


_default_backend = "inductor"


def set_default_backend(backend) -> None:
    """Sets what `torch.compile` takes for `backend` where it is not given; None: "inductor".

    >>> import rushlight as torch
    >>> torch.compiler.set_default_backend("eager")
    >>> torch.compiler.get_default_backend()
    'eager'
    >>> torch.compiler.set_default_backend(None)
    """
    global _default_backend
    if backend is not None and not isinstance(backend, str) and not callable(backend):
        raise TypeError(f"backend must be a string or callable, got {type(backend)}")
    _default_backend = "inductor" if backend is None else backend


def get_default_backend():
    """What `set_default_backend` has set.

    >>> import rushlight as torch
    >>> torch.compiler.get_default_backend()
    'inductor'
    """
    return _default_backend


class set_stance:
    """How compiled functions run from now on, or in a `with` block, or within a decorated function.

    "default" records calls and replays them; "force_eager" runs functions as they are written; "eager_on_recompile" replays what
    is recorded, and
    records nothing; "fail_on_recompile" raises for a call that is not.

    Args:
        stance: One of the above.
        skip_guard_eval_unsafe: Whether what was recorded is taken without a look at its conditions.
        force_backend: What would compile.

    >>> import rushlight as torch
    >>> with torch.compiler.set_stance("force_eager"):
    ...     torch.compile(torch.sin)(torch.zeros(1))
    tensor([0.])
    """

    def __init__(self, stance="default", *, skip_guard_eval_unsafe=False, force_backend=None):
        from rushlight.compiler import _capture

        if force_backend is not None and stance != "default":
            raise RuntimeError("non-default stance cannot have force_backend set")
        if stance not in _capture.STANCES:
            raise RuntimeError(f"invalid torch.compile stance: {stance!r}, should be one of {', '.join(_capture.STANCES)}")
        self.stance, self.before = stance, _capture.take_stance(stance)

    def __call__(self, fn):
        import functools

        from rushlight.compiler import _capture

        _capture.take_stance(self.before)

        @functools.wraps(fn)
        def within(*args, **kwargs):
            before = _capture.take_stance(self.stance)
            try:
                return fn(*args, **kwargs)
            finally:
                _capture.take_stance(before)

        return within

    def __enter__(self):
        return None

    def __exit__(self, exc_type, exc_val, exc_tb):
        from rushlight.compiler import _capture

        _capture.take_stance(self.before)


def set_enable_guard_collectives(enabled):
    """False, what was set before: nothing is guarded.

    Args:
        enabled: Whether processes would agree on them.

    >>> import rushlight as torch
    >>> torch.compiler.set_enable_guard_collectives(False)
    False
    """
    return False


def nested_compile_region(fn=None, *, options=None, max_reuse_entries=8, reuse_hash_fn=None):
    """The function `fn` itself, or a decorator that returns it; the other arguments, `options`, `max_reuse_entries` and
    `reuse_hash_fn`, change nothing.

    >>> import rushlight as torch
    >>> def double(x):
    ...     return 2 * x
    >>> torch.compiler.nested_compile_region(double)(torch.ones(1))
    tensor([2.])
    """
    return (lambda function: function) if fn is None else fn


def substitute_in_graph(original_fn, *, can_constant_fold_through=False, skip_signature_check=False):
    """A decorator of what a compiler should read instead of `original_fn`; it returns the function itself.

    Args:
        original_fn: The function that it stands for.
        can_constant_fold_through, skip_signature_check: What a compiler would look at.

    >>> import rushlight as torch
    >>> @torch.compiler.substitute_in_graph(len)
    ... def length(x): return sum(1 for _ in x)
    >>> length([1, 2])
    2
    """
    if not callable(original_fn) or isinstance(original_fn, type):
        raise TypeError(f"substitute_in_graph expects a function but got {type(original_fn)}")
    return lambda function: function


def wrap_numpy(fn):
    """A function of tensors of one of NumPy's arrays, `fn`: its arguments and results are converted.

    >>> import rushlight as torch
    >>> import numpy
    >>> torch.compiler.wrap_numpy(numpy.cumsum)(torch.ones(3))
    tensor([1., 2., 3.])
    """
    import functools

    import rushlight as torch
    from rushlight.utils import _pytree

    @functools.wraps(fn)
    def wrapped(*args, **kwargs):
        args, kwargs = _pytree.tree_map_only(torch.Tensor, lambda x: x.numpy(), (args, kwargs))
        import numpy

        return _pytree.tree_map(
            lambda x: torch.as_tensor(x) if isinstance(x, (numpy.ndarray, numpy.generic)) else x, fn(*args, **kwargs)
        )

    return wrapped


@_dataclass
class CacheInfo:
    """What a compiler keeps: nothing."""

    artifacts: dict = _field(default_factory=lambda: _defaultdict(list))


def save_cache_artifacts():
    """None: nothing was compiled.

    >>> import rushlight as torch
    >>> torch.compiler.save_cache_artifacts()
    """
    return None


def load_cache_artifacts(serialized_artifacts):
    """None: there is nothing to load.

    Args:
        serialized_artifacts: Bytes.

    >>> import rushlight as torch
    >>> torch.compiler.load_cache_artifacts(b"")
    """
    return None


def load_compiled_function(file, *, f_globals=None, external_data=None):
    """Raises: there are no compiled functions to load.

    Args:
        file: The file.
        f_globals, external_data: What the function would name.

    >>> import rushlight as torch
    >>> import io
    >>> torch.compiler.load_compiled_function(io.BytesIO())
    Traceback (most recent call last):
        ...
    RuntimeError: torch.compiler.load_compiled_function: Rushlight runs functions as they are written and has none that were
    compiled
    """
    raise RuntimeError(
        "torch.compiler.load_compiled_function: Rushlight runs functions as they are written and has none that were compiled"
    )


def keep_tensor_guards_unsafe(guard_entries, keep_parameters=False):
    """True for each entry.

    Args:
        guard_entries: Conditions under which a compiled function would hold.
        keep_parameters: Whether those on parameters count.

    >>> import rushlight as torch
    >>> torch.compiler.keep_tensor_guards_unsafe([])
    []
    """
    return [True for entry in guard_entries]


keep_portable_guards_unsafe = keep_tensor_guards_unsafe


def skip_all_guards_unsafe(guard_entries):
    """False for each entry.

    Args:
        guard_entries: Conditions under which a compiled function would hold.

    >>> import rushlight as torch
    >>> torch.compiler.skip_all_guards_unsafe([])
    []
    """
    return [False for entry in guard_entries]


def skip_guard_on_globals_unsafe(guard_entries):
    """Which guards to keep: those of no globals.

    Args:
        guard_entries: Conditions under which a compiled function would hold.

    >>> import rushlight as torch
    >>> torch.compiler.skip_guard_on_globals_unsafe([])
    []
    """
    return [not entry.is_global for entry in guard_entries]


def skip_guard_on_inbuilt_nn_modules_unsafe(guard_entries):
    """True for each entry.

    Args:
        guard_entries: Conditions under which a compiled function would hold.

    >>> import rushlight as torch
    >>> torch.compiler.skip_guard_on_inbuilt_nn_modules_unsafe([])
    []
    """
    return [True for entry in guard_entries]


skip_guard_on_all_nn_modules_unsafe = skip_guard_on_inbuilt_nn_modules_unsafe
__getattr__ = _late(__name__, {"config": f"{__name__}.config"})
