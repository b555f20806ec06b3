"""The examples of docstrings print in PyTorch what they print here."""

import doctest
import re
import warnings

import pytest

from ..test_docstrings import CLASSES, NAMESPACES, methods, public

torch = pytest.importorskip("torch")

PARSER = doctest.DocTestParser()


def printed_otherwise(named):
    """What of the examples of (name, docstring) pairs PyTorch prints otherwise, as doctest reports it."""
    failed = []
    for name, text in named:
        test = PARSER.get_doctest(re.sub(r"\brushlight\b", "torch", text), {"torch": torch}, name, None, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=failed.append)
    return "".join(failed)


# (PyTorch's compiler, once reset, complains of its own weak references.)
@pytest.mark.parametrize("namespace", [namespace for namespace in NAMESPACES if namespace != "rushlight.compiler"])
def test_pytorch_prints_the_same(namespace):
    assert not printed_otherwise((name, value.__doc__ or "") for name, value in public(namespace))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_pytorch_prints_the_same_of_methods(cls):
    assert not printed_otherwise(methods(cls))
