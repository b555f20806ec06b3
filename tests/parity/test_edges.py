"""Derivatives at the edges of element-wise functions: where PyTorch has a finite number, so has Rushlight."""

import itertools
import math

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402

INF, NAN = math.inf, math.nan
POINTS = [
    0.0,
    -0.0,
    1,
    -1,
    2,
    -2,
    3,
    0.5,
    -0.5,
    INF,
    -INF,
    NAN,
    1e-300,
    -1e-300,
    5e-324,
    1e300,
    -1e300,
    1e20,
    -1e20,
    20,
    -20,
    745,
    0.25,
]
PAIRS = list(itertools.product([0.0, -0.0, 1, -1, 2, -2, 0.5, INF, -INF, NAN, 1e-300, 1e300, 1000, -3], repeat=2))

FUNCTIONS = """
abs acos acosh asin asinh atan atanh ceil cos cosh deg2rad erf erfc erfinv exp exp2 floor frac log log10 log1p log2 neg rad2deg
reciprocal relu round rsqrt sgn sigmoid sign sin sinh sqrt square tan tanh trunc logit nan_to_num angle
"""
ACTIVATIONS = """
relu6 elu selu celu gelu silu softplus hardtanh hardswish logsigmoid leaky_relu softshrink hardshrink tanhshrink
"""
OF_TWO = "add sub mul div pow xlogy logaddexp logaddexp2 maximum minimum fmax fmin copysign clamp_min clamp_max"
UNARY = {name: lambda t, x, name=name: getattr(t, name)(x) for name in FUNCTIONS.split()}
UNARY |= {f"F.{name}": lambda t, x, name=name: getattr(t.nn.functional, name)(x) for name in ACTIVATIONS.split()}
UNARY |= {f"pow {p}": lambda t, x, p=p: t.pow(x, p) for p in (0, 1, 2, 3, -1, -2, 0.5, -0.5, 1.5, INF, NAN)}
UNARY |= {f"{b} pow": lambda t, x, b=b: t.pow(b, x) for b in (0, 1, 2, -1, 0.5, INF, NAN, 0.0)}
UNARY |= {f"xlogy {b}": lambda t, x, b=b: t.xlogy(x, b) for b in (0, 1, 0.3, -0.3, INF, NAN)}
UNARY |= {f"{a} xlogy": lambda t, x, a=a: t.xlogy(a, x) for a in (0, 1, 0.3, INF)}
UNARY |= {f"xlog1py {b}": lambda t, x, b=b: t.special.xlog1py(x, b) for b in (0, -1, -2, 0.3, INF)}
UNARY |= {
    "leaky_relu 0.3": lambda t, x: t.nn.functional.leaky_relu(x, 0.3),
    "celu 0.3": lambda t, x: t.nn.functional.celu(x, 0.3),
    "elu 1.3": lambda t, x: t.nn.functional.elu(x, 1.3),
    "softplus 1.7": lambda t, x: t.nn.functional.softplus(x, 1.7, 3.3),
    "logit 0.1": lambda t, x: t.logit(x, 0.1),
    "clamp": lambda t, x: t.clamp(x, -0.3, 0.7),
    "ndtri": lambda t, x: t.special.ndtri(x),
    "log_ndtr": lambda t, x: t.special.log_ndtr(x.clamp(min=-15)),
    "entr": lambda t, x: t.special.entr(x),
}
BINARY = {name: lambda t, x, y, name=name: getattr(t, name)(x, y) for name in OF_TWO.split()}
BINARY |= {
    "xlog1py": lambda t, x, y: t.special.xlog1py(x, y),
    "where": lambda t, x, y: t.where(x > y, x, y),
    "lerp": lambda t, x, y: t.lerp(x, y, 0.3),
    "addcdiv": lambda t, x, y: t.addcdiv(x, x, y, value=0.3),
    "clamp": lambda t, x, y: t.clamp(x, y, y + 1),
    "prelu": lambda t, x, y: t.nn.functional.prelu(x.reshape(1, -1), y).reshape(-1),
    "kl_div": lambda t, x, y: t.nn.functional.kl_div(x, y, reduction="none"),
}
ROWS = [
    [0.0, 0, 0],
    [0, 3, 0],
    [1, -2, 3],
    [INF, 0, 1],
    [INF, -INF, 1],
    [-INF, 0, 1],
    [NAN, 0, 1],
    [2, 2, 2],
    [1e200, 0, 1],
    [-1, -1, 0],
]
FOLDS = {f"norm {p}": lambda t, x, p=p: t.linalg.vector_norm(x, p, -1) for p in (2, 1, 0, 3, -1, -2, 0.5, -0.5, 1.5, INF, -INF)}
FOLDS |= {
    "logsumexp": lambda t, x: x.logsumexp(-1),
    "logcumsumexp": lambda t, x: x.logcumsumexp(-1),
    "std": lambda t, x: x.std(-1),
    "amax": lambda t, x: x.amax(-1),
    "renorm": lambda t, x: x.renorm(2, 0, 0.5),
}


def derivatives(t, function, columns):
    """Values, gradients (of the cotangents 1 and 0), second derivatives and tangents: name -> list of numbers, or None."""
    inputs = [t.tensor(column, dtype=t.float64).requires_grad_() for column in columns]
    out = function(t, *inputs)
    found = {"value": out}
    for seed in (1.0, 0.0):
        gradients = t.autograd.grad(out, inputs, t.full_like(out, seed).detach(), create_graph=True, allow_unused=True)
        for i, gradient in enumerate(gradients):
            found[f"gradient {i} of {seed}"] = gradient
            if gradient is not None and gradient.requires_grad:
                second = t.autograd.grad(gradient, inputs, t.ones_like(gradient), retain_graph=True, allow_unused=True)
                found |= {f"second derivative {i} {j} of {seed}": h for j, h in enumerate(second)}
        for i, x in enumerate(inputs):
            with t.autograd.forward_ad.dual_level():
                moved = [y.detach() for y in inputs]
                moved[i] = t.autograd.forward_ad.make_dual(x.detach(), t.full_like(x, seed).detach())
                found[f"tangent {i} of {seed}"] = t.autograd.forward_ad.unpack_dual(function(t, *moved)).tangent
    return found


def numbers(value):
    if value is None:
        return None
    if isinstance(value, torch.Tensor) and value._is_zerotensor():
        value = torch.zeros(value.shape)
    return value.detach().reshape(-1).tolist()


def check(function, columns):
    theirs, ours = derivatives(torch, function, columns), derivatives(rushlight, function, columns)
    for what, expected in theirs.items():
        expected, found = numbers(expected), numbers(ours.get(what))
        if expected is None or found is None:
            assert not any(expected or found or ()), what
            continue
        for place, (a, b) in enumerate(zip(found, expected, strict=True)):
            if math.isfinite(b):
                assert abs(a - b) <= 1e-9 * max(abs(b), 1e-5), (
                    what,
                    [column[place] for column in columns if place < len(column)],
                    a,
                    b,
                )


KNOWN = {
    "prelu": "the mixed second derivative at 0 is the right one's limit here",
    "logcumsumexp": "rounds otherwise where a sum drops the smaller terms",
    "renorm": "an overflow makes NaN of the second derivative here",
}


def named(functions):
    return [
        pytest.param(name, marks=pytest.mark.xfail(reason=KNOWN[name], strict=True) if name in KNOWN else ())
        for name in sorted(functions)
    ]


@pytest.mark.parametrize("name", named(UNARY))
def test_functions_of_one_number(name):
    check(UNARY[name], [POINTS])


@pytest.mark.parametrize("name", named(BINARY))
def test_functions_of_two_numbers(name):
    check(BINARY[name], [list(column) for column in zip(*PAIRS, strict=True)])


@pytest.mark.parametrize("name", named(FOLDS))
def test_folded_rows(name):
    check(FOLDS[name], [ROWS])
