"""What changes between the calls is noticed."""

import array
import ctypes
import dataclasses
import enum
import functools
import operator
import os
import sys
import threading
import types
import typing
import weakref

import pytest

import rushlight as torch
from rushlight import nn

from .cases import Counter, replayed, same

F = nn.functional

pytestmark = pytest.mark.core


SCALE = 2.0
LIST = [1.0]


def read_globals(x):
    return x * SCALE + LIST[0]


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

    def test_methods_of_tensors_are_replaced(self):
        compiled = torch.compile(lambda x: x.mul(2) + x)
        x = torch.rand(3)
        for _ in range(6):
            same(compiled(x), 3 * x)
        kept, torch.Tensor.mul = torch.Tensor.mul, lambda self, other: self - other
        try:
            same(compiled(x), x - 2 + x)
        finally:
            torch.Tensor.mul = kept
        same(compiled(x), 3 * x)

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


class Settings(types.SimpleNamespace):
    """A class of the program's, for objects that hold what is put there."""


@pytest.fixture
def module(monkeypatch):
    """A module of the program's with a number in it."""
    made = types.ModuleType("program_settings")
    made.scale = 1.0
    monkeypatch.setitem(sys.modules, "program_settings", made)
    return made


class Test_State_in_places_of_every_kind:
    """A number is read from somewhere and grows between the calls: the calls see it."""

    def check(self, read, owner, name="scale", get=getattr, put=setattr, replays=True):
        compiled = torch.compile(lambda x: x * read())
        for i in range(10):
            if i % 5 == 4:
                put(owner, name, get(owner, name) + 1)
            assert compiled(torch.ones(1)).item() == get(owner, name)
        assert (compiled.replays > 0) == replays

    def test_of_a_module(self, module):
        holder, listed, key, reader = Settings(held=module), [module], "scale", operator.attrgetter("scale")

        def imported():
            import program_settings

            return program_settings.scale

        def imported_from():
            from program_settings import scale

            return scale

        self.check(lambda: module.scale, module)
        self.check(imported, module)
        self.check(imported_from, module)
        self.check(lambda: holder.held.scale, module)
        self.check(lambda: listed[0].scale, module)
        self.check(lambda: getattr(module, key), module)
        self.check(lambda: getattr(module, "sc" + "ale"), module)
        self.check(lambda: module.__dict__["scale"], module)
        self.check(lambda: reader(module), module, replays=False)
        self.check(lambda: vars(module)["scale"], module, replays=False)
        compiled = torch.compile(lambda x, given: x * given.scale)
        for i in range(9):
            module.scale = i // 4
            assert compiled(torch.ones(1), module).item() == i // 4

    def test_behind_a_weak_reference(self):
        owner = Settings(scale=1.0)
        weak = weakref.ref(owner)
        self.check(lambda: weak().scale, owner)

    def test_in_an_object_written_in_c(self):
        numbers, number, local = array.array("d", [1.0]), ctypes.c_double(1.0), threading.local()
        local.scale = 1.0
        self.check(lambda: numbers[0], numbers, 0, operator.getitem, operator.setitem, replays=False)
        self.check(lambda: number.value, number, "value", replays=False)
        self.check(lambda: local.scale, local, replays=False)

    def test_as_an_attribute_of_a_value(self):
        class Number(int):
            pass

        class Text(str):
            pass

        class Table(dict):
            pass

        class Choice(enum.Enum):
            FIRST = 1

        def function():
            pass

        for owner in (Number(1), Text(), Table(), Choice.FIRST, function, torch.ones(1), nn.Parameter(torch.ones(1))):
            owner.scale = 1.0
            self.check(lambda owner=owner: owner.scale, owner)

    def test_as_an_attribute_of_a_metaclass(self):
        class Meta(type):
            scale = 1.0

        class Thing(metaclass=Meta):
            pass

        self.check(lambda: Thing.scale, Meta)

    def test_in_plain_containers_of_numbers(self):
        class Pair(typing.NamedTuple):
            first: list
            second: float = 1.0

        @dataclasses.dataclass(frozen=True)
        class Frozen:
            inner: list

        @dataclasses.dataclass(slots=True)
        class Slotted:
            scale: float

        numbers, slotted, space = [1.0], Slotted(1.0), types.SimpleNamespace(scale=1.0)
        pair, frozen, proxy = Pair(numbers), Frozen(numbers), types.MappingProxyType({"a": numbers})
        self.check(lambda: slotted.scale, slotted)
        self.check(lambda: space.scale, space)
        for read in (lambda: pair.first[0], lambda: frozen.inner[0], lambda: proxy["a"][0]):
            self.check(read, numbers, 0, operator.getitem, operator.setitem)

    def test_in_the_environment(self, monkeypatch):
        monkeypatch.setenv("PROGRAM_SCALE", "1")
        put = lambda owner, name, value: owner.__setitem__(name, str(value))  # noqa: E731
        get = lambda owner, name: int(owner[name])  # noqa: E731
        self.check(lambda: int(os.environ["PROGRAM_SCALE"]), os.environ, "PROGRAM_SCALE", get, put)

    def test_kept_results(self):
        numbers = [1.0]

        @functools.lru_cache(None)
        def kept():
            return numbers[0]

        compiled = torch.compile(lambda x: x * kept())
        for i in range(12):
            numbers[0] = float(i)
            if i % 3 == 0:
                kept.cache_clear()
            assert compiled(torch.ones(1)).item() == i // 3 * 3

    def test_the_order_of_a_dict(self):
        table = {"a": torch.tensor(1.0), "b": torch.tensor(2.0)}

        def fold(x):
            for key in table:
                x = x * table[key] + table[key]
            return x

        def change(i):
            if i == 6:
                table["a"] = table.pop("a")

        compiled = torch.compile(fold)
        for i in range(12):
            change(i)
            same(compiled(torch.ones(2)), fold(torch.ones(2)))
        replayed(compiled)

    def test_the_number_of_threads(self):
        before = torch.get_num_threads()
        compiled = torch.compile(lambda x: x * torch.get_num_threads())
        try:
            for i in range(8):
                torch.set_num_threads(1 + i // 5)
                assert compiled(torch.ones(1)).item() == 1 + i // 5
        finally:
            torch.set_num_threads(before)


class Test_Attributes_of_arguments:
    def test_are_read(self):
        compiled = torch.compile(lambda x: x * getattr(x, "scale", 1))
        for i in range(12):
            x = torch.ones(1)
            if i % 4:
                x.scale = i
            assert compiled(x).item() == (i if i % 4 else 1)

    def test_are_written(self):
        def mark(x):
            x.seen = True
            return x + 1

        compiled = torch.compile(mark)
        for _ in range(8):
            x = torch.ones(1)
            compiled(x)
            assert x.seen
