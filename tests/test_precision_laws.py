"""Laws of precision: derivatives are computed in the dtype of their op, whatever numbers and other dtypes it meets on the way."""

import warnings

import pytest

import rushlight as torch
from rushlight import core
from rushlight.autograd import forward_ad
from rushlight.ops import table

from .laws.calls import tensors_in
from .test_laws import SAMPLES, call, cases, direction, get, is_wide, outputs_of, parameters_of, put

NARROW = {torch.float16, torch.bfloat16, torch.float32, torch.complex64}
INEXACT = {
    "_nan_to_num": "is asked for the limits of its dtype",
    "_to_dtype": "converts",
    "_to_copy": "converts",
    "copy": "converts",
    "_dequantize": "gives float32, whatever it gets",
}
"""Ops whose samples convert to another dtype on purpose."""


UNMIXED = {"_gate": "its samples sit at the step", "floor_divide": "has no derivative", "heaviside": "has no derivative"}


class Watcher:
    """An interpreter that notes which ops make tensors of less precision than the samples have."""

    def __init__(self):
        self.narrow = []

    def process(self, op, args, kwargs=None):
        result = core.run(op, args, kwargs)
        if any(t.dtype in NARROW for t in tensors_in(result)):
            self.narrow.append(op.name)
        return result


def derivatives_twice(op, arguments, places):
    """First and second derivatives of a call, and its tangent."""
    tracked = put(arguments, {place: get(arguments, place).detach().clone().requires_grad_() for place in places})
    outputs = [out for out in outputs_of(call(op, tracked)) if isinstance(out, torch.Tensor) and out.requires_grad]
    leaves = [get(tracked, place) for place in places]
    for order in range(2):
        if not outputs:
            break
        found = torch.autograd.grad(
            outputs, leaves, [direction(out, 0.3 + order) for out in outputs], create_graph=True, allow_unused=True
        )
        outputs = [g for g in found if g is not None and g.requires_grad]
    with forward_ad.dual_level():
        moved = {p: forward_ad.make_dual(get(arguments, p).detach(), direction(get(arguments, p), 1.1)) for p in places}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.manual_seed(0)
            core.run(op, tuple(put(arguments, moved)))


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.rules and op.name not in INEXACT))
def test_derivatives_keep_the_precision_of_their_inputs(name, number):
    op, arguments = table[name], list(SAMPLES[name][number])
    places = parameters_of(op, arguments)
    if not places or not is_wide(arguments) or any(value in NARROW for value in arguments if isinstance(value, torch.dtype)):
        pytest.skip("no input in double precision that has a derivative")
    watcher = Watcher()
    core.push_interpreter(watcher)
    try:
        derivatives_twice(op, arguments, places)
    except (NotImplementedError, RuntimeError) as error:
        if not any(text in str(error) for text in ("implemented", "differentiable", "does not support", "ill-defined")):
            raise
    finally:
        core.pop_interpreter()
    assert watcher.narrow == []


MIXING = sorted(
    name
    for name, op in table.items()
    if type(op).__name__ == "PointwiseOp" and len(op.tensor_parameters) == 2 and op.rules and name not in UNMIXED
)


def others():
    """Second operands that are no float64 tensors, and what they are worth as one."""
    return [
        (torch.tensor([2, 3]), torch.tensor([2.0, 3.0], dtype=torch.float64)),
        (torch.tensor(3), torch.tensor(3.0, dtype=torch.float64)),
        (torch.tensor(0.3), torch.tensor(0.30000001192092896, dtype=torch.float64)),
        (torch.tensor([0.3, 0.7]), torch.tensor([0.3, 0.7]).to(torch.float64)),
        (0.3, torch.tensor(0.3, dtype=torch.float64)),
        (3, torch.tensor(3.0, dtype=torch.float64)),
    ]


def everything(op, x, other, first):
    """Value, derivative, second derivative and tangent by `x`, beside an operand that stands first or second."""

    def function(x):
        return op(x, other) if first else op(other, x)

    x = x.detach().requires_grad_()
    out = function(x)
    found = [out.detach()]
    (gradient,) = torch.autograd.grad(out, x, direction(out, 0.3), create_graph=True)
    found.append(gradient.detach())
    if gradient.requires_grad:
        found.append(torch.autograd.grad(gradient, x, direction(gradient, 0.7), allow_unused=True, materialize_grads=True)[0])
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x.detach(), direction(x, 1.1))
        found.append(forward_ad.unpack_dual(function(dual)).tangent)
    return found


@pytest.mark.parametrize("first", (True, False), ids=("x first", "x second"))
@pytest.mark.parametrize("name", MIXING)
def test_operands_of_other_dtypes_count_as_what_they_are_worth(name, first):
    op, x = table[name], torch.tensor([0.37, 0.61], dtype=torch.float64)
    tested = 0
    for other, worth in others():
        try:
            found = everything(op, x, other, first)
        except (TypeError, RuntimeError, NotImplementedError):
            continue  # refused, or without a derivative by this operand
        tested += 1
        for a, b in zip(found, everything(op, x, worth, first), strict=True):
            assert a.dtype is torch.float64
            torch.testing.assert_close(a, b, rtol=1e-13, atol=1e-14, equal_nan=True)
    if not tested:
        pytest.skip("it takes such operands nowhere")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["celu", "elu", "gelu", "hardswish", "mish", "selu", "silu", "softplus"])
def test_derivatives_of_activations_are_rounded_once(name, dtype):
    activation = getattr(torch.nn.functional, name)
    x, g = torch.linspace(-4, 4, 333).to(dtype), torch.linspace(3, 1, 333).to(dtype)
    narrow, wide = x.clone().requires_grad_(), x.float().requires_grad_()
    activation(narrow).backward(g)
    activation(wide).backward(g.float())
    assert narrow.grad.equal(wide.grad.to(dtype))


def test_halves_are_compared_with_bounds_that_are_not_rounded():
    x = torch.tensor([0.1], dtype=torch.bfloat16, requires_grad=True)  # (a little more than 0.1)
    for function in (lambda x: torch.nn.functional.threshold(x, 0.1, 20.0), lambda x: torch.nn.functional.hardtanh(x, -0.1, 0.2)):
        assert torch.autograd.grad(function(x).sum(), x)[0].item() == 1


def test_a_gated_half_is_rounded_once():
    x = torch.linspace(-4, 4, 334, dtype=torch.float16)
    assert torch.nn.functional.glu(x).equal(torch.nn.functional.glu(x.float()).half())
