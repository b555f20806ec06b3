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
