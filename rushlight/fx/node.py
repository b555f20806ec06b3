"""Nodes of a graph: a call, an attribute, an argument, or the result."""

import builtins
import operator
import types
from collections.abc import Callable

import rushlight
from rushlight.fx.immutable_collections import immutable_dict, immutable_list

__all__ = ["Node", "Target", "map_aggregate", "map_arg"]

Target = Callable | str
OPS = ("placeholder", "call_method", "call_module", "call_function", "get_attr", "output", "root")


def map_aggregate(a, fn):
    """`fn` of every element of tuples, lists, dicts and slices within each other; the lists and dicts made cannot be changed.

    Args:
        a: The arguments.
        fn: A function of one element.

    >>> import rushlight as torch
    >>> torch.fx.node.map_aggregate((1, [2, 3]), lambda x: x * 10)
    (10, [20, 30])
    """
    if isinstance(a, tuple):
        mapped = [map_aggregate(item, fn) for item in a]
        return type(a)(*mapped) if hasattr(a, "_fields") else tuple(mapped)
    if isinstance(a, list):
        return immutable_list([map_aggregate(item, fn) for item in a])
    if isinstance(a, dict):
        return immutable_dict({key: map_aggregate(item, fn) for key, item in a.items()})
    if isinstance(a, slice):
        return slice(*(map_aggregate(item, fn) for item in (a.start, a.stop, a.step)))
    return fn(a)


def map_arg(a, fn):
    """`fn` of every node in tuples, lists, dicts and slices within each other.

    Args:
        a: The arguments.
        fn: A function of a node.

    >>> import rushlight as torch
    >>> node = torch.fx.Graph().placeholder("x")
    >>> torch.fx.map_arg((node, 2), lambda node: node.name)
    ('x', 2)
    """
    return map_aggregate(a, lambda x: fn(x) if isinstance(x, Node) else x)


def _get_qualified_name(func) -> str:
    """The module and name that a function is found by."""
    from rushlight import _names, core, functional

    name = getattr(func, "__name__", None) or type(func).__name__
    if getattr(builtins, name, None) is func:
        return f"builtins.{name}"
    place = _names.public_functions().get(id(func))
    if place is not None and place[0] == "" and place[1] in functional.__all__ and not isinstance(func, (core.Op, core.Function)):
        return f"torch.functional.{place[1]}"
    if place is not None:
        return f"torch.Tensor.{place[1]}" if place[0] is None else f"torch{place[0]}.{place[1]}"
    module = getattr(func, "__module__", None) or ("torch" if isinstance(func, core.Op) else "")
    module = "operator" if module == "_operator" else module
    return f"{(_names.in_package(module) and 'torch' + _names.in_package(module)[len('rushlight') :]) or module}.{name}"


_side_effectful_functions = {operator.setitem, getattr(rushlight, "_assert")}  # noqa: B009 (checkers do not know of it)


def has_side_effect(fn):
    """Marks a function whose calls stay in a graph though nobody uses what they give; returns it.

    Args:
        fn: The function.

    >>> import rushlight as torch
    >>> torch.fx.has_side_effect(print) is print
    True
    """
    _side_effectful_functions.add(fn)
    return fn


class Node:
    """One step of a graph: `op` says of what kind, `target` what is called or read, `args` and `kwargs` with what.

    Args:
        name: Its name, which no other node of the graph has.
        return_type: The type that its value was annotated with.

    >>> import rushlight as torch
    >>> graph = torch.fx.symbolic_trace(torch.nn.ReLU()).graph
    >>> [(node.op, node.name, node.args) for node in graph.nodes]
    [('placeholder', 'input_1', ()), ('call_function', 'relu', (input_1, False)), ('output', 'output', (relu,))]
    """

    def __init__(self, graph, name, op, target, args, kwargs, return_type=None):
        if op not in OPS:
            raise AssertionError(f"op must be one of {OPS}, got {op}")
        self.graph, self.name, self.op, self.target, self.type = graph, name, op, target, return_type
        self._input_nodes: dict = {}
        self.users: dict = {}
        self.meta: dict = {}
        self._repr_fn = None
        self._erased = False
        self._prev = self._next = self
        self._args: tuple = ()
        self._kwargs: dict = {}
        self._set(args, kwargs)

    @property
    def next(self):
        """The node behind this one."""
        return self._next

    @property
    def prev(self):
        """The node in front of this one."""
        return self._prev

    def _set(self, args, kwargs):
        for node in self._input_nodes:
            node.users.pop(self, None)
        self._input_nodes = {}

        def use(node):
            self._input_nodes.setdefault(node)
            node.users.setdefault(self)
            return node

        self._args, self._kwargs = map_arg(tuple(args), use), map_arg(dict(kwargs), use)

    @property
    def args(self):
        """The positional arguments: nodes stand for what they give."""
        return self._args

    @args.setter
    def args(self, args):
        self._set(args, self._kwargs)

    @property
    def kwargs(self):
        """The arguments by name."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, kwargs):
        self._set(self._args, kwargs)

    @property
    def all_input_nodes(self):
        """The nodes among the arguments, each once."""
        return list(self._input_nodes)

    def _remove_from_list(self):
        self._prev._next, self._next._prev = self._next, self._prev

    def prepend(self, x):
        """Puts a node in front of this one."""
        if self.graph is not x.graph:
            raise AssertionError("Attempting to move a Node into a different Graph")
        if x is self:
            return
        x._remove_from_list()
        before = self._prev
        before._next, x._prev, x._next, self._prev = x, before, self, x

    def append(self, x):
        """Puts a node behind this one."""
        self._next.prepend(x)

    def update_arg(self, idx, arg):
        """Replaces a positional argument."""
        args = list(self._args)
        args[idx] = arg
        self.args = tuple(args)

    def insert_arg(self, idx, arg):
        """Inserts a positional argument."""
        self.args = (*self._args[:idx], arg, *self._args[idx:])

    def update_kwarg(self, key, arg):
        """Replaces an argument by name."""
        self.kwargs = {**self._kwargs, key: arg}

    def replace_input_with(self, old_input, new_input):
        """Takes what another node gives."""
        self._set(*map_arg((self._args, self._kwargs), lambda node: new_input if node is old_input else node))

    def replace_all_uses_with(self, replace_with, delete_user_cb=lambda user: True, *, propagate_meta=False):
        """Makes the users of this node take what another one gives; returns them."""
        changed = [user for user in self.users if delete_user_cb(user)]
        for user in changed:
            user.replace_input_with(self, replace_with)
        return changed

    def is_impure(self, impure_random=True):
        """Whether the node does something even where nobody uses what it gives."""
        if self.op == "call_module" and self.graph.owning_module is not None:
            return getattr(self.graph.owning_module.get_submodule(self.target), "_is_impure", False)
        return self.op in ("placeholder", "output") or (self.op == "call_function" and self.target in _side_effectful_functions)

    def __repr__(self):
        return self._repr_fn(self) if self._repr_fn else self.name

    def _pretty_print_target(self, target):
        return target if isinstance(target, str) else _get_qualified_name(target)

    def format_node(self):
        """The node as a line of the graph's text."""
        kind = f"num_users={len(self.users)}"
        typed = f"{_type_repr(self.type)} " if self.type else ""
        if self.op == "placeholder":
            default = f"(default={self._args[0]!r})" if self._args else ""
            return f"%{self.name} : {typed}[{kind}] = {self.op}[target={self.target}]{default}"
        if self.op == "output":
            return f"return {self._args[0]}"
        inside = "" if self.op == "get_attr" else f"(args = {_percent(self._args)}, kwargs = {_percent(self._kwargs)})"
        return f"%{self.name} : {typed}[{kind}] = {self.op}[target={self._pretty_print_target(self.target)}]{inside}"


class _Shown:
    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


def _percent(arg):
    """Arguments as the graph's text writes them: nodes with a sign, texts without quotes."""
    if isinstance(arg, dict):
        return "{" + ", ".join(f"{key}: {_percent(item)}" for key, item in arg.items()) + "}"
    return repr(map_aggregate(arg, lambda x: _Shown("%" + x.name) if isinstance(x, Node) else _Shown(x) if type(x) is str else x))


def _type_repr(kind) -> str:
    """A type as code writes it."""
    if isinstance(kind, type) and not isinstance(kind, types.GenericAlias):
        if kind.__module__ == "builtins":
            return kind.__qualname__
        return f"{kind.__module__.replace('rushlight', 'torch', 1)}.{kind.__qualname__}"
    return "..." if kind is ... else kind.__name__ if isinstance(kind, types.FunctionType) else repr(kind)
