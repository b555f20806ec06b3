"""`torch.compile`: what it returns does recorded calls again (docs/replay.md), and else calls the function as it is written."""

import functools

from rushlight import compiler
from rushlight.compiler import _capture
from rushlight.nn import Module

# The compilers that programs name, with what they are for.
BACKENDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("cudagraphs", "inductor", "openxla", "tvm"), ()),
    **dict.fromkeys(
        ("aot_eager", "aot_eager_decomp_partition", "aot_eager_default_partitioner", "aot_ts", "eager", "ts"), ("debug",)
    ),
    **dict.fromkeys(("eager_debug", "eager_noexcept", "invoke_subgraph", "openxla_eval", "pre_dispatch_eager"), ("debug",)),
}
MODES = ("default", "lite", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")


class InvalidBackend(RuntimeError):
    """The name of a compiler that there is not."""

    __module__ = "torch._dynamo.exc"

    def __init__(self, name):
        super().__init__(f"Invalid backend: {name!r}, see `torch._dynamo.list_backends()` for available backends.")


class OptimizedModule(Module):
    """What `torch.compile` makes of a module: it calls that module, which is its only child, and has its attributes."""

    __module__ = "torch._dynamo.eval_frame"
    _own = frozenset({"_orig_mod", "dynamo_ctx", "get_compiler_config"})

    def __init__(self, mod, dynamo_ctx=None):
        super().__init__()
        self._modules["_orig_mod"] = mod
        self.dynamo_ctx = dynamo_ctx
        self._prepare()

    def _prepare(self):
        # A forward of its own: a call of the module then comes to it through hooks alone, without Python.
        mod = self._modules["_orig_mod"]
        self.__dict__["forward"] = self.__dict__["compiled"] = _capture.compiled(lambda *args, **kwargs: mod(*args, **kwargs))

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name not in ("compiled", "forward")}

    def __setstate__(self, state):
        super().__setstate__(state)
        self._prepare()

    def forward(self, *args, **kwargs):
        """What the module gives."""
        return self._modules["_orig_mod"](*args, **kwargs)

    def __len__(self):
        return len(self._orig_mod)

    def __getattr__(self, name):
        if name == "_orig_mod":
            return self._modules["_orig_mod"]
        return getattr(self._modules["_orig_mod"], name)

    def __setattr__(self, name, value):
        module = self.__dict__.get("_modules", {}).get("_orig_mod")
        if module is None or name in self._own or (hasattr(type(self), name) and name != "training"):
            super().__setattr__(name, value)
        else:
            setattr(module, name, value)

    def __delattr__(self, name):
        delattr(self._orig_mod, name)

    @property
    def training(self):
        """Whether the module is in training mode."""
        return self._orig_mod.training

    def __dir__(self):
        return sorted({*super().__dir__(), *dir(self._orig_mod)})


def _check(backend, mode, options):
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if backend == "inductor":
        if mode is not None and mode not in MODES:
            raise RuntimeError(f"Unrecognized mode={mode}, should be one of: {', '.join(MODES)}")
    elif isinstance(backend, str) and backend not in BACKENDS:
        raise InvalidBackend(backend)


def compile(model=None, *, fullgraph=False, dynamic=None, backend=None, mode=None, options=None, disable=False):
    """A function or module that does what `model` does, without the Python where it can.

    After a few calls of one kind it runs the same kernels again, as long as nothing that the function reads has changed. Without
    `model` it is a decorator. A module is wrapped in another one, of which it is the child `_orig_mod`.

    Args:
        backend: A compiler. Those that are for debugging ("eager"), or the program's own, leave the function as it is.
        mode: "default", "reduce-overhead" and so on, which change nothing here; or `options` in its place.
        disable: Whether the function stays as it is.
        fullgraph, dynamic: Taken for other programs' sake.

    Args:
        model: a function or a module.
        fullgraph: without effect: what cannot be repeated runs as ever.
        dynamic: without effect: each shape is recorded.
        backend: the name of a compiler.
        mode: one of PyTorch's modes; without effect.
        options: those of the compiler; without effect.
        disable: whether `model` is returned as it is.

    Raises:
        RuntimeError: No such compiler or mode.

    >>> import rushlight as torch
    >>> @torch.compile(fullgraph=True)
    ... def double(x):
    ...     return 2 * x
    >>> double(torch.ones(1))
    tensor([2.])
    >>> torch.compile(torch.nn.ReLU())
    OptimizedModule(
      (_orig_mod): ReLU()
    )
    """
    if model is None:
        keywords = dict(fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode, options=options, disable=disable)
        return lambda function: compile(function, **keywords)
    backend = compiler.get_default_backend() if backend is None else backend
    _check(backend, mode, options)
    if not callable(model):
        raise AssertionError(f"A callable function is expected, but {type(model)} is provided.")
    if disable:
        return model
    if isinstance(model, Module):
        return OptimizedModule(model)
    if isinstance(model, type):
        return model

    compiled = _capture.compiled(model)
    if not isinstance(backend, str) or "debug" in BACKENDS.get(backend, ()) or getattr(model, "_torchdynamo_disable", False):
        compiled.enabled = False
    functools.update_wrapper(compiled, model)
    compiled._torchdynamo_orig_callable = compiled._torchdynamo_inline = model
    compiled._is_torch_compile = True
    return compiled
