"""The semantics of autograd, as facts about a module `torch`: Rushlight here, PyTorch itself in tests/parity/test_semantics_live.py."""

import pytest


@pytest.fixture
def torch():
    import rushlight

    return rushlight
