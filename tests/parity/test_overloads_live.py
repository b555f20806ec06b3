"""What a mode is told of ops: the names of overloads, beside PyTorch's."""

import importlib

import pytest

torch = pytest.importorskip("torch")

CALLS = """
x + y; x + 2; x - y; 2 - x; x * 2; x / y; x // 2; x % 2; x % y; x**2; x**y; 2**x; x == 1; x == y; x < 1; x >= y; n & 3; n ^ n
x.sum(); x.sum(0); x.sum((0, 1)); x.mean(); x.mean(0); x.prod(); x.prod(0); x.max(); x.max(0); x.min(1); x.any(); x.any(0); x.all((0, 1))
x.var(); x.std(0); x.argmax(0); x.cumsum(0); x.logsumexp(0); x.topk(2); x.sort(0); x.kthvalue(1)
x[0]; x[0:2]; x[:, 1]; x[i]; x[b]; x.select(0, 1); x.t(); x.transpose(0, 1); x.permute(1, 0); x.view(12); x.unsqueeze(0); x.expand(2, 3, 4)
x.unbind(0); x.split([1, 2]); torch.cat([x, y]); torch.stack([x, y]); torch.where(b, x, y); x.masked_fill(b, 0)
x.clamp(0, 1); torch.lerp(x, y, 0.5); torch.lerp(x, y, x); x.index_select(0, i); x.clone(); x.to(torch.float64); x.double()
x.add_(1); x.mul_(2); x.zero_(); x.fill_(1); x.copy_(y); x.pow_(2); x.eq_(1); x.remainder_(2); x @ y.t(); torch.mv(x, x[0])
torch.add(x, y, out=torch.empty(3, 4)); torch.sum(x, 0, out=torch.empty(4)); torch.eq(x, 1, out=b); x.nonzero(); x.bernoulli()
x.bernoulli(0.5); x.median(); x.nanmedian(0); x.squeeze(0); x.squeeze(); x.squeeze((0, 1)); x.round()
torch.xlogy(x, y); torch.xlogy(x, 2); torch.xlogy(2, x); n.bitwise_left_shift_(1); torch.clamp_min(x, 0); torch.clamp_max(x, y)
x.masked_fill(b, x[0, 0]); x.masked_fill_(b, 1); x.index_fill(0, i, 1); x.index_fill(0, i, x[0, 0]); torch.div(x, y, rounding_mode="floor")
torch.var_mean(x); torch.std_mean(x, 0); torch.searchsorted(x[0], y[0]); torch.searchsorted(x[0], 2); x.floor_divide_(2); x.unbind()
torch.scatter(x, 0, i[None], 1); torch.scatter(x, 0, n[None] % 3, y); torch.transpose_copy(x, 0, 1); torch.lerp(x, y, 0.5, out=y); torch.mean(x, 0, out=y[0])
torch.any(b, 0, out=b[0]); torch.where(b, x, y, out=y); torch.pow(x, 2, out=y)
""".replace("\n", ";").split(";")


def names(torch, call):
    from_package = importlib.import_module(torch.__name__ + ".utils._python_dispatch")
    seen = []

    class Noting(from_package.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.append((str(func), func.__name__, func.name()))
            return func(*args, **(kwargs or {}))

    x, y, n = torch.rand(3, 4), torch.rand(3, 4), torch.arange(4)
    given = {"torch": torch, "x": x, "y": y, "n": n, "i": torch.tensor([0, 2]), "b": x > 0.5}
    with Noting():
        eval(call, given)
    # (What makes tensors of no others is not seen.)
    return [name for name in seen if not name[0].startswith("aten.empty")]


@pytest.mark.parametrize("call", [call.strip() for call in CALLS if call.strip()])
def test_overloads(call):
    import rushlight

    assert names(rushlight, call) == names(torch, call)
