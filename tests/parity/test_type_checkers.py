"""Type checkers find no more errors in a program where `import torch` is Rushlight than where it is PyTorch: in those of tests/programs, and
in those beside this repository, where there are any."""

from collections import Counter
from pathlib import Path

import pytest

import rushlight
from rushlight import _torch_stubs

from ..checkers import CHECKERS

pytest.importorskip("torch")
pytestmark = pytest.mark.parity
ROOT = Path(__file__).parents[2]
PROGRAMS = [*sorted(ROOT.glob("tests/programs/*.py")), *sorted(ROOT.parent.glob("shared/programs/*.py"))]


@pytest.mark.parametrize("checker", CHECKERS)
def test_programs_have_no_more_errors_than_with_pytorch(checker, tmp_path):
    stubs, ours, theirs = (tmp_path / name for name in ("stubs", "ours", "theirs"))
    for path, text in _torch_stubs.stubs().items():
        # (mypy knows packages called torch-stubs only where they are installed.)
        place = stubs / "torch" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    ours.mkdir(), theirs.mkdir()
    found = Counter(file for file, *_ in CHECKERS[checker](ours, PROGRAMS, [stubs, Path(rushlight.__file__).parents[1]]))
    allowed = Counter(file for file, *_ in CHECKERS[checker](theirs, PROGRAMS, []))
    assert found - allowed == Counter()
    assert allowed.total() > 0  # (PyTorch was found: without it nothing is known of its names, and nothing is wrong)
