"""What shows only in time: a million steps of training hold their memory. `pytest -m slow` runs these."""

import functools
import gc
import os
import resource
import subprocess
import sys

import pytest

import rushlight as torch

pytestmark = pytest.mark.slow


def in_its_own_process(test):
    """`test` where nothing else lives: a process that collected thousands of tests grows and shrinks by itself."""

    @functools.wraps(test)
    def run():
        top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        command = [sys.executable, "-c", f"from tests.test_long_runs import {test.__name__} as t; t.__wrapped__()"]
        subprocess.run(command, check=True, cwd=top)

    return run


def resident_memory():
    """Bytes of this process in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def in_use():
    gc.collect()
    return torch.core.memory_stats()["allocated"], len(gc.get_objects())


@in_its_own_process
def test_a_million_steps_of_training():
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Dropout(0.1), torch.nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    inputs = torch.randn(16, 4)
    targets = inputs.sum(1, keepdim=True)

    def steps(count):
        for _ in range(count):
            optimizer.zero_grad()
            loss = ((model(inputs) - targets) ** 2).mean()
            loss.backward()
            optimizer.step()
        return loss.item()

    steps(1000)
    (bytes_before, objects_before), resident_before = in_use(), resident_memory()
    loss = steps(1_000_000)
    bytes_after, objects_after = in_use()
    assert loss < 1
    assert bytes_after == bytes_before
    assert abs(objects_after - objects_before) < 100
    # A leak of two bytes a step would show.
    assert resident_memory() - resident_before < 2_000_000


@in_its_own_process
def test_a_million_graphs_in_cycles():
    """Each graph is garbage that only the collector finds; it has to come by itself."""

    def graphs(count):
        for _ in range(count):
            x = torch.ones(3, requires_grad=True)
            y = x * x
            y.register_hook(lambda g, y=y: None)
            y.sum().backward()

    graphs(10_000)
    (bytes_before, objects_before), resident_before = in_use(), resident_memory()
    graphs(1_000_000)
    bytes_after, objects_after = in_use()
    assert bytes_after == bytes_before
    assert abs(objects_after - objects_before) < 100
    assert resident_memory() - resident_before < 4_000_000
