"""Interpolation, padding, shuffles and the norms beside PyTorch: modules over a table of arguments, functions, and what is refused."""

import numpy as np
import pytest

import rushlight

from .test_pooling_live import numbers_of, run

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

MODULES = [
    ("Upsample(scale_factor=2)", (2, 3, 5)),
    ("Upsample(scale_factor=1.7)", (2, 3, 5, 4)),
    ("Upsample((3, 4, 5))", (2, 3, 5, 4, 3)),
    ("Upsample(7, mode='nearest-exact')", (2, 3, 5, 4)),
    ("Upsample(8, mode='linear')", (2, 3, 5)),
    ("Upsample((7, 3), mode='bilinear')", (2, 3, 5, 4)),
    ("Upsample(scale_factor=(1.5, 2.0), mode='bilinear', align_corners=True)", (2, 3, 5, 4)),
    ("Upsample(scale_factor=(1.3, 0.6), mode='bicubic', recompute_scale_factor=True)", (2, 3, 5, 4)),
    ("Upsample(scale_factor=1.3, mode='bicubic')", (2, 3, 5, 4)),
    ("Upsample((3, 7, 2), mode='trilinear')", (2, 3, 5, 4, 3)),
    ("Upsample(3, mode='area')", (2, 3, 5, 4)),
    ("UpsamplingNearest2d((3, 7))", (2, 3, 5, 4)),
    ("UpsamplingBilinear2d(scale_factor=2)", (2, 3, 5, 4)),
    ("PixelShuffle(2)", (2, 4, 3, 2)),
    ("PixelUnshuffle(2)", (2, 1, 4, 2)),
    ("ChannelShuffle(2)", (2, 4, 3, 2)),
    ("ConstantPad1d(2, 1.5)", (2, 3, 4)),
    ("ConstantPad2d((1, 2, -1, 0), 0.5)", (2, 3, 4, 4)),
    ("ConstantPad3d(1, 0.5)", (2, 3, 2, 2, 2)),
    ("ZeroPad1d((1, 2))", (2, 4)),
    ("ZeroPad2d(1)", (2, 3, 4, 4)),
    ("ZeroPad3d(1)", (3, 2, 2, 2)),
    ("ReflectionPad1d(2)", (2, 3, 4)),
    ("ReflectionPad2d((1, 2, 0, 1))", (2, 3, 4, 4)),
    ("ReflectionPad3d(1)", (2, 3, 3, 3, 3)),
    ("ReplicationPad1d(2)", (3, 4)),
    ("ReplicationPad2d((3, 1, 0, 2))", (2, 3, 4, 4)),
    ("ReplicationPad3d(1)", (2, 3, 3, 3, 3)),
    ("CircularPad1d(2)", (3, 4)),
    ("CircularPad2d((3, 1, 0, 2))", (2, 3, 4, 4)),
    ("CircularPad3d(1)", (2, 3, 3, 3, 3)),
    ("InstanceNorm1d(3)", (2, 3, 5)),
    ("InstanceNorm2d(3, affine=True, track_running_stats=True)", (2, 3, 4, 5)),
    ("InstanceNorm2d(3, affine=True, bias=False)", (3, 4, 5)),
    ("InstanceNorm3d(3, 1e-3, 0.2, True)", (2, 3, 2, 4, 3)),
    ("SyncBatchNorm(3)", (2, 3, 4)),
    ("LazyBatchNorm1d()", (4, 3)),
    ("LazyBatchNorm2d(affine=False)", (2, 3, 4, 5)),
    ("LazyBatchNorm3d(track_running_stats=False, bias=False)", (2, 3, 2, 4, 3)),
    ("LazyInstanceNorm1d(affine=False)", (2, 3, 5)),
    ("LazyInstanceNorm2d()", (2, 3, 4, 5)),
    ("LazyInstanceNorm3d()", (2, 3, 2, 4, 3)),
    ("LocalResponseNorm(2)", (2, 5, 4)),
    ("LocalResponseNorm(5, 0.1, 0.5, 2.0)", (2, 7, 4, 3)),
    ("GroupNorm(2, 4, bias=False)", (2, 4, 3)),
    ("RMSNorm((3, 2))", (4, 3, 2)),
]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("text", "shape"), MODULES, ids=lambda value: str(value).partition("(")[0] if isinstance(value, str) else None
)
def test_modules_beside_pytorch(text, shape, dtype):
    if dtype == "float64" and ("affine" in text or "Norm" in text):
        text = (
            text.removesuffix(")")
            + f"{'' if text.endswith('()') else ', '}dtype=torch.float64)" * ("Response" not in text)
            + ")" * ("Response" in text)
        )
    channels_last = len(shape) == 4 and text[0] in "UPC" and "3d" not in text
    for last in (False, True) if channels_last else (False,):
        (facts, ours), (expected_facts, expected) = (run(library, text, shape, dtype, last) for library in (rushlight, torch))
        if "Circular" in text:  # PyTorch's node is that of the last copy of several
            del facts[2], expected_facts[2]
        assert facts == expected_facts
        for (value, kind, strides), (other, other_kind, other_strides) in zip(ours, expected, strict=True):
            assert (kind, strides) == (other_kind, other_strides)
            np.testing.assert_allclose(
                value, other, rtol=1e-9 if dtype == "float64" else 1e-4, atol=1e-9 if dtype == "float64" else 1e-4
            )


SMOOTHED = [
    {"size": (3, 2), "mode": "bilinear"},
    {"size": (3, 9), "mode": "bilinear", "align_corners": True},
    {"scale_factor": 0.4, "mode": "bilinear"},
    {"size": (3, 2), "mode": "bicubic"},
    {"size": (1, 12), "mode": "bicubic", "align_corners": True},
    {"size": (3, 9), "mode": "lanczos"},
]


@pytest.mark.parametrize("options", SMOOTHED, ids=str)
def test_smoothed_interpolation(options):
    found = []
    for library in (rushlight, torch):
        x = library.arange(2.0 * 3 * 8 * 7, dtype=library.float64).mul(0.618).remainder(1).view(2, 3, 8, 7).requires_grad_()
        made = library.nn.functional.interpolate(x, antialias=True, **options)
        (gradient,) = library.autograd.grad((made**2).sum(), x)
        found.append([made.grad_fn.name(), *numbers_of((made, gradient))])
    assert found[0][0] == found[1][0]
    for (ours, *_), (expected, *_) in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(5, 13), (16, 16), (3, 4), (1, 8)], ids=str)
def test_bytes(mode, size, antialias):
    if antialias and "nearest" in mode:
        with pytest.raises(ValueError, match="Anti-alias option"):
            rushlight.nn.functional.interpolate(rushlight.zeros(1, 1, 2, 2), size, mode=mode, antialias=True)
        return
    found = []
    for library in (rushlight, torch):
        x = library.arange(2 * 3 * 8 * 8).mul(97).remainder(256).view(2, 3, 8, 8).to(library.uint8)
        found.append(library.nn.functional.interpolate(x, size, mode=mode, antialias=antialias).tolist())
    assert found[0] == found[1]


REFUSED = """
F.interpolate(x(2, 3, 8, 8))
F.interpolate(x(2, 3, 8, 8), 5, 2)
F.interpolate(x(2, 3, 8, 8), (5, 5, 5))
F.interpolate(x(2, 3, 8, 8), scale_factor=(2,))
F.interpolate(x(2, 3, 8, 8), 5, align_corners=True)
F.interpolate(x(2, 3, 8, 8), 5, mode="linear")
F.interpolate(x(2, 3, 8), 5, mode="bicubic")
F.interpolate(x(2, 3, 8), 5, mode="trilinear")
F.interpolate(x(2, 3, 8, 8), 5, mode="other")
F.interpolate(x(2, 3, 8, 8), (5.0, 5))
F.interpolate(x(2, 3, 8, 8), 0)
F.interpolate(x(2, 3, 8), -1)
F.interpolate(x(2, 0, 8), 4)
F.interpolate(x(2, 3, 8, 8), scale_factor=0.01)
F.interpolate(x(2, 3, 8, 8), 5, recompute_scale_factor=True)
F.interpolate(x(2, 3, 8, 8), 5, antialias=True)
F.interpolate(x(2, 3, 8, 8), 5, mode="lanczos")
F.interpolate(x(2, 3, 8, 8).half(), 5, mode="bicubic", antialias=True)
F.interpolate(x(2, 3, 8).long(), 5, mode="linear")
F.interpolate(x(2, 3), 5)
F.channel_shuffle(x(2, 3, 4), 2)
F.channel_shuffle(x(2, 3, 4), 0)
F.channel_shuffle(x(2, 3), 1)
F.local_response_norm(x(2, 3), 2)
F.grid_sample(x(2, 3, 4, 4), x(2, 3, 4, 5, 3))
F.grid_sample(x(2, 3, 4, 4), x(1, 4, 5, 2))
F.grid_sample(x(2, 3, 0, 4), x(2, 4, 5, 2))
F.grid_sample(x(2, 3, 4, 4, 4), x(2, 3, 4, 5, 3), "bicubic")
F.grid_sample(x(2, 3, 4, 4), x(2, 4, 5, 2), "other")
F.grid_sample(x(2, 3, 4, 4), x(2, 4, 5, 2), "nearest", "other")
F.grid_sample(x(2, 3, 4, 4), x(2, 4, 5, 2).double())
F.grid_sample(x(2, 3, 4, 4).long(), x(2, 4, 5, 2).long())
F.affine_grid(x(2, 2, 3).long(), (2, 3, 4, 5))
F.affine_grid(x(2, 2, 3), (2, 3, 4))
F.affine_grid(x(2, 2, 3), (1, 3, 4, 5))
F.affine_grid(x(2, 3, 4), (2, 3, 4, 5))
F.affine_grid(x(2, 2, 3), (2, 3, 0, 5))
nn.InstanceNorm1d(3)(x(2, 3, 4, 4))
nn.InstanceNorm2d(3)(x(4, 4))
nn.InstanceNorm2d(4, affine=True)(x(2, 3, 4, 4))
nn.InstanceNorm2d(3)(x(2, 3, 1, 1))
nn.CircularPad2d(1)(x(3, 3))
nn.ReflectionPad1d(4)(x(2, 3))
nn.LazyBatchNorm1d()(x(2, 3, 4, 4))
nn.SyncBatchNorm(3)(x(3))
nn.CrossMapLRN2d(3)(x(3, 3))
""".strip().split("\n")


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_refused(text):
    found = []
    for library in (rushlight, torch):
        with pytest.raises(Exception) as caught:
            eval(text, {"F": library.nn.functional, "nn": library.nn, "x": lambda *shape, library=library: library.ones(shape)})
        found.append((caught.type.__name__, str(caught.value)))
    assert found[0] == found[1]


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_norms_of_torch_7(size):
    found = []
    for library in (rushlight, torch):
        x = library.arange(2.0 * 7 * 2 * 2, dtype=library.float64).mul(0.618).remainder(1).view(2, 7, 2, 2).requires_grad_()
        made = library.nn.CrossMapLRN2d(size, 0.3, 0.6, 2)(x)
        (gradient,) = library.autograd.grad((made**2).sum(), x)
        found.append([type(made.grad_fn).__name__, *(each for each, *_ in numbers_of((made, gradient)))])
    assert found[0][0] == found[1][0]
    for ours, expected in zip(found[0][1:], found[1][1:], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_batch_norms_become_synchronized_ones():
    found = []
    for library in (rushlight, torch):
        nn = library.nn
        net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Sequential(nn.BatchNorm2d(2, affine=False)))
        made = nn.SyncBatchNorm.convert_sync_batchnorm(net)
        found.append((repr(made), list(made.state_dict()), made[1].weight is net[1].weight))
    assert found[0] == found[1]


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("edges", ["zeros", "border", "reflection"])
@pytest.mark.parametrize(
    ("mode", "sizes"),
    [("bilinear", (5, 4)), ("nearest", (5, 4)), ("bicubic", (5, 4)), ("bilinear", (3, 4, 5)), ("nearest", (3, 1, 2))],
)
def test_sampling_beside_pytorch(mode, sizes, edges, corners):
    found = []
    for library in (rushlight, torch):
        values = (
            library.arange(2.0 * 3 * np.prod(sizes), dtype=library.float64).mul(0.618).remainder(1).sub(0.4).view(2, 3, *sizes)
        )
        theta = library.arange(2.0 * len(sizes) * (len(sizes) + 1), dtype=library.float64).mul(0.7548).remainder(2.1).sub(1)
        x, theta = values.requires_grad_(), theta.view(2, len(sizes), -1).requires_grad_()
        grid = library.nn.functional.affine_grid(theta, (2, 3, *reversed(sizes)), align_corners=corners)
        made = library.nn.functional.grid_sample(x, grid, mode, edges, corners)
        first = library.autograd.grad((made**2).sum(), (x, grid), create_graph=True)
        second = library.autograd.grad(sum((each**2).sum() for each in first), (x, theta))
        names = [made.grad_fn.name(), grid.grad_fn.name(), *(each.grad_fn.name() for each in first)]
        found.append((names, numbers_of((grid, made, *first, *second))))
    assert found[0][0] == found[1][0]
    for (ours, *_), (expected, *_) in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("edges", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e30])
def test_sampling_nowhere(number, edges, mode):
    if mode == "bicubic" and number == 1e30:
        return  # PyTorch's weights of places beyond int64 mean nothing
    found = []
    for library in (rushlight, torch):
        grid = library.full((1, 1, 2, 2), number)
        found.append(library.nn.functional.grid_sample(library.ones(1, 1, 3, 3), grid, mode, edges, False).flatten().tolist())
    np.testing.assert_array_equal(*found)
