"""Rushlight as `torch`, and PyTorch itself, in one process."""

import importlib

import pytest

import rushlight

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity


def test_pytorch_comes_back():
    functional = importlib.import_module("torch.nn.functional")
    with rushlight.as_torch():
        assert importlib.import_module("torch") is rushlight
        assert importlib.import_module("torch.optim") is rushlight.optim
    assert importlib.import_module("torch") is torch
    assert importlib.import_module("torch.nn.functional") is functional
    assert importlib.import_module("torch.optim").SGD is torch.optim.SGD
