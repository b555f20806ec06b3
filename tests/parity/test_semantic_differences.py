"""What differs knowingly differs as it is said to."""

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity]

import torch as pytorch  # noqa: E402

import rushlight  # noqa: E402

from .semantic_differences import SEMANTIC_DIFFERENCES, outcome  # noqa: E402


@pytest.mark.parametrize("name", SEMANTIC_DIFFERENCES)
def test_a_program_differs_as_stated(name):
    difference = SEMANTIC_DIFFERENCES[name]
    theirs, ours = outcome(difference.program, pytorch), outcome(difference.program, rushlight)
    assert difference.reason
    assert theirs.startswith(difference.pytorch)
    assert ours.startswith(difference.rushlight)
    assert not ours.startswith(difference.pytorch), "no longer a difference"
