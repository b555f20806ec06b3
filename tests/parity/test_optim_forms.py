"""Optimizers as functions of lists make the steps that PyTorch's make, with the same arguments."""

import importlib
import inspect

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402

NAMES = ("adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "nadam", "radam", "rmsprop", "rprop", "sgd")
NUMBERS = {
    **dict(lr=0.1, rho=0.9, eps=1e-6, weight_decay=0.01, lr_decay=0.1, beta1=0.9, beta2=0.99, lambd=0.01, t0=2.0, alpha=0.75),
    **dict(momentum_decay=0.004, momentum=0.9, step_size_min=1e-6, step_size_max=50.0, etaminus=0.5, etaplus=1.2, dampening=0.1),
}


def forms(name):
    return [importlib.import_module(f"{library.__name__}.optim.{name}").__dict__[name] for library in (torch, rushlight)]


@pytest.mark.parametrize("name", NAMES)
def test_signatures(name):
    theirs, ours = (inspect.signature(form).parameters.values() for form in forms(name))
    assert [(p.name, p.kind, p.default) for p in theirs] == [(p.name, p.kind, p.default) for p in ours]
    assert getattr(importlib.import_module("rushlight.optim._functional"), name) is forms(name)[1]


def stepped(library, form, flag, dtype):
    """Parameters and state after three steps."""
    parameters = inspect.signature(form).parameters.values()
    lists = [p.name for p in parameters if p.default is p.empty and p.kind is not p.KEYWORD_ONLY][2:]
    options = {p.name: NUMBERS.get(p.name, flag) for p in parameters if p.kind is p.KEYWORD_ONLY}
    if flag:
        options.update(dampening=0.0) if "dampening" in options else None
    dtype = getattr(library, dtype)
    params = [library.tensor([1.0, -2.0, 3.0], dtype=dtype), library.tensor([[0.5]], dtype=dtype)]
    state = {}
    for each in lists:
        if each == "momentum_buffer_list" and form.__name__ == "sgd":
            state[each] = [None, None]
        elif each in ("mus", "mu_products", "etas", "state_steps"):
            first = {"etas": 0.1, "state_steps": 0.0}.get(each, 1.0)
            state[each] = [library.tensor(first) for _ in params]
        else:
            state[each] = [library.full_like(param, 0.1 if each == "step_sizes" else 0.0) for param in params]
    for k in range(3):
        grads = [(param * (k + 1)).sin() for param in params]
        with library.no_grad():
            form(params, grads, *state.values(), **options)
    return [number for values in (params, *state.values()) for value in values for number in value.double().flatten().tolist()]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("flag", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_steps(name, flag, dtype):
    expected, found = (stepped(library, form, flag, dtype) for library, form in zip((torch, rushlight), forms(name), strict=True))
    close = {"float64": 1e-12, "float32": 1e-5}[dtype]
    assert found == pytest.approx(expected, rel=close, abs=close)


# (PyTorch's asgd does not look.)
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("asgd", "sgd")])
def test_counts_are_tensors(name):
    texts = []
    for library, form in zip((torch, rushlight), forms(name), strict=True):
        parameters = inspect.signature(form).parameters.values()
        lists = [p for p in parameters if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]
        options = {p.name: NUMBERS.get(p.name, False) for p in parameters if p.kind is p.KEYWORD_ONLY}
        with pytest.raises(RuntimeError) as caught:
            form(*([library.ones(1)] for _ in lists[:-1]), [1], **options)
        texts.append(str(caught.value))
    assert texts[0] == texts[1]


def test_small_tools():
    import torch.optim.optimizer as theirs

    import rushlight.optim.optimizer as ours

    for name in ("_get_scalar_dtype", "_get_capturable_supported_devices", "_get_foreach_kernels_supported_devices"):
        assert str(getattr(ours, name)()).replace("rushlight", "torch") == str(getattr(theirs, name)())
    assert ours._get_fused_kernels_supported_devices() == theirs._get_fused_kernels_supported_devices()
    for params, differentiable, fused in (([1.0], False, True), ([1.0], True, True), ([1], False, True), ([1.0], False, False)):
        found = [
            tool._default_to_fused_or_foreach([library.tensor(params)], differentiable, fused)
            for tool, library in ((theirs, torch), (ours, rushlight))
        ]
        assert found[0] == found[1]
