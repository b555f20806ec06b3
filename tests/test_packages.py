"""Names that public packages read, and what they stand for here."""

import inspect
import subprocess
import sys

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


def test_dtypes_in_name_alone():
    import copy
    import pickle

    named = [torch.qint8, torch.quint4x2, torch.bits16, torch.uint3, torch.int7, torch.float4_e2m1fn_x2]
    assert [repr(dtype) for dtype in named] == [
        "torch.qint8", "torch.quint4x2", "torch.bits16", "torch.uint3", "torch.int7", "torch.float4_e2m1fn_x2",
    ]  # fmt: skip
    assert all(isinstance(dtype, torch.dtype) and copy.deepcopy(dtype) is dtype for dtype in named)
    assert pickle.loads(pickle.dumps(torch.qint32)) is torch.qint32
    assert torch.bit is torch.uint1 and torch.int4.is_signed and not torch.uint4.is_signed
    assert torch.float4_e2m1fn_x2.is_floating_point and not torch.qint8.is_floating_point and torch.qint32.itemsize == 4
    with pytest.raises(RuntimeError, match="isSignedType not supported for quantized types"):
        _ = torch.qint8.is_signed
    with pytest.raises(TypeError, match=r"must be torch\.dtype, not qint8"):
        torch.empty(2, dtype=torch.qint8)


def test_vmap_by_parts_that_a_package_replaces(monkeypatch):
    from rushlight._functorch import vmap as parts

    class Pair:
        """A container that vmap does not know."""

        def __init__(self, a, b):
            self.a, self.b = a, b

    def process(in_dims, args, func):
        return args[0].a.shape[0], [in_dims], list(args), None

    def create(dims, flat, level, spec):
        return [Pair(parts._add_batch_dim(x.a, dim, level), parts._add_batch_dim(x.b, dim, level)) for x, dim in zip(flat, dims)]

    def unwrap(outputs, out_dims, level, size, func):
        return Pair(*[parts._remove_batch_dim(x, level, size, out_dims) for x in (outputs.a, outputs.b)])

    for name, part in {"_process_batched_inputs": process, "_create_batched_inputs": create, "_unwrap_batched": unwrap}.items():
        monkeypatch.setattr(parts, name, part)
    x = torch.arange(6.0).reshape(3, 2)
    got = torch.vmap(lambda pair: Pair(pair.a.sum(), pair.b * pair.a.ndim))(Pair(x, -x))
    assert got.a.tolist() == [1, 5, 9] and torch.equal(got.b, -x)
    monkeypatch.undo()
    assert torch.vmap(torch.sum)(x).tolist() == [1, 5, 9]


def test_parts_of_vmap_do_what_vmap_does():
    from rushlight._functorch import vmap as parts

    x = torch.arange(6.0).reshape(2, 3)
    assert torch.equal(parts._by_parts(lambda a, b: a * b.sum(), (1, None), 0, "error", (x, x), {}), x.T * 15)


def test_transformer_makes_a_new_module():
    class Negated(torch.fx.Transformer):
        def call_function(self, target, args, kwargs):
            return -super().call_function(target, args, kwargs)

    module = torch.fx.symbolic_trace(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    made = torch.fx.Transformer(module).transform()
    x = torch.ones(1, 2)
    assert torch.equal(made(x), module(x)) and made.code == module.code
    assert Negated(torch.fx.symbolic_trace(lambda x: x + 1)).transform()(x).tolist() == [[-2, -2]]


def test_contexts_that_decorate():
    from rushlight.utils._contextlib import _DecoratorContextManager, _NoParamDecoratorContextManager, context_decorator

    log = []

    class Noted(_DecoratorContextManager):
        def __init__(self, name):
            self.name = name

        def clone(self):
            return Noted(self.name)

        def __enter__(self):
            log.append(self.name)

        def __exit__(self, *error):
            log.append("out")

    @Noted("in")
    def function(x):
        return x + len(log)

    assert function(1) == 2 and log == ["in", "out"]
    assert context_decorator(lambda: Noted("made"), lambda: log[-1])() == "made"
    with pytest.raises(AssertionError, match="is both callable and also a valid context manager"):
        context_decorator(Noted("both"), function)
    assert issubclass(_NoParamDecoratorContextManager, _DecoratorContextManager)


def test_a_star_leaves_what_the_program_has():
    program = (
        "import random, utils\nfrom rushlight import *\nprint(random.__name__, utils.__name__, save.__name__, conv2d.__name__)"
    )
    here = "import sys, types; sys.modules['utils'] = types.ModuleType('utils')\n"
    done = subprocess.run([sys.executable, "-c", here + program], capture_output=True, text=True, timeout=100)
    assert done.stdout == "random utils save conv2d\n", done.stderr
