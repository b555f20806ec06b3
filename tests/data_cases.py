"""Passes over data, as functions of the package: what they give is the same here and in PyTorch."""

import collections
import random

Pair = collections.namedtuple("Pair", "x y")


def plain(value):
    """Tensors and arrays as (dtype, list), in containers of the kinds that they are in."""
    if hasattr(value, "tolist") and hasattr(value, "dtype"):
        return str(value.dtype).removeprefix("torch."), value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return (type(value).__name__, *map(plain, value))
    if isinstance(value, (list, tuple)):
        return type(value)(map(plain, value))
    return value


def seeded(torch, number=0):
    return torch.Generator().manual_seed(number)


def tensors(torch, count=10):
    return torch.utils.data.TensorDataset(torch.arange(count), torch.arange(count, dtype=torch.float64).reshape(count, 1) / 2)


class Drawing:
    """A dataset that draws numbers of every kind."""

    def __init__(self, torch, count):
        self.torch, self.count = torch, count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        import numpy

        info = self.torch.utils.data.get_worker_info()
        drawn = self.torch.rand(2), random.random(), numpy.random.rand(), self.torch.initial_seed()
        return (index, *drawn, info and (info.id, info.num_workers, info.seed))


def iterable(torch, count, divided=False):
    class Numbers(torch.utils.data.IterableDataset):
        def __iter__(self):
            info = torch.utils.data.get_worker_info()
            return iter(range(info.id, count, info.num_workers) if divided and info else range(count))

        def __len__(self):
            return count

    return Numbers()


def passes(loader, count=2):
    return [plain(list(loader)) for _ in range(count)]


def loaded(torch, dataset, generator=False, passes_=2, **options):
    torch.manual_seed(3)
    made = torch.utils.data.DataLoader(dataset, generator=seeded(torch, 5) if generator else None, **options)
    result = passes(made, passes_)
    return result, plain(torch.get_rng_state().sum()), generator and plain(made.generator.get_state().sum())


def case_random_sampler(torch, **options):
    generator = seeded(torch)
    sampler = torch.utils.data.RandomSampler(range(7), generator=generator, **options)
    return len(sampler), list(sampler), list(sampler), plain(generator.get_state().sum())


def case_weighted(torch, replacement):
    generator = seeded(torch)
    sampler = torch.utils.data.WeightedRandomSampler([0.1, 0.9, 0.4, 0.7, 3.0], 5, replacement, generator)
    return len(sampler), list(sampler), list(sampler), plain(generator.get_state().sum())


def case_distributed(torch, count, replicas, shuffle, drop_last):
    out = []
    for rank in range(replicas):
        sampler = torch.utils.data.DistributedSampler(range(count), replicas, rank, shuffle, seed=3, drop_last=drop_last)
        first = list(sampler)
        sampler.set_epoch(2)
        out.append((len(sampler), first, list(sampler)))
    return out


def case_split(torch, lengths):
    generator = seeded(torch)
    parts = torch.utils.data.random_split(range(11), lengths, generator=generator)
    return [list(part) for part in parts], [list(part.indices) for part in parts], plain(generator.get_state().sum())


def case_subset_sampler(torch):
    return [list(torch.utils.data.SubsetRandomSampler([3, 5, 7, 9], generator=seeded(torch, number))) for number in range(3)]


def case_collate(torch):
    samples = [
        {"a": torch.ones(2), "b": [1, 2.5], "c": ("t", b"u"), "d": Pair(True, collections.OrderedDict(z=3))},
        {"a": torch.zeros(2), "b": [3, 4.5], "c": ("v", b"w"), "d": Pair(False, collections.OrderedDict(z=4))},
    ]
    return plain(torch.utils.data.default_collate(samples)), plain(torch.utils.data.default_convert(samples))


CASES = {
    "a permutation": case_random_sampler,
    "more than one permutation": lambda torch: case_random_sampler(torch, num_samples=17),
    "a part of a permutation": lambda torch: case_random_sampler(torch, num_samples=3),
    "with replacement": lambda torch: case_random_sampler(torch, replacement=True),
    "many with replacement": lambda torch: case_random_sampler(torch, replacement=True, num_samples=70),
    "weights, with replacement": lambda torch: case_weighted(torch, True),
    "weights, without replacement": lambda torch: case_weighted(torch, False),
    "a subset in random order": case_subset_sampler,
    "replicas": lambda torch: case_distributed(torch, 10, 3, False, False),
    "replicas, shuffled": lambda torch: case_distributed(torch, 10, 3, True, False),
    "replicas, the last dropped": lambda torch: case_distributed(torch, 11, 3, True, True),
    "more replicas than samples": lambda torch: case_distributed(torch, 2, 5, True, False),
    "lengths": lambda torch: case_split(torch, [5, 6]),
    "fractions": lambda torch: case_split(torch, [0.5, 0.3, 0.2]),
    "collated": case_collate,
    "in order": lambda torch: loaded(torch, tensors(torch), batch_size=4),
    "the last dropped": lambda torch: loaded(torch, tensors(torch), batch_size=4, drop_last=True),
    "shuffled": lambda torch: loaded(torch, tensors(torch), batch_size=4, shuffle=True),
    "shuffled by a generator": lambda torch: loaded(torch, tensors(torch), batch_size=3, shuffle=True, generator=True),
    "unbatched": lambda torch: loaded(torch, tensors(torch), batch_size=None, shuffle=True),
    "a sampler": lambda torch: loaded(torch, tensors(torch), batch_size=2, sampler=[9, 0, 3]),
    "a batch sampler": lambda torch: loaded(torch, tensors(torch), batch_sampler=[[1, 2], [5], [0, 9, 3]]),
    "a collate function": lambda torch: loaded(torch, range(7), batch_size=3, collate_fn=tuple),
    "two behind each other": lambda torch: loaded(torch, tensors(torch, 3) + tensors(torch, 4), batch_size=5),
    "a stack": lambda torch: loaded(torch, torch.utils.data.StackDataset(a=range(5), b=tensors(torch, 5)), batch_size=2),
    "iterated": lambda torch: loaded(torch, iterable(torch, 7), batch_size=3),
    "iterated, the last dropped": lambda torch: loaded(torch, iterable(torch, 7), batch_size=3, drop_last=True),
    "iterated, unbatched": lambda torch: loaded(torch, iterable(torch, 7) + iterable(torch, 2), batch_size=None),
    "two workers": lambda torch: loaded(torch, Drawing(torch, 7), batch_size=2, shuffle=True, num_workers=2),
    "two workers, by a generator": lambda torch: loaded(
        torch, Drawing(torch, 5), batch_size=2, shuffle=True, num_workers=2, generator=True
    ),
    "two workers that stay": lambda torch: loaded(
        torch, Drawing(torch, 9), batch_size=2, shuffle=True, num_workers=2, persistent_workers=True, prefetch_factor=1
    ),
    "two workers, unbatched": lambda torch: loaded(torch, tensors(torch), batch_size=None, num_workers=2),
    "a worker's function": lambda torch: loaded(
        torch, Drawing(torch, 4), num_workers=2, worker_init_fn=lambda number: torch.rand(number + 1)
    ),
    "iterated twice by two workers": lambda torch: loaded(torch, iterable(torch, 7), batch_size=3, num_workers=2),
    "iterated by two workers": lambda torch: loaded(
        torch, iterable(torch, 7, divided=True), batch_size=3, num_workers=2, persistent_workers=True
    ),
}
