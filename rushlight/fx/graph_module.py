"""A module whose forward is the code of a graph."""

import copy
import itertools
import linecache

import rushlight as torch
from rushlight.fx.graph import Graph
from rushlight.fx.node import Node, map_arg
from rushlight.nn import Module

__all__ = ["GraphModule"]

_USER_PRESERVED_ATTRIBUTES_KEY = "_user_preserved_attributes"
_numbers = itertools.count()


def _copy_attr(source, target, path):
    """Gives `target` the attribute `path` of `source`, with modules on the way."""
    *way, last = path.split(".")
    for part in way:
        if not hasattr(source, part):
            return
        source = getattr(source, part)
        if getattr(target, part, None) is None or target is source:
            setattr(target, part, Module())
        target = getattr(target, part)
    if not hasattr(source, last):
        return
    value = getattr(source, last)
    if isinstance(value, torch.Tensor) and not isinstance(value, torch.nn.Parameter):
        target.register_buffer(last, value)
    else:
        setattr(target, last, value)


def _assign(value, target, path):
    *way, last = path.split(".")
    for part in way:
        if not hasattr(target, part):
            setattr(target, part, Module())
        target = getattr(target, part)
    if isinstance(value, torch.Tensor) and not isinstance(value, torch.nn.Parameter):
        target.register_buffer(last, value)
    else:
        setattr(target, last, value)


def _compiled(code):
    """The function `forward` of a graph's code, whose lines tracebacks show."""
    file = f"<eval_with_key>.{next(_numbers)}"
    linecache.cache[file] = (len(code.src), None, code.src.splitlines(keepends=True), file)
    names = dict(code.globals)
    exec(compile(code.src, file, "exec"), names)
    return names["forward"]


class _CodeOnlyModule(Module):
    """A module that has a dict for its own, from which a `GraphModule` is made."""

    def __init__(self, body):
        super().__init__()
        self.__dict__ = body


class GraphModule(Module):
    """A module of a graph: `graph` can be changed, and `recompile()` makes it the forward; `code` is its text.

    Args:
        root: The module, or the dict by names, that has what the graph's nodes name.
        graph: The program.
        class_name: What the class of the module is called.

    >>> import rushlight as torch
    >>> module = torch.fx.symbolic_trace(torch.nn.ReLU())
    >>> torch.fx.GraphModule(module, module.graph)(torch.tensor([-1.0, 1.0]))
    tensor([0., 1.])
    """

    def __new__(cls, *args, **kwargs):
        # Each has a class of its own, of which the forward is a method.
        cls = next(kind for kind in cls.__mro__ if kind.__qualname__.split(".")[-1] != "GraphModuleImpl")

        class GraphModuleImpl(cls):
            pass

        return super().__new__(GraphModuleImpl)

    def __init__(self, root, graph, class_name="GraphModule"):
        super().__init__()
        self.__class__.__name__ = class_name
        named = [node.target for node in graph.nodes if node.op in ("get_attr", "call_module")]
        if isinstance(root, Module):
            if hasattr(root, "training"):
                self.training = root.training
            for target in named:
                _copy_attr(root, self, target)
        elif isinstance(root, dict):
            for node in graph.nodes:
                if node.op in ("get_attr", "call_module") and node.target not in root:
                    raise RuntimeError(
                        f"Node {node} referenced target {node.target} but that target was not provided in ``root``!"
                    )
            for target in sorted(named, key=lambda text: text.count(".")):
                _assign(root[target], self, target)
        else:
            raise RuntimeError("Unsupported type " + str(root) + " passed for root!")
        self.graph = graph
        # A tracer that is local to a function cannot be pickled.
        tracer = graph._tracer_cls
        self._tracer_cls = None if tracer is None or "<locals>" in tracer.__qualname__ else tracer
        self.meta: dict = {}

    @property
    def graph(self):
        """The program."""
        return self._graph

    @graph.setter
    def graph(self, g):
        if not isinstance(g, Graph):
            raise AssertionError(f"Expected a Graph instance, but got {type(g)}")
        self._graph = g
        g.owning_module = self
        self.recompile()

    @property
    def code(self):
        """The forward as text."""
        return self._code

    def recompile(self):
        """Makes the graph as it is now the forward; returns its code."""
        code = self._graph.python_code("self")
        self._code = code.src
        type(self).forward = _compiled(code)
        return code

    def add_submodule(self, target, m):
        """Adds a module, with modules on the way to it; whether that could be done."""
        *way, last = target.split(".")
        module = self
        for part in way:
            if not hasattr(module, part):
                setattr(module, part, Module())
            module = getattr(module, part)
            if not isinstance(module, Module):
                return False
        module.add_module(last, m)
        return True

    def delete_submodule(self, target):
        """Takes a module away; whether it was there."""
        *way, last = target.split(".")
        module = self
        for part in way:
            module = getattr(module, part, None)
            if not isinstance(module, Module):
                return False
        if not isinstance(getattr(module, last, None), Module):
            return False
        delattr(module, last)
        return True

    def delete_all_unused_submodules(self):
        """Takes the modules away that no node names."""
        used = set()
        for node in self._graph.nodes:
            if node.op in ("call_module", "get_attr"):
                parts = node.target.split(".")
                used.update(".".join(parts[:i]) for i in range(1, len(parts) + 1))
        for name, _ in list(self.named_modules()):
            if name and name not in used:
                self.delete_submodule(name)

    def print_readable(self, print_output=True, **kwargs):
        """Prints the code; returns it."""
        text = f"class {type(self).__name__}(torch.nn.Module):\n" + "\n".join(
            "    " + line for line in self._code.strip("\n").split("\n")
        )
        if print_output:
            print(text)
        return text

    def __deepcopy__(self, memo):
        state = {name: value for name, value in self.__dict__.items() if name not in ("_graph", "_code")}
        copied = _rebuilt(type(self).__name__, copy.deepcopy(state, memo), _listed(self._graph))
        for name, value in copied.meta.get(_USER_PRESERVED_ATTRIBUTES_KEY, {}).items():
            setattr(copied, name, value)
        return copied

    def __copy__(self):
        state = {name: value for name, value in self.__dict__.items() if name not in ("_graph", "_code")}
        return _rebuilt(type(self).__name__, dict(state), _listed(self._graph))

    def __reduce__(self):
        state = {name: value for name, value in self.__dict__.items() if name not in ("_graph", "_code")}
        return _rebuilt, (type(self).__name__, state, _listed(self._graph))

    def __str__(self):
        return f"{super().__str__()}\n{self._code}\n# To see more debug info, please use `graph_module.print_readable()`"


class _Place:
    """A node in a list of them."""

    def __init__(self, index):
        self.index = index


def _listed(graph):
    """A graph as a list that can be pickled."""
    places = {node: index for index, node in enumerate(graph.nodes)}
    return [
        (
            n.op,
            n.name,
            n.target,
            map_arg(n.args, lambda x: _Place(places[x])),
            map_arg(n.kwargs, lambda x: _Place(places[x])),
            n.type,
        )
        for n in graph.nodes
    ]


def _rebuilt(class_name, state, listed):
    """The module of what `_listed` gave."""
    from rushlight.fx.node import map_aggregate

    graph = Graph(tracer_cls=state.get("_tracer_cls"))
    nodes: list[Node] = []
    for op, name, target, args, kwargs, kind in listed:
        args, kwargs = map_aggregate((args, kwargs), lambda x: nodes[x.index] if isinstance(x, _Place) else x)
        nodes.append(graph.create_node(op, target, args, kwargs, name, kind))
    module = GraphModule.__new__(GraphModule)
    Module.__init__(module)
    module.__dict__.update(state)
    type(module).__name__ = class_name
    module.graph = graph
    return module
