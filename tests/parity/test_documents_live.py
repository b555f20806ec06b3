"""The examples of the learners' documents, run with PyTorch itself."""

import pytest

from ..test_documents import test_examples_print_what_stands_under_them  # noqa: F401

pytorch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


@pytest.fixture
def torch():
    """`import torch` in an example means PyTorch."""
    return pytorch
