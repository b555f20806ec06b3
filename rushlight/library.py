"""Ops that programs define: a function with a name, which `torch.ops.NAMESPACE.NAME` calls, and its derivative."""

import contextlib

from rushlight._ops import OpOverload, OpOverloadPacket, namespace, namespaces, unloaded
from rushlight._schemas import Schema, infer_schema

__all__ = [
    "CustomOpDef", "Library", "custom_op", "define", "fallthrough_kernel", "get_ctx", "get_kernel", "impl", "impl_abstract", "infer_schema",
    "register_autocast", "register_autograd", "register_fake", "register_kernel", "register_torch_dispatch", "register_vmap", "triton_op",
    "wrap_triton",
]  # fmt: skip


def _find(name) -> OpOverload:
    """The op that is called NAMESPACE::NAME."""
    if isinstance(name, CustomOpDef):
        return name._opoverload
    if isinstance(name, OpOverload):
        return name
    space, _, rest = name.partition("::")
    packet = vars(namespaces[space]).get(rest.partition(".")[0]) if space in namespaces else None
    if not isinstance(packet, OpOverloadPacket) and space in unloaded:
        return _make(space, rest)
    if not isinstance(packet, OpOverloadPacket):
        raise RuntimeError(f"operator {name} does not exist")
    return packet.default


def _make(space, schema_text, function=None) -> OpOverload:
    name, bracket, rest = schema_text.partition("(")
    overload = OpOverload(space, name.partition(".")[0], Schema(bracket + rest), function)
    setattr(namespace(space), overload._opname, OpOverloadPacket(overload))
    return overload


def _split(name):
    space, colons, rest = name.partition("::")
    if not colons or "::" in rest:
        raise ValueError(f"Expected `name` to be of the form `namespace::name`, got {name}")
    return space, rest


class CustomOpDef:
    """An op that a program has defined; `custom_op` makes it."""

    def __init__(self, namespace, name, schema, fn, tags=None):
        self._namespace, self._name, self._schema, self._init_fn = namespace, name, schema, fn
        self._opoverload = _make(namespace, name + schema, fn)

    def __repr__(self):
        return f"<CustomOpDef({self._namespace}::{self._name})>"

    @property
    def _qualname(self):
        return f"{self._namespace}::{self._name}"

    def __call__(self, *args, **kwargs):
        return self._opoverload(*args, **kwargs)

    def register_fake(self, fn, /):
        """Registers what gives the op's results without values; nothing here asks for it."""
        self._opoverload.meta = fn
        return fn

    def register_kernel(self, device_types, fn=None, /):
        """Registers what computes the op; for the CPU, it is what runs."""
        return register_kernel(self, device_types, fn)

    def register_autograd(self, backward, /, *, setup_context=None):
        """Registers the derivative: `backward(ctx, *gradients)`, and `setup_context(ctx, inputs, output)`, which keeps what that needs."""
        register_autograd(self, backward, setup_context=setup_context)

    def register_vmap(self, func=None, /):
        """Registers what computes the op of a batch."""
        return register_vmap(self, func)

    def register_torch_dispatch(self, torch_dispatch_class, fn=None, /):
        """Registers what a subclass of Tensor makes of the op."""
        return register_torch_dispatch(self, torch_dispatch_class, fn)

    def register_autocast(self, device_type, cast_inputs):
        """Registers the dtype that the op computes in under autocast."""
        register_autocast(self, device_type, cast_inputs)


def custom_op(name, fn=None, /, *, mutates_args, device_types=None, schema=None, tags=None):
    """Makes an op of a function, which `torch.ops.NAMESPACE.NAME` and what is returned call.

    Args:
        name: "NAMESPACE::NAME".
        mutates_args: The names of the arguments that the function writes to.
        device_types: The types of devices that it computes on.
        schema: What it takes and returns, else read from its annotations.
        fn: The function; None makes a decorator.
        tags: Which are kept.

    >>> import rushlight as torch
    >>> @torch.library.custom_op("example::square", mutates_args=())
    ... def square(x: torch.Tensor) -> torch.Tensor:
    ...     return x.clone() * x
    >>> square.register_autograd(lambda ctx, g: 2 * g * ctx.x, setup_context=lambda ctx, inputs, output: setattr(ctx, "x", inputs[0]))
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.ops.example.square(x).backward()
    >>> x.grad
    tensor(6.)
    """
    if fn is None:
        return lambda function: custom_op(
            name, function, mutates_args=mutates_args, device_types=device_types, schema=schema, tags=tags
        )
    text = infer_schema(fn, mutates_args=mutates_args) if schema is None else schema
    return CustomOpDef(*_split(name), text, fn, tags)


triton_op = custom_op


def wrap_triton(triton_kernel, /):
    """The kernel itself.

    Args:
        triton_kernel: The kernel.

    >>> import rushlight as torch
    >>> torch.library.wrap_triton(len) is len
    True
    """
    return triton_kernel


class Library:
    """Ops of a namespace that a program defines ("DEF", "FRAGMENT") or computes ("IMPL").

    Args:
        ns: The namespace.
        kind: "DEF", "FRAGMENT" or "IMPL".
        dispatch_key: For which kind of device functions are, such as "CPU".

    >>> import rushlight as torch
    >>> lib = torch.library.Library("documented", "FRAGMENT")
    >>> lib.define("twice(Tensor x) -> Tensor")
    'twice'
    >>> lib.impl("twice", lambda x: x * 2, "CompositeImplicitAutograd")
    >>> torch.ops.documented.twice(torch.ones(2))
    tensor([2., 2.])
    """

    def __init__(self, ns, kind, dispatch_key=""):
        if kind not in ("IMPL", "DEF", "FRAGMENT"):
            raise ValueError(f"Unsupported kind: {kind}")
        if ns == "prim" and kind != "IMPL":
            raise ValueError(f"{ns} is a reserved namespace. Please try creating a library with another name.")
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key
        self._defined, self._replaced = [], []  # ops, and (op, what it had before by its attributes' names)

    def __repr__(self):
        return f"Library(kind={self.kind}, ns={self.ns}, dispatch_key={self.dispatch_key})>"

    def define(self, schema, alias_analysis="", *, tags=()):
        """Defines an op by its schema; returns its name."""
        self._defined.append(_make(self.ns, schema)._opname)
        return self._defined[-1]

    def impl(self, op_name, fn, dispatch_key="", *, with_keyset=False, allow_override=False):
        """Says what computes an op; for other devices than the CPU it is never called."""
        if not callable(fn):
            raise TypeError(f"Input function is required to be a callable but found type {type(fn)}")
        key = dispatch_key or self.dispatch_key or "CompositeImplicitAutograd"
        name = op_name if isinstance(op_name, str) else op_name.__name__
        overload = _find(name if "::" in name else f"{self.ns}::{name}")
        self._replaced.append((overload, {"function": overload.function, "meta": overload.meta}))
        if key in ("CPU", "CompositeImplicitAutograd", "CompositeExplicitAutograd"):
            overload.function = fn
        elif key == "Meta":
            overload.meta = fn

    def fallback(self, fn, dispatch_key="", *, with_keyset=False):
        """Accepts what would be called where nothing else is; nothing here asks for it."""

    def _register_fake(self, op_name, fn, _stacklevel=1, *, allow_override=False):
        _find(f"{self.ns}::{op_name}").meta = fn

    def _destroy(self):
        """Forgets the ops that it has defined, and what it has said of others."""
        for overload, before in reversed(self._replaced):
            vars(overload).update(before)
        for name in self._defined:
            vars(namespaces[self.ns]).pop(name, None)
        self._defined, self._replaced = [], []


@contextlib.contextmanager
def _scoped_library(*args, **kwargs):
    """A Library that is forgotten at the end."""
    made = Library(*args, **kwargs)
    try:
        yield made
    finally:
        made._destroy()


def define(qualname, schema, *, lib=None, tags=()):
    """Defines an op by its schema, to be computed by what `impl` registers.

    Args:
        qualname: "NAMESPACE::NAME".
        schema: Its parameters and results, such as "(Tensor x) -> Tensor".
        lib: The `Library` that it belongs to.
        tags: Which are kept.

    >>> import rushlight as torch
    >>> torch.library.define("documented::thrice", "(Tensor x) -> Tensor")
    >>> @torch.library.impl("documented::thrice", "cpu")
    ... def thrice(x): return x * 3
    >>> torch.ops.documented.thrice(torch.ones(2))
    tensor([3., 3.])
    """
    if not isinstance(qualname, str):
        raise ValueError(f"define(qualname, schema): expected qualname to be instance of str, got {type(qualname)}")
    space, name = _split(qualname)
    _make(space, name + schema)


def impl(qualname, types, func=None, *, lib=None):
    """Says what computes an op on types of devices; as a decorator without `func`.

    Args:
        qualname: "NAMESPACE::NAME".
        types: Types of devices, such as "cpu", or "default".
        func: The function; None makes a decorator.
        lib: The `Library` that it belongs to.

    >>> import rushlight as torch
    >>> torch.library.define("documented::half", "(Tensor x) -> Tensor")
    >>> @torch.library.impl("documented::half", "default")
    ... def half(x): return x / 2
    >>> torch.ops.documented.half(torch.ones(2))
    tensor([0.5000, 0.5000])
    """
    return register_kernel(qualname, types, func)


def register_kernel(op, device_types, func=None, /, *, lib=None):
    """Says what computes an op on types of devices; as a decorator without `func`."""
    overload = _find(op)

    def register(function):
        kinds = [device_types] if isinstance(device_types, str) else device_types
        if kinds is None or {"cpu", "default", "CPU", "CompositeExplicitAutograd", "CompositeImplicitAutograd"} & set(kinds):
            overload.function = function
        return function

    return register if func is None else register(func)


def register_fake(op, func=None, /, *, lib=None, _stacklevel=1, allow_override=False):
    """Registers what gives an op's results without values; nothing here asks for it.

    Args:
        op: The op, or its name.
        func: The function; None makes a decorator.
        lib: The `Library` that it belongs to.
        allow_override: Whether there may be one already.

    >>> import rushlight as torch
    >>> @torch.library.custom_op("documented::fifth", mutates_args=())
    ... def fifth(x: torch.Tensor) -> torch.Tensor: return x / 5
    >>> @torch.library.register_fake("documented::fifth")
    ... def _(x): return torch.empty_like(x)
    >>> fifth(torch.ones(2))
    tensor([0.2000, 0.2000])
    """
    overload = _find(op)

    def register(function):
        overload.meta = function
        return function

    return register if func is None else register(func)


impl_abstract = register_fake


def register_autograd(op, backward, /, *, setup_context=None, lib=None):
    """Registers the derivative: `backward(ctx, *gradients)`, and `setup_context(ctx, inputs, output)`, which keeps what that needs."""
    overload = _find(op)
    overload.backward, overload.setup_context = backward, setup_context


def register_vmap(op, func=None, /, *, lib=None):
    """Registers what computes an op of a batch; vmap computes one example after the other without.

    Args:
        op: The op, or its name.
        func: A function of (info, in_dims, *arguments), which gives (result, out_dims); None makes a decorator.
        lib: The `Library` that it belongs to.

    >>> import rushlight as torch
    >>> @torch.library.custom_op("documented::tenth", mutates_args=())
    ... def tenth(x: torch.Tensor) -> torch.Tensor: return x / 10
    >>> @torch.library.register_vmap("documented::tenth")
    ... def _(info, in_dims, x): return tenth(x), in_dims[0]
    >>> torch.vmap(tenth)(torch.ones(2))
    tensor([0.1000, 0.1000])
    """
    overload = _find(op)

    def register(function):
        overload.batched = function
        return function

    return register if func is None else register(func)


def register_torch_dispatch(op, torch_dispatch_class, func=None, /, *, lib=None):
    """Registers what a subclass of Tensor makes of an op: subclasses take calls over by `__torch_function__` here.

    Args:
        op: The op, or its name.
        torch_dispatch_class: The subclass.
        func: The function; None makes a decorator.
        lib: The `Library` that it belongs to.

    >>> import rushlight as torch
    >>> @torch.library.custom_op("documented::again", mutates_args=())
    ... def again(x: torch.Tensor) -> torch.Tensor: return x.clone()
    >>> class Mine(torch.Tensor): pass
    >>> _ = torch.library.register_torch_dispatch("documented::again", Mine, lambda mode, op, types, args, kwargs: op(*args))
    """
    _find(op)
    return (lambda function: function) if func is None else func


def register_autocast(op, device_type, cast_inputs, /, *, lib=None):
    """Has an op compute in a dtype while autocast is on.

    Args:
        op: The op, or its name.
        device_type: The type of devices, such as "cpu".
        cast_inputs: The dtype that floating inputs get.
        lib: The `Library` that it belongs to.

    >>> import rushlight as torch
    >>> @torch.library.custom_op("documented::same", mutates_args=())
    ... def same(x: torch.Tensor) -> torch.Tensor: return x.clone()
    >>> _ = torch.library.register_autocast("documented::same", "cpu", torch.bfloat16)
    >>> with torch.autocast("cpu"): same(torch.ones(2)).dtype
    torch.bfloat16
    """
    from rushlight.amp import autocast_mode

    overload = _find(op)
    function = overload.function

    def cast(*args, **kwargs):
        if not autocast_mode.is_autocast_enabled(device_type):
            return function(*args, **kwargs)
        with autocast_mode.autocast(device_type, enabled=False):
            return function(
                *autocast_mode._cast(args, device_type, cast_inputs), **autocast_mode._cast(kwargs, device_type, cast_inputs)
            )

    overload.function = cast


def get_kernel(op, dispatch_key):
    """What computes an op.

    Args:
        op: The op, or its name.
        dispatch_key: For which kind of device, such as "CPU".

    >>> import rushlight as torch
    >>> @torch.library.custom_op("documented::sixth", mutates_args=())
    ... def sixth(x: torch.Tensor) -> torch.Tensor: return x / 6
    >>> callable(torch.library.get_kernel("documented::sixth", "CPU"))
    True
    """
    return _find(op).function


def fallthrough_kernel():
    """Stands for the next kernel; it is never called.

    >>> import rushlight as torch
    >>> torch.library.fallthrough_kernel()
    Traceback (most recent call last):
        ...
    NotImplementedError: fallthrough_kernel() should never be called.
    """
    raise NotImplementedError("fallthrough_kernel() should never be called.")


def get_ctx():
    """None: it serves functions that give results without values, which nothing here calls.

    >>> import rushlight as torch
    >>> torch.library.get_ctx()
    """
    return None


infer_schema.__module__ = __name__  # (messages and pickles name this place)
