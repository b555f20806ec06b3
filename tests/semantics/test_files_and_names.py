"""Files, pickles and copies; what classes, functions and dtypes are called, and Python's own words where tensors stand in them."""

import copy
import importlib
import io
import math
import operator
import pickle
import sys
import typing

import pytest


def refusal(function, *args, **kwargs):
    with pytest.raises(Exception) as caught:
        function(*args, **kwargs)
    return type(caught.value), str(caught.value).split("\n")[0]


def there_and_back(torch, obj, zipped=True, **keywords):
    file = io.BytesIO()
    torch.save(obj, file, _use_new_zipfile_serialization=zipped)
    file.seek(0)
    return torch.load(file, **keywords)


class Own:
    def __eq__(self, other):
        return type(other) is Own

    __hash__ = None


# ---------------------------------------------------------------------------------------------------------- files
@pytest.mark.parametrize("zipped", [True, False])
def test_what_only_trusted_files_may_bring(torch, zipped):
    for obj in (
        Own(),
        Own,
        len,
        torch.add,
        torch.nn.Linear(1, 1),
        frozenset([1]),
        torch.nn.functional.relu,
        range(3),
        torch.optim.SGD,
        math.sin,
    ):
        with pytest.raises(
            pickle.UnpicklingError, match=r"(?s)Weights only load failed.*Unsupported global: GLOBAL \S+ was not an allowed"
        ):
            there_and_back(torch, obj, zipped)
        found = there_and_back(torch, obj, zipped, weights_only=False)
        assert found == obj if not isinstance(obj, torch.nn.Module) else repr(found) == repr(obj)
    for obj in (
        {1},
        bytearray(b"a"),
        b"a",
        1j,
        2**200,
        [1.5],
        "é",
        None,
        torch.Size([1]),
        torch.float16,
        torch.device("cpu"),
        torch.strided,
    ):
        assert there_and_back(torch, obj, zipped) == obj


def test_the_advice_of_a_refused_file(torch):
    kind, text = refusal(there_and_back, torch, Own())
    assert issubclass(kind, pickle.UnpicklingError)
    assert text == (
        "Weights only load failed. This file can still be loaded, to do so you have two options, \033[1mdo those steps only if you trust "
        "the source of the checkpoint\033[0m. "
    )
    with pytest.raises(pickle.UnpicklingError) as caught:
        there_and_back(torch, io.BytesIO)
    text = str(caught.value)
    assert "`torch.serialization.add_safe_globals([_io.BytesIO])`" in text and text.endswith("/torch.load.html.")
    assert "(1) In PyTorch 2.6, we changed the default value of the `weights_only` argument in `torch.load`" in text


def test_safe_globals(torch):
    before = set(torch.serialization.get_safe_globals())
    with torch.serialization.safe_globals([Own]):
        assert set(torch.serialization.get_safe_globals()) - before == {Own}
        assert there_and_back(torch, [Own()]) == [Own()]
    with pytest.raises(pickle.UnpicklingError):
        there_and_back(torch, Own())
    with pytest.raises(TypeError):
        torch.serialization.add_safe_globals(3)
    with torch.serialization.safe_globals([3]):  # asked only where a file needs it
        assert there_and_back(torch, torch.ones(1)).tolist() == [1]


def test_shared_storages_versions_and_views(torch):
    x = torch.arange(6.0)
    for zipped in (True, False):
        a, b = there_and_back(torch, [x, x[2:4]], zipped)
        assert a._version == b._version == 1 and not b._is_view() and b.data_ptr() == a.data_ptr() + 8
        a.add_(1)
        assert b.tolist() == [3, 4] and (a._version, b._version) == (2, 1)
    a, b = copy.deepcopy([x, x[2:4]])
    assert b.data_ptr() == a.data_ptr() + 8


def test_what_pickle_asks_tensors(torch):
    x = torch.ones(2, 3).t()
    function, arguments = x.__reduce_ex__(2)
    assert function.__name__ == "_rebuild_tensor_v2" and arguments[1:5] == (0, (3, 2), (1, 3), False)
    assert type(arguments[0]) is torch.storage.TypedStorage and arguments[0].dtype is torch.float32
    parameter = torch.nn.Parameter(x)
    assert parameter.__reduce_ex__(2)[0].__name__ == "_rebuild_parameter"
    parameter.tag = 3
    function, arguments = parameter.__reduce_ex__(2)
    assert function.__name__ == "_rebuild_parameter_with_state" and arguments[3] == {"tag": 3}
    assert torch.float32.__reduce__() == "float32"


def test_places_and_errors_of_files(torch, tmp_path):
    for place, error in (
        ("foo", "don't know how to restore data location of torch.storage.UntypedStorage (tagged with foo)"),
        (
            {"cpu": "cuda"},
            "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are running on",
        ),
    ):
        kind, text = refusal(there_and_back, torch, torch.ones(1), map_location=place)
        assert kind is RuntimeError and text.startswith(error)
    for content, error in (
        (b"PK\x03\x04 and", "PytorchStreamReader failed reading zip archive: "),
        (pickle.dumps([1], 2), "Invalid magic number; corrupt file?"),
    ):
        kind, text = refusal(torch.load, io.BytesIO(content))
        assert kind is RuntimeError and text.startswith(error)
    assert refusal(torch.save, 1, tmp_path / "a" / "b")[1] == f"Parent directory {tmp_path / 'a'} does not exist."
    whole = io.BytesIO()
    torch.save([torch.ones(3)], whole, _use_new_zipfile_serialization=False)
    assert refusal(torch.load, io.BytesIO(whole.getvalue()[:-5])) == (
        RuntimeError,
        "unexpected EOF, expected 5 more bytes. The file might be corrupted.",
    )


# ---------------------------------------------------------------------------------------------------------- storages
def test_storages_of_bytes(torch):
    x = torch.arange(2.0)
    storage = x.untyped_storage()
    assert sys.getsizeof(torch.zeros(1000).untyped_storage()) - sys.getsizeof(storage) == 3992
    assert storage is x.untyped_storage() and (storage.nbytes(), storage.size(), len(storage), storage.element_size()) == (
        8,
        8,
        8,
        1,
    )
    assert (
        storage.tolist() == [0, 0, 0, 0, 0, 0, 128, 63] and storage[6] == 128 and storage[-1] == 63 and storage.device == x.device
    )
    part = storage[4:8]
    part.fill_(0)
    assert x.tolist() == [0, 0] and type(part) is torch.UntypedStorage
    storage[0:4] = 1
    assert storage.clone().tolist() == [1] * 4 + [0] * 4
    assert repr(torch.UntypedStorage([1, 2])) == " 1\n 2\n[torch.storage.UntypedStorage(device=cpu) of size 2]"
    assert torch.UntypedStorage(3).copy_(torch.UntypedStorage([7, 8, 9])).tolist() == [7, 8, 9]
    assert refusal(operator.getitem, storage, 100) == (IndexError, "index 100 out of range for storage of size 8")
    assert refusal(operator.getitem, storage, 1.5) == (TypeError, "can't index a torch.UntypedStorage with float")
    assert (
        refusal(torch.UntypedStorage(2).copy_, torch.UntypedStorage(3))[1]
        == "size does not match, self was 2 bytes but src was 3 bytes"
    )
    assert refusal(torch.UntypedStorage, 2.5)[1] == "torch.UntypedStorage(): Expected a sequence type, but got float"
    assert storage.resizable() and torch.UntypedStorage(2).resize_(5).nbytes() == 5
    swapped = torch.UntypedStorage([1, 2, 3, 4])
    swapped.byteswap(torch.int16)
    assert swapped.tolist() == [2, 1, 4, 3]
    assert torch.empty(0).set_(torch.tensor([3.0, 4.0]).untyped_storage(), 1, (1,), (1,)).tolist() == [4]


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_of_numbers(torch):
    x = torch.arange(3.0)
    storage = x.storage()
    assert (
        storage.tolist() == [0, 1, 2]
        and storage[1] == 1
        and storage.size() == len(storage) == 3
        and storage.dtype is torch.float32
    )
    storage[0] = 5
    assert x[0] == 5 and storage.double().dtype is torch.float64 and storage.data_ptr() == x.data_ptr()
    assert type(storage) is type(torch.FloatStorage([1, 2])) is torch.storage.TypedStorage
    assert isinstance(storage, torch.FloatStorage) and not isinstance(storage, torch.LongStorage)
    assert torch.empty(0).set_(storage).tolist() == [5, 1, 2]
    assert torch.is_storage(storage) and torch.is_storage(x.untyped_storage()) and not torch.is_storage(x)
    assert torch._utils._element_size(torch.cfloat) == 8
    assert refusal(torch._utils._element_size, 3) == (RuntimeError, "expected torch.dtype, but got <class 'int'>")


# ---------------------------------------------------------------------------------------------------------- types
def test_tensor_types(torch):
    assert isinstance(torch.LongTensor, type) and str(torch.LongTensor | None) in (
        "torch.LongTensor | None",
        "rushlight.LongTensor | None",
    )
    assert typing.Optional[torch.LongTensor].__args__[0] is torch.LongTensor  # noqa: UP045
    assert repr(torch.LongTensor) == "<class 'torch.LongTensor'>" and torch.LongTensor.dtype is torch.int64
    x = torch.ones(1)
    assert isinstance(x, torch.FloatTensor) and not isinstance(x, torch.LongTensor) and isinstance(x, torch.FloatTensor | None)
    assert isinstance(torch.nn.Parameter(x), torch.FloatTensor) and not issubclass(torch.LongTensor, torch.Tensor)
    assert (
        torch.LongTensor([2.5]).tolist() == [2]
        and torch.FloatTensor(2, 3).shape == (2, 3)
        and torch.LongTensor().dtype is torch.int64
    )
    assert torch.BoolTensor([True, 0]).tolist() == [True, False] and torch.FloatTensor((2, 3)).tolist() == [2, 3]
    kind, text = refusal(torch.LongTensor, x)
    assert kind is TypeError and text.startswith(
        "expected TensorOptions(dtype=long int, device=cpu, layout=Strided, requires_grad=false (default)"
    )
    assert refusal(getattr, torch.LongTensor, "foo") == (AttributeError, "type object 'torch.LongTensor' has no attribute 'foo'")
    for kind in (torch.Tensor, torch.dtype, torch.Size, torch.device, torch.Generator, torch.nn.Parameter):
        assert isinstance(None, kind | None) and kind in typing.get_args(kind | int)


def test_number_types_stand_for_dtypes(torch):
    assert (
        torch.zeros(3, dtype=float).dtype
        is torch.ones(1).to(float).dtype
        is torch.ones(1).to("cpu", float).dtype
        is torch.float64
    )
    assert torch.ones(2, dtype=complex).dtype is torch.complex128 and torch.tensor([1], dtype=bool).dtype is torch.bool
    assert torch.finfo(float).bits == torch.iinfo(int).bits == 64
    assert torch.nn.Linear(1, 1).to(float).weight.dtype is torch.nn.Linear(1, 1, dtype=float).weight.dtype is torch.float64
    assert torch.promote_types(float, int) is torch.float64 and not torch.can_cast(float, int)
    assert refusal(torch.ones(1).type, float) == (ValueError, "invalid type: 'float'")
    only = "only floating-point types are supported as the default type"
    assert refusal(torch.set_default_dtype, float) == (TypeError, f"invalid dtype object: {only}")
    assert refusal(torch.set_default_dtype, torch.int32)[0] is TypeError
    assert refusal(torch.zeros, 3, dtype=str) == (TypeError, "zeros(): argument 'dtype' must be torch.dtype, not type")


# ---------------------------------------------------------------------------------------------------------- names
def test_pythons_words_about_tensors(torch):
    x = torch.ones(2)
    assert type(x).__name__ == "Tensor" and repr(type(x)) == "<class 'torch.Tensor'>"
    for function, text in (
        (lambda: divmod(x, x), "unsupported operand type(s) for divmod(): 'Tensor' and 'Tensor'"),
        (lambda: x(), "'Tensor' object is not callable"),
        (lambda: f"{x:.2f}", "unsupported format string passed to Tensor.__format__"),
        (lambda: x + "a", "unsupported operand type(s) for +: 'Tensor' and 'str'"),
        (lambda: x + None, "unsupported operand type(s) for +: 'Tensor' and 'NoneType'"),
        (lambda: x < "a", "'<' not supported between instances of 'Tensor' and 'str'"),
        (lambda: [1] + x, 'can only concatenate list (not "Tensor") to list'),
        (lambda: operator.delitem(x, 0), "Tensor does not support deleting items"),
        (lambda: ~x, "~ (operator.invert) is only implemented on integer and Boolean-type tensors"),
        (lambda: torch.float32(), "'torch.dtype' object is not callable"),
    ):
        assert refusal(function) == (TypeError, text)
    assert refusal(lambda: x.foo) == (AttributeError, "'Tensor' object has no attribute 'foo'")
    assert refusal(lambda: x.shape.foo) == (AttributeError, "'torch.Size' object has no attribute 'foo'")
    assert refusal(lambda: torch.Generator().foo) == (AttributeError, "'torch._C.Generator' object has no attribute 'foo'")
    assert refusal(lambda: torch.add.foo) == (AttributeError, "'builtin_function_or_method' object has no attribute 'foo'")
    for convert in (float, int, complex):
        assert refusal(convert, x) == (ValueError, "only one element tensors can be converted to Python scalars")


def test_functions_and_methods(torch):
    x = torch.ones(2)
    assert (
        repr(torch.sum).startswith("<built-in method sum of type object at 0x")
        and repr(torch.nn.functional.gelu) == "<built-in function gelu>"
    )
    assert (
        repr(x.sum).startswith("<built-in method sum of Tensor object at 0x")
        and type(x.sum).__name__ == "builtin_function_or_method"
    )
    assert (
        repr(torch.Tensor.add) == "<method 'add' of 'torch._C.TensorBase' objects>"
        and type(torch.Tensor.add).__name__ == "method_descriptor"
    )
    add = x.add
    assert (
        add(1, alpha=2).tolist() == [3, 3]
        and add.__self__ is x
        and add.__name__ == "add"
        and add == x.add
        and hash(add) == hash(x.add)
    )
    for function in (
        torch.add,
        torch.relu,
        torch.relu_,
        torch.zeros,
        torch.tensor,
        torch.linalg.svd,
        torch.special.erf,
        torch.nn.functional.gelu,
    ):
        for protocol in range(2, 6):
            assert pickle.loads(pickle.dumps(function, protocol)) is function
        assert copy.copy(function) is copy.deepcopy(function) is function
    for method in (torch.Tensor.add_, torch.Tensor.numel, torch.Tensor.backward, torch.Tensor.sum):
        assert pickle.loads(pickle.dumps(method)) is method
    assert pickle.loads(pickle.dumps(add))(1).tolist() == [2, 2]
    for kind in (torch.Tensor, torch.LongTensor, torch.nn.Linear, torch.Size, torch.Generator, torch.device, torch.dtype):
        assert pickle.loads(pickle.dumps(kind)) is kind
    results = pickle.loads(pickle.dumps(torch.ones(3).max(0)))
    assert type(results) is torch.return_types.max and results.indices == 0


def test_a_view_that_a_function_made_is_lost_by_a_write_without_recording(torch):
    class Triple(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return (x.detach() * 3).view(-1)

        @staticmethod
        def backward(ctx, g):
            return g.view(2, 2) * 3

    x = torch.ones(2, 2, requires_grad=True)
    out = Triple.apply(x)
    assert out._is_view() and type(out.grad_fn).__name__ == "TripleBackward"
    with torch.no_grad():
        out.fill_(1)
    kind, text = refusal(lambda: out.sum().backward())
    assert kind is RuntimeError
    assert text.startswith(
        "Output 0 of Triple is a view and its base or another view of its base has been modified inplace. This view was"
    )


def test_what_empty_lines_give(torch):
    assert refusal(torch.zeros(2, 0).kthvalue, 1) == (IndexError, "kthvalue(): Expected reduction dim 1 to have non-zero size.")
    assert refusal(torch.zeros(0, 2, dtype=torch.cfloat).median, 0)[0] is IndexError
    assert torch.zeros(0, dtype=torch.bool).median().item() is True
    nothing = torch.zeros(0, dtype=torch.cdouble).median()
    assert nothing.dtype is torch.cdouble and math.isnan(nothing.real) and nothing.imag == 0


# ---------------------------------------------------------------------------------------------------------- what programs ask first
def test_versions_compare_by_number(torch):
    version = torch.__version__
    assert isinstance(version, str) and version > "2.9" and version >= (2, 13) and version > (1, 9) and version > "2.9"
    assert version >= "2.13.0" and not version < "2.13.0" and version != (2, 12) and version != "2.13.1" and version < "3"
    assert version.split(".")[:2] == ["2", "13"] and importlib.import_module(f"{torch.__name__}.version").cuda is None
    made = importlib.import_module(f"{torch.__name__}.torch_version").TorchVersion
    assert made("1.10.0") == "1.10" and made("1.10.0rc1") < "1.10.0" and made("1.10.0+cpu") > "1.10.0" and made("1.2") < (1, 10)


def test_other_devices_are_not_there(torch):
    for name in ("xpu", "mps", "accelerator", "cuda"):
        module = importlib.import_module(f"{torch.__name__}.{name}")
        assert not module.is_available() and module.device_count() == 0
    assert torch.accelerator.current_accelerator() is None and torch.cpu.is_available() and torch.cpu.device_count() == 1
    assert refusal(torch.accelerator.synchronize)[1] == "Cannot access accelerator device when none is available."
    assert not torch.backends.mps.is_available() and not torch.backends.mps.is_built() and not torch.backends.cuda.is_built()
    cudnn = importlib.import_module(f"{torch.__name__}.backends.cudnn")
    assert (
        not cudnn.is_available()
        and cudnn.version() is None
        and (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (True, False, False)
    )
    with cudnn.flags(enabled=False, benchmark=True):
        assert not cudnn.enabled and cudnn.benchmark
    assert cudnn.enabled and not cudnn.benchmark
    before = torch.get_float32_matmul_precision()
    torch.backends.cuda.matmul.allow_tf32 = True
    assert torch.backends.cuda.matmul.allow_tf32 and torch.get_float32_matmul_precision() == "high"
    torch.set_float32_matmul_precision(before)


def test_nothing_is_compiled(torch):
    compiler = importlib.import_module(f"{torch.__name__}.compiler")
    assert not compiler.is_compiling() and not compiler.is_exporting() and not compiler.is_dynamo_compiling()
    assert compiler.allow_in_graph(abs)(-2) == 2
    compiler.reset()


def test_one_number_for_all_dimensions(torch):
    utils = importlib.import_module(f"{torch.__name__}.nn.modules.utils")
    assert (
        utils._pair(3) == (3, 3)
        and utils._triple([1, 2]) == (1, 2)
        and utils._single(1) == (1,)
        and utils._quadruple(0) == (0,) * 4
    )
    assert utils._ntuple(2, "x").__name__ == "x" and utils._reverse_repeat_tuple((1, 2), 2) == (2, 2, 1, 1)
    assert utils._list_with_default([None, 3], [1, 4, 5]) == [4, 3] and utils._list_with_default(3, [4]) == 3
    assert refusal(utils._list_with_default, [None, 3], [4, 5]) == (ValueError, "Input dimension should be at least 3")


def test_names_for_annotations(torch):
    types = importlib.import_module(f"{torch.__name__}.types")
    assert isinstance(2.5, types.Number) and isinstance(torch.device("cpu"), types.Device) and types._dtype is torch.dtype
    assert (
        io.BytesIO is not types.FileLike and str in typing.get_args(types.FileLike) and torch.Size in typing.get_args(types._size)
    )
