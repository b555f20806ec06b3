"""What backward keeps in memory, and that explanations leave no trace."""

import gc
import re

import rushlight as torch
from rushlight import explain
from rushlight.explain import _source

why = explain.why


class TestSaved:
    def test_bytes_by_line(self):
        x = torch.ones(1000, requires_grad=True)
        y = (x * 2).exp()  # large
        z = y[:10].sin()  # small
        found = explain.saved(z.sum())
        assert found.total == 4000
        assert [_source.text_of(line.line)[-5:] for line in found.lines] == ["large"]
        assert "4.0 kB kept for backward" in str(found)

    def test_shared_memory_counts_once(self):
        x = torch.ones(1000, requires_grad=True)
        h = x.exp()
        assert explain.saved((h * h).sum()).total == 4000

    def test_leaves_apart(self):
        a, b = torch.ones(100, requires_grad=True), torch.ones(100, requires_grad=True)
        found = explain.saved((a * b).sum())
        assert (found.total, found.leaves) == (0, 800)

    def test_after_backward(self):
        x = torch.ones(100, requires_grad=True)
        loss = x.exp().sum()
        loss.backward()
        found = explain.saved(loss)
        assert found.freed and found.total == 0

    def test_holders(self, w):
        losses = []
        for i in range(3):
            loss = (w * i).exp().sum()
            losses.append(loss)  # appended
        del loss
        (holder,) = explain.holders(losses[0])
        assert holder.name == "losses" and holder.nodes == 3
        assert _source.text_of(holder.line).endswith("# appended")
        text = str(explain.saved(losses[0]))
        assert re.search(r"3 nodes held by `losses`, test_saved.py:\d+: losses.append", text)

    def test_holder_is_an_attribute(self, w):
        class History:
            pass

        history = History()
        history.values = {"loss": [(w * 2).sum()]}
        assert [holder.name for holder in explain.holders(history.values["loss"][0])] == ["history"]

    def test_all_graphs(self, w):
        gc.collect()
        kept = (w * 2).sum()
        assert "kept" in [holder.name for holder in explain.holders()]
        del kept


def test_no_trace_in_gradients(x):
    """None of the questions changes an answer of autograd."""
    loss = (x * x).relu().sum()
    why(x, loss), str(explain.picture(loss)), str(explain.steps(loss)), explain.first_nonfinite(loss), str(explain.saved(loss))
    assert x.grad is None
    loss.backward()
    assert torch.equal(x.grad, 2 * x.detach())


class Shell:
    """What IPython's `quit` and `get_ipython` lead to: the shell, and by it every name."""

    def __init__(self, names):
        self.names = {"kept": list(names.values())}

    def run(self):
        """Stands for a method."""


def test_names_of_the_shell_hold_nothing(x):
    """IPython's own names of outputs are not the program's."""
    y = (x * 2).sum()
    variables = {"_oh": {8: y}, "Out": {8: y}, "_": y, "_8": y, "_i8": "y", "mine": y, "_own": y, "__name__": "cells"}
    variables |= {"explain": explain, "quit": Shell(variables), "get_ipython": Shell(variables).run}
    exec(compile("found = [holder.name for holder in explain.holders(mine)]", "<cells>", "exec"), variables)
    assert {"mine", "_own"} <= set(variables["found"])
    assert not {"_oh", "Out", "_", "_8", "_i8", "quit", "get_ipython"} & set(variables["found"])
