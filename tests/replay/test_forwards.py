"""A compiled forward in an ordinary training loop."""

import copy
import inspect

import pytest

import rushlight as torch
from rushlight import nn

from .cases import network, replayed, same

pytestmark = pytest.mark.core


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

    def test_hooks_of_the_compiled_module_run(self):
        seen = []
        run = torch.compile(network(4, 8, 1))
        run.register_forward_hook(lambda module, given, out: seen.append(type(module).__name__) or out + 1)
        run.register_forward_pre_hook(lambda module, given: (given[0] * 2,))
        for _ in range(8):
            x = torch.rand(6, 4)
            same(run(x), run._orig_mod(2 * x) + 1)
        assert seen == ["OptimizedModule"] * 8
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


class Heads(nn.Module):
    """Draws, changes its running statistics, and has two results."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.5))
        self.left, self.right = nn.Linear(8, 2), nn.Linear(8, 1)

    def forward(self, x):
        h = self.body(x)
        return self.left(h), self.right(h)


class Test_Derivatives_that_take_another_run:
    """The function runs again as it is written, from where the call began, and leaves nothing else behind than the call did."""

    def check(self, derive):
        torch.manual_seed(0)
        module = Heads()
        plain, compiled = copy.deepcopy(module), torch.compile(module)
        for i in range(8):
            x, state, found = torch.randn(5, 4), torch.get_rng_state(), []
            for call, own in ((compiled, module), (plain, plain)):
                torch.set_rng_state(state)
                given = x.clone().requires_grad_()
                derive(i, given, *call(given))
                gradients = [p.grad for p in own.parameters()] + [given.grad]
                found.append((list(own.state_dict().values()), gradients, torch.get_rng_state()))
                own.zero_grad()
            (state_a, grads_a, random_a), (state_b, grads_b, random_b) = found
            same(state_a, state_b), same(random_a, random_b)
            for a, b in zip(grads_a, grads_b):
                assert (a is None) == (b is None) and (a is None or torch.allclose(a, b, rtol=1e-4, atol=1e-6))
        replayed(compiled.compiled)

    def test_one_result_of_two(self):
        self.check(lambda i, x, left, right: (left.sum() if i % 2 else right.square().sum()).backward())

    def test_a_graph_of_the_gradient(self):
        def derive(i, x, left, right):
            (gradient,) = torch.autograd.grad(left.sum() + right.sum(), x, create_graph=True)
            gradient.square().sum().backward()

        self.check(derive)

    def test_what_has_changed_since_is_refused(self):
        scale, numbers, w = [2.0], [torch.ones(2)], torch.ones(2, requires_grad=True)

        def second(x, numbers):
            return (x * scale[0] + w).tanh().mul(numbers[0]).sum()

        def change_scale():
            scale[0] += 1

        def change_w():
            with torch.no_grad():
                w.add_(1)

        def change_numbers():
            numbers[0] = torch.zeros(2)

        compiled = torch.compile(second)
        for change in (change_scale, change_w, change_numbers):
            for _ in range(5):
                x = torch.ones(2, requires_grad=True)
                y = compiled(x, numbers)
            assert torch.autograd.grad(y, x, create_graph=True)[0].requires_grad
            y = compiled(x, numbers)
            change()
            with pytest.raises(RuntimeError, match="has changed since the call"):
                torch.autograd.grad(y, x, create_graph=True)
        replayed(compiled)

    def test_a_write_by_another_name_counts(self):
        kept = torch.zeros(3)

        def add(x):
            kept.data.add_(x)
            return x * kept

        compiled = torch.compile(add)
        for i in range(10):
            x = torch.rand(3) if i < 6 else kept
            before, given = kept.clone(), x.clone()
            found = compiled(x)
            expected = before + given
            same(kept, expected)
            same(found, (expected if i >= 6 else given) * expected)
            if i >= 6:
                kept.zero_()
        replayed(compiled)
