"""The course's notebooks hold every example of its pages; every cause that `explain` names has its place; examples of the guides run.

The site is built, and the notebooks run in kernels, by CI: `python -m mkdocs build --strict -f site/mkdocs.yml`, `python site/notebooks.py --run`.
"""

import contextlib
import importlib.util
import io
import linecache
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDES = ("getting_started", "migrating", "cheat_sheet", "errors", "performance")


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "site" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


notebooks = loaded("notebooks")


@pytest.mark.parametrize("name", notebooks.COURSE)
def test_a_notebook_prints_what_its_page_says(name):
    """Each cell is run in turn, in one namespace, as a kernel does."""
    cells = notebooks.notebook(name)["cells"]
    page = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    assert [cell["cell_type"] for cell in cells].count("code") == page.count("```python\n") + 1
    namespace = {"__name__": "__main__"}
    import rushlight

    with rushlight.as_torch():
        for cell in cells[1:]:
            if cell["cell_type"] == "code":
                with contextlib.redirect_stdout(io.StringIO()) as out:
                    exec(compile(cell["source"], f"{name}.ipynb", "exec"), namespace)
                assert out.getvalue() == "".join(output["text"] for output in cell["outputs"]), cell["source"]


@pytest.mark.parametrize("name", notebooks.COURSE)
def test_pictures_are_inside_the_notebook(name):
    cells = notebooks.notebook(name)["cells"]
    shown = [
        picture
        for cell in cells
        for picture in re.findall(r"!\[.*?\]\((.*?)\)", cell["source"])
        if cell["cell_type"] == "markdown"
    ]
    inside = [f"attachment:{picture}" for cell in cells for picture in cell.get("attachments", ())]
    assert shown == inside
    assert inside


@pytest.mark.parametrize("name", GUIDES)
def test_examples_of_a_guide_print_what_stands_under_them(name, monkeypatch):
    namespace = {"__name__": name}
    ran = 0
    for cell, printed in notebooks.cells((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")):
        if printed is None:
            continue
        with contextlib.redirect_stdout(io.StringIO()) as out:
            # (Notes on errors show lines of the program.)
            monkeypatch.setitem(linecache.cache, "train.py", (0, None, cell["source"].splitlines(True), "train.py"))
            exec(compile(cell["source"], "train.py", "exec"), namespace)
        assert out.getvalue() == printed, cell["source"]
        ran += 1
    assert ran


@pytest.mark.parametrize("name", (*GUIDES, "differences"))
def test_links_of_a_guide_lead_somewhere(name):
    text = notebooks.FENCE.sub("", (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"))
    assert [link for link in re.findall(r"\]\(([^)#:]+)\)", text) if not (ROOT / "docs" / link).exists()] == []
