"""Tensors beside NumPy arrays, buffers, DLPack, pickles, as facts that hold for PyTorch too."""

import pickle

import pytest

np = pytest.importorskip("numpy")

NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"]


@pytest.fixture
def torch():
    import rushlight

    return rushlight


@pytest.mark.parametrize("name", NAMES)
def test_arrays_share_memory(torch, name):
    array = np.ones((2, 3), dtype=name)
    x = torch.from_numpy(array)
    assert x.dtype == getattr(torch, name) and tuple(x.shape) == (2, 3)
    array[0, 0] = 0
    assert x[0, 0].item() == 0
    x[1, 1] = 0
    assert array[1, 1] == 0
    back = x.numpy()
    assert back.dtype == array.dtype and np.shares_memory(back, array)


def test_strides_of_arrays(torch):
    array = np.arange(12.0).reshape(3, 4).T
    x = torch.from_numpy(array)
    assert x.stride() == (1, 4) and np.array_equal(x.numpy(), array) and x.numpy().strides == array.strides
    assert np.array_equal(torch.from_numpy(array[::2]).numpy(), array[::2])
    with pytest.raises(ValueError, match="At least one stride in the given numpy array is negative"):
        torch.from_numpy(array[::-1])


def test_tensor_copies_arrays(torch):
    array = np.arange(3.0)
    x, shared = torch.tensor(array), torch.as_tensor(array)
    array[0] = 9
    assert x.tolist() == [0.0, 1.0, 2.0] and shared.tolist() == [9.0, 1.0, 2.0]
    assert x.dtype == torch.float64
    assert torch.tensor([np.float32(1.5), np.float32(2)]).dtype == torch.float32
    assert torch.tensor(np.int32(4)).dtype == torch.int32


def test_numpy_asks_for_arrays(torch):
    x = torch.arange(6.0).view(2, 3)
    assert np.asarray(x).shape == (2, 3) and np.sum(np.asarray(x)) == 15
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert np.array_equal(np.stack([x.numpy(), x.numpy()])[0], x.numpy())
    assert len(x) == 2 and [row.tolist() for row in x] == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]


def test_arithmetic_with_numpy_numbers(torch):
    x = torch.ones(2)
    assert (x * np.float32(2)).tolist() == [2.0, 2.0]
    assert (x + np.int64(2)).dtype == torch.float32


def test_bfloat16_has_no_array(torch):
    with pytest.raises(TypeError, match="Got unsupported ScalarType BFloat16"):
        torch.ones(2, dtype=torch.bfloat16).numpy()


def test_dlpack(torch):
    x = torch.arange(6.0).view(2, 3).t()
    y = torch.from_dlpack(x)
    assert y.data_ptr() == x.data_ptr() and y.stride() == x.stride()
    array = np.from_dlpack(x)
    assert np.array_equal(array, x.numpy())
    z = torch.from_dlpack(np.arange(4.0))
    assert z.tolist() == [0.0, 1.0, 2.0, 3.0] and z.dtype == torch.float64
    assert x.__dlpack_device__() == (1, 0)


def test_frombuffer(torch):
    buffer = bytearray(np.arange(4, dtype=np.float32).tobytes())
    x = torch.frombuffer(buffer, dtype=torch.float32)
    assert x.tolist() == [0.0, 1.0, 2.0, 3.0]
    x[0] = 5
    assert np.frombuffer(buffer, dtype=np.float32)[0] == 5
    assert torch.frombuffer(buffer, dtype=torch.float32, count=2, offset=4).tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name", [*NAMES, "bfloat16"])
def test_pickle(torch, name):
    x = torch.ones(2, 3, dtype=getattr(torch, name)).t()
    y = pickle.loads(pickle.dumps(x))
    assert y.dtype == x.dtype and y.stride() == x.stride() and torch.equal(x, y)


def test_python_numbers(torch):
    assert (
        float(torch.tensor(2.5)) == 2.5
        and int(torch.tensor(3)) == 3
        and bool(torch.tensor(True))
        and complex(torch.tensor(1j)) == 1j
    )
    assert [1, 2, 3][torch.tensor(1)] == 2
    with pytest.raises(RuntimeError, match="Boolean value of Tensor with more than one value is ambiguous"):
        bool(torch.ones(2))
    with pytest.raises(RuntimeError, match="a Tensor with 2 elements cannot be converted to Scalar"):
        torch.ones(2).item()
    with pytest.raises(TypeError, match="len\\(\\) of a 0-d tensor"):
        len(torch.tensor(1.0))
    with pytest.raises(TypeError, match="iteration over a 0-d tensor"):
        iter(torch.tensor(1.0))
    assert f"{torch.tensor(1.5):.2f}" == "1.50"
    assert hash(torch.ones(1)) is not None


def test_operators_beside_arrays(torch):
    x, array = torch.tensor([1.0, 2.0]), np.array([1, 2])
    for made in (x + array, x * array, x - array, x**array, x / array, array / x):  # (NumPy's, which keeps to its dtypes)
        assert isinstance(made, torch.Tensor) and made.dtype is torch.float64
    assert torch.equal(array / x, torch.ones(2, dtype=torch.float64)) and torch.equal(x == array, torch.tensor([True, True]))
    assert (
        x.__add__(array) is NotImplemented and x.__radd__(array) is NotImplemented and x.__eq__(np.array(["a"])) is NotImplemented
    )
    for refused in (lambda: array + x, lambda: array * x, lambda: array < x, lambda: x < array, lambda: np.array([None]) / x):
        with pytest.raises(TypeError):
            refused()
    with pytest.raises(RuntimeError, match="Can't call numpy\\(\\) on Tensor that requires grad"):
        x.requires_grad_() * array


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_as_data(torch):
    typed = torch.ones(2, dtype=torch.bfloat16).storage()
    assert torch.equal(torch.tensor(typed, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16))
    assert torch.tensor(torch.ones(2).storage())[1] == 1 and torch.tensor(torch.ones(2).untyped_storage()).dtype is torch.int64
    for data, dtype, text in ((typed, None, "Float"), (typed, torch.float64, "Double")):
        with pytest.raises(RuntimeError, match=f"Expected a Storage of type {text} or an UntypedStorage, but got BFloat16"):
            torch.tensor(data, dtype=dtype)
    assert torch.UntypedStorage(np.int16(3)).nbytes() == 3 and torch.TypedStorage(np.int8(3), dtype=torch.int64).size() == 3


def test_nothing_has_no_address(torch):
    assert torch.empty(2, 2)[2:].data_ptr() == 0 == torch.ones(3).resize_(0).data_ptr() and torch.ones(1).data_ptr()


def test_complex_scalars_keep_their_imaginary_part(torch):
    for z in (np.complex64(1 + 2j), np.complex128(1 + 2j)):
        for made in (torch.tensor(z), torch.tensor([[z]]), torch.tensor([1, z]), torch.tensor((z,), dtype=torch.complex128)):
            assert made.is_complex() and made.flatten()[-1].item() == 1 + 2j
    assert torch.tensor(np.float32(1.5), dtype=torch.complex64).item() == 1.5
