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
    with pytest.raises(TypeError, match="argument 'warn_only' must be bool, not int"):
        torch.use_deterministic_algorithms(False, warn_only=1)


def test_new_memory_of_deterministic_programs_shows():
    torch.use_deterministic_algorithms(True)
    try:
        for dtype in (torch.float16, torch.float64, torch.complex64):
            assert torch.empty(3, dtype=dtype).isnan().all() and torch.ones(2).new_empty(2, dtype=dtype).isnan().all()
        for dtype in (torch.uint8, torch.int32, torch.int64):
            assert torch.empty_like(torch.ones(2, dtype=dtype)).tolist() == [torch.iinfo(dtype).max] * 2
        assert torch.empty_strided((2,), (1,), dtype=torch.bool).all() and torch.empty(2, out=torch.zeros(1)).isnan().all()
        assert torch.Tensor(2).isnan().all() and torch.ones(1).new(2).isnan().all() and torch.ShortTensor(2).eq(2**15 - 1).all()
        x = torch.ones(2).resize_(4)
        assert x[:2].tolist() == [1, 1] and x[2:].isnan().all()
        assert torch.ones(4).resize_(2).resize_as_(torch.ones(4)).tolist() == [1] * 4
        assert torch.zeros(2).tolist() == [0, 0] and torch.empty(0).shape == (0,)
        assert torch.utils.deterministic.fill_uninitialized_memory
        torch.utils.deterministic.fill_uninitialized_memory = False
        x = torch.ones(2, dtype=torch.int8).resize_(0).resize_(2)
        assert x.tolist() == [1, 1]
        with pytest.raises(RuntimeError, match="expected a bool, but got int"):
            torch.utils.deterministic.fill_uninitialized_memory = 1
    finally:
        torch.use_deterministic_algorithms(False)
        torch.utils.deterministic.fill_uninitialized_memory = True


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


@pytest.mark.filterwarnings("ignore:torch.set_default_tensor_type")
def test_default_tensor_type():
    torch.set_default_tensor_type("torch.DoubleTensor")
    assert torch.zeros(1).dtype is torch.float64
    torch.set_default_tensor_type(torch.FloatTensor)
    assert torch.zeros(1).dtype is torch.float32
    with pytest.raises(TypeError, match="only floating-point types are supported as the default type"):
        torch.set_default_tensor_type(torch.LongTensor)
    with pytest.raises(TypeError, match="invalid type object"):
        torch.set_default_tensor_type(torch.float32)


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_the_default_storage_follows_the_default_dtype():
    assert torch.Storage is torch.FloatStorage and torch.Storage([1.0]).tolist() == [1]
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.Storage is torch.DoubleStorage
    finally:
        torch.set_default_dtype(torch.float32)


def test_names_of_types():
    assert torch.typename(torch.ones(1).long()) == "torch.LongTensor"
    assert torch.typename(torch.nn.Linear(1, 1)) == torch.typename(torch.nn.Linear) == "torch.nn.modules.linear.Linear"
    assert (torch.typename(3), torch.typename(len), torch.typename(torch.float32)) == ("int", "len", "torch.dtype")


def test_warnings_reach_programs_whose_module_has_no_name():
    with pytest.warns(UserWarning, match="degrees of freedom"):
        exec("torch.ones(2, 1).var(1)", {"torch": torch})


@pytest.mark.parametrize(
    "arguments, error, text",
    [
        (("cpu:01",), RuntimeError, "Invalid device string: 'cpu:01'"),
        (("cpu ",), RuntimeError, "Invalid device string: 'cpu '"),
        ((":1",), RuntimeError, "Invalid device string: ':1'"),
        (("",), RuntimeError, "Device string must not be empty"),
        (("foo",), RuntimeError, "Expected one of cpu, .* device type at start of device string: foo"),
        (("cpu", -1), RuntimeError, "Device index must not be negative"),
        (("cpu:1", 1), RuntimeError, r"type \(string\) must not include an index because index was passed explicitly: cpu:1"),
        (("cpu", 1.5), TypeError, r"device\(\): argument 'index' \(position 2\) must be int, not float"),
        ((), TypeError, r"device\(\) received an invalid combination of arguments - got \(\)"),
        ((None,), TypeError, r"device\(\) received an invalid combination of arguments - got \(NoneType\)"),
    ],
)
def test_what_is_no_device(arguments, error, text):
    with pytest.raises(error, match=text):
        torch.device(*arguments)


def test_devices_by_name():
    assert torch.device(device="cpu:1") == torch.device("cpu", 1) == torch.device(type="cpu", index=1)
    assert torch.device(device=torch.device("meta")).type == "meta"
    assert torch.device(b"cpu") == torch.device("cpu") and torch.device(b"cuda", 1) == torch.device("cuda:1")
    with pytest.raises(TypeError, match=r"cannot create 'torch\.dtype' instances"):
        torch.dtype()


def test_settings_refuse_other_types():
    for call, error, text in (
        (lambda: torch.set_num_threads("a"), RuntimeError, "set_num_threads expects an int, but got str"),
        (lambda: torch.set_num_threads(True), RuntimeError, "set_num_threads expects an int, but got bool"),
        (lambda: torch.use_deterministic_algorithms(3), TypeError, "argument 'mode' \\(position 1\\) must be bool, not int"),
        (lambda: torch.set_float32_matmul_precision(3), RuntimeError, "set_float32_matmul_precision expects a str, but got int"),
    ):
        with pytest.raises(error, match=text):
            call()


def test_what_has_no_deterministic_algorithm_says_so_first():
    """put_ without accumulation, and max_unpool: where several elements go to one place, and before anything else is asked."""
    x, places = torch.ones(1, 1, 2, 2), torch.zeros(1, 1, 2, 2, dtype=torch.int64)
    calls = {
        "put_": lambda: torch.ones(3).put_(torch.tensor([7]), torch.ones(2)),
        "max_unpooling2d_forward_out": lambda: torch.nn.functional.max_unpool2d(x, places, 2),
        "max_unpooling3d_forward_out": lambda: torch.nn.functional.max_unpool3d(x[None], places[None], (1, 2, 2)),
    }
    torch.use_deterministic_algorithms(True)
    try:
        for name, call in calls.items():
            with pytest.raises(RuntimeError, match=f"^{name} does not have a deterministic implementation"):
                call()
        assert torch.ones(3).put_(torch.tensor([0, 0]), torch.ones(2), accumulate=True).tolist() == [3, 1, 1]
        torch.use_deterministic_algorithms(True, warn_only=True)
        with pytest.warns(UserWarning, match="put_ does not have a deterministic implementation"):
            torch.ones(3).put_(torch.tensor([0]), torch.ones(1))
    finally:
        torch.use_deterministic_algorithms(False)
