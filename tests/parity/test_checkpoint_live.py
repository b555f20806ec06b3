"""The facts of tests/test_checkpoint.py, asked of PyTorch itself."""

import pytest

from ..test_checkpoint import *  # noqa: F403

pytorch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")]


@pytest.fixture
def torch():
    return pytorch
