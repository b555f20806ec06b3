"""rushlight.explain.why across the cells of a notebook and the lines of an interactive interpreter."""

import linecache

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


def test_cells_after_do_not_count(cells):
    texts = ["loss = torch.ones(3).sum()\n", "answer = explain.why(loss)\n", "loss = loss.detach()\n"]
    assert cells(texts, "<ipython-input-{}-abc>")["answer"].cause != "detached"


def test_other_files_are_no_cells(cells):
    texts = ["loss = torch.ones(3, requires_grad=True).detach()\n", "answer = explain.why(loss)\n"]
    assert cells(texts, "/tmp/cell_{}.py")["answer"].line is None
