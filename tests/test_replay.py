"""Compiled functions: what is replayed equals what runs, whatever happens between the calls."""

import copy
import gc
import inspect
import itertools
import threading

import pytest

import rushlight as torch
from rushlight import core, nn
from rushlight.compiler import _capture

F = nn.functional

pytestmark = pytest.mark.core


def calls(function, times, arguments):
    """Calls a compiled function and the function itself, with the same state of the generator; returns both lists of results."""
    compiled = torch.compile(function)
    for _ in range(times):
        args = arguments()
        state = torch.get_rng_state()
        expected = function(*args)
        after = torch.get_rng_state()
        torch.set_rng_state(state)
        found = compiled(*args)
        assert torch.equal(torch.get_rng_state(), after)
        same(found, expected)
    return compiled


def same(a, b):
    if isinstance(b, torch.Tensor):
        assert a.dtype == b.dtype and a.shape == b.shape and a.stride() == b.stride() and a.requires_grad == b.requires_grad
        assert torch.equal(a, b) or (a.isnan().any() and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True))
    elif isinstance(b, (tuple, list)):
        assert type(a) is type(b) and len(a) == len(b)
        for x, y in zip(a, b):
            same(x, y)
    elif isinstance(b, dict):
        assert list(a) == list(b)
        for key in b:
            same(a[key], b[key])
    else:
        assert a == b


def replayed(compiled):
    assert compiled.replays, compiled.attempts.reasons
    return compiled


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


def network(*sizes):
    torch.manual_seed(3)
    layers = []
    for a, b in itertools.pairwise(sizes):
        layers += [nn.Linear(a, b), nn.Tanh()]
    return nn.Sequential(*layers[:-1])


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, amsgrad=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
    "Adagrad": lambda p: torch.optim.Adagrad(p, lr=0.01),
}


class Test_Steps:
    @pytest.mark.parametrize("name", OPTIMIZERS)
    @pytest.mark.parametrize("to_none", [True, False])
    def test_a_step_of_training(self, name, to_none):
        def trained(compile):
            model = network(4, 8, 3)
            optimizer = OPTIMIZERS[name](model.parameters())

            def step(x, y):
                optimizer.zero_grad(set_to_none=to_none)
                loss = F.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
                return loss

            run = compile(step)
            torch.manual_seed(0)
            losses = [run(torch.rand(6, 4), torch.randint(0, 3, (6,))).item() for _ in range(12)]
            return run, losses, [p.tolist() for p in model.parameters()], [p.grad.tolist() for p in model.parameters()]

        compiled, *found = trained(torch.compile)
        assert tuple(found) == trained(lambda f: f)[1:]
        # (Some optimizers compute in Python with the count of steps.)
        assert (compiled.replays > 0) == (name != "Adagrad"), compiled.attempts.reasons

    def test_gradients_accumulate(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            (w * x).sum().backward()

        compiled = torch.compile(f)
        total = torch.zeros(3)
        for _ in range(7):
            x = torch.rand(3)
            compiled(x)
            total += x
            same(w.grad, total)
        replayed(compiled)

    def test_a_gradient_that_was_taken_stays(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            w.grad = None
            (w * x).sum().backward()

        compiled, kept = torch.compile(f), []
        for i in range(7):
            compiled(torch.full((3,), float(i)))
            kept.append(w.grad)
        assert [g[0].item() for g in kept] == list(range(7))
        replayed(compiled)

    def test_batch_norm_and_dropout(self):
        def trained(compile):
            torch.manual_seed(1)
            model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.3), nn.ReLU(), nn.Linear(6, 1))
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

            def step(x):
                optimizer.zero_grad()
                loss = model(x).square().mean()
                loss.backward()
                optimizer.step()
                return loss.detach()

            run = compile(step)
            return run, [run(torch.rand(5, 4)).item() for _ in range(10)], [b.tolist() for b in model.buffers()]

        compiled, *found = trained(torch.compile)
        assert tuple(found) == trained(lambda f: f)[1:]
        replayed(compiled)

    def test_autograd_grad_and_functions(self):
        class Double(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return 2 * x

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                return 2 * g + 0 * x

        def f(x):
            y = Double.apply(x).sin().sum()
            (g,) = torch.autograd.grad(y, x, create_graph=True)
            (h,) = torch.autograd.grad(g.sum(), x)
            return g.detach(), h

        replayed(calls(f, 6, lambda: (torch.rand(3, requires_grad=True),)))

    def test_transforms(self):
        def f(x, w):
            def loss(w, x):
                return (w * x).sin().sum()

            return torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(w, x), torch.func.hessian(loss)(w, x[0])

        replayed(calls(f, 6, lambda: (torch.rand(5, 3), torch.rand(3))))


class Test_A_compiled_forward:
    def test_of_a_module_in_a_loop(self):
        results = []
        for compile in (lambda f: f, torch.compile):
            model = network(4, 8, 8, 1)
            run = compile(model)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            torch.manual_seed(0)
            losses = []
            for _ in range(10):
                optimizer.zero_grad()
                out = run(torch.rand(6, 4))
                assert out.requires_grad and out.grad_fn.name() == "AddmmBackward0"
                loss = (out - 1).square().mean()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            results.append((losses, [p.tolist() for p in model.parameters()]))
        assert results[0] == results[1]
        replayed(run.compiled)

    def test_several_calls_before_backward(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            return (w * x).tanh() * w

        compiled = torch.compile(f)
        for _ in range(5):
            xs = [torch.rand(3, requires_grad=True) for _ in range(3)]
            expected = torch.autograd.grad(sum(f(x) for x in xs).sum(), [w, *xs])
            found = torch.autograd.grad(sum(compiled(x) for x in xs).sum(), [w, *xs])
            # (The parts of w's gradient are added in another order: those of one call first.)
            torch.testing.assert_close(found, expected)
            same(found[1:], expected[1:])
        replayed(compiled)

    def test_history_of_arguments(self):
        def f(x, y):
            return x * y, (x - y).exp()

        compiled = torch.compile(f)
        for _ in range(5):
            a = torch.rand(3, requires_grad=True)
            found, expected = [], []
            for function, into in ((compiled, found), (f, expected)):
                x = a * 2
                p, q = function(x, x.detach() + 1)
                into.append(torch.autograd.grad((p * q).sum(), a)[0])
            same(found, expected)
        replayed(compiled)

    def test_twice_and_with_a_graph(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            return (w * x).sin() * w

        compiled = torch.compile(f)
        for _ in range(6):
            x = torch.rand(3, requires_grad=True)
            out = compiled(x)
            first = torch.autograd.grad(out.sum(), (w, x), retain_graph=True)
            again = torch.autograd.grad(out.sum(), (w, x), retain_graph=True)
            graph = torch.autograd.grad(out.sum(), (w, x), create_graph=True)
            second = torch.autograd.grad(sum(g.square().sum() for g in graph), (w, x))
            expected = torch.autograd.grad(f(x).sum(), (w, x), create_graph=True)
            same(first, again)
            same(list(first), [g.detach() for g in expected])
            same(second, torch.autograd.grad(sum(g.square().sum() for g in expected), (w, x)))
        replayed(compiled)

    def test_a_graph_is_freed(self):
        w = torch.rand(3, requires_grad=True)
        compiled = torch.compile(lambda x: (w * x).sin())
        for _ in range(6):
            out = compiled(torch.rand(3)).sum()
            out.backward()
            with pytest.raises(RuntimeError, match="backward through the graph a second time"):
                out.backward()
        replayed(compiled)

    def test_only_one_of_several_results(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            return w * x, (w * x).sin()

        compiled = torch.compile(f)
        for i in range(6):
            x = torch.rand(3)
            same(torch.autograd.grad(compiled(x)[i % 2].sum(), w), torch.autograd.grad(f(x)[i % 2].sum(), w))
        replayed(compiled)

    def test_overwritten_values(self):
        w = torch.rand(3, requires_grad=True)
        compiled = torch.compile(lambda x: (w * x).sin())
        for _ in range(6):
            x = torch.rand(3)
            out = compiled(x)
            with torch.no_grad():
                x.zero_()
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                out.sum().backward()
        replayed(compiled)

    def test_no_grad(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            return w * x

        compiled = torch.compile(f)
        for i in range(12):
            x = torch.rand(3)
            with torch.set_grad_enabled(i % 2 == 0):
                same(compiled(x), f(x))
        replayed(compiled)


SCALE = 2.0
LIST = [1.0]


def read_globals(x):
    return x * SCALE + LIST[0]


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(3))
        self.register_buffer("b", torch.ones(3))
        self.calls = 0
        self.factor = 1.0
        self.on = True
        self.options = {"a": [1, 2]}
        self.kept = None

    def forward(self, x):
        return self.w * x * self.factor + self.b * self.options["a"][1] if self.on else x - self.w


@torch.compile
def doubled(x):
    """Twice x."""
    return 2 * x


class Test_As_objects:
    def test_of_a_function(self):
        assert doubled.__name__ == "doubled" and doubled.__doc__ == "Twice x." and str(inspect.signature(doubled)) == "(x)"
        assert copy.deepcopy([doubled])[0] is doubled and copy.copy(doubled) is doubled

    def test_methods(self):
        class Thing:
            by = 3.0

            @torch.compile
            def times(self, x):
                return x * self.by

        thing = Thing()
        for i in range(8):
            if i == 6:
                thing.by = 4.0
            assert thing.times(torch.ones(1)).item() == (4.0 if i >= 6 else 3.0)
        replayed(Thing.times)

    def test_of_a_module(self):
        module = torch.compile(network(3, 4, 1))
        made = copy.deepcopy(module)
        for _ in range(6):
            x = torch.rand(2, 3)
            same(made(x).detach(), module(x).detach())
        replayed(made.compiled)
        with torch.no_grad():
            made._orig_mod[0].weight.zero_()
        assert not torch.equal(made(x), module(x))


class Test_What_changes_between_calls:
    def check(self, function, change, *arguments, times=12):
        """Every call of the compiled function gives what the function gives, though `change(i)` runs before call i."""
        compiled = torch.compile(function)
        for i in range(times):
            change(i)
            args = arguments or (torch.rand(3),)
            same(compiled(*args), function(*args))
        return compiled

    def test_globals(self):
        global SCALE

        def change(i):
            global SCALE
            SCALE = float(i // 4)
            LIST[0] = float(i // 6)

        replayed(self.check(read_globals, change))

    def test_a_builtin_is_shadowed(self):
        compiled = torch.compile(lambda x: x * abs(-2.0))
        for i in range(8):
            if i == 5:
                globals()["abs"] = lambda value: 7.0
            x = torch.rand(3)
            same(compiled(x), x * (7.0 if i >= 5 else 2.0))
        del globals()["abs"]
        replayed(compiled)

    def test_closures(self):
        scale = 1.0

        def change(i):
            nonlocal scale
            scale = i // 3 + 1.0

        replayed(self.check(lambda x: x * scale, change))

    def test_defaults_and_code(self):
        def f(x, by=2.0):
            return x * by

        def change(i):
            if i == 5:
                f.__defaults__ = (5.0,)
            if i == 9:
                f.__code__ = (lambda x, by=0: x - by).__code__

        replayed(self.check(f, change, times=14))

    def test_attributes_of_modules(self):
        module = Counter()

        def change(i):
            if i == 3:
                module.factor = 2.0
            if i == 6:
                module.options["a"][1] = 7
            if i == 9:
                module.on = False

        replayed(self.check(lambda x: module(x).detach(), change, times=16))

    def test_parameters_are_replaced(self):
        module = Counter()

        def change(i):
            with torch.no_grad():
                module.w.add_(1)
            if i == 4:
                module.w.data = torch.zeros(3)
            if i == 8:
                module.w = nn.Parameter(torch.full((3,), 9.0))
            if i == 12:
                module.b = torch.zeros(3)

        replayed(self.check(lambda x: module(x).detach(), change, times=18))

    def test_hooks(self):
        module = Counter()

        def change(i):
            if i == 5:
                module.register_forward_hook(lambda module, given, out: out * 3)

        replayed(self.check(lambda x: module(x).detach(), change, times=10))

    def test_methods_are_replaced(self):
        class Thing:
            def by(self):
                return 2.0

        thing = Thing()

        def change(i):
            if i == 4:
                Thing.by = lambda self: 3.0
            if i == 8:
                thing.by = lambda: 4.0

        replayed(self.check(lambda x: x * thing.by(), change, times=14))

    def test_functions_of_the_library_are_replaced(self):
        relu = F.relu

        def change(i):
            F.relu = (lambda x: x * 0) if 4 <= i < 9 else relu

        replayed(self.check(lambda x: F.relu(x - 0.5), change, times=14))

    def test_options_of_optimizers(self):
        def trained(compile):
            torch.manual_seed(0)
            w = torch.rand(3, requires_grad=True)
            optimizer = torch.optim.SGD([w], lr=0.1)

            def step(x):
                optimizer.zero_grad()
                (w * x).sum().backward()
                optimizer.step()

            run, seen = compile(step), []
            for i in range(16):
                if i == 5:
                    optimizer.param_groups[0]["lr"] = 0.5
                if i == 10:
                    optimizer.load_state_dict(optimizer.state_dict())
                run(torch.rand(3))
                seen.append(w.tolist())
            return run, seen

        compiled, seen = trained(torch.compile)
        assert seen == trained(lambda f: f)[1]
        replayed(compiled)

    def test_hooks_of_tensors(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            w.grad = None
            (w * x).sum().backward()
            return w.grad.clone()

        def change(i):
            if i == 5:
                w.register_hook(lambda g: g * 3)

        replayed(self.check(f, change))

    def test_counters_everywhere(self):
        class Here:
            count = 0

        def f(x, seen=[0]):  # noqa: B006
            Here.count += 1
            seen[0] += 1
            f.calls += 1
            return x * Here.count * seen[0] * f.calls

        f.calls = 0
        compiled = torch.compile(f)
        for i in range(8):
            assert compiled(torch.ones(1)).item() == (i + 1) ** 3
        assert compiled.replays == 0

    def test_training(self):
        module = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
        compiled = torch.compile(module)
        for i in range(14):
            (module.train if i % 7 < 4 else module.eval)()
            x = torch.rand(4, 3)
            state = {k: v.clone() for k, v in module.state_dict().items()}
            found = compiled(x)
            after = {k: v.clone() for k, v in module.state_dict().items()}
            module.load_state_dict(state)
            same(found.detach(), module(x).detach())
            same(dict(module.state_dict()), after)
        replayed(compiled.compiled)

    def test_requires_grad_is_set(self):
        w = torch.rand(3)

        def change(i):
            w.requires_grad_(i % 6 >= 3)

        replayed(self.check(lambda x: w * x, change, times=18))

    def test_default_dtype(self):
        def change(i):
            torch.set_default_dtype(torch.float64 if i % 6 >= 3 else torch.float32)

        try:
            replayed(self.check(lambda x: x + torch.ones(3), change, torch.rand(3, dtype=torch.float32), times=18))
        finally:
            torch.set_default_dtype(torch.float32)

    def test_shapes_and_numbers(self):
        def f(x, n):
            return x.sum(0) * n if x.shape[0] > 2 else x

        compiled = torch.compile(f)
        for i in range(40):
            x = torch.rand(1 + i % 4, 3)
            same(compiled(x, i % 2), f(x, i % 2))
        replayed(compiled)

    def test_views_of_results_are_written(self):
        w = torch.rand(3, requires_grad=True)

        def f(x):
            return (w * x).tanh()

        compiled = torch.compile(f)
        for _ in range(6):
            x = torch.rand(3)
            grads = []
            for function in (compiled, f):
                y = function(x)
                z = y * 1
                z[1] = 0
                grads.append(torch.autograd.grad((z * z).sum(), w))
            same(*grads)
        replayed(compiled)

    def test_threads(self):
        w = torch.rand(300, 300)

        def f(x):
            return ((w @ x).sin() @ w).sum(0)

        compiled = torch.compile(f)
        for _ in range(3):
            compiled(torch.rand(300, 300))
        wrong = []

        def work(seed):
            g = torch.Generator().manual_seed(seed)
            for _ in range(10):
                x = torch.rand(300, 300, generator=g)
                if not torch.equal(compiled(x), f(x)):
                    wrong.append(seed)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        replayed(compiled)


class Test_What_runs_as_it_is_written:
    """Each of these would be wrong if it were replayed."""

    def check(self, function, *arguments, reason=None, times=8):
        compiled = torch.compile(function)
        for _ in range(times):
            args = [a() for a in arguments]
            same(compiled(*args), function(*args))
        assert compiled.replays == 0
        assert compiled.attempts.reasons
        if reason:
            assert any(reason in text for text, _ in compiled.attempts.reasons), compiled.attempts.reasons

    def test_values_are_asked_for(self):
        import numpy  # noqa: F401

        x = lambda: torch.randn(3)  # noqa: E731
        self.check(lambda x: x * 2 if x.sum() > 0 else x - 1, x, reason="the value of a tensor")
        self.check(lambda x: x * x[0].item(), x, reason="the value of a tensor")
        self.check(lambda x: x * x.tolist()[0], x, reason="the values of a tensor")
        self.check(lambda x: x * float(x.max()), x, reason="the value of a tensor")
        self.check(lambda x: x[: int(x.argmax()) + 1], x, reason="the value of a tensor")
        self.check(lambda x: torch.from_numpy(x.numpy() * 2), x)
        self.check(lambda x: x[x > 0], x)
        self.check(lambda x: x.nonzero(), x)
        self.check(lambda x: str(x), x)

    def test_counters(self):
        module = Counter()

        def count(x):
            module.calls += 1
            return x * module.calls

        compiled = torch.compile(count)
        for i in range(8):
            assert compiled(torch.ones(1)).item() == i + 1
        assert compiled.replays == 0

    def test_lists_grow(self):
        kept = []

        def f(x):
            kept.append(x)
            return x + len(kept)

        compiled = torch.compile(f)
        for i in range(8):
            assert compiled(torch.zeros(1)).item() == i + 1
        given = []
        compiled = torch.compile(lambda x, to: to.append(x))
        for i in range(8):
            compiled(torch.zeros(1), given)
            assert len(given) == i + 1

    def test_what_is_kept(self):
        module = Counter()

        def f(x):
            module.kept = x * 2
            return x

        compiled = torch.compile(f)
        for i in range(8):
            compiled(torch.full((1,), float(i)))
            assert module.kept.item() == 2 * i

    def test_clocks_and_chance(self):
        import random
        import time

        import numpy

        random.seed(0)
        compiled = torch.compile(lambda x: x + random.random())
        assert len({compiled(torch.zeros(1)).item() for _ in range(8)}) == 8
        compiled = torch.compile(lambda x: x.double() + time.perf_counter())
        assert len({compiled(torch.zeros(1)).item() for _ in range(8)}) == 8
        compiled = torch.compile(lambda x: x + numpy.random.rand())
        assert len({compiled(torch.zeros(1)).item() for _ in range(8)}) == 8
        array = numpy.zeros(1)

        def f(x):
            return x + torch.from_numpy(array) + float(array[0])

        compiled = torch.compile(f)
        for i in range(8):
            array[0] = i
            assert compiled(torch.zeros(1)).item() == 2 * i

    def test_printing(self, capsys):
        compiled = torch.compile(lambda x: print("here") or x)
        for _ in range(8):
            compiled(torch.zeros(1))
        assert capsys.readouterr().out == "here\n" * 8

    def test_iterators(self):
        numbers = itertools.count()
        compiled = torch.compile(lambda x: x + next(numbers))
        assert [compiled(torch.zeros(1)).item() for _ in range(8)] == list(range(8))

        def lines():
            while True:
                yield 1.0
                yield 2.0

        generator = lines()
        compiled = torch.compile(lambda x: x + next(generator))
        assert [compiled(torch.zeros(1)).item() for _ in range(8)] == [1, 2] * 4

    def test_exceptions(self):
        def f(x, i):
            y = x * 2
            if y.shape[0] > 2:
                raise ValueError("too long")
            return y[i]

        compiled = torch.compile(f)
        for _ in range(8):
            with pytest.raises(ValueError, match="too long"):
                compiled(torch.rand(3), 0)
            same(compiled(torch.ones(2), 1), torch.tensor(2.0))

    def test_errors_of_kernels(self):
        def f(x, i):
            return x[i]

        compiled = torch.compile(f)
        for k in range(8):
            x = torch.rand(3)
            same(compiled(x, torch.tensor([k % 3])), x[torch.tensor([k % 3])])
        for _ in range(3):
            with pytest.raises(IndexError, match="index 7 is out of bounds"):
                compiled(torch.rand(3), torch.tensor([7]))
        x = torch.rand(3)
        same(compiled(x, torch.tensor([1])), x[torch.tensor([1])])
        replayed(compiled)

    def test_places(self):
        data = torch.rand(50, 3)

        def f(x):
            return x * x.storage_offset()

        compiled = torch.compile(f)
        for i in range(8):
            same(compiled(data[i]), data[i] * (3 * i))
        compiled = torch.compile(lambda x: x * x.untyped_storage().nbytes())
        for i in range(8):
            x = torch.rand(10 + i // 4)[:4]
            same(compiled(x), x * (40 + 4 * (i // 4)))

    def test_seeds(self):
        def f(x):
            torch.manual_seed(0)
            return x + torch.rand(1)

        self.check(f, lambda: torch.zeros(1), reason="the state of a generator")

    def test_subclasses(self):
        class Mine(torch.Tensor):
            pass

        compiled = torch.compile(lambda x: x * 2)
        for _ in range(6):
            assert type(compiled(torch.ones(2).as_subclass(Mine))) is Mine
        assert compiled.replays == 0

    def test_views_of_arguments(self):
        compiled = torch.compile(lambda x: x[1:])
        for _ in range(6):
            x = torch.zeros(3)
            compiled(x).add_(1)
            assert x.tolist() == [0, 1, 1]


@pytest.mark.slow
def test_memory_stays_flat_over_a_million_replays():
    w = torch.rand(4, requires_grad=True)

    def step(x):
        w.grad = None
        (w * x).sum().backward()

    compiled, forward, x = torch.compile(step), torch.compile(lambda x: w * x), torch.rand(4)
    for _ in range(10):
        compiled(x), forward(x)
    gc.collect()
    before = core.memory_stats()["allocated"]
    for _ in range(1_000_000):
        compiled(x), forward(x)
    gc.collect()
    assert core.memory_stats()["allocated"] <= before
    assert compiled.replays >= 1_000_000 and forward.replays >= 1_000_000


def test_memory_stays_flat():
    w = torch.rand(64, 64, requires_grad=True)

    def step(x):
        w.grad = None
        loss = (x @ w).tanh().square().mean()
        loss.backward()
        return loss.detach()

    compiled, forward = torch.compile(step), torch.compile(lambda x: (x @ w).tanh())
    x = torch.rand(16, 64)
    for _ in range(10):
        compiled(x), forward(x).sum().backward()
    gc.collect()
    before = core.memory_stats()["allocated"]
    for _ in range(2000):
        compiled(x), forward(x).sum().backward()
    gc.collect()
    assert core.memory_stats()["allocated"] <= before
    replayed(compiled), replayed(forward)
