"""`torch.ops`: namespaces of ops as objects, those that programs define, and PyTorch's own by their internal names."""

import inspect
import types

import rushlight as torch
from rushlight import core, ops
from rushlight.core import Tensor
from rushlight.ops import find
from rushlight.ops._arguments import convert
from rushlight.ops._declare import table

__all__ = ["HigherOrderOperator", "OpOverload", "OpOverloadPacket", "ops"]


class HigherOrderOperator:
    """An op that takes functions, which a compiler would know: Rushlight has none."""

    def __init__(self, name, *, cacheable=False):
        self._name = name

    def name(self):
        """What the op is called."""
        return self._name

    def __call__(self, *args, **kwargs):
        raise NotImplementedError(f"There was no rule registered for HigherOrderOperator {self._name}")


class OpOverload:
    """One op: `torch.ops.NAMESPACE.NAME.default`."""

    def __init__(self, namespace, name, schema=None, function=None):
        self.namespace, self.__name__, self._schema = namespace, name + ".default", schema
        self._opname, self._overloadname = name, "default"
        self.function, self.meta, self.backward, self.setup_context, self.batched = function, None, None, None, None

    def __repr__(self):
        return f"<OpOverload(op='{self.namespace}.{self._opname}', overload='default')>"

    def __str__(self):
        return f"{self.namespace}.{self.__name__}"

    def name(self):
        """NAMESPACE::NAME."""
        return f"{self.namespace}::{self._opname}"

    def check(self, args):
        """Refuses what is no tensor where the schema has one."""
        if self._schema is None:
            return
        for place, (value, (name, kind, _)) in enumerate(zip(args, self._schema.parameters)):
            if kind.startswith("Tensor") and kind.rstrip("()!a0123456789") == "Tensor" and not isinstance(value, Tensor):
                raise RuntimeError(
                    f"{self.name()}() Expected a value of type 'Tensor' for argument '{name}' but instead found type "
                    f"'{type(value).__name__}'.\nPosition: {place}\nValue: {value!r}\nDeclaration: {self.name()}{self._schema.text}\n"
                    f"Cast error details: Unable to cast {value} to Tensor"
                )

    def __call__(self, *args, **kwargs):
        if self.function is None:
            raise NotImplementedError(f"Could not run '{self.name()}' with arguments from the 'CPU' backend.")
        self.check(args)
        if self.backward is not None and torch.is_grad_enabled():
            return _differentiable(self, self._bound(args, kwargs))
        return self.computed(args, kwargs)

    def computed(self, args, kwargs):
        """What the innermost mode, or a class of tensors that computes ops, makes of a call; without them the function's result."""
        interpreter = core.current_interpreter()
        mode = getattr(interpreter, "mode", None)
        if mode is None:
            result = core.dispatch_call(self, args, kwargs)
            return self.function(*args, **kwargs) if result is NotImplemented else result
        core.pop_interpreter()
        try:
            return mode.__torch_dispatch__(self, (), args, kwargs)
        finally:
            core.push_interpreter(interpreter)

    def __deepcopy__(self, memo=None):
        return self

    def _bound(self, args, kwargs):
        """All arguments in their order, with defaults."""
        bound = inspect.signature(self.function).bind(*args, **kwargs)
        bound.apply_defaults()
        return tuple(bound.arguments.values())


def _differentiable(op, arguments):
    """The call as a function whose backward the program has registered."""
    name = f"GeneratedBackwardFor_{op.namespace}_{op._opname}_default"

    def forward(ctx, *inputs):
        output = op.computed(inputs, {})
        if op.setup_context is not None:
            op.setup_context(ctx, inputs, output)
        return output

    def backward(ctx, *gradients):
        return op.backward(ctx, *gradients)

    made = type(name, (torch.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})
    return made.apply(*arguments)


class OpOverloadPacket:
    """`torch.ops.NAMESPACE.NAME`: an op with its overloads, of which there is one."""

    def __init__(self, overload):
        self.default = overload
        overload.overloadpacket = self
        self.__name__ = overload._opname

    def __repr__(self):
        return f"<OpOverloadPacket(op='{self}')>"

    def __str__(self):
        return f"{self.default.namespace}.{self.__name__}"

    def __call__(self, *args, **kwargs):
        return self.default(*args, **kwargs)

    def overloads(self):
        """The names of the overloads."""
        return ["default"]


def fits(function, args, kwargs):
    """Whether the arguments of a call are such as the function takes."""
    parser = getattr(function, "parser", None)
    try:
        if parser is None:
            inspect.signature(function).bind(*args, **kwargs)
        else:
            convert(parser, args[parser.is_method :], kwargs)
    except (TypeError, ValueError):
        return False
    return True


class AtenPacket:
    """An op of PyTorch's own under its internal name: each overload is the function of `torch`, where there is one."""

    def __init__(self, name, function):
        self.__name__, self._function = name, function
        self._within = None  # the op that a mode sees called, while it does

    def __repr__(self):
        return f"<OpOverloadPacket(op='{self}')>"

    def __str__(self):
        return f"aten.{self.__name__}"

    namespace = "aten"

    def name(self):
        """The op's qualified name."""
        return f"aten::{self.__name__}"

    def __call__(self, *args, **kwargs):
        if self._within is not None:
            return self._within(*args, **kwargs)
        if self._function is None:
            raise NotImplementedError(f"torch.ops.aten.{self.__name__} is part of PyTorch; Rushlight does not have it")
        try:
            return self._function(*args, **kwargs)
        except TypeError as error:
            if fits(self._function, args, kwargs):  # the op's own error
                raise
            raise RuntimeError(f"Overloaded torch operator invoked from Python failed to match any schema:\n{error}") from None

    def __getattr__(self, overload):
        if overload.startswith("_"):
            raise AttributeError(overload)
        made = AtenOverload(self, overload)
        setattr(self, overload, made)
        return made


class AtenOverload:
    """An overload of an op of PyTorch's own: all of a name do what fits the arguments."""

    def __init__(self, packet, name):
        self.overloadpacket, self.__name__, self._overloadname = packet, f"{packet.__name__}.{name}", name

    namespace = "aten"

    __module__ = "torch._ops.aten"

    def __repr__(self):
        return f"<OpOverload(op='{self.overloadpacket}', overload='{self._overloadname}')>"

    def __str__(self):
        return f"{self.overloadpacket}.{self._overloadname}"

    def __deepcopy__(self, memo=None):
        return self

    def name(self):
        """The op's qualified name."""
        return self.overloadpacket.name() + ("" if self._overloadname == "default" else f".{self._overloadname}")

    def __call__(self, *args, **kwargs):
        return self.overloadpacket(*args, **kwargs)


def _to_copy(self, dtype=None, layout=None, device=None, pin_memory=None, non_blocking=False, memory_format=None):
    """What `to` makes where something changes."""
    return self.to(device, dtype or self.dtype, non_blocking, copy=True, memory_format=memory_format or torch.preserve_format)


_METHODS = {"_local_scalar_dense": Tensor.item, "_to_copy": _to_copy}


class OpNamespace(types.ModuleType):
    """`torch.ops.NAMESPACE`."""

    def __init__(self, name):
        super().__init__(f"torch.ops.{name}")
        self._namespace = name

    def __getattr__(self, name):
        if self._namespace == "aten" and not name.startswith("__"):
            places = (torch, torch.Tensor, torch.nn.functional, torch.special)
            functions = (
                _METHODS.get(name),
                find(name, "aten", "nn"),
                *(getattr(place, name, None) for place in places),
                table.get(name),
            )
            made = AtenPacket(name, next((function for function in functions if function is not None), None))
            setattr(self, name, made)
            return made
        raise AttributeError(f"'_OpNamespace' '{self._namespace}' object has no attribute '{name}'")


namespaces: dict[str, OpNamespace] = {"aten": OpNamespace("aten")}


unloaded: set[str] = set()
"""Packages whose compiled ops could not be loaded: what they register for those is kept, and calls of them raise."""


def namespace(name):
    """The ops of a namespace."""
    return namespaces.setdefault(name, OpNamespace(name))
