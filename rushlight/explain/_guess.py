"""What the source of the program says about a tensor: for `why`, where nothing was recorded."""

import ast
import sys
import types

from rushlight.core import Tensor
from rushlight.explain import _source
from rushlight.explain._graph import is_a, is_module
from rushlight.ops._declare import without_gradient

CASTS = {"long", "int", "short", "char", "byte", "bool"}
INTEGERS = {"int64", "int32", "int16", "int8", "uint8", "long", "int", "short", "bool"}
READS = {"item", "tolist", "numpy"}
GIVES = without_gradient | {"one_hot": "indices"}
COPIES = {"tensor", "as_tensor", "from_numpy", "array", "asarray", "Tensor", "FloatTensor"}


class Guess:
    """A likely cause with its line: read from the source, not recorded."""

    def __init__(self, cause, line, detail=""):
        self.cause, self.line, self.detail = cause, line, detail


def block_cause(blocks):
    """The cause that lies in the `with` blocks and decorators around a statement, or None."""
    for block in reversed(blocks):
        text = (
            " ".join(ast.unparse(item.context_expr) for item in block.items)
            if isinstance(block, ast.With)
            else ast.unparse(block)
        )
        if "enable_grad" in text or "set_grad_enabled(True)" in text:
            return None
        if "no_grad" in text or "set_grad_enabled" in text:
            return "no_grad"
        if "inference_mode" in text:
            return "inference_mode"
    return None


def expression_cause(expression):
    """The cause that lies in an expression itself, or None."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Compare) and not any(isinstance(op, (ast.Is, ast.IsNot, ast.In, ast.NotIn)) for op in node.ops):
            return "comparison"
        if isinstance(node, ast.Attribute) and node.attr == "data":
            return "data"
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        records = len(node.args) > 4 or any(keyword.arg in ("create_graph", None) for keyword in node.keywords)
        if called == "grad" and not records and ast.unparse(node.func).endswith("autograd.grad"):
            return "create_graph"
        if called in ("detach", "detach_"):
            return "detached"
        if called in READS or (called in ("float", "int") and isinstance(node.func, ast.Name)):
            return "copied"
        if called in COPIES and any(names_in(a) for a in node.args):
            return "copied"
        if called in CASTS and isinstance(node.func, ast.Attribute) and not node.args:
            return "integer"
        if called in ("to", "type") and any(ast.unparse(a).rpartition(".")[2] in INTEGERS for a in node.args):
            return "integer"
        if called in GIVES:
            return GIVES[called]
    return None


def names_in(expression):
    """The names and attributes that an expression reads, as they are written; longest first."""
    found = []
    for node in ast.walk(expression):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Load):
            found.append(ast.unparse(node))
    return found


def value_of(name, frame):
    """What a name means in a frame now; None where that is nothing."""
    first, *rest = name.split(".")
    value = frame.f_locals.get(first, frame.f_globals.get(first))
    for attribute in rest:
        inside = getattr(value, "__dict__", {})
        value = inside.get(attribute, inside.get("_modules", {}).get(attribute, inside.get("_parameters", {}).get(attribute)))
    return value


def name_of(tensor, frame, spelled=None):
    """The name under which a frame has a tensor: as the call spells it, unless that name means something else; None where there is none."""
    if frame is None:
        return spelled
    meant = None if spelled is None else value_of(spelled, frame)
    if spelled is not None and (meant is None or meant is tensor):
        return spelled
    named = {**frame.f_globals, **frame.f_locals}.items()
    return next((name for name, value in named if value is tensor and not name.startswith("_")), None)


def holds(value, tensor):
    """Whether a value is a tensor, or a module or container that has it."""
    if value is tensor:
        return True
    if is_module(value):
        return any(p is tensor for p in value.parameters())
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return any(one is tensor for one in values)


def cut_of(name, frame, origin=None, seen=()):
    """The Guess where the tensor called `name` lost its graph; None where the source shows none.

    With `origin`, a pair of a name and its tensor, the cut is one on the way from there.
    """
    found = _source.assignment_of(name, frame)
    if found is None or name in seen:
        return None
    if asks_for_gradients(found.value) and not getattr(value_of(name, frame), "requires_grad", True):
        found = _source.assignment_of(name, frame, later=True) or found
    cause = expression_cause(found.value) or block_cause(found.blocks)
    names = names_in(found.value)
    seen = (*seen, name)
    if cause and (origin is None or leads_back(names, frame, origin, seen)):
        return Guess(cause, found.line)
    if cause:
        return None
    for inner in names:
        value = value_of(inner, frame)
        if isinstance(value, types.FunctionType) and origin is None:
            within = cut_within(value)
            if within is not None:
                return within
        lost = value is None or (isinstance(value, Tensor) and not value.requires_grad)
        if inner != name and (origin is not None or lost):
            deeper = cut_of(inner, frame, origin, seen)
            if deeper is not None:
                return deeper
    return None


def cut_of_statement(frame):
    """The Guess that lies in the expression statement that a frame is running, or behind the names in it; None where there is none."""
    line = (frame.f_code.co_filename, frame.f_lineno)
    statement = _source.statement_at(line)
    if not isinstance(statement, ast.Expr):
        return None
    # (The call itself is the backward: what it is called on, and with, counts.)
    parts = ast.iter_child_nodes(statement.value) if isinstance(statement.value, ast.Call) else [statement.value]
    cause = next(filter(None, map(expression_cause, parts)), None)
    if cause:
        return Guess(cause, line)
    return next(filter(None, (cut_of(name, frame) for name in names_in(statement.value))), None)


def asks_for_gradients(expression):
    """Whether an expression makes a leaf that requires grad."""
    return any(
        isinstance(node, ast.keyword) and node.arg == "requires_grad" and getattr(node.value, "value", None) is True
        for node in ast.walk(expression)
    )


def cut_within(function):
    """The Guess where every result of one of the program's functions loses its graph; None where its source shows none."""
    code = function.__code__
    tree = None if _source.is_library(code.co_filename) else _source.tree_of(code.co_filename)
    scope = None if tree is None else _source.scope_of(code, tree)
    if scope is None or scope is tree:
        return None
    found = []

    def look(node, blocks):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
                continue
            if isinstance(child, ast.Return) and child.value is not None:
                cause = expression_cause(child.value) or block_cause(blocks)
                found.append(cause and Guess(cause, (code.co_filename, child.lineno)))
            look(child, [*blocks, child] if isinstance(child, ast.With) else blocks)

    look(scope, list(scope.decorator_list))
    return found[0] if found and all(found) else None


def leads_back(names, frame, origin, seen):
    """Whether any of these names is the origin, has it, or was computed from it."""
    for name in names:
        if name == origin[0] or holds(value_of(name, frame), origin[1]):
            return True
        if name in seen:
            continue
        found = _source.assignment_of(name, frame)
        if found is not None and leads_back(names_in(found.value), frame, origin, (*seen, name)):
            return True
    return False


def asked_late(name, frame):
    """A Guess for a tensor computed from one that was asked for gradients only afterwards; None where the source shows no such thing."""
    found = _source.assignment_of(name, frame)
    if found is None:
        return None
    for inner in names_in(found.value):
        value = value_of(inner, frame)
        if isinstance(value, Tensor) and value.requires_grad and value.is_leaf:
            for node in ast.walk(_source.tree_of(frame.f_code.co_filename)):
                asks = isinstance(node, ast.Attribute) and node.attr in ("requires_grad_", "requires_grad")
                if asks and ast.unparse(node.value) == inner and found.line[1] < node.lineno < frame.f_lineno:
                    return Guess("asked_late", (frame.f_code.co_filename, node.lineno))
    return None


def suspicious_lines():
    """The lines of the user's files that can cut a path: no_grad blocks, detach(), .data, values read out."""
    modules = [vars(m) for m in list(sys.modules.values()) if is_a(m, types.ModuleType)]
    files = {m["__file__"] for m in modules if m.get("__file__") and not _source.is_library(m["__file__"])}
    frame = _source.user_frame()
    while frame is not None:
        if not _source.is_library(frame.f_code.co_filename):
            files.add(frame.f_code.co_filename)
        frame = frame.f_back
    found = set()
    for file in files:
        tree = _source.tree_of(file)
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, (ast.With, ast.FunctionDef)):
                around = [node] if isinstance(node, ast.With) else node.decorator_list
                if block_cause(around):
                    found.add((file, around[0].lineno))
            elif isinstance(node, ast.Attribute) and node.attr in {"detach", "detach_", "data"} | READS:
                found.add((file, node.lineno))
    return sorted(found)
