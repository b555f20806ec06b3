"""`DataLoader`: batches of a dataset, in this process or from workers."""

import contextlib
import itertools
import logging
import math
import multiprocessing as python_multiprocessing
import multiprocessing.connection  # (which `join` would import, in `__del__`)
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import rushlight
from rushlight._utils import ExceptionWrapper
from rushlight.autograd.profiler import record_function
from rushlight.core import warn_user
from rushlight.utils.data import _utils
from rushlight.utils.data._utils.channel import Channel, wait
from rushlight.utils.data._utils.worker import _IterableDatasetStopIteration, _ResumeIteration
from rushlight.utils.data.dataset import Dataset, IterableDataset
from rushlight.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, random_number

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_worker_init_fn_t = Callable[[int], None]
_collate_fn_t = Callable[[list[_T]], Any]

default_collate: _collate_fn_t = _utils.collate.default_collate
default_convert = _utils.collate.default_convert
get_worker_info = _utils.worker.get_worker_info

logger = logging.getLogger(__name__)


class _DatasetKind:
    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(kind, dataset, auto_collation, collate_fn, drop_last):
        fetcher = _utils.fetch._MapDatasetFetcher if kind == _DatasetKind.Map else _utils.fetch._IterableDatasetFetcher
        return fetcher(dataset, auto_collation, collate_fn, drop_last)


class _InfiniteConstantSampler(Sampler):
    """None, for ever: the indices of a dataset that is iterated."""

    def __iter__(self):
        return itertools.repeat(None)


class DataLoader(Generic[_T_co]):
    """Batches of a dataset, in an order that a sampler chooses, from this process or from workers.

    Args:
        dataset: A `Dataset`, or anything with `__getitem__` and `__len__`; or an `IterableDataset`.
        batch_size: How many samples make a batch; None for single samples.
        shuffle: Whether the order is random, drawn anew for every epoch.
        sampler, batch_sampler: Whose order, or whose lists of indices, are taken instead.
        num_workers: How many processes fetch batches ahead; 0 for none, in this process.
        collate_fn: What makes a batch of a list of samples; by default `default_collate`.
        pin_memory, pin_memory_device: There is no accelerator: a warning, and nothing else.
        drop_last: Whether a last batch that is smaller is left out.
        timeout: After how many seconds without a batch of the workers there is an error; 0 for never.
        worker_init_fn: Called in each worker with its number, after `rushlight`, `random` and NumPy have been seeded there.
        multiprocessing_context: How workers are started.
        generator: What draws the order, and the workers' seeds.
        prefetch_factor: How many batches each worker fetches ahead, by default 2.
        persistent_workers: Whether workers live until the loader is dropped.
        in_order: Whether batches come in order, whichever worker is first.

    Errors of a worker are raised here with its traceback.

    >>> import rushlight as torch
    >>> data = torch.utils.data.TensorDataset(torch.arange(5), torch.arange(5.0) / 2)
    >>> for x, y in torch.utils.data.DataLoader(data, batch_size=3):
    ...     print(x, y)
    tensor([0, 1, 2]) tensor([0.0000, 0.5000, 1.0000])
    tensor([3, 4]) tensor([1.5000, 2.0000])
    """

    dataset: Dataset[_T_co]
    batch_size: int | None
    num_workers: int
    pin_memory: bool
    drop_last: bool
    timeout: float
    sampler: Sampler | Iterable
    pin_memory_device: str
    prefetch_factor: int | None
    _iterator: "_BaseDataLoaderIter | None"
    __initialized = False

    def __init__(
        self,
        dataset: Dataset[_T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler | Iterable | None = None,
        batch_sampler: Sampler[list] | Iterable[list] | None = None,
        num_workers: int = 0,
        collate_fn: _collate_fn_t | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: _worker_init_fn_t | None = None,
        multiprocessing_context=None,
        generator=None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self._dataset_kind = _DatasetKind.Iterable if isinstance(dataset, IterableDataset) else _DatasetKind.Map
        if self._dataset_kind == _DatasetKind.Iterable:
            _check_no_order(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError("batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last")
            batch_size = None
            drop_last = False
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._dataset_kind == _DatasetKind.Iterable:
                sampler = _InfiniteConstantSampler()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)  # type: ignore[arg-type]
            else:
                sampler = SequentialSampler(dataset)  # type: ignore[arg-type]
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            collate_fn = default_collate if self._auto_collation else default_convert
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self.__initialized = True
        self._IterableDataset_len_called = None
        self._iterator = None
        self.check_worker_number_rationality()

    def _get_iterator(self) -> "_BaseDataLoaderIter":
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        self.check_worker_number_rationality()
        return _MultiProcessingDataLoaderIter(self)

    @property
    def multiprocessing_context(self):
        """The context that starts workers: None, or one of `multiprocessing`'s."""
        return self.__multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, multiprocessing_context):
        if multiprocessing_context is not None:
            if not self.num_workers > 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                    f"num_workers={self.num_workers}"
                )
            if isinstance(multiprocessing_context, str):
                valid = rushlight.multiprocessing.get_all_start_methods()
                if multiprocessing_context not in valid:
                    raise ValueError(
                        f"multiprocessing_context option should specify a valid start method in {valid!r}, but got "
                        f"multiprocessing_context={multiprocessing_context!r}"
                    )
                multiprocessing_context = rushlight.multiprocessing.get_context(multiprocessing_context)
            if not isinstance(multiprocessing_context, python_multiprocessing.context.BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string specifying the start method, but got "
                    f"multiprocessing_context={multiprocessing_context}"
                )
        self.__multiprocessing_context = multiprocessing_context

    def __setattr__(self, attr, val):
        if self.__initialized and attr in (
            "batch_size",
            "batch_sampler",
            "sampler",
            "drop_last",
            "dataset",
            "persistent_workers",
        ):
            raise ValueError(f"{attr} attribute should not be set after {self.__class__.__name__} is initialized")
        super().__setattr__(attr, val)

    def __iter__(self) -> "_BaseDataLoaderIter":
        if not (self.persistent_workers and self.num_workers > 0):
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self):
        """What is sent to a fetcher, one after the other: indices, or lists of them."""
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self) -> int:
        if self._dataset_kind != _DatasetKind.Iterable:
            return len(self._index_sampler)
        # What the dataset said is remembered, to warn where more comes.
        length = self._IterableDataset_len_called = len(self.dataset)  # type: ignore[assignment, arg-type]
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else math.ceil(length / self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warns where there are more workers than processors that this process may run on."""
        if not self.num_workers:
            return
        known = hasattr(os, "sched_getaffinity")
        most = len(os.sched_getaffinity(0)) if known else os.cpu_count()
        if most is None:
            warn_user("DataLoader is not able to compute a suggested max number of worker in current system.")
        elif self.num_workers > most:
            about = "" if known else " (`cpuset` is not taken into account)"
            warn_user(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our suggested max number of worker in current "
                f"system is {most}{about}, which is smaller than what this DataLoader is going to create. Please be aware that excessive "
                "worker creation might get DataLoader running slow or even freeze, lower the worker number to avoid potential "
                "slowness/freeze if necessary."
            )


def _check_workers(num_workers, timeout, prefetch_factor, persistent_workers):
    if num_workers < 0:
        raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
    if timeout < 0:
        raise ValueError("timeout option should be non-negative")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError(
            "prefetch_factor option could only be specified in multiprocessing.let num_workers > 0 to enable multiprocessing, otherwise set "
            "prefetch_factor to None."
        )
    if num_workers > 0 and prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError("prefetch_factor option should be non-negative")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _check_no_order(shuffle, sampler, batch_sampler):
    """The order of an IterableDataset is its own."""
    if shuffle not in {False, None}:
        raise ValueError(f"DataLoader with IterableDataset: expected unspecified shuffle option, but got shuffle={shuffle}")
    if sampler is not None:
        raise ValueError(f"DataLoader with IterableDataset: expected unspecified sampler option, but got sampler={sampler}")
    if batch_sampler is not None:
        raise ValueError(
            f"DataLoader with IterableDataset: expected unspecified batch_sampler option, but got batch_sampler={batch_sampler}"
        )


class _BaseDataLoaderIter:
    """One pass over a loader; several with persistent workers."""

    def __init__(self, loader: DataLoader) -> None:
        self._dataset = loader.dataset
        self._dataset_kind = loader._dataset_kind
        self._IterableDataset_len_called = loader._IterableDataset_len_called
        self._auto_collation = loader._auto_collation
        self._drop_last = loader.drop_last
        self._index_sampler = loader._index_sampler
        self._num_workers = loader.num_workers
        self._timeout = loader.timeout
        self._collate_fn = loader.collate_fn
        self._persistent_workers = loader.persistent_workers
        self._pin_memory = False
        self._warn_of_pinning(loader)
        self._sampler_iter = iter(self._index_sampler)
        self._base_seed = random_number(loader.generator)
        self._num_yielded = 0
        self._profile_name = f"enumerate(DataLoader)#{self.__class__.__name__}.__next__"

    @staticmethod
    def _warn_of_pinning(loader):
        if not loader.pin_memory:
            return
        if loader.pin_memory_device:
            warn_user(
                "pin_memory_device is deprecated, the current accelerator will be used as the device,ignore "
                f"pin_memory_device='{loader.pin_memory_device}'."
            )
        warn_user("'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't be used.")

    def __iter__(self):
        return self

    def _reset(self, loader, first_iter=False):
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def _next_index(self):
        return next(self._sampler_iter)

    def _next_data(self):
        raise NotImplementedError

    def __next__(self):
        with record_function(self._profile_name):
            data = self._next_data()
            self._num_yielded += 1
            if self._dataset_kind == _DatasetKind.Iterable:
                self._warn_of_length()
            return data

    def _warn_of_length(self):
        length = self._IterableDataset_len_called
        if length is None or self._num_yielded <= length:
            return
        text = (
            f"Length of IterableDataset {self._dataset} was reported to be {length}(when accessing len(dataloader)), but "
            f"{self._num_yielded} samples have been fetched. "
        )
        if self._num_workers > 0:
            text += (
                "For multiprocessing data-loading, this could be caused by not properly configuring the IterableDataset replica at each "
                "worker. Please see https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset for examples."
            )
        warn_user(text)

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self):
        raise NotImplementedError("{} cannot be pickled", self.__class__.__name__)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    def __init__(self, loader):
        super().__init__(loader)
        if self._timeout != 0:
            raise AssertionError("_SingleProcessDataLoaderIter requires timeout == 0")
        self._dataset_fetcher = _DatasetKind.create_fetcher(
            self._dataset_kind, self._dataset, self._auto_collation, self._collate_fn, self._drop_last
        )

    def _next_data(self):
        return self._dataset_fetcher.fetch(self._next_index())


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """One pass over a loader with workers.

    Tasks (a number and an index) go to the workers in turn, as many as are to be prefetched; each worker answers over a channel of its own.
    In order, the next batch is the answer of the worker that has the oldest task; otherwise the first answer of any.
    """

    _shutdown = True  # (until there is something to shut down)

    def __init__(self, loader):
        super().__init__(loader)
        self._prefetch_factor = loader.prefetch_factor
        self._in_order = loader.in_order
        if self._num_workers <= 0:
            raise AssertionError("num_workers must be greater than 0 for MultiProcessingDataLoaderIter")
        if self._prefetch_factor <= 0:
            raise AssertionError("prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter")
        self._shutdown = False
        self._owner = os.getpid()
        self._workers: list = []
        self._channels: list[Channel] = []
        context = loader.multiprocessing_context or rushlight.multiprocessing
        try:
            for worker_id in range(self._num_workers):
                self._start_worker(context, loader, worker_id)
        except BaseException:
            self._shutdown_workers()
            raise
        self._reset(loader, first_iter=True)

    def _start_worker(self, context, loader, worker_id):
        channel, remote = Channel.pair()
        self._channels.append(channel)
        forked = context.get_start_method() == "fork"
        worker = context.Process(
            target=_utils.worker._worker_loop,
            args=(
                self._dataset_kind,
                self._dataset,
                remote,
                tuple(self._channels) if forked else (),
                self._auto_collation,
                self._collate_fn,
                self._drop_last,
                self._base_seed,
                loader.worker_init_fn,
                worker_id,
                self._num_workers,
            ),
        )
        worker.daemon = True
        try:
            worker.start()
        except (AttributeError, TypeError, pickle.PicklingError):
            if sys.version_info >= (3, 14) and not forked:
                warn_user(
                    "Got pickle error when attempting to start a worker Process. This might be because the worker Process arguments are not "
                    "picklable. Python 3.14+ changed the multiprocessing start method in non-Mac POSIX platforms to 'forkserver', which "
                    "requires the worker Process arguments to be picklable. You can also try multiprocessing.set_start_method('fork')."
                )
            raise
        remote.close()
        self._workers.append(worker)

    def _reset(self, loader, first_iter=False):
        super()._reset(loader, first_iter)
        self._send_idx = 0
        self._tasks: dict[int, int] = {}  # the worker of each task that is not answered, oldest first
        self._workers_status = [True] * self._num_workers
        self._worker_queue_idx_cycle = itertools.cycle(range(self._num_workers))
        if not first_iter:
            for channel in self._channels:
                with contextlib.suppress(EOFError):
                    channel.send(_ResumeIteration())
            for worker_id in range(self._num_workers):
                # What was fetched of the pass before, and not asked for, goes.
                while not isinstance(self._receive(worker_id), _ResumeIteration):
                    pass
        for _ in range(self._prefetch_factor * self._num_workers):
            self._try_put_index()

    def _try_put_index(self):
        """Gives the next index to the next worker, where there are both."""
        try:
            index = self._next_index()
        except StopIteration:
            return
        busy = list(self._tasks.values())
        for worker_id in itertools.islice(self._worker_queue_idx_cycle, self._num_workers):
            if not self._workers_status[worker_id]:
                continue
            share = self._prefetch_factor * self._num_workers // sum(self._workers_status)
            if self._in_order or busy.count(worker_id) < share:
                break
        else:
            return
        with contextlib.suppress(EOFError):  # (That the worker has ended is said when its answer is asked for.)
            self._channels[worker_id].send((self._send_idx, index))
        self._tasks[self._send_idx] = worker_id
        self._send_idx += 1

    def _receive(self, worker_id=None):
        """The next answer of one worker, or of any that has tasks."""
        until = time.monotonic() + self._timeout if self._timeout > 0 else math.inf
        asked = {worker_id} if worker_id is not None else set(self._tasks.values())
        channels = [self._channels[one] for one in asked]
        sentinels = [self._workers[one].sentinel for one in asked]
        while True:
            left = until - time.monotonic()
            ready = wait(channels + sentinels, None if left == math.inf else max(left, 0))
            for channel in channels:
                if channel in ready:
                    try:
                        return channel.receive()
                    except EOFError:
                        break
            if ready:
                self._raise_of_dead(asked)
            else:
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")

    def _raise_of_dead(self, asked):
        """Says how workers have ended that should not have."""
        for worker_id in asked:
            self._workers[worker_id].join(1.0)
        dead = [self._workers[worker_id] for worker_id in asked if not self._workers[worker_id].is_alive()]
        for worker in dead:
            self._workers_status[self._workers.index(worker)] = False
        self._tasks.clear()
        raise RuntimeError(
            f"DataLoader worker (pid(s) {', '.join(str(worker.pid) for worker in dead)}) exited unexpectedly"
        ) from (RuntimeError(how_ended(dead[0])) if dead else None)

    def _next_data(self):
        while True:
            if not self._tasks:
                if not self._persistent_workers:
                    self._shutdown_workers()
                raise StopIteration
            number, data = self._receive(next(iter(self._tasks.values())) if self._in_order else None)
            worker_id = self._tasks.pop(number)
            if isinstance(data, _IterableDatasetStopIteration):
                self._workers_status[worker_id] = False
                self._tasks = {task: other for task, other in self._tasks.items() if other != worker_id}
                if not self._persistent_workers:
                    self._channels[worker_id].end()
                self._try_put_index()
                continue
            self._try_put_index()
            if isinstance(data, ExceptionWrapper):
                data.reraise()
            return data

    def _shutdown_workers(self):
        """Ends the workers: without a channel to read from they return."""
        if self._shutdown or os.getpid() != self._owner:
            return
        self._shutdown = True
        for channel in self._channels:
            channel.end()
        for worker in self._workers:
            worker.join(_utils.MP_STATUS_CHECK_INTERVAL)
            if worker.is_alive():
                # (It is in the dataset's code, which takes its time.)
                worker.terminate()

    def __del__(self):
        # At exit multiprocessing itself ends what is left.
        if not sys.is_finalizing():
            self._shutdown_workers()


def how_ended(process) -> str:
    """What is known of a process that has ended by itself."""
    if process.exitcode is not None and process.exitcode < 0:
        text = f"DataLoader worker (pid {process.pid}) is killed by signal: {signal.strsignal(-process.exitcode)}. "
        if -process.exitcode == signal.SIGBUS:
            text += (
                "It is possible that dataloader's workers are out of shared memory. Please try to raise your shared memory limit."
            )
        return text
    return (
        f"DataLoader worker (pid {process.pid}) exited unexpectedly with exit code {process.exitcode}. Details are lost due to "
        "multiprocessing. Rerunning with num_workers=0 may give better error trace."
    )
