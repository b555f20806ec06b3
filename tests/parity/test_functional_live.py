"""The facts of tests/test_functional.py, asked of PyTorch itself."""

import pytest

from ..test_functional import *  # noqa: F403

pytorch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")]


@pytest.fixture
def torch():
    return pytorch
