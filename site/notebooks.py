"""The autograd course as notebooks, made from its pages: one cell for each example, and text between them.

python site/notebooks.py FOLDER      # writes them
python site/notebooks.py --run       # runs them, and compares what each cell prints with what stands under it
"""

import base64
import re
import sys
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
COURSE = ("autograd", "autograd.zh", "build_an_engine", "build_an_engine.zh")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FIRST = "import rushlight\n\nrushlight.as_torch().__enter__()  # `import torch` means Rushlight from here on; leave this out to use PyTorch"


def markdown_cell(text):
    """A cell of text, with its pictures inside."""
    pictures = {}

    def attached(match):
        path = DOCS / match[2]
        pictures[path.name] = {"image/svg+xml": base64.b64encode(path.read_bytes()).decode()}
        return f"![{match[1]}](attachment:{path.name})"

    text = re.sub(r"!\[(.*?)\]\((pictures/.*?)\)", attached, text)
    # Other pages of the course are notebooks beside this one; what else is linked stands in the repository.
    text = re.sub(r"\]\(((?:autograd|build_an_engine)(?:\.zh)?)\.md", r"](\1.ipynb", text)
    cell = {"cell_type": "markdown", "metadata": {}, "source": text.strip()}
    return cell | ({"attachments": pictures} if pictures else {})


def code_cell(code):
    """A cell of code, not yet run."""
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": code.rstrip("\n")}


def cells(text):
    """The cells of a page, and what each shall print."""
    yield code_cell(FIRST), None
    at, last = 0, None
    for fence in FENCE.finditer(text):
        between = text[at : fence.start()]
        at = fence.end()
        if fence[1] == "text" and last is not None and not between.strip():
            yield last, fence[2]
            last = None
            continue
        if last is not None:
            yield last, ""
            last = None
        if between.strip():
            yield markdown_cell(between), None
        if fence[1] == "python":
            last = code_cell(fence[2])
        else:
            yield markdown_cell(fence[0]), None
    if last is not None:
        yield last, ""
    if text[at:].strip():
        yield markdown_cell(text[at:]), None


def notebook(name):
    """The notebook of a page, with what its cells print."""
    made = []
    for i, (cell, printed) in enumerate(cells((DOCS / f"{name}.md").read_text(encoding="utf-8"))):
        cell["id"] = f"cell-{i}"
        if printed:
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": printed}]
        made.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": made}


def run(name):
    """Runs a notebook in a kernel of its own; returns what went wrong: (cell, what it should print, what it printed)."""
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.from_dict(notebook(name))
    expected = ["".join(output["text"] for output in cell.get("outputs", ())) for cell in book.cells]
    NotebookClient(book, timeout=120, kernel_name="python3").execute()
    wrong = []
    for cell, text in zip(book.cells[1:], expected[1:]):
        if cell.cell_type == "code":
            printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
            if printed != text or any(output.output_type not in ("stream", "execute_result") for output in cell.outputs):
                wrong.append((cell.source, text, printed))
    return wrong


def main():
    if sys.argv[1:] == ["--run"]:
        wrong = {name: found for name in COURSE if (found := run(name))}
        for name, found in wrong.items():
            for source, expected, printed in found:
                print(f"{name}: {source}\n--- should print\n{expected}--- printed\n{printed}")
        print(f"{len(COURSE) - len(wrong)} of {len(COURSE)} notebooks print what stands in them")
        raise SystemExit(bool(wrong))
    import json

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in COURSE:
        text = json.dumps(notebook(name), ensure_ascii=False, indent=1)
        (folder / f"{name}.ipynb").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
