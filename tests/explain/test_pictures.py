"""Pictures of the graph, and how they are laid out."""

import itertools
import xml.etree.ElementTree

import pytest

import rushlight as torch
from rushlight import explain, nn
from rushlight.explain._layout import Layout

why = explain.why


class TestPicture:
    def test_text(self, w):
        h = w.tanh()
        loss = (h * h).sum()
        text = str(explain.picture(loss, {"w": w}))
        assert [line.split()[0] for line in text.splitlines()] == ["loss", "sum", "mul", "├─", "│", "tanh"]
        assert "see above" in text and "test_pictures.py" in text

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
        assert picture.groups == ["0 … 28", "29"]
        assert "×29" in picture.svg() and "×29" in str(picture)
        assert picture._repr_svg_() is None
        # The page has the drawing, and what is in the groups: of those that repeat, the first.
        page = picture._repr_html_()
        assert page.count("<svg") == 1 and page.count("<script>") == 1
        assert page.count(">0.0.weight<") == 1 and ">1.0.weight<" not in page and page.count(">29.0.weight<") == 1
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
        nodes = [id(node) for box in picture.drawing.boxes for node in box.nodes]
        assert len(nodes) == len(set(nodes)) == 4 + 4 * 4 + 1
        assert "×8" in str(picture)

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
        assert picture.groups == ["mul … sin"]
        assert [box.kind for box in picture.drawing.boxes] == ["leaf", "group", "op", "result"]
        assert "×150 · 300 nodes" in picture.svg()
        lines = [line.split()[:2] for line in str(picture).splitlines()]
        assert [line[0] for line in lines] == ["result", "sum", "mul", "┊", "┊", "leaf"] and [line[1] for line in lines[3:5]] == [
            "sin",
            "mul",
        ]

    def test_named_leaves_of_a_loop_stay(self, x, w):
        h = x
        for _ in range(150):
            h = (h * w).sin()
        picture = explain.picture(h.sum(), {"x": x, "w": w})
        assert [box.title for box in picture.drawing.boxes if box.kind == "leaf"] == ["x", "w"]
        assert "300 nodes" in picture.svg()

    def test_body_of_several_groups(self):
        body = [nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 2)]
        model = nn.Sequential(*[layer for _ in range(40) for layer in body[:1] + [nn.Sigmoid()] + body[2:]])
        model = nn.Sequential(*[type(layer)(*layer.weight.shape[::-1]) if hasattr(layer, "weight") else layer for layer in model])
        picture = explain.picture(model(torch.randn(1, 2)).sum(), model)
        assert "×39" in picture.svg() and len(picture.groups) <= 4

    def test_small_groups(self, w):
        h = w * 2 + 1
        loss = (h * h).sum()
        assert len(explain.picture(loss, expand=[]).groups) == 2

    def test_deep(self, w):
        h = w
        for _ in range(3000):
            h = h * 1.0
        assert len(str(explain.picture(h.sum(), expand=True)).splitlines()) == 3003
        assert "×3000 · 3,000 nodes" in str(explain.picture(h.sum()))

    def test_without_graph(self):
        with pytest.raises(RuntimeError, match="why"):
            explain.picture(torch.ones(2))


def branching(count, seed=1):
    """Operations that take anything before them: nothing repeats."""
    import random

    draw = random.Random(seed)
    pool = [torch.ones(3, requires_grad=True) for _ in range(3)]
    for _ in range(count):
        one, two = draw.choice(pool[-6:]), draw.choice(pool[-12:])
        pool.append(draw.choice([torch.add, torch.mul, torch.sub, lambda a, b: a.sin(), lambda a, b: b.exp()])(one, two))
    return sum(p.sum() for p in pool[-4:])


def unrolled(steps):
    """The loss of a recurrent net over some steps, and the net."""
    net = nn.ModuleDict({"cell": nn.RNNCell(4, 6), "head": nn.Linear(6, 1)})
    h, losses = torch.zeros(2, 6), []
    for _ in range(steps):
        h = net["cell"](torch.ones(2, 4), h)
        losses.append(net["head"](h).pow(2).mean())
    return sum(losses), net


class TestInside:
    """What opened groups show."""

    def levels(self, picture):
        from rushlight.explain._levels import levels_of

        return levels_of(picture.drawing)

    def test_edges_go_through_the_frame(self):
        loss, net = unrolled(30)
        picture = explain.picture(loss, net)
        top, *_ = levels = self.levels(picture)
        titles = [box.title for box in picture.drawing.boxes]
        assert titles[-3:] == ["t … mean", "add", "loss = " + titles[-1][7:]] and len(titles) == 9
        body = levels[top["boxes"][titles.index("t … mean")]["inside"]]
        ports = [(box["kind"], box["outside"]) for box in body["boxes"] if box["kind"] in ("in", "out")]
        leaves = [i for i, box in enumerate(picture.drawing.boxes) if box.kind == "leaf"]
        assert sorted(outside for kind, outside in ports if kind == "in") == leaves
        assert [outside for kind, outside in ports if kind == "out"] == [titles.index("add")]
        # And the body says that it comes after itself.
        assert [box["kind"] for box in body["boxes"]].count("first") == [box["kind"] for box in body["boxes"]].count("last") == 1
        # Every edge ends at what is there, below where it begins.
        for level in levels:
            for edge in level["edges"]:
                layers = [level["layer"][i] for i in edge["chain"]]
                assert layers == list(range(layers[0], layers[-1] + 1))

    def test_parts_where_nothing_repeats(self):
        picture = explain.picture(branching(600))
        top, *parts = self.levels(picture)
        assert picture.groups[0].startswith("part 1 of ") and len(picture.groups) == len(parts) > 10
        # What one part hands to another leaves the one and enters the other.
        given = {(box["value"], number) for number, part in enumerate(parts) for box in part["boxes"] if box["kind"] == "out"}
        taken = {(box["value"], box["outside"]) for part in parts for box in part["boxes"] if box["kind"] == "in"}
        of_part = {i: box["inside"] - 1 for i, box in enumerate(top["boxes"]) if "inside" in box}
        assert {(value, of_part[outside]) for value, outside in taken if outside in of_part} <= given
        assert taken

    def test_no_more_than_a_page_can_hold(self, monkeypatch):
        from rushlight.explain import _levels

        monkeypatch.setattr(_levels, "MOST", 30)
        assert len(self.levels(explain.picture(branching(600)))) < 4

    @pytest.mark.parametrize("size", [10, 50, 200, 1000])
    def test_nothing_is_too_wide(self, size):
        from rushlight.explain._levels import placed
        from rushlight.explain._svg import WIDEST

        model = nn.Sequential(*[part for _ in range(size // 4) for part in (nn.Linear(3, 3), nn.Tanh())])
        pictures = [
            explain.picture(model(torch.ones(2, 3)).sum(), model),
            explain.picture(*unrolled(max(1, size // 10))),
            explain.picture(branching(size)),
        ]
        for picture in pictures:
            assert placed(picture.drawing).width <= WIDEST and len(picture.drawing.boxes) <= 201


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

    def test_chain_is_straight_beside_its_leaves(self):
        edges = [(i, i + 1) for i in range(50)] + [(51 + i, i + 1) for i in range(50)]
        layout = Layout([(100, 40)] * 101, edges)
        assert len({round(x, 6) for x in layout.x[1:51]}) == 1
        assert layout.width < 400

    def test_chain_is_straight(self):
        layout = Layout([(100, 40)] * 5, [(i, i + 1) for i in range(4)])
        assert len(set(layout.x[:5])) == 1

    def test_nothing(self):
        assert Layout([], []).width == 0
