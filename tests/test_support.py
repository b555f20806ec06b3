"""docs/support.md says of every public name of PyTorch whether it is here."""

import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import make_support  # noqa: E402


def said():
    """(module, what is said, names) of the page."""
    module = None
    for line in (ROOT / "docs" / "support.md").read_text().splitlines():
        if line.startswith("## "):
            module = line[3:]
        found = re.match(r"(Here|Answering|Missing|Not there): (.*)", line)
        if found:
            yield module, found[1], re.findall(r"`([^`]+)`", found[2])


def test_every_name_is_on_the_page():
    listed: dict = {}
    for module, _, names in said():
        listed.setdefault(module, []).extend(names)
    known = {module: sorted(name for name, _ in names) for module, names in make_support.states()}
    assert {module: sorted(names) for module, names in listed.items()} == known


def test_what_the_page_says_to_be_here_is_here():
    here = {module: {name for name, found in names if found} for module, names in make_support.states()}
    gone = [
        f"{module}.{name}"
        for module, word, names in said()
        if word in ("Here", "Answering")
        for name in names
        if name not in here[module]
    ]
    assert gone == []


@pytest.mark.slow
def test_the_page_is_as_the_package():
    assert (ROOT / "docs" / "support.md").read_text() == make_support.page(), "run `python tools/make_support.py`"
