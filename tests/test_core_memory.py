"""Long graphs, leaks, errors in the middle of backward, threads, and what notes say."""

import contextlib
import gc
import signal
import subprocess
import sys
import textwrap
import threading
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rushlight as torch

pytestmark = pytest.mark.core
np = pytest.importorskip("numpy")


def test_a_graph_of_a_million_nodes():
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(1_000_000):
        y = y + 1
    y.sum().backward()
    assert x.grad.item() == 1
    del y
    y = x
    for _ in range(1_000_000):
        y = y * 1
    del y
    gc.collect()


def test_a_wide_graph():
    x = torch.ones(1, requires_grad=True)
    total = x * 0
    for _ in range(100_000):
        total = total + x * 2
    total.backward()
    assert x.grad.item() == 200_000


def memory_in_use():
    gc.collect()
    return torch.core.memory_stats()["allocated"]


def test_training_does_not_leak():
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    inputs, targets = torch.randn(16, 4), torch.randn(16, 1)

    def step():
        optimizer.zero_grad()
        ((model(inputs) - targets) ** 2).mean().backward()
        optimizer.step()

    for _ in range(100):
        step()
    before, objects = memory_in_use(), len(gc.get_objects())
    for _ in range(20_000):
        step()
    assert memory_in_use() == before
    assert abs(len(gc.get_objects()) - objects) < 100


def test_cycles_through_a_tensor_are_collected():
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g, y=y: None)
    y.attribute = y
    gone = weakref.ref(y)
    del y
    gc.collect()
    assert gone() is None


@pytest.mark.filterwarnings("ignore:Using backward:UserWarning")
def test_cycles_between_a_leaf_and_its_gradient_are_collected():
    x = torch.ones(3, requires_grad=True)
    (x * x).sum().backward(create_graph=True)
    gone = weakref.ref(x)
    del x
    gc.collect()
    assert gone() is None


def test_an_error_in_a_hook_frees_everything():
    before = memory_in_use()

    def run():
        x = torch.ones(1000, requires_grad=True)
        y = x * 2
        y.register_hook(lambda g: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            (y * y).sum().backward()

    run()
    assert memory_in_use() == before


@pytest.fixture
def interruptible():
    """SIGINT as Python has it, also where a shell has started the tests in the background and so ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_stops_backward():
    x = torch.ones(1, requires_grad=True)
    y = x
    for i in range(20_000):
        y = y * 1
        if i == 19_000:
            y.register_hook(lambda g: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        y.backward()
    (x * 2).backward()
    assert x.grad.item() == 2


def test_out_of_memory_says_how_much_was_asked():
    with pytest.raises(RuntimeError, match=r"can't allocate memory: you tried to allocate 4000000000000000 bytes"):
        torch.empty(10**15)
    assert torch.ones(2).sum().item() == 2


def test_an_in_place_error_names_both_lines():
    x = torch.ones(2, requires_grad=True)
    y = x.exp()  # the op whose result is needed
    y.mul_(2)  # the write
    with pytest.raises(RuntimeError, match="modified by an inplace operation") as caught:
        y.sum().backward()
    notes = "\n".join(caught.value.__notes__)
    assert "y = x.exp()  # the op whose result is needed" in notes
    assert "y.mul_(2)  # the write" in notes


def test_backward_in_several_threads():
    x = torch.ones(50, requires_grad=True)
    failures = []

    def work():
        try:
            for _ in range(100):
                y = x
                for _ in range(20):
                    y = y * 1.0
                (g,) = torch.autograd.grad(y.sum(), x)
                assert g.tolist() == [1.0] * 50
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_one_graph_run_by_several_threads():
    x = torch.ones(10, requires_grad=True)
    y = (x * 2).exp()
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(torch.autograd.grad(y.sum(), x, retain_graph=True)[0])) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4 and all(torch.equal(r, results[0]) for r in results)


# ---------------------------------------------------------------------------------------------------------- properties
shapes = st.lists(st.integers(0, 3), max_size=4)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(shapes, shapes)
def test_broadcasting_is_numpys(a, b):
    left = np.arange(np.prod(a, dtype=int), dtype=np.float64).reshape(a)
    right = np.asarray(np.arange(np.prod(b, dtype=int), dtype=np.float64).reshape(b) + 0.5)
    try:
        expected = np.asarray(left + right)
    except ValueError:
        with pytest.raises(RuntimeError, match="must match the size of tensor b"):
            torch.from_numpy(left) + torch.from_numpy(right)
        return
    found = torch.from_numpy(left) + torch.from_numpy(right)
    assert tuple(found.shape) == expected.shape
    assert np.array_equal(found.numpy(), expected)


def indices(size):
    part = st.one_of(
        st.integers(-size, size - 1),
        st.builds(slice, st.none() | st.integers(-5, 5), st.none() | st.integers(-5, 5), st.none() | st.integers(1, 3)),
        st.none(),
        st.lists(st.integers(-size, size - 1), min_size=1, max_size=3),
    )
    return st.lists(part, max_size=4).map(tuple)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(indices(3))
def test_indexing_is_numpys(index):
    array = np.arange(81.0).reshape(3, 3, 3, 3)
    tensor = torch.from_numpy(array.copy())
    converted = tuple(torch.tensor(i) if isinstance(i, list) else i for i in index)
    used = sum(i is not None for i in index)
    try:
        expected = array[tuple(np.array(i) if isinstance(i, list) else i for i in index)]
    except IndexError:
        with pytest.raises((IndexError, RuntimeError)):
            tensor[converted]
        return
    if any(isinstance(i, list) for i in index) and any(isinstance(i, int) for i in index):
        return  # NumPy counts integers among index arrays, PyTorch does not
    found = tensor[converted]
    assert used <= 4 and np.array_equal(found.numpy(), expected)
    tensor[converted] = -1.0
    array[tuple(np.array(i) if isinstance(i, list) else i for i in index)] = -1.0
    assert np.array_equal(tensor.numpy(), array)


views = st.lists(st.sampled_from(["t", "flip", "narrow", "unsqueeze", "flatten_back", "select", "diagonal", "step"]), max_size=4)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(views)
def test_views_share_memory_and_versions(steps):
    base = torch.arange(36.0).view(6, 6).clone()
    array = base.numpy()
    view, shown = base, array
    for step in steps:
        if view.ndim < 2:
            break
        if step == "t":
            view, shown = view.transpose(0, 1), shown.swapaxes(0, 1)
        elif step == "narrow":
            view, shown = view[:, 1:], shown[:, 1:]
        elif step == "unsqueeze":
            view, shown = view.unsqueeze(1), shown[:, None]
        elif step == "select":
            view, shown = view.select(0, 0) if view.shape[0] else view, shown[0] if shown.shape[0] else shown
        elif step == "diagonal":
            view, shown = view.diagonal(), shown.diagonal()
        elif step == "step":
            view, shown = view[::2], shown[::2]
    assert np.array_equal(view.numpy(), shown)
    before = base._version
    view.fill_(100.0)
    assert base._version == before + 1 == view._version
    assert np.array_equal(base.numpy(), array) and np.all(shown == 100.0)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.data())
def test_sums_undo_broadcasts_in_backward(shape, data):
    cut = [data.draw(st.sampled_from([1, size])) for size in shape][data.draw(st.integers(0, len(shape))) :]
    x = torch.ones(cut, requires_grad=True)
    (torch.ones(shape) * x).sum().backward()
    assert tuple(x.grad.shape) == tuple(cut)
    assert x.grad.sum().item() == np.prod(shape)


# ---- who keeps what ------------------------------------------------------------------------------------------------------
def swapped():
    a, b = torch.ones(3), torch.ones(3)
    while True:
        a.data, b.data = b.data, a.data
        yield


def written():
    a = torch.nn.Parameter(torch.ones(3))
    while True:
        a.data = a.data.clamp_(-1, 1)
        yield


def replaced():
    a = torch.ones(3)
    while True:
        a = a.data
        yield


def exported():
    a = torch.ones(3)
    while True:
        a = torch.from_dlpack(a)
        yield


def set_to():
    a, b = torch.ones(3), torch.ones(3)
    while True:
        a.set_(b.data)
        b.set_(a.detach())
        yield


@pytest.mark.parametrize("steps", [swapped, written, replaced, exported, set_to])
def test_memory_knows_its_owner(steps):
    running = steps()
    for _ in range(100):
        next(running)
    before, objects = memory_in_use(), len(gc.get_objects())
    for _ in range(20_000):
        next(running)
    assert memory_in_use() == before
    assert len(gc.get_objects()) < objects + 100


def gradients(length):
    a = torch.ones(1)
    for _ in range(length):
        b = torch.ones(1)
        b.grad = a
        a = b
    return a


def arrays(length):
    a = torch.ones(1)
    for _ in range(length):
        a = torch.from_numpy(a.numpy())
    return a


def foreign_capsules(length):
    class Exporter:
        def __init__(self, tensor):
            self.array = tensor.numpy()

        def __dlpack__(self, **_):
            return self.array.__dlpack__()

        def __dlpack_device__(self):
            return (1, 0)

    a = torch.ones(1)
    for _ in range(length):
        a = torch.from_dlpack(Exporter(a))
    return a


def mixed(length):
    a = torch.ones(1)
    for i in range(length):
        b = torch.from_numpy(a.numpy()) if i % 2 else torch.ones(1)
        b.grad = a
        b.kept = a
        a = b * torch.ones(1, requires_grad=True) if i % 3 == 0 else b
        if a is not b:
            a.kept = b
            a = a.detach()
            a.grad = b
    return a


@pytest.mark.parametrize("chain", [gradients, arrays, foreign_capsules, mixed])
def test_long_chains_are_freed(chain):
    before = memory_in_use()
    a = chain(50_000)
    a = None
    assert a is None and memory_in_use() == before


def test_chains_are_freed_in_a_cycle():
    before = memory_in_use()
    a = gradients(1000)
    a.itself = a
    a = None
    assert a is None and memory_in_use() == before


class Moves:
    """A number that gives other tensors other memory when it is asked for."""

    def __init__(self, *tensors):
        self.tensors = tensors

    def move(self):
        for x in self.tensors:
            x.resize_(100_000)

    def __index__(self):
        self.move()
        return 1

    def __float__(self):
        self.move()
        return 1.0


class MovesFloat(float):
    def __float__(self):
        raise AssertionError("a float is read as it is")


def test_numbers_that_move_memory():
    for call in (
        lambda x, n: torch.roll(x, n),
        lambda x, n: x.select(0, n),
        lambda x, n: x[n],
        lambda x, n: x.narrow(0, n, 1),
        lambda x, n: torch.tensor([n, x[0]], dtype=torch.float64),
        lambda x, n: torch.full((2,), 1.0).index_fill(0, torch.tensor([0]), n),
        lambda x, n: x.add(n),
        lambda x, n: x.clamp(n),
        lambda x, n: x.new_zeros(n),
    ):
        x = torch.ones(3)
        with contextlib.suppress(TypeError, RuntimeError, IndexError, ValueError):  # (where it is no number for that op)
            call(x, Moves(x))
        assert x.flatten()[:3].tolist() == [1.0] * 3
    assert torch.tensor([MovesFloat(2.0)]).tolist() == [2.0]


class Shrinks:
    def __init__(self):
        self.holder = [self, *[3] * 10]

    def __index__(self):
        self.holder.clear()
        gc.collect()
        return 2


def test_sizes_that_shrink_while_they_are_read():
    for call in (
        torch.empty,
        torch.zeros,
        torch.ones(64).view,
        torch.ones(64).reshape,
        torch.ones(2).expand,
        torch.ones(2).repeat,
        torch.ones(3, 2).permute,
        torch.ones(3, 2).sum,
        torch.ones(3, 2).flip,
        torch.ones(11).split,
        lambda sizes: torch.ones(64).as_strided(sizes, (1,) * 11),
        lambda sizes: torch.empty_strided(sizes, (1,) * 11),
        lambda sizes: torch.ones(3, 2)[sizes],
        torch.tensor,
    ):
        shrinking = Shrinks()
        with contextlib.suppress(TypeError, RuntimeError, IndexError, ValueError):  # PyTorch reads freed memory here
            call(shrinking.holder)


def test_endless_sequences():
    class Endless:
        def __len__(self):
            return 3

        def __getitem__(self, place):
            return 1.0

    with pytest.raises(ValueError, match="expected sequence of length 3 at dim 0"):
        torch.tensor(Endless())


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(-2, 2**63 - 1) | st.integers(0, 5), max_size=4),
    strides=st.lists(st.integers(-2, 2**63 - 1) | st.integers(0, 5), max_size=4),
    offset=st.integers(-2, 2**63 - 1) | st.integers(0, 20),
    dtype=st.sampled_from(["int8", "float32", "complex128"]),
)
def test_no_geometry_leaves_its_memory(sizes, strides, offset, dtype):
    strides = (strides + [1] * 4)[: len(sizes)]
    x = torch.zeros(24, dtype=getattr(torch, dtype))

    def last(y):
        reached = y.storage_offset() + sum((size - 1) * stride for size, stride in zip(y.shape, y.stride()))
        return 0 if y.numel() == 0 else (reached + 1) * y.itemsize

    for make in (
        lambda: x.as_strided(sizes, strides, offset),
        lambda: x.detach().set_(x.untyped_storage(), offset, sizes, strides) if max([offset, *sizes, *strides]) > 2**40 else x,
        lambda: x.view(sizes),
        lambda: x[:1].expand(sizes),
        lambda: torch.empty_strided(sizes, strides, dtype=x.dtype),
        lambda: torch.empty(sizes, dtype=x.dtype),
        lambda: x[offset % 24 :].resize_(sizes),
    ):
        try:
            y = make()
        except (RuntimeError, TypeError, ValueError):
            continue
        assert last(y) <= len(y.untyped_storage()) and y.storage_offset() >= 0
        expected = 1
        for size in y.shape:
            expected *= size
        assert y.numel() == expected < 2**63


def test_blocks_are_not_read_after_they_are_freed():
    """Nothing to see here in an ordinary build; under AddressSanitizer freed blocks are poisoned, and so is what lies behind a tensor."""
    rng = np.random.default_rng(0)
    kept = []
    for _ in range(2000):
        size = int(rng.integers(1, 3000))
        x = torch.full((size,), 2.0)
        kept.append((x * x + x).sum())
        if len(kept) > 20:
            del kept[:: int(rng.integers(1, 4))]
    assert all(float(total) == 6.0 * round(float(total) / 6) for total in kept)


def test_the_core_refuses_none():
    """None in the place of a tensor (or whatever else the core's functions take) is refused, not read."""
    program = """
        from rushlight import core
        for name in sorted(dir(core)):
            called = getattr(core, name)
            if callable(called) and not isinstance(called, type) and not name.startswith("__"):
                for count in range(1, 5):
                    try:
                        called(*[None] * count)
                    except Exception:
                        pass
    """
    finished = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr


def test_methods_refuse_other_objects(tmp_path):
    """A method of a compiled class, called through the class, does not take an object of another for its own."""
    program = """
        import rushlight
        from rushlight import core
        for kind in [value for value in vars(core).values() if isinstance(value, type)]:
            for name in dir(kind):
                method = getattr(kind, name, None)
                if callable(method) and not isinstance(method, type) and not isinstance(getattr(method, "__self__", None), type):
                    for given in ((3,), (None,), ("x", 3), (object(), 1, 2)):
                        try:
                            method(*given)
                        except Exception:
                            pass
    """
    command = [sys.executable, "-W", "ignore", "-c", textwrap.dedent(program)]
    # (A file called x may come of it.)
    finished = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
