"""Replays leave nothing behind."""

import gc

import pytest

import rushlight as torch
from rushlight import core

from .cases import replayed

pytestmark = pytest.mark.core


@pytest.mark.slow
def test_memory_stays_flat_over_a_million_replays():
    w = torch.rand(4, requires_grad=True)

    def step(x):
        w.grad = None
        (w * x).sum().backward()

    compiled, forward, x = torch.compile(step), torch.compile(lambda x: w * x), torch.rand(4)
    for _ in range(10):
        compiled(x), forward(x)
    gc.collect()
    before = core.memory_stats()["allocated"]
    for _ in range(1_000_000):
        compiled(x), forward(x)
    gc.collect()
    assert core.memory_stats()["allocated"] <= before
    assert compiled.replays >= 1_000_000 and forward.replays >= 1_000_000


def test_memory_stays_flat():
    w = torch.rand(64, 64, requires_grad=True)

    def step(x):
        w.grad = None
        loss = (x @ w).tanh().square().mean()
        loss.backward()
        return loss.detach()

    compiled, forward = torch.compile(step), torch.compile(lambda x: (x @ w).tanh())
    x = torch.rand(16, 64)
    for _ in range(10):
        compiled(x), forward(x).sum().backward()
    gc.collect()
    before = core.memory_stats()["allocated"]
    for _ in range(2000):
        compiled(x), forward(x).sum().backward()
    gc.collect()
    assert core.memory_stats()["allocated"] <= before
    replayed(compiled), replayed(forward)
