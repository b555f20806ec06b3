"""rushlight.explain.why across the cells of a notebook and the lines of an interactive interpreter."""

import linecache
import subprocess
import sys

import pytest

import rushlight as torch
from rushlight import explain


@pytest.fixture
def cells():
    """Runs texts as the cells of one notebook, under names of some kind; gives their variables."""
    kept = []

    def run(texts, name):
        variables = {"torch": torch, "explain": explain, "__name__": "__main__"}
        for number, text in enumerate(texts):
            file = name.format(number)
            linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
            kept.append(file)
            exec(compile(text, file, "exec"), variables)
        return variables

    yield run
    for file in kept:
        del linecache.cache[file]


LINES = """\
import rushlight as torch
from rushlight import explain
w = torch.ones(3, requires_grad=True)
loss = (w * 2).detach().sum()
explain.why(loss)
loss.backward()
"""


class TestPrompt:
    def answer(self, *options):
        ended = subprocess.run([sys.executable, *options, "-i"], input=LINES, capture_output=True, text=True, check=True)
        return ended.stdout + ended.stderr

    @pytest.mark.skipif(sys.version_info >= (3, 13), reason="keeps its lines")
    def test_of_python_has_no_source(self):
        said = self.answer()
        assert "There is no source of <stdin> to read" in said and "from 3.13 on" in said

    def test_of_rushlight_keeps_its_lines(self):
        said = self.answer("-m", "rushlight")
        assert "most likely detach() cuts it off from the graph:\n      <python-input-3>:1: loss = (w * 2).detach().sum()" in said
        assert "graph: <python-input-3>:1  loss = (w * 2).detach().sum()\n  docs/errors.md#detached" in said


@pytest.mark.parametrize("name", ["/tmp/ipykernel_7/{}.py", "<ipython-input-{}-abc>", "<python-input-{}>"])
def test_the_cell_before_has_the_cause(cells, name):
    texts = [
        "w = torch.ones(3, requires_grad=True)\nh = w * 2\n",
        "h = h.detach()\n",
        "loss = h.sum()\n",
        "answer = explain.why(loss)\n",
    ]
    answer = cells(texts, name)["answer"]
    assert (answer.cause, answer.line) == ("detached", (name.format(1), 1)), str(answer)
    assert "h = h.detach()" in str(answer)


def test_the_cell_that_holds_a_graph(cells):
    texts = [
        "w = torch.ones(3, requires_grad=True)\nhistory = []\n",
        "history.append((w * 2).sum())\n",
        "found = [holder for holder in explain.holders(history[0]) if holder.name == 'history']\n",
    ]
    (holder,) = cells(texts, "/tmp/ipykernel_7/{}.py")["found"]
    assert holder.line == ("/tmp/ipykernel_7/1.py", 1)


def test_cells_after_do_not_count(cells):
    texts = ["loss = torch.ones(3).sum()\n", "answer = explain.why(loss)\n", "loss = loss.detach()\n"]
    assert cells(texts, "<ipython-input-{}-abc>")["answer"].cause != "detached"


def test_other_files_are_no_cells(cells):
    texts = ["loss = torch.ones(3, requires_grad=True).detach()\n", "answer = explain.why(loss)\n"]
    assert cells(texts, "/tmp/cell_{}.py")["answer"].line is None
