"""Short ways: a call gives the same on its short way as on the general one, whatever it is given; and plain calls do take it."""

import functools
import os
import subprocess
import sys
import warnings

import pytest

import rushlight as torch
from rushlight import core
from rushlight.ops import table

from .laws.calls import tensors_in
from .laws.ways import WAYS, general_way
from .test_laws import SAMPLES, cases, outputs_of

pytestmark = pytest.mark.core

KINDS = (core.PlainOp, core.PointwiseOp, core.ReductionOp)
PREPARED = sorted(name for name, op in table.items() if isinstance(op.function, core.Prepared))
PLAIN = sorted(name for name, op in table.items() if type(op) is core.PlainOp)


def each_tensor(arguments, change):
    return [
        change(value)
        if isinstance(value, torch.Tensor)
        else type(value)(map(change, value))
        if isinstance(value, (list, tuple)) and tensors_in(value) == list(value)
        else value
        for value in arguments
    ]


def as_given(t):
    return t


def apart(t):
    """The same with gaps between the elements."""
    wide = torch.zeros((*t.shape, 2), dtype=t.dtype)
    wide[..., 0] = t
    return wide[..., 0]


def turned(t):
    return t.transpose(0, -1) if t.dim() else t


def empty(t):
    return t[:0] if t.dim() else t


def single(t):
    return t.to(torch.float32) if t.dtype is torch.float64 else t


def half(t):
    return t.to(torch.float16) if t.dtype is torch.float64 else t


def integers(t):
    return t.to(torch.int64) if t.dtype is torch.float64 else t


FORMS = (as_given, apart, turned, empty, single, half, integers)


def outcome(op, arguments):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return outputs_of(op.apply(*arguments)), None
    except Exception as error:
        return [], (type(error), str(error))


@pytest.mark.parametrize(("name", "number"), cases(lambda op: isinstance(op, KINDS) or op.name in PREPARED))
@pytest.mark.parametrize("form", FORMS)
def test_both_ways_give_the_same(name, number, form):
    op, arguments = table[name], each_tensor(SAMPLES[name][number], form)
    found, error = outcome(op, arguments)
    with general_way():
        expected, expected_error = outcome(op, arguments)
    assert error == expected_error
    for a, b in zip(found, expected, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert all(size == 1 or m == n for size, m, n in zip(a.shape, a.stride(), b.stride(), strict=True))
        assert torch.allclose(a, b, rtol=1e-6, atol=0, equal_nan=True)


def enters(function, call):
    """Whether a call runs the Python function."""
    entered = []
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, _: entered.append(1) if event == "call" and frame.f_code is function.__code__ else None)
    try:
        call()
    finally:
        sys.setprofile(before)
    return bool(entered)


@pytest.mark.parametrize("name", PLAIN)
def test_plain_calls_take_the_short_way(name):
    op = table[name]
    calls = [lambda arguments=arguments: outcome(op, arguments) for arguments in SAMPLES[name]]
    assert not all(enters(op.function, call) for call in calls)
    with general_way():
        assert all(enters(op.function, call) for call in calls)


@pytest.mark.parametrize("name", PREPARED)
def test_prepared_calls_are_prepared_once(name):
    op = table[name]
    function = op.function
    for arguments in SAMPLES[name]:
        if any(t.dtype.itemsize == 2 or not t.is_contiguous() for t in tensors_in(arguments)):
            continue
        calls = [arguments, each_tensor(arguments, lambda t: t.clone()), each_tensor(arguments, lambda t: t + t)]
        values = [outputs_of(op.apply(*each)) for each in calls]
        assert not enters(function.prepare, functools.partial(op.apply, *calls[2])), arguments
        with general_way():
            for each, value in zip(calls, values, strict=True):
                for a, b in zip(value, outputs_of(op.apply(*each)), strict=True):
                    assert torch.allclose(a, b, rtol=1e-6, atol=1e-9, equal_nan=True)


def test_prepared_calls_know_their_arguments_apart():
    x = torch.arange(24.0).reshape(1, 1, 4, 6)
    functional = torch.nn.functional
    calls = [
        lambda: functional.max_pool2d(x, 2),
        lambda: functional.max_pool2d(x, (2, 1)),
        lambda: functional.max_pool2d(x.mT, 2),
        lambda: functional.max_pool2d(x.double(), 2),
        lambda: functional.max_pool2d(x, 2, ceil_mode=True),
        lambda: functional.max_pool2d(x.reshape(1, 1, 6, 4), 2),
        lambda: functional.pad(x, (1, 1)),
        lambda: functional.pad(x, (1, 1), value=1.0),
        lambda: functional.pad(x, (1, 1, 1, 0), "reflect"),
        lambda: functional.pad(x, (1, 1, 1, 0), "replicate"),
    ]
    for _ in range(2):
        found = [call() for call in calls]
        with general_way():
            for given, value in zip(calls, found, strict=True):
                expected = given()
                assert value.dtype is expected.dtype
                assert value.stride() == expected.stride()
                assert torch.equal(value, expected)


def test_running_statistics_change_unseen():
    mean, var = torch.zeros(3), torch.ones(3)
    for way in WAYS.values():
        with way():
            torch.nn.functional.batch_norm(torch.randn(4, 3), mean, var, training=True)
    assert mean.abs().min() > 0
    assert (mean._version, var._version) == (0, 0)


def test_an_environment_variable_forces_the_general_way():
    program = "from rushlight import core; print(core.use_short_ways(True))"
    for value, expected in (("0", "False"), ("1", "True"), ("", "True")):
        environment = {**os.environ, "RUSHLIGHT_SHORT_WAYS": value, "PYTHONPATH": os.pathsep.join(sys.path)}
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment)
        assert run.stdout.strip() == expected
