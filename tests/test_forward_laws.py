"""The laws of forward mode, for every op of the table: against reverse mode, against numbers, and through one another."""

import pytest

import rushlight as torch
from rushlight import core
from rushlight.ops import table

from .laws.calls import is_differentiable
from .laws.linear_algebra import CONSTRAINED
from .test_laws import (
    IN_PLACE,
    OPS,
    RANDOM,
    SAMPLES,
    call,
    cases,
    close,
    differentiated,
    direction,
    get,
    gradients,
    inner,
    outputs_of,
    put,
    slope_of,
    told,
)

NO_FORWARD_RULE = {
    "floor_divide",
    "heaviside",
    "index_reduce",
    "scatter_combining",
    "_chunk_cat",
    "_pdist_forward",
    "_dequantize",
    "bincount",
    "detach_copy",
    "_hardsigmoid_gradient",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "_ctc_loss_backward",
    "_segments",
    "_segment_reduce_backward",
    "igamma",
    "igammac",
}
"""PyTorch has no forward mode for these either."""

BY_SECOND = {"zeta"}
"""Functions whose derivative by their first input nobody has."""

DIFFERENTIABLE = cases(lambda op: (op.rules or op.name == "matmul") and op.name not in NO_FORWARD_RULE)


def has_rule(op):
    return op.jvp is not None or op.linear or all(rule.is_slope for rule in op.rules)


@pytest.mark.parametrize("name", [name for name in OPS if table[name].rules])
def test_every_derivative_has_a_forward_rule(name):
    has_one = has_rule(table[name]) or table[name].no_derivative is not None or name in NO_FORWARD_RULE
    assert has_one, f"the declaration of {name} has a rule for backward, but no `jvp=` for forward mode"


def pushed(op, arguments, tangents, requires_grad=False):
    """(outputs, duals, level) of a call with tangents at some places; call it with the level entered."""
    level = core.interpreters()[-1]
    duals = {place: core.wrap(level, get(arguments, place), tangent) for place, tangent in tangents.items()}
    if requires_grad:
        duals = {place: core.derivative_input(dual, False) for place, dual in duals.items()}
    return outputs_of(interpreted(op, put(arguments, duals))), duals, level


def interpreted(op, arguments):
    """A call as programs make it, through the interpreters."""
    torch.manual_seed(0)
    return core.run(op, tuple(arguments))


def tangents_of(level, outputs, indices):
    """The tangents of some outputs: zeros where there is none."""
    parts = [level.parts(outputs[i]) for i in indices]
    return [torch.zeros_like(primal) if tangent is None else tangent for primal, tangent in parts]


def each_and_all(op, places):
    """All places together, then each alone."""
    if op.name in BY_SECOND:
        return [[place for place in places if place[0] == 1]]
    return [places] + [[place] for place in places if len(places) > 1]


@pytest.mark.parametrize(("name", "number"), DIFFERENTIABLE)
def test_jvp_against_vjp_and_differences(name, number):
    op, arguments, places, tracked, result, indices = differentiated(name, number)
    seeds = [direction(result[i], 0.3 + i) for i in indices]
    pulled = dict(zip(places, gradients([result[i] for i in indices], seeds, [get(tracked, p) for p in places]), strict=True))
    for chosen in each_and_all(op, places):
        tangents = {place: direction(get(arguments, place), 1.1 + place[0]) for place in chosen}
        with core.DualLevel(), torch.no_grad():
            outputs, _, level = pushed(op, arguments, tangents)
            found = tangents_of(level, outputs, indices)
        for i, tangent in zip(indices, found, strict=True):
            assert tangent.shape == result[i].shape and tangent.dtype is result[i].dtype
        what = f"the jvp by {', '.join(op.parameters[index] for index, _ in chosen)}"
        left = sum(inner(seed, t) for seed, t in zip(seeds, found, strict=True))
        right = sum(inner(pulled[place], t) for place, t in tangents.items() if pulled[place] is not None)
        assert abs(left - right) <= 1e-9 * max(1.0, abs(left), abs(right)), told(what, left, right, "the vjp")
        expected = slope_of(
            op,
            arguments,
            chosen,
            list(tangents.values()),
            indices,
            lambda out, _: sum(inner(s, o) for s, o in zip(seeds, out, strict=True)),
        )
        assert close(left, expected, abs(expected)), told(what, left, expected)


def second_order(name, number):
    """What the second-order laws need; skips where the derivative is constant."""
    op, arguments, places, tracked, result, indices = differentiated(name, number)
    seeds = [direction(result[i], 0.3 + i) for i in indices]
    inputs = [get(tracked, place) for place in places]
    first = gradients([result[i] for i in indices], seeds, inputs, create_graph=True)
    chosen = [i for i, g in enumerate(first) if g is not None and g.requires_grad]
    if not chosen:
        pytest.skip("constant derivative")
    weights = [direction(first[i], 0.7) for i in chosen]
    second = gradients([first[i] for i in chosen], weights, inputs)
    if op.name in BY_SECOND:
        places = [place for place in places if place[0] == 1]
    tangents = {place: direction(get(arguments, place), 1.1 + place[0]) for place in places}
    expected = sum(inner(g, tangents[place]) for g, place in zip(second, places, strict=True) if g is not None)
    return op, arguments, places, tangents, indices, seeds, chosen, weights, expected


@pytest.mark.parametrize(("name", "number"), DIFFERENTIABLE)
def test_forward_over_reverse(name, number):
    op, arguments, places, tangents, indices, seeds, chosen, weights, expected = second_order(name, number)
    with core.DualLevel():
        outputs, duals, level = pushed(op, arguments, tangents, requires_grad=True)
        first = gradients([outputs[i] for i in indices], seeds, [duals[place] for place in places])
        moved = tangents_of(level, first, chosen)
    found = sum(inner(w, t) for w, t in zip(weights, moved, strict=True))
    assert abs(found - expected) <= 1e-8 * max(1.0, abs(found), abs(expected)), (found, expected)


@pytest.mark.parametrize(("name", "number"), DIFFERENTIABLE)
def test_reverse_over_forward(name, number):
    op, arguments, places, tangents, indices, seeds, chosen, weights, expected = second_order(name, number)
    tracked = put(arguments, {place: get(arguments, place).detach().clone().requires_grad_() for place in places})
    with core.DualLevel():
        outputs, _, level = pushed(op, tracked, tangents)
        moved = tangents_of(level, outputs, indices)
    paths = [(t, s) for t, s in zip(moved, seeds, strict=True) if t.requires_grad]
    second = gradients([t for t, _ in paths], [s for _, s in paths], [get(tracked, place) for place in places]) if paths else []
    weights = dict(zip(chosen, weights, strict=True))
    found = sum(inner(weights[i], g) for i, g in enumerate(second) if g is not None and i in weights)
    assert abs(found - expected) <= 1e-8 * max(1.0, abs(found), abs(expected)), (found, expected)


def complex_arguments(name):
    """The first sample of an op in double precision, made complex; None where there is none, or complex numbers are refused."""
    op = table[name]
    for sample in SAMPLES[name]:
        places = {}
        for index in op.tensor_parameters:
            items = [((index, None), sample[index])] if isinstance(sample[index], torch.Tensor) else []
            if isinstance(sample[index], (list, tuple)):
                items = [((index, i), item) for i, item in enumerate(sample[index]) if isinstance(item, torch.Tensor)]
            places.update({place: item for place, item in items if is_differentiable(item)})
        if not places or any(item.dtype is not torch.float64 for item in places.values()):
            continue
        moved = put(list(sample), {p: torch.complex(x.detach(), direction(x.detach(), 0.4) / 3) for p, x in places.items()})
        try:
            result = outputs_of(call(op, moved))
        except (RuntimeError, TypeError, NotImplementedError, ValueError, IndexError):
            return None
        kept = [i for i, y in enumerate(result) if isinstance(y, torch.Tensor) and is_differentiable(y)]
        return (op, moved, list(places), kept) if kept else None
    return None


GAUGE = {"_linalg_svd"}
"""Complex singular vectors have a phase that is nobody's: the two directions agree only for functions that do not see it."""

COMPLEX = [
    name
    for name in OPS
    if table[name].rules and name not in RANDOM | NO_FORWARD_RULE | GAUGE and type(table[name]) is not core.WritingOp
]


@pytest.mark.parametrize("name", COMPLEX)
def test_jvp_of_complex_tensors(name):
    found = complex_arguments(name)
    if found is None or name in CONSTRAINED or table[name].refuses_complex:
        pytest.skip("not for complex tensors of all kinds")
    op, arguments, places, indices = found
    tracked = put(arguments, {place: get(arguments, place).clone().requires_grad_() for place in places})
    result = outputs_of(call(op, tracked))
    indices = [i for i in indices if result[i].requires_grad]
    seeds = [direction(result[i], 0.3 + i) for i in indices]
    tangents = {place: direction(get(arguments, place), 1.1 + place[0]) for place in places}
    try:
        pulled = gradients([result[i] for i in indices], seeds, [get(tracked, place) for place in places])
    except RuntimeError as error:
        pytest.skip(str(error))
    with core.DualLevel(), torch.no_grad():
        outputs, _, level = pushed(op, arguments, tangents)
        moved = tangents_of(level, outputs, indices)
    left = sum(inner(seed, t) for seed, t in zip(seeds, moved, strict=True))
    right = sum(inner(g, tangents[place]) for g, place in zip(pulled, places, strict=True) if g is not None)
    assert abs(left - right) <= 1e-9 * max(1.0, abs(left), abs(right)), (left, right)


@pytest.mark.parametrize(("name", "number"), [case for case in DIFFERENTIABLE if case.values[0] in IN_PLACE])
def test_in_place_gives_the_same_tangent(name, number):
    op, arguments, places, _, result, indices = differentiated(name, number)
    target = arguments[0]
    if (
        indices != [0]
        or not isinstance(target, torch.Tensor)
        or target.shape != result[0].shape
        or target.dtype is not result[0].dtype
    ):
        pytest.skip("the result does not fit into the first argument")
    for chosen in each_and_all(op, places):
        tangents = {place: direction(get(arguments, place), 1.1 + place[0]) for place in chosen}
        with core.DualLevel(), torch.no_grad():
            outputs, duals, level = pushed(op, arguments, tangents)
            expected = level.parts(outputs[0])[1]
            for view in (False, True):
                given = put(arguments, duals)
                base = torch.stack((given[0], given[0])) if view else given[0].clone()
                given[0] = base[1] if view else base
                torch.manual_seed(0)
                assert core.run(op, tuple(given), {"mode": 1}) is given[0]
                # (What changes the geometry alone leaves the base as it is.)
                seen = given[0] if isinstance(op, core.ViewOp) else base[1] if view else base
                for found in (level.parts(given[0])[1], level.parts(seen)[1]):
                    assert (found is None and expected is None) or torch.allclose(
                        torch.zeros_like(target) if found is None else found,
                        torch.zeros_like(target) if expected is None else expected,
                    ), (chosen, view, found, expected)
