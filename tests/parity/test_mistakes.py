"""Classic mistakes: message and type of the error are PyTorch's, and so is the number of its frames that was noted."""

import pytest

import rushlight
from tests.explain.mistakes import MISTAKES, frames_below, run

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore:Error detected in")]


class NotExplained:
    """Stands for `explain`, beside PyTorch."""

    def why(self, *tensors):
        return None


@pytest.mark.parametrize("name", [name for name, mistake in MISTAKES.items() if mistake.error])
def test_mistake(name, tmp_path):
    mistake = MISTAKES[name]
    _, ours = run(mistake, rushlight, tmp_path / "mistake.py", explain=NotExplained())
    _, theirs = run(mistake, torch, tmp_path / "mistake.py", explain=NotExplained())
    assert (type(ours), str(ours)) == (type(theirs), str(theirs))
    assert len(frames_below(theirs)) == mistake.frames
