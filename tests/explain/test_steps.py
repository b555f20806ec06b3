"""Backward step by step, and the first NaN."""

import json
import re

import pytest

import rushlight as torch
from rushlight import explain, nn
from rushlight.explain import _source

why = explain.why


class TestSteps:
    def test_same_gradients_as_backward(self):
        model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Tanh(), nn.Linear(4, 2))
        loss = nn.functional.cross_entropy(model(torch.randn(5, 3)), torch.tensor([0, 1, 0, 1, 1]))
        found = {step.name: step.gradient for step in explain.steps(loss, module=model) if step.is_leaf}
        assert all(p.grad is None for p in model.parameters())
        loss.backward()
        assert found.keys() == dict(model.named_parameters()).keys()
        for name, p in model.named_parameters():
            assert torch.equal(found[name], p.grad)

    def test_order_is_the_engines(self, x):
        h = x * 2
        k = h.exp()
        loss = (h * k).sum()
        seen = []
        expected = [step.op for step in explain.steps(loss)]
        for tensor, name in ((h, "mul2"), (k, "exp"), (loss, "sum")):
            tensor.register_hook(lambda g, name=name: seen.append(name))
        loss.backward()
        assert expected == ["sum", "mul", "exp", "mul", "leaf"]
        assert seen == ["sum", "exp", "mul2"]

    def test_what_a_step_knows(self, x):
        loss = x.exp().sum()
        step = list(explain.steps(loss))[1]
        assert step.op == "exp" and step.line[0] == __file__
        assert torch.equal(step.saved["out"], x.exp())
        assert step.rules == [("x", "gradient · slope,  slope = lambda out: out")]
        assert torch.equal(step.results[0], x.exp())
        assert "gradient in:   [1, 1, 1]" in str(step)

    def test_broadcast_and_several_outputs(self):
        a, b = torch.ones(3, 1, requires_grad=True), torch.ones(4, requires_grad=True, dtype=torch.float64)
        first, second = (a * b).split(2, dim=1)
        values, _ = first.max(dim=0)
        loss = values.sum() + second.pow(2).mean()
        gradients = [step.gradient for step in explain.steps(loss, module={"a": a, "b": b}) if step.is_leaf]
        loss.backward()
        assert sorted(map(str, gradients)) == sorted(map(str, (a.grad, b.grad)))

    def test_function(self, x):
        class Double(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * 2

            @staticmethod
            def backward(ctx, gradient):
                return gradient * 2

        step = list(explain.steps(Double.apply(x).sum()))[1]
        assert step.op == "Double"
        assert "return gradient * 2" in step.rules[0][1]

    def test_gradient_given(self, x):
        leaf = list(explain.steps(x * 2, torch.tensor([1.0, 0.0, 2.0])))[-1]
        assert leaf.gradient.tolist() == [2, 0, 4]

    def test_write_into_a_view(self, x):
        h = x * 1
        h[0] = 5
        loss = (h * h).sum()
        gradient = list(explain.steps(loss))[-1].gradient
        loss.backward()
        assert torch.equal(gradient, x.grad)

    def test_many_steps(self, x):
        h = x
        for _ in range(150):
            h = h * 2
        text = str(explain.steps(h.sum()))
        assert text.count("step ") == 100 and text.endswith("… and 52 more: iterate, or walk() through them")

    def test_walk(self, x, capsys):
        loss = (x * 2).sum()
        explain.steps(loss).walk()
        assert capsys.readouterr().out.count("step ") == 3
        answers = iter(["", "q"])
        explain.steps(loss).walk(ask=lambda prompt: next(answers))
        assert capsys.readouterr().out.count("step ") == 2

    def test_without_graph(self):
        with pytest.raises(RuntimeError, match="why"):
            explain.steps(torch.ones(()))

    def test_freed(self, x):
        loss = (x * x).sum()
        loss.backward()
        with pytest.raises(RuntimeError, match="second time"):
            list(explain.steps(loss))


class TestPage:
    """The page of a backward; site/browse.py goes through one in a browser."""

    def told(self, page):
        return json.loads(page[page.rindex("walk(document") :].partition(", ")[2].rpartition(");\n})")[0].replace("<\\/", "</"))

    def test_every_step_has_its_box(self, x):
        h = x.exp()
        loss = (h * h).sum()
        page = explain.steps(loss, module={"x<1>": x})._repr_html_()
        told = self.told(page)["steps"]
        assert [step["title"] for step in told] == ["sum", "mul", "exp", "x&lt;1&gt;: the end of a path"]
        boxes = [re.search(rf'data-box="{step["box"]}">.*?<title>(.*?)[ :(]', page)[1] for step in told]
        assert boxes == ["sum", "mul", "exp", "x&lt;1&gt;"]
        assert told[0]["gradient"] == "1" and told[0]["rows"][0] == ["gradient in", "1"]
        # Both uses of exp get a gradient, over one edge of the drawing.
        assert [box for box, _ in told[1]["sent"]] == [told[2]["box"]] * 2
        assert f'data-edge="{told[2]["box"]}-{told[1]["box"]}"' in page

    def test_says_where_it_stops(self, x):
        y = x.exp()
        loss = y.sum()
        y.add_(1)
        told = self.told(explain.steps(loss).html())
        assert [step["title"] for step in told["steps"]] == ["sum"] and "Backward stops at exp: one of" in told["stopped"]

    def test_save(self, x, tmp_path):
        explain.steps(x.exp().sum()).save(tmp_path / "backward.html")
        page = (tmp_path / "backward.html").read_text(encoding="utf-8")
        assert page.startswith("<!DOCTYPE html>") and "http" not in page.replace("http://www.w3.org/2000/svg", "")

    def test_of_too_many_nodes(self, x, tmp_path):
        h = x
        for _ in range(300):
            h = h * 1.0
        walk = explain.steps(h.sum())
        assert walk.html() is None and "step 1: sum" in walk._repr_html_()
        with pytest.raises(ValueError, match="200 nodes at most, and this one has 302"):
            walk.save(tmp_path / "backward.html")


class TestFirstNonfinite:
    def test_function(self):
        x = torch.tensor([1.0, -1.0], requires_grad=True)

        def program():
            y = x.log()  # log
            return (y * 2).sum()

        found = explain.first_nonfinite(program)
        assert (found.phase, found.op) == ("forward", "log") and found.certain and found
        assert _source.text_of(found.line).endswith("# log")
        assert torch.equal(found.inputs["x"], x)
        assert str(found).startswith("log made the first NaN:")

    def test_graph(self):
        x = torch.tensor([1.0, -1.0], requires_grad=True)
        y = x.log()  # log
        found = explain.first_nonfinite((y * 2).sum())
        assert found.op == "log" and _source.text_of(found.line).endswith("# log")

    def test_overflow(self):
        x = torch.tensor([100.0], requires_grad=True)
        found = explain.first_nonfinite((x.exp() / x.exp()).sum())
        assert found.op == "exp" and "infinity" in str(found)

    def test_backward(self):
        x = torch.tensor([1.0, 0.0], requires_grad=True)
        y = x.sqrt()  # sqrt
        found = explain.first_nonfinite(y.sum())
        assert (found.phase, found.op) == ("backward", "sqrt")
        assert _source.text_of(found.line).endswith("# sqrt")
        assert x.grad is None

    def test_backward_of_a_function(self):
        x = torch.zeros(3, requires_grad=True)
        assert explain.first_nonfinite(lambda: x.norm() * 1 + x.sqrt().sum()).phase == "backward"

    def test_finite(self, x):
        assert not explain.first_nonfinite(x.sin().sum())
        assert not explain.first_nonfinite(lambda: x.sin().sum())
        assert "finite" in str(explain.first_nonfinite(x.sum()))

    def test_infinite_mask(self):
        scores = torch.zeros(2, 2, requires_grad=True)
        mask = torch.tensor([[False, True], [False, False]])
        assert not explain.first_nonfinite(lambda: scores.masked_fill(mask, float("-inf")).softmax(1)[:, 0].sum())

    def test_data(self, w):
        data = torch.tensor([1.0, float("nan"), 2.0])
        found = explain.first_nonfinite(lambda: (data * w).sum())
        assert found.op == "mul" and "came in as data" in str(found)

    def test_in_place(self):
        def program():
            y = torch.ones(2)
            y.div_(0)  # in place
            return y

        found = explain.first_nonfinite(program)
        assert found.op == "div" and torch.equal(found.inputs["a"], torch.ones(2))

    def test_freed(self, x):
        loss = (x * x).sum()
        loss.backward()
        assert "The result is finite, but backward has freed" in str(explain.first_nonfinite(loss))

    def test_freed_leaf(self):
        bad = torch.full((2,), float("nan"), requires_grad=True)
        loss = (bad * bad).sum()
        loss.backward()
        assert "Leaves that are not finite themselves, of shapes: [2]" in str(explain.first_nonfinite(loss))

    def test_other_things(self):
        with pytest.raises(TypeError, match="a tensor or a function"):
            explain.first_nonfinite(3)
