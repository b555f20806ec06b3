"""The examples of docstrings print in PyTorch what they print here."""

import doctest
import re
import warnings

import pytest
import torch

from ..test_docstrings import NAMESPACES, public

PARSER = doctest.DocTestParser()


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_pytorch_prints_the_same(namespace):
    failed = []
    for name, value in public(namespace):
        text = re.sub(r"\brushlight\b", "torch", value.__doc__ or "")
        test = PARSER.get_doctest(text, {"torch": torch}, f"{namespace}.{name}", None, None)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE).run(test, out=failed.append)
    assert not failed, "".join(failed)
