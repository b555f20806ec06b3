"""Samplers: in which order a `DataLoader` asks for samples, and in which batches. The same seed gives PyTorch's order."""

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Generic, TypeVar

import rushlight

__all__ = ["BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "SubsetRandomSampler", "WeightedRandomSampler"]

_T_co = TypeVar("_T_co", covariant=True)


def random_number(generator=None) -> int:
    """Any number that fits int64: what seeds are drawn by."""
    return int(rushlight.empty((), dtype=rushlight.int64).random_(generator=generator).item())


def _is_count(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _check_count(value) -> None:
    if not _is_count(value):
        raise ValueError(f"num_samples should be a positive integer value, but got num_samples={value}")


class Sampler(Generic[_T_co]):
    """An order of keys. A subclass has `__iter__`, and `__len__` where the number is known.

    >>> import rushlight as torch
    >>> class Backwards(torch.utils.data.Sampler):
    ...     def __init__(self, data):
    ...         self.data = data
    ...     def __iter__(self):
    ...         return iter(range(len(self.data) - 1, -1, -1))
    >>> data = torch.arange(3)
    >>> list(torch.utils.data.DataLoader(data, sampler=Backwards(data)))
    [tensor([2]), tensor([1]), tensor([0])]
    """

    def __iter__(self) -> Iterator[_T_co]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """All indices of a dataset `data_source`, from the first to the last.

    >>> import rushlight as torch
    >>> list(torch.utils.data.SequentialSampler("abc"))
    [0, 1, 2]
    """

    data_source: Sized

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """Indices of a dataset at random: each once, or any as often as it comes up.

    Args:
        data_source: The dataset.
        replacement: Whether an index may come up again.
        num_samples: How many are drawn, by default the dataset's length; without replacement, more of them are further
            permutations.
        generator: What draws; by default one that the default generator seeds at each start.

    >>> import rushlight as torch
    >>> list(torch.utils.data.RandomSampler(range(5), generator=torch.Generator().manual_seed(0)))
    [4, 0, 1, 3, 2]
    """

    data_source: Sized
    replacement: bool

    def __init__(self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator=None) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        # (The dataset's length may change.)
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        count = len(self.data_source)
        generator = self.generator
        if generator is None:
            generator = rushlight.Generator().manual_seed(random_number())
        if self.replacement:
            for left in range(self.num_samples, 0, -32):
                drawn = rushlight.randint(high=count, size=(min(left, 32),), dtype=rushlight.int64, generator=generator)
                yield from drawn.tolist()
            return
        whole, rest = divmod(self.num_samples, count)
        for _ in range(whole):
            yield from rushlight.randperm(count, generator=generator).tolist()
        # (A permutation is drawn for what is left even where that is nothing, as the sequence of numbers is part of the behaviour.)
        yield from rushlight.randperm(count, generator=generator).tolist()[:rest]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """Given `indices`, each once, in random order, which `generator` draws.

    >>> import rushlight as torch
    >>> list(torch.utils.data.SubsetRandomSampler([7, 8, 9], generator=torch.Generator().manual_seed(0)))
    [9, 7, 8]
    """

    indices: Sequence[int]

    def __init__(self, indices: Sequence[int], generator=None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for place in rushlight.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[place]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with probabilities in proportion to `weights`, which need not sum to one.

    Args:
        weights: A number for each index, not negative.
        num_samples: How many are drawn.
        replacement: Whether an index may come up again.
        generator: What draws.

    >>> import rushlight as torch
    >>> list(torch.utils.data.WeightedRandomSampler([0.0, 1.0, 0.0], 3))
    [1, 1, 1]
    """

    weights: "rushlight.Tensor"
    num_samples: int
    replacement: bool

    def __init__(self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator=None) -> None:
        _check_count(num_samples)
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = rushlight.as_tensor(weights, dtype=rushlight.float64)
        if self.weights.dim() != 1:
            raise ValueError(f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}")
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        yield from rushlight.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Another `sampler`'s keys in lists of `batch_size`; the last is shorter where some are left over, unless `drop_last`.

    >>> import rushlight as torch
    >>> list(torch.utils.data.BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not _is_count(batch_size):
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        keys = iter(self.sampler)
        while batch := list(itertools.islice(keys, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        whole, rest = divmod(len(self.sampler), self.batch_size)  # type: ignore[arg-type]
        return whole + (rest > 0 and not self.drop_last)
