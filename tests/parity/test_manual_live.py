"""The examples of the manual are PyTorch's answers: it prints the same, as a function, as a method and in place; so are the dtypes that functions take."""

import doctest
import importlib.util
import warnings
from pathlib import Path

import pytest

from rushlight import core
from rushlight.ops import _manual

from ..test_manual import PARSER, SPACES, callables

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

spec = importlib.util.spec_from_file_location("fill_manual", Path(__file__).parents[2] / "tools" / "fill_manual.py")
fill_manual = importlib.util.module_from_spec(spec)
spec.loader.exec_module(fill_manual)


@pytest.mark.parametrize("space", SPACES)
def test_pytorch_prints_the_same(space):
    failed = []
    for name, function in callables(space):
        if isinstance(function, core.Callable):
            test = PARSER.get_doctest(function.__doc__ or "", {"torch": torch}, f"{space}.{name}", None, None)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=failed.append)
    assert not failed, "".join(failed)


def test_dtypes_are_those_of_pytorchs_own_tests():
    known = fill_manual.dtypes()
    wrong = {
        name: (entry.words.get("dtypes"), known[name])
        for name, entry in _manual.entries().items()
        if known.get(name) and entry.words.get("dtypes") != known[name]
    }
    assert wrong == {}


PARTLY = {"igamma", "igammac", "special.gammainc", "special.gammaincc", "special.zeta", "normal", "bmm"}
"""Those that have a derivative by one of their arguments, or in one of their forms, and not by or in another."""


def test_derivatives_are_denied_where_pytorch_has_none():
    said = {f"{space}.{name}".removeprefix("torch."): function.__doc__ for space in SPACES for name, function in callables(space)}
    wrong = []
    for info in fill_manual.op_db:
        for name in (info.name, *(alias.name for alias in info.aliases)):
            text = said.get(name.removeprefix("torch."), "")
            if "\nDerivatives: " in text:
                denied = "\nDerivatives: none" in text or "\nDerivatives: not implemented" in text
                if denied == info.supports_autograd and name.removeprefix("torch.") not in PARTLY:
                    wrong.append(name)
    assert wrong == []
