"""Runs a graph node by node."""

from rushlight.fx._symbolic_trace import Tracer
from rushlight.fx.graph import Graph
from rushlight.fx.graph_module import GraphModule
from rushlight.fx.node import map_aggregate, map_arg
from rushlight.fx.proxy import Proxy

__all__ = ["Interpreter", "Transformer"]


class Interpreter:
    """Runs the nodes of a GraphModule one after the other; a subclass changes what each kind does.

    Args:
        garbage_collect_values: Whether a value is forgotten after the last node that needs it.
        graph: The graph to run instead of the module's.

    >>> import rushlight as torch
    >>> module = torch.fx.symbolic_trace(lambda x: x + 1)
    >>> torch.fx.Interpreter(module).run(torch.ones(1))
    tensor([2.])
    """

    def __init__(self, module, garbage_collect_values=True, graph=None):
        self.module = module
        self.submodules = dict(module.named_modules())
        self.graph = module.graph if graph is None else graph
        self.garbage_collect_values = garbage_collect_values
        self.env: dict = {}
        self.name = "Interpreter"
        self.extra_traceback = True

    def run(self, *args, initial_env=None, enable_io_processing=True):
        """What the graph gives for arguments."""
        self.env = dict(initial_env or {})
        self.args_iter = iter(args)
        last: dict = {}
        if self.garbage_collect_values:
            seen = set()
            for node in reversed(self.graph.nodes):
                for used in node._input_nodes:
                    if used not in seen:
                        seen.add(used)
                        last.setdefault(node, []).append(used)
        for node in self.graph.nodes:
            if node in self.env:
                continue
            self.env[node] = self.run_node(node)
            for used in last.get(node, ()):
                self.env.pop(used, None)
            if node.op == "output":
                return self.env[node]
        return None

    def boxed_run(self, args_list):
        """`run`, which empties the list of arguments."""
        args = list(args_list)
        args_list.clear()
        return self.run(*args)

    def run_node(self, n):
        """What a node gives."""
        args, kwargs = self.fetch_args_kwargs_from_env(n)
        return getattr(self, n.op)(n.target, args, kwargs)

    def fetch_args_kwargs_from_env(self, n):
        """The arguments of a node, with values in the place of nodes."""
        return self.map_nodes_to_values(n.args, n), self.map_nodes_to_values(n.kwargs, n)

    def map_nodes_to_values(self, args, n):
        """Arguments with values in the place of nodes."""

        def load(node):
            if node not in self.env:
                raise RuntimeError(f"Node {n} referenced nonexistent value {node}! Run Graph.lint() to diagnose such issues")
            return self.env[node]

        return map_arg(args, load)

    def placeholder(self, target, args, kwargs):
        """The next argument."""
        if target.startswith("*"):
            return list(self.args_iter)
        try:
            return next(self.args_iter)
        except StopIteration:
            if args:
                return args[0]
            raise RuntimeError(f"Expected positional argument for parameter {target}, but one was not passed in!") from None

    def fetch_attr(self, target):
        """An attribute of the module."""
        found = self.module
        for part in target.split("."):
            if not hasattr(found, part):
                raise RuntimeError(f"Node referenced nonexistent target {target}")
            found = getattr(found, part)
        return found

    def get_attr(self, target, args, kwargs):
        """An attribute of the module."""
        return self.fetch_attr(target)

    def call_function(self, target, args, kwargs):
        """What a function gives."""
        return target(*args, **kwargs)

    def call_method(self, target, args, kwargs):
        """What a method gives."""
        first, *rest = args
        return getattr(first, target)(*rest, **kwargs)

    def call_module(self, target, args, kwargs):
        """What a submodule gives."""
        return self.fetch_attr(target)(*args, **kwargs)

    def output(self, target, args, kwargs):
        """The result."""
        return args[0]


class _TransformerTracer(Tracer):
    """What records the new graph of a transformer: a submodule's call is one node."""

    def __init__(self, graph, root):
        super().__init__()
        self.graph, self.root = graph, root

    def is_leaf_module(self, m, module_qualified_name):
        return True


class Transformer(Interpreter):
    """An interpreter that makes a new module of what it runs: a subclass changes what each kind of node becomes.

    >>> import rushlight as torch
    >>> class Doubled(torch.fx.Transformer):
    ...     def call_method(self, target, args, kwargs):
    ...         return super().call_method(target, args, kwargs) * 2
    >>> module = torch.fx.symbolic_trace(lambda x: x.relu())
    >>> Doubled(module).transform()(torch.ones(1))
    tensor([2.])
    """

    def __init__(self, module):
        super().__init__(module)
        self.new_graph = Graph()
        self.tracer = _TransformerTracer(self.new_graph, module)

    def placeholder(self, target, args, kwargs):
        """The parameter of the new module."""
        return Proxy(
            self.new_graph.placeholder(target, default_value=args[0]) if args else self.new_graph.placeholder(target), self.tracer
        )

    def get_attr(self, target, args, kwargs):
        """The attribute in the new module."""
        return self.tracer.create_proxy("get_attr", target, args, kwargs)

    def call_module(self, target, args, kwargs):
        """The call of a submodule in the new module."""
        return self.tracer.call_module(self.fetch_attr(target), self.fetch_attr(target).forward, args, kwargs)

    def call_function(self, target, args, kwargs):
        """The call of a function in the new module."""
        return self.tracer.create_proxy("call_function", target, args, kwargs)

    def transform(self):
        """The new module."""
        result = super().run(enable_io_processing=False)
        if result is not None:
            made = self.new_graph.output(map_aggregate(result, lambda value: value.node if isinstance(value, Proxy) else value))
            made.meta = dict(next(node for node in self.graph.nodes if node.op == "output").meta)
        return GraphModule(self.module, self.new_graph)
