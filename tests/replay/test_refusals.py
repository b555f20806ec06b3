"""What cannot be done again runs as it is written."""

import itertools
import warnings

import pytest

import rushlight as torch
from rushlight import nn

from .cases import Counter, replayed, same

pytestmark = pytest.mark.core


last = None


def write_global(x):
    global last
    y = x * 2
    last = y
    return y


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

    def test_globals_are_written(self):
        compiled = torch.compile(write_global)
        for _ in range(8):
            globals()["last"] = None
            x = compiled(torch.ones(1))
            assert torch.equal(last, x)

    def test_warnings(self):
        def warned(x):
            warnings.warn("seen", stacklevel=1)
            return x

        for function in (warned, lambda x: nn.functional.mse_loss(x, torch.ones(3)), lambda x: torch.tensor(x)):
            compiled = torch.compile(function)
            for _ in range(8):
                with pytest.warns(UserWarning):
                    compiled(torch.ones(3, 1))

    def test_modes_are_left_otherwise(self):
        def closed(x):
            torch.set_grad_enabled(False)
            return x * 2

        def doubled(x):
            torch.set_default_dtype(torch.float64)
            return x * 2

        try:
            for function, seen in ((closed, torch.is_grad_enabled), (doubled, torch.get_default_dtype)):
                before, compiled = seen(), torch.compile(function)
                for _ in range(8):
                    torch.set_grad_enabled(True), torch.set_default_dtype(torch.float32)
                    compiled(torch.ones(3))
                    assert seen() != before
        finally:
            torch.set_grad_enabled(True), torch.set_default_dtype(torch.float32)

    def test_hooks_on_the_way(self):
        seen = []

        def hooked(x):
            y = x * 2
            y.register_hook(seen.append)
            return y.sum()

        compiled = torch.compile(hooked)
        for i in range(8):
            loss = compiled(torch.ones(3, requires_grad=True))
            assert len(seen) == i
            loss.backward()
            assert len(seen) == i + 1

        def tripled(x):
            y = x * 2
            y.register_hook(lambda g: g * 3)
            return y

        def kept(x):
            y = x * 2
            y.retain_grad()
            return y, y * 3

        compiled, with_grad = torch.compile(tripled), torch.compile(kept)
        for _ in range(8):
            x = torch.ones(3, requires_grad=True)
            compiled(x).sum().backward()
            assert x.grad.tolist() == [6.0] * 3
            y, z = with_grad(x)
            z.sum().backward()
            assert y.grad.tolist() == [3.0] * 3

    def test_the_backward_of_a_function_runs_when_it_is_asked_for(self):
        class Counted(torch.autograd.Function):
            runs = 0
            scale = 2.0

            @staticmethod
            def forward(ctx, x):
                return x * 2

            @staticmethod
            def backward(ctx, g):
                Counted.runs += 1
                return g * Counted.scale

        compiled = torch.compile(lambda x: Counted.apply(x).sum())
        for i in range(8):
            x = torch.ones(3, requires_grad=True)
            loss = compiled(x)
            assert Counted.runs == i
            Counted.scale = float(i)
            loss.backward()
            assert Counted.runs == i + 1 and x.grad.tolist() == [float(i)] * 3

    def test_what_is_returned_is_known_or_carries_notes(self):
        known = [1, 2]

        def noted(x):
            y = x * 2
            y.note = 3
            return y

        listed, given, notes = (
            torch.compile(lambda x: (x + 1, known)),
            torch.compile(lambda x, y: (x + 1, y)),
            torch.compile(noted),
        )
        for _ in range(8):
            assert listed(torch.ones(1))[1] is known
            assert given(torch.ones(1), known)[1] is known
            assert notes(torch.ones(1)).note == 3
