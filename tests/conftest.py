"""What every test starts from and has to leave behind."""

import pytest

import rushlight

from .laws.ways import WAYS

rushlight.ops.declare_all()

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


def pytest_generate_tests(metafunc):
    """Every law holds on the short way of a call and on the general one. (Those of fused rules compare the two; what every declaration
    has to have is no law of calls.)"""
    name = metafunc.definition.path.name
    if name.endswith("_laws.py") and name != "test_fused_laws.py" and not metafunc.function.__name__.startswith("test_every_"):
        metafunc.fixturenames.append("way")
        metafunc.parametrize("way", WAYS, indirect=True)


@pytest.fixture
def way(request):
    with WAYS[request.param]():
        yield


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
        "name": rushlight.__name__,  # torch, where `as_torch` still holds
    }
