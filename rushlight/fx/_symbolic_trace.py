"""Graphs of modules and functions: they are called with values that are not there."""

import builtins
import contextlib
import functools
import inspect
import math
import sys
import types

import rushlight as torch
from rushlight.fx.graph import Graph
from rushlight.fx.graph_module import GraphModule
from rushlight.fx.proxy import ParameterProxy, Proxy, TracerBase, _flat
from rushlight.nn import Module, Parameter

__all__ = ["Tracer", "symbolic_trace", "wrap"]

_wrapped: dict = {}  # (globals, name) of functions that stay calls


def wrap(fn_or_name):
    """Has a function of the calling module stay one call in graphs: given by its name, or as a decorator.

    Args:
        fn_or_name: The name, or the function.

    >>> import rushlight as torch
    >>> torch.fx.wrap("len")
    'len'
    >>> print(torch.fx.symbolic_trace(lambda x: len(x)).code.strip().splitlines()[-2].strip())
    len_1 = len(x);  x = None
    """
    if callable(fn_or_name):
        name = fn_or_name.__name__
    elif isinstance(fn_or_name, str):
        name = fn_or_name
    else:
        raise RuntimeError("Unsupported type of function for torch.fx.wrap: expected a callable or string name")
    frame = sys._getframe(1)
    if frame.f_code.co_name != "<module>":
        raise NotImplementedError("wrap must be called at the top level of a module")
    _wrapped[id(frame.f_globals), name] = frame.f_globals
    return fn_or_name


def _staying_call(function):
    """The function, which becomes a node where a proxy is among its arguments."""

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        proxy = next((value for value in _flat((args, kwargs)) if isinstance(value, Proxy)), None)
        if proxy is None:
            return function(*args, **kwargs)
        return proxy.tracer.create_proxy("call_function", function, args, kwargs)

    return wrapped


@contextlib.contextmanager
def _patched(changes):
    """Names that mean something else within a block: (names, name, value)."""
    before = [(names, name, names.get(name)) for names, name, _ in changes]
    for names, name, value in changes:
        names[name] = value
    try:
        yield
    finally:
        for names, name, value in before:
            if value is None:
                names.pop(name, None)
            else:
                names[name] = value


class Tracer(TracerBase):
    """Makes the graph of a module or function.

    Args:
        autowrap_modules: Modules whose functions stay one call.
        autowrap_functions: Functions that stay one call.
        param_shapes_constant: Whether shapes of parameters are numbers rather than values.

    >>> import rushlight as torch
    >>> graph = torch.fx.Tracer().trace(lambda x: x.relu() + 1)
    >>> [node.op for node in graph.nodes]
    ['placeholder', 'call_method', 'call_function', 'output']
    """

    def __init__(self, autowrap_modules=(math,), autowrap_functions=(), param_shapes_constant=False):
        self._autowrap_modules, self._autowrap_functions = autowrap_modules, autowrap_functions
        self.param_shapes_constant = param_shapes_constant
        self.root: Module = Module()
        self.tensor_attrs: dict = {}
        self.submodule_paths: dict | None = None

    def _autowrapped(self, function):
        """Where functions are called that stay one call: in their modules, and by name in the globals of what is traced."""
        homes = [vars(module) for module in self._autowrap_modules]
        staying = {id(value) for home in homes for name, value in home.items() if not name.startswith("_") and callable(value)}
        staying |= {id(value) for value in self._autowrap_functions}
        callers = [function, *(getattr(module, "forward", None) for module in self.root.modules())]
        scopes = {id(scope): scope for scope in (*homes, *(getattr(caller, "__globals__", {}) for caller in callers))}
        return [
            (scope, name, _staying_call(value))
            for scope in scopes.values()
            for name, value in scope.items()
            if not name.startswith("_") and id(value) in staying
        ]

    def is_leaf_module(self, m, module_qualified_name):
        """Whether a call of the module is one node: of those of torch.nn it is, but for Sequential."""
        home = type(m).__module__
        return home.startswith(("torch.nn", "rushlight.nn")) and not isinstance(m, torch.nn.Sequential)

    def path_of_module(self, mod):
        """The name of a submodule in the module that is traced."""
        for name, module in self.root.named_modules():
            if module is mod:
                return name
        raise NameError("module is not installed as a submodule")

    def call_module(self, m, forward, args, kwargs):
        """What a call of a submodule becomes."""
        path = self.path_of_module(m)
        if self.is_leaf_module(m, path):
            return self.create_proxy("call_module", path, args, kwargs)
        return forward(*args, **kwargs)

    def getattr(self, attr, attr_val, parameter_proxy_cache):
        """What reading an attribute of a module becomes."""
        if isinstance(attr_val, Parameter) or (self.proxy_buffer_attributes and isinstance(attr_val, torch.Tensor)):
            for name, value in (
                *self.root.named_parameters(),
                *(self.root.named_buffers() if self.proxy_buffer_attributes else ()),
            ):
                if value is attr_val:
                    if name not in parameter_proxy_cache:
                        factory = (
                            (lambda node, name=name: ParameterProxy(self, node, name, attr_val))
                            if self.param_shapes_constant
                            else None
                        )
                        parameter_proxy_cache[name] = self.create_proxy("get_attr", name, (), {}, proxy_factory_fn=factory)
                    return parameter_proxy_cache[name]
        return attr_val

    def create_arg(self, a):
        """A value as an argument of a node: parameters, tensors and modules are attributes of the module that is traced."""
        if isinstance(a, Parameter):
            for name, value in self.root.named_parameters():
                if value is a:
                    return self.create_node("get_attr", name, (), {})
            raise NameError("parameter is not a member of this module")
        if isinstance(a, torch.Tensor):
            for name, value in self.root.named_buffers():
                if value is a:
                    return self.create_node("get_attr", name, (), {})
            name = self.tensor_attrs.get(id(a), (None, None))[0]
            if name is None:
                number = 0
                while hasattr(self.root, f"_tensor_constant{number}"):
                    number += 1
                name = f"_tensor_constant{number}"
                self.tensor_attrs[id(a)] = (name, a)
                setattr(self.root, name, a)
            return self.create_node("get_attr", name, (), {})
        if isinstance(a, Module):
            return self.create_node("get_attr", self.path_of_module(a), (), {})
        return super().create_arg(a)

    def _placeholders(self, function, is_module, concrete_args):
        """The values that the function is called with."""
        concrete = concrete_args or {}
        positional, named = [], {}
        parameters = list(inspect.signature(function).parameters.values())
        for parameter in parameters[1:] if is_module else parameters:
            if parameter.name in concrete:
                value = concrete[parameter.name]
            else:
                star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
                default = () if parameter.default is parameter.empty else (parameter.default,)
                kind = None if parameter.annotation is parameter.empty else parameter.annotation
                value = self.create_proxy("placeholder", star + parameter.name, default, {}, type_expr=kind)
            if parameter.kind == parameter.KEYWORD_ONLY or parameter.kind == parameter.VAR_KEYWORD:
                named[parameter.name] = value
            else:
                positional.append(value)
        return positional, named

    def trace(self, root, concrete_args=None):
        """The graph of what `root` does. `concrete_args` are arguments with values, which the graph does not take."""
        is_module = isinstance(root, Module)
        if is_module:
            self.root, function = root, type(root).forward
        else:
            self.root, function = Module(), root
        self.graph = Graph(tracer_cls=type(self))
        for module in self.root.modules():
            for name, value in vars(module).items():
                if isinstance(value, torch.Tensor):
                    path = self.path_of_module(module)
                    self.tensor_attrs[id(value)] = (f"{path}.{name}" if path else name, value)
        cache: dict = {}
        call, read = Module.__call__, Module.__getattr__

        def traced_call(module, *args, **kwargs):
            return self.call_module(module, lambda *a, **k: call(module, *a, **k), args, kwargs)

        def traced_read(module, name):
            return self.getattr(name, read(module, name), cache)

        functional = vars(torch.nn.functional)
        names = [
            n
            for n in dir(torch.nn.functional)
            if not n.startswith("_") and isinstance(getattr(torch.nn.functional, n), types.FunctionType)
        ]
        changes = [(functional, name, _staying_call(functional[name])) for name in names if name in functional]
        for (_, name), scope in _wrapped.items():
            changes.append((scope, name, _staying_call(scope[name] if name in scope else vars(builtins)[name])))
        changes += self._autowrapped(function)
        positional, named = self._placeholders(function, is_module, concrete_args)
        Module.__call__, Module.__getattr__ = traced_call, traced_read
        try:
            with _patched(changes):
                result = function(root, *positional, **named) if is_module else function(*positional, **named)
                self.create_node("output", "output", (self.create_arg(result),), {})
        finally:
            Module.__call__, Module.__getattr__ = call, read
        return self.graph


def symbolic_trace(root, concrete_args=None):
    """A module that does what `root`, a module or function, does: of a graph, which can be looked at and changed.

    Raises:
        TraceError: It branches on, or loops over, values that are not there.

    Args:
        concrete_args: Values that arguments shall have, by their names.

    >>> import rushlight as torch
    >>> print(torch.fx.symbolic_trace(lambda x: x + 1).code.strip())
    def forward(self, x):
        add = x + 1;  x = None
        return add
    """
    tracer = Tracer()
    graph = tracer.trace(root, concrete_args)
    name = type(root).__name__ if isinstance(root, Module) else root.__name__
    return GraphModule(tracer.root, graph, name)
