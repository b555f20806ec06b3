"""The examples of the manual are PyTorch's answers: it prints the same, as a function, as a method and in place; so are the dtypes that functions take."""

import doctest
import importlib.util
import warnings
from pathlib import Path

import pytest
import torch

from rushlight import core
from rushlight.ops import _manual

from ..test_manual import PARSER, SPACES, callables

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
