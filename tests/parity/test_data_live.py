"""Samplers, splits and passes over loaders, number for number beside PyTorch; and what both refuse."""

import collections
import warnings

import pytest

import rushlight

from ..data_cases import CASES, Pair, iterable

torch = pytest.importorskip("torch")
numpy = pytest.importorskip("numpy")
pytestmark = [
    pytest.mark.parity,
    pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning"),
    # (PyTorch's iterators say so where they could not be made.)
    pytest.mark.filterwarnings("ignore:.*_MultiProcessingDataLoaderIter.__del__:pytest.PytestUnraisableExceptionWarning"),
]


@pytest.mark.parametrize("name", CASES)
def test_passes(name):
    assert CASES[name](rushlight) == CASES[name](torch)


class Bad:
    def __len__(self):
        return 3

    def __getitem__(self, index):
        raise KeyError(f"no {index}")


def loader(*arguments, **options):
    return lambda torch: torch.utils.data.DataLoader(*arguments, **options)


def setting(name):
    return lambda torch: setattr(torch.utils.data.DataLoader([1]), name, None)


def data(name, *arguments, **options):
    return lambda torch: getattr(torch.utils.data, name)(*arguments, **options)


def collated(*samples):
    return lambda torch: torch.utils.data.default_collate([x(torch) if callable(x) else x for x in samples])


REFUSED = [
    loader([1], batch_size=0),
    loader([1], batch_size=1.5),
    loader([1], batch_size=True),
    loader([1], num_workers=-1),
    loader([1], timeout=-1),
    loader([1], prefetch_factor=2),
    loader([1], num_workers=1, prefetch_factor=-2),
    loader([1], persistent_workers=True),
    loader([1], shuffle=True, sampler=[0]),
    loader([1], shuffle=True, batch_sampler=[[0]]),
    loader([1], batch_size=None, drop_last=True),
    loader([1], batch_size=2, drop_last="yes"),
    loader([], shuffle=True),
    loader([1], multiprocessing_context="fork"),
    loader([1], num_workers=1, multiprocessing_context="no"),
    loader([1], num_workers=1, multiprocessing_context=3),
    lambda torch: torch.utils.data.DataLoader(iterable(torch, 3), shuffle=True),
    lambda torch: torch.utils.data.DataLoader(iterable(torch, 3), shuffle="no"),
    lambda torch: torch.utils.data.DataLoader([1], 1, sampler=[0], batch_sampler=[[0]]),
    lambda torch: list(torch.utils.data.DataLoader({"a": 1})),
    lambda torch: list(torch.utils.data.DataLoader([1], timeout=3)),
    lambda torch: list(torch.utils.data.DataLoader([1], num_workers=1, prefetch_factor=0)),
    lambda torch: list(torch.utils.data.DataLoader(Bad())),
    lambda torch: iter(torch.utils.data.DataLoader([1])).__getstate__(),
    *[setting(name) for name in ("batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers")],
    data("RandomSampler", [1], 3),
    data("RandomSampler", [1], num_samples=0),
    data("RandomSampler", [1], num_samples=1.5),
    data("RandomSampler", []),
    data("WeightedRandomSampler", [1.0], 0),
    data("WeightedRandomSampler", [1.0], True),
    data("WeightedRandomSampler", [1.0], 1, 1),
    data("WeightedRandomSampler", [[1.0]], 1),
    data("BatchSampler", [1], -1, False),
    data("BatchSampler", [1], 1, 0),
    data("DistributedSampler", [1], 2, 2),
    data("DistributedSampler", [1], 2, -1),
    data("random_split", [1, 2], [1, 2]),
    data("random_split", [1, 2], [0.5, 0.6]),
    data("random_split", [1, 2], [-0.5, 1.5]),
    data("random_split", [1, 2], [0.9, 0.1]),
    data("StackDataset"),
    data("StackDataset", [1], a=[1]),
    data("StackDataset", [1], [1, 2]),
    data("StackDataset", a=[1], b=[1, 2]),
    data("ConcatDataset", []),
    lambda torch: torch.utils.data.ConcatDataset([iterable(torch, 1)]),
    lambda torch: torch.utils.data.ConcatDataset([[1]])[-2],
    lambda torch: torch.utils.data.ConcatDataset([[1]])[1],
    lambda torch: torch.utils.data.ConcatDataset([[1]]).cummulative_sizes,
    lambda torch: list(torch.utils.data.ChainDataset([[1]])),
    lambda torch: torch.utils.data.TensorDataset(torch.ones(2), torch.ones(3)),
    lambda torch: torch.utils.data.Dataset()[0],
    lambda torch: iter(torch.utils.data.Sampler()),
    lambda torch: type("Own", (torch.utils.data.Subset,), {"__getitem__": lambda self, index: 0})([1], [0]),
    collated(),
    collated(None),
    collated(object()),
    collated(1j),
    collated([1], [1, 2]),
    collated({"a": 1, "b": 2}, {"a": 1}),
    collated(lambda torch: torch.ones(2), lambda torch: torch.ones(3)),
    collated(numpy.array(["a"])),
    collated(numpy.array([object()])),
]


def outcome(call, package):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            call(package)
            raised = None
        except Exception as error:
            raised = type(error), str(error)
    return raised, [(one.category, str(one.message)) for one in warned]


@pytest.mark.parametrize("call", REFUSED)
def test_errors(call):
    ours, theirs = outcome(call, rushlight), outcome(call, torch)
    assert theirs != (None, [])
    assert ours == theirs


@pytest.mark.parametrize(
    "options", [dict(pin_memory=True), dict(pin_memory=True, pin_memory_device="cuda"), dict(num_workers=200)]
)
def test_warnings(options):
    def call(torch):
        torch.utils.data.DataLoader([1, 2], **options)._get_iterator() if "pin_memory" in options else loader([1], **options)(
            torch
        )

    assert outcome(call, rushlight) == outcome(call, torch)


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("drop_last", [False, True])
def test_a_dataset_longer_than_it_says(workers, drop_last):
    def call(torch):
        class Long(torch.utils.data.IterableDataset):
            def __iter__(self):
                return iter(range(13))

            def __len__(self):
                return 4

            def __repr__(self):
                return "Long()"

            __str__ = __repr__

        loader = torch.utils.data.DataLoader(Long(), batch_size=2, drop_last=drop_last, num_workers=workers)
        len(loader)
        list(loader)

    assert outcome(call, rushlight) == outcome(call, torch)


def test_collating_numpy():
    samples = [
        [numpy.float32(1), numpy.float32(2)],
        [numpy.float64(1), 2.5],
        [numpy.int8(1), numpy.int8(-2)],
        [numpy.bool_(True), numpy.bool_(False)],
        [numpy.array(1.5), numpy.array(2)],
        [numpy.arange(3, dtype=numpy.int16), numpy.ones(3, numpy.int16)],
        [{"a": numpy.ones(2)}, {"a": numpy.zeros(2)}],
        [numpy.str_("a"), numpy.str_("b")],
        [Pair(numpy.ones(2), 1), Pair(numpy.zeros(2), 2)],
        [collections.deque([1, 2]), collections.deque([3, 4])],
        [collections.defaultdict(int, a=1), collections.defaultdict(int, a=2)],
        [range(2), range(2)],
        [True, 3],
        [1, 2.5],
        ["a", b"b"],
        [[], []],
        [(), ()],
        [{}, {}],
    ]
    for sample in samples:
        for function in ("default_collate", "default_convert"):
            ours, theirs = (getattr(package.utils.data, function)(sample) for package in (rushlight, torch))
            assert repr(ours) == repr(theirs)
            assert type(ours).__name__ == type(theirs).__name__
