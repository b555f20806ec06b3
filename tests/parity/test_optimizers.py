"""Every optimizer, option and dtype, step by step beside PyTorch."""

import copy
import itertools
import random

import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

OPTIONS = {
    "SGD": [
        dict(lr=0.1),
        dict(lr=0.1, momentum=0.9),
        dict(lr=0.1, momentum=0.9, dampening=0.3),
        dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
        dict(lr=0.1, weight_decay=0.1, maximize=True),
        dict(lr="tensor", momentum=0.5, weight_decay=0.1),
        dict(lr=0.1, momentum=0.9, foreach=True),
        dict(lr=0.1, momentum=0.9, fused=True),
    ],
    "Adam": [
        dict(),
        dict(lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
        dict(lr=0.1, amsgrad=True),
        dict(lr=0.1, maximize=True, weight_decay=0.1, amsgrad=True),
        dict(lr=0.1, weight_decay=0.1, decoupled_weight_decay=True),
        dict(lr="tensor", weight_decay=0.1, decoupled_weight_decay=True),
        dict(lr="tensor", betas="tensor"),
        dict(lr=0.1, foreach=True),
        dict(lr=0.1, fused=True),
    ],
    "AdamW": [dict(), dict(lr=0.1, weight_decay=0.2, amsgrad=True, maximize=True)],
    "RMSprop": [
        dict(),
        dict(lr=0.1, alpha=0.9, eps=1e-3, weight_decay=0.1),
        dict(lr=0.1, momentum=0.9),
        dict(lr="tensor", centered=True),
        dict(lr=0.1, centered=True, momentum=0.9, maximize=True),
        dict(lr=0.1, foreach=True),
    ],
    "Adagrad": [
        dict(),
        dict(lr=0.1, lr_decay=0.1, weight_decay=0.1),
        dict(lr="tensor", initial_accumulator_value=0.5, maximize=True),
        dict(lr=0.1, foreach=True, eps=1e-3),
        dict(lr=0.1, fused=True),
    ],
    "Adadelta": [
        dict(),
        dict(lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1),
        dict(lr="tensor", maximize=True),
        dict(foreach=True),
    ],
    "Adamax": [
        dict(),
        dict(lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1),
        dict(lr="tensor", maximize=True),
        dict(foreach=True),
    ],
    "NAdam": [
        dict(),
        dict(lr=0.1, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1, momentum_decay=0.1),
        dict(lr="tensor", weight_decay=0.1, decoupled_weight_decay=True, maximize=True),
        dict(foreach=True),
    ],
    "RAdam": [
        dict(),
        dict(lr=0.1, betas=(0.5, 0.9), eps=1e-3, weight_decay=0.1),
        dict(lr="tensor", betas=(0.5, 0.6), weight_decay=0.1, decoupled_weight_decay=True, maximize=True),
        dict(foreach=True),
    ],
    "ASGD": [
        dict(),
        dict(lr=0.1, lambd=0.1, alpha=0.5, t0=1, weight_decay=0.1),
        dict(lr="tensor", t0=0, maximize=True),
        dict(foreach=True),
    ],
    "Rprop": [dict(), dict(lr=0.1, etas=(0.4, 1.5), step_sizes=(0.05, 0.2), maximize=True), dict(foreach=True)],
    "Adafactor": [
        dict(),
        dict(lr=0.1, beta2_decay=-0.5, eps=(1e-3, 0.1), d=1.5, weight_decay=0.1),
        dict(lr="tensor", maximize=True),
    ],
}
DTYPES = {"float32": 2e-6, "float64": 1e-13, "float16": 2e-3, "bfloat16": 2e-2, "complex64": 2e-6, "complex128": 1e-13}
CASES = [(name, options) for name in OPTIONS for options in OPTIONS[name]]


def made(library, options):
    """The options, with tensors of the library where a text asks for them."""
    tensors = dict(lr=lambda: library.tensor(0.1), betas=lambda: (library.tensor(0.9), library.tensor(0.99)))
    return {name: tensors[name]() if value == "tensor" else value for name, value in options.items()}


def values(count, dtype, source):
    if dtype.startswith("complex"):
        return [complex(source.uniform(-1, 1), source.uniform(-1, 1)) for _ in range(count)]
    return [source.uniform(-1, 1) for _ in range(count)]


def run(library, name, options, dtype, *, transposed=False, steps=4):
    """The parameters and the state after some steps, both as plain values."""
    source = random.Random(7)
    dtype_of = getattr(library, dtype)
    params = [
        library.tensor(values(12, dtype, source), dtype=dtype_of).reshape(3, 4),
        library.tensor(values(5, dtype, source), dtype=dtype_of),
        library.tensor(values(1, dtype, source), dtype=dtype_of).reshape(()),
        library.tensor([], dtype=dtype_of),
    ]
    if transposed:
        params[0] = params[0].t()
    if name == "Adafactor":
        params.pop()  # (it divides by the number of elements)
    for param in params:
        param.requires_grad_()
    optimizer = getattr(library.optim, name)(params, **made(library, options))
    for index in range(steps):
        for param in params:
            param.grad = library.tensor(values(param.numel(), dtype, source), dtype=dtype_of).reshape(param.shape)
        if index == 1:
            params[1].grad = None
        optimizer.step()
    state = optimizer.state_dict()["state"]
    plain = {
        number: {key: (str(x.dtype).split(".")[-1], x.tolist()) for key, x in entry.items() if x is not None}
        for number, entry in state.items()
    }
    return [param.detach().tolist() for param in params], plain


def flat(x):
    return list(itertools.chain.from_iterable(map(flat, x))) if isinstance(x, list) else [x]


def assert_close(ours, theirs, tolerance):
    for a, b in zip(flat(ours), flat(theirs), strict=True):
        assert abs(a - b) <= tolerance * max(1.0, abs(b)), (a, b)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, options", CASES)
def test_steps(name, options, dtype):
    if dtype.startswith("complex") and (options.get("fused") or name == "Adafactor"):
        pytest.skip("for real parameters only")
    # Rates that are tensors are of float32, and powers of float32 may differ in their last bit; so is what ASGD keeps of its step size,
    # but for PyTorch's way of all parameters at once.
    rounded = options.get("betas") == "tensor" or (name == "ASGD" and options.get("foreach"))
    tolerance = max(DTYPES[dtype], DTYPES["float32"] if rounded else 0.0)
    ours, our_state = run(rushlight, name, options, dtype)
    theirs, their_state = run(torch, name, options, dtype)
    assert_close(ours, theirs, tolerance)
    assert our_state.keys() == their_state.keys()
    for number, entry in their_state.items():
        assert list(our_state[number]) == list(entry)
        for key, (kind, x) in entry.items():
            assert our_state[number][key][0] == kind
            assert_close(our_state[number][key][1], x, tolerance)


# PyTorch's fused kernels misread a gradient that is strided differently from its parameter.
@pytest.mark.parametrize("name, options", [case for case in CASES if not case[1].get("fused")])
def test_strided_parameters(name, options):
    ours, _ = run(rushlight, name, options, "float32", transposed=True)
    theirs, _ = run(torch, name, options, "float32", transposed=True)
    assert_close(ours, theirs, 2e-6)


@pytest.mark.parametrize("name", [name for name in OPTIONS if name != "Adafactor"])
def test_differentiable_steps(name):
    def through(library):
        start = library.tensor([0.5, -0.25, 1.0], dtype=library.float64, requires_grad=True)
        options = {"RMSprop": dict(momentum=0.9), "SGD": dict(momentum=0.9)}
        param = start.clone()
        optimizer = getattr(library.optim, name)([param], lr=0.1, differentiable=True, **options.get(name, {}))
        # (These two write into what their first step recorded.)
        for factor in (1.0, 2.0)[: 1 if name in ("Adamax", "Rprop") else 2]:
            param.grad = (start * start * factor).sin()
            optimizer.step()
        (param * param).sum().backward()
        return start.grad.tolist()

    assert_close(through(rushlight), through(torch), 1e-12)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_gradient_of_the_learning_rate(name):
    def through(library):
        lr = library.tensor(0.1, dtype=library.float64, requires_grad=True)
        start = library.tensor([0.5, -0.25, 1.0], dtype=library.float64)
        param = start.clone().requires_grad_().clone()
        optimizer = getattr(library.optim, name)([param], lr=lr, differentiable=True)
        for factor in (1.0, 2.0):
            param.grad = start * factor
            optimizer.step()
        (param * param).sum().backward()
        return [lr.grad.item()]

    assert_close(through(rushlight), through(torch), 1e-12)


@pytest.mark.parametrize("name", list(OPTIONS))
def test_text_and_layout_of_the_state(name):
    def described(library):
        param = library.tensor([1.0, 2.0], requires_grad=True)
        optimizer = getattr(library.optim, name)([("weight", param)], lr=0.1)
        param.grad = library.ones(2)
        optimizer.step()
        again = copy.deepcopy(optimizer)
        return repr(optimizer), again.state_dict()["param_groups"], list(again.state_dict()["state"].get(0, ()))

    assert described(rushlight) == described(torch)
