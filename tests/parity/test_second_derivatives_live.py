"""Gradients that are recorded: the names of their nodes, and their values at NaN, infinities, ties and zeros."""

import math

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402

NAN, INF = math.nan, math.inf
NAMED = """
min() max() median() nanmedian() prod() std() var(1) std(1) norm() norm(1) norm(1,1) norm(3) norm(-1,1) norm(INF) erfinv() nan_to_num() atan2(x)
copysign(x) maximum(d) minimum(d) fmax(x) fmin(x) xlogy(x) index_add(0,i,x) index_copy(0,i,x) dist(x) t().reshape(6) t()[None].reshape(1,1,3,2)
reshape(3,2) flatten() var(correction=0)
"""
VALUES = """
min() max() median() norm() norm(3) norm(0.5) norm(-1) std() prod() maximum(x*0) fmax(x*0) nan_to_num() copysign(x)
F.hardswish F.elu F.celu F.selu F.hardtanh F.relu6 F.leaky_relu F.softshrink F.hardshrink
"""


def evaluated(t, text, points):
    x = t.tensor(points, dtype=t.float64, requires_grad=True)
    d = t.tensor(1.0, dtype=t.float64, requires_grad=True)
    names = {"x": x, "d": d, "i": t.tensor([0, 1]), "t": t, "INF": INF}
    y = getattr(t.nn.functional, text[2:])(x) if text[:2] == "F." else eval(f"x.{text}", names)
    (g,) = t.autograd.grad(y, x, t.ones_like(y) * d, create_graph=True)
    return x, y, g


@pytest.mark.parametrize("text", NAMED.split())
def test_nodes_of_recorded_gradients(text):
    found, wanted = (evaluated(t, text, [[NAN, 1, 2], [1, 1, 2]]) for t in (rushlight, torch))
    assert found[1].grad_fn.name() == wanted[1].grad_fn.name()
    assert found[2].grad_fn.name() == wanted[2].grad_fn.name()
    assert found[2].stride() == wanted[2].stride()


@pytest.mark.parametrize(
    "points", ([NAN, INF, -INF, 0.0, 3, -3, 0.5, 1], [0.0, 0.0, 3, -3, 0.5, 1, -1, 6], [2.0, 2.0, 2.0]), ids=str
)
@pytest.mark.parametrize("text", VALUES.split())
def test_values_of_first_and_second_derivatives(text, points):
    results = []
    for t in (rushlight, torch):
        x, y, g = evaluated(t, text, points)
        second = t.autograd.grad(g, x, t.ones_like(g), allow_unused=True, materialize_grads=True)[0]
        results.append([value for tensor in (y, g, second) for value in tensor.flatten().tolist()])
    assert results[0] == pytest.approx(results[1], nan_ok=True, rel=1e-9, abs=1e-12)


def test_smooth_losses_bend_inside_of_their_bounds_alone():
    for name, size in (("smooth_l1_loss", "beta"), ("huber_loss", "delta")):
        results = []
        for t in (rushlight, torch):
            x = t.tensor([0.5, -0.5, 0.25, 2.0], requires_grad=True)
            loss = getattr(t.nn.functional, name)(x, t.zeros(4), reduction="none", **{size: 0.5})
            (g,) = t.autograd.grad(loss.sum(), x, create_graph=True)
            results.append(t.autograd.grad(g.sum(), x)[0].tolist())
        assert results[0] == results[1], name


def test_a_tracked_number_makes_whole_numbers_tracked():
    def writes(t):
        one, mask = t.ones((), requires_grad=True), t.tensor([True, False, True])
        for write in (
            lambda x: x.fill_(one),
            lambda x: x.masked_fill_(mask, one),
            lambda x: x.index_fill_(0, t.tensor([0]), one),
            lambda x: x.__setitem__(slice(None, None, 2), one),
            lambda x: x.eq_(t.ones(3, requires_grad=True)),
            lambda x: x.copy_(t.ones(3, requires_grad=True)),
            lambda x: x.__setitem__(0, one),
            lambda x: x.logical_and_(t.ones(3, requires_grad=True)),
        ):
            for dtype in (t.bool, t.int64):
                x = t.zeros(3, dtype=dtype)
                write(x)
                yield x.requires_grad, type(x.grad_fn).__name__

    assert list(writes(rushlight)) == list(writes(torch))


@pytest.mark.parametrize("name", ("i1", "i1e"))
@pytest.mark.parametrize("dtype", ("float16", "bfloat16"))
def test_bessel_functions_of_halves_have_no_derivative(name, dtype):
    for t in (rushlight, torch):
        x = t.ones(1, dtype=getattr(t, dtype), requires_grad=True)
        with pytest.raises(NotImplementedError, match=f'"{name}_backward" not implemented'):
            getattr(t.special, name)(x).sum().backward()


def test_gradients_that_were_expanded_are_copied():
    for sizes in ((1,), (1, 1), (1, 3)):
        results = []
        for t in (rushlight, torch):
            x = t.ones(sizes, requires_grad=True)
            x[None].sum().backward()
            results.append(x.grad.stride())
        assert results[0] == results[1]
