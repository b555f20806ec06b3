"""Every module of PyTorch's database of modules, compiled: what is replayed are the bits of the module as it is written, in both modes of training, in
outputs, gradients, buffers and the state of the generator. (The samples are PyTorch's; all that runs is Rushlight.)"""

import copy

import pytest

pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

import torch  # noqa: E402

import rushlight  # noqa: E402

from .test_module_db import INFOS, convert, made_of, tensors  # noqa: E402

NOT_REPLAYED = {
    "nn.BCELoss": "inputs must lie between 0 and 1",
    "nn.CTCLoss": "lengths are read",
    "nn.GaussianNLLLoss": "variances must not be negative",
    "nn.MultiLabelMarginLoss": "labels must be classes",
    "nn.MultiMarginLoss": "labels must be classes",
}
"""Modules that look at values, and what for."""

SAMPLES = 4
CALLS = 6


def varied(value, call):
    """An argument with other values: floating numbers of both signs grow (others may be bound to an interval), all else stays."""
    if isinstance(value, rushlight.Tensor):
        plain = value.detach()
        grows = plain.is_floating_point() and bool((plain < 0).any())
        return (plain * (1 + call / 8) if grows else plain.clone()).requires_grad_(value.requires_grad)
    if type(value) is dict:
        return {key: varied(item, call) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(varied(item, call) for item in value)
    return value


def bits(value):
    return [(str(x.dtype), tuple(x.shape), repr(x.detach().flatten().tolist())) for x in tensors(value)]


def step(module, run, args, kwargs):
    """Outputs, gradients of what requires them, buffers and the generator after a call and its backward."""
    for parameter in module.parameters():
        parameter.grad = None
    rushlight.manual_seed(3)
    out = run(*args, **kwargs)
    differentiable = [x for x in tensors(out) if x.requires_grad]
    if differentiable:
        rushlight.autograd.backward(differentiable, [rushlight.ones_like(x) for x in differentiable])
    grads = [p.grad for p in module.parameters()] + [x.grad for x in tensors([*args, *kwargs.values()]) if x.is_leaf]
    return bits(out), [None if g is None else bits([g]) for g in grads], bits(list(module.buffers())), rushlight.rand(1).item()


@pytest.mark.parametrize("name", INFOS)
def test_a_compiled_module(name):
    info, replays, reasons = INFOS[name], 0, []
    for training in (True, False):
        samples = info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=True, training=training)
        for sample in samples[:SAMPLES]:
            if sample.forward_input is None:
                continue
            module = made_of(rushlight, info, sample.constructor_input, torch.float32, training)
            args, kwargs = convert(sample.forward_input.args), {k: convert(v) for k, v in sample.forward_input.kwargs.items()}
            with rushlight.no_grad():
                module(*varied(tuple(args), 0), **varied(kwargs, 0))  # (lazy ones get their shapes)
            other = copy.deepcopy(module)
            compiled = rushlight.compile(module)
            for call in range(CALLS):
                wanted = step(other, other, varied(tuple(args), call), varied(kwargs, call))
                found = step(module, compiled, varied(tuple(args), call), varied(kwargs, call))
                assert found == wanted, (sample.desc, training, call)
            replays += compiled.compiled.replays
            reasons += compiled.compiled.attempts.reasons
    assert (replays > 0) != (name in NOT_REPLAYED), set(reasons)
