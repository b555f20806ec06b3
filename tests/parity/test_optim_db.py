"""Every optimizer with every option and every error of PyTorch's own table of optimizers, and L-BFGS's line search, beside PyTorch."""

import itertools
import re
import warnings

import pytest

import rushlight

torch = pytest.importorskip("torch")
optim_db = pytest.importorskip("torch.testing._internal.common_optimizers").optim_db
pytestmark = pytest.mark.parity
DTYPES = {"float32": 2e-5, "float64": 1e-13}
# Muon works in bfloat16, whose products are summed in another order.
TOLERANCE = {"Muon": 2e-2}
CASES = [
    pytest.param(info.name, given.kwargs, id=f"{info.name}-{number}")
    for info in optim_db
    if not info.only_supports_sparse_grads
    for number, given in enumerate(info.optim_inputs_func("cpu"))
]
ERRORS = [
    pytest.param(info.name, given, id=f"{info.name}-{number}")
    for info in optim_db
    for number, given in enumerate(info.optim_error_inputs_func("cpu", torch.float32))
    if "sparse" not in repr(given.optimizer_error_input.params)
]


def translated(x, known):
    """What PyTorch's table gives, with Rushlight's tensors in place of PyTorch's; one for one."""
    if isinstance(x, torch.Tensor):
        if id(x) not in known:
            made = rushlight.tensor(x.tolist(), dtype=getattr(rushlight, str(x.dtype).split(".")[-1]))
            known[id(x)] = made.requires_grad_(x.requires_grad)
        return known[id(x)]
    if isinstance(x, dict):
        return {key: translated(value, known) for key, value in x.items()}
    return type(x)(translated(value, known) for value in x) if isinstance(x, list | tuple) else x


def test_the_table_is_ours():
    assert {info.name for info in optim_db} | {"Optimizer", "lr_scheduler", "swa_utils"} == set(rushlight.optim.__all__)


def run(library, name, options, dtype):
    """Losses, parameters and state of a small regression."""
    dtype = getattr(library, dtype)
    source = library.linspace(-1, 1, 24, dtype=dtype)
    x, y = source.reshape(8, 3), (source * 3).sin().reshape(8, 3)[:, :2]
    params = [(source[:6] * 0.7).reshape(2, 3).clone().requires_grad_()]
    if name != "Muon":
        params.append((source[6:8] * 0.3).clone().requires_grad_())
    options = {key: library.tensor(value.item()) if hasattr(value, "item") else value for key, value in options.items()}
    optimizer = getattr(library.optim, name)(params, **options)
    losses = []

    def closure():
        optimizer.zero_grad()
        loss = (library.nn.functional.linear(x, *params).tanh() - y).square().mean()
        loss.backward()
        losses.append(loss.item())
        return loss.detach()

    for _ in range(8):
        if name == "LBFGS":
            optimizer.step(closure)
        else:
            closure()
            optimizer.step()
    return losses, [param.tolist() for param in params], plain(optimizer.state_dict())


def plain(x):
    if hasattr(x, "tolist"):
        return [str(x.dtype).split(".")[-1], x.tolist()]
    if isinstance(x, dict):
        return {key: plain(value) for key, value in x.items()}
    return [plain(value) for value in x] if isinstance(x, list | tuple) else x


def assert_same(ours, theirs, tolerance, where=""):
    assert type(ours) is type(theirs), where
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs), where
        for key in theirs:
            assert_same(ours[key], theirs[key], tolerance, f"{where}.{key}")
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), where
        for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(a, b, tolerance, f"{where}[{number}]")
    elif isinstance(theirs, float):
        assert ours == theirs or abs(ours - theirs) <= tolerance * max(1.0, abs(theirs)), (where, ours, theirs)
    else:
        assert ours == theirs, where


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name, options", CASES)
def test_steps(name, options, dtype):
    # (L-BFGS divides by differences of gradients.)
    tolerance = TOLERANCE.get(name, DTYPES[dtype] * (1e4 if name == "LBFGS" else 1))
    ours, theirs = run(rushlight, name, options, dtype), run(torch, name, options, dtype)
    if (name, dtype) == ("LBFGS", "float32"):
        # It stops when a step changes nothing, which is a matter of one rounding there, and so is what it remembers.
        assert_same(ours[0][:8], theirs[0][:8], tolerance)
        assert_same([ours[0][-1], ours[1]], [theirs[0][-1], theirs[1]], tolerance)
        return
    assert_same(ours, theirs, tolerance)


@pytest.mark.parametrize("name, given", ERRORS)
def test_errors(name, given):
    inputs, known = given.optimizer_error_input, {}
    params = inputs.params if inputs.params is not None else [torch.nn.Parameter(torch.ones(2, 2))]
    ours = translated(params, known)

    def text_of(library, params, options):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(given.error_type) as caught:
                optimizer = getattr(library.optim, name)(params, **options)
                for group in optimizer.param_groups:
                    for param in group["params"]:
                        param.grad = library.ones_like(param)
                optimizer.step()
        return str(caught.value)

    text = text_of(rushlight, ours, translated(inputs.kwargs, known))
    assert text == text_of(torch, params, inputs.kwargs) and re.search(given.error_regex, text)


ENDS = [
    (0.0, 1.0, -1.0, 1.0, 0.8, 0.5),
    (1.0, 1.0, -1.0, 0.0, 0.8, 0.5),
    (0.0, 1.0, 1.0, 1.0, 2.0, 1.0),
    (1.0, 1.0, 1.0, 0.0, 0.0, -5.0),
]


@pytest.mark.parametrize("ends, bounds", list(itertools.product(ENDS, [None, (0.2, 0.4)])))
def test_interpolation(ends, bounds):
    def minimum(library):
        from importlib import import_module

        interpolate = import_module(f"{library.__name__}.optim.lbfgs")._cubic_interpolate
        values = [library.tensor(value) if index in (2, 5) else value for index, value in enumerate(ends)]
        return float(interpolate(*values, bounds=bounds))

    assert minimum(rushlight) == minimum(torch)


FUNCTIONS = {
    "rosenbrock": lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2,
    "bumps": lambda x: (x[0] * 3).sin() + (x[1] * 2).cos() + (x * x).sum() * 0.1,
    "flat": lambda x: ((x - 0.3) ** 4).sum(),
    "steep": lambda x: (x.abs() + 0.1).log().sum() + 0.1 * (x * x).sum(),
}


@pytest.mark.parametrize("lr", [1.0, 0.05, 30.0])
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_line_searches(name, search, lr):
    if search is None:
        lr /= 100

    def path(library):
        x = library.tensor([-1.2, 1.0], dtype=library.float64, requires_grad=True)
        optimizer = library.optim.LBFGS([x], lr=lr, max_iter=7, history_size=3, line_search_fn=search)
        seen = []

        def closure():
            optimizer.zero_grad()
            value = FUNCTIONS[name](x)
            value.backward()
            seen.append([value.item(), *x.tolist()])
            return value.detach()

        for _ in range(2):
            optimizer.step(closure)
        return seen, plain(optimizer.state_dict())

    assert_same(path(rushlight), path(torch), 1e-6)


def test_parameters_of_all_shapes_and_complex_ones_are_one_vector():
    def end(library):
        params = [
            library.tensor([[0.5, -1.0]], requires_grad=True),
            library.tensor([1 + 2j, -1j], requires_grad=True),
            library.tensor(3.0, requires_grad=True),
            library.tensor([1.0], requires_grad=True),
        ]
        optimizer = library.optim.LBFGS(params, line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            loss = sum((param.abs() ** 2).sum() * (number + 1) for number, param in enumerate(params[:3]))
            loss.backward()
            return loss.detach()

        optimizer.step(closure)
        return [param.tolist() for param in params]

    ours, theirs = end(rushlight), end(torch)
    assert ours[3] == theirs[3] == [1.0]
    assert_same([ours[0], ours[2]], [theirs[0], theirs[2]], 1e-5)
    assert all(abs(a - b) < 1e-5 for a, b in zip(ours[1], theirs[1], strict=True))
