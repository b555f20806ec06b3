"""Names that public packages read, and what they stand for here."""

import inspect

import pytest

import rushlight as torch
from rushlight import nn


def test_signatures_of_modules():
    class Called(nn.Module):
        def __call__(self, x, scale=1.0):
            return x * scale

    assert str(inspect.signature(nn.Linear(2, 3))) == "(*args, **kwargs)"
    assert str(inspect.signature(Called())) == "(x, scale=1.0)"
    assert list(inspect.signature(nn.Linear).parameters) == ["in_features", "out_features", "bias", "device", "dtype"]


def test_lists_of_tensors_by_device_and_dtype():
    from rushlight.utils._foreach_utils import _group_tensors_by_device_and_dtype, _has_foreach_support

    a, b = torch.ones(1), torch.ones(2, dtype=torch.float64)
    groups = _group_tensors_by_device_and_dtype([[a, b, a], [b, None, b]], with_indices=True)
    assert groups[a.device, torch.float32] == ([[a, a], [b, b]], [0, 2])
    assert groups[b.device, torch.float64] == ([[b], [None]], [1])
    assert _has_foreach_support([a, b], a.device)


def test_compiled_libraries_are_refused_and_their_package_goes_on():
    with pytest.raises(OSError, match="compiled for PyTorch"):
        torch.ops.load_library("/somewhere/packageofops/_C.so")
    registered = torch.library.register_fake("packageofops::nms")(lambda boxes: boxes)
    assert callable(registered)
    with pytest.raises(NotImplementedError, match="packageofops::nms"):
        torch.ops.packageofops.nms(torch.ones(1))
    with pytest.raises(RuntimeError, match="operator another::nms does not exist"):
        torch.library.register_fake("another::nms")(lambda boxes: boxes)


def test_keys_of_kernels():
    from rushlight import _C

    keys = _C.DispatchKeySet(_C.DispatchKey.AutocastCPU) | _C.DispatchKeySet(_C.DispatchKey.CPU)
    assert keys.has(_C.DispatchKey.CPU) and repr(keys) == "DispatchKeySet(AutocastCPU, CPU)"
    with torch.autocast("cpu", torch.bfloat16), _C._ExcludeDispatchKeyGuard(keys):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is torch.float32


def test_marks_of_quantization_give_their_input_back():
    from rushlight.ao.quantization import QuantWrapper

    net = nn.Linear(2, 2)
    x = torch.ones(1, 2)
    assert torch.equal(QuantWrapper(net)(x), net(x))


def test_an_internal_op_refuses_arguments_in_the_words_of_its_schema_and_nothing_else():
    class Own(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            raise TypeError("an error within")

    sin = torch.ops.aten.sin
    for wrong in (lambda: sin("a"), lambda: sin(), lambda: sin(torch.ones(2), foo=1)):
        with pytest.raises(RuntimeError, match="failed to match any schema"):
            wrong()
    with pytest.raises(TypeError, match="an error within"):
        sin(torch.ones(2).as_subclass(Own))
