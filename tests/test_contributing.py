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


def test_the_fused_backward(monkeypatch):
    monkeypatch.setattr(_declare, "table", {})
    monkeypatch.setattr(_declare, "namespaces", {"torch": {}, "Tensor": {}})
    (text,) = examples("A fused backward")
    module = types.ModuleType("soft_rows")
    exec(text, module.__dict__)
    soft_rows, calls = module.soft_rows, []
    soft_rows.rules[0].fuse(lambda g, out: calls.append(g) or module.soft_rows_fused(g, out))
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    (plain,) = torch.autograd.grad(soft_rows(x), x, weight := torch.randn(3, 4, dtype=torch.float64))
    assert len(calls) == 1
    (recorded,) = torch.autograd.grad(soft_rows(x), x, weight, create_graph=True)
    assert len(calls) == 1 and torch.allclose(plain, recorded) and recorded.requires_grad
    assert torch.autograd.gradgradcheck(soft_rows, (x,))
