"""The laws of fused rules, for every op that has one: what one kernel computes is what the rule computes, and it is used where it may be."""

from pathlib import Path

import pytest

import rushlight as torch
from rushlight import core
from rushlight.ops import table

from .laws.calls import tensors_in
from .laws.ways import general_way
from .test_laws import SAMPLES, call, direction, get, outputs_of, parameters_of, put, spread_out

pytestmark = pytest.mark.core

FUSED = {
    name: next(rule for rule in op.rules if rule.fused is not None)
    for name, op in table.items()
    if any(r.fused for r in op.rules)
}
TOLERANCES = {torch.float64: 1e-11, torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 8e-2}


def each_tensor(arguments, change):
    return [change(value) if isinstance(value, torch.Tensor) else value for value in arguments]


def in_dtype(dtype):
    return lambda op, arguments: each_tensor(arguments, lambda x: x.to(dtype) if x.dtype.is_floating_point else x)


def without_dims(op, arguments):
    """The first elements of what an element-wise op gets; of a row, a single number."""
    return (
        each_tensor(arguments, lambda x: x.reshape(-1)[0])
        if isinstance(op, core.PointwiseOp) or len(tensors_in(arguments)) == 1
        else None
    )


def without_elements(op, arguments):
    """None of the first dimension, unless the sizes are arguments of their own."""
    fits = all(x.ndim for x in tensors_in(arguments)) and "N" not in op.parameters
    return each_tensor(arguments, lambda x: x[:0]) if fits else None


FORMS = {
    "as given": lambda op, arguments: arguments,
    "spread out": lambda op, arguments: each_tensor(arguments, lambda x: spread_out(x) if x.ndim else x),
    "turned": lambda op, arguments: each_tensor(arguments, lambda x: x.mT.contiguous().mT if x.ndim > 1 else x),
    "without dims": without_dims,
    "without elements": without_elements,
    **{dtype.name: in_dtype(dtype) for dtype in TOLERANCES if dtype is not torch.float64},
}

MATRICES = {"_linalg_det", "_linalg_slogdet", "_linalg_solve_ex"}
REFUSED = {
    "without dims": {
        "_adaptive_max_pool",
        "_linalg_det",
        "_linalg_slogdet",
        "_max_pool",
        "_pad_edges",
        "_safe_softmax",
        "log_softmax",
        "softmax",
    },  # a matrix has two, windows have one to three; the sample's dim is not there
    "without elements": MATRICES
    | {
        "_nll_loss",
        "_recurrent_layer",
        "_scaled_dot_product_flash_attention_for_cpu",
        "addmm",
        "convolution",
        "mm",
        "native_batch_norm",
        "native_layer_norm",
        "pow",
    },  # sizes then differ from others' of the call
    "float16": MATRICES | {"_recurrent_layer"},  # LAPACK has no halves; nets of halves run step by step
    "bfloat16": MATRICES | {"_recurrent_layer"},
}
"""The forms in which some samples of an op are calls that it refuses, as PyTorch does."""


def inputs_of(op, arguments):
    """The differentiable inputs of a call; none where one of them is complex, which no kernel takes."""
    found = [get(arguments, place) for place in parameters_of(op, arguments)]
    return [] if any(x.dtype.is_complex for x in found) else found


def cases(forms):
    """(op, sample, form) wherever a sample has such a form."""
    every = [(name, number, form) for name in sorted(FUSED) for number in range(len(SAMPLES[name])) for form in forms]
    for name, number, form in every:
        arguments = FORMS[form](table[name], list(SAMPLES[name][number]))
        if arguments is not None and inputs_of(table[name], arguments):
            yield pytest.param(name, form, arguments, id=f"{name}-{number}-{form}")


def derivatives(op, arguments, order):
    """The gradients of a call up to an order, each of the last one's along a direction; None where the op takes no such call."""
    places = parameters_of(op, arguments)
    tracked = put(arguments, {place: get(arguments, place).detach().requires_grad_() for place in places})
    inputs = [get(tracked, place) for place in places]
    try:
        found = [out for out in outputs_of(call(op, tracked)) if isinstance(out, torch.Tensor) and out.requires_grad]
    except (RuntimeError, IndexError, ValueError):
        return None
    gradients = []
    for n in range(1, order + 1):
        seeds = [direction(out, 0.3 + i) for i, out in enumerate(found) if is_tracked(out)]
        found = torch.autograd.grad(list(filter(is_tracked, found)), inputs, seeds, create_graph=n < order, allow_unused=True)
        gradients += found
        if not any(map(is_tracked, found)):
            break
    return gradients + [None] * (order * len(inputs) - len(gradients))


def is_tracked(gradient):
    return gradient is not None and gradient.requires_grad


def by_rules(function, *arguments):
    with general_way():
        return function(*arguments)


def assert_close(found, expected, tolerance, first=0):
    """Behind the `first` gradients no gradient is as good as one of zeros: several in one op each depend on all of its inputs."""
    assert len(found) == len(expected)
    for place, (a, b) in enumerate(zip(found, expected, strict=True)):
        if place >= first and (a is None) != (b is None):
            assert not (b if a is None else a).count_nonzero()
            continue
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype is b.dtype and a.shape == b.shape
            size = max(1.0, b.double().nan_to_num(posinf=0, neginf=0).abs().max().item()) if b.numel() else 1
            assert torch.allclose(a.double(), b.double(), rtol=tolerance, atol=tolerance * size, equal_nan=True), (a, b)


@pytest.mark.parametrize(("name", "form", "arguments"), list(cases(FORMS)))
def test_a_fused_rule_is_its_rule(name, form, arguments):
    op = table[name]
    found = derivatives(op, arguments, 1)
    if found is None:
        assert name in REFUSED.get(form, ())
        return
    inputs = inputs_of(op, arguments)
    assert_close(found, by_rules(derivatives, op, arguments, 1), TOLERANCES[inputs[0].dtype], len(inputs))


@pytest.mark.parametrize(("name", "form", "arguments"), list(cases(["as given"])))
def test_its_derivatives_are_those_of_the_rule(name, form, arguments):
    op = table[name]
    arguments = in_dtype(torch.float64)(op, arguments)
    found, expected = derivatives(op, arguments, 3), by_rules(derivatives, op, arguments, 3)
    assert_close(found, expected, 1e-9, len(inputs_of(op, arguments)))


@pytest.fixture
def counted(request):
    """How often the fused rule of an op is called."""
    rule, calls = FUSED[request.param], []
    fused, flags = rule.fused, (rule.fused_is_real, rule.fused_within)

    def counting(*arguments):
        calls.append(arguments)
        return fused(*arguments)

    rule.fuse(counting, *flags)
    yield request.param, calls
    rule.fuse(fused, *flags)


@pytest.mark.parametrize("counted", sorted(FUSED), indirect=True)
def test_it_serves_where_no_graph_is_wanted(counted):
    name, calls = counted
    op = table[name]
    arguments = next(list(given) for given in SAMPLES[name] if inputs_of(op, list(given)))
    assert derivatives(op, arguments, 1) and len(calls) == 1
    by_rules(derivatives, op, arguments, 1)
    places = parameters_of(op, arguments)
    tracked = put(arguments, {place: get(arguments, place).detach().requires_grad_() for place in places})
    out = next(out for out in outputs_of(call(op, tracked)) if out.requires_grad)
    torch.autograd.grad(out.sum(), [get(tracked, place) for place in places], create_graph=True, allow_unused=True)
    assert len(calls) == 1


def test_a_batch_and_a_dual_have_the_rule():
    x = torch.tensor([[1.0, 2.0], [0.5, -1.0]], dtype=torch.float64)

    def loss(x):
        return (torch.softmax(x, -1) ** 2).sum()

    expected = torch.stack([torch.func.grad(loss)(row) for row in x])
    assert torch.allclose(torch.func.vmap(torch.func.grad(loss))(x), expected)
    hessian = torch.func.jacfwd(torch.func.grad(loss))(x[0])
    assert torch.allclose(hessian, torch.func.jacrev(torch.func.grad(loss))(x[0]))


def test_complex_numbers_have_the_rule():
    z = torch.tensor([0.5 + 1j, -1.0 + 0.2j], requires_grad=True)
    (g,) = torch.autograd.grad(z.tanh().real.sum(), z)
    assert torch.allclose(g, (1 - z.detach().tanh() ** 2).conj())


def test_the_recorded_gradient_is_one_node_with_an_edge_to_each_input():
    x = torch.tensor([0.5, -1.0], requires_grad=True)
    for function, name in (
        (torch.tanh, "TanhBackwardBackward0"),
        (torch.sigmoid, "SigmoidBackwardBackward0"),
        (torch.nn.functional.gelu, "GeluBackwardBackward0"),
        (lambda x: torch.softmax(x, 0), "SoftmaxBackwardDataBackward0"),
        (lambda x: torch.log_softmax(x, 0), "LogSoftmaxBackwardDataBackward0"),
    ):
        y = function(x)
        seed = torch.ones(2, requires_grad=True)
        (g,) = torch.autograd.grad(y, x, seed, create_graph=True)
        assert g.grad_fn.name() == name
        edges = [below.name() for below, _ in g.grad_fn.next_functions]
        assert len(edges) == 2 and edges[0] == "torch::autograd::AccumulateGrad"


def test_hooks_of_saved_tensors_see_nothing_of_a_rule_that_runs_again():
    packed = []
    x = torch.tensor([0.5, -1.0], requires_grad=True)
    (g,) = torch.autograd.grad(torch.nn.functional.gelu(x).pow(3).sum(), x, create_graph=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: t):
        g.sum().backward()
    assert packed == []


def test_no_rule_chooses_between_a_kernel_and_arithmetic():
    """What rules ask of grad mode and transforms: whether values may be looked at, and what is refused there; no more than this."""
    words = {"is_grad_enabled()": 12, "is_wrapped(": 7}
    text = "".join(path.read_text() for path in Path(torch.ops.__file__).parent.glob("*.py"))
    for word, limit in words.items():
        assert text.count(word) <= limit, word
