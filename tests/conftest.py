"""What every test starts from and has to leave behind."""

import pytest

import rushlight

# Small calls of everything that is compiled: what the sanitizers watch, beside the tests that are marked in their files.
WATCHED = {
    "semantics",
    "test_doctests.py",
    "test_indexing.py",
    "test_interop.py",
    "test_nn.py",
    "test_optim.py",
    "test_printing.py",
}


def pytest_collection_modifyitems(items):
    for item in items:
        if WATCHED & {item.path.name, item.path.parent.name}:
            item.add_marker(pytest.mark.core)


@pytest.fixture(autouse=True)
def same_start():
    """Random numbers start from one seed; a test that leaves a global setting changed fails, before others fail because of it."""
    rushlight.manual_seed(0)
    before = settings()
    yield
    assert settings() == before


def settings():
    return {
        "default dtype": rushlight.get_default_dtype(),
        "grad mode": rushlight.is_grad_enabled(),
        "inference mode": rushlight.is_inference_mode_enabled(),
        "threads": rushlight.get_num_threads(),
    }
