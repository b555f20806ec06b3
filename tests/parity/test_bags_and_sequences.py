"""embedding_bag, ctc_loss, the adaptive softmax and the linear cross entropy beside PyTorch: values, gradients, modules, errors."""

import itertools
import warnings

import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


def compare(tour, tolerance=1e-6):
    """`tour(library)` gives tensors, texts and lists of them."""
    ours, theirs = (flat(tour(library)) for library in (rushlight, torch))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        if isinstance(b, float):
            assert a == b or (a != a and b != b) or abs(a - b) <= tolerance * max(1.0, abs(b)), (a, b)
        else:
            assert a == b


def flat(x):
    if hasattr(x, "tolist"):
        return [str(x.dtype).split(".")[-1], str(tuple(x.shape)), *flat(x.detach().tolist())]
    if isinstance(x, dict):
        return [*x, *flat(list(x.values()))]
    if isinstance(x, list | tuple):
        return [y for value in x for y in flat(value)]
    return [x]


def answer(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return call()
        except Exception as error:
            return f"{type(error).__name__}: {error}"


# ---------------------------------------------------------------------------------------------------------- bags
BAGS = [
    dict(offsets=[0, 3, 3, 5]),
    dict(offsets=[0, 3, 3, 8], include_last_offset=True),
    dict(offsets=[0, 3, 3, 5], padding_idx=4),
    dict(offsets=[0, 3, 3, 5], padding_idx=-1),
    dict(shape=(2, 4)),
    dict(shape=(2, 4), padding_idx=2),
    dict(offsets=[0, 3, 3, 5], max_norm=1.0),
    dict(offsets=[0, 2], norm_type=1.0, max_norm=0.5),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("options", BAGS, ids=range(len(BAGS)))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bags(options, mode, weighted, dtype):
    if weighted and mode != "sum":
        pytest.skip("factors are for sums")

    def tour(library):
        library.manual_seed(0)
        dtype_of = getattr(library, dtype)
        weight = library.randn(6, 3, dtype=dtype_of, requires_grad=True)
        index, factors = library.tensor([1, 2, 4, 5, 4, 3, 2, 0]), library.rand(8, dtype=dtype_of, requires_grad=True)
        given = dict(options)
        shape = given.pop("shape", (8,))
        if "offsets" in given:
            given["offsets"] = library.tensor(given["offsets"])
        if weighted:
            given["per_sample_weights"] = factors.reshape(shape)
        bags = library.nn.functional.embedding_bag(index.reshape(shape), weight, mode=mode, **given)
        inputs = (weight, factors) if weighted else (weight,)
        return [bags, library.autograd.grad((bags**2).sum(), inputs), bags.grad_fn.name(), weight]

    compare(tour)


def test_what_bags_refuse():
    def tour(library):
        F = library.nn.functional
        weight, index, offsets = library.ones(6, 3), library.tensor([1, 2, 4, 5, 4, 3, 2, 0]), library.tensor([0, 3, 3, 5])
        factors, nothing = library.ones(8), library.tensor([], dtype=library.long)
        return [
            answer(call)
            for call in (
                lambda: F.embedding_bag(index, weight),
                lambda: F.embedding_bag(index.view(2, 4), weight, nothing),
                lambda: F.embedding_bag(index, weight, offsets.view(2, 2)),
                lambda: F.embedding_bag(index.view(2, 2, 2), weight),
                lambda: F.embedding_bag(index.float(), weight, offsets),
                lambda: F.embedding_bag(index, weight, library.tensor([0, 9])),
                lambda: F.embedding_bag(library.tensor([1, 2, 9, 5, 4, 3, 2, 0]), weight, offsets),  # in the first thread's part
                lambda: F.embedding_bag(index, weight, offsets, mode="x"),
                lambda: F.embedding_bag(index, weight, offsets, mode="sum", per_sample_weights=factors[:3]),
                lambda: F.embedding_bag(index, weight, offsets, mode="sum", per_sample_weights=factors.double()),
                lambda: F.embedding_bag(index, weight, offsets, per_sample_weights=factors),
                lambda: F.embedding_bag(weight, index, offsets),
                lambda: F.embedding_bag(index, weight[0], offsets),
                lambda: F.embedding_bag(index, weight, offsets, padding_idx=9),
                lambda: F.embedding_bag(index, weight, offsets, padding_idx=-9),
                lambda: F.embedding_bag(index, weight.to(library.int32), offsets),
                lambda: F.embedding_bag(index, weight, offsets, mode="max", scale_grad_by_freq=True),
                lambda: F.embedding_bag(index, weight, offsets, mode="max", sparse=True),
                lambda: F.embedding_bag(index[:0], weight, nothing),
                lambda: F.embedding_bag(index[:0], weight, library.tensor([0, 0])),
                lambda: F.embedding_bag(index.int(), weight, offsets.int(), mode="max"),
                lambda: F.embedding_bag(index.view(2, 4)[:, :0], weight),
                lambda: library.embedding_bag(weight, index, offsets, False, 2),
                lambda: library.embedding_bag(weight, index, offsets, False, 1, False, None, False, 2),
            )
        ]

    compare(tour)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("norm_type", [0.5, 1.0, 2.0, float("inf")])
def test_rows_are_held_to_a_norm(dtype, norm_type):
    def tour(library):
        library.manual_seed(0)
        made = []
        for kind in ("int32", "int64", "uint8", "float32"):
            table = library.randn(7, 5, dtype=getattr(library, dtype))
            index = library.tensor([[1, 3], [1, 6]]).to(getattr(library, kind))
            made.append(answer(lambda table=table, index=index: library.embedding_renorm_(table, index, 1.3, norm_type)))
        return made

    compare(tour)


def test_bags_divide_gradients_by_how_often_a_row_occurs():
    """PyTorch divides by the count of another row, unless all occur in order; here each row has its own."""
    weight = rushlight.ones(6, 3, requires_grad=True)
    index = rushlight.tensor([1, 2, 4, 5, 4, 3, 2, 0])
    bags = rushlight.nn.functional.embedding_bag(index, weight, rushlight.tensor([0]), mode="sum", scale_grad_by_freq=True)
    bags.sum().backward()
    assert weight.grad.tolist() == [[1.0] * 3] * 6


def test_the_module_of_bags():
    def tour(library):
        nn = library.nn
        library.manual_seed(0)
        plain, padded = nn.EmbeddingBag(4, 2), nn.EmbeddingBag(4, 2, padding_idx=-1, norm_type=1.0, mode="max")
        whole = nn.EmbeddingBag(10, 3, 1.0, 2.0, True, "sum", padding_idx=2, include_last_offset=True)
        given = nn.EmbeddingBag.from_pretrained(library.ones(2, 3), mode="sum")
        return [
            [repr(module) for module in (plain, padded, whole, given)],
            [module.state_dict() for module in (plain, padded, whole, given)],
            plain(library.tensor([[0, 1], [2, 3]])),
            padded(library.tensor([0, 1, 3]), library.tensor([0, 1])),
            given(library.tensor([0, 1, 1]), library.tensor([0, 1]), library.tensor([1.0, 2.0, 3.0])),
            given.weight.requires_grad,
            answer(lambda: nn.EmbeddingBag(4, 2, _weight=library.ones(3, 2))),
            answer(lambda: nn.EmbeddingBag(4, 2, padding_idx=5)),
            answer(lambda: nn.EmbeddingBag.from_pretrained(library.ones(2))),
        ]

    compare(tour)


# ---------------------------------------------------------------------------------------------------------- sequences
LENGTHS = [([5, 4, 3], [3, 2, 0]), ([5, 5, 5], [3, 3, 3]), ([3, 4, 1], [3, 2, 3]), ([0, 5, 0], [0, 1, 2])]


@pytest.mark.parametrize("flat_targets", [False, True])
@pytest.mark.parametrize(
    "lengths, blank, reduction, zero", list(itertools.product(LENGTHS, [0, 3], ["none", "mean", "sum"], [False, True]))
)
def test_sequences(lengths, blank, reduction, zero, flat_targets):
    def tour(library):
        library.manual_seed(0)
        x = library.randn(5, 3, 4, dtype=library.float64).log_softmax(2).requires_grad_()
        targets = library.tensor([[1, 2, 2], [2, 1, 1], [2, 2, 1]])
        if flat_targets:
            targets = library.cat([row[:count] for row, count in zip(targets, lengths[1], strict=True)])
        given = [library.tensor(each) for each in lengths] if flat_targets else map(tuple, lengths)
        loss = library.nn.functional.ctc_loss(x, targets, *given, blank, reduction, zero)
        gradient = library.autograd.grad(loss.nan_to_num(posinf=0.0).sum(), x)[0]
        return [loss, gradient]

    compare(tour, 1e-9)


def test_what_sequences_refuse():
    def tour(library):
        F = library.nn.functional
        x = library.zeros(5, 3, 4).log_softmax(2)
        t, i, o = library.tensor([[1, 2, 2], [3, 1, 1], [2, 1, 1]]), library.tensor([5, 4, 3]), library.tensor([3, 2, 1])
        return [
            answer(call)
            for call in (
                lambda: F.ctc_loss(x, t, i, o, blank=4),
                lambda: F.ctc_loss(x, t, i[:2], o),
                lambda: F.ctc_loss(x, t, i, o[:2]),
                lambda: F.ctc_loss(x, t, i + 1, o),
                lambda: F.ctc_loss(x, t, i, o + 1),
                lambda: F.ctc_loss(x, t.view(-1), i, o),
                lambda: F.ctc_loss(x, t, i.float(), o),
                lambda: F.ctc_loss(x.half(), t, i, o),
                lambda: F.ctc_loss(x, t[:2], i, o),
                lambda: F.ctc_loss(x[0], t, i, o),
                lambda: F.ctc_loss(x, t, i, o, reduction="x"),
                lambda: F.ctc_loss(x, t, i, -o),
                lambda: F.ctc_loss(x, t, -i, o),
                lambda: F.ctc_loss(x.long(), t, i, o),
                lambda: F.ctc_loss(x, t.view(3, 3, 1), i, o),
                lambda: F.ctc_loss(x[:, :0], t[:0], i[:0], o[:0]),
                lambda: F.ctc_loss(x[:, 0], t[0], library.tensor(5), library.tensor(3)),
                lambda: F.ctc_loss(x[:, 0], t[0], (5,), (3,), reduction="none"),
                lambda: F.ctc_loss(x, t.int(), i.int(), o.int()),
                lambda: library.nn.CTCLoss(blank=1, reduction="sum")(x, t.clamp(min=2), i, o),
                lambda: repr(library.nn.CTCLoss(zero_infinity=True)),
            )
        ]

    compare(tour)


def test_labels_that_are_no_classes_are_refused():
    x = rushlight.zeros(5, 1, 4).log_softmax(2)
    for label in (-1, 4):
        with pytest.raises(RuntimeError, match="ctc_loss: targets must be classes, from 0 to 3"):
            rushlight.nn.functional.ctc_loss(x, rushlight.tensor([[label]]), (5,), (1,))


# ---------------------------------------------------------------------------------------------------------- many classes
def test_the_adaptive_softmax():
    def tour(library):
        nn = library.nn
        library.manual_seed(0)
        layer = nn.AdaptiveLogSoftmaxWithLoss(16, 20, [5, 10, 15], div_value=2.0, head_bias=True)
        x, target = library.randn(6, 16, requires_grad=True), library.tensor([0, 19, 4, 11, 7, 2])
        made = layer(x, target)
        gradients = library.autograd.grad(made.loss, [x, *layer.parameters()])
        alone = layer(x[0], target[0])
        refused = [
            answer(lambda: layer(x, target[:2])),
            answer(lambda: layer(x[0], target)),
            answer(lambda: layer(x, target[0])),
            answer(lambda: layer(x, target[None])),
            answer(lambda: layer(x, target + 5)),
        ]
        cutoffs = [
            answer(lambda given=given: nn.AdaptiveLogSoftmaxWithLoss(4, 10, given))
            for given in ([], [2, 1], [0, 2], [2, 10], [2, 2], [1.5])
        ]
        return [repr(layer), layer.state_dict(), made, gradients, alone, layer.log_prob(x), layer.predict(x), refused, cutoffs]

    compare(tour, 2e-6)


@pytest.mark.parametrize(
    "options", [{}, dict(reduction="none"), dict(ignore_index=1), dict(label_smoothing=0.2), dict(reduction="x")]
)
@pytest.mark.parametrize("sizes", [(4, 3), (4, 2, 3)])
def test_the_linear_cross_entropy(options, sizes):
    def tour(library):
        library.manual_seed(0)
        x, weight = library.randn(5, 3, requires_grad=True), library.randn(sizes, requires_grad=True)
        target = library.randint(0, 4, (5, *sizes[1:-1]))
        bias = library.randn(sizes[:-1])
        loss = answer(lambda: library.nn.functional.linear_cross_entropy(x, weight, target, linear_bias=bias, **options))
        return loss if isinstance(loss, str) else [loss, library.autograd.grad(loss.sum(), (x, weight))]

    compare(tour, 2e-6)


def test_its_module_and_options():
    def tour(library):
        nn = library.nn
        library.manual_seed(0)
        layer = nn.LinearCrossEntropyLoss(3, 4, out_features=(2,), bias=True, weight=library.ones(4))
        wrong = [dict(batch_chunk_size=0), dict(chunking_method="x"), dict(acc_policy="x"), dict(acc_dtype=library.int32)]
        return [
            repr(layer),
            repr(nn.LinearCrossEntropyLoss(3, 4, options=nn.LinearCrossEntropyOptions())),
            layer.state_dict(),
            layer(library.randn(5, 3), library.zeros(5, 2, dtype=library.long)),
            [answer(lambda given=given: nn.LinearCrossEntropyOptions(**given)) for given in wrong],
            [answer(lambda: nn.NLLLoss2d()), answer(lambda: nn.Container())],
        ]

    compare(tour, 2e-6)


def test_prefixes_and_factories():
    def tour(library):
        U, nn = library.nn.modules.utils, library.nn
        state = library.nn.Sequential(library.nn.Sequential(library.nn.Linear(1, 1))).state_dict()
        U.consume_prefix_in_state_dict_if_present(state, "0.")
        return [
            list(state),
            list(state._metadata),
            [
                answer(lambda given=given: nn.factory_kwargs(given))
                for given in (
                    None,
                    {"device": "cpu"},
                    {"device": "cpu", "factory_kwargs": {"dtype": 1}},
                    {"foo": 1},
                    {"dtype": 1, "factory_kwargs": {"dtype": 1}},
                )
            ],
            [
                answer(lambda given=given: nn._reduction.get_enum(given))
                for given in ("none", "mean", "sum", "x", "elementwise_mean")
            ],
        ]

    compare(tour)
