"""Datasets, samplers, and loaders with workers: what they give, how they fail, and that no process is left."""

import faulthandler
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

import rushlight
from rushlight.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    get_worker_info,
    random_split,
)
from rushlight.utils.data._utils.channel import Channel, wait

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


@pytest.fixture(autouse=True)
def no_process_is_left():
    yield
    gc.collect()  # (tracebacks hold iterators)
    assert multiprocessing.active_children() == []


def seeded(number=0):
    return rushlight.Generator().manual_seed(number)


def test_samplers_draw_what_pytorch_draws():
    assert list(RandomSampler(range(7), generator=seeded())) == [4, 0, 5, 3, 2, 6, 1]
    assert list(RandomSampler(range(5), replacement=True, num_samples=6, generator=seeded())) == [4, 4, 3, 0, 3, 4]
    assert list(WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0], 5, True, seeded())) == [4, 4, 4, 4, 4]
    assert [list(part) for part in random_split(range(10), [3, 7], seeded(42))] == [[2, 6, 1], [8, 4, 5, 0, 9, 3, 7]]


class Failing(Dataset):
    def __init__(self, fail):
        self.fail = fail

    def __len__(self):
        return 6

    def __getitem__(self, index):
        if index == 3:
            self.fail()
        return index


def raise_key_error():
    raise KeyError("this key")


class OfTwo(Exception):
    def __init__(self, first, second):
        super().__init__(first, second)


def raise_of_two():
    raise OfTwo(1, 2)


def test_an_error_of_a_worker_has_its_traceback_and_the_pass_goes_on():
    batches = iter(DataLoader(Failing(raise_key_error), batch_size=2, num_workers=2))
    assert next(batches).tolist() == [0, 1]
    with pytest.raises(KeyError) as raised:
        next(batches)
    text = str(raised.value)
    assert text.startswith("Caught KeyError in DataLoader worker process 1.\nOriginal Traceback (most recent call last):\n")
    assert "in raise_key_error\n" in text and text.endswith("KeyError: 'this key'\n")
    assert next(batches).tolist() == [4, 5]
    with pytest.raises(StopIteration):
        next(batches)


def test_an_error_that_a_text_does_not_make_is_a_runtime_error():
    with pytest.raises(RuntimeError, match=r"Caught OfTwo in DataLoader worker process 0\.\nOriginal Traceback"):
        list(DataLoader(Failing(raise_of_two), num_workers=1))


def test_an_error_of_the_workers_function():
    def fail(number):
        raise ValueError(f"worker {number}")

    with pytest.raises(ValueError, match=r"(?s)Caught ValueError in DataLoader worker process 0.*worker 0"):
        list(DataLoader(range(4), num_workers=1, worker_init_fn=fail))


def test_a_batch_that_does_not_pickle_is_an_error():
    batches = iter(DataLoader(range(4), num_workers=1, batch_size=2, collate_fn=lambda batch: lambda: batch))
    with pytest.raises(Exception, match="in DataLoader worker process 0"):
        next(batches)


def bus_error():
    faulthandler.disable()  # (its report would stand in the log of a test that passes)
    os.kill(os.getpid(), signal.SIGBUS)


@pytest.mark.parametrize(
    "end, cause",
    [
        (lambda: os._exit(3), "exited unexpectedly with exit code 3. Details are lost due to multiprocessing."),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "is killed by signal: Killed. "),
        (bus_error, "workers are out of shared memory"),
    ],
)
@pytest.mark.parametrize("in_order", [True, False])
def test_the_end_of_a_worker_is_an_error(end, cause, in_order):
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly") as raised:
        list(DataLoader(Failing(end), num_workers=2, in_order=in_order))
    assert cause in str(raised.value.__cause__)


def test_timeout():
    batches = iter(DataLoader(Failing(lambda: time.sleep(1.5)), num_workers=1, timeout=0.5))
    assert [next(batches).item() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(RuntimeError, match=r"DataLoader timed out after 0\.5 seconds"):
        next(batches)
    del batches


def test_any_order():
    class Slow(Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            if index == 0:
                time.sleep(1.0)
            return index

    batches = [batch.item() for batch in DataLoader(Slow(), num_workers=2, in_order=False)]
    assert sorted(batches) == list(range(6))
    assert batches[0] != 0


def test_workers_that_stay_begin_again():
    loader = DataLoader(range(100), batch_size=2, num_workers=2, persistent_workers=True)
    whole = [batch.tolist() for batch in loader]
    workers = loader._iterator._workers
    batches = iter(loader)
    assert [next(batches).tolist() for _ in range(3)] == whole[:3]
    assert [batch.tolist() for batch in loader] == whole
    assert loader._iterator._workers is workers and all(worker.is_alive() for worker in workers)


def test_what_a_socket_does_not_hold_is_sent_all_the_same():
    big = [[float(number)] * 50_000 for number in range(12)]
    loader = DataLoader(big, batch_size=1, num_workers=2, prefetch_factor=6, collate_fn=lambda batch: batch)
    assert [batch[0] for batch in loader] == big
    order = list(range(300_000))
    assert list(DataLoader(range(300_000), batch_sampler=[order] * 6, num_workers=2, collate_fn=sum)) == [sum(order)] * 6


def test_channels():
    first, second = Channel.pair()
    assert wait([first, second], 0) == []
    sent = [b"x" * 3_000_000, "small", list(range(1000))]
    for value in sent:
        first.send(value)
    with pytest.raises(Exception, match="pickle"):
        first.send(lambda: 0)
    assert wait([first, second], 1) == [second]
    assert [second.receive() for _ in sent] == sent
    first.end()
    with pytest.raises(EOFError):
        second.receive()
    second.close()


def test_each_worker_has_a_part_of_an_iterable_dataset():
    class Numbers(IterableDataset):
        def __iter__(self):
            info = get_worker_info()
            return iter(range(info.id, 10, info.num_workers))

    assert [batch.tolist() for batch in DataLoader(Numbers(), batch_size=2, num_workers=2)] == [
        [0, 2],
        [1, 3],
        [4, 6],
        [5, 7],
        [8],
        [9],
    ]


def test_datasets_in_datasets():
    data = TensorDataset(rushlight.arange(4), rushlight.arange(4) * 2)
    joined = ConcatDataset([data, Subset(data, [2])])
    assert len(joined) == 5 and joined[4] == joined[-1] == (2, 4) == joined[2]
    assert list(BatchSampler(Subset(range(9), range(3, 8)), 2, True)) == [[3, 4], [5, 6]]


PROGRAM = """
import signal, sys, time
import torch
from torch.utils.data import DataLoader, Dataset

class Slow(Dataset):
    def __len__(self):
        return 1000
    def __getitem__(self, index):
        time.sleep(0.02)
        return torch.tensor(index)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # (a shell has what it runs in the background ignore it)
    loader = DataLoader(Slow(), num_workers=2, multiprocessing_context=sys.argv[1], persistent_workers=True)
    batches = iter(loader)
    print(next(batches).item(), *(worker.pid for worker in batches._workers), flush=True)
    for batch in batches:
        pass
"""


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    "context, number",
    [("fork", signal.SIGINT), ("fork", signal.SIGKILL), ("spawn", signal.SIGINT), ("forkserver", signal.SIGTERM)],
)
def test_no_worker_outlives_the_program(tmp_path, context, number):
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, "-m", "rushlight", "program.py", context]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        first, *workers = map(int, program.stdout.readline().split())
        assert first == 0 and all(map(alive, workers))
        program.send_signal(number)
        said = program.stderr.read()
        assert program.wait() == -number
    assert ("KeyboardInterrupt" in said) == (number == signal.SIGINT)
    until = time.monotonic() + 8
    while any(map(alive, workers)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(alive, workers))
