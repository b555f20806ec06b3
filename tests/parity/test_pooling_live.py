"""Pooling beside PyTorch: modules over a table of arguments, and what each refuses."""

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore::UserWarning")]

MODULES = [
    ("MaxPool1d(3)", (2, 3, 8)),
    ("MaxPool1d(3, 1, 1, 2, return_indices=True, ceil_mode=True)", (3, 9)),
    ("MaxPool2d(3, 2, 1)", (2, 3, 8, 7)),
    ("MaxPool2d((3, 2), (2, 1), (1, 0), (1, 2), return_indices=True, ceil_mode=True)", (3, 9, 8)),
    ("MaxPool2d(2, 3, ceil_mode=True)", (1, 2, 8, 8)),
    ("MaxPool3d(2, return_indices=True)", (2, 3, 5, 4, 6)),
    ("MaxPool3d(3, 1, 1, 2)", (2, 6, 6, 7)),
    ("AvgPool1d(3, 2, 1)", (2, 3, 8)),
    ("AvgPool2d(3, 2, 1, True, False)", (2, 3, 8, 7)),
    ("AvgPool2d((2, 3), divisor_override=5)", (3, 8, 7)),
    ("AvgPool2d(3, 2, 1, ceil_mode=True)", (2, 3, 8, 8)),
    ("AvgPool3d(2, 1, 1)", (2, 3, 4, 5, 4)),
    ("AvgPool3d(2, 3, 1, True, False)", (2, 4, 5, 4)),
    ("AdaptiveMaxPool1d(3, return_indices=True)", (2, 3, 8)),
    ("AdaptiveMaxPool2d((3, None), return_indices=True)", (2, 3, 8, 7)),
    ("AdaptiveMaxPool3d((2, 3, 5))", (2, 3, 4, 7)),
    ("AdaptiveMaxPool3d(2)", (2, 3, 3, 4, 5)),
    ("AdaptiveMaxPool2d(1)", (2, 3, 4, 5)),
    ("AdaptiveAvgPool1d(3)", (3, 8)),
    ("AdaptiveAvgPool2d((None, 3))", (2, 3, 8, 7)),
    ("AdaptiveAvgPool2d(1)", (2, 3, 8, 7)),
    ("AdaptiveAvgPool2d(9)", (3, 4, 5)),
    ("AdaptiveAvgPool3d((1, 2, 3))", (2, 3, 4, 5, 4)),
    ("LPPool1d(2, 3)", (2, 3, 8)),
    ("LPPool2d(3, (2, 3), 1, True)", (2, 3, 8, 8)),
    ("LPPool3d(2, 2)", (2, 4, 4, 4)),
    ("FractionalMaxPool2d(2, 4, return_indices=True)", (2, 3, 8, 9)),
    ("FractionalMaxPool2d((2, 3), output_ratio=(0.5, 0.6))", (3, 8, 9)),
    ("FractionalMaxPool3d(2, (2, 3, 4), return_indices=True)", (2, 3, 5, 6, 8)),
]


def numbers_of(value):
    """Every tensor of a result as an array, with its dtype and strides."""
    values = value if isinstance(value, tuple) else (value,)
    return [(np.asarray(each.detach().tolist()), str(each.dtype).split(".")[-1], each.stride()) for each in values]


def run(library, text, shape, dtype, channels_last):
    """What a module makes of an input, and the gradient of that."""
    library.manual_seed(7)
    module = eval(f"nn.{text}", {"nn": library.nn, "torch": library})
    x = library.arange(float(np.prod(shape))).mul(0.6180339887).remainder(1).sub(0.4).reshape(shape).to(getattr(library, dtype))
    if channels_last:
        x = x.to(memory_format=library.channels_last if len(shape) == 4 else library.channels_last_3d)
    x.requires_grad_()
    made = module(x)
    first = made[0] if isinstance(made, tuple) else made
    weights = library.arange(float(first.numel())).reshape(first.shape).to(first.dtype)
    (gradient,) = library.autograd.grad((first * weights).sum(), x, create_graph=True)
    facts = [repr(module), list(module.state_dict()), first.grad_fn.name(), gradient.requires_grad]
    return facts, numbers_of(made) + numbers_of(gradient)[:1]


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
@pytest.mark.parametrize(
    ("text", "shape"), MODULES, ids=lambda value: str(value).partition("(")[0] if isinstance(value, str) else None
)
def test_modules_beside_pytorch(text, shape, dtype):
    if dtype == "bfloat16" and (("AvgPool3d(" in text and "Adaptive" not in text) or "LPPool3d" in text):
        for library in (rushlight, torch):
            with pytest.raises(NotImplementedError, match="\"avg_pool3d_out_frame\" not implemented for 'BFloat16'"):
                run(library, text, shape, dtype, False)
        return
    for channels_last in (False, True) if (len(shape) == 4 and "3d" not in text) or len(shape) == 5 else (False,):
        (facts, ours), (expected_facts, expected) = (
            run(library, text, shape, dtype, channels_last) for library in (rushlight, torch)
        )
        assert facts == expected_facts
        for (value, kind, strides), (other, other_kind, other_strides) in zip(ours, expected, strict=True):
            assert (kind, strides) == (other_kind, other_strides)
            np.testing.assert_allclose(value, other, rtol=1e-12 if dtype == "float64" else 1e-5 if dtype == "float32" else 0.05)


def unpooled(library, pool, unpool, shape, **options):
    x = library.arange(float(np.prod(shape))).mul(0.6180339887).remainder(1).reshape(shape).requires_grad_()
    made, indices = eval(f"nn.{pool}", {"nn": library.nn})(x)
    back = eval(f"nn.{unpool}", {"nn": library.nn})(made, indices, **options)
    (gradient,) = library.autograd.grad((back * back).sum(), x)
    return numbers_of((back, gradient))


@pytest.mark.parametrize(
    ("pool", "unpool", "shape", "options"),
    [
        ("MaxPool1d(2, return_indices=True)", "MaxUnpool1d(2)", (2, 3, 8), {}),
        ("MaxPool2d(2, return_indices=True)", "MaxUnpool2d(2)", (3, 7, 8), {"output_size": (7, 8)}),
        ("MaxPool2d(3, 2, return_indices=True)", "MaxUnpool2d(3, 2)", (2, 3, 8, 8), {"output_size": (2, 3, 8, 8)}),
        ("MaxPool3d(2, return_indices=True)", "MaxUnpool3d(2)", (2, 3, 4, 4, 6), {}),
    ],
)
def test_unpooling_beside_pytorch(pool, unpool, shape, options):
    for (value, *facts), (other, *expected) in zip(
        *(unpooled(library, pool, unpool, shape, **options) for library in (rushlight, torch)), strict=True
    ):
        assert facts == expected
        np.testing.assert_allclose(value, other, rtol=1e-6)


REFUSED = """
F.max_pool2d(x(2, 8, 8), 3, 1, 2)
F.max_pool2d(x(2, 8, 8), (3, 3, 3))
F.max_pool2d(x(2, 8, 8), 3, (1, 1, 1))
F.max_pool2d(x(2, 8, 8), 3, 1, (1, 1, 1))
F.max_pool2d(x(2, 8, 8), 3, 1, 1, (1, 1, 1))
F.max_pool2d(x(2, 8, 8), 9)
F.max_pool2d(x(2, 8, 8), 0)
F.max_pool2d(x(2, 8, 8), 0, 1)
F.max_pool2d(x(2, 8, 8), 3, -1)
F.max_pool2d(x(2, 8, 8), 3, 1, 0, -1)
F.max_pool2d(x(2, 8, 8), 3, 1, -1)
F.max_pool2d(x(2, 8, 8), 3.0)
F.max_pool2d(x(2, 8, 8), 1 << 40, 1, 1 << 39)
F.max_pool2d(x(8, 8), 3)
F.max_pool2d(x(2, 0, 8, 8), 3)
F.max_pool2d(x(2, 8, 8).bool(), 3)
F.max_pool1d(x(2, 8), (3, 3))
F.max_pool1d(x(2, 8), 3, (1, 1))
F.max_pool1d(x(2, 8), 3, 1, 2)
F.max_pool1d(x(2, 8), 0)
F.max_pool1d(x(2, 8), 9)
F.max_pool1d(x(2, 8), 3, 0)
F.max_pool1d(x(2, 8), 3, 1, 1, 0)
F.max_pool1d(x(2, 8), (3, 3), return_indices=True)
F.max_pool1d(x(8), 3)
F.max_pool3d(x(2, 4, 4, 4), 5)
F.max_pool3d(x(2, 4, 4, 4), 0, 1)
F.max_pool3d(x(2, 4, 4, 4), 2, -1)
F.max_pool3d(x(2, 4, 4, 4), 2, 1, 0, -1)
F.max_pool3d(x(2, 4, 4, 4), (2, 2))
F.max_pool3d(x(4, 4, 4), 2)
F.max_pool3d(x(2, 0, 4, 4, 4), 2)
F.avg_pool1d(x(2, 8), (3, 3))
F.avg_pool1d(x(8), 3)
F.avg_pool2d(x(2, 8, 8), 3, divisor_override=0)
F.avg_pool2d(x(8, 8), 3)
F.avg_pool2d(x(2, 8, 8).int(), 3)
F.avg_pool2d(x(2, 8, 8), 9)
F.avg_pool3d(x(2, 4, 4, 4), 5)
F.avg_pool3d(x(2, 4, 4, 4), 5, ceil_mode=True)
F.avg_pool3d(x(2, 4, 4, 4), (2, 2))
F.avg_pool3d(x(2, 4, 4, 4), 2, (2, 2))
F.avg_pool3d(x(2, 4, 4, 4).half(), 2)
F.adaptive_avg_pool2d(x(2, 8, 8), (1, 2, 3))
F.adaptive_avg_pool2d(x(2, 8, 8), -1)
F.adaptive_avg_pool2d(x(2, 8, 8).long(), 2)
F.adaptive_avg_pool2d(x(8, 8), 2)
F.adaptive_avg_pool2d(x(8, 8), (None, 2))
F.adaptive_avg_pool3d(x(2, 4, 4, 4), (1, 2))
F.adaptive_avg_pool3d(x(4, 4, 4), 2)
F.adaptive_avg_pool1d(x(2, 8), (1, 2))
F.adaptive_max_pool1d(x(2, 8), (1, 2))
F.adaptive_max_pool1d(x(8), 1)
F.adaptive_max_pool2d(x(2, 8, 8), -1)
F.adaptive_max_pool2d(x(2, 0, 8), 1)
F.adaptive_max_pool2d(x(2, 8, 8), (1, 2, 3))
F.adaptive_max_pool3d(x(4, 4, 4), 1)
F.fractional_max_pool2d(x(2, 8, 8), 3)
F.fractional_max_pool2d(x(2, 8, 8), 9, 2)
F.fractional_max_pool2d(x(2, 8, 8), (3, 3, 3), 2)
F.fractional_max_pool2d(x(2, 8, 8), 3, output_ratio=(0.5, 0.5, 0.5))
F.fractional_max_pool2d(x(2, 8, 8), 3, 2, _random_samples=x(1, 1, 2))
F.fractional_max_pool2d(x(2, 8, 8), 3, 2, _random_samples=x(1, 2, 3))
F.fractional_max_pool2d(x(2, 8, 8), 3, 2, _random_samples=x(1, 2, 2).double())
F.fractional_max_pool3d(x(2, 4, 4, 4), 5, 2)
F.fractional_max_pool3d(x(2, 4, 4, 4), 2, 3)
F.max_unpool2d(x(1, 2, 2), x(1, 2, 2).long() + 100, 2)
F.max_unpool2d(x(1, 2, 2), x(1, 2, 2).long() - 100, 2)
F.max_unpool2d(x(1, 2, 2), x(1, 2, 2).int(), 2)
F.max_unpool2d(x(1, 2, 2), x(1, 2, 1).long(), 2)
F.max_unpool2d(x(1, 2, 2), x(1, 2, 2).long(), 2, output_size=(9, 9))
F.max_unpool2d(x(2, 2), x(2, 2).long(), 2)
F.max_unpool3d(x(1, 2, 2, 2), x(1, 2, 2, 2).long(), 2, 0)
nn.FractionalMaxPool2d(3)
nn.FractionalMaxPool2d(3, 2, 0.5)
nn.FractionalMaxPool3d(3, output_ratio=1.5)
nn.MaxPool2d()
""".strip().split("\n")


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text):
    found = []
    for library in (rushlight, torch):
        with pytest.raises(Exception) as caught:
            eval(text, {"F": library.nn.functional, "nn": library.nn, "x": lambda *shape, library=library: library.ones(shape)})
        found.append((caught.type.__name__, str(caught.value)))
    assert found[0] == found[1]
