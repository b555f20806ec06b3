"""What every test starts from and has to leave behind."""

import pytest

import rushlight


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
