"""What a mask leaves out does not count: the same as on what is left; segments are the same as each alone."""

import pytest

import rushlight as torch

REDUCTIONS = {
    "sum": torch.sum,
    "prod": torch.prod,
    "amax": torch.amax,
    "amin": torch.amin,
    "mean": torch.mean,
    "var": torch.var,
    "std": torch.std,
    "logsumexp": lambda x: torch.logsumexp(x, 0),
    "norm": torch.linalg.vector_norm,
    "median": lambda x: x.median(),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions_of_what_is_left(name):
    x = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    mask = torch.rand(4, 6) > 0.4
    mask[:, :2] = True
    made = getattr(torch.masked, name)(x, dim=1, mask=mask)
    expected = torch.stack([REDUCTIONS[name](row[keep]) for row, keep in zip(x, mask)])
    assert torch.allclose(made, expected)
    (found,), (wanted,) = torch.autograd.grad(made.sum(), x), torch.autograd.grad(expected.sum(), x)
    assert torch.allclose(found, wanted) and not found[~mask].any()


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin", "cumsum", "cumprod"])
def test_lines_of_what_is_left(name):
    x = torch.randn(5, dtype=torch.float64)
    mask = torch.tensor([True, False, True, True, False])
    made = getattr(torch.masked, name)(x, 0, mask=mask)
    function = getattr(torch, name, None) or torch.nn.functional.softmin
    assert torch.allclose(made[mask], function(x[mask], 0))


def test_lines_in_which_nothing_counts():
    x, mask = torch.ones(2, 2), torch.tensor([[True, False], [False, False]])
    assert torch.masked.sum(x, 1, mask=mask).tolist() == [1, 0] and torch.masked.amax(x, 1, mask=mask).tolist() == [1, -torch.inf]
    assert torch.masked.mean(x, 1, mask=mask).isnan().tolist() == [False, True]
    with pytest.raises(ValueError, match="no fully masked out rows if dtype is not floating point"):
        torch.masked.median(x.int(), 1, mask=mask)
    with pytest.raises(RuntimeError, match="dim=0 appears multiple times in the list of dims"):
        torch.masked.sum(x, (0, 0))


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
def test_segments_are_each_alone(reduce):
    x = torch.randn(2, 6, 3, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([[1, 2, 3], [4, 1, 1]])
    alone = {"max": torch.amax, "min": torch.amin}.get(reduce) or getattr(torch, reduce)
    expected = torch.stack([torch.stack([alone(part, 0) for part in row.split(n.tolist())]) for row, n in zip(x, lengths)])
    made = torch.segment_reduce(x, reduce, lengths=lengths, axis=1)
    assert torch.allclose(made, expected)
    (found,), (wanted,) = torch.autograd.grad(made.square().sum(), x), torch.autograd.grad(expected.square().sum(), x)
    assert torch.allclose(found, wanted)
    offsets = torch.tensor([[0, 1, 3, 6], [0, 4, 5, 6]])
    assert torch.equal(torch.segment_reduce(x, reduce, offsets=offsets, axis=1), made)


def test_what_is_no_number_in_segments():
    nan, inf = torch.nan, torch.inf
    for reduce, initial, values, gradient in (
        ("max", 1, [3.0, 1.0, nan, 1.0], [0.0, 0.5, 0.5, 0.0, 3.0, 0.0, 0.0]),
        ("min", None, [0.0, 0.0, nan, inf], [1.0, 0.0, 0.0, 2.0, 3.0, 0.0, 0.0]),
        ("mean", 1, [7 / 3, 1.0, nan, 1.0], [1 / 3, 1 / 3, 1 / 3, 2.0, 1.0, 1.0, 1.0]),
        ("prod", 3, [0.0, 0.0, nan, 3.0], [27.0, 0.0, 0.0, 6.0, 0.0, nan, nan]),
    ):
        x = torch.tensor([0.0, 3.0, 3.0, 0.0, nan, 4.0, 0.0], requires_grad=True)
        made = torch.segment_reduce(x, reduce, lengths=torch.tensor([3, 1, 3, 0]), initial=initial)
        assert made.grad_fn.name() == "SegmentReduceBackward0"
        made.backward(torch.tensor([1.0, 2.0, 3.0, 4.0]))
        for found, wanted in ((made, values), (x.grad, gradient)):
            assert torch.allclose(found, torch.tensor(wanted), equal_nan=True), (reduce, found)
    once = torch.autograd.grad(torch.segment_reduce(x, "sum", lengths=torch.tensor([7])), x, create_graph=True)[0]
    with pytest.raises(RuntimeError, match="derivative for aten::_segment_reduce_backward is not implemented"):
        once.sum().backward()


def test_segments_that_do_not_fit():
    x = torch.ones(4)
    for lengths, text in (([2, 1], "to sum to data.size"), ([5, -1], "lengths contains negative value!")):
        with pytest.raises(RuntimeError, match=text):
            torch.segment_reduce(x, "sum", lengths=torch.tensor(lengths))
    with pytest.raises(RuntimeError, match="reach beyond the data"):
        torch.segment_reduce(x, "sum", offsets=torch.tensor([0, 9]), unsafe=True)


@pytest.mark.parametrize(
    "name", ["bartlett", "blackman", "cosine", "exponential", "gaussian", "hamming", "hann", "kaiser", "nuttall"]
)
def test_windows(name):
    window = getattr(torch.signal.windows, name)
    for size in (1, 2, 7, 8):
        made = window(size, dtype=torch.float64)
        assert torch.allclose(made, made.flip(0)) and made.max() <= 1 + 1e-12
        if size > 2 and name not in ("cosine", "exponential", "gaussian"):
            assert torch.allclose(window(size, sym=False, dtype=torch.float64), window(size + 1, dtype=torch.float64)[:-1])
    assert window(0).shape == (0,)
    with pytest.raises(ValueError, match="requires non-negative window length, got M=-1"):
        window(-1)
    with pytest.raises(ValueError, match=r"expects float32 or float64 dtypes, got: torch.int64"):
        window(3, dtype=torch.int64)


@pytest.fixture
def pair():
    from rushlight.masked import masked_tensor

    data, mask = torch.arange(6.0).reshape(2, 3), torch.tensor([[True, False, True], [False, True, True]])
    with pytest.warns(UserWarning, match="prototype stage"):
        return masked_tensor(data, mask), masked_tensor(data + 1, mask)


def test_tensors_with_a_mask_are_printed_as_pytorch_prints_them(pair):
    x, y = pair
    assert repr(x) == "MaskedTensor(\n  [\n    [  0.0000,       --,   2.0000],\n    [      --,   4.0000,   5.0000]\n  ]\n)"
    assert repr(x.sum()) == "MaskedTensor( 11.0000, True)"
    assert repr((x == y)[0]) == "MaskedTensor(\n  [False,       --, False]\n)"
    assert repr(x.int()[1]) == "MaskedTensor(\n  [      --, 4, 5]\n)"


def test_functions_of_tensors_with_a_mask(pair):
    x, y = pair
    assert (x + y).to_tensor(0).tolist() == [[1.0, 0.0, 5.0], [0.0, 9.0, 11.0]]
    assert (2 * x.exp().log()).sum(1).get_data().tolist() == pytest.approx([4.0, 18.0])
    assert x.mean(0).get_data().tolist() == [0.0, 4.0, 3.5]
    assert torch.equal(x.t().get_mask(), x.get_mask().t()) and torch.cat([x, y]).shape == (4, 3)
    assert x.softmax(-1).to_tensor(0).sum(-1).tolist() == pytest.approx([1.0, 1.0])
    with pytest.raises(TypeError, match="Multiple dispatch failed"):
        x.cumsum(0)
    with pytest.raises(ValueError, match="Input masks must match"), pytest.warns(UserWarning, match="prototype"):
        x + torch.masked.MaskedTensor(y.get_data(), ~y.get_mask())
    with pytest.raises(ValueError, match="must equal mask"), pytest.warns(UserWarning, match="prototype"):
        torch.masked.MaskedTensor(torch.ones(2), torch.ones(3).bool())


@pytest.mark.filterwarnings("ignore:The PyTorch API of MaskedTensors")
def test_a_masked_leaf_has_a_masked_gradient():
    mask = torch.tensor([True, False, True])
    x = torch.masked.masked_tensor(torch.tensor([1.0, 2.0, 3.0]), mask, requires_grad=True)
    (x * x).sum().backward()
    assert x.is_leaf and torch.equal(x.grad.get_mask(), mask)
    assert x.grad.get_data()[mask].tolist() == [2, 6]


@pytest.mark.filterwarnings("ignore:The PyTorch API of MaskedTensors")
@pytest.mark.parametrize("name", ["absolute", "arccos_", "divide", "multiply_", "maximum", "round"])
def test_other_names_know_masks_too(name):
    from rushlight.masked.maskedtensor import binary, unary

    function = next(each for each in (*unary.NATIVE_UNARY_FNS, *unary.NATIVE_INPLACE_UNARY_FNS, *binary.NATIVE_BINARY_FNS,
                                      *binary.NATIVE_INPLACE_BINARY_FNS) if each.__name__ == name)  # fmt: skip
    data, mask = torch.tensor([0.5, -0.25, 0.75]), torch.tensor([True, False, True])
    others = [torch.tensor([2.0, 1.0, 4.0])] if name.rstrip("_") in binary.BINARY_NAMES else []
    made = function(torch.masked.masked_tensor(data, mask), *others)
    assert torch.equal(made.get_data()[mask], function(data.clone(), *others)[mask]) and torch.equal(made.get_mask(), mask)


@pytest.mark.filterwarnings("ignore:The PyTorch API of MaskedTensors")
def test_what_masks_refuse():
    data, mask = torch.ones(2), torch.tensor([True, False])
    for wrong, text in (
        (lambda: torch.masked.masked_tensor(data + 0j, mask), "torch.complex64 is not supported in MaskedTensor."),
        (lambda: torch.masked.masked_tensor([1.0], mask), "data must be a Tensor"),
        (lambda: torch.masked.masked_tensor(data, mask).max(), "Multiple dispatch failed for 'torch._ops.aten.max.default'"),
    ):
        with pytest.raises(TypeError, match=text):
            wrong()


def test_dimensions_of_masked_functions():
    x, mask = torch.arange(6.0).view(2, 3), torch.tensor([[True, False, True], [False, True, True]])
    assert torch.equal(torch.masked.prod(x, [], mask=mask), torch.tensor([[0.0, 1.0, 2.0], [1.0, 4.0, 5.0]]))
    for function in (torch.masked.cumsum, torch.masked.softmax, torch.masked.median):
        for several, one in ((None, 0), ((0, 1), 0), ([1], 1)):
            assert torch.equal(function(x, several, mask=mask), function(x, one, mask=mask))


def test_masked_moments_round_where_pytorch_does():
    x = torch.tensor([200.0, 300.0, 800.0], dtype=torch.float16)
    assert torch.masked.var(x).isinf() and torch.masked.mean(x.bfloat16()).item() == 432


def test_the_mask_is_applied_before_the_result_is_converted():
    """What PyTorch gives: least and greatest are those of the input's dtype, and only the result is of `dtype`."""
    x, mask = torch.tensor([[1, 5, 300], [2, 256, 7]]), torch.tensor([[True, False, True], [True, True, True]])
    assert torch.masked.amax(x, 1, mask=mask, dtype=torch.uint8).tolist() == [44, 0]
    assert torch.masked.argmax(x, 1, mask=mask, dtype=torch.uint8).tolist() == [2, 1]
    assert torch.masked.amin(x, 1, mask=~mask, dtype=torch.float32).tolist() == [5, 2.0**63]
    assert torch.masked.median(x.float(), 1, dtype=torch.uint8).dtype is torch.float32
    assert torch.masked.softmax(x, 1, mask=mask & ~mask, dtype=torch.float64).tolist() == [[1 / 3] * 3] * 2


def test_norms_of_negative_degree_have_zeros_where_nothing_counts():
    x, mask = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([True, False, True])
    assert torch.masked.norm(x, -2, 0, mask=mask).item() == 0 and torch.masked.norm(x, -torch.inf, 0, mask=mask).item() == 1


@pytest.mark.parametrize(
    ("name", "dtype", "value"),
    [
        ("sum", torch.bool, False),
        ("masked.prod", torch.uint8, 1),
        ("amax", torch.int8, -128),
        ("argmin", torch.bfloat16, torch.inf),
        ("logsumexp", torch.complex64, -torch.inf),
        ("norm", torch.int64, 0),
    ],
)
def test_what_changes_no_result(name, dtype, value):
    found = torch.masked._reduction_identity(name, torch.ones(2, dtype=dtype))
    assert found.dtype is dtype and found.item() == value


def test_what_has_nothing_that_changes_no_result():
    assert torch.masked._reduction_identity("mean", torch.ones(2)) is None
    for name in ("amin", "softmax"):
        with pytest.raises(NotImplementedError, match=f"identity of {name} on torch.bool input"):
            torch.masked._reduction_identity(name, torch.ones(2, dtype=torch.bool))


@pytest.mark.filterwarnings("ignore:The PyTorch API of MaskedTensors")
def test_what_no_tensor_with_a_mask_is_made_of():
    data, mask = torch.ones(2), torch.tensor([True, False])
    for wrong, text in (
        (
            lambda: torch.masked.masked_tensor(data.to_sparse(), mask.to_sparse()),
            "data layout of torch.sparse_coo is not supported.",
        ),
        (lambda: torch.masked.masked_tensor(data[None], mask), r"data.dim\(\) must equal mask.dim\(\)"),
        (
            lambda: torch.masked.masked_tensor(data.int(), mask, True),
            "Only Tensors of floating point and complex dtype can require",
        ),
    ):
        with pytest.raises((TypeError, ValueError, RuntimeError), match=text):
            wrong()
    with pytest.warns(UserWarning, match="It is not recommended to create a MaskedTensor with a tensor that requires_grad"):
        torch.masked.as_masked_tensor(data.requires_grad_(), mask)
