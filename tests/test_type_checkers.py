"""Wrong programs do not pass type checkers, and they say nothing of what is right beside it; tests/test_stubs.py has a program that passes."""

from pathlib import Path

import pytest

import rushlight

from .checkers import CHECKERS

WRONG = Path(__file__).with_name("typing_wrong.py")


@pytest.mark.parametrize("checker", CHECKERS)
def test_mistakes_are_found(checker, tmp_path):
    found = CHECKERS[checker](tmp_path, [WRONG], [Path(rushlight.__file__).parents[1]])
    marked = {number for number, line in enumerate(WRONG.read_text().splitlines(), 1) if line.endswith("# wrong")}
    assert {line for _, line, _ in found} == marked, found
