"""A program as a list of nodes, and the Python code that it is."""

import builtins
import contextlib
import keyword
import math
import re
from dataclasses import dataclass, field

import rushlight as torch
from rushlight.core import device as _device
from rushlight.fx.node import Node, _get_qualified_name, _type_repr, map_arg

__all__ = ["CodeGen", "Graph", "PythonCode"]

MAGIC = {
    "eq": "{} == {}", "ne": "{} != {}", "lt": "{} < {}", "gt": "{} > {}", "le": "{} <= {}", "ge": "{} >= {}", "pos": "+{}", "neg": "-{}",
    "invert": "~{}", "add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "floordiv": "{} // {}", "truediv": "{} / {}", "div": "{} / {}",
    "mod": "{} % {}", "pow": "{} ** {}", "lshift": "{} << {}", "rshift": "{} >> {}", "and_": "{} & {}", "or_": "{} | {}", "xor": "{} ^ {}",
    "getitem": "{}[{}]", "matmul": "{} @ {}",
}  # fmt: skip
IN_PLACE = {
    "iadd": "+=", "iand": "&=", "ifloordiv": "//=", "ilshift": "<<=", "imod": "%=", "imul": "*=", "imatmul": "@=", "ior": "|=", "ipow": "**=",
    "irshift": ">>=", "isub": "-=", "itruediv": "/=", "ixor": "^=",
}  # fmt: skip


@dataclass
class PythonCode:
    """The code of a graph: its source, and what names in it mean.

    Args:
        src: The source.
        globals: What names in it mean.

    >>> import rushlight as torch
    >>> graph = torch.fx.symbolic_trace(torch.nn.ReLU()).graph
    >>> type(graph.python_code("self")).__name__
    'PythonCode'
    """

    src: str
    globals: dict
    _lineno_map: dict | None = None
    _prologue_start: int = 0


class _Namespace:
    """Names that are taken."""

    def __init__(self):
        self.taken: dict = {}
        self.counts: dict = {}
        self.owners: dict = {}

    def create_name(self, candidate, obj):
        """A name like `candidate` that nothing else has."""
        if obj is not None and id(obj) in self.owners:
            return self.owners[id(obj)]
        candidate = re.sub(r"[^0-9a-zA-Z_]+", "_", candidate) or "_unnamed"
        if candidate[0].isdigit():
            candidate = f"_{candidate}"
        found = re.match(r"(.*)_(\d+)$", candidate)
        base, number = (found[1], int(found[2])) if found else (candidate, None)
        if number is None or candidate in self.taken or self._is_illegal(candidate, obj):
            number = self.counts.get(base, 0)
            candidate = base if number == 0 else f"{base}_{number}"
        while candidate in self.taken or self._is_illegal(candidate, obj):
            number = (number or 0) + 1
            candidate = f"{base}_{number}"
        self.taken[candidate] = True
        self.counts[base] = max(self.counts.get(base, 0), (number or 0) + (0 if found and number == int(found[2]) else 1))
        if obj is not None:
            self.owners[id(obj)] = candidate
        return candidate

    @staticmethod
    def _is_illegal(name, obj):
        if name in keyword.kwlist:
            return True
        if name in vars(builtins):
            return vars(builtins)[name] is not obj
        return name in BUILTINS and BUILTINS[name] is not obj


BUILTINS = {"inf": math.inf, "nan": math.nan, "NoneType": type(None), "torch": torch, "device": _device}


def _snake_case(text):
    return (
        re.sub(r"(?<=[a-z])([A-Z])|(?<!^)(?<![A-Z])([A-Z])(?=[a-z])", lambda found: "_" + (found[1] or found[2]), text).lower()
        if text
        else text
    )


def _target_name(target):
    """What a node that calls `target` is called."""
    if callable(target):
        return _snake_case(target.__name__.strip("_") if target.__name__.startswith("__") else target.__name__)
    text = target.strip("_") if target.startswith("__") and target.endswith("__") else target
    return _snake_case(text)


class _NodeList:
    """The nodes of a graph in their order."""

    def __init__(self, graph, backwards=False):
        self.graph, self.backwards = graph, backwards

    def __len__(self):
        return self.graph._len

    def __iter__(self):
        root = self.graph._root
        node = root._prev if self.backwards else root._next
        while node is not root:
            if not node._erased:
                yield node
            node = node._prev if self.backwards else node._next

    def __reversed__(self):
        return _NodeList(self.graph, not self.backwards)


class CodeGen:
    """Writes a graph as a function.

    >>> import rushlight as torch
    >>> graph = torch.fx.symbolic_trace(torch.nn.ReLU()).graph
    >>> print(graph.python_code("self").src.strip().splitlines()[-1].strip())
    return relu
    """

    def gen_code(self, graph, root_module="self"):
        """The function's source, and what names in it mean."""
        return _Writer(graph, root_module).write()


@dataclass
class _Writer:
    graph: "Graph"
    root: str
    names: dict = field(default_factory=dict)
    used: set = field(default_factory=set)

    def name_of(self, obj, hint):
        """A global name for an object."""
        if hint.startswith("builtins.") or getattr(builtins, hint, None) is obj:
            return hint.removeprefix("builtins.")
        if hint.startswith("torch."):
            found = torch
            for part in hint.split(".")[1:]:
                found = getattr(found, part, None)
            if found is obj:
                self.names["torch"] = torch
                return hint
        base = candidate = re.sub(r"\W", "_", hint)
        number = 0
        while (candidate in self.names and self.names[candidate] is not obj) or candidate in self.used:
            number += 1
            candidate = f"{base}_{number}"
        self.names[candidate] = obj
        return candidate

    def text(self, value):
        """A value as code writes it."""
        if isinstance(value, Node):
            return repr(value)
        if isinstance(value, tuple):
            if hasattr(value, "_fields"):
                return f"{self.name_of(type(value), _type_repr(type(value)))}({', '.join(map(self.text, value))})"
            if type(value) is torch.Size:
                self.names["torch"] = torch
                return repr(value)
            return f"({', '.join(map(self.text, value))}{',' if len(value) == 1 else ''})"
        if isinstance(value, list):
            return f"[{', '.join(map(self.text, value))}]"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key!r}: {self.text(item)}" for key, item in value.items()) + "}"
        if isinstance(value, slice):
            return f"slice({self.text(value.start)}, {self.text(value.stop)}, {self.text(value.step)})"
        if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
            self.names["torch"] = torch
        if isinstance(value, _device):
            self.names["device"] = _device
        if isinstance(value, float) and not math.isfinite(value):
            self.names.update(inf=math.inf, nan=math.nan)
        if callable(value) and hasattr(value, "__name__"):
            return self.name_of(value, _type_repr(value) if isinstance(value, type) else _get_qualified_name(value))
        return repr(value)

    def arguments(self, args, kwargs):
        return ", ".join([*map(self.text, args), *(f"{name} = {self.text(value)}" for name, value in kwargs.items())])

    def access(self, base, target):
        for part in target.split("."):
            base = f"{base}.{part}" if part.isidentifier() else f'getattr({base}, "{part}")'
        return base

    def annotation(self, kind):
        if kind is None:
            return ""
        text = _type_repr(kind)
        return f" : {self.name_of(kind, text) if isinstance(kind, type) else self.name_of(kind, 'type_' + str(id(kind)))}"

    def line(self, node):
        args, kwargs = node.args, node.kwargs
        start = f"{node!r}{self.annotation(node.type)} = "
        if node.op == "call_method":
            return start + f"{self.access(self.text(args[0]), node.target)}({self.arguments(args[1:], kwargs)})"
        if node.op == "call_module":
            return start + f"{self.access(self.root, node.target)}({self.arguments(args, kwargs)})"
        if node.op == "get_attr":
            return start + self.access(self.root, node.target)
        if node.op == "output":
            return f"return {self.text(args[0])}"
        name, module = getattr(node.target, "__name__", ""), getattr(node.target, "__module__", "")
        if module == "_operator" and not kwargs:
            if name in MAGIC:
                return start + MAGIC[name].format(*map(self.text, args))
            if name in IN_PLACE:
                return f"{self.text(args[0])} {IN_PLACE[name]} {self.text(args[1])};  " + start + self.text(args[0])
        if node.target is getattr and isinstance(args[1], str) and args[1].isidentifier() and len(args) == 2:
            return start + self.access(self.text(args[0]), args[1])
        return start + f"{self.name_of(node.target, _get_qualified_name(node.target))}({self.arguments(args, kwargs)})"

    def write(self):
        last_uses: dict = {}
        seen = set()
        self.used = {node.name for node in self.graph.nodes}
        for node in reversed(self.graph.nodes):
            for used in node._input_nodes:
                if used not in seen:
                    seen.add(used)
                    last_uses.setdefault(node, []).append(used)
        parameters, body, returned = [], [], ""
        for node in self.graph.nodes:
            if node.op == "placeholder":
                default = f" = {self.text(node.args[0])}" if node.args else ""
                parameters.append(f"{node.target}{self.annotation(node.type)}{default}")
                raw = node.target.replace("*", "")
                if raw != repr(node):
                    body.append(f"{node!r} = {raw}\n")
                continue
            line = self.line(node)
            if node.op == "output":
                returned = f" -> {self.annotation(node.type)[3:]}" if node.type else ""
                body.append(line + "\n")
                continue
            gone = [*last_uses.get(node, ()), *([] if node.users else [node])]
            body.append(line + (f";  {' = '.join([*map(repr, gone), 'None'])}\n" if gone else "\n"))
        code = "\n".join("    " + line for line in ("".join(body) or "pass\n").split("\n"))
        source = f"\n\n\ndef forward({', '.join([self.root, *parameters])}){returned}:\n{code}"
        return PythonCode(source, dict(self.names))


class Graph:
    """Nodes in the order in which they run.

    Args:
        owning_module: The module whose parameters and modules it names.
        tracer_cls, tracer_extras: What made it, which is kept.

    >>> import rushlight as torch
    >>> graph = torch.fx.Graph()
    >>> x = graph.placeholder("x")
    >>> node = graph.output(graph.call_function(torch.add, (x, 1)))
    >>> torch.fx.GraphModule({}, graph)(torch.ones(1))
    tensor([2.])
    """

    def __init__(self, owning_module=None, tracer_cls=None, tracer_extras=None):
        self._root = Node(self, "", "root", "", (), {})
        self._insert = self._root.prepend
        self._len = 0
        self._namespace = _Namespace()
        self.owning_module = owning_module
        self._tracer_cls, self._tracer_extras = tracer_cls, tracer_extras
        self._codegen = CodeGen()

    @property
    def nodes(self):
        """The nodes, in their order; `reversed(graph.nodes)` the other way."""
        return _NodeList(self)

    def find_nodes(self, *, op, target=None, sort=True):
        """The nodes of a kind, and with a target."""
        return [node for node in self.nodes if node.op == op and (target is None or node.target == target)]

    def output_node(self):
        """The result."""
        return next(node for node in reversed(self.nodes) if node.op == "output")

    def create_node(self, op, target, args=None, kwargs=None, name=None, type_expr=None):
        """A new node at the place where nodes are put."""
        name = self._namespace.create_name(_target_name(target) if name is None else name, None)
        node = Node(self, name, op, target, args or (), kwargs or {}, type_expr)
        self._insert(node)
        self._len += 1
        return node

    def placeholder(self, name, type_expr=None, default_value=...):
        """An argument of the program."""
        return self.create_node("placeholder", name, () if default_value is ... else (default_value,), type_expr=type_expr)

    def get_attr(self, qualified_name, type_expr=None):
        """A parameter, buffer, or other attribute of the module."""
        return self.create_node("get_attr", qualified_name, type_expr=type_expr)

    def call_module(self, module_name, args=None, kwargs=None, type_expr=None):
        """A call of a submodule."""
        return self.create_node("call_module", module_name, args, kwargs, type_expr=type_expr)

    def call_method(self, method_name, args=None, kwargs=None, type_expr=None):
        """A call of a method of the first argument."""
        return self.create_node("call_method", method_name, args, kwargs, type_expr=type_expr)

    def call_function(self, the_function, args=None, kwargs=None, type_expr=None, name=None):
        """A call of a function."""
        return self.create_node("call_function", the_function, args, kwargs, name=name, type_expr=type_expr)

    def output(self, result, type_expr=None):
        """The result of the program."""
        return self.create_node("output", "output", (result,), type_expr=type_expr)

    def node_copy(self, node, arg_transform=lambda x: x):
        """A copy of another graph's node; `arg_transform` maps the nodes among its arguments."""
        args, kwargs = map_arg(node.args, arg_transform), map_arg(node.kwargs, arg_transform)
        copied = self.create_node(node.op, node.target, args, kwargs, node.name, node.type)
        copied.meta = dict(node.meta)
        return copied

    def graph_copy(self, g, val_map, return_output_node=False):
        """Copies another graph's nodes; returns what its result would be. `val_map` maps nodes that are there already, and gets the rest."""
        for node in g.nodes:
            if node in val_map:
                continue
            if node.op == "output":
                result = map_arg(node.args[0], val_map.__getitem__)
                return (result, node) if return_output_node else result
            val_map[node] = self.node_copy(node, val_map.__getitem__)
        return None

    def __deepcopy__(self, memo=None):
        copied = Graph(tracer_cls=self._tracer_cls, tracer_extras=self._tracer_extras)
        values: dict = {}
        result = copied.graph_copy(self, values, return_output_node=True)
        if result is not None:
            value, node = result
            output = copied.output(value, type_expr=node.type)
            output.meta = dict(node.meta)
        return copied

    def erase_node(self, to_erase):
        """Takes a node out, which nobody may use."""
        if to_erase.users:
            raise RuntimeError(
                f"Tried to erase Node {to_erase} but it still had {len(to_erase.users)} users in the graph: {to_erase.users}!"
            )
        if to_erase.graph is not self:
            raise RuntimeError(f"Attempting to remove {to_erase} from wrong graph!")
        if to_erase._erased:
            return
        to_erase._remove_from_list()
        to_erase._erased = True
        self._len -= 1
        to_erase._set((), {})

    @contextlib.contextmanager
    def _inserting(self, insert):
        before, self._insert = self._insert, insert
        try:
            yield
        finally:
            self._insert = before

    def inserting_before(self, n=None):
        """A context in which new nodes are put in front of `n` (None: at the beginning)."""
        return self.inserting_after(self._root) if n is None else self._inserting(n.prepend)

    def inserting_after(self, n=None):
        """A context in which new nodes are put behind `n` (None: at the end)."""
        if n is None:
            return self.inserting_before(self._root)
        place = [n]

        def insert(node):
            place[0].append(node)
            place[0] = node

        return self._inserting(insert)

    def eliminate_dead_code(self, is_impure_node=None):
        """Takes out what nobody uses; whether there was any."""
        impure = is_impure_node or Node.is_impure
        changed = False
        for node in reversed(self.nodes):
            if not node.users and not impure(node):
                self.erase_node(node)
                changed = True
        return changed

    def lint(self):
        """Raises RuntimeError where a node uses what comes later, or is of another graph, or names an attribute that the module lacks."""
        seen, names = set(), set()
        for node in self.nodes:
            if node.graph is not self:
                raise RuntimeError(f"Node '{node}' does not belong to this Graph!")
            for used in node._input_nodes:
                if used.graph is not self:
                    raise RuntimeError(f"Argument '{used}' of Node '{node}' does not belong to this Graph!")
                if used not in seen:
                    raise RuntimeError(
                        f"Argument '{used}' of Node '{node}' was used before it has been defined! Please check that Nodes in the graph are topologically ordered\n{self}"
                    )
            if node.name in names:
                raise RuntimeError(f"Node redefined name {node.name}!")
            seen.add(node)
            names.add(node.name)
            if self.owning_module is not None and node.op in ("get_attr", "call_module"):
                found = self.owning_module
                for part in node.target.split("."):
                    if not hasattr(found, part):
                        raise RuntimeError(
                            f"Node {node} target {node.target} references nonexistent attribute {part} of {node.target}"
                        )
                    found = getattr(found, part)

    def python_code(self, root_module, *, namespace=None, verbose=False, **kwargs):
        """The code of a function that does what the graph does."""
        return self._codegen.gen_code(self, root_module)

    def set_codegen(self, codegen):
        """Sets what writes the code."""
        self._codegen = codegen

    def __str__(self):
        return "graph():" + "".join("\n    " + node.format_node() for node in self.nodes)

    def print_tabular(self):
        """Prints a row for each node."""
        rows = [("opcode", "name", "target", "args", "kwargs")]
        rows += [(n.op, n.name, str(n._pretty_print_target(n.target)), str(n.args), str(n.kwargs)) for n in self.nodes]
        widths = [max(map(len, column)) for column in zip(*rows)]
        for place, row in enumerate(rows):
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
            if place == 0:
                print("  ".join("-" * width for width in widths))
