"""vmap equals a loop, for every op of the table, with each tensor argument batched in turn and with all of them."""

import re
import warnings

import pytest

import rushlight as torch
from rushlight import core
from rushlight.func.batching import no_rule, rule_of
from rushlight.ops import namespaces, table

from .laws import vmap as law
from .laws.calls import is_differentiable
from .test_laws import OPS, RANDOM, SAMPLES, WIDE

DYNAMIC = ("dynamic shape", "Attempted to vmap over `mask`", "Batch norm got a batched tensor")
"""What vmap refuses because examples would have results of different shapes, or share what they write into."""

WITHOUT_RULE = {
    "argwhere",
    "bincount",
    "histc",
    "_histogram",
    "repeated_places",
    "_pdist_forward",
    "pdist_backward",
    "_bags",
    "_ctc",
    "_ctc_loss_backward",
    "_segments",
    "_segment_reduce_backward",
}
"""What PyTorch runs one example after the other, too."""

RELATIVE_TO_MEMORY = {
    "window": "its places count from the start of the memory",
    "window_copy": "its places count from the start of the memory",
    "as_strided_scatter": "its rule counts from the start of the memory",
    "_depends": "its result is about the graph",
    "_ends": "its result is about the graph",
}

CASES = [
    pytest.param(name, number, id=f"{name}-{number}")
    for name in OPS
    if name not in RANDOM and name not in RELATIVE_TO_MEMORY and name not in ("matmul", "multinomial_indices")
    if type(table[name]) is not core.WritingOp
    for number in range(len(SAMPLES[name]))
]


def choices(arguments):
    """Which tensors to batch: each alone, then all together."""
    places = law.places_of(arguments)
    return [[place] for place in places] + ([places] if len(places) > 1 else [])


def outcome(function, *arguments):
    """(result, None) or (None, the error)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*arguments), None
        except (RuntimeError, IndexError, ValueError, TypeError, NotImplementedError) as error:
            return None, error


def same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype is b.dtype and a.shape == b.shape, (a.dtype, a.shape, b.dtype, b.shape)
        if a.numel() and is_differentiable(a):
            assert torch.allclose(a, b, rtol=1e-9, atol=1e-11, equal_nan=True), (a, b)
        elif a.numel():
            assert torch.equal(a, b), (a, b)


def comparable(name, results):
    """Without what is nobody's business: the total weight of a loss that is not reduced."""
    return results[:1] if name.startswith("_nll_loss") and len(results) == 2 else results


@pytest.mark.parametrize(("name", "number"), CASES)
def test_vmap_equals_a_loop(name, number):
    op, arguments = table[name], list(SAMPLES[name][number])
    for places in choices(arguments):
        for dim in (0, -1):
            batches = [law.batch_of(law.get(arguments, place), dim) for place in places]
            expected, expected_error = outcome(law.looped, op, arguments, places, batches, dim)
            found, error = outcome(law.batched, op, arguments, places, batches, dim)
            if error is not None and any(part in str(error) for part in DYNAMIC):
                continue
            if expected_error is not None:
                assert error is not None and of_one(error) == str(expected_error), (places, dim, error, expected_error)
                continue
            assert error is None, (places, dim, error)
            same(comparable(name, found), comparable(name, expected))


def of_one(error):
    """An error's text without the number of the matrix in a stack."""
    return re.sub(r"\(Batch element \d+\): ", "", str(error))


def differentiable(op, arguments, places):
    """The chosen tensors that have a derivative and are in double precision."""
    return [
        place
        for place in places
        if place[0] in op.tensor_parameters
        and is_differentiable(law.get(arguments, place))
        and law.get(arguments, place).dtype in WIDE
    ]


@pytest.mark.parametrize(("name", "number"), [case for case in CASES if table[case.values[0]].rules])
def test_gradients_of_vmap_and_vmap_of_gradients(name, number):
    op, arguments = table[name], list(SAMPLES[name][number])
    for places in choices(arguments):
        places = differentiable(op, arguments, places)
        for dim in (0, -1) if places else ():
            batches = [law.batch_of(law.get(arguments, place), dim) for place in places]
            tracked = [batch.clone().requires_grad_() for batch in batches]
            results, error = outcome(law.looped, op, arguments, places, tracked, dim)
            if error is not None or law.contracted(results) is None:
                continue
            expected, error = outcome(torch.autograd.grad, law.contracted(results), tracked)
            if error is not None:
                continue
            results, error = outcome(law.batched, op, arguments, places, tracked, dim)
            if error is not None and any(part in str(error) for part in DYNAMIC):
                continue
            assert error is None, error
            same(torch.autograd.grad(law.contracted(results), tracked), expected)
            check_inner(op, arguments, places, batches, dim)


@pytest.fixture(autouse=True)
def without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def check_inner(op, arguments, places, batches, dim):
    """vmap of the gradient."""
    gradient = law.inner_gradient(op, arguments, places)
    examples = zip(*[batch.unbind(dim) for batch in batches], strict=True)
    expected = [torch.stack(parts) for parts in zip(*[gradient(*values) for values in examples], strict=True)]
    same(list(torch.vmap(gradient, in_dims=dim)(*batches)), expected)


@pytest.mark.parametrize("name", sorted(set(table) - {"matmul"}))  # (which is made of other ops)
def test_every_op_has_a_batching_rule(name):
    """One that has none runs in a loop, as the few that PyTorch has no rule for either."""
    text = f"{name} has no batching rule: `batch=` in its declaration names one of rushlight/func/batching"
    assert (rule_of(table[name]) is no_rule) == (name in WITHOUT_RULE), text


@pytest.mark.parametrize(("name", "number"), CASES)
def test_in_place_equals_a_loop(name, number):
    op, arguments = table[name], list(SAMPLES[name][number])
    if isinstance(op, core.ViewOp) or not isinstance(arguments[0], torch.Tensor) or not has_in_place_form(op):
        return
    for places in choices(arguments):
        if (0, None) not in places:
            continue
        batches = [law.batch_of(law.get(arguments, place), 0) for place in places]

        def written(*values, places=places):
            given = list(law.put(arguments, places, values))
            target = given[0] = given[0].clone()
            assert core.run(op, tuple(given), {"mode": 1}) is target
            return (target,)

        examples = zip(*[batch.unbind(0) for batch in batches], strict=True)
        expected, expected_error = outcome(
            lambda written=written, examples=examples: [written(*values)[0] for values in examples]
        )
        found, error = outcome(torch.vmap(written), *batches)
        if error is not None and any(part in str(error) for part in DYNAMIC):
            continue
        if expected_error is not None:
            assert error is not None, (places, expected_error)
            continue
        assert error is None, (places, error)
        same(list(found), [torch.stack(expected)])


def has_in_place_form(op):
    return any(isinstance(method, core.InPlace) and method.op is op for method in namespaces["Tensor"].values()) or getattr(
        op, "writes", False
    )
