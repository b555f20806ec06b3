"""Programs put methods and properties of their own on torch.Tensor, and operators, and take them away again."""

import pytest


@pytest.fixture
def put(torch):
    """Sets attributes of torch.Tensor, and restores what was there."""
    before = []

    def set_it(name, value):
        before.append((name, torch.Tensor.__dict__.get(name, before)))
        setattr(torch.Tensor, name, value)

    yield set_it
    for name, value in reversed(before):
        if value is before:
            delattr(torch.Tensor, name)
        else:
            setattr(torch.Tensor, name, value)


def test_methods_and_properties(torch, put):
    put("doubled", lambda self: self * 2)
    put("first", property(lambda self: self[0]))
    assert torch.ones(2).doubled().tolist() == [2, 2] and torch.arange(3).first.item() == 0
    assert torch.nn.Parameter(torch.ones(1)).doubled().tolist() == [2]
    del torch.Tensor.doubled
    assert not hasattr(torch.ones(1), "doubled")
    torch.Tensor.doubled = None  # (the fixture takes it away)


@pytest.mark.parametrize(
    "name, use",
    [
        ("__add__", lambda torch: torch.ones(1) + 1),
        ("__radd__", lambda torch: 1 + torch.ones(1)),
        ("__matmul__", lambda torch: torch.ones(1, 1) @ torch.ones(1, 1)),
        ("__neg__", lambda torch: -torch.ones(2)),
        ("mul", lambda torch: torch.ones(1).mul(2)),
        ("backward", lambda torch: torch.ones(1).backward()),
        ("__eq__", lambda torch: torch.ones(1) == 1),
    ],
)
def test_what_is_there_is_replaced_and_restored(torch, put, name, use):
    kept = getattr(torch.Tensor, name)
    before = use(torch) if name != "backward" else None
    put(name, lambda *given: "ours")
    assert use(torch) == "ours"
    setattr(torch.Tensor, name, kept)
    if name != "backward":
        assert torch.equal(use(torch), before)


def test_gradients_flow_through_what_is_replaced(torch, put):
    kept = torch.Tensor.__mul__
    put("__mul__", lambda self, other: kept(self, other) + 1)
    x = torch.ones(2, requires_grad=True)
    out = x * 3
    assert out.tolist() == [4, 4]
    out.sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_any_namespace_of_ops_is_there_and_empty(torch):
    assert hasattr(torch.ops, "of_nobody")
    with pytest.raises(AttributeError, match="'_OpNamespace' 'of_nobody' object has no attribute 'an_op'"):
        torch.ops.of_nobody.an_op  # noqa: B018 (it is asked for)
