"""Switches: what programs set at their start and read back."""

import math

import pytest

import rushlight as torch


def test_constants():
    assert (torch.pi, torch.e, torch.inf) == (math.pi, math.e, math.inf) and math.isnan(torch.nan)


def test_determinism():
    assert not torch.are_deterministic_algorithms_enabled() and torch.get_deterministic_debug_mode() == 0
    torch.use_deterministic_algorithms(True, warn_only=True)
    assert torch.are_deterministic_algorithms_enabled() and torch.is_deterministic_algorithms_warn_only_enabled()
    torch.set_deterministic_debug_mode("error")
    assert torch.get_deterministic_debug_mode() == 2 and not torch.is_deterministic_algorithms_warn_only_enabled()
    for wrong, error in ((3, RuntimeError), ("sometimes", RuntimeError), (1.5, TypeError)):
        with pytest.raises(error):
            torch.set_deterministic_debug_mode(wrong)
    torch.use_deterministic_algorithms(False)


def test_precision_of_products():
    torch.set_float32_matmul_precision("high")
    assert torch.get_float32_matmul_precision() == "high"
    with pytest.warns(UserWarning, match="has no effect"):
        torch.set_float32_matmul_precision("low")
    torch.set_float32_matmul_precision("highest")


def test_default_device():
    torch.set_default_device("cpu")
    assert torch.get_default_device() == torch.device("cpu")
    torch.set_default_device(None)
    torch.set_default_device("cuda:1")
    try:
        assert str(torch.get_default_device()) == "cuda:1"
        with pytest.raises(AssertionError, match="not compiled with CUDA"):
            torch.ones(2)
    finally:
        torch.set_default_device(None)


def test_default_tensor_type():
    torch.set_default_tensor_type("torch.DoubleTensor")
    assert torch.zeros(1).dtype is torch.float64
    torch.set_default_tensor_type(torch.FloatTensor)
    assert torch.zeros(1).dtype is torch.float32
    with pytest.raises(TypeError, match="only floating-point types are supported as the default type"):
        torch.set_default_tensor_type(torch.LongTensor)


def test_names_of_types():
    assert torch.typename(torch.ones(1).long()) == "torch.LongTensor"
    assert torch.typename(torch.nn.Linear(1, 1)) == torch.typename(torch.nn.Linear) == "torch.nn.modules.linear.Linear"
    assert (torch.typename(3), torch.typename(len), torch.typename(torch.float32)) == ("int", "len", "torch.dtype")


def test_warnings_reach_programs_whose_module_has_no_name():
    with pytest.warns(UserWarning, match="degrees of freedom"):
        exec("torch.ones(2, 1).var(1)", {"torch": torch})
