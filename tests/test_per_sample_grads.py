"""Gradients of each example of a batch, by expanded weights: those of the examples alone."""

import pytest

import rushlight as torch
from rushlight import nn
from rushlight.nn.utils._expanded_weights import ExpandedWeight
from rushlight.nn.utils._expanded_weights.expanded_weights_utils import forward_helper, standard_kwargs
from rushlight.nn.utils._per_sample_grad import call_for_per_sample_grads

MODULES = {
    "linear": (lambda: nn.Linear(3, 2), (4, 5, 3)),
    "conv1d": (lambda: nn.Conv1d(2, 3, 2, bias=False), (3, 2, 5)),
    "conv2d": (lambda: nn.Conv2d(2, 4, 2, stride=2, padding=1, groups=2, dilation=2), (3, 2, 6, 6)),
    "reflect": (lambda: nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"), (3, 2, 5, 5)),
    "group": (lambda: nn.GroupNorm(2, 4), (3, 4, 5)),
    "instance": (lambda: nn.InstanceNorm1d(3, affine=True, track_running_stats=True), (4, 3, 5)),
    "layer": (lambda: nn.LayerNorm((2, 3)), (4, 5, 2, 3)),
    "several": (lambda: nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), (4, 3)),
}


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("name", MODULES)
def test_as_one_after_the_other(name, reduction):
    make, shape = MODULES[name]
    torch.manual_seed(0)
    module, x = make().double(), torch.randn(shape, dtype=torch.float64, requires_grad=True)
    out = call_for_per_sample_grads(module, loss_reduction=reduction)(x).pow(2).flatten(1).sum(1)
    (out.sum() if reduction == "sum" else out.mean()).backward()
    for i in range(len(x)):
        loss = module(x[i : i + 1]).pow(2).sum()
        for weight, expected in zip(module.parameters(), torch.autograd.grad(loss, list(module.parameters())), strict=True):
            assert weight.grad is None and torch.allclose(weight.grad_sample[i], expected)
    loss = module(x).pow(2).sum() / (1 if reduction == "sum" else len(x))
    assert torch.allclose(x.grad, torch.autograd.grad(loss, x)[0])
    with pytest.raises(RuntimeError, match="will be incorrect for multiple calls without clearing gradients"):
        call_for_per_sample_grads(module)


@pytest.mark.parametrize("options", [{}, {"batch_first": True, "bidirectional": True}, {"num_layers": 2, "bias": False}])
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU", "projected"])
def test_recurrent_nets(kind, options):
    torch.manual_seed(0)
    make = (lambda *sizes, **given: nn.LSTM(*sizes, proj_size=1, **given)) if kind == "projected" else getattr(nn, kind)
    module, batch_first = make(3, 2, dtype=torch.float64, **options), options.get("batch_first", False)
    x = torch.randn((4, 5, 3) if batch_first else (5, 4, 3), dtype=torch.float64)
    weights, dim = list(module.parameters()), 0 if batch_first else 1
    out = call_for_per_sample_grads(module, batch_first=batch_first, loss_reduction="sum")(x)[0]
    assert torch.allclose(out, module(x)[0])
    out.pow(2).sum().backward()
    for i in range(4):
        expected = torch.autograd.grad(module(x.narrow(dim, i, 1))[0].pow(2).sum(), weights)
        assert all(torch.allclose(weight.grad_sample[i], each) for weight, each in zip(weights, expected, strict=True))


def test_recurrent_nets_of_packed_sequences():
    torch.manual_seed(0)
    module, lengths = nn.GRU(3, 2, bidirectional=True, dtype=torch.float64), [4, 2, 1]
    sequences = [torch.randn(length, 3, dtype=torch.float64) for length in lengths]
    packed = nn.utils.rnn.pack_sequence(sequences)
    out = call_for_per_sample_grads(module, batch_size=3, loss_reduction="sum")(packed)[0]
    out.data.pow(2).sum().backward()
    for i, sequence in enumerate(sequences):
        expected = torch.autograd.grad(module(sequence)[0].pow(2).sum(), list(module.parameters()))
        assert all(torch.allclose(w.grad_sample[i], each) for w, each in zip(module.parameters(), expected, strict=True))


def test_embedding():
    layer = nn.Embedding(5, 3, padding_idx=1)
    call_for_per_sample_grads(layer)(torch.tensor([[0, 1], [4, 0]])).sum().backward()
    assert layer.weight.grad_sample.sum(-1).tolist() == [[3.0, 0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0, 3.0]]


def test_what_is_refused():
    weight = torch.ones(5, 4, requires_grad=True)
    with pytest.raises(RuntimeError, match="Expanded Weights encountered but cannot handle function add"):
        torch.add(weight, ExpandedWeight(weight, 3, "sum"))
    with pytest.raises(RuntimeError, match="got input batch size of 3 with ExpandedWeight of batch size 4"):
        forward_helper(nn.functional.linear, *standard_kwargs((), (torch.ones(3, 4), ExpandedWeight(weight, 4, "sum"))))
    with pytest.raises(RuntimeError, match="expected input of at least rank 2, got of rank 1"):
        nn.functional.linear(torch.ones(4), ExpandedWeight(weight, 1, "sum"))
    with pytest.raises(
        RuntimeError, match=r"only support convolution with batched input, got .* input of dim 2, expected input of dim 3"
    ):
        nn.functional.conv1d(torch.ones(2, 5), ExpandedWeight(torch.ones(3, 2, 2, requires_grad=True), 2, "sum"))
    with pytest.raises(RuntimeError, match=r"Module passed must be nn.Module, got int"):
        call_for_per_sample_grads(3)
    with pytest.raises(RuntimeError, match="Unable to find a tensor"):
        call_for_per_sample_grads(nn.Linear(2, 2))(3)
