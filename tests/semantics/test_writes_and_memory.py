"""In-place writes: what may be written, what shares memory with what, and what the graph says of it."""

import warnings

import pytest

SHARED = "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location"
EXPANDED = "unsupported operation: more than one element of the written-to tensor refers to a single memory location"


# ---- views ---------------------------------------------------------------------------------------------------------------
def test_names_of_histories_after_a_write(torch):
    y = torch.arange(6.0, requires_grad=True) * 2
    view = y.view(2, 3)
    y.mul_(3)
    assert type(view.grad_fn).__name__ == view.grad_fn.name() == "AsStridedBackward0"
    view.mul_(2)
    assert type(y.grad_fn).__name__ == "CopySlices"
    assert y.grad_fn.name() == "torch::autograd::CopySlices"


def test_untracked_views_among_several_outputs(torch):
    w = torch.ones(2, requires_grad=True)
    first, second = torch.ones(2, 2).unbind()
    first.mul_(2)  # not recorded
    text = (
        r"A view was created in no_grad mode and is being modified inplace with grad mode enabled. This view is the output of a function "
        "that returns multiple views. Such functions do not allow the output views to be modified inplace."
    )
    for view in (first, second.view(2)):
        with pytest.raises(RuntimeError, match=text):
            view.mul_(w)


@pytest.mark.parametrize(
    ("cut", "name"),
    [
        (lambda x: x.unsafe_split(2), "UnsafeSplitBackward0"),
        (lambda x: x.unsafe_chunk(2), "UnsafeSplitBackward0"),
        (lambda x: x.unsafe_split_with_sizes([1, 3]), "UnsafeSplitWithSizesBackward0"),
    ],
)
def test_pieces_that_may_be_written(torch, cut, name):
    x = torch.ones(4, requires_grad=True)
    y = x * 1
    pieces = cut(y)
    assert not pieces[0]._is_view()
    assert pieces[0].grad_fn.name() == name
    pieces[0].mul_(3)
    assert (pieces[0]._version, y._version) == (1, 0)
    assert y.tolist()[0] == 3
    torch.cat(pieces).sum().backward()
    assert x.grad.tolist() == [3.0] * len(pieces[0]) + [1.0] * len(pieces[1])


def test_a_view_as_another_dtype_has_no_history(torch):
    for x in (torch.ones(2, 4, requires_grad=True), torch.ones(2, 4, requires_grad=True) * 1, torch.ones(2, 4)):
        for dtype in (torch.float32, torch.int32, torch.float64, torch.float16):
            y = x.view(dtype)
            assert not y.requires_grad
            assert y.grad_fn is None
            assert not y._is_view()
    x = torch.zeros(2)
    x.view(torch.int32).fill_(1065353216)
    assert x.tolist() == [1.0, 1.0]
    assert x._version == 1


def test_detaching_in_place_does_nothing_in_inference_mode(torch):
    y = torch.ones(2, requires_grad=True) * 2
    with torch.inference_mode():
        assert y.detach_() is y
    assert y.grad_fn.name() == "MulBackward0"


# ---- Functions that write --------------------------------------------------------------------------------------------------
def test_a_function_that_writes_into_a_view_returns_one_tensor(torch):
    class Two(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x, x + 1

        @staticmethod
        def backward(ctx, g, h):
            return 2 * g + 2 * h

    def made():
        return torch.ones(2, 2, requires_grad=True) * 1

    text = r"cannot return more than one Tensor.* You can ask on the forum https://discuss.pytorch.org/ if you need help to do this change.$"
    for view in (made().view(4), made().unbind()[0], torch.ones(2, requires_grad=True)[:1]):
        with pytest.raises(RuntimeError, match=text):
            Two.apply(view)


def test_marking_a_tensor_counts_a_write(torch):
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    for x in (torch.ones(2), torch.ones(2, requires_grad=True) * 1):
        Double.apply(x)
        assert x._version == 2
    leaf = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"a leaf Variable that requires grad has been used in an in-place operation."):
        Double.apply(leaf)
    assert leaf._version == 2


def test_an_input_returned_among_several_outputs(torch):
    class Both(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x, x + 1

        @staticmethod
        def backward(ctx, g, h):
            return g + h

    same, _ = Both.apply(torch.ones(2, requires_grad=True) * 1)
    with pytest.raises(RuntimeError, match=r"Output 0 of Both.* is the output of a function that returns multiple views"):
        same.mul_(2)


# ---- set_ and resize_ -------------------------------------------------------------------------------------------------------
def test_set_is_a_write_without_a_derivative(torch):
    other = torch.zeros(4)
    plain = torch.ones(3)
    assert plain.set_(other) is plain
    assert (plain._version, other._version) == (1, 0)
    leaf = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"a leaf Variable that requires grad is being used in an in-place operation."):
        leaf.set_(other)
    for target, source in ((leaf * 1, other), (torch.ones(3), leaf * 1)):
        target.set_(source)
        assert target.requires_grad
        assert type(target.grad_fn).__name__ == "NotImplemented"
        assert target.grad_fn.name() == "torch::autograd::NotImplemented"
        with pytest.raises(RuntimeError, match="derivative for set_ is not implemented"):
            target.sum().backward()
    with pytest.raises(RuntimeError, match="Could not set tensor of type long int to a tensor of type float"):
        torch.ones(3).set_(torch.ones(3, dtype=torch.int64))


def test_inference_tensors_keep_their_memory(torch):
    with torch.inference_mode():
        x = torch.ones(2, 3)
    for write in (lambda: x.set_(torch.ones(2)), lambda: x.resize_(6)):
        with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode is not allowed"):
            write()


# ---- memory that is shared -------------------------------------------------------------------------------------------------
def all_places(torch, x):
    return torch.arange(x.numel())


WRITES = {
    "copy_": lambda torch, x, s: x.copy_(s),
    "setitem": lambda torch, x, s: x.__setitem__(slice(None), s),
    "index_put_": lambda torch, x, s: x.index_put_((all_places(torch, x),), s),
    "index_add_": lambda torch, x, s: x.index_add_(0, all_places(torch, x), s),
    "index_copy_": lambda torch, x, s: x.index_copy_(0, all_places(torch, x), s),
    "index_reduce_": lambda torch, x, s: x.index_reduce_(0, all_places(torch, x), s, "prod"),
    "scatter_": lambda torch, x, s: x.scatter_(0, all_places(torch, x), s),
    "scatter_add_": lambda torch, x, s: x.scatter_add_(0, all_places(torch, x), s),
    "scatter_reduce_": lambda torch, x, s: x.scatter_reduce_(0, all_places(torch, x), s, "sum"),
    "put_": lambda torch, x, s: x.put_(all_places(torch, x), s),
}


@pytest.mark.filterwarnings("ignore:index_reduce")
@pytest.mark.parametrize("name", WRITES)
def test_a_source_that_shares_memory(torch, name):
    x = torch.arange(8.0)
    with pytest.raises(RuntimeError, match=SHARED):
        WRITES[name](torch, x[:4], x[2:6])
    assert x.tolist() == list(range(8))
    if name in ("copy_", "setitem"):
        WRITES[name](torch, x[:4], x[:4])  # a copy onto itself changes nothing
    else:
        with pytest.raises(RuntimeError, match=SHARED):
            WRITES[name](torch, x[:4], x[:4])
    WRITES[name](torch, x[:8:2], x[1:8:2])  # gaps between the elements: not looked into


@pytest.mark.parametrize(
    ("write", "indexing"),
    [
        (lambda torch, x: x.index_fill_(0, torch.tensor([0]), 2.0), r"tensor\[mask\] = scalar"),
        (lambda torch, x: x.masked_fill_(torch.tensor([True, True, True]), 2.0), r"tensor\[mask\] = scalar"),
        (lambda torch, x: x.index_put_((torch.tensor([0]),), torch.tensor([2.0])), r"tensor\[indices\] = tensor"),
    ],
)
def test_writes_that_expanded_tensors_allow_with_a_warning(torch, write, indexing):
    x = torch.ones(1).expand(3)
    with pytest.warns(UserWarning, match=f"on expanded tensors is deprecated.*e.g. {indexing}"):
        write(torch, x)
    assert x.tolist() == [2.0] * 3


def test_writes_that_expanded_tensors_allow_or_not(torch):
    x = torch.ones(1).expand(3)
    x.fill_(2)
    assert x.tolist() == [2.0] * 3
    x.zero_()
    x[0] = 1
    assert x.tolist() == [1.0] * 3
    one, place = torch.ones(1), torch.tensor([0])
    for write in (
        lambda: x.add_(1),
        lambda: x.copy_(torch.ones(3)),
        lambda: x.put_(place, one),
        lambda: x.scatter_(0, place, one),
        lambda: x.scatter_add_(0, place, one),
        lambda: x.index_add_(0, place, one),
        lambda: x.index_copy_(0, place, one),
        lambda: x.masked_scatter_(torch.tensor([True, False, True]), torch.ones(2)),
        lambda: x.uniform_(),
        lambda: x.cumsum_(0),
        lambda: torch.add(torch.ones(3), 1, out=x),
    ):
        with pytest.raises(RuntimeError, match=EXPANDED):
            write()
    assert x.tolist() == [1.0] * 3


def test_layouts_of_results(torch):
    x = torch.arange(12.0).view(3, 4).t()
    place, line = torch.tensor([0]), torch.ones(1, 3)
    index = torch.zeros(1, 3, dtype=torch.int64)
    row_major = {
        "tril": x.tril(),
        "triu": x.triu(),
        "scatter": x.scatter(0, index, line),
        "scatter value": x.scatter(0, index, 1.0),
        "scatter_add": x.scatter_add(0, index, line),
        "scatter_reduce": x.scatter_reduce(0, index, line, "sum"),
        "index_add": x.index_add(0, place, line),
        "index_copy": x.index_copy(0, place, line),
        "masked_scatter": x.masked_scatter(x > 1, x.clone()),
        "renorm": x.renorm(2, 0, 1.0),
    }
    assert {name: out.stride() for name, out in row_major.items()} == dict.fromkeys(row_major, (3, 1))
    like_input = {
        "index_fill": x.index_fill(0, place, 1.0),
        "index_put": x.index_put((place,), line),
        "put": x.put(place, torch.ones(1)),
    }
    assert {name: out.stride() for name, out in like_input.items()} == dict.fromkeys(like_input, (1, 4))


# ---- writing items ----------------------------------------------------------------------------------------------------------
def test_names_of_fills(torch):
    x, number = torch.ones(3, requires_grad=True), torch.tensor(2.0, requires_grad=True)

    def name_after(write):
        y = x * 1
        write(y)
        return y.grad_fn.name()

    assert name_after(lambda y: y.fill_(2)) == "FillBackward2"
    assert name_after(lambda y: y.fill_(number)) == "FillBackward3"
    assert name_after(lambda y: y.__setitem__(slice(None), 2)) == "FillBackward3"
    assert name_after(lambda y: y.__setitem__(slice(None), number)) == "FillBackward3"
    assert name_after(lambda y: y.__setitem__(..., torch.tensor(2.0))) == "FillBackward3"
    assert name_after(lambda y: y.__setitem__(slice(None), torch.ones(3))) == "torch::autograd::CopyBackwards"
    assert name_after(lambda y: y.__setitem__(slice(0, 2), number)) == "torch::autograd::CopySlices"
    assert name_after(lambda y: y.__setitem__(False, number)) == "MulBackward0"  # nothing is written
    assert torch.fill(x, 2).grad_fn.name() == "FillBackward0"
    assert torch.fill(x, number).grad_fn.name() == "FillBackward1"


@pytest.mark.parametrize("value", ["a", [1.0], (1.0,), None])
def test_what_is_no_item(torch, value):
    x = torch.zeros(3)
    with pytest.raises(TypeError, match=f"can't assign a {type(value).__name__} to a torch.FloatTensor"):
        x[0] = value
    assert x._version == 0


@pytest.mark.parametrize("index", [1.5, 1j])
def test_what_is_no_index(torch, index):
    x = torch.zeros(3)
    kind = type(index).__name__
    for use in (lambda: x[index], lambda: x.__setitem__(index, 1.0)):
        with pytest.raises(
            IndexError, match=rf"ellipsis \(`...`\), None and long or byte Variables are valid indices \(got {kind}\)"
        ):
            use()


def test_copies_take_tensors_only(torch):
    with pytest.raises(TypeError, match=r"copy_\(\): argument 'other' \(position 1\) must be Tensor, not list"):
        torch.ones(3).copy_([1, 2, 3])


def test_a_copy_of_complex_numbers_warns(torch):
    x, source = torch.ones(2), torch.tensor([1 + 2j, 3j])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x.copy_(source)
    assert x.tolist() == [1.0, 0.0]
