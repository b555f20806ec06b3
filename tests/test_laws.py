"""The laws that every op of the table obeys, on the samples that tests/laws/calls.py records."""

import math
import warnings

import pytest

import rushlight as torch
from rushlight import core
from rushlight.ops import namespaces, table
from rushlight.ops._signatures import signatures

from .laws.calls import is_differentiable, record, tensors_in
from .laws.linear_algebra import CONSTRAINED

SAMPLES, FAILED_CALLS = record()
OPS = sorted(SAMPLES)
STEP = 1e-6
WIDE = (torch.float64, torch.complex128)

RANDOM = {
    "bernoulli_of",
    "bernoulli_like",
    "normal_around",
    "normal_spread",
    "normal_of",
    "poisson",
    "binomial",
    "_standard_gamma",
    "_sample_dirichlet",
}
"""Ops that draw random numbers: another call gives other values."""

UNMATCHED = {
    "as_strided": "reads memory by strides",
    "window": "reads memory by strides",
    "window_copy": "reads memory by strides",
    "as_strided_scatter": "writes memory by strides",
    "_window_gradient": "its arguments describe strides",
}
"""Ops whose result depends on how the input lies in memory."""


def test_every_call_of_the_samples_runs():
    assert FAILED_CALLS == []


@pytest.mark.parametrize("name", sorted(table))
def test_every_op_has_samples(name):
    assert name in SAMPLES, f"no call of tests/laws/calls.py reaches {name}"


def parameters_of(op, arguments):
    """The differentiable inputs of a call: (parameter index, place in the list or None)."""
    found = []
    for index in op.tensor_parameters:
        value = arguments[index]
        if isinstance(value, torch.Tensor):
            found += [(index, None)] if is_differentiable(value) else []
        elif isinstance(value, (list, tuple)):
            found += [(index, i) for i, item in enumerate(value) if isinstance(item, torch.Tensor) and is_differentiable(item)]
    return found


def get(arguments, place):
    index, item = place
    return arguments[index] if item is None else arguments[index][item]


def put(arguments, changes):
    """The arguments with some tensors exchanged."""
    arguments = [list(value) if isinstance(value, (list, tuple)) and tensors_in(value) else value for value in arguments]
    for (index, item), value in changes.items():
        if item is None:
            arguments[index] = value
        else:
            arguments[index][item] = value
    return arguments


def call(op, arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        return op.apply(*arguments)


def call_public(function, *arguments, **by_name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        return function(*arguments, **by_name)


def outputs_of(result):
    return list(result) if isinstance(result, (list, tuple)) else [result]


def direction(tensor, salt):
    """A deterministic direction for derivatives, like `tensor`."""
    count = tensor.numel()
    values = [math.sin(1.7 * i + salt) for i in range(count)]
    if tensor.dtype.is_complex:
        values = [complex(v, math.cos(2.3 * i + salt)) for i, v in enumerate(values)]
    return torch.tensor(values, dtype=tensor.dtype).reshape(tensor.shape)


def inner(a, b):
    """Real inner product."""
    product = a.conj() * b if a.dtype.is_complex or b.dtype.is_complex else a * b
    return product.real.sum().item() if product.dtype.is_complex else product.sum().item()


def cases(condition=lambda op: True):
    return [
        pytest.param(name, i, id=f"{name}-{i}")
        for name in OPS
        if condition(table[name]) and name not in RANDOM and type(table[name]) is not core.WritingOp
        for i in range(len(SAMPLES[name]))
    ]


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.declaration.like is not None))
def test_value_is_what_the_declaration_says(name, number):
    op, arguments = table[name], SAMPLES[name][number]
    found, expected = call(op, arguments), op.declaration.like(*arguments)
    rtol = 1e-6 if expected.element_size() == 4 else 1e-12
    assert torch.allclose(found, expected, rtol=rtol), f"{name} gives {found}, `like` of its declaration {expected}"


def is_wide(arguments):
    return all(t.dtype in WIDE for t in tensors_in(arguments) if is_differentiable(t))


def differentiated(name, number):
    """(op, arguments, places, tracked arguments, differentiable outputs), or skips."""
    op, arguments = table[name], list(SAMPLES[name][number])
    places = parameters_of(op, arguments)
    if not places or not is_wide(arguments):
        pytest.skip("no input in double precision that has a derivative")
    if name == "embedding" and arguments[2] >= 0:
        pytest.skip("the padding row has no gradient by definition")
    if name in CONSTRAINED:
        pytest.skip("its derivative holds for inputs of a kind")
    if name == "_ctc":
        pytest.skip("its derivative is by what a log_softmax gives, whose exponentials have the sum 1")
    if name == "_gate":
        pytest.skip("its samples sit at the step, being results of relu")
    tracked = put(arguments, {place: get(arguments, place).detach().clone().requires_grad_() for place in places})
    try:
        result = outputs_of(call(op, tracked))
    except RuntimeError as error:
        if any(
            text in str(error) for text in ("not differentiable", "is not implemented", "not support automatic differentiation")
        ):
            pytest.skip(str(error))
        raise
    indices = [i for i, out in enumerate(result) if isinstance(out, torch.Tensor) and out.requires_grad]
    if not indices or not all(result[i].dtype in WIDE for i in indices):
        pytest.skip("no result in double precision that has a derivative")
    return op, arguments, places, tracked, result, indices


def gradients(outputs, seeds, inputs, create_graph=False):
    try:
        return torch.autograd.grad(outputs, inputs, seeds, create_graph=create_graph, allow_unused=True)
    except NotImplementedError as error:
        pytest.skip(str(error))
    except RuntimeError as error:
        if "not implemented" in str(error) or "not differentiable" in str(error):
            pytest.skip(str(error))
        raise


def slope_of(op, arguments, places, tangents, indices, measure):
    """Central difference of measure(outputs) along the tangents."""
    values = []
    for sign in (1, -1):
        moved = put(
            arguments, {place: get(arguments, place) + sign * STEP * t for place, t in zip(places, tangents, strict=True)}
        )
        out = outputs_of(call(op, moved))
        values.append(measure([out[i] for i in indices], moved))
    return (values[0] - values[1]) / (2 * STEP)


def close(found, expected, scale):
    return abs(found - expected) <= 2e-6 * max(1.0, abs(found), abs(expected), scale)


def told(what, found, expected, by="differences"):
    return f"{what} gives {found:.9g} along a direction, {by} {expected:.9g}"


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.rules))
def test_vjp_against_differences(name, number):
    op, arguments, places, tracked, result, indices = differentiated(name, number)
    seeds = [direction(result[i], 0.3 + i) for i in indices]
    found = gradients([result[i] for i in indices], seeds, [get(tracked, place) for place in places])
    for place, gradient in zip(places, found, strict=True):
        tangent = direction(get(arguments, place), 1.1)
        expected = slope_of(
            op, arguments, [place], [tangent], indices, lambda out, _: sum(inner(s, o) for s, o in zip(seeds, out, strict=True))
        )
        analytic = 0.0 if gradient is None else inner(gradient, tangent)
        assert close(analytic, expected, abs(expected)), told(f"the vjp by {op.parameters[place[0]]}", analytic, expected)


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.rules))
def test_second_derivative_against_differences(name, number):
    op, arguments, places, tracked, result, indices = differentiated(name, number)
    seeds = [direction(result[i], 0.3 + i).requires_grad_() for i in indices]
    inputs = [get(tracked, place) for place in places]
    first = gradients([result[i] for i in indices], seeds, inputs, create_graph=True)
    kept = [(g, direction(g, 0.7)) for g in first if g is not None and g.requires_grad]
    if not kept:
        pytest.skip("constant derivative")
    second = gradients([g for g, _ in kept], [w for _, w in kept], [*inputs, *seeds])
    chosen = [i for i, g in enumerate(first) if g is not None and g.requires_grad]

    def measure(out, moved, given=None):
        leaves = [get(moved, place) for place in places]
        found = torch.autograd.grad(out, leaves, given or [s.detach() for s in seeds], allow_unused=True)
        return sum(inner(w, found[i]) for i, (_, w) in zip(chosen, kept, strict=True) if found[i] is not None)

    scale = max((g.abs().max().item() for g, _ in kept if g.numel()), default=1.0)
    for place, gradient in zip(places, second, strict=False):
        tangent = direction(get(arguments, place), 1.1)
        values = []
        for sign in (1, -1):
            moved = {p: get(arguments, p).clone() for p in places}
            moved[place] = moved[place] + sign * STEP * tangent
            moved = put(arguments, {p: v.detach().requires_grad_() for p, v in moved.items()})
            out = outputs_of(call(op, moved))
            values.append(measure([out[i] for i in indices], moved))
        expected = (values[0] - values[1]) / (2 * STEP)
        analytic = 0.0 if gradient is None else inner(gradient, tangent)
        what = f"the derivative of the vjp by {op.parameters[place[0]]}"
        assert close(analytic, expected, scale), told(what, analytic, expected)
    # The vjp is linear in its cotangent, so its derivative by the cotangent is the vjp of that direction.
    again = put(arguments, {place: get(arguments, place).clone().requires_grad_() for place in places})
    out = outputs_of(call(op, again))
    moves = [direction(s, 2.9) for s in seeds]
    expected = measure([out[i] for i in indices], again, moves)
    analytic = sum(inner(g, m) for g, m in zip(second[len(places) :], moves, strict=True) if g is not None)
    assert close(analytic, expected, scale), told("the derivative of the vjp by its cotangent", analytic, expected, "the vjp")


def spread_out(tensor):
    """The same elements with gaps between them, in column-major order."""
    wide = torch.zeros([2 * size for size in reversed(tensor.shape)], dtype=tensor.dtype).permute(*reversed(range(tensor.ndim)))
    cut = wide[tuple(slice(0, 2 * size, 2) for size in tensor.shape)]
    cut.copy_(tensor)
    return cut


def same_values(ours, theirs):
    ours, theirs = tensors_in(ours), tensors_in(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert a.dtype is b.dtype and a.shape == b.shape
        if a.numel():
            assert torch.allclose(a, b, rtol=1e-12, atol=1e-14, equal_nan=True) if is_differentiable(a) else torch.equal(a, b), (
                a,
                b,
            )


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.name not in UNMATCHED))
def test_strides_do_not_matter(name, number):
    op, arguments = table[name], list(SAMPLES[name][number])
    moved = [
        spread_out(v)
        if isinstance(v, torch.Tensor) and v.ndim
        else [spread_out(t) if isinstance(t, torch.Tensor) and t.ndim else t for t in v]
        if isinstance(v, (list, tuple)) and tensors_in(v)
        else v
        for v in arguments
    ]
    try:
        found = call(op, moved)
    except RuntimeError as error:
        if "view" in str(error) or "contiguous" in str(error) or "strid" in str(error):
            return  # a view that these strides do not allow
        raise
    same_values(found, call(op, arguments))


def takes_out(op):
    """Whether an op has `out=`; the public function may lack it, as PyTorch's does."""
    return op.allows_out and (op.parser is None or " out=None" in signatures(op.parser))


@pytest.mark.parametrize(("name", "number"), cases(takes_out))
def test_out_gives_the_same(name, number):
    op, arguments = table[name], list(SAMPLES[name][number])
    expected = call(op, arguments)
    if not isinstance(expected, torch.Tensor) or (name == "prod" and arguments[1] is None):
        return  # (PyTorch's prod takes out= with a dimension only)
    by_name = dict(zip(op.parameters[op.positional :], arguments[op.positional :], strict=True))
    given = arguments[: op.positional]
    while len(given) > 1 and given[-1] is op.defaults[len(given) - 1]:
        given.pop()
    out = torch.empty(0, dtype=expected.dtype)
    assert call_public(op, *given, **by_name, out=out) is out
    same_values(out, expected)
    strided = spread_out(torch.zeros_like(expected)) if expected.ndim else torch.zeros_like(expected)
    call_public(op, *given, **by_name, out=strided)
    same_values(strided, expected)


IN_PLACE = {m.op.name: m for m in namespaces["Tensor"].values() if isinstance(m, torch.core.InPlace) and m.op.name in table}


@pytest.mark.parametrize(("name", "number"), cases(lambda op: op.name in IN_PLACE))
def test_in_place_gives_the_same(name, number):
    op, arguments = table[name], list(SAMPLES[name][number])
    expected = call(op, arguments)
    if (
        not isinstance(arguments[0], torch.Tensor)
        or arguments[0].shape != expected.shape
        or arguments[0].dtype is not expected.dtype
    ):
        return
    by_name = dict(zip(op.parameters[op.positional :], arguments[op.positional :], strict=True))
    target = arguments[0].clone()
    assert call_public(IN_PLACE[name], target, *arguments[1 : op.positional], **by_name) is target
    same_values(target, expected)
    assert target._version == 1


@pytest.mark.parametrize(
    "name",
    sorted(name for name in IN_PLACE if type(table[name]) is core.PointwiseOp and len(table[name].tensor_parameters) == 2),
)
def test_what_cannot_be_written_changes_nothing(name):
    dtype = (
        torch.int64
        if name in {"gcd", "lcm", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift"}
        else torch.float64
    )
    target = torch.ones(2, 3, dtype=dtype)
    for other in (torch.ones(4, dtype=dtype), torch.ones(2, 2, 3, dtype=dtype)):
        with pytest.raises((RuntimeError, TypeError)):
            IN_PLACE[name](target, other)
    with pytest.raises((RuntimeError, TypeError)):
        IN_PLACE[name](target, "text")
    assert target.tolist() == [[1, 1, 1], [1, 1, 1]] and target._version == 0


@pytest.mark.parametrize("name", [name for name in OPS if type(table[name]) is core.PointwiseOp])
def test_element_wise_ops_take_any_shape(name):
    op, arguments = table[name], list(SAMPLES[name][0])
    tensors = [i for i in op.tensor_parameters if isinstance(arguments[i], torch.Tensor)]
    for shape, cut in (
        ((0,), lambda t: t.flatten()[:0]),
        ((), lambda t: t.flatten()[0]),
        ((2, 0, 3), lambda t: t.new_zeros((2, 0, 3))),
    ):
        found = call(op, put(arguments, {(i, None): cut(arguments[i]) for i in tensors}))
        assert tuple(found.shape) == shape
    whole = call(op, arguments)
    first = call(op, put(arguments, {(i, None): arguments[i].expand(whole.shape)[(slice(0, 1),) * whole.ndim] for i in tensors}))
    same_values(first, whole[(slice(0, 1),) * whole.ndim])
