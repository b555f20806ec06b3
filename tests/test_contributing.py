"""What CONTRIBUTING.md says one writes is enough."""

import copy
import pickle
import re
import sys
import types
from pathlib import Path

import pytest

import rushlight as torch
from rushlight.ops import _declare

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()


def examples(heading):
    """The code under a heading."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return [re.sub("^   ", "", block, flags=re.M) for block in re.findall(r"```python\n(.*?)```", section, re.S)]


@pytest.fixture
def lion(monkeypatch):
    (text,) = examples("An optimizer from start to finish")
    module = types.ModuleType("lion")
    exec(text, module.__dict__)
    module.Lion.__module__ = "lion"
    monkeypatch.setitem(sys.modules, "lion", module)
    return module.Lion


def test_the_optimizer(lion):
    x = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = lion([{"params": [x]}, {"params": [torch.nn.Parameter(torch.ones(2))], "lr": 1}], lr=0.25)
    for _ in range(8):
        optimizer.zero_grad()
        (x**2).sum().backward()
        optimizer.step()
    assert x.tolist() == [1.0, 0.0]
    assert optimizer.state[x]["step"].item() == 8
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 1]
    other = pickle.loads(pickle.dumps(optimizer))
    assert str(other) == str(optimizer)
    loaded = lion([{"params": [copy.deepcopy(x)]}, {"params": [torch.nn.Parameter(torch.ones(2))]}])
    loaded.load_state_dict(optimizer.state_dict())
    assert torch.equal(next(iter(loaded.state.values()))["exp_avg"], optimizer.state[x]["exp_avg"])
    old = {"params": [x], "lr": 1, "betas": (0.9, 0.99), "weight_decay": 0}
    loaded.__setstate__({"state": {x: {"step": 3}}, "param_groups": [old]})
    assert loaded.param_groups[0]["maximize"] is False and loaded.state[x]["step"].item() == 3.0
    for option, value, text in (
        ("lr", -1, "Invalid learning rate: -1"),
        ("betas", (0, 1.0), "Invalid beta parameter at index 1: 1.0"),
    ):
        with pytest.raises(ValueError, match=text):
            lion([x], **{option: value})
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        lion([x], lr=torch.ones(2))


@pytest.fixture
def declared(monkeypatch):
    """Runs the example under a heading, whose ops go into a table of its own."""

    def run(heading):
        (text,) = examples(heading)
        module = types.ModuleType("example")
        exec(text, module.__dict__)
        return module

    monkeypatch.setattr(_declare, "table", {})
    monkeypatch.setattr(_declare, "namespaces", {"torch": {}, "Tensor": {}})
    return run


def test_the_view(declared):
    tiles = declared("A view from start to finish").tiles
    x = torch.randn(2, 4, 5, dtype=torch.float64, requires_grad=True)
    expected = x.unfold(1, 2, 2).unfold(2, 2, 2)
    assert torch.equal(tiles(x, 2), expected) and tiles(x, 2).grad_fn.name() == "TilesBackward0"
    assert torch.equal(_declare.namespaces["torch"]["tiles_copy"](x, 2), expected)
    assert torch.autograd.gradcheck(tiles, (x, 2), check_forward_ad=True) and torch.autograd.gradgradcheck(tiles, (x, 2))
    y = x * 1
    tiles(y, 2)[0, 1, 1].mul_(3)
    assert torch.equal(y[0, 2:, 2:4], 3 * x[0, 2:, 2:4])
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert slope.sum() == x.numel() + 2 * 4
    assert torch.equal(torch.vmap(lambda e: tiles(e, 2))(x), expected)
    deep = torch.stack((x, 2 * x)).transpose(1, 3)
    found = torch.vmap(torch.vmap(lambda e: tiles(e.t(), 2)))(deep.transpose(1, 3))
    assert torch.equal(found, tiles(deep.transpose(1, 3).transpose(2, 3), 2))
    weight = torch.randn(2, 2, 2, 2, dtype=torch.float64)
    slopes = torch.vmap(torch.func.grad(lambda e: (tiles(e, 2) * weight).sum()))(x.detach())
    assert torch.equal(slopes, torch.autograd.grad(tiles(x, 2), x, weight.expand(2, 2, 2, 2, 2))[0])
    pushed = torch.vmap(lambda e, t: torch.func.jvp(lambda v: tiles(v, 2), (e,), (t,))[1])(x.detach(), 2 * x.detach())
    assert torch.equal(pushed, 2 * expected)
    with pytest.raises(RuntimeError, match="tiles: width must be positive, got 0"):
        tiles(x, 0)
    assert sorted(_declare.table) == ["tiles", "tiles_backward", "tiles_copy"]


def test_views_that_show_elements_twice_or_none_at_all(declared):
    view = declared("A view from start to finish").view

    @view(geometry=lambda sizes, strides: ((sizes[0] - 1, 2), (strides[0], strides[0])))
    def pairs(x):
        """Neighbours."""

    @view(geometry=lambda sizes, strides, count, start: ((count,), (1,), start))
    def reach(x, count, start):
        """More than there is."""

    x = torch.arange(4.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.grad(pairs(x).sum(), x)[0].tolist() == [1, 2, 2, 1]
    assert torch.autograd.gradgradcheck(pairs, (x,))
    assert torch.vmap(torch.func.grad(lambda e: pairs(e).sum()))(torch.ones(2, 3)).tolist() == [[1, 2, 1]] * 2
    assert reach(x, 3, 1).tolist() == [1, 2, 3] and reach(x[1:], 4, -1).tolist() == [0, 1, 2, 3] and reach(x, 0, 9).shape == (0,)
    for count, start in ((5, 0), (3, 2), (1, -1), (-1, 0), (1 << 62, 0), (2, 1 << 62)):
        with pytest.raises(RuntimeError):
            reach(x, count, start)


def test_the_fused_backward(declared):
    module = declared("A fused backward")
    soft_rows, calls = module.soft_rows, []
    soft_rows.rules[0].fuse(lambda g, out: calls.append(g) or module.soft_rows_fused(g, out))
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    (plain,) = torch.autograd.grad(soft_rows(x), x, weight := torch.randn(3, 4, dtype=torch.float64))
    assert len(calls) == 1
    (recorded,) = torch.autograd.grad(soft_rows(x), x, weight, create_graph=True)
    assert len(calls) == 1 and torch.allclose(plain, recorded) and recorded.requires_grad
    assert torch.autograd.gradcheck(soft_rows, (x,), check_forward_ad=True) and torch.autograd.gradgradcheck(soft_rows, (x,))
    assert torch.equal(torch.vmap(soft_rows)(x), soft_rows(x)) and torch.equal(
        torch.vmap(soft_rows, 1, 1)(x), soft_rows(x.t()).t()
    )
