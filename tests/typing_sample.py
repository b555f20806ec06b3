"""A program as users write it, for type checkers: what is asserted here holds when it runs and when mypy reads it."""

from typing import Any, assert_type

import rushlight as torch
from rushlight import Tensor, nn
from rushlight.nn import functional as F


class Net(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Linear(4, width)
        self.second = nn.Linear(width, 3)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.dropout(F.relu(self.first(x))))


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return 3 * x * x * g


def tensors() -> None:
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    assert_type(x, Tensor)
    assert_type(x.shape, torch.Size)
    assert_type(x.dtype, torch.dtype)
    assert_type(x.dim(), int)
    assert_type(x.size(0), int)
    assert_type(x.grad, Tensor | None)
    assert_type(x.requires_grad, bool)
    assert_type(2 * x + x @ x.T - 1, Tensor)
    assert_type(x > 1, Tensor)
    assert_type(x == 1, Tensor)
    assert_type(x[0, :], Tensor)
    assert_type(x.view(4), Tensor)
    assert_type(x.view((2, 2)), Tensor)
    assert_type(x.sum(dim=(0, 1), keepdim=True), Tensor)
    assert_type(x.detach().add_(1), Tensor)
    assert_type(torch.add(x, 1, alpha=2), Tensor)
    assert_type(torch.zeros(2, 3, dtype=torch.float64), Tensor)
    assert_type(torch.zeros((2, 3)), Tensor)
    assert_type(torch.arange(0, 1, 0.5), Tensor)
    assert_type(torch.cat([x, x], dim=1), Tensor)
    assert_type(torch.where(x > 1, x, 0.0), Tensor)
    assert_type(x.max(), Tensor)
    values, places = x.max(dim=1)
    assert_type(values, Tensor)
    assert_type(places, Tensor)
    assert_type(x.topk(1).indices, Tensor)
    assert_type(x.split(1), tuple[Tensor, ...])
    assert_type(torch.equal(x, x), bool)
    assert_type(torch.einsum("ij,jk->ik", x, x), Tensor)
    assert_type(x.to(torch.float64), Tensor)
    assert_type(torch.special.expit(x), Tensor)
    assert_type(torch.linalg.vector_norm(x), Tensor)
    handle = x.register_hook(lambda g: g * 2)
    handle.remove()
    layer = nn.Linear(4, 2, bias=False)
    assert_type(layer.in_features, int)
    assert_type(layer.weight, nn.Parameter)
    assert_type(nn.Sequential(layer, nn.ReLU())[0], nn.Module)
    for name, parameter in layer.named_parameters():
        assert_type(name, str)
        assert_type(parameter, nn.Parameter)
    assert_type(nn.Parameter(torch.ones(2)).requires_grad_(), nn.Parameter)


def training() -> float:
    torch.manual_seed(0)
    model = Net(8)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    x, labels = torch.randn(32, 4), torch.randint(0, 3, (32,))
    for _ in range(20):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        assert_type(loss, Tensor)
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        accuracy = (model(x).argmax(1) == labels).float().mean()
    scores = F.scaled_dot_product_attention(x, x, x, is_causal=True, scale=0.5)
    assert_type(scores, Tensor)
    assert torch.finfo(torch.float32).eps < 1 and torch.iinfo(torch.int8).max == 127
    torch.vmap(torch.sin, in_dims=0)(x)
    (slope,) = torch.autograd.grad(Cube.apply(torch.ones(2, requires_grad=True)).sum(), x.requires_grad_(), allow_unused=True)
    assert_type(slope, Tensor)
    return float(accuracy)


if __name__ == "__main__":
    tensors()
    print(training() > 0.3)
