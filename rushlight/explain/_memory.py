"""`saved` and `holders`: what backward keeps, line by line, and who keeps the graph alive."""

import ast
import gc
import os
import sys
import types
from collections import defaultdict

from rushlight import core
from rushlight.core import Tensor
from rushlight.explain import _source
from rushlight.explain._graph import (
    describe_tensor,
    is_leaf_node,
    living_nodes,
    living_tensors,
    nodes_of,
    op_name,
    roots_of,
    saved_tensors,
)
from rushlight.explain._report import Report, bytes_text, count_text, table

FARTHEST = 5
"""How many containers may lie between a name and a tensor."""


ADDING = {"append", "extend", "add", "update", "setdefault", "insert"}
"""Methods that put something into a container."""


class Line:
    """What one line of the program keeps: `line`, `bytes`, and `values`: (operation, name, tensor) of the storages counted here."""

    def __init__(self, line):
        self.line, self.bytes, self.values = line, 0, []

    def __repr__(self):
        return f"<{bytes_text(self.bytes)} at {_source.short(self.line)}>"


class Saved(Report):
    """What backward keeps. Attributes: `total` bytes, `lines` (largest first), `leaves` (bytes of leaves, which are not counted), `nodes`,
    `freed` (whether backward has let go of it already) and `holders`."""

    def __init__(self, nodes):
        self.nodes = sum(not is_leaf_node(node) for node in nodes)
        self.freed = any(core.node_saved(node) is None for node in nodes)
        self.total, self.leaves = 0, 0
        lines, seen = {}, set()
        leaves = {core.storage_of(node.variable).data_ptr() for node in nodes if is_leaf_node(node)}
        for node in nodes:
            for name, tensor, _ in saved_tensors(node) or ():
                if tensor is None:
                    continue
                storage = core.storage_of(tensor)
                if storage.data_ptr() in seen or len(storage) == 0:
                    continue
                seen.add(storage.data_ptr())
                if storage.data_ptr() in leaves:
                    self.leaves += len(storage)
                    continue
                line = lines.setdefault(node.source_line, Line(node.source_line))
                line.bytes += len(storage)
                line.values.append((op_name(node), name, tensor))
                self.total += len(storage)
        self.lines = sorted(lines.values(), key=lambda line: -line.bytes)
        self.holders = holders_of(nodes)

    def __str__(self):
        head = f"{bytes_text(self.total)} kept for backward by {count_text(self.nodes, 'node')}"
        if self.leaves:
            head += f" (and {bytes_text(self.leaves)} of leaves, which are there anyway)"
        if self.freed:
            head += "; backward has run and freed the rest"
        rows = []
        for line in self.lines:
            largest = max(line.values, key=lambda value: value[2].nbytes)
            what = f"{largest[0]}: {largest[1]} {describe_tensor(largest[2])}" + (
                f" and {len(line.values) - 1} more" if len(line.values) > 1 else ""
            )
            rows.append((bytes_text(line.bytes), _source.shown(line.line), what))
        parts = [head, *("  " + row for row in table(rows).splitlines())]
        if self.holders:
            parts += ["The graph is alive because of:", *(f"  {holder}" for holder in self.holders)]
        return "\n".join(parts)


class Holder(Report):
    """A name of the program that keeps graphs alive. Attributes: `name`, `line`, `tensors` and `nodes` (how many it holds)."""

    def __init__(self, name, line, tensors):
        self.name, self.line, self.tensors = name, line, tensors
        self.nodes = len([n for n in nodes_of([r for t in tensors for r in roots_of(t)]) if not is_leaf_node(n)])

    def __str__(self):
        many = f" (a container with {len(self.tensors):,} of its tensors)" if len(self.tensors) > 1 else ""
        return f"{count_text(self.nodes, 'node')} held by `{self.name}`{many}, {_source.shown(self.line) if self.line else 'an unknown line'}"


class Holders(Report):
    """Who keeps graphs alive, the largest first: a list of `Holder`s that prints itself."""

    def __init__(self, found):
        self.found = found

    def __iter__(self):
        return iter(self.found)

    def __len__(self):
        return len(self.found)

    def __getitem__(self, i):
        return self.found[i]

    def __str__(self):
        return "\n".join(map(str, self.found)) if self.found else "No name of the program holds a graph."


def saved(loss):
    """The bytes that backward keeps for `loss`, by source line, the largest first; and the names that keep the graph alive.

    Memory that several nodes share counts once, for the first of them; that of leaves (parameters) is named apart.

    >>> import rushlight as torch
    >>> from rushlight import explain
    >>> x = torch.ones(1000, requires_grad=True)
    >>> y = (x * 2).exp()
    >>> explain.saved(y).total
    4000
    """
    return Saved(nodes_of(roots_of(loss)))


def holders(loss=None):
    """The names of the program (variables, attributes, lists) that keep the graph of `loss` alive; of every living graph by default.

    >>> import rushlight as torch
    >>> from rushlight import explain
    >>> w = torch.ones(2, requires_grad=True)
    >>> losses = [(w * i).sum() for i in range(3)]
    >>> print(explain.holders(losses[0])[0].name)
    losses
    """
    return Holders(holders_of(living_nodes() if loss is None else nodes_of(roots_of(loss))))


def holders_of(nodes):
    """The Holders of some nodes, the largest first."""
    wanted = {id(node) for node in nodes if not is_leaf_node(node)}
    names = names_of_objects()
    found = defaultdict(list)
    for tensor in living_tensors():
        if not tensor.requires_grad or tensor.is_leaf or id(tensor.grad_fn) not in wanted:
            continue
        for holder in names_leading_to(tensor, names):
            found[holder].append(tensor)
    result = [Holder(name, line_of(name, filename, first), tensors) for (name, filename, first), tensors in found.items()]
    return sorted(result, key=lambda holder: -holder.nodes)


def names_of_objects():
    """What the names of the program stand for: id -> [(name, file, first line of the function or 0)], for frames and user modules."""
    found = defaultdict(list)
    for frame in sys._current_frames().values():
        while frame is not None:
            code = frame.f_code
            if not _source.is_internal(code.co_filename) and frame.f_locals is not frame.f_globals:
                for name, value in frame.f_locals.items():
                    found[id(value)].append((name, code.co_filename, code.co_firstlineno))
            if not _source.is_internal(code.co_filename):
                add_globals(found, frame.f_globals, code.co_filename)
            frame = frame.f_back
    for module in list(sys.modules.values()):
        filename = getattr(module, "__file__", None)
        if isinstance(module, types.ModuleType) and filename and not is_library(filename):
            add_globals(found, vars(module), filename)
    return found


def add_globals(found, variables, filename):
    """The names of one module."""
    for name, value in list(variables.items()):
        entry = (name, variables.get("__file__") or filename, 0)
        if not name.startswith("__") and entry not in found[id(value)]:
            found[id(value)].append(entry)


def is_library(filename):
    """Whether a file belongs to this package, to Python or to what is installed."""
    return _source.is_internal(filename) or "site-packages" in filename or filename.startswith(os.path.dirname(os.__file__))


def names_leading_to(tensor, names):
    """The names from which a tensor can be reached, through containers and attributes."""
    seen, waiting, found = {id(tensor), id(names)}, [(tensor, 0)], set()
    while waiting:
        obj, far = waiting.pop()
        for name in names.get(id(obj), ()):
            found.add(name)
        if far == FARTHEST or (id(obj) in names and obj is not tensor):
            continue
        for other in gc.get_referrers(obj):
            if id(other) not in seen and is_container(other):
                seen.add(id(other))
                waiting.append((other, far + 1))
    return found


def is_container(obj):
    """Whether an object may hold a tensor on behalf of the program; graphs, frames and namespaces do not count."""
    if isinstance(obj, (types.FrameType, types.ModuleType, types.FunctionType, type, Tensor, core.Node, core.SavedTensor)):
        return False
    if isinstance(obj, dict) and "__name__" in obj and "__builtins__" in obj:
        return False
    return isinstance(obj, (list, tuple, dict, set)) or hasattr(obj, "__dict__")


def line_of(name, filename, first):
    """The line that puts something into a name: where it appends, else where it is assigned."""
    tree = _source.tree_of(filename)
    if tree is None:
        return None
    scope = tree
    for node in ast.walk(tree):
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        if is_function and first and min([node.lineno] + [d.lineno for d in node.decorator_list]) == first:
            scope = node
    assigned = added = None
    for node in ast.walk(scope):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
            assigned = node.lineno if assigned is None else max(assigned, node.lineno)
        if isinstance(node, ast.Attribute) and node.attr in ADDING and getattr(node.value, "id", None) == name:
            added = node.lineno
    line = added or assigned
    return None if line is None else (filename, line)
