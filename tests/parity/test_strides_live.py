"""How results lie in memory, where dimensions of size 1 or 0 and numbers as operands make the difference."""

import itertools

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402

LAYOUTS = [
    ((3, 1, 3), (3, 1, 1)),
    ((3, 3, 1), (3, 1, 3)),
    ((2, 3, 2, 1), (6, 2, 1, 2)),
    ((1, 2), (1, 1)),
    ((2, 1), (1, 2)),
    ((2, 0), (1, 2)),
    ((0, 1, 1), (1, 0, 0)),
    ((1, 3), (6, 1)),
    ((3, 2), (1, 3)),
    ((2, 3, 2, 2), (12, 1, 6, 3)),
    ((2, 1, 2, 2), (4, 1, 2, 1)),
    ((1, 1), (5, 7)),
    ((2, 3), (6, 2)),
    ((2, 3), (0, 1)),
    ((1,), (5,)),
    ((0,), (2,)),
]
UNARY = (
    "abs neg exp relu square nan_to_num isnan isinf isfinite logical_not reciprocal deg2rad rad2deg conj_physical angle frexp cumsum(0) cumprod(0) "
    "logcumsumexp(0) cummax(0)"
)
BINARY = [
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "remainder",
    "floor_divide",
    "eq",
    "lt",
    "maximum",
    "rsub",
    "logical_and",
    "copysign",
    "xlogy",
    "float_power",
]
OTHERS = {
    "clamp": lambda t, x: x.clamp(0.5, 1),
    "clamp_min": lambda t, x: x.clamp_min(1),
    "clamp of itself": lambda t, x: x.clamp_min(x),
    "where": lambda t, x: t.where(x != 1, x, 3),
    "where of numbers": lambda t, x: t.where(x != 1, 2, 3),
    "leaky_relu": lambda t, x: t.nn.functional.leaky_relu(x, 0.1),
    "hardtanh": lambda t, x: t.nn.functional.hardtanh(x),
    "logsigmoid": lambda t, x: t.nn.functional.logsigmoid(x),
    "softplus": lambda t, x: t.nn.functional.softplus(x),
    "alpha": lambda t, x: x.add(x, alpha=2),
    "number with alpha": lambda t, x: x.add(1, alpha=2),
    "scalar tensor": lambda t, x: x * t.tensor(2),
    "lerp": lambda t, x: x.lerp(x, 0.5),
    "addcmul": lambda t, x: t.addcmul(x, x, x, value=2),
    "number - x": lambda t, x: 2 - x,
    "number ** x": lambda t, x: 2**x,
    "mask": lambda t, x: x[x[..., 0] > 0] if x.dim() > 1 else x,
    "list": lambda t, x: x[[0]],
}


DIFFERENT = {
    "isinf": "results of no elements are those of abs() == inf in PyTorch, which forgets dimensions of size 1 twice",
}
"""What still lies otherwise than PyTorch's, in some layouts, and how."""


def laid_out(t, sizes, strides, dtype):
    return (t.arange(64) % 5 + 1).to(getattr(t, dtype)).as_strided(sizes, strides)


def strides_of(made):
    return tuple(map(strides_of, made)) if isinstance(made, tuple) else made.stride()


def strides(t, call, *args):
    try:
        return strides_of(call(t, *args))
    except Exception as error:
        return type(error).__name__


def differences(calls, layouts=LAYOUTS, dtypes=("float32", "float64", "int64", "complex64", "float16")):
    for (name, call), given, dtype in itertools.product(calls.items(), layouts, dtypes):
        found, wanted = (strides(t, lambda t: call(t, laid_out(t, *given, dtype))) for t in (rushlight, torch))  # noqa: B023
        if found != wanted:
            yield name, given, dtype, found, wanted


def method(name):
    name, _, arguments = name.partition("(")
    return lambda t, x: getattr(x, name)(*([0] if arguments else []))


def test_functions_of_one_tensor():
    assert list(differences({name: method(name) for name in UNARY.split() if name not in DIFFERENT})) == []


def test_functions_of_a_tensor_and_a_number_or_itself():
    calls = {f"{name} 2": lambda t, x, name=name: getattr(t, name)(x, 2) for name in BINARY}
    calls |= {f"{name} x": lambda t, x, name=name: getattr(t, name)(x, x) for name in BINARY}
    assert list(differences(calls)) == []


def test_other_functions():
    assert list(differences({name: call for name, call in OTHERS.items() if name not in DIFFERENT})) == []


def test_normalized_batches():
    """Of a batch that is contiguous in several ways the result lies row by row."""
    layouts = [
        ((1, 2, 3, 1), (6, 1, 2, 1)),
        ((1, 1, 3, 4), (12, 1, 4, 1)),
        ((3, 1, 4, 5), (20, 1, 5, 1)),
        ((2, 3, 4, 1), (12, 1, 3, 7)),
        ((2, 3, 2, 1, 2), (12, 1, 6, 5, 3)),
        ((1, 3, 1, 1), (3, 1, 1, 1)),
    ]
    calls = {
        f"{training}": lambda t, x, training=training: t.nn.functional.batch_norm(
            x, t.zeros(x.shape[1]), t.ones(x.shape[1]), None, None, training
        )
        for training in (False, True)
    }
    assert list(differences(calls, LAYOUTS[9:10] + layouts, ("float32", "bfloat16"))) == []


def test_what_differs_does():
    calls = {name: OTHERS.get(name) or method(name) for name in DIFFERENT}
    assert {name for name, *_ in differences(calls)} == set(DIFFERENT)


def test_functions_of_two_layouts():
    calls = {
        "add": lambda t, a, b: a + b,
        "lt": lambda t, a, b: a < b,
        "where": lambda t, a, b: t.where(a != 1, a, b),
        "addcmul": lambda t, a, b: t.addcmul(a, b, b),
        "clamp": lambda t, a, b: t.clamp(a, b, b),
    }
    for (name, call), first, second in itertools.product(calls.items(), LAYOUTS, LAYOUTS):
        if len(first[0]) == len(second[0]):
            found, wanted = (
                strides(t, call, laid_out(t, *first, "float32"), laid_out(t, *second, "float32")) for t in (rushlight, torch)
            )
            assert found == wanted, (name, first, second)
