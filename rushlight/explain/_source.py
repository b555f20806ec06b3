"""Lines of the user's program: where a call came from, what a line says, and how a name got its value."""

import ast
import functools
import inspect
import linecache
import os
import sys
import textwrap

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
LIBRARY = os.path.dirname(os.__file__)


def is_internal(filename):
    """Whether a file is this package's own (or the import system's)."""
    return filename.startswith(PACKAGE) or filename.startswith("<frozen ")


def is_library(filename):
    """Whether a file belongs to this package, to Python or to what is installed."""
    return is_internal(filename) or "site-packages" in filename or filename.startswith(LIBRARY)


def user_frame():
    """The innermost frame that runs the user's code, or None."""
    frame = sys._getframe(1)
    while frame is not None and is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def user_line():
    """(file, line number) of the innermost line of the user's program, or None."""
    frame = user_frame()
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def text_of(line):
    """What stands on a line, stripped; empty where the file cannot be read."""
    return "" if line is None else linecache.getline(*line).strip()


def short(line):
    """A line's place, as short as it is clear: train.py:12."""
    if line is None:
        return "an unknown line"
    name = line[0]
    if not name.startswith("<"):
        name = os.path.basename(name)
    elif name.startswith("<ipython-input-") or name.startswith("<doctest "):
        name = name.strip("<>").rpartition(" ")[2]
    return f"{name}:{line[1]}"


def shown(line):
    """A line with its place: `train.py:12: y = x * 2`."""
    text = text_of(line)
    return f"{short(line)}: {text}" if text else short(line)


@functools.lru_cache(maxsize=64)
def _parsed(source):
    try:
        return ast.parse(source)
    except SyntaxError:
        return None


def tree_of(filename):
    """The syntax tree of a file that the user runs, or None."""
    return _parsed("".join(linecache.getlines(filename)))


def without_source(frame):
    """A sentence where a frame's source is not kept: an interactive prompt's lines before Python 3.13, a string's. None where it is there."""
    filename = "<unknown>" if frame is None else frame.f_code.co_filename
    if not filename.startswith("<") or linecache.getlines(filename):
        return None
    return (
        f"(There is no source of {filename} to read: Python's own prompt, and -c, keep it from 3.13 on; a file, a notebook, IPython, and "
        "the prompt of `python -m rushlight`, always.)"
    )


def statement_at(line):
    """The innermost statement on a line, or None."""
    tree = None if line is None else tree_of(line[0])
    if tree is None:
        return None
    found = None
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line[1] <= node.end_lineno:
            found = node if found is None or node.lineno >= found.lineno else found
    return found


def rebinds(line):
    """The name that a line gives a new value computed from its old one (`x = x * 2`, `self.w = self.w.to(…)`), or None."""
    statement = statement_at(line)
    if not isinstance(statement, ast.Assign):
        return None
    for target in statement.targets:
        if isinstance(target, (ast.Name, ast.Attribute)):
            name = ast.unparse(target)
            if any(isinstance(n, type(target)) and ast.unparse(n) == name for n in ast.walk(statement.value)):
                return name
    return None


def backward_before(frame):
    """The last line above the running one, in its function, that calls `backward` on the same thing; None where there is none."""
    tree, line = tree_of(frame.f_code.co_filename), frame.f_lineno
    calls = [
        node
        for node in ast.walk(scope_of(frame.f_code, tree) if tree is not None else ast.Module([], []))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "backward"
    ]
    here = [ast.unparse(node.func.value) for node in calls if node.lineno <= line <= node.end_lineno]
    before = [node.lineno for node in calls if node.end_lineno < line and ast.unparse(node.func.value) in here]
    return (frame.f_code.co_filename, max(before)) if before else None


def position_of(frame):
    """(line, column, end line, end column) of what a frame is running; columns are None where the interpreter keeps none."""
    first, last, column, end = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    return first or frame.f_lineno, column, last or frame.f_lineno, end


def argument_name(function, place=0):
    """How the caller's line spells an argument of its call of `function`: `loss` in `why(loss)`. None where that is unclear."""
    frame = user_frame()
    if frame is None:
        return None
    tree = tree_of(frame.f_code.co_filename)
    if tree is None:
        return None
    line, column, last, end = position_of(frame)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) > place and (node.lineno, node.end_lineno) == (line, last):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
            if column is not None and (node.col_offset, node.end_col_offset) != (column, end):
                continue
            if called == function and isinstance(node.args[place], (ast.Name, ast.Attribute)):
                return ast.unparse(node.args[place])
    return None


class Assignment:
    """The statement that last gave a name its value before a line, and the blocks around it."""

    def __init__(self, statement, blocks, filename):
        self.value = statement.value
        self.line = (filename, statement.lineno)
        self.place = (statement.lineno, statement.col_offset)
        self.blocks = blocks


def scope_of(code, tree):
    """The function in a file's tree that some code is of; the tree itself where it is none."""
    scope = tree
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name:
            first = min([node.lineno] + [d.lineno for d in node.decorator_list])
            if first == code.co_firstlineno:
                scope = node
    return scope


def kind_of_cell(filename):
    """What the names of one notebook's cells, or of one interactive interpreter's lines, have in common; None for other files."""
    for prefix in ("<ipython-input-", "<python-input-"):
        if filename.startswith(prefix):
            return prefix
    folder = os.path.dirname(filename)
    return folder if os.path.basename(folder).startswith("ipykernel_") else None


def cells_before(filename):
    """The cells, or lines of an interactive interpreter, that ran before one; the latest first."""
    kind = kind_of_cell(filename)
    cells = [] if kind is None else [name for name in list(linecache.cache) if kind_of_cell(name) == kind]
    return cells[: cells.index(filename)][::-1] if filename in cells else []


def assignment_of(name, frame, later=False):
    """The last assignment to `name` above the running line of a frame, as an Assignment; None where there is none or it is unclear.

    `later` asks for those below it, in a loop around both: it ran in the round before. In a notebook, and where an interactive interpreter
    keeps its lines (from Python 3.13 on), the cells before count, too.
    """
    tree = tree_of(frame.f_code.co_filename)
    if tree is None or name is None:
        return None
    scope = scope_of(frame.f_code, tree)
    found = []
    here, filename = position_of(frame)[:2], frame.f_code.co_filename

    def look(node, blocks, again):
        again = again or (isinstance(node, (ast.For, ast.While)) and node.lineno <= here[0] <= node.end_lineno)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
                continue
            if isinstance(child, (ast.Assign, ast.AnnAssign)) and child.value is not None:
                targets = child.targets if isinstance(child, ast.Assign) else [child.target]
                before = (child.lineno, child.col_offset) < (here[0], here[1] or 0)
                parts = [part for t in targets for part in (t.elts if isinstance(t, (ast.Tuple, ast.List)) else [t])]
                if (again and not before if later else before) and any(ast.unparse(part) == name for part in parts):
                    found.append(Assignment(child, blocks, filename))
            look(child, [*blocks, child] if isinstance(child, ast.With) else blocks, again)

    decorators = list(getattr(scope, "decorator_list", ()))
    look(scope, decorators, False)
    for cell in () if found or later else cells_before(filename):
        here, filename = (sys.maxsize, 0), cell
        look(tree_of(cell) or ast.Module([], []), [], False)
        if found:
            break
    return max(found, key=lambda a: a.place, default=None)


@functools.lru_cache(maxsize=1024)
def source_of(function):
    """The source of a function or lambda, alone and dedented; None where there is none."""
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    if code.co_name != "<lambda>":
        try:
            return textwrap.dedent(inspect.getsource(function)).rstrip()
        except (OSError, TypeError):
            return None
    lines = linecache.getlines(code.co_filename)
    source = "".join(lines)
    tree = _parsed(source)
    if tree is None:
        return None
    # Several lambdas may stand on one line: the one whose body has the columns of the code's instructions.
    places = [p for p in code.co_positions() if p[0] is not None and p[1] is not None and p[2] != p[3]]
    start = min(((p[0], p[2]) for p in places), default=(code.co_firstlineno, 0))
    best = None
    for node in ast.walk(tree):
        if isinstance(node, ast.Lambda) and (node.lineno, node.col_offset) <= start <= (node.end_lineno, node.end_col_offset):
            best = node if best is None or (node.lineno, node.col_offset) > (best.lineno, best.col_offset) else best
    return None if best is None else textwrap.dedent(ast.get_source_segment(source, best, padded=False))
