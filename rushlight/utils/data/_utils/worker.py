"""What runs in a worker of a `DataLoader`: it fetches the batches whose indices it is sent, until it is told to stop."""

import importlib.util
import os
import random
from dataclasses import dataclass

import rushlight
from rushlight._utils import ExceptionWrapper
from rushlight.utils.data._utils import MP_STATUS_CHECK_INTERVAL
from rushlight.utils.data._utils.channel import wait


@dataclass(frozen=True)
class _RNG:
    """Generators of a worker that shares its process with others."""

    random_generator: random.Random
    torch_generator: "rushlight.Generator"
    numpy_generator: object | None = None


@dataclass(frozen=True)
class WorkerInfo:
    """What `get_worker_info` says: the worker's number among `num_workers`, its seed, and its copy of the dataset."""

    id: int
    num_workers: int
    seed: int
    dataset: object
    rng: _RNG | None = None
    worker_method: str | None = "multiprocessing"


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """In a worker of a `DataLoader`, which one it is; in the main process None.

    An `IterableDataset` chooses its part by it: `itertools.islice(samples, info.id, None, info.num_workers)`.

    >>> from rushlight.utils.data import get_worker_info
    >>> get_worker_info() is None
    True
    """
    return _worker_info


@dataclass(frozen=True)
class _IterableDatasetStopIteration:
    """A worker's answer where its dataset has no more samples."""

    worker_id: int


@dataclass(frozen=True)
class _ResumeIteration:
    """Asks a persistent worker to start again, and is its answer that it has."""

    seed: int | None = None


def _generate_state(base_seed: int, worker_id: int) -> list[int]:
    """Four numbers of 32 bits to seed NumPy with."""
    import numpy

    return numpy.random.SeedSequence([worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]).generate_state(4).tolist()


def _seed_everything(base_seed: int, worker_id: int) -> None:
    seed = base_seed + worker_id
    random.seed(seed)
    rushlight.manual_seed(seed)
    if importlib.util.find_spec("numpy") is not None:
        import numpy

        numpy.random.seed(_generate_state(base_seed, worker_id))


def _worker_loop(
    dataset_kind,
    dataset,
    channel,
    not_its_own,
    auto_collation,
    collate_fn,
    drop_last,
    base_seed,
    init_fn,
    worker_id,
    num_workers,
):
    """Answers each (number, index) with (number, batch), or with what went wrong."""
    from rushlight.utils.data import _DatasetKind

    global _worker_info
    # (Ends of channels that a fork leaves here: while one is open, other workers do not see that the parent has ended.)
    for other in not_its_own:
        other.close()
    parent = os.getppid()
    rushlight.set_num_threads(1)
    where = f"in DataLoader worker process {worker_id}"
    _seed_everything(base_seed, worker_id)
    _worker_info = WorkerInfo(worker_id, num_workers, base_seed + worker_id, dataset)

    def start():
        return _DatasetKind.create_fetcher(dataset_kind, dataset, auto_collation, collate_fn, drop_last)

    failure = fetcher = None
    try:
        try:
            if init_fn is not None:
                init_fn(worker_id)
            fetcher = start()
        except Exception:
            failure = ExceptionWrapper(where=where)
        ended = False
        while True:
            if not wait([channel], MP_STATUS_CHECK_INTERVAL):
                if os.getppid() != parent:
                    return
                continue
            request = channel.receive()
            if isinstance(request, _ResumeIteration):
                channel.send(request)
                ended = False
                try:
                    fetcher = start()
                except Exception:
                    failure = ExceptionWrapper(where=where)
                continue
            number, index = request
            if ended:
                continue
            if failure is not None:
                channel.send((number, failure))
                continue
            try:
                answer = fetcher.fetch(index)
            except Exception as error:
                if isinstance(error, StopIteration) and dataset_kind == _DatasetKind.Iterable:
                    answer = _IterableDatasetStopIteration(worker_id)
                    ended = True
                else:
                    answer = ExceptionWrapper(where=where)
            try:
                channel.send((number, answer))
            except EOFError:
                raise
            except Exception:
                channel.send((number, ExceptionWrapper(where=where)))
            del answer
    except (EOFError, KeyboardInterrupt):
        return  # the main process has ended, needs no more, or says itself that it was interrupted
