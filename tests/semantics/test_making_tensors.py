"""New tensors, and what suites of tests of tensors rely on: which texts refuse, which dtypes come out, whose memory it is."""

import math

import pytest

INF, NAN = math.inf, math.nan


def test_powers_of_a_vector(torch):
    for dtype in (torch.complex64, torch.complex128):
        made = torch.vander(torch.tensor([1 + 1j, 1j, 0], dtype=dtype), increasing=True)
        assert made.tolist() == [[1, 1 + 1j, 2j], [1, 1j, -1], [1, 0, 0]]
    assert torch.vander(torch.tensor([True, False])).dtype is torch.int64
    assert torch.vander(torch.tensor([2, 3]), 0).shape == (2, 0)
    assert torch.vander(torch.tensor([2.0], dtype=torch.float16), 3).tolist() == [[4, 2, 1]]


def test_meshes_of_one_device(torch):
    with pytest.raises(RuntimeError, match="same device"):
        torch.meshgrid(torch.ones(2), torch.ones(2, device="meta"), indexing="ij")


def test_capsules_as_arrays(torch):
    x = torch.arange(4.0)
    made = torch.asarray(torch.utils.dlpack.to_dlpack(x))
    assert made.data_ptr() == x.data_ptr()
    made = torch.asarray(torch.utils.dlpack.to_dlpack(x), dtype=torch.float64, copy=True)
    assert made.dtype is torch.float64 and made.tolist() == x.tolist()
    with pytest.raises(ValueError, match="can't alias tensor"):
        torch.asarray(torch.utils.dlpack.to_dlpack(x), dtype=torch.float64, copy=False)


def test_the_dtype_of_one_value(torch):
    torch.set_default_dtype(torch.float16)
    try:
        assert torch.full((1,), 1j).dtype is torch.complex64 and torch.full((1,), 1.0).dtype is torch.float16
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", ("hann", "hamming", "bartlett", "blackman", "kaiser"))
def test_windows_are_dense(torch, name):
    window = getattr(torch, f"{name}_window")
    with pytest.raises(RuntimeError, match=f"{name}_window is not implemented for sparse types, got: TensorOptions.dtype=float"):
        window(3, layout=torch.sparse_coo)
    assert window(0, dtype=torch.complex64).shape == (0,) and window(1, dtype=torch.complex64).tolist() == [1]


def test_permutations_of_halves(torch):
    with pytest.raises(RuntimeError, match="n cannot be greater than 2049 for Half type"):
        torch.randperm(2050, dtype=torch.float16)
    with pytest.raises(RuntimeError, match=r"n cannot be greater than 2\^24\+1 for Float type"):
        torch.randperm(2**24 + 2, out=torch.empty(0))
    assert torch.randperm(300, dtype=torch.bfloat16).shape == (300,)
    with pytest.raises(RuntimeError, match="dtype Int does not match dtype of out parameter"):
        torch.randint(3, (2,), out=torch.empty(2), dtype=torch.int32)


def test_an_out_that_requires_grad(torch):
    for make in (torch.zeros, torch.ones, torch.empty, torch.rand, torch.randn):
        out = torch.empty(2)
        assert make(2, out=out, requires_grad=True) is out and out.requires_grad
    assert torch.full((2,), 1.0, out=torch.empty(2), requires_grad=True).requires_grad


def test_old_constructors_are_of_one_device(torch):
    for call in (
        lambda: torch.FloatTensor(device="cuda"),
        lambda: torch.Tensor((2.0, 3.0), device="cuda"),
        lambda: torch.ones(2).new(torch.Size([2]), device="cuda"),
    ):
        with pytest.raises(RuntimeError, match="legacy constructor expects device type: cpu but device type: cuda was passed"):
            call()
    assert torch.ones(2, dtype=torch.complex32).new().dtype is torch.complex32
    assert torch.ones(2, dtype=torch.uint16).new([1, 2]).tolist() == [1, 2]


def test_none_among_indices(torch):
    x = torch.ones(1, 2, 2, 1)
    mask = torch.tensor([[True, False], [False, True]])
    torch.ops.aten.index_put_(x, [None, mask, None], torch.tensor(0.0))
    assert x.flatten().tolist() == [0, 1, 1, 0]
    assert torch.ops.aten.index_put(x, [None, mask], torch.tensor(5.0)).flatten().tolist() == [5, 1, 1, 5]
    with pytest.raises(TypeError, match="NoneType"):
        torch.index_put_(x, [None, mask], torch.tensor(0.0))


def test_sums_of_exponentials_of_complex_numbers(torch):
    for dtype in (torch.complex64, torch.complex128):
        x = torch.tensor(
            [complex(-INF, 4), complex(-INF, 1), 1.5 + 2j, complex(INF, 0), complex(INF, 1), complex(NAN, 2)], dtype=dtype
        )
        made = torch.logcumsumexp(x, 0).tolist()
        assert made[:2] == [complex(-INF, 0)] * 2 and made[2] == 1.5 + 2j and made[3] == complex(INF, 0)
        assert made[4].real == INF and abs(made[4].imag - math.pi / 4) < 1e-6
        assert math.isnan(made[5].real) and math.isnan(made[5].imag)
        x = torch.tensor([[1 + 1j, -2 + 3j], [0.5j, 1e3 + 0j]], dtype=dtype)
        torch.testing.assert_close(torch.logcumsumexp(x[:, :1], 0).exp(), x[:, :1].exp().cumsum(0))
        torch.testing.assert_close(torch.logcumsumexp(x.T[:1], 1).exp(), x.T[:1].exp().cumsum(1))


def test_bounds_of_histograms(torch):
    for dtype in (torch.uint8, torch.int64, torch.float32):
        with pytest.raises(RuntimeError, match="max must be larger than min"):
            torch.histc(torch.ones(3, dtype=dtype), bins=4, min=5, max=1)
    with pytest.raises(RuntimeError, match=r"range of \[nan, nan\] is not finite"):
        torch.histc(torch.tensor([NAN]))
    with pytest.raises(RuntimeError, match=r"range of \[-nan, -nan\] is not finite"):
        torch.histc(torch.tensor([1.0, NAN]))


def test_kth_values_are_no_inputs(torch):
    x = torch.arange(4.0)
    with pytest.raises(RuntimeError, match="unsupported operation: some elements of the input tensor"):
        torch.kthvalue(x, 2, out=(x, torch.empty((), dtype=torch.long)))


def test_sparse_tensors_keep_their_dtype_in_place(torch):
    def sparse(dtype):
        return torch.tensor([[0, 1], [2, 0]]).to(dtype).to_sparse()

    for name, text in (("add_", "add"), ("sub_", "add"), ("mul_", "mul")):
        with pytest.raises(RuntimeError, match=f"Can't convert result type Float to output Long in {text} operation"):
            getattr(sparse(torch.int64), name)(sparse(torch.float32))
        made = getattr(sparse(torch.int32), name)(sparse(torch.int64))
        assert made.dtype is torch.int32 and made.to_dense().dtype is torch.int32
        dense = sparse(torch.float64).to_dense()
        assert getattr(dense, name)(sparse(torch.float64)) is dense
    with pytest.raises(RuntimeError, match="Subtraction, the `-` operator"):
        sparse(torch.bool).sub_(sparse(torch.bool))


def test_two_tensors_over_one_memory(torch):
    x = torch.arange(4.0)
    assert torch._C._is_alias_of(x, x[2:]) and not torch._C._is_alias_of(x, x.clone())


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_of_numbers_without_memory(torch):
    for dtype in (torch.bool, torch.int8, torch.float32, torch.complex64):
        meta = torch.TypedStorage([1, 0, 1], device="meta", dtype=dtype)
        assert meta.device.type == "meta" and meta.size() == 3 and meta.type() == "torch.storage.TypedStorage"
        for call in (meta.cpu, lambda s=meta, d=dtype: torch.TypedStorage([1, 0, 1], dtype=d).copy_(s)):
            with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
                call()
        for call in (meta.tolist, lambda s=meta: s[0]):
            with pytest.raises(NotImplementedError, match="Not available for 'meta' device type"):
                call()
        for call in (meta._share_fd_cpu_, meta._share_filename_cpu_):
            with pytest.raises(RuntimeError, match="only available on CPU"):
                call()
        assert meta.resize_(10) is None and meta.size() == 10


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_of_other_numbers(torch):
    for dtype in (torch.int32, torch.float64):
        with pytest.raises(RuntimeError, match=r"Expected a Storage of type \w+ or an UntypedStorage, but got type Float"):
            torch.tensor([], dtype=dtype).set_(torch.FloatStorage([1, 2]))
        assert torch.tensor([], dtype=dtype).set_(torch.UntypedStorage(8)).numel() == 8 // dtype.itemsize
    memory = torch.UntypedStorage(8)
    for arguments, keywords, error, text in (
        ((1, 2), {}, RuntimeError, "Too many positional arguments"),
        ((2,), {"wrap_storage": memory, "dtype": torch.float32}, RuntimeError, "No positional arguments should be given"),
        ((), {"wrap_storage": memory}, RuntimeError, "Argument 'dtype' must be specified"),
        ((), {"wrap_storage": 3, "dtype": torch.float32}, TypeError, "Argument 'wrap_storage' must be UntypedStorage"),
        ((), {"wrap_storage": memory, "dtype": torch.float32, "device": "cpu"}, RuntimeError, "Argument 'device' should not be"),
        ((5,), {"dtype": "a"}, RuntimeError, "expected torch.dtype, but got"),
        ((torch.ones(2),), {"dtype": torch.int32}, TypeError, "Argument type not recognized"),
    ):
        with pytest.raises(error, match=text):
            torch.TypedStorage(*arguments, **keywords)
    with pytest.raises(RuntimeError, match="can't index"):
        torch.FloatStorage([1])["a"]


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_from_buffers(torch):
    four = bytearray([1, 2, 3, 4])
    assert torch.ByteStorage.from_buffer(four).tolist() == [1, 2, 3, 4]
    assert torch.ShortStorage.from_buffer(four, "big").tolist() == [258, 772]
    assert torch.ShortStorage.from_buffer(four, "little").tolist() == [513, 1027]
    assert torch.IntStorage.from_buffer(four, "little").tolist() == [67305985]
    assert torch.FloatStorage.from_buffer(bytearray([0x40, 0x10, 0, 0]), "big").tolist() == [2.25]
    assert torch.BoolStorage.from_buffer(bytearray([0, 1, 2, 255]), "big").tolist() == [False, True, True, True]
    assert torch.IntStorage.from_buffer(bytearray(8), "native", 1, 4).tolist() == [0]
    for arguments, text in (
        ((bytearray(3), "little"), r"buffer size \(3\) must be a multiple of element size \(4\)"),
        ((bytearray(8), "native", 3), "buffer has only 8 elements after offset 0, but specified a size of 3"),
        ((bytearray(8), "native", -1, 9), "offset must be non-negative and no greater than buffer length"),
        ((bytearray(8), "x"), "invalid byte_order 'x'"),
    ):
        with pytest.raises(ValueError, match=text):
            torch.IntStorage.from_buffer(*arguments)


def test_capsules_for_other_devices(torch):
    with pytest.raises(BufferError, match="Unsupported device_type: 16"):
        torch.ones(2).__dlpack__(max_version=(1, 0), dl_device=(16, 0))
    with pytest.raises(BufferError, match="other than"):
        torch.eye(2).to_sparse().__dlpack__()


def test_norms_of_lists_in_another_dtype(torch):
    made = torch._foreach_norm([torch.tensor([3.0, 4.0])], dtype=torch.float64)
    assert made[0].dtype is torch.float64 and made[0].item() == 5
    assert torch._foreach_norm([torch.tensor([3.0, 4.0])], 1, dtype=torch.float64)[0].item() == 7


def test_references_of_other_names(torch):
    refs = __import__(f"{torch.__name__}._refs", fromlist=["_refs"])
    x = torch.arange(1.0, 7).view(2, 3)
    assert refs.T(x).shape == (3, 2) and refs.unfold(x, 1, 2, 1).shape == (2, 2, 2)
    assert refs.prod(x, (0, 1)).item() == refs.prod(x).item() == 720
    assert refs.prod(x, dim=[0, -1], keepdim=True).shape == refs.prod(x, keepdim=True).shape == (1, 1)
    assert refs.prod(x, 0).tolist() == [4, 10, 18] and refs.prod(torch.tensor(3)).item() == 3
    with pytest.raises(RuntimeError):
        refs.prod(x, (0, 0))


def test_old_constructors_refuse_what_no_form_takes(torch):
    x = torch.ones(1)
    for wrong in (lambda: torch.LongTensor((6, 0), 1), lambda: torch.Tensor(foo=1), lambda: torch.FloatTensor(foo=1)):
        with pytest.raises(TypeError, match="new\\(\\) received an invalid combination of arguments"):
            wrong()
    with pytest.raises(TypeError, match="failed to unpack the object at pos 2"):
        torch.Tensor(1, [2])
    for wrong in (lambda: x.new(x, device="cpu"), lambda: torch.Tensor(x, device="meta")):
        with pytest.raises(RuntimeError, match=r"Legacy tensor (new|constructor) of the form"):
            wrong()
