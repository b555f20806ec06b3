"""The sampler of one process among several that train together."""

import itertools
import math
from collections.abc import Iterator
from typing import TypeVar

import rushlight
from rushlight.utils.data.dataset import Dataset
from rushlight.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]

_T_co = TypeVar("_T_co", covariant=True)


def _asked(name):
    """What the process group says: its size or this process's rank."""
    distributed = getattr(rushlight, "distributed", None)
    if distributed is None or not distributed.is_available():
        raise RuntimeError("Requires distributed package to be available")
    return getattr(distributed, name)()


class DistributedSampler(Sampler[_T_co]):
    """Every `num_replicas`-th index of a dataset, from the `rank`-th on, so that each process has samples of its own.

    All have the same number: samples of the start come again where the length of `dataset` does not divide, or with `drop_last`
    the last are left out. With `shuffle` the order is drawn by `seed` and the epoch that `set_epoch` tells.

    >>> import rushlight as torch
    >>> from rushlight.utils.data.distributed import DistributedSampler
    >>> list(DistributedSampler(range(5), num_replicas=2, rank=1, shuffle=False))
    [1, 3, 0]
    """

    def __init__(
        self,
        dataset: Dataset,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None:
            num_replicas = _asked("get_world_size")
        if rank is None:
            rank = _asked("get_rank")
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        count = len(dataset)  # type: ignore[arg-type]
        self.num_samples = count // num_replicas if drop_last else math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[_T_co]:
        count = len(self.dataset)  # type: ignore[arg-type]
        if self.shuffle:
            generator = rushlight.Generator().manual_seed(self.seed + self.epoch)
            indices = rushlight.randperm(count, generator=generator).tolist()
        else:
            indices = list(range(count))
        if not self.drop_last:
            indices = list(itertools.islice(itertools.cycle(indices), self.total_size))
        indices = indices[: self.total_size]
        if len(indices) != self.total_size:
            raise AssertionError(f"Number of indices ({len(indices)}) does not match total_size ({self.total_size})")
        indices = indices[self.rank : self.total_size : self.num_replicas]
        if len(indices) != self.num_samples:
            raise AssertionError(f"Number of subsampled indices ({len(indices)}) does not match num_samples ({self.num_samples})")
        return iter(indices)

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Sets the epoch, which changes the order of a shuffle: call it before each epoch."""
        self.epoch = epoch
