"""Tensors in memory that processes share, and how processes that run one function fail."""

import faulthandler
import gc
import importlib
import os
import pickle
import signal
import sys
import threading
import weakref

import pytest

import rushlight
import rushlight.multiprocessing as mp
from rushlight import core
from rushlight.utils.data import DataLoader, TensorDataset

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture(params=["file_descriptor", "file_system"])
def strategy(request):
    before = mp.get_sharing_strategy()
    mp.set_sharing_strategy(request.param)
    names = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    yield request.param
    mp.set_sharing_strategy(before)
    gc.collect()
    ours = {name for name in os.listdir("/dev/shm") if name.startswith(f"torch_{os.getpid()}_")} if names else set()
    assert ours <= names


def test_every_tensor_over_the_memory_goes_along():
    x = rushlight.arange(6.0, requires_grad=True)
    view, data, array = x.detach()[2:], x.data, x.detach().numpy()
    buffer = memoryview(x.untyped_storage())
    assert not x.is_shared()
    assert x.share_memory_() is x
    assert x.is_shared() and view.is_shared() and data.is_shared() and x.untyped_storage().is_shared()
    view += 10
    assert x.tolist() == data.tolist() == [0, 1, 12, 13, 14, 15]
    # What others hold is where it was.
    assert array.tolist() == [0, 1, 2, 3, 4, 5] and buffer.nbytes == 24 and bytes(buffer[8:12]) == b"\0\0\0@"
    address = x.data_ptr()
    assert x.share_memory_().data_ptr() == address
    (x * x).sum().backward()
    assert x.grad.tolist() == [0, 2, 24, 26, 28, 30]
    with pytest.raises(RuntimeError, match="Trying to resize storage that is not resizable"):
        x.untyped_storage().resize_(1000)


def test_modules_and_storages():
    module = rushlight.nn.Linear(2, 2)
    parameters = list(module.parameters())
    assert module.share_memory() is module
    assert list(map(id, module.parameters())) == list(map(id, parameters)) and all(one.is_shared() for one in parameters)
    assert rushlight.UntypedStorage._new_shared(4).is_shared()
    assert not rushlight.ones(0).share_memory_().is_shared()
    storage = rushlight.UntypedStorage([1, 2, 3]).share_memory_()
    descriptor, size = storage._share_fd_cpu_()
    second = rushlight.UntypedStorage._new_shared_fd_cpu(descriptor, size)
    os.close(descriptor)
    second[0] = 7
    assert storage.tolist() == [7, 2, 3]


def test_memory_goes_with_its_last_tensor():
    x = rushlight.ones(3).share_memory_()
    memory = weakref.ref(core.mapped_file(x.untyped_storage()))
    y = x[1:]
    del x
    assert memory() is not None and y.tolist() == [1, 1]
    del y
    assert memory() is None


def test_memory_moves_while_another_thread_computes():
    x = rushlight.ones(3_000_000)
    stop = threading.Event()

    def compute():
        while not stop.is_set():
            x.sqrt_()

    thread = threading.Thread(target=compute)
    thread.start()
    other = threading.Thread(target=x.share_memory_)
    other.start()
    other.join()
    stop.set()
    thread.join()
    assert x.is_shared() and bool((x == 1).all())


def answer(requests, answers, shared):
    for x in iter(requests.get, None):
        answers.put((type(x).__name__, x.dtype, x.size(), x.stride(), x.requires_grad, x.is_shared()))
        with rushlight.no_grad():
            x.fill_(1)
    shared.fill_(5)
    made = rushlight.arange(3)
    answers.put(made)
    requests.get()


def test_what_is_sent_is_shared(strategy):
    context = mp.get_context("fork")
    requests, answers = context.Queue(), context.Queue()
    shared = rushlight.zeros(2).share_memory_()
    process = context.Process(target=answer, args=(requests, answers, shared), daemon=True)
    process.start()
    sent = [
        rushlight.zeros(3),
        rushlight.zeros(2, 3).t(),
        rushlight.zeros(4, dtype=rushlight.uint16)[1:],
        rushlight.zeros((), dtype=rushlight.bfloat16),
        rushlight.zeros(2, requires_grad=True),
        rushlight.nn.Parameter(rushlight.zeros(2)),
    ]
    for x in sent:
        requests.put(x)
        assert answers.get() == (type(x).__name__, x.dtype, x.size(), x.stride(), x.requires_grad, True)
        assert x.is_shared()
    conjugate = rushlight.tensor([1 + 2j]).conj()
    requests.put(conjugate)
    assert answers.get()[1] is rushlight.complex64
    requests.put(None)
    made = answers.get()
    assert made.is_shared() and made.tolist() == [0, 1, 2]
    requests.put(None)
    process.join()
    assert process.exitcode == 0
    assert all(bool((x == 1).all()) for x in sent) and shared.tolist() == [5, 5]


def test_what_comes_back_is_the_storage_that_was_sent(strategy):
    x = rushlight.arange(6.0).reshape(2, 3)
    sent = [x.untyped_storage(), x, x[1], x[:, 1]]
    queue = mp.Queue()
    queue.put(sent)
    first, *views = queue.get(timeout=20)
    assert first is sent[0] and all(view.untyped_storage() is first for view in views)
    assert all(a.equal(b) for a, b in zip(views, sent[1:]))


def test_tensors_without_memory_are_sent_as_their_geometry():
    from multiprocessing.reduction import ForkingPickler

    whole = rushlight.ones(3, 4, device="meta")
    for sent in (whole[:, 1:], rushlight.nn.Parameter(whole), whole.clone().requires_grad_(), whole[:0]):
        came = pickle.loads(ForkingPickler.dumps(sent))
        assert type(came) is type(sent) and came.is_meta and came.requires_grad == sent.requires_grad
        assert (came.shape, came.stride(), came.storage_offset()) == (sent.shape, sent.stride(), sent.storage_offset())
        assert came.untyped_storage().nbytes() == sent.untyped_storage().nbytes()


def test_what_is_in_a_graph_is_not_sent():
    x = rushlight.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="Cowardly refusing to serialize non-leaf tensor which requires_grad"):
        mp.reductions.reduce_tensor(x)


def test_workers_batches_are_shared(strategy):
    data = TensorDataset(rushlight.arange(300), rushlight.zeros(300, 2))
    batches = list(DataLoader(data, batch_size=1, num_workers=2, collate_fn=lambda samples: samples))
    assert [batch[0][0].item() for batch in batches] == list(range(300))
    batches = list(DataLoader(data, batch_size=64, num_workers=2))
    assert all(x.is_shared() and y.is_shared() for x, y in batches)
    many = next(iter(DataLoader(range(1), num_workers=1, collate_fn=lambda samples: [rushlight.ones(1) for _ in range(300)])))
    assert len(many) == 300 and all(x.item() == 1 for x in many)


def double(x):
    return x * 2


def test_pools():
    with mp.get_context("fork").Pool(2) as pool:
        assert [x.tolist() for x in pool.map(double, [rushlight.ones(2), rushlight.arange(3)])] == [[2, 2], [0, 2, 4]]


def fail(index, how):
    if index == 1:
        how()
    threading.Event().wait()


def fail_by_value():
    raise ValueError("the second one")


def segfault():
    faulthandler.disable()  # (its report would stand in the log of a test that passes)
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize(
    "how, kind, text",
    [
        (
            fail_by_value,
            mp.ProcessRaisedException,
            r"\n\n-- Process 1 terminated with the following error:\nTraceback .*\nValueError: the second one\n",
        ),
        (lambda: os._exit(7), mp.ProcessExitedException, "process 1 terminated with exit code 7"),
        (segfault, mp.ProcessExitedException, "process 1 terminated with signal SIGSEGV"),
    ],
)
def test_how_processes_fail(how, kind, text):
    with pytest.raises(kind, match="(?s)" + text) as raised:
        mp.start_processes(fail, (how,), nprocs=2, start_method="fork")
    assert raised.value.error_index == 1 and raised.value.error_pid > 0
    if kind is mp.ProcessExitedException:
        assert (raised.value.exit_code, raised.value.signal_name) in ((7, None), (-signal.SIGSEGV, "SIGSEGV"))
    assert mp.active_children() == []


@pytest.fixture
def put(tmp_path, monkeypatch):
    """A function that new processes can import: files of tests, as `pytest` loads them, are on no path."""
    (tmp_path / "putting.py").write_text("def put(index, shared):\n    shared[index] = index + 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("putting").put
    del sys.modules["putting"]


def test_spawn(put):
    shared = rushlight.zeros(2).share_memory_()
    assert mp.spawn(put, (shared,), nprocs=2) is None
    assert shared.tolist() == [1, 2]
    context = mp.spawn(put, (shared,), nprocs=1, join=False)
    assert len(context.pids()) == 1
    while not context.join():
        pass
    with pytest.warns(FutureWarning, match="only supports start_method=spawn"):
        mp.spawn(put, (shared,), nprocs=1, start_method="fork")


def test_names_of_multiprocessing():
    import multiprocessing

    assert all(getattr(mp, name) == getattr(multiprocessing, name) for name in multiprocessing.__all__)
    assert mp.get_all_sharing_strategies() == {"file_descriptor", "file_system"}
    with pytest.raises(AssertionError, match="invalid sharing strategy 'no', expected one of"):
        mp.set_sharing_strategy("no")


def test_files_in_memory(tmp_path):
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(8)))
    shared = rushlight.UntypedStorage.from_file(path, shared=True, nbytes=8)
    private = rushlight.UntypedStorage.from_file(path, shared=False, nbytes=4)
    assert shared.is_shared() and shared.filename == str(path) and private.filename is None
    shared[0], private[1] = 9, 7
    assert path.read_bytes() == b"\x09\1\2\3\4\5\6\7" and private.tolist() == [9, 7, 2, 3]
    with pytest.raises(RuntimeError, match="unable to mmap 8 bytes from file"):
        core.MappedFile(os.open(path, os.O_RDONLY), 8)


def test_a_process_records_its_error(tmp_path, monkeypatch):
    import json

    from rushlight.distributed.elastic.multiprocessing.errors import record

    @record
    def fails(x):
        return 1 / x

    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))
    assert fails(2) == 0.5 and not (tmp_path / "error.json").exists()
    with pytest.raises(ZeroDivisionError):
        fails(0)
    told = json.loads((tmp_path / "error.json").read_text())["message"]
    assert told["message"] == "ZeroDivisionError: division by zero" and "fails" in told["extraInfo"]["py_callstack"]
