"""Laws over states: an op sees the same values and gives the same gradients however its inputs came to it, on its short way and on the
general one."""

import contextlib
import warnings

import pytest

import rushlight as torch

from .laws.states import OF_OTHER_SIZES, STATES, WATCHED
from .test_laws import IN_PLACE, UNMATCHED, call, call_public, cases, differentiated, direction, get, outputs_of, put

pytestmark = pytest.mark.core

DIFFER_BY_STATE = {
    **UNMATCHED,
    "_gate": "its samples sit at a step",
    "view_as_complex": "refuses strides",
    "view": "refuses strides",
    "view_as_complex_copy": "refuses strides",
    "_unsafe_view": "refuses strides",
    "conv_tbc": "refuses strides",
    "view_as_real": "refuses lazy conjugates",
}
"""Ops that ask how an input lies in memory, which a clone need not share."""


def is_called_by_rules(name):
    return name.startswith("_") or name.endswith("_backward")


def outcome(function, *arguments):
    """What a call gives: (result, None) or (None, kind of the error)."""
    try:
        return function(*arguments), None
    except Exception as error:
        return None, type(error)


def given_in(state, arguments, places, weights):
    return {place: state(get(arguments, place).detach(), weights[place]) for place in places}


def gradients_of(result, indices, weights):
    """Gradients of the differentiable outputs, and how many of those are tracked."""
    out = outputs_of(result)
    live = [(out[i], direction(out[i].detach(), 0.3 + i)) for i in indices if i < len(out) and out[i].requires_grad]
    if not live:
        return [None for _ in weights], 0
    found = torch.autograd.grad([o for o, _ in live], list(weights.values()), [s for _, s in live], allow_unused=True)
    return list(found), len(live)


def agree(found, wanted, context):
    if wanted is None or found is None:
        assert found is wanted, context
        return
    assert found.dtype is wanted.dtype and found.shape == wanted.shape, context
    assert torch.allclose(found, wanted, rtol=1e-10, atol=1e-12, equal_nan=True), (*context, found, wanted)


def compare(state, make, arguments, places, indices, context):
    """`make(arguments)` on inputs in a state, and on their clones."""
    results = []
    for cloned in (False, True):
        weights = {place: get(arguments, place).detach().clone().requires_grad_() for place in places}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            given = given_in(state, arguments, places, weights)
            if cloned:
                given = {place: value.as_subclass(torch.Tensor).clone() for place, value in given.items()}
            result, error = outcome(make, put(arguments, given))
            if error is None and any(outputs_of(result)[i].requires_grad for i in indices if i < len(outputs_of(result))):
                found, error = outcome(gradients_of, result, indices, weights)
            else:
                found = [None for _ in weights], 0
            grads, live = found or ([], 0)
        results.append((result, error, grads, live))
    (result, error, grads, live), (wanted, wanted_error, wanted_grads, wanted_live) = results
    assert error is wanted_error, (*context, error, wanted_error)
    if error is not None:
        return
    assert live == wanted_live, (*context, "tracked outputs", live, wanted_live)
    for a, b in zip(outputs_of(result), outputs_of(wanted), strict=True):
        if isinstance(b, torch.Tensor):
            agree(a.detach().as_subclass(torch.Tensor), b.detach(), context)
    for a, b in zip(grads, wanted_grads, strict=True):
        agree(a, b, context)


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.rules and op.name not in DIFFER_BY_STATE))
def test_an_op_on_a_state_is_the_op_on_its_clone(name, number):
    op, arguments, places, _, _, indices = differentiated(name, number)
    for way, context in WATCHED.items():
        for state in STATES:
            if state in OF_OTHER_SIZES and is_called_by_rules(name):
                continue
            with context() as hooks:
                compare(state, lambda given: call(op, given), arguments, places, indices, (way, state.__name__))
                assert all(count <= 1 for count in getattr(hooks, "unpacked", ())), (way, state.__name__)


@pytest.mark.parametrize(
    ("name", "number"), cases(lambda op: op.rules and op.name in IN_PLACE and op.name not in DIFFER_BY_STATE)
)
def test_a_write_into_a_state_is_the_write_into_its_clone(name, number):
    op, arguments, places, _, _, indices = differentiated(name, number)
    if not isinstance(arguments[0], torch.Tensor):
        pytest.skip("no tensor to write into")

    def write(given):
        by_name = dict(zip(op.parameters[op.positional :], given[op.positional :], strict=True))
        return call_public(IN_PLACE[name], *given[: op.positional], **by_name)

    for state in STATES:
        if state.__name__ in ("leaf", "view_of_leaf", "expanded", "untracked_view"):
            continue  # what may not be written
        with contextlib.nullcontext():
            compare(state, write, arguments, places, indices, ("in place", state.__name__))
