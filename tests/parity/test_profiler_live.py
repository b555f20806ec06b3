"""The facts of tests/test_profiler.py, asked of PyTorch itself."""

import pytest

from ..test_profiler import *  # noqa: F403

pytorch = pytest.importorskip("torch")
pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")]


@pytest.fixture
def torch():
    return pytorch
