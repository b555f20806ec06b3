"""Two leaves that the questions are asked of."""

import pytest

import rushlight as torch


@pytest.fixture
def x():
    return torch.tensor([1.0, 2.0, 3.0], requires_grad=True)


@pytest.fixture
def w():
    return torch.ones(3, requires_grad=True)
