"""`saved` and `holders`: what backward keeps, line by line, and who keeps the graph alive."""

import ast
import gc
import re
import sys
import types

from rushlight import core
from rushlight.core import Tensor
from rushlight.explain import _source
from rushlight.explain._graph import (
    describe_tensor,
    is_a,
    is_leaf_node,
    living_nodes,
    nodes_of,
    op_name,
    roots_of,
    saved_tensors,
)
from rushlight.explain._report import Report, bytes_text, count_text, table

FARTHEST = 5
"""How many containers may lie between a name and a tensor."""


SHELL_NAMES = re.compile(r"__|(In|Out|_|_[0-9]+|_[doi]?h|_i+[0-9]*|_exit_code|exit|quit|get_ipython)$")
"""The names that IPython keeps for itself: of inputs, of outputs, and of what leads to both."""

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
    found = []
    for name, filename, first, value in names_of_program():
        tensors = [tensor for tensor in tensors_below(value) if id(tensor.grad_fn) in wanted]
        if tensors:
            found.append(Holder(name, line_of(name, filename, first), tensors))
    return sorted(found, key=lambda holder: -holder.nodes)


def names_of_program():
    """Every name of the user's: (name, file, first line of its function or 0, value), of the running functions and of modules."""
    modules = {id(vars(m)): vars(m) for m in list(sys.modules.values()) if is_a(m, types.ModuleType)}
    namespaces = {}
    for key, variables in modules.items():
        filename = variables.get("__file__")
        if filename and not _source.is_library(filename):
            namespaces[key] = variables, filename
    for frame in sys._current_frames().values():
        while frame is not None:
            code, variables = frame.f_code, frame.f_globals
            if not _source.is_library(code.co_filename):
                namespaces[id(variables)] = variables, code.co_filename
                if frame.f_locals is not variables:
                    yield from [(name, code.co_filename, code.co_firstlineno, value) for name, value in frame.f_locals.items()]
            frame = frame.f_back
    for variables, filename in namespaces.values():
        shells = SHELL_NAMES if "_oh" in variables else re.compile("__")
        yield from [(name, filename, 0, value) for name, value in list(variables.items()) if not shells.match(name)]


def tensors_below(value):
    """The tensors with a graph that a value is or holds, in containers and attributes."""
    seen, waiting, found = {id(value)}, [(value, 0)], []
    while waiting:
        obj, far = waiting.pop()
        if is_a(obj, Tensor):
            if obj.requires_grad and not obj.is_leaf:
                found.append(obj)
            continue
        if far == FARTHEST or not is_container(obj):
            continue
        for inner in gc.get_referents(obj):
            if id(inner) not in seen and (is_a(inner, Tensor) or gc.is_tracked(inner)):
                seen.add(id(inner))
                waiting.append((inner, far + 1))
    return found


def is_container(obj):
    """Whether an object may hold a tensor on behalf of the program; graphs, frames and namespaces do not count."""
    if is_a(obj, (types.FrameType, types.ModuleType, types.FunctionType, type, Tensor, core.Node, core.SavedTensor)):
        return False
    if type(obj) is dict and "__name__" in obj and "__builtins__" in obj:
        return False
    return is_a(obj, (list, tuple, dict, set)) or type(obj).__dictoffset__ != 0


def line_of(name, filename, first):
    """The line that puts something into a name: where it appends, else where it is assigned. In a notebook, of the latest cell that does."""
    lines = (line_within(name, file, first) for file in (filename, *_source.cells_before(filename)))
    return next(filter(None, lines), None)


def line_within(name, filename, first):
    """That line in one file or cell, or None."""
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
