"""An op's name stands in its declaration and in its sample: how often it stands elsewhere may only fall."""

import io
import re
import tokenize
from pathlib import Path

import pytest

from rushlight.ops import table

ROOT = Path(__file__).parent.parent
LIMITS = {"rushlight/core": 5, "rushlight/func": 1, "rushlight/explain": 4, "tools": 5, "kernels": 6}
"""How many names of ops stand in strings below each folder. A lower number is an improvement: write it here."""

HOMONYMS = {
    "mean": "a reduction of losses",
    "sum": "a reduction of losses",
    "mode": "the keyword that tells interpreters what a call makes",
    "stack": "a thread's interpreters, or hooks",
    "zero": "a cause that explain knows",
    "product": "a way of batching",
    "t": "the letter of a tensor in a pattern",
}
"""Words that say something else than an op's name, and what."""

PYTHON = re.compile(r'"""(?:.|\n)*?"""|[rbf]{0,2}"((?:[^"\\\n]|\\.)*)"|#[^\n]*')
CPP = re.compile(r'"((?:[^"\\\n]|\\.)*)"|//[^\n]*')


def sources():
    for folder in LIMITS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".pyx", ".pxi", ".pxd", ".cpp", ".h"):
                yield folder, path


def strings(path):
    """The strings of a source that are no documentation."""
    # (The names of kernels, and of geometries where they are registered, are names of their own.)
    text = re.sub(r'\b(?:find_)?kernel\("\w+"\)|"\w+": <size_t>&', "", path.read_text())
    if path.suffix == ".py":
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.STRING and not token.string.endswith('"""'):
                yield token.string.lstrip("rbfRBF")[1:-1]
    else:
        yield from (found[1] for found in (CPP if path.suffix in (".cpp", ".h") else PYTHON).finditer(text) if found[1])


def names_in(path):
    """The ops that the strings of a source name. (A list of names in one string counts; a sentence does not. A file of kernels may name
    the kernels that it registers, which are often called as their op.)"""
    ops = (set(table) | {op.name for op in table.values()}) - set(HOMONYMS)
    own = re.search(r"\bRegister\b|\bregister_\w+\(", path.read_text()) if path.suffix == ".cpp" else None
    for string in strings(path):
        words = string.split()
        named = [word for word in words if word in ops]
        if not own and 2 * len(named) > len(words):
            yield from named


def test_names_of_ops_stand_in_their_declarations():
    found = {folder: [] for folder in LIMITS}
    for folder, path in sources():
        found[folder] += [f"{path.name}: {name}" for name in names_in(path)]
    for folder, limit in LIMITS.items():
        assert len(found[folder]) <= limit, found[folder]


def test_they_are_few():
    assert sum(LIMITS.values()) < 40


def test_nothing_changes_a_declaration():
    with pytest.raises(AttributeError, match="the declaration of mul is made once"):
        table["mul"].declaration.flat = "step"
