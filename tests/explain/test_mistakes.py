"""Classic mistakes, each a script of a few lines: the error is PyTorch's, its notes name the cause and the line, and `why` knows what broke."""

import os
import re
import traceback
from pathlib import Path

import pytest

import rushlight as torch
from rushlight import explain
from rushlight.explain import _causes, _source

from .answers import check
from .mistakes import MISTAKES, frames_below, run

pytestmark = pytest.mark.filterwarnings("ignore:Error detected in")
PACKAGE = str(Path(torch.__file__).parent)
SECTION = re.compile(r"docs/errors\.md#(\w+)")


def where(mistake, path):
    """The line to blame as the file shows it: (number, text), or None."""
    lines = path.read_text().splitlines()
    return next(((number, line.strip()) for number, line in enumerate(lines, 1) if line.endswith("# here")), None)


@pytest.mark.parametrize("name", [name for name, mistake in MISTAKES.items() if mistake.error])
def test_error(name, tmp_path):
    mistake, path = MISTAKES[name], tmp_path / "mistake.py"
    _, error = run(mistake, torch, path, explain=explain)
    assert (type(error).__name__, str(error)) == (mistake.error, mistake.message)
    files = frames_below(error)
    # (Where a test before has made a subclass of Tensor, functions ask first whether it takes them over: two frames more.)
    asked = sum(os.path.basename(file) == "_overridable.py" for file in files)
    assert len(files) - 2 * asked <= mistake.frames, files
    assert all(os.path.isfile(file) for file in files), files
    notes = getattr(error, "__notes__", [])
    found = [note for note in notes if mistake.note in note]
    assert found or not mistake.note, notes
    here = where(mistake, path)
    if here is not None and mistake.note.endswith(": "):
        assert any(note.endswith(f": {path}:{here[0]}  {here[1]}") for note in found), notes
    if mistake.note:
        assert SECTION.search(notes[-1]), notes


@pytest.mark.parametrize("name", [name for name, mistake in MISTAKES.items() if mistake.question])
def test_why(name, tmp_path):
    mistake, path = MISTAKES[name], tmp_path / "mistake.py"
    names, _ = run(mistake, torch, path, f"found = {mistake.question}", explain=explain)
    found, here = names["found"], where(mistake, path)
    assert getattr(found, "cause", "") == mistake.cause, str(found)
    assert mistake.advice in (found.fix or ""), str(found)
    if here is not None and mistake.cause != "grad":
        # (After a backward that freed the graph, the line of the first use is all that is known.)
        assert found.line is not None and _source.text_of(found.line) == (
            here[1] if mistake.cause != "cleared" or "watch" in mistake.program else "h = w.exp()  # here"
        ), str(found)


def test_every_section_is_there():
    """Each section that an error names is one of the page, or of a cause that goes there."""
    page = (Path(__file__).parents[2] / "docs/errors.md").read_text(encoding="utf-8")
    assert {*_causes.CUTS, *_causes.MEANINGS} | set(re.findall(r"\{#(\w+)\}", page)) >= set(_causes.FIXES)
    there = {*re.findall(r"\{#(\w+)\}", page), *_causes.FIXES}
    named = set()
    for path in Path(PACKAGE).rglob("*.p*"):
        if path.suffix in (".py", ".pxi"):
            text = path.read_text(encoding="utf-8")
            named |= set(
                re.findall(r'documented\(\s*RuntimeError\((?:.|\n)*?\),\s*"(\w+)"', text) + re.findall(r'more\("(\w+)"', text)
            )
    assert {"leaf_in_place", "numpy", "freed"} <= named <= there, named - there


def test_names_in_the_question(tmp_path):
    _, error = run(MISTAKES["write into a saved result"], torch, tmp_path / "mistake.py")
    assert error.__notes__[-1] == "  docs/errors.md#overwritten; rushlight.explain.why(w, loss) tells more"
    _, error = run(MISTAKES["comparison"], torch, tmp_path / "other.py")
    assert error.__notes__[-1] == "  docs/errors.md#comparison; rushlight.explain.why(loss) tells more"


def test_rebound_in_a_loop():
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="does not require grad") as caught:
        for _ in range(2):
            loss = (x * x).sum()
            loss.backward()
            with torch.no_grad():
                x = x - 0.1 * x.grad  # rebound
    cause, more = caught.value.__notes__
    assert "the name x stands for a new tensor" in cause and cause.endswith("# rebound")
    assert more == "  docs/errors.md#rebound; rushlight.explain.why(loss) tells more"


def test_the_call_that_asks_is_no_cause(x):
    """`autograd.grad` of what has no graph is not what cut it off; what it is given may be."""
    with pytest.raises(RuntimeError) as caught:
        torch.autograd.grad(torch.ones(2).sum(), torch.ones(1))
    assert not any("create_graph" in note for note in caught.value.__notes__)
    with pytest.raises(RuntimeError) as caught:
        torch.autograd.grad(x.detach().sum(), x)  # detached
    assert any("detach()" in note and note.endswith("# detached") for note in caught.value.__notes__)


def test_notes_import_little():
    """An error's notes need neither modules nor pictures."""
    import subprocess
    import sys

    program = (
        "import sys, rushlight as torch\ntry:\n    torch.ones(3).sum().backward()\nexcept RuntimeError as error:\n    assert error.__notes__\n"
        "print(*(m for m in sys.modules if m.startswith('rushlight.explain._') or m == 'rushlight.nn'))"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    parts = {name.rpartition("._")[2] for name in printed.split()}
    assert parts == {"causes", "graph", "guess", "notes", "report", "source", "untracked", "watch"}


class TestBackwardThatCannotRun:
    def test_steps_say_where(self, x):
        y = x.exp()  # saved
        y.add_(1)  # written
        loss = y.sum()
        answer = explain.why(x, loss)
        check(answer, "overwritten", "written")
        assert "# saved" in str(answer)
        assert "backward stops at exp" in str(explain.steps(loss))

    def test_steps_show_one_frame(self, x):
        y = x.exp()
        y.add_(1)
        loss = y.sum()
        with pytest.raises(RuntimeError, match="modified by an inplace") as caught:
            list(explain.steps(loss))
        frames = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert sum(name.startswith(PACKAGE) for name in frames) == 1

    def test_a_gradient_from_before_does_not_hide_it(self, x):
        (x * 2).sum().backward()
        y = x.exp()
        loss = y.sum()
        y.add_(1)  # written
        check(explain.why(x, loss), "overwritten", "written")


class TestAccumulated:
    def test_without_a_step_between(self, x):
        with explain.watch():
            (x * x).sum().backward()
            x.sum().backward()  # second
        answer = explain.why(x)
        check(answer, "accumulated", "second")
        assert "sum of 2 backwards" in str(answer) and "changed between" not in str(answer)

    def test_with_a_step_between(self, x):
        optimizer = torch.optim.SGD([x], lr=0.1)
        with explain.watch():
            for _ in range(3):
                (x * x).sum().backward()
                optimizer.step()  # step
        answer = str(explain.why(x))
        assert "sum of 3 backwards" in answer and "optimizer.step()  # step" in answer

    @pytest.mark.parametrize("set_to_none", [True, False])
    def test_zeroed_between(self, x, set_to_none):
        optimizer = torch.optim.SGD([x], lr=0.1)
        with explain.watch():
            for _ in range(2):
                optimizer.zero_grad(set_to_none)
                (x * x).sum().backward()
                optimizer.step()
        assert explain.why(x).cause == "grad"

    def test_grad_adds_to_nothing(self, x):
        with explain.watch():
            loss = (x * x).sum()
            torch.autograd.grad(loss, x, retain_graph=True)
            loss.backward()
        assert explain.why(x).cause == "grad"


class TestNames:
    def test_without_source_only_identity_proves_a_name(self):
        program = "import rushlight as torch\nx = torch.ones(3, requires_grad=True)\nz = torch.zeros(2)\nfrom rushlight import explain\n"
        variables = {}
        exec(program + "named = explain.why(z)\nunnamed = explain.why(torch.zeros(1))", variables)
        assert variables["named"].headline == "z does not require grad."
        assert variables["unnamed"].headline == "this tensor does not require grad."

    def test_rebinding_under_watch(self):
        w = torch.ones(3, requires_grad=True)
        with explain.watch():
            (w * w).sum().backward()
            with torch.no_grad():
                w = w - 0.1 * w.grad  # rebinding
        answer = explain.why(w)
        check(answer, "rebound", "rebinding")
        assert answer.certain
        assert "w -= …" in answer.fix
