"""Gradients that are the same whatever the numbers: by these their derivative is 0, not missing, as a bias behind them gets it (and an
optimizer with momentum steps on)."""

import pytest

import rushlight as torch
from rushlight.nn import functional as F

FLAT = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "relu6": F.relu6,
    "hardtanh": F.hardtanh,
    "threshold": lambda h: F.threshold(h, 0.1, 0.0),
    "softshrink": F.softshrink,
    "hardshrink": F.hardshrink,
    "rrelu": F.rrelu,
    "prelu": lambda h: F.prelu(h, torch.tensor(0.2)),
    "max_pool1d": lambda h: F.max_pool1d(h, 2).repeat(1, 2),
    "adaptive_max_pool1d": lambda h: F.adaptive_max_pool1d(h, 2).repeat(1, 2),
    "pad": lambda h: F.pad(h, (1, 1), mode="reflect")[:, :4],
    "nll_loss": lambda h: F.nll_loss(h, torch.tensor([0, 1, 2]), reduction="none")[:, None].expand(3, 4),
}


@pytest.mark.parametrize("name", FLAT)
def test_second_derivatives_are_zeros(name):
    torch.manual_seed(0)
    x, weight, last = (torch.randn(*sizes, requires_grad=True) for sizes in ((3, 2), (4, 2), (1, 4)))
    bias = torch.randn(4, requires_grad=True)
    out = F.linear(FLAT[name](F.linear(x, weight, bias)), last)
    (gradient,) = torch.autograd.grad(out.sum(), x, create_graph=True)
    by_bias, by_last = torch.autograd.grad((gradient**2).sum(), (bias, last), allow_unused=True)
    assert by_bias.tolist() == [0] * 4 and by_last.any()
