"""The programs and pictures of docs/explain.md."""

import linecache
import pathlib
import re
import xml.etree.ElementTree

import pytest

from rushlight import explain

why = explain.why


DOCUMENT = pathlib.Path(__file__).parent.parent.parent / "docs" / "explain.md"
PROGRAMS = re.findall(
    r"```python\n((?:(?!```).)*)```\n\n```text\n((?:(?!```).)*)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL
)


@pytest.mark.parametrize("program", range(len(PROGRAMS)))
def test_document(program, capsys, tmp_path, monkeypatch):
    """The programs of docs/explain.md print what the page says, as train.py."""
    monkeypatch.chdir(tmp_path)
    source, expected = PROGRAMS[program]
    monkeypatch.setitem(linecache.cache, "train.py", (len(source), None, source.splitlines(True), "train.py"))
    exec(compile(source, "train.py", "exec"), {"__name__": "__main__", "__file__": "train.py"})
    assert capsys.readouterr().out == expected


def test_document_has_programs():
    assert len(PROGRAMS) == 10


def test_pictures_of_the_document():
    for name in ("explain_picture.svg", "explain_groups.svg"):
        root = xml.etree.ElementTree.parse(DOCUMENT.parent / "pictures" / name).getroot()
        assert root.get("class") == "rl-picture"
