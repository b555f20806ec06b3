"""Functions that PyTorch has for its own compositions, on the samples of its database: values, dtypes, strides, nodes and gradients."""

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402
from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402

import rushlight  # noqa: E402

from .op_db import convert  # noqa: E402

NAMES = (
    *("_batch_norm_with_update", "_chunk_cat", "_native_batch_norm_legit", "_softmax_backward_data", "_unsafe_masked_index"),
    *("_unsafe_masked_index_put_accumulate", "_upsample_bilinear2d_aa", "native_batch_norm", "native_dropout_backward", "slice"),
    "torch.ops.aten._safe_softmax.default",
)
INFOS = {info.name: info for info in op_db if info.name in NAMES}


def function(library, name):
    last = name.removesuffix(".default").rpartition(".")[2]
    return getattr(library, last, None) or getattr(library.ops.aten, last)


def leaves(value):
    if isinstance(value, list | tuple):
        return [leaf for each in value for leaf in leaves(each)]
    return [value] if isinstance(value, torch.Tensor | rushlight.Tensor) and value.requires_grad else []


def listed(made):
    return list(made) if isinstance(made, list | tuple) else [made]


@pytest.mark.parametrize("name", INFOS)
def test_samples(name):
    count = 0
    for sample in INFOS[name].sample_inputs("cpu", torch.float64, requires_grad=INFOS[name].supports_autograd):
        given = (sample.input, *sample.args)
        ours, keywords = [convert(each) for each in given], {key: convert(value) for key, value in sample.kwargs.items()}
        expected = listed(function(torch, name)(*given, **sample.kwargs))
        found = listed(function(rushlight, name)(*ours, **keywords))
        for a, b in zip(expected, found, strict=True):
            assert (a.shape, a.stride(), str(a.dtype)) == (tuple(b.shape), b.stride(), str(b.dtype).replace("rushlight", "torch"))
            assert torch.allclose(a.detach(), torch.from_numpy(b.detach().numpy()), equal_nan=True)
            assert type(a.grad_fn).__name__ == type(b.grad_fn).__name__
        if leaves(given) and type(expected[0].grad_fn).__name__ not in ("NoneType", "NotImplemented"):
            weight = torch.randn_like(expected[0])
            pairs = zip(
                torch.autograd.grad(expected[0], leaves(given), weight, allow_unused=True),
                rushlight.autograd.grad(found[0], leaves(ours), convert(weight), allow_unused=True),
                strict=True,
            )
            for a, b in pairs:
                assert (a is None) == (b is None)
                assert a is None or torch.allclose(a, torch.from_numpy(b.numpy()))
        count += 1
    assert count


def grouped_arguments(library, case):
    a, b, offs = case
    values = [library.arange(float(torch.Size(shape).numel())).reshape(shape).sin().requires_grad_() for shape in (a, b)]
    return values, None if offs is None else library.tensor(offs, dtype=library.int32)


@pytest.mark.parametrize(
    "case",
    [((3, 4, 8), (3, 8, 4), None), ((8, 8), (3, 8, 4), (2, 5, 8)), ((3, 4, 8), (8, 8), (0, 5, 8)), ((4, 8), (8, 8), (2, 2, 8))],
)
def test_grouped_products(case):
    made = []
    for library in (torch, rushlight):
        (a, b), offs = grouped_arguments(library, case)
        out = library.nn.functional.grouped_mm(a, b, offs=offs)
        gradients = library.autograd.grad((out * out).sum(), (a, b))
        assert type(out.grad_fn).__name__ == "GroupedMmBackward0"
        made.append([torch.from_numpy(each.detach().numpy()) for each in (out, *gradients)])
    for a, b in zip(*made, strict=True):
        torch.testing.assert_close(b, a)


def test_scaled_products_and_dropout_draw_the_same():
    made = []
    for library in (torch, rushlight):
        library.manual_seed(3)
        kept, mask = library.native_dropout(library.ones(40), 0.3, True)
        a, b = (library.randn(*shape).to(library.float8_e4m3fn) for shape in ((4, 8), (8, 6)))
        product = library._scaled_mm(a, b, library.tensor(2.0), library.tensor(1.0), bias=library.ones(6))
        rows = library._scaled_mm(a, b, library.full((4, 1), 0.5), library.ones(1, 6), out_dtype=library.bfloat16)
        made.append([each.float().tolist() for each in (kept, mask, product, rows)])
    assert made[0] == made[1]


STRIDED = [
    ((2, 3), (3, 3)),
    ((4, 2, 3), (0, 3, 1)),
    ((2, 3, 4), (1, 8, 2)),
    ((2, 1, 3), (3, 9, 1)),
    ((2, 3, 1, 1), (3, 1, 1, 1)),
    ((2, 2), (0, 0)),
]


@pytest.mark.parametrize(("shape", "stride"), STRIDED)
def test_orders_of_dimensions(shape, stride):
    def found(library):
        x, texts = library.zeros(400).as_strided(shape, stride), [library.zeros(400).as_strided(shape, stride).dim_order()]
        formats = [library.contiguous_format, library.channels_last]
        for check in (True, formats[:1], formats) if len(shape) == 4 else (True,):
            try:
                texts.append(x.dim_order(ambiguity_check=check))
            except RuntimeError as error:
                texts.append(str(error))
        return texts

    assert found(torch) == found(rushlight)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.eye(2).eig(),
        lambda t: t.symeig(t.eye(2)),
        lambda t: t.eye(2).solve(t.eye(2)),
        lambda t: t.lstsq(t.eye(2), t.eye(2)),
        lambda t: t.matrix_rank(t.eye(2)),
        lambda t: t.eye(2).reinforce(1),
        lambda t: t.eye(2).resize(3),
        lambda t: t.eye(2).map2_(t.eye(2), t.eye(2).double(), max),
        lambda t: t._chunk_cat([], 0, 1),
        lambda t: t._scaled_mm(t.eye(4), t.eye(4), t.tensor(1.0), t.tensor(1.0)),
        lambda t: t.nn.functional.grouped_mm(t.eye(4), t.eye(4)),
        lambda t: t.nn.functional.grouped_mm(t.eye(4).double(), t.eye(4)),
        lambda t: t._softmax_backward_data(t.ones(2), t.ones(1, 2), 0, t.float32),
    ],
)
def test_errors(call):
    texts = []
    for library in (torch, rushlight):
        with pytest.raises(Exception) as caught:
            call(library)
        texts.append((caught.type.__name__, str(caught.value)))
    assert texts[0] == texts[1]
