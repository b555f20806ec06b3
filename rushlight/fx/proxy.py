"""Values that stand for what a program will compute: what is done with them makes nodes."""

import operator

import rushlight as torch
from rushlight import core
from rushlight.fx.graph import Graph
from rushlight.fx.node import Node

__all__ = ["Attribute", "GraphAppendingTracer", "ParameterProxy", "Proxy", "TraceError", "TracerBase"]


class TraceError(ValueError):
    """A program does with a value what depends on its elements.

    >>> import rushlight as torch
    >>> import warnings; warnings.simplefilter("ignore")
    >>> try: torch.fx.symbolic_trace(lambda x: x if x else -x)
    ... except torch.fx.proxy.TraceError as error: print(str(error).splitlines()[0])
    symbolically traced variables cannot be used as inputs to control flow
    """


class TracerBase:
    """Makes nodes of what is done with proxies.

    >>> import rushlight as torch
    >>> issubclass(torch.fx.Tracer, torch.fx.proxy.TracerBase)
    True
    """

    graph: Graph
    trace_asserts = False
    proxy_buffer_attributes = False

    def create_node(self, kind, target, args, kwargs, name=None, type_expr=None):
        """A node of the graph."""
        return self.graph.create_node(kind, target, args, kwargs, name, type_expr)

    def proxy(self, node):
        """The value that a node stands for."""
        return Proxy(node, self)

    def create_proxy(self, kind, target, args, kwargs, name=None, type_expr=None, proxy_factory_fn=None):
        """A node, and the value that it stands for."""
        node = self.create_node(kind, target, self.create_arg(tuple(args)), self.create_arg(dict(kwargs)), name, type_expr)
        return (proxy_factory_fn or self.proxy)(node)

    def create_arg(self, a):
        """A value as an argument of a node: proxies are their nodes."""
        if isinstance(a, Proxy):
            return a.node
        if isinstance(a, tuple):
            made = [self.create_arg(item) for item in a]
            return type(a)(*made) if hasattr(a, "_fields") else type(a)(made) if type(a) is torch.Size else tuple(made)
        if isinstance(a, list):
            return [self.create_arg(item) for item in a]
        if isinstance(a, dict):
            return {key: self.create_arg(item) for key, item in a.items()}
        if isinstance(a, slice):
            return slice(self.create_arg(a.start), self.create_arg(a.stop), self.create_arg(a.step))
        if isinstance(a, range):
            return range(self.create_arg(a.start), self.create_arg(a.stop), self.create_arg(a.step))
        plain = (
            Node,
            str,
            int,
            float,
            bool,
            complex,
            torch.dtype,
            torch.device,
            torch.layout,
            torch.memory_format,
            torch.Tensor,
            type(None),
        )
        if isinstance(a, plain) or a is ... or callable(a):
            return a
        raise NotImplementedError(f"argument of type: {type(a)}")

    def to_bool(self, obj):
        """Raises: a program cannot branch on a value that is not there."""
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def iter(self, obj):
        """Raises: how many elements there are is not known."""
        raise TraceError(
            "Proxy object cannot be iterated. This can be attempted when the Proxy is used in a loop or as a *args or **kwargs function "
            "argument. See the torch.fx docs on pytorch.org for a more detailed explanation of what types of control flow can be traced, and "
            "check out the Proxy docstring for help troubleshooting Proxy iteration errors"
        )

    def keys(self, obj):
        """The keys of a value."""
        return Attribute(obj, "keys")()


class GraphAppendingTracer(TracerBase):
    """Makes nodes at the end of a graph.

    Args:
        graph: The graph.

    >>> import rushlight as torch
    >>> graph = torch.fx.Graph()
    >>> tracer = torch.fx.proxy.GraphAppendingTracer(graph)
    >>> tracer.create_proxy("placeholder", "x", (), {}).node.name
    'x'
    """

    def __init__(self, graph):
        self.graph = graph


class Proxy:
    """The value that a node stands for.

    Args:
        node: The node.
        tracer: What makes nodes of what is done with it.

    >>> import rushlight as torch
    >>> graph = torch.fx.Graph()
    >>> x = torch.fx.Proxy(graph.placeholder("x"))
    >>> (x + 1).node.target.__name__
    'add'
    """

    def __init__(self, node, tracer=None):
        core.ask_subclasses()  # (in lists too, where the types of what is no tensor are not looked at otherwise)
        self.tracer = GraphAppendingTracer(node.graph) if tracer is None else tracer
        self.node = node

    def __repr__(self):
        return f"Proxy({self.node.name})"

    def __getattr__(self, k):
        if k.startswith("__") and k.endswith("__"):
            raise AttributeError(k)
        return Attribute(self, k)

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", "__call__", (self, *args), kwargs)

    def __iter__(self):
        return self.tracer.iter(self)

    def __bool__(self):
        return self.tracer.to_bool(self)

    def __len__(self):
        raise RuntimeError(
            "'len' is not supported in symbolic tracing by default. If you want this call to be recorded, please call torch.fx.wrap('len') at "
            "module scope"
        )

    def __contains__(self, item):
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def __index__(self):
        raise TraceError("symbolically traced variables cannot be used as inputs to control flow")

    def __deepcopy__(self, memo):
        return Proxy(self.node, self.tracer)

    def keys(self):
        """The keys of the value."""
        return self.tracer.keys(self)

    @classmethod
    def __torch_function__(cls, orig_method, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        found = next(value for value in _flat((args, kwargs)) if isinstance(value, Proxy))
        if _is_method(orig_method):
            return found.tracer.create_proxy("call_method", orig_method.__name__, args, kwargs)
        return found.tracer.create_proxy("call_function", orig_method, args, kwargs)


def _flat(value):
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, dict):
        yield from _flat(list(value.values()))
    else:
        yield value


def _is_method(function):
    """Whether it is a method of Tensor, and not a function of torch as well."""
    name = getattr(function, "__name__", "")
    return getattr(torch.Tensor, name, None) is function and getattr(torch, name, None) is not function


class Attribute(Proxy):
    """An attribute of a value: called, it is a method; else its node is made when it is needed.

    Args:
        root: The value.
        attr: The name.

    >>> import rushlight as torch
    >>> x = torch.fx.Proxy(torch.fx.Graph().placeholder("x"))
    >>> x.shape.node.op
    'call_function'
    """

    def __init__(self, root, attr):
        self.root, self.attr, self.tracer = root, attr, root.tracer
        self._node: Node | None = None

    @property
    def node(self):
        """The node that reads the attribute."""
        if self._node is None:
            self._node = self.tracer.create_proxy("call_function", getattr, (self.root, self.attr), {}).node
        return self._node

    def __call__(self, *args, **kwargs):
        return self.tracer.create_proxy("call_method", self.attr, (self.root, *args), kwargs)


class ParameterProxy(Proxy):
    """The value of a parameter, whose shape is known.

    Args:
        tracer: What makes nodes of what is done with it.
        node: The node.
        name: Its name.
        param: The parameter.

    >>> import rushlight as torch
    >>> graph = torch.fx.Graph()
    >>> tracer = torch.fx.proxy.GraphAppendingTracer(graph)
    >>> weight = torch.fx.proxy.ParameterProxy(tracer, graph.get_attr("weight"), "weight", torch.nn.Parameter(torch.ones(2, 3)))
    >>> weight.shape
    torch.Size([2, 3])
    """

    def __init__(self, tracer, node, name, param):
        super().__init__(node, tracer)
        self.param, self.name = param, name

    @property
    def shape(self):
        """The parameter's shape."""
        return self.param.shape

    def size(self):
        """The parameter's shape."""
        return self.param.size()

    def dim(self):
        """How many dimensions the parameter has."""
        return self.param.dim()

    @property
    def ndim(self):
        """How many dimensions the parameter has."""
        return self.param.ndim

    def numel(self):
        """How many elements the parameter has."""
        return self.param.numel()

    def nelement(self):
        """How many elements the parameter has."""
        return self.param.nelement()


BINARY = ["add", "sub", "mul", "floordiv", "truediv", "mod", "pow", "lshift", "rshift", "and_", "or_", "xor", "matmul"]


def _define(method, target, reflected=False):
    def call(self, *args):
        return self.tracer.create_proxy("call_function", target, (args[0], self) if reflected else (self, *args), {})

    call.__name__ = method
    setattr(Proxy, method, call)


for _name in (*BINARY, "eq", "ne", "lt", "gt", "le", "ge", "getitem", "neg", "pos", "invert", "abs"):
    _define(f"__{_name.strip('_')}__", getattr(operator, _name))
for _name in BINARY:
    _define(f"__r{_name.strip('_')}__", getattr(operator, _name), True)
Proxy.__hash__ = object.__hash__  # type: ignore[method-assign]
