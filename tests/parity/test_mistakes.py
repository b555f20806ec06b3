"""Classic mistakes: message and type of the error are PyTorch's, and so is the number of its frames that was noted."""

import pytest

import rushlight
from tests.explain.mistakes import MISTAKES, frames_below, run

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name, tmp_path):
    mistake = MISTAKES[name]
    _, ours = run(mistake, rushlight, tmp_path / "mistake.py")
    _, theirs = run(mistake, torch, tmp_path / "mistake.py")
    assert (type(ours), str(ours)) == (type(theirs), str(theirs))
    assert len(frames_below(theirs)) == mistake.frames
