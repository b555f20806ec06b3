"""Every example runs, shortly, from a fresh process, and leaves its picture; the index lists each with its picture and its numbers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
HELPERS = {"common", "compare", "pages"}
NAMES = sorted(
    path.stem for path in EXAMPLES.glob("*.py") if path.stem not in HELPERS | {"digits"}
)  # of the digits: test_digits.py


@pytest.mark.parametrize("name", NAMES)
def test_runs(name, tmp_path):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    command = [sys.executable, "-m", "rushlight", str(EXAMPLES / f"{name}.py"), "--steps", "20", "--picture", str(picture)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    took, result, saved = run.stdout.splitlines()
    assert re.fullmatch(r"Took \d+\.\d+ s", took)
    assert re.search(r"\d", result) and "nan" not in result
    assert saved == f"Picture: {picture}"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_pages(tmp_path):
    """Each is a page by itself, with the boxes of its drawing; site/browse.py clicks through them."""
    command = [sys.executable, "-m", "rushlight", str(EXAMPLES / "pages.py"), str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    for line, name in zip(run.stdout.splitlines(), ("backward.html", "graph.html"), strict=True):
        page = (tmp_path / name).read_text(encoding="utf-8")
        assert line.endswith(str(tmp_path / name))
        assert len(re.findall(r'"title":"(.*?)"', page)) > 4 and not re.search(r'(src|href)="(?!#)', page)


def test_the_index_lists_each():
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"!\[.+?\]\(pictures/(\w+)\.png\)", text)) == NAMES
    assert sorted(re.findall(r"^\| \[(\w+)\]\(\1\.py\) \|", text, re.MULTILINE)) == NAMES
    assert [name for name in NAMES if not (EXAMPLES / "pictures" / f"{name}.png").exists()] == []
