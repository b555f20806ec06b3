"""rushlight.explain: every cause that `why` knows, with its line; pictures, steps, the first NaN, and what backward keeps."""

import gc
import itertools
import linecache
import pathlib
import re
import xml.etree.ElementTree

import pytest

import rushlight as torch
from rushlight import explain, nn
from rushlight.explain import _source
from rushlight.explain._layout import Layout

why = explain.why


@pytest.fixture
def x():
    return torch.tensor([1.0, 2.0, 3.0], requires_grad=True)


@pytest.fixture
def w():
    return torch.ones(3, requires_grad=True)


def check(answer, cause, mark=None):
    """The cause is right, and the line is the one that ends with a comment `# mark`."""
    assert answer.cause == cause, str(answer)
    if mark is None:
        assert answer.line is None, str(answer)
    else:
        assert answer.line is not None, str(answer)
        assert _source.text_of(answer.line).endswith(f"# {mark}"), str(answer)
        assert _source.shown(answer.line) in str(answer)
    assert str(answer) == repr(answer)
    assert "<div" in answer._repr_html_()


class TestGradientIsNone:
    def test_not_called(self, x):
        loss = (x * 2).sum()  # used
        check(why(x), "backward_not_called", "used")
        check(why(x, loss), "backward_not_called", "used")
        assert "x is used by 1 recorded operation" in str(why(x))

    def test_not_called_and_will_be_zero(self, x):
        loss = (x - 5).relu().sum()
        assert "And it will be zero then" in str(why(x, loss))

    def test_present(self, x):
        (x * 2).sum().backward()
        check(why(x), "grad")

    def test_nonfinite(self):
        x = torch.zeros(2, requires_grad=True)
        x.sqrt().sum().backward()
        check(why(x), "nonfinite")

    def test_unused(self, x):
        check(why(x), "unused")

    def test_graph_gone(self, x):
        (x * 2).sum()
        check(why(x), "unused")

    def test_cleared(self, x):
        loss = (x * x).sum()  # used
        loss.backward()
        x.grad = None
        check(why(x, loss), "cleared", "used")
        check(why(x), "cleared", "used")

    def test_cleared_while_watched(self, x):
        optimizer = torch.optim.SGD([x], 0.1)
        with explain.watch():
            (x * x).sum().backward()
            optimizer.zero_grad()  # cleared
        check(why(x), "cleared", "cleared")

    def test_not_leaf(self, x):
        y = x * 2  # made
        y.sum().backward()
        check(why(y), "not_leaf", "made")

    def test_retained_but_not_called(self, x):
        y = x * 2  # made
        y.retain_grad()
        check(why(y), "backward_not_called", "made")

    def test_copy_of_a_leaf_that_has_a_name(self, x):
        y = x.clone()  # made
        answer = why(y)
        check(answer, "not_leaf", "made")
        assert "x.grad is filled" in str(answer)

    def test_rebound(self, x):
        x = x * 2  # rebound
        x.sum().backward()
        check(why(x), "rebound", "rebound")

    def test_rebound_by_to(self, x):
        x = x.to(torch.float64)  # rebound
        check(why(x), "rebound", "rebound")

    def test_parameter_converted(self):
        p = nn.Parameter(torch.ones(2)).double()  # converted
        check(why(p), "rebound", "converted")

    def test_read_out_while_watched(self, x):
        with explain.watch():
            value = x.sum().item()  # read
        assert value == 6
        check(why(x), "copied", "read")


class TestNotOnPath:
    def test_other_branch(self, x, w):
        other = x * 2
        loss = (w * 2).sum()
        answer = why(x, loss)
        check(answer, "not_on_path")
        assert "x is used by 1 recorded operation" in str(answer)
        assert other.requires_grad

    def test_other_way_round(self, x):
        loss = (x * 2).sum()
        answer = why(loss, x)
        check(answer, "not_on_path")
        assert "loss was computed from x" in str(answer) and answer.fix == "ask why(x, loss)"

    def test_no_grad(self, x, w):
        with torch.no_grad():
            h = x * 2  # cut
        loss = (h * w).sum()
        check(why(x, loss), "no_grad", "cut")

    def test_detach(self, x, w):
        h = (x * 2).detach()  # cut
        loss = (h * w).sum()
        check(why(x, loss), "detached", "cut")

    def test_detach_seen_by_memory(self, x, w):
        h = x * 2
        loss = (cut_off(h) * w).sum()  # used
        answer = why(x, loss)
        check(answer, "detached", "used")
        assert "uses the memory of what mul made of it" in str(answer)

    def test_data(self, x, w):
        h = x.data  # cut
        loss = (h * w).sum()
        check(why(x, loss), "data", "cut")

    def test_loss_without_graph(self, x):
        h = x.detach()  # cut
        loss = (h * 2).sum()
        check(why(x, loss), "detached", "cut")

    def test_through_numbers(self, x, w):
        h = x.sum().item()  # read
        loss = (h * w).sum()
        check(why(x, loss), "copied", "read")

    def test_gradient_from_elsewhere(self, x, w):
        (x * 2).sum().backward()
        loss = w.sum()
        assert "comes from elsewhere" in str(why(x, loss))

    def test_not_certain(self, x, w):
        with torch.no_grad():
            h = x * 2
        loss = (h * w).sum()
        assert not why(x, loss).certain
        assert "explain.watch()" in str(why(x, loss))


def cut_off(tensor):
    return tensor.detach()


CUTS = {
    "no_grad": lambda x: under(torch.no_grad(), lambda: x * 2),  # no_grad
    "inference_mode": lambda x: under(torch.inference_mode(), lambda: x * 2),  # inference_mode
    "detached": lambda x: (x * 2).detach() + 1,  # detached
    "data": lambda x: x.data * 2,  # data
    "integer": lambda x: (x * 2).long().float(),  # integer
    "comparison": lambda x: (x > 0).float(),  # comparison
    "indices": lambda x: x.argmax().float(),  # indices
    "copied": lambda x: torch.tensor(x.sum().item()) * 2,  # copied
}


def under(mode, function):
    with mode:
        return function()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.unused = nn.Linear(3, 3), nn.Linear(3, 1), nn.Linear(1, 1)

    def forward(self, x):
        with torch.no_grad():  # block
            h = self.first(x)  # cut
        return self.second(h)


class TestModule:
    def test_without_watch(self):
        net = Net()
        loss = net(torch.randn(2, 3)).sum()
        loss.backward()
        answers = why(net, loss)
        assert list(answers.answers) == ["first.weight", "first.bias", "unused.weight", "unused.bias"]
        assert "Lines of the program that can cut a path:" in str(answers["first.weight"])
        assert str(answers).startswith("4 of 6 parameters have no gradient, or zeros:")
        assert len(why(net)) == len(answers) == 4

    def test_watched(self):
        net = Net()
        with explain.watch():
            loss = net(torch.randn(2, 3)).sum()
        answers = dict(why(net, loss))
        check(answers["first.weight"], "no_grad", "cut")
        check(answers["unused.bias"], "unused")
        assert answers["second.bias"].cause == "backward_not_called"

    def test_all_well(self):
        net = nn.Linear(2, 1)
        net(torch.ones(1, 2)).sum().backward()
        assert str(why(net)) == "All 2 parameters have gradients that are not zero."


class TestWatched:
    @pytest.mark.parametrize("cause", CUTS)
    def test_cut(self, x, w, cause):
        with explain.watch():
            h = CUTS[cause](x)
            loss = (h * w).sum() if cause != "inference_mode" else None
        for answer in (why(h), why(x, loss) if loss is not None else why(h)):
            check(answer, cause, cause)
            assert answer.certain

    def test_copy_of_a_tensor(self, x, w):
        with pytest.warns(UserWarning), explain.watch():
            h = torch.tensor(x)  # copied
        check(why(h), "copied", "copied")

    def test_numpy(self, x, w):
        pytest.importorskip("numpy")
        with explain.watch():
            h = torch.from_numpy(x.detach().numpy() * 2)  # copied
            loss = (h * w).sum()
        check(why(x, loss), "copied", "copied")

    def test_made_without_gradient(self):
        with explain.watch():
            a = torch.zeros(3)  # made
            b = a * 2  # computed
        check(why(a), "leaf", "made")
        check(why(b), "no_input", "computed")

    def test_frozen(self):
        layer = nn.Linear(3, 2)
        with explain.watch():
            layer.weight.requires_grad_(False)  # frozen
        check(why(layer.weight), "frozen", "frozen")

    def test_written_without_recording(self, x, w):
        buffer = torch.zeros(3)
        with explain.watch():
            with torch.no_grad():
                buffer.copy_(x * 2)  # cut
            loss = (buffer * w).sum()
        check(why(x, loss), "no_grad", "cut")

    def test_leaves_nothing_behind(self, x):
        before = {name: torch.Tensor.__dict__[name] for name in ("detach", "data", "grad", "item", "requires_grad_")}
        functions = torch.tensor, torch.core.run_backward
        with pytest.raises(ZeroDivisionError), explain.watch():
            1 / 0  # noqa: B018
        assert {name: torch.Tensor.__dict__[name] for name in before} == before
        assert (torch.tensor, torch.core.run_backward) == functions
        assert torch.core.current_interpreter() is None

    def test_same_results(self, x, w):
        def program():
            torch.manual_seed(0)
            h = torch.nn.functional.dropout(x * w, 0.5)
            h = h.clone()
            h[0] = 3
            h.add_(1)
            total = torch.zeros(3)
            torch.mul(h, 2, out=total) if not h.requires_grad else None
            (gradient,) = torch.autograd.grad((h * h).sum(), x)
            return h, gradient

        plain = program()
        with explain.watch() as watching:
            watched = program()
        assert all(torch.equal(a, b) for a, b in zip(plain, watched))
        assert watching.operations > 5
        assert "operations noted" in str(watching)

    def test_forgets_the_dead(self, x):
        with explain.watch():
            for _ in range(100):
                x * 2
            known = len(explain._watch._memory)
        assert known < 50  # (what tests before this one left to the collector may be among them)

    def test_nested(self, x):
        with explain.watch(), explain.watch():
            h = x.detach()  # cut
        check(why(h), "detached", "cut")
        assert not explain._watch.is_watching()


class TestDoesNotRequireGrad:
    def test_no_grad(self, x):
        with torch.no_grad():
            h = x * 2  # cut
        answer = why(h)
        check(answer, "no_grad", "cut")
        assert not answer.certain

    def test_no_grad_decorator(self, x):
        @torch.no_grad()
        def evaluate():
            h = x * 2  # cut
            return why(h)

        check(evaluate(), "no_grad", "cut")

    def test_no_grad_view(self, x):
        with torch.no_grad():
            h = x * 1
            v = h[0]
        assert why(v).cause == "no_grad"

    def test_inference_mode(self, x):
        with torch.inference_mode():
            h = x * 2  # cut
        answer = why(h)
        check(answer, "inference_mode", "cut")
        assert answer.certain

    def test_detach(self, x):
        h = x.detach()  # cut
        check(why(h), "detached", "cut")
        (lost,) = [cut_off(x)]
        check(why(lost), "detached")
        assert why(lost).certain

    def test_data(self, x):
        h = x.data  # cut
        check(why(h), "data", "cut")

    def test_integers(self, x):
        h = x.long()  # cast
        check(why(h), "integer", "cast")
        h = x.to(torch.int32)  # to
        check(why(h), "integer", "to")
        h = torch.arange(3)
        check(why(h), "integer")

    def test_comparison(self, x):
        h = x > 2  # compared
        check(why(h), "comparison", "compared")
        h = (x > 2).float()  # then float
        check(why(h), "comparison", "then float")

    def test_indices(self, x):
        h = x.argmax()  # chosen
        check(why(h), "indices", "chosen")

    def test_copied(self, x):
        h = torch.tensor(x.sum().item())  # copied
        check(why(h), "copied", "copied")

    def test_indirect(self, x):
        h = x.detach()  # cut
        k = h * 2
        loss = k.sum()
        del h, k
        check(why(loss), "detached", "cut")

    def test_frozen(self):
        p = nn.Parameter(torch.ones(2))
        p.requires_grad_(False)
        check(why(p), "frozen")

    def test_leaf(self):
        a = torch.randn(3)  # made
        b = a * 2  # computed
        check(why(a), "leaf", "made")
        check(why(b), "no_input", "computed")
        assert "That is: a." in str(why(b))

    def test_one_hot(self, x):
        chosen = x.argmax()
        h = nn.functional.one_hot(chosen, 3).float()  # cut
        loss = (h * 2).sum()
        check(why(loss), "indices", "cut")

    def test_one_of_several_targets(self, x):
        h, k = x.detach(), 3  # cut
        assert k == 3
        check(why(h), "detached", "cut")

    def test_asked_late(self):
        z = torch.ones(3)
        h = z * 2
        z.requires_grad_()  # late
        check(why(h), "asked_late", "late")

    def test_unknown(self):
        (lost,) = [torch.ones(3) * 2]
        answer = why(lost)
        check(answer, "unknown")
        assert not answer.certain and "explain.watch()" in str(answer)

    def test_numbers_and_arrays(self):
        with pytest.raises(TypeError, match="a number or array has no graph"):
            why(1.0)
        with pytest.raises(TypeError, match="a number or array has no graph"):
            why(torch.ones(1), 1.0)


ZEROS = {
    "dead_relu": lambda x: (x - 5).relu(),  # dead_relu
    "multiplied_by_zero": lambda x: x * torch.zeros(3),  # multiplied_by_zero
    "saturated": lambda x: (x * 1000).sigmoid(),  # saturated
    "masked": lambda x: x.masked_fill(torch.ones(3, dtype=torch.bool), 1.0),  # masked
    "flat": lambda x: x.round(),  # flat
    "not_selected": lambda x: torch.maximum(x, torch.full((3,), 9.0)),  # not_selected
}


class TestGradientIsZero:
    @pytest.mark.parametrize("cause", ZEROS)
    def test_whole_graph(self, x, cause):
        loss = (ZEROS[cause](x) * 2).sum()
        loss.backward(retain_graph=True)
        check(why(x, loss), cause, cause)
        check(why(x), cause, cause)

    @pytest.mark.parametrize("cause", ZEROS)
    def test_watched(self, x, cause):
        with explain.watch():
            loss = (ZEROS[cause](x) * 2).sum()
            loss.backward()
        check(why(x, loss), cause, cause)
        check(why(x), cause, cause)

    def test_clamp(self, x):
        loss = x.clamp(5, 6).sum()  # cut
        loss.backward(retain_graph=True)
        check(why(x, loss), "saturated", "cut")

    def test_where(self, x, w):
        loss = torch.where(torch.zeros(3, dtype=torch.bool), x, w).sum()  # cut
        loss.backward(retain_graph=True)
        check(why(x, loss), "masked", "cut")

    def test_number_zero(self, x):
        loss = (x * 0).sum()  # cut
        loss.backward(retain_graph=True)
        check(why(x, loss), "multiplied_by_zero", "cut")

    def test_zero_weights(self, x):
        loss = (torch.zeros(2, 3) @ x).sum()  # cut
        loss.backward(retain_graph=True)
        check(why(x, loss), "multiplied_by_zero", "cut")

    def test_cancelled(self, x):
        loss = (x - x).sum()  # cancelled
        loss.backward(retain_graph=True)
        check(why(x, loss), "cancelled", "cancelled")

    def test_zeroed(self, x):
        (x * 2).sum().backward()
        x.grad.zero_()  # zeroed
        check(why(x), "zeroed", "zeroed")

    def test_zero_grad(self, x):
        optimizer = torch.optim.SGD([x], 0.1)
        (x * 2).sum().backward()
        optimizer.zero_grad(set_to_none=False)  # zeroed
        check(why(x), "zeroed", "zeroed")

    def test_freed(self, x):
        loss = (x - 5).relu().sum()
        loss.backward()
        answer = why(x, loss)
        check(answer, "zero")
        assert "relu: " in str(answer) and not answer.certain


class TestPicture:
    def test_text(self, w):
        h = w.tanh()
        loss = (h * h).sum()
        text = str(explain.picture(loss, {"w": w}))
        assert [line.split()[0] for line in text.splitlines()] == ["loss", "sum", "mul", "├─", "│", "tanh"]
        assert "see above" in text and "test_explain.py" in text

    def test_svg(self, w):
        loss = (w.exp() * 2).sum()
        picture = explain.picture(loss, {"w": w})
        root = xml.etree.ElementTree.fromstring(picture._repr_svg_())
        texts = [e.text for e in root.iter("{http://www.w3.org/2000/svg}text")]
        assert {"w", "exp", "mul", "sum"} <= set(texts)
        assert f"loss = {loss.item():.4g}" in texts
        assert "prefers-color-scheme: dark" in picture.svg()

    def test_names_of_a_module(self):
        model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        text = str(explain.picture(model(torch.randn(2, 3)).sum(), module=model))
        assert "0.weight" in text and "2.bias" in text

    def test_shared_leaf_is_drawn_at_each_use(self, w):
        loss = sum((w * i).sum() for i in range(4))
        svg = explain.picture(loss, {"shared": w}).svg()
        assert svg.count(">shared<") == 4 and "used 4 times" in svg
        assert explain.picture(loss).svg().count(">leaf<") == 1

    def test_save(self, w, tmp_path):
        picture = explain.picture(w.sum())
        for kind in ("svg", "html", "txt"):
            picture.save(tmp_path / f"graph.{kind}")
            assert "sum" in (tmp_path / f"graph.{kind}").read_text(encoding="utf-8")
        with pytest.raises(ValueError, match="is saved as"):
            picture.save(tmp_path / "graph.png")

    def test_show(self, w, monkeypatch):
        import os
        import webbrowser

        opened = []
        monkeypatch.setattr(webbrowser, "open", opened.append)
        path = explain.picture(w.sum()).show()
        assert opened == ["file://" + path]
        os.remove(path)

    def test_groups_of_modules(self):
        model = nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)) for _ in range(30)])
        loss = model(torch.randn(1, 2)).sum()
        picture = explain.picture(loss, model)
        assert picture.groups == [str(i) for i in range(30)]
        assert picture._repr_svg_() is None
        assert picture._repr_html_().count("<details>") == 30
        assert "7" not in explain.picture(loss, model, expand="7").groups
        assert explain.picture(loss, model, expand=True).groups == []

    def test_open_a_module_with_what_is_in_it(self):
        model = nn.Sequential(*[nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)) for _ in range(2)])
        picture = explain.picture(model(torch.randn(1, 2)).sum(), model, expand="1")
        assert picture.groups == ["0.0", "0.1"]

    def test_several_results(self, x):
        first, second = (x * 2).split([1, 2])
        lines = str(explain.picture([first.sum(), second, second.grad_fn])).splitlines()
        assert [line.split()[0] for line in lines] == ["result", "sum", "split", "mul", "leaf", "result", "split"]

    def test_shared_leaf_in_a_group(self):
        model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
        h = torch.ones(1, 3)
        for _ in range(4):
            h = model(h)
        picture = explain.picture(h.sum(), model, expand=[])
        (group,) = [box for box in picture.drawing.boxes if box.kind == "group"]
        assert len(group.nodes) == len(set(map(id, group.nodes))) == 4 + 4 * 4 + 1

    def test_leaf(self):
        s = torch.tensor(3.0, requires_grad=True)
        assert str(explain.picture(s)).splitlines()[0].split() == ["s", "=", "3", "scalar"]
        assert "leaf" in explain.picture(s).svg()

    def test_groups_of_lines(self, w):
        h = w
        for _ in range(150):
            h = h * 2  # first of the loop
            h = h.sin()
        picture = explain.picture(h.sum())
        assert len(picture.groups) == 1 and picture.groups[0].startswith("loop test_explain.py:")

    def test_small_groups(self, w):
        h = w * 2 + 1
        loss = (h * h).sum()
        assert len(explain.picture(loss, expand=[]).groups) == 2

    def test_deep(self, w):
        h = w
        for _ in range(3000):
            h = h * 1.0
        assert len(str(explain.picture(h.sum())).splitlines()) == 3003

    def test_without_graph(self):
        with pytest.raises(RuntimeError, match="why"):
            explain.picture(torch.ones(2))


class TestLayout:
    def random_graph(self, seed, count=40):
        import random

        draw = random.Random(seed)
        edges = [(draw.randrange(max(0, i - 8), i), i) for i in range(1, count) for _ in range(draw.choice([1, 1, 2]))]
        return [(draw.randrange(50, 200), 44) for _ in range(count)], edges

    @pytest.mark.parametrize("seed", range(8))
    def test_nothing_overlaps(self, seed):
        sizes, edges = self.random_graph(seed)
        layout = Layout(sizes, edges)
        boxes = [(x - w / 2, x + w / 2, y - h / 2, y + h / 2) for (w, h), x, y in zip(sizes, layout.x, layout.y)]
        for i, a in enumerate(boxes):
            assert a[0] >= -0.1 and a[1] <= layout.width + 0.1 and a[2] >= -0.1 and a[3] <= layout.height + 0.1
            for b in boxes[:i]:
                assert a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]

    @pytest.mark.parametrize("seed", range(4))
    def test_edges_go_down(self, seed):
        layout = Layout(*self.random_graph(seed))
        for route in layout.routes:
            assert all(a[1] <= b[1] for a, b in itertools.pairwise(route))

    def test_chain_is_straight(self):
        layout = Layout([(100, 40)] * 5, [(i, i + 1) for i in range(4)])
        assert len(set(layout.x[:5])) == 1

    def test_nothing(self):
        assert Layout([], []).width == 0


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
        assert re.search(r"3 nodes held by `losses`, test_explain.py:\d+: losses.append", text)

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


DOCUMENT = pathlib.Path(__file__).parent.parent / "docs" / "explain.md"
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
