"""What a replayed call gives: the results, the errors and the random numbers of the call itself."""

import pytest

import rushlight as torch
from rushlight import core, nn
from rushlight.compiler import _capture

from .cases import calls, replayed, same

F = nn.functional

pytestmark = pytest.mark.core


class Test_What_a_function_gives:
    def test_elements(self):
        def f(x, y):
            return torch.where(x > y, x.sin() * 2, (y - 1).exp()) + 0.5

        replayed(calls(f, 5, lambda: (torch.rand(3, 4), torch.rand(4))))

    def test_results_are_the_callers(self):
        def f(x):
            return x * 2

        compiled = torch.compile(f)
        kept = [compiled(torch.full((3,), float(i))) for i in range(6)]
        for i, y in enumerate(kept):
            assert y.tolist() == [2.0 * i] * 3
        kept[4].zero_()
        assert compiled(torch.ones(3)).tolist() == [2.0] * 3
        replayed(compiled)

    def test_collections_and_constants(self):
        def f(x, scale):
            y = x * scale
            return {"y": y, "n": x.shape[0], "both": (y, [x, None])}, y.max(0), "text", y.t()

        replayed(calls(f, 5, lambda: (torch.rand(3, 2), 3.0)))

    def test_reductions_products_views_indices(self):
        def f(x, w, i):
            h = x @ w
            h = h.softmax(-1).transpose(0, 1).reshape(-1)[2:]
            h = torch.cat([h, h.flip(0)]).cumsum(0)
            return h[i].view(-1, 1).expand(-1, 2), h.std(), h.argmax(), x.mean((0, 1), keepdim=True), h.sort().values

        replayed(calls(f, 5, lambda: (torch.rand(5, 3), torch.rand(3, 4), torch.randint(0, 30, (4,)))))

    @pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.complex64, torch.bool])
    def test_dtypes(self, dtype):
        def f(x):
            return (x + x) * 1, x.to(torch.complex128), x.sum()

        replayed(calls(f, 5, lambda: (torch.randint(0, 2, (3, 5)).to(dtype),)))

    def test_no_elements_and_no_dimensions(self):
        def f(x, y):
            return x * 2, y + 1, x.sum(), torch.zeros(0)

        replayed(calls(f, 5, lambda: (torch.rand(0, 3), torch.rand(()))))

    def test_large(self):
        def f(x):
            return (x.sin() + x.cos()).relu().sum(), x.exp() @ x.t()

        replayed(calls(f, 5, lambda: (torch.rand(400, 300),)))

    def test_random_numbers(self):
        def f(x):
            return F.dropout(x, 0.5) + torch.randn(4) + torch.rand_like(x), torch.randperm(5), x.bernoulli(), torch.normal(x, 1.0)

        compiled = calls(f, 6, lambda: (torch.rand(4),))
        replayed(compiled)

    def test_writes_into_arguments(self):
        def f(x, y):
            x.add_(y).mul_(2)
            x[0] = 5
            return x

        compiled = torch.compile(f)
        for _ in range(6):
            x, y = torch.rand(3), torch.rand(3)
            other, version = x.clone(), x._version
            found = compiled(x, y)
            assert found is x and torch.equal(x, f(other, y))
            assert x._version == version + 3 or _capture.CHECKED
        replayed(compiled)

    def test_constants_from_data(self):
        table = [1.0, 2.0, 3.0]

        def f(x):
            y = torch.tensor(table)
            y[0] += 1
            return x * y + torch.tensor(2.0) + torch.arange(3) + torch.ones(3, dtype=torch.float64)

        compiled = replayed(calls(f, 5, lambda: (torch.rand(3),)))
        table[1] = 20.0
        x = torch.rand(3)
        same(compiled(x), f(x))

    def test_layouts(self):
        def f(x):
            return x * 2, x.sum(0), x.contiguous()

        compiled = torch.compile(f)
        for x in [torch.rand(3, 4), torch.rand(4, 3).t(), torch.rand(3, 8)[:, ::2], torch.rand(3, 1).expand(3, 4)] * 4:
            same(compiled(x), f(x))
        replayed(compiled)

    def test_one_tensor_twice(self):
        def f(x, y):
            x.mul_(2)
            return x + y

        compiled = torch.compile(f)
        for i in range(12):
            x = torch.rand(3)
            y = x if i % 2 else torch.rand(3)
            a, b = x.clone(), y.clone()
            b = a if i % 2 else b
            same(compiled(x, y), f(a, b))
        replayed(compiled)


class Test_Passes:
    """Element-wise ops behind each other are one pass over tiles."""

    @pytest.fixture(autouse=True, params=[1, 16, 1024])
    def tiles(self, request):
        before = core.set_tile(request.param)
        yield
        core.set_tile(before)

    @pytest.mark.parametrize("n", [3, 40, 5000, 300000])
    def test_a_chain(self, n):
        def f(x, y):
            z = (x * 2 + y) * x - (y - 0.5).exp()
            return torch.where(z > 0, z, y), z.clamp(-1, 1), (z > x) & (y > x)

        replayed(calls(f, 5, lambda: (torch.rand(n), torch.rand(n))))

    @pytest.mark.parametrize("n", [40, 5000])
    def test_parts_that_overlap(self, n):
        def f(x):
            y = x * 2
            y[:-1].mul_(3)
            z = y[1:] * y[:-1]
            y[2:] += z[1:]
            y[1:].sub_(1)
            y.add_(y[0].clone())
            return y, z + y[3], y.sum()

        replayed(calls(f, 5, lambda: (torch.rand(n),)))

    @pytest.mark.parametrize("n", [40, 5000])
    def test_derivatives(self, n):
        def f(x):
            w = x.detach().requires_grad_()
            loss = ((w * 2).tanh() * w + w.sigmoid()).square().mean()
            loss.backward()
            return w.grad.double() + 1, loss.detach()

        replayed(calls(f, 5, lambda: (torch.rand(n),)))


def test_parts_of_larger_tensors():
    data, total = torch.rand(100, 3), torch.zeros(100, 3)

    def f(x, y):
        y.add_(x)
        return (x @ x.t()).sum(0)

    compiled = torch.compile(f)
    for i in range(20):
        at = (7 * i) % 90
        other = total.clone()
        expected = f(data[at : at + 8], other[at : at + 8])
        same(compiled(data[at : at + 8], total[at : at + 8]), expected)
        same(total, other)
    replayed(compiled)
    window = torch.compile(lambda x: x.as_strided((2,), (1,), 0) * 2)
    for i in range(8):
        same(window(data[i]), data[0, :2] * 2)


def test_arguments_that_share_memory():
    def f(x, y):
        x.mul_(2)
        return y + 1, x - y

    compiled = torch.compile(f)
    for i in range(12):
        base = torch.rand(5000)
        x, y = base[:-1], base[1:] if i % 3 == 2 else torch.rand(4999)
        other = base.clone()
        a, b = other[:-1], other[1:] if i % 3 == 2 else y.clone()
        same(compiled(x, y), f(a, b))
        same(base, other)
    replayed(compiled)
