"""An op's name stands in its declaration and in its sample: how often it stands elsewhere may only fall."""

import io
import re
import tokenize
from pathlib import Path

import pytest

import rushlight as torch
from rushlight.explain import _finite
from rushlight.ops import _declare, table
from rushlight.ops._arguments import Parameter
from rushlight.ops._declare import op, pointwise
from rushlight.ops._views import view
from rushlight.optim._description import DescribedOptimizer

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


def test_hazards_are_known_to_explain():
    hazards = {op.declaration.hazard for op in table.values() if op.declaration.hazard is not None}
    assert hazards == set(_finite.HAZARDS)


def test_nothing_changes_a_declaration():
    with pytest.raises(AttributeError, match="the declaration of mul is made once"):
        table["mul"].declaration.flat = "step"


# ---------------------------------------------------------------------------------------------------------- mistakes
def laid(sizes, strides):
    return sizes, strides


def twice(x):
    return x * 2


WRONG = [
    (lambda: pointwise(slope=twice, dtyp="float")(twice), "the declaration of twice has 'dtyp', which no declaration"),
    (lambda: op(vjp={"y": twice})(twice), "the declaration of twice speaks of 'y', but its parameters are x"),
    (lambda: op(vjp=twice, inputs=("a", "b"))(twice), "the declaration of twice speaks of 'a'"),
    (lambda: view()(twice), "the view twice has no geometry: neither a function, nor 'twice' in core/drivers/geometries.pxi"),
    (lambda: view(geometry=lambda sizes, strides: sizes)(twice)(torch.ones(2, 2)), "has to return sizes, strides and perhaps an"),
    (lambda: view(geometry=lambda sizes, strides: None)(twice)(torch.ones(2)), "sizes, strides and perhaps an offset, got None"),
    (
        lambda: [view(geometry=laid)(twice) for _ in range(2)],
        "the op table has twice_backward already: this one needs another name",
    ),
    (lambda: Parameter("frob width", False), "'frob width' in a signature: 'frob' is none of the kinds Tensor, "),
]


@pytest.mark.parametrize("declare, text", WRONG)
def test_a_wrong_declaration_is_told_what_is_wrong(declare, text, monkeypatch):
    monkeypatch.setattr(_declare, "table", {})
    monkeypatch.setattr(_declare, "namespaces", {"torch": {}, "Tensor": {}})
    with pytest.raises(TypeError, match=re.escape(text)):
        declare()


def test_a_batching_rule_that_is_not_there():
    made = op(vjp=twice, batch="views.none", function=False, method=False, entry="doubled")(twice)
    with pytest.raises(ImportError, match=r"the declaration of twice names the batching rule 'views\.none'"):
        torch.vmap(made)(torch.ones(2))
    del table["doubled"]


def optimizer(**body):
    made = type("Plain", (DescribedOptimizer,), {"options": ("lr",), "state_names": lambda self, group: (), **body})
    param = torch.nn.Parameter(torch.ones(2))
    param.grad = torch.ones(2)
    made([param]).step()


def begun(self, params, lr=1.0):
    self.describe(params, locals())


@pytest.mark.parametrize(
    "body, error, text",
    [
        (dict(options=("lr", "eps"), __init__=begun), TypeError, "options, but no parameters of __init__: ['eps']"),
        (dict(__init__=begun), NotImplementedError, "Plain does not say update(param, grad, state, *, …)"),
        (dict(update=lambda self, param, grad, state, *, eps: None), TypeError, "update asks for ['eps'], which are no options"),
        (dict(__init__=begun, state_names=lambda self, group: "mean"), TypeError, "returned the text 'mean' in place of a tuple"),
        (
            dict(__init__=begun, state_names=DescribedOptimizer.state_names),
            NotImplementedError,
            "does not say state_names(group)",
        ),
    ],
)
def test_a_wrong_description_of_an_optimizer_is_told_what_is_wrong(body, error, text):
    with pytest.raises(error, match=re.escape(text)):
        optimizer(**body)
