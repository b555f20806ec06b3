"""torch.func: writes into tensors that a function which is differentiated knows from outside."""

import pytest

WRITES = {
    "add_.Tensor": lambda c, x: c.add_(x), "mul_.Tensor": lambda c, x: c.__imul__(2), "copy_": lambda c, x: c.__setitem__(0, x[0]),
    "fill_.Scalar": lambda c, x: c.fill_(2), "zero_": lambda c, x: c.zero_(), "sin_": lambda c, x: c.sin_(),
    "unsqueeze_": lambda c, x: c.unsqueeze_(0), "index_put_": lambda c, x: c.__setitem__(c.long(), x), "pow_.Scalar": lambda c, x: c.pow_(2),
}  # fmt: skip


def transforms(torch):
    func = torch.func
    return {
        "grad": lambda f, x: func.grad(f)(x),
        "vjp": lambda f, x: func.vjp(f, x)[0],
        "jvp": lambda f, x: func.jvp(f, (x,), (x,)),
        "jacrev": lambda f, x: func.jacrev(f)(x),
        "grad of grad": lambda f, x: func.grad(func.grad(f))(x.sum()),
        "grad of vmap": lambda f, x: func.grad(lambda y: func.vmap(lambda y: f(x) + y)(y).sum())(x),
        "vmap of grad": lambda f, x: func.vmap(func.grad(f))(torch.stack([x, x])),
    }


@pytest.mark.parametrize("name", WRITES)
def test_writes_into_captured_tensors(torch, name):
    text = (
        f"During a grad (vjp, jvp, grad, etc) transform, the function provided attempted to call in-place operation (aten::{name}) that would "
        "mutate a captured Tensor. This is not supported; please rewrite the function being transformed to explicitly accept the mutated "
        "Tensor(s) as inputs."
    )
    for transform in transforms(torch).values():
        captured = torch.ones(2)

        def function(x, captured=captured):
            WRITES[name](captured, x if x.ndim else torch.ones(2))
            return x.sum()

        with pytest.raises(RuntimeError) as caught:
            transform(function, torch.ones(2))
        assert str(caught.value) == text and captured.tolist() == [1, 1]


@pytest.mark.parametrize("view", [lambda c: c[:1], lambda c: c.view(2, 1), lambda c: c.detach(), lambda c: c.data])
def test_writes_into_what_shares_their_memory(torch, view):
    captured = torch.ones(2)
    with pytest.raises(RuntimeError, match="would mutate a captured Tensor"):
        torch.func.grad(lambda x: (view(captured).mul_(2).sum() + x).sum())(torch.ones(2))
    assert captured.tolist() == [1, 1]


def test_writes_that_are_allowed(torch):
    func, x = torch.func, torch.ones(2)
    assert func.grad(lambda x: x.clone().mul_(3).sum())(x).tolist() == [3, 3]
    assert func.grad(lambda x: torch.ones(2).mul_(x).sum())(x).tolist() == [1, 1]
    assert func.grad(lambda x: (x.clone()[:1].mul_(2) * x.detach().add_(0)).sum())(x).tolist() == [4, 0]
    captured = torch.ones(2)
    func.vmap(lambda x: captured.mul_(2) + x)(x)
    assert captured.tolist() == [2, 2]

    def function(x):
        x = x * 1
        x += 1
        x[0] = 5
        return x.sum()

    assert func.grad(function)(x.clone()).tolist() == [0, 1]
    assert func.vmap(func.grad(function))(torch.ones(2, 2)).tolist() == [[0, 1]] * 2
    batch = torch.ones(2, 2)
    func.vmap(lambda x: x.add_(1))(batch)
    assert batch.tolist() == [[2, 2]] * 2


def test_layers_with_statistics(torch):
    norm, x = torch.nn.BatchNorm1d(2), torch.randn(4, 2)
    with pytest.raises(RuntimeError, match=r"\(aten::add_.Tensor\) that would mutate a captured Tensor"):
        torch.func.grad(lambda x: norm(x).sum())(x)
    assert torch.func.grad(lambda x: norm.eval()(x).sum())(x).shape == (4, 2)
